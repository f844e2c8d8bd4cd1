//! Between the batches and the log writer: who may come in, what waits, who is answered when.
//!
//! Invariants: sequences are given out without gaps in the order of appends; a record that was
//! appended stays here or in the writer's group until it is in the log. `push` is called with
//! boards locked, so this lock is held for a few instructions and never over I/O.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rankd_engine::{Change, ChangeSink, Health, StoreError, StoreStats};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use crate::limits::{QUEUE_BYTES_MAX, QUEUE_RECORDS_MAX};
use crate::log::active::Failure;
use crate::log::group::Pending;
use crate::log::waiters::{Verdict, Waiter, Waiters};

/// What a waiter is told whose record the writer did not get to.
const CLOSED: &str = "the store is closed";

/// A place in the queue; given back when it is dropped.
pub(crate) struct Admission {
    _records: OwnedSemaphorePermit,
    _bytes: Option<OwnedSemaphorePermit>,
}

/// What the writer is to do.
pub(crate) struct Work {
    pub(crate) pending: Vec<Pending>,
    /// Somebody needs the log on disk now, whatever the durability.
    pub(crate) is_sync_wanted: bool,
    /// After this turn the writer ends.
    pub(crate) is_closing: bool,
}

/// When the writer wakes up by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wake {
    /// For new work, and at this time.
    Work(Option<Instant>),
    /// For new work, once there are `enough` records, or `patience` after the first of them.
    Group { enough: usize, patience: Duration },
    /// A write has failed: at `at`, or already at `nudged` if a write was refused meanwhile.
    Retry { at: Instant, nudged: Instant },
}

/// The queue. Shared by the submitters, the writer and the snapshot thread.
pub(crate) struct Queue {
    /// Written by submitters (append) and the writer; see the module's head.
    state: Mutex<QueueState>,
    wake: Condvar,
    health: watch::Sender<Health>,
    records: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

struct QueueState {
    pending: Vec<Pending>,
    /// Highest sequence whose submitter may be answered.
    acknowledged: u64,
    waiters: Waiters,
    sync_waiters: Waiters,
    sync_wanted: u64,
    failure: Option<Failure>,
    /// What has stopped beside the log, for good.
    degraded: Option<String>,
    was_nudged: bool,
    is_closing: bool,
    /// Records from which on the writer wants to be woken: each wake costs the one who pushes.
    wake_at: usize,
    /// `sequence` and `durable_sequence` in it are the truth, not copies.
    stats: StoreStats,
}

impl Queue {
    /// A queue behind record `last`, all of which is durable.
    pub(crate) fn new(last: u64, stats: StoreStats) -> Self {
        let stats = StoreStats { sequence: last, durable_sequence: last, ..stats };
        let state = QueueState {
            pending: Vec::new(),
            acknowledged: last,
            waiters: Waiters::default(),
            sync_waiters: Waiters::default(),
            sync_wanted: 0,
            failure: None,
            degraded: None,
            was_nudged: false,
            is_closing: false,
            wake_at: 1,
            stats,
        };
        Self {
            state: Mutex::new(state),
            wake: Condvar::new(),
            health: watch::Sender::new(Health::Ready),
            records: Arc::new(Semaphore::new(QUEUE_RECORDS_MAX as usize)),
            bytes: Arc::new(Semaphore::new(QUEUE_BYTES_MAX as usize)),
        }
    }

    /// Waits for a place for one record of at most `bytes` bytes.
    ///
    /// # Errors
    /// If writes are refused, before or while it waits.
    pub(crate) async fn admit(&self, bytes: u32) -> Result<Admission, StoreError> {
        loop {
            if let Some(refusal) = self.refusal() {
                return Err(refusal);
            }
            tokio::select! {
                biased;
                // Asked again: it may be over already, and then this write is welcome.
                () = self.not_ready() => {}
                admission = self.place(1, bytes) => return admission,
            }
        }
    }

