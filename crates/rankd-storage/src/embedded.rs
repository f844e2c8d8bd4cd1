//! The embedded store: everything in memory, every write in a log, a snapshot now and then.
//!
//! A write waits for a place in the queue, is resolved and applied under its boards' locks, gets
//! its sequence there, and is answered when the log writer has made it as durable as was promised.
//! An embedded read may therefore see a write that nobody was told of yet.
//!
//! Cancel safety: a `submit` that is dropped before it was resolved has no effect; one that is
//! dropped later takes effect as if nobody had waited for it. A `close` that is dropped may be
//! called again; until it has ended once, or the store is dropped, the folder stays locked.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rankd_engine::{
    Batch, ChangeSink, Health, KeyBatch, OrgBatch, Procedure, Receipt, SnapshotReport, State,
    Storage, StoreError, StoreFuture, StoreStats,
};
use rankd_orgs::OrgOutcome;
use tokio::sync::watch;

use crate::admission::{key_bytes_max, org_record_bytes_max, record_bytes_max};
use crate::error::{Action, StorageError};
use crate::fs::{Fs, FsLock};
use crate::head::salt;
use crate::log::active::Failure;
use crate::log::queue::Queue;
use crate::log::writer::Writer;
use crate::meter::Progress;
use crate::options::EmbeddedOptions;
use crate::recovery::{OpenReport, Recovered, Recovery, take_lock};
use crate::snapshot::desk::Desk;
use crate::snapshot::keeper::Keeper;
use crate::turns::{Ticket, Turns};
use crate::worker::Worker;

/// A store in one folder, for one process.
pub struct EmbeddedStore {
    state: Arc<State>,
    queue: Arc<Queue>,
    turns: Arc<Turns>,
    desk: Arc<Desk>,
    snapshot_on_close: bool,
    /// Held while closing goes on, so that every caller waits for the one who does.
    open: tokio::sync::Mutex<Open>,
}

/// What is let go of at the end.
struct Open {
    writer: Worker<Result<(), Failure>>,
    keeper: Worker<()>,
    /// Not before both have ended.
    lock: Option<Box<dyn FsLock>>,
    /// How closing went.
    closed: Option<Result<(), StoreError>>,
}

impl EmbeddedStore {
    /// Opens the store in `folder`, or makes one there, and fills `state`, which has to be empty.
    ///
    /// # Errors
    /// If the folder is in use, damaged, of a newer version, or the disk does not do as told;
    /// `state` may then be half full. [`crate::check`] tells more about damage.
    pub fn open(
        folder: &Path,
        options: EmbeddedOptions,
        fs: Arc<dyn Fs>,
        state: Arc<State>,
    ) -> Result<(Self, OpenReport), StorageError> {
        Self::open_with_progress(folder, options, fs, state, &mut |_| {})
    }

    /// As [`EmbeddedStore::open`], and tells `progress` about every MiB that was read.
    ///
    /// # Errors
    /// As [`EmbeddedStore::open`].
    pub fn open_with_progress(
        folder: &Path,
        options: EmbeddedOptions,
        fs: Arc<dyn Fs>,
        state: Arc<State>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Self, OpenReport), StorageError> {
        let begun = Instant::now();
        options.check()?;
        fs.create_folder(folder).map_err(StorageError::io(Action::Create, folder))?;
        let lock = take_lock(&*fs, folder)?;
        let store_id = options.store_id;
        let recovery = Recovery { fs: &fs, folder, state: &state, store_id };
        let mut recovered = recovery.run(progress)?;
        recovered.report.duration_ms =
            u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let report = recovered.report.clone();
        let store = Self::start(folder, options, fs, state, recovered, lock)?;
        Ok((store, report))
    }

    fn start(
        folder: &Path,
        options: EmbeddedOptions,
        fs: Arc<dyn Fs>,
        state: Arc<State>,
        recovered: Recovered,
        lock: Box<dyn FsLock>,
    ) -> Result<Self, StorageError> {
        let Recovered { log, store, report, segments, log_bytes, snapshot_at_ms } = recovered;
        let good: Vec<_> = report.snapshot.into_iter().collect();
        let snapshot_sequence = good.first().map_or(0, |snapshot| snapshot.sequence);
        let stats =
            StoreStats { segments, snapshot_sequence, snapshot_at_ms, ..StoreStats::default() };
        let queue = Arc::new(Queue::new(report.sequence, stats));
        let interval = options.snapshot_interval_ms.map(Duration::from_millis);
        let desk = Arc::new(Desk::new(options.snapshot_log_bytes, interval, log_bytes));
        let keeper = Keeper {
            fs,
            folder: folder.to_path_buf(),
            store,
            clock: options.clock,
            state: Arc::clone(&state),
            queue: Arc::clone(&queue),
            desk: Arc::clone(&desk),
            good,
            spare: None,
        };
        let writer = Writer::new(
            Arc::clone(&queue),
            Arc::clone(&desk),
            log,
            salt(&store),
            options.durability,
            options.segment_bytes,
        );
        let writer = Worker::spawn("rankd-log", move || writer.run())?;
        let keeper = Worker::spawn("rankd-snapshot", move || keeper.run());
        let (writer, keeper) = both_or_neither(&queue, writer, keeper)?;
        Ok(Self {
            turns: Turns::new(Arc::clone(&state), Arc::clone(&queue)),
            state,
            queue,
            desk,
            snapshot_on_close: options.snapshot_on_close,
            open: tokio::sync::Mutex::new(Open { writer, keeper, lock: Some(lock), closed: None }),
        })
    }

