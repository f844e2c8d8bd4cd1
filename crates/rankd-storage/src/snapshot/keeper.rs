//! The thread that writes snapshots and removes what they make superfluous.
//!
//! Invariant: a file is removed only after two newer-or-equal good snapshots are durable under
//! their names, and a segment only if the older of them covers it entirely. A panic ends the thread
//! and not the store: writes go on, every later request is told why there are no snapshots, and the
//! store's health says so.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rankd_engine::{Clock, SnapshotReport, State, StoreError};

use crate::error::{Action, StorageError};
use crate::fs::Fs;
use crate::head::StoreId;
use crate::limits::{SNAPSHOT_TELL_MS, SNAPSHOTS_KEPT};
use crate::log::queue::Queue;
use crate::names::{self, Listing};
use crate::snapshot::desk::{Desk, Reason};
use crate::snapshot::write::Target;

/// What the keeper works with.
pub(crate) struct Keeper {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) folder: PathBuf,
    pub(crate) store: StoreId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) state: Arc<State>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) desk: Arc<Desk>,
    /// Snapshots that were written or checked since the start, ascending.
    pub(crate) good: Vec<SnapshotReport>,
    /// Name of the file of the snapshot that was superseded last: the next one is written over it.
    pub(crate) spare: Option<String>,
}

/// What is answered after a panic.
const PANICKED: &str =
    "the snapshot thread has panicked, and the log grows until a restart; nothing is lost";

/// Closes the desk however the thread ends, so that nobody waits for it forever.
struct EndGuard(Arc<Desk>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Where the progress of the present snapshot is told: the metrics, and now and then the log.
struct Told<'a> {
    desk: &'a Desk,
    members: u64,
    last: Cell<Instant>,
}

impl Told<'_> {
    fn tell(&self, done: u64) {
        self.desk.tell_progress(done, self.members);
        if self.last.get().elapsed() >= Duration::from_millis(SNAPSHOT_TELL_MS) {
            self.last.set(Instant::now());
            tracing::info!(done, members = self.members, "writing a snapshot");
        }
    }
}

impl Keeper {
    /// Serves requests until the desk is closed.
    pub(crate) fn run(mut self) {
        let desk = Arc::clone(&self.desk);
        let _guard = EndGuard(Arc::clone(&desk));
        while let Some((reason, waiters)) = desk.next() {
            // After a panic, nothing of the keeper is used any more.
            let taken = catch_unwind(AssertUnwindSafe(|| self.take(reason)));
            desk.tell_progress(0, 0);
            let has_panicked = taken.is_err();
            if has_panicked {
                // First: whoever is told finds it in the store's health.
                self.queue.degrade(PANICKED);
                desk.fail(PANICKED);
            }
            let taken = taken.map_or_else(
                |_panic| Err(PANICKED.to_owned()),
                |taken| taken.map_err(|error| error.one_line()),
            );
            if let Err(error) = &taken {
                tracing::error!(error, "the snapshot failed; nothing is lost");
                self.queue.update_stats(|stats| {
                    stats.snapshots_failed += 1;
                    stats.snapshot_last_failed = true;
                });
            }
            for waiter in waiters {
                let _gone = waiter.send(taken.clone().map_err(StoreError::Snapshot));
            }
            if has_panicked {
                return;
            }
        }
    }

    fn count(&self, report: &SnapshotReport) {
        let SnapshotReport { sequence, members, bytes, duration_ms, .. } = report;
        tracing::info!(sequence, members, bytes, duration_ms, "snapshot written");
        let now_ms = self.clock.now_ms();
        self.queue.update_stats(|stats| {
            stats.snapshots += 1;
            stats.snapshot_sequence = report.sequence;
            stats.snapshot_at_ms = now_ms;
            stats.snapshot_bytes = report.bytes;
            stats.snapshot_ms = report.duration_ms;
            stats.snapshot_last_failed = false;
        });
    }

    fn take(&mut self, reason: Reason) -> Result<SnapshotReport, StorageError> {
        let cut = self.state.begin_cut(&*self.queue);
        let cut = cut.map_err(|error| StorageError::Snapshot(error.to_string()))?;
        if let Some(newest) = self.good.last().filter(|newest| newest.sequence == cut.sequence()) {
            return Ok(newest.clone());
        }
        let members = self.state.totals().members;
        let (sequence, reason) = (cut.sequence(), reason.name());
        tracing::info!(sequence, members, reason, "snapshot begun");
        self.desk.tell_progress(0, members);
        // A snapshot must never be ahead of the log: what comes after it in the log would not fit.
        let durable = self.queue.make_durable(cut.sequence());
        durable.map_err(StorageError::Snapshot)?;
        let told = Told { desk: &self.desk, members, last: Cell::new(Instant::now()) };
        let target = Target {
            fs: &*self.fs,
            folder: &self.folder,
            store: self.store,
            spare: self.spare.take(),
            clock: &*self.clock,
            is_stopped: &|| self.desk.is_ending(),
            tell: &|done| told.tell(done),
        };
        let report = target.write(cut)?;
        self.count(&report);
        self.good.push(report.clone());
        let surplus = self.good.len().saturating_sub(SNAPSHOTS_KEPT);
        self.good.drain(..surplus);
        if let Err(error) = self.prune() {
            let error = error.one_line();
            tracing::warn!(error, "old files could not be removed; the next snapshot tries again");
        }
        Ok(report)
    }

    /// Removes snapshots that are not among the good ones, but for one that is kept as a spare
    /// file, and segments that they all cover.
    fn prune(&mut self) -> Result<(), StorageError> {
        let listing = Listing::read(&*self.fs, &self.folder)?;
        let [older, newer] = self.good.as_slice() else {
            return Ok(());
        };
        let covered = listing.segments.windows(2).filter_map(|pair| match pair {
            [first, next] if *next <= older.sequence + 1 => Some(names::segment(*first)),
            _ => None,
        });
        let kept = [older.sequence, newer.sequence];
        let superseded = listing.snapshots.iter().filter(|sequence| !kept.contains(sequence));
        let mut spare = None;
        for sequence in superseded {
            let name = names::snapshot(*sequence);
            // Somebody may have made a hard link to it, as a copy.
            let is_ours = self.fs.has_one_name(&self.folder.join(&name)).unwrap_or(false);
            match spare {
                None if is_ours => spare = Some(self.set_aside(&name)?),
                _ => self.remove(&name)?,
            }
        }
        for name in covered {
            self.remove(&name)?;
            self.queue.update_stats(|stats| stats.segments -= 1);
        }
        let synced = self.fs.sync_folder(&self.folder);
        synced.map_err(StorageError::io(Action::Sync, &self.folder))?;
        // Only now: written over and back under its old name after a power cut, it would be damage.
        self.spare = spare;
        Ok(())
    }

    /// Makes a snapshot a spare file. Returns the name that it has now.
    fn set_aside(&self, name: &str) -> Result<String, StorageError> {
        let (path, spare) = (self.folder.join(name), names::spare(name));
        let renamed = self.fs.rename(&path, &self.folder.join(&spare));
        renamed.map_err(StorageError::io(Action::Rename, &path))?;
        Ok(spare)
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        let path = self.folder.join(name);
        self.fs.remove(&path).map_err(StorageError::io(Action::Remove, &path))
    }
}