    /// Waits until every record that was let in is in the log, and lets nobody in any more.
    pub(crate) async fn drain(&self) {
        let all = tokio::select! {
            biased;
            // What cannot be written now is not waited for.
            () = self.not_ready() => None,
            all = self.place(QUEUE_RECORDS_MAX, 0) => all.ok(),
        };
        self.records.close();
        self.bytes.close();
        // Only now: whoever stood behind us in the line finds it closed.
        drop(all);
    }

    /// Returns when writes are refused. It gives back the health's lock before it does: whoever
    /// changes the health holds the queue's lock, and takes the health's second.
    async fn not_ready(&self) {
        let mut health = self.health.subscribe();
        let _seen = health.wait_for(|health| !takes_writes(health)).await;
    }

    async fn place(&self, records: u32, bytes: u32) -> Result<Admission, StoreError> {
        let records = Arc::clone(&self.records).acquire_many_owned(records).await;
        let records = records.map_err(|_closed| StoreError::Closed)?;
        let bytes = match bytes {
            0 => None,
            _ => {
                let place = Arc::clone(&self.bytes).acquire_many_owned(bytes).await;
                Some(place.map_err(|_closed| StoreError::Closed)?)
            }
        };
        Ok(Admission { _records: records, _bytes: bytes })
    }

    /// Why writes are refused, if they are. Asking reminds the writer to try again.
    fn refusal(&self) -> Option<StoreError> {
        let refusal = match &*self.health.borrow() {
            Health::Ready | Health::Degraded { .. } => return None,
            Health::ReadOnly { reason, .. } => StoreError::ReadOnly(reason.clone()),
            Health::Closed => StoreError::Closed,
        };
        self.state.lock().was_nudged = true;
        self.wake.notify_all();
        Some(refusal)
    }

    /// Takes the changes of one batch and returns their sequence. Neither blocks nor fails. The
    /// writer hears of them at the next [`Queue::announce`] at the latest.
    pub(crate) fn push(
        &self,
        accepted_ms: i64,
        changes: Vec<Change>,
        admission: Option<Admission>,
    ) -> u64 {
        let mut state = self.state.lock();
        state.stats.sequence += 1;
        let sequence = state.stats.sequence;
        state.pending.push(Pending { sequence, accepted_ms, changes, admission });
        sequence
    }

    /// Wakes the writer if there is enough for it to do.
    pub(crate) fn announce(&self) {
        let state = self.state.lock();
        let is_wanted = state.pending.len() >= state.wake_at;
        drop(state);
        if is_wanted {
            self.wake.notify_all();
        }
    }

    /// Returns when everything up to `sequence` is as durable as was promised.
    ///
    /// # Errors
    /// Why it may never be.
    pub(crate) async fn acknowledged(&self, sequence: u64) -> Verdict {
        let (sender, receiver) = oneshot::channel();
        self.when_acknowledged(sequence, Waiter::Verdict(sender));
        receiver.await.unwrap_or_else(|_gone| Err(CLOSED.to_owned()))
    }

    /// Tells the waiter when everything up to `sequence` is as durable as was promised, or why it
    /// may never be. Does not block.
    pub(crate) fn when_acknowledged(&self, sequence: u64, waiter: Waiter) {
        let verdict = {
            let mut state = self.state.lock();
            match &state.failure {
                _ if state.acknowledged >= sequence => Ok(()),
                Some(failure) => Err(failure.reason.clone()),
                None => return state.waiters.add(sequence, waiter),
            }
        };
        waiter.tell(&verdict);
    }

    /// Returns when everything up to `sequence` is on disk. Blocks; not for async code.
    ///
    /// # Errors
    /// Why it may never be.
    pub(crate) fn make_durable(&self, sequence: u64) -> Verdict {
        let receiver = {
            let mut state = self.state.lock();
            if state.stats.durable_sequence >= sequence {
                return Ok(());
            }
            if let Some(failure) = &state.failure {
                return Err(failure.reason.clone());
            }
            state.sync_wanted = state.sync_wanted.max(sequence);
            let (sender, receiver) = oneshot::channel();
            state.sync_waiters.add(sequence, Waiter::Verdict(sender));
            receiver
        };
        self.wake.notify_all();
        receiver.blocking_recv().unwrap_or_else(|_gone| Err(CLOSED.to_owned()))
    }