    /// Tells of every change of [`Storage::health`].
    #[must_use]
    pub fn health_changes(&self) -> watch::Receiver<Health> {
        self.queue.health_changes()
    }

    async fn submit_batch(&self, batch: Batch) -> Result<Receipt, StoreError> {
        let bytes = record_bytes_max(&batch)?;
        self.carry_out(bytes, |state, sink| state.execute(&batch, sink)).await
    }

    async fn submit_org_batch(
        &self,
        batch: OrgBatch,
    ) -> Result<Receipt<Vec<OrgOutcome>>, StoreError> {
        let bytes = org_record_bytes_max(&batch)?;
        self.carry_out(bytes, |state, sink| state.execute_orgs(&batch, sink)).await
    }

    async fn transact_keys(&self, keys: KeyBatch) -> Result<Box<dyn Procedure>, StoreError> {
        let bytes = key_bytes_max(keys.procedure.bytes_max())?;
        let admission = self.queue.admit(bytes).await?;
        self.turns.take(keys, admission).await
    }

    /// Waits for a place of `bytes` bytes, resolves and applies, and waits for durability.
    async fn carry_out<A>(
        &self,
        bytes: u32,
        execute: impl FnOnce(&State, &dyn ChangeSink) -> Result<Receipt<A>, StoreError>,
    ) -> Result<Receipt<A>, StoreError> {
        let admission = self.queue.admit(bytes).await?;
        let executed = execute(&self.state, &Ticket::new(&self.queue, admission));
        self.queue.announce();
        let receipt = executed?;
        let acknowledged = self.queue.acknowledged(receipt.sequence).await;
        acknowledged.map_err(StoreError::NotDurable)?;
        Ok(receipt)
    }

    async fn take_snapshot(&self) -> Result<SnapshotReport, StoreError> {
        self.desk.request().await.unwrap_or(Err(StoreError::Closed))
    }

    async fn close_once(&self) -> Result<(), StoreError> {
        let mut open = self.open.lock().await;
        if let Some(result) = &open.closed {
            return result.clone();
        }
        self.queue.drain().await;
        self.queue.close();
        if self.snapshot_on_close && self.queue.last_sequence() > 0 {
            // If it fails, the keeper has said so; the log has everything.
            let _snapshot = self.take_snapshot().await;
        }
        self.desk.end();
        self.queue.end_writer();
        let result = open.end().await;
        open.closed = Some(result.clone());
        open.lock = None;
        result
    }
}

impl Open {
    async fn end(&mut self) -> Result<(), StoreError> {
        let _panicked = self.keeper.end().await;
        match self.writer.end().await {
            Some(Ok(())) => Ok(()),
            Some(Err(failure)) => Err(StoreError::NotDurable(failure.reason)),
            None => Err(StoreError::NotDurable("the log writer has panicked".to_owned())),
        }
    }
}

/// Without a keeper the writer ends, too, before anybody gives the folder's lock back.
fn both_or_neither<T: Send + 'static>(
    queue: &Queue,
    mut writer: Worker<T>,
    keeper: Result<Worker<()>, StorageError>,
) -> Result<(Worker<T>, Worker<()>), StorageError> {
    match keeper {
        Ok(keeper) => Ok((writer, keeper)),
        Err(error) => {
            queue.close();
            queue.end_writer();
            writer.join();
            Err(error)
        }
    }
}

/// Dropping the store without closing it writes what is queued, and no snapshot.
impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        let open = self.open.get_mut();
        if open.closed.is_some() {
            return;
        }
        self.queue.close();
        self.desk.end();
        self.queue.end_writer();
        open.keeper.join();
        open.writer.join();
    }
}

impl Storage for EmbeddedStore {
    fn submit(&self, batch: Batch) -> StoreFuture<'_, Receipt> {
        Box::pin(self.submit_batch(batch))
    }

    fn submit_orgs(&self, batch: OrgBatch) -> StoreFuture<'_, Receipt<Vec<OrgOutcome>>> {
        Box::pin(self.submit_org_batch(batch))
    }

    fn transact(&self, keys: KeyBatch) -> StoreFuture<'_, Box<dyn Procedure>> {
        Box::pin(self.transact_keys(keys))
    }

    fn snapshot(&self) -> StoreFuture<'_, SnapshotReport> {
        Box::pin(self.take_snapshot())
    }

    fn health(&self) -> Health {
        self.queue.health()
    }

    fn stats(&self) -> StoreStats {
        let (snapshot_members_done, snapshot_members_total) = self.desk.progress();
        StoreStats { snapshot_members_done, snapshot_members_total, ..self.queue.stats() }
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.close_once())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::log::queue::Wake;

    #[test]
    fn without_a_snapshot_thread_the_log_writer_has_ended_before_the_lock_goes() {
        let queue = Arc::new(Queue::new(0, StoreStats::default()));
        let has_ended = Arc::new(AtomicBool::new(false));
        let (its_queue, its_end) = (Arc::clone(&queue), Arc::clone(&has_ended));
        let writer = Worker::spawn("test-log", move || {
            while !its_queue.next_work(Wake::Work(None)).is_closing {}
            its_end.store(true, Ordering::Release);
        });
        let refused = StorageError::System { what: "a thread", reason: "none left".to_owned() };
        let started = both_or_neither(&queue, writer.expect("a thread"), Err(refused));
        let error = started.err().expect("there is no keeper");
        assert_eq!(error.to_string(), "the operating system refused a thread: none left");
        assert!(has_ended.load(Ordering::Acquire));
        assert_eq!(queue.health(), Health::Closed);
    }
}
