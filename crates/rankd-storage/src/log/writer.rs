//! The thread that writes the log: takes what waits, writes it with one call, makes it durable
//! with one fsync, answers everybody.
//!
//! Invariants: records reach the file in the order of their sequences, each exactly once; after a
//! failed fsync nothing is written any more; after a failed write the same bytes are written
//! again, at the same place, before any others. Cost: one write and at most one fsync a group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::limits::{GROUP_RECORDS_MIN, GROUP_WAIT_US_MAX, RETRY_MS_MAX, RETRY_MS_MIN};
use crate::log::active::{ActiveLog, Failure};
use crate::log::group::Group;
use crate::log::queue::{Admission, Queue, Wake, Work};
use crate::options::Durability;
use crate::snapshot::desk::Desk;

/// What the writer works with.
pub(crate) struct Writer {
    queue: Arc<Queue>,
    desk: Arc<Desk>,
    log: ActiveLog,
    group: Group,
    salt: u32,
    durable: u64,
    durability: Durability,
    segment_bytes: u64,
    unsynced_since: Option<Instant>,
    retry: Option<Retry>,
    /// Records of the last two groups, and how long the last fsync took.
    groups: [u64; 2],
    last_sync: Duration,
    /// Places in the queue of what is written and not answered yet. After a failure they are
    /// given back only when writes are refused already.
    places: Vec<Admission>,
}

/// The pause after a write that failed.
#[derive(Debug, Clone, Copy)]
struct Retry {
    failed_at: Instant,
    pause_ms: u64,
}

/// Tells the queue if the thread ends in a panic: nobody may wait for it forever.
struct PoisonGuard(Arc<Queue>);

impl Drop for PoisonGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let reason = "the log writer has panicked; restart to go on".to_owned();
            self.0.fail(Failure { reason, is_fatal: true });
        }
    }
}

impl Writer {
    /// A writer for a log all of which is durable.
    pub(crate) fn new(
        queue: Arc<Queue>,
        desk: Arc<Desk>,
        log: ActiveLog,
        salt: u32,
        durability: Durability,
        segment_bytes: u64,
    ) -> Self {
        let end = log.end();
        Self {
            queue,
            desk,
            log,
            group: Group::new(end),
            salt,
            durable: end.next - 1,
            durability,
            segment_bytes,
            unsynced_since: None,
            retry: None,
            groups: [0; 2],
            last_sync: Duration::ZERO,
            places: Vec::new(),
        }
    }

    /// Works until it is told to end.
    ///
    /// # Errors
    /// Why the last records are not on disk.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let _guard = PoisonGuard(Arc::clone(&self.queue));
        let ended = loop {
            let work = self.queue.next_work(self.wake());
            let is_closing = work.is_closing;
            let turned = self.turn(work);
            if let Err(failure) = &turned {
                self.report(failure);
            }
            let is_fatal = turned.as_ref().is_err_and(|failure| failure.is_fatal);
            if is_closing || is_fatal {
                break turned;
            }
        };
        self.queue.writer_ended();
        ended
    }

    fn wake(&self) -> Wake {
        if let Some(Retry { failed_at, pause_ms }) = self.retry {
            let after = |ms| failed_at + Duration::from_millis(ms);
            return Wake::Retry { at: after(pause_ms), nudged: after(RETRY_MS_MIN) };
        }
        match self.durability {
            Durability::Always => self.wake_for_group(),
            Durability::Interval(ms) => {
                Wake::Work(self.unsynced_since.map(|since| since + Duration::from_millis(ms)))
            }
            Durability::Os => Wake::Work(None),
        }
    }

    /// Who was answered just now writes again soon. Without waiting for them, the first of them
    /// gets an fsync to itself while all others queue for the next one.
    fn wake_for_group(&self) -> Wake {
        let enough: u64 = self.groups.iter().sum();
        if enough < GROUP_RECORDS_MIN {
            return Wake::Work(None);
        }
        let patience = self.last_sync.min(Duration::from_micros(GROUP_WAIT_US_MAX));
        Wake::Group { enough: usize::try_from(enough).unwrap_or(usize::MAX), patience }
    }

    fn turn(&mut self, work: Work) -> Result<(), Failure> {
        for pending in work.pending {
            let added = self.group.add(self.salt, self.durable, pending);
            added.map_err(|damage| Failure { reason: damage.to_string(), is_fatal: true })?;
        }
        self.write_group()?;
        if work.is_sync_wanted || work.is_closing || self.is_sync_due() {
            self.sync()?;
        }
        self.places.clear();
        if self.retry.take().is_some() {
            tracing::info!("the log is writable again; nothing was lost");
            self.queue.recover();
        }
        Ok(())
    }

    /// Writes what there is.
    fn write_group(&mut self) -> Result<(), Failure> {
        if self.group.is_empty() {
            return Ok(());
        }
        if self.log.offset() >= self.segment_bytes {
            self.rotate()?;
        }
        self.log.append(self.group.bytes(), self.group.end())?;
        let bytes = self.group.bytes().len() as u64;
        let records = self.group.records();
        self.groups = [records, self.groups[0]];
        self.places.append(&mut self.group.take());
        self.unsynced_since.get_or_insert_with(Instant::now);
        let is_promise = self.durability != Durability::Always;
        self.queue.written(self.log.end().next - 1, records, bytes, is_promise);
        if !self.desk.logged(bytes) {
            tracing::error!("a snapshot is due and none can be taken: restart to go on");
            self.queue.update_stats(|stats| stats.snapshots_failed += 1);
        }
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), Failure> {
        if self.unsynced_since.is_some() {
            self.sync()?;
        }
        self.log.rotate()?;
        self.queue.update_stats(|stats| stats.segments += 1);
        Ok(())
    }

    fn is_sync_due(&self) -> bool {
        let Some(since) = self.unsynced_since else { return false };
        let is_due = match self.durability {
            Durability::Always => true,
            Durability::Interval(ms) => since.elapsed() >= Duration::from_millis(ms),
            Durability::Os => false,
        };
        // A disk that has just failed has to prove itself before writes are taken again.
        is_due || self.retry.is_some()
    }

    fn sync(&mut self) -> Result<(), Failure> {
        if self.unsynced_since.is_none() {
            return Ok(());
        }
        let begun = Instant::now();
        self.log.sync()?;
        self.unsynced_since = None;
        self.durable = self.log.end().next - 1;
        self.last_sync = begun.elapsed();
        let sync_us = u64::try_from(self.last_sync.as_micros()).unwrap_or(u64::MAX);
        self.queue.synced(self.durable, sync_us);
        Ok(())
    }

    /// Refuses writes, and plans the next attempt.
    fn report(&mut self, failure: &Failure) {
        let pause_ms = match self.retry {
            None => RETRY_MS_MIN,
            Some(retry) => (retry.pause_ms * 2).min(RETRY_MS_MAX),
        };
        self.retry = Some(Retry { failed_at: Instant::now(), pause_ms });
        let (reason, is_fatal) = (&failure.reason, failure.is_fatal);
        tracing::error!(reason, is_fatal, "the log cannot be written; writes are refused");
        self.queue.fail(failure.clone());
    }
}