    /// The writer's wait for something to do.
    pub(crate) fn next_work(&self, wake: Wake) -> Work {
        let mut state = self.state.lock();
        let mut group_until = None;
        loop {
            let (is_due, until) = match wake {
                Wake::Work(until) => (state.has_work(), until),
                Wake::Group { .. } if !state.has_work() => (false, None),
                Wake::Group { enough, patience } => {
                    state.wake_at = enough;
                    let until = *group_until.get_or_insert_with(|| Instant::now() + patience);
                    (state.pending.len() >= enough || state.is_sync_wanted(), Some(until))
                }
                Wake::Retry { nudged, .. } if state.was_nudged => (false, Some(nudged)),
                Wake::Retry { at, .. } => (false, Some(at)),
            };
            if is_due || state.is_closing {
                break;
            }
            match until {
                None => self.wake.wait(&mut state),
                Some(until) if until <= Instant::now() => break,
                Some(until) => {
                    self.wake.wait_until(&mut state, until);
                }
            }
        }
        state.was_nudged = false;
        state.wake_at = 1;
        Work {
            pending: std::mem::take(&mut state.pending),
            is_sync_wanted: state.is_sync_wanted(),
            is_closing: state.is_closing,
        }
    }

    /// Records up to `sequence` are written; `is_promise` if that is all that was promised.
    pub(crate) fn written(&self, sequence: u64, records: u64, bytes: u64, is_promise: bool) {
        let mut state = self.state.lock();
        state.stats.records += records;
        state.stats.log_bytes += bytes;
        let acknowledged = is_promise.then(|| state.acknowledge(sequence));
        drop(state);
        if let Some(acknowledged) = acknowledged {
            acknowledged.tell(&Ok(()));
        }
    }

    /// Records up to `sequence` are on disk; the fsync took `sync_us` microseconds.
    pub(crate) fn synced(&self, sequence: u64, sync_us: u64) {
        let mut state = self.state.lock();
        state.stats.syncs += 1;
        state.stats.sync_times.add(sync_us);
        state.stats.durable_sequence = sequence;
        let acknowledged = state.acknowledge(sequence);
        let synced = state.sync_waiters.take_up_to(sequence);
        drop(state);
        acknowledged.tell(&Ok(()));
        synced.tell(&Ok(()));
    }

    /// Writes are refused from now on, and nobody is left waiting.
    pub(crate) fn fail(&self, failure: Failure) {
        let mut state = self.state.lock();
        // First: whoever is told that a write failed finds the store read-only.
        let reason = failure.reason.clone();
        self.set_health(Health::ReadOnly { reason, ahead_of_disk: true });
        let verdict = Err(failure.reason.clone());
        state.failure = Some(failure);
        state.sync_wanted = 0;
        std::mem::take(&mut state.waiters).tell(&verdict);
        std::mem::take(&mut state.sync_waiters).tell(&verdict);
    }

    /// Everything that was held back is on disk: writes are taken again.
    pub(crate) fn recover(&self) {
        let mut state = self.state.lock();
        state.failure = None;
        self.set_health(state.well());
    }

    /// Something beside the log has stopped until a restart; writes go on.
    pub(crate) fn degrade(&self, reason: &str) {
        let mut state = self.state.lock();
        state.degraded = Some(reason.to_owned());
        if state.failure.is_none() {
            self.set_health(state.well());
        }
    }

    /// A closed store stays closed.
    fn set_health(&self, new: Health) {
        self.health.send_if_modified(|health| {
            let is_open = *health != Health::Closed;
            if is_open {
                *health = new;
            }
            is_open
        });
    }

    /// Refuses writes for good. What was let in before is still written.
    pub(crate) fn close(&self) {
        let _state = self.state.lock();
        self.health.send_replace(Health::Closed);
    }

    /// Tells the writer to write what is there, and to end.
    pub(crate) fn end_writer(&self) {
        self.state.lock().is_closing = true;
        self.wake.notify_all();
    }

    /// The writer has ended: nobody waits for it any more.
    pub(crate) fn writer_ended(&self) {
        let reason = CLOSED.to_owned();
        let ended = self.state.lock().failure.clone();
        self.fail(ended.unwrap_or(Failure { reason, is_fatal: true }));
    }

    pub(crate) fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    pub(crate) fn health_changes(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    pub(crate) fn stats(&self) -> StoreStats {
        let state = self.state.lock();
        StoreStats { queued: state.stats.sequence - state.acknowledged, ..state.stats }
    }

    /// Changes the counters that are not the queue's own.
    pub(crate) fn update_stats(&self, update: impl FnOnce(&mut StoreStats)) {
        update(&mut self.state.lock().stats);
    }
}

/// For cuts, which only ask; what a batch appends comes with its place in the queue.
impl ChangeSink for Queue {
    fn append(&self, accepted_ms: i64, changes: Vec<Change>) -> u64 {
        let sequence = self.push(accepted_ms, changes, None);
        self.announce();
        sequence
    }

    fn last_sequence(&self) -> u64 {
        self.state.lock().stats.sequence
    }
}

fn takes_writes(health: &Health) -> bool {
    matches!(health, Health::Ready | Health::Degraded { .. })
}

impl QueueState {
    /// The health of a store whose log can be written.
    fn well(&self) -> Health {
        let degraded = |reason: &String| Health::Degraded { reason: reason.clone() };
        self.degraded.as_ref().map_or(Health::Ready, degraded)
    }

    fn is_sync_wanted(&self) -> bool {
        self.sync_wanted > self.stats.durable_sequence
    }

    fn has_work(&self) -> bool {
        !self.pending.is_empty() || self.is_sync_wanted()
    }

    fn acknowledge(&mut self, sequence: u64) -> Waiters {
        self.acknowledged = self.acknowledged.max(sequence);
        self.waiters.take_up_to(sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn queue_of(records: usize) -> Queue {
        let queue = Queue::new(0, StoreStats::default());
        for _ in 0..records {
            queue.push(1, Vec::new(), None);
        }
        queue
    }

    fn taken(queue: &Queue, enough: usize, patience: Duration) -> usize {
        queue.next_work(Wake::Group { enough, patience }).pending.len()
    }

    #[test]
    fn a_group_is_taken_when_it_is_large_enough() {
        assert_eq!(taken(&queue_of(3), 3, HOUR), 3);
        assert_eq!(taken(&queue_of(5), 3, HOUR), 5);
    }

    #[test]
    fn a_group_is_taken_when_nobody_else_comes() {
        assert_eq!(taken(&queue_of(1), 3, Duration::ZERO), 1);
    }

    #[test]
    fn a_writer_that_waits_for_a_group_is_woken_by_its_last_record() {
        let queue = queue_of(1);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| taken(&queue, 3, HOUR));
            queue.push(1, Vec::new(), None);
            queue.push(1, Vec::new(), None);
            queue.announce();
            assert_eq!(writer.join().expect("it does not panic"), 3);
        });
    }

    #[test]
    fn closing_waits_for_no_group() {
        let queue = queue_of(1);
        queue.end_writer();
        assert_eq!(taken(&queue, 3, HOUR), 1);
    }

    #[test]
    fn who_needs_the_disk_now_waits_for_no_group() {
        let queue = queue_of(1);
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| queue.make_durable(1));
            assert_eq!(taken(&queue, 3, HOUR), 1);
            queue.synced(1, 1);
            assert_eq!(asking.join().expect("it does not panic"), Ok(()));
        });
    }
}
