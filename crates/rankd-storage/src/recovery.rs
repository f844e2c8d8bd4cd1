//! From a data folder to a state: the newest good snapshot, then the log after it.
//!
//! Invariant: nothing on disk is changed before everything that is needed has been read and found
//! good, and every change may be cut short and done again. Only what a start removes anyway goes
//! earlier: unfinished files, once no file turned out to be of a newer version.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::{Record, SnapshotReport, State};

use crate::error::{Action, Damage, LayoutError, StorageError};
use crate::fs::{Fs, FsLock, read_exact_at, write_all_at};
use crate::head::{StoreId, salt};
use crate::limits::{FORMAT_VERSION, READ_BYTES};
use crate::log::active::ActiveLog;
use crate::log::reader::{Position, SegmentReader};
use crate::log::tail;
use crate::meter::{Meter, Progress};
use crate::names::{self, Listing};
use crate::replay::{LogEnd, LogFiles};
use crate::snapshot::load::load;
use crate::snapshot::read::SnapshotReader;

/// What opening a store came to. Worth a line in the log of whoever opened it; torn tails and
/// skipped snapshots are worth a loud one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The store was made just now.
    pub is_new: bool,
    /// Sequence of the last record.
    pub sequence: u64,
    /// The snapshot that was loaded.
    pub snapshot: Option<SnapshotReport>,
    /// Newer snapshots that are damaged: file name and reason. The log made up for them.
    pub skipped_snapshots: Vec<(String, String)>,
    /// Log records that were applied after the snapshot.
    pub records: u64,
    /// What was cut off the end of the log.
    pub torn_tail: Option<TornTail>,
    /// Unfinished files that were removed.
    pub removed: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// The end of the log that could not be read: a write that was cut short, by a kill or by the
/// power, or records of the last fsync that were damaged later. The files cannot tell which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The segment's file name.
    pub file: String,
    /// Where it was cut, in bytes.
    pub offset: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
    /// Name of the file that they were copied to.
    pub copy: String,
    /// What was wrong with them.
    pub reason: String,
}

/// What the store goes on with.
pub(crate) struct Recovered {
    pub(crate) log: ActiveLog,
    pub(crate) store: StoreId,
    pub(crate) report: OpenReport,
    pub(crate) segments: u64,
    /// Bytes of the segments that were read: the log since the snapshot, roughly.
    pub(crate) log_bytes: u64,
    pub(crate) snapshot_at_ms: i64,
}

/// What is to be recovered, and into what.
pub(crate) struct Recovery<'a> {
    pub(crate) fs: &'a Arc<dyn Fs>,
    pub(crate) folder: &'a Path,
    pub(crate) state: &'a State,
    /// Identity of the store if there is none yet; drawn at random if `None`.
    pub(crate) store_id: Option<StoreId>,
}

impl Recovery<'_> {
    /// Recovers, or makes a new store in an empty folder.
    ///
    /// # Errors
    /// What the disk says; damage; files that do not fit together.
    pub(crate) fn run(&self, tell: &mut dyn FnMut(Progress)) -> Result<Recovered, StorageError> {
        let listing = Listing::read(&**self.fs, self.folder)?;
        let store = check_heads(&**self.fs, self.folder, &listing)?;
        let removed = self.remove_temporaries(&listing)?;
        let mut recovered = match store {
            Some(store) => self.existing(&listing, store, tell)?,
            None => self.create()?,
        };
        recovered.report.removed = removed;
        Ok(recovered)
    }

    fn remove_temporaries(&self, listing: &Listing) -> Result<Vec<String>, StorageError> {
        for name in &listing.temporaries {
            let path = self.folder.join(name);
            self.fs.remove(&path).map_err(StorageError::io(Action::Remove, &path))?;
        }
        let unfinished = listing.temporaries.iter().filter(|name| !names::is_spare(name));
        Ok(unfinished.cloned().collect())
    }

    fn create(&self) -> Result<Recovered, StorageError> {
        let store = match self.store_id {
            Some(store) => store,
            None => random_id()?,
        };
        let start = Position { next: 1, chain: salt(&store) };
        let log = ActiveLog::create(Arc::clone(self.fs), self.folder, store, start)?;
        let report = OpenReport { is_new: true, ..OpenReport::default() };
        Ok(Recovered { log, store, report, segments: 1, log_bytes: 0, snapshot_at_ms: 0 })
    }

    fn existing(
        &self,
        listing: &Listing,
        store: StoreId,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Recovered, StorageError> {
        let mut report = OpenReport::default();
        let snapshot = choose_snapshot(&**self.fs, self.folder, &store, listing, &mut report)?;
        let base = snapshot.unwrap_or(BEFORE_ALL_RECORDS);
        let segments = needed_segments(listing, base)?;
        let files = LogFiles { fs: &**self.fs, folder: self.folder, store: &store };
        let log_bytes = self.bytes_of(segments)?;
        let snapshot_bytes = report.snapshot.as_ref().map_or(0, |snapshot| snapshot.bytes);
        let mut meter = Meter::new(snapshot_bytes + log_bytes, tell);
        let snapshot_at_ms = self.load(snapshot, &store, &mut meter)?;
        let mut apply = |record: &Record| {
            if record.sequence <= base {
                return Ok(());
            }
            report.records += 1;
            self.state.apply(record).map_err(|error| error.to_string())
        };
        let end = files.replay(segments, &mut meter, &mut apply)?;
        let end = end.expect("at least one segment is needed");
        meter.finish();
        check_reaches(listing, &end)?;
        report.sequence = end.position.next - 1;
        report.torn_tail = self.cut_torn_tail(&end)?;
        self.write_again(&end)?;
        // Whoever gave the last segment its name may have been killed before that was durable.
        let synced = self.fs.sync_folder(self.folder);
        synced.map_err(StorageError::io(Action::Sync, self.folder))?;
        let log = self.go_on(store, &end)?;
        let is_begun = end.version < FORMAT_VERSION && end.position.next > end.first;
        let segments = listing.segments.len() as u64 + u64::from(is_begun);
        Ok(Recovered { log, store, report, segments, log_bytes, snapshot_at_ms })
    }

    /// Opens the log's end for writing. What this version writes does not go into a segment of an
    /// older one: a new segment is begun, in place of the old one if that has no record.
    fn go_on(&self, store: StoreId, end: &LogEnd) -> Result<ActiveLog, StorageError> {
        let LogEnd { first, version, offset, position, .. } = *end;
        let fs = Arc::clone(self.fs);
        if version < FORMAT_VERSION {
            return ActiveLog::create(fs, self.folder, store, position);
        }
        ActiveLog::resume(fs, self.folder, store, first, offset, position)
    }

    fn bytes_of(&self, segments: &[u64]) -> Result<u64, StorageError> {
        let mut bytes = 0;
        for first in segments {
            let path = self.folder.join(names::segment(*first));
            let file = self.fs.open(&path, false).map_err(StorageError::io(Action::Open, &path))?;
            bytes += file.len().map_err(StorageError::io(Action::Measure, &path))?;
        }
        Ok(bytes)
    }

    /// Loads the snapshot, if there is one, and returns when it was finished.
    fn load(
        &self,
        snapshot: Option<u64>,
        store: &StoreId,
        meter: &mut Meter<'_>,
    ) -> Result<i64, StorageError> {
        let Some(sequence) = snapshot else { return Ok(0) };
        let reader = SnapshotReader::open(&**self.fs, self.folder, sequence, Some(store))?;
        load(reader, self.state, meter)
    }

    fn cut_torn_tail(&self, end: &LogEnd) -> Result<Option<TornTail>, StorageError> {
        let Some((bytes, damage)) = &end.torn else { return Ok(None) };
        let copy = tail::copy_aside(&**self.fs, self.folder, end.first, end.offset)?;
        let file = names::segment(end.first);
        let path = self.folder.join(&file);
        let segment = self.fs.open(&path, true).map_err(StorageError::io(Action::Open, &path))?;
        segment.truncate(end.offset).map_err(StorageError::io(Action::Truncate, &path))?;
        segment.sync().map_err(StorageError::io(Action::Sync, &path))?;
        let reason = damage.to_string();
        Ok(Some(TornTail { file, offset: end.offset, bytes: *bytes, copy, reason }))
    }

    /// Writes what may be only in the page cache once more, in place, and makes it durable: after
    /// a failed fsync the cache holds pages that it will never write by itself.
    fn write_again(&self, end: &LogEnd) -> Result<(), StorageError> {
        if end.unproven == end.offset {
            return Ok(());
        }
        let path = self.folder.join(names::segment(end.first));
        let file = self.fs.open(&path, true).map_err(StorageError::io(Action::Open, &path))?;
        let mut buffer = vec![0; READ_BYTES];
        let mut at = end.unproven;
        while at < end.offset {
            let count = usize::try_from(end.offset - at).unwrap_or(usize::MAX).min(READ_BYTES);
            buffer.truncate(count);
            read_exact_at(&*file, &mut buffer, at)
                .map_err(StorageError::io(Action::Read, &path))?;
            write_all_at(&*file, &buffer, at).map_err(StorageError::io(Action::Write, &path))?;
            at += count as u64;
        }
        file.sync().map_err(StorageError::io(Action::Sync, &path))
    }
}

/// The sequence of a state without any record; the first record is 1.
pub(crate) const BEFORE_ALL_RECORDS: u64 = 0;

/// A new store's identity.
///
/// # Errors
/// If the system has no random bytes.
pub(crate) fn random_id() -> Result<StoreId, StorageError> {
    let mut id = StoreId::default();
    getrandom::fill(&mut id).map_err(|error| StorageError::System {
        what: "random bytes",
        reason: error.to_string(),
    })?;
    Ok(id)
}

/// Reads every file's head, so that nothing is touched if one is of a newer version. Returns the
/// store's identity; `None`: there is no store here yet.
///
/// # Errors
/// A newer version; a damaged segment head; a file of another store; snapshots without a log.
pub(crate) fn check_heads(
    fs: &dyn Fs,
    folder: &Path,
    listing: &Listing,
) -> Result<Option<StoreId>, StorageError> {
    let mut snapshots = Vec::new();
    for sequence in &listing.snapshots {
        match SnapshotReader::open(fs, folder, *sequence, None) {
            Ok(reader) => snapshots.push((*sequence, reader.head().store)),
            // A damaged snapshot may be made up for; that is decided later.
            Err(StorageError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let mut store = None;
    for first in &listing.segments {
        let reader = SegmentReader::open(fs, folder, *first, store.as_ref())?;
        store = Some(reader.head().store);
    }
    match (store, listing.snapshots.last()) {
        (None, Some(newest)) => Err(LayoutError::NoLog(names::snapshot(*newest)).into()),
        // A good head of another store: nobody knows whose records these are.
        (Some(store), _) => match snapshots.iter().find(|(_, id)| *id != store) {
            Some((foreign, _)) => {
                Err(StorageError::damaged(&names::snapshot(*foreign), 0, Damage::Foreign))
            }
            None => Ok(Some(store)),
        },
        (None, None) => Ok(None),
    }
}

/// Finds the newest good snapshot and puts it into the report, with the ones that are not good.
/// Returns its sequence; `None` if the log has everything from its first record.
///
/// # Errors
/// What the disk says; that no snapshot is good and the log does not begin at the beginning.
pub(crate) fn choose_snapshot(
    fs: &dyn Fs,
    folder: &Path,
    store: &StoreId,
    listing: &Listing,
    report: &mut OpenReport,
) -> Result<Option<u64>, StorageError> {
    let tell = &mut |_| {};
    for sequence in listing.snapshots.iter().rev() {
        let mut meter = Meter::new(0, tell);
        let opened = SnapshotReader::open(fs, folder, *sequence, Some(store));
        match opened.and_then(|reader| reader.verify(&mut meter)) {
            Ok(found) => {
                report.snapshot = Some(found);
                return Ok(Some(*sequence));
            }
            Err(error @ StorageError::Damaged { .. }) => {
                report.skipped_snapshots.push((names::snapshot(*sequence), error.one_line()));
            }
            Err(error) => return Err(error),
        }
    }
    match (listing.segments.first(), report.skipped_snapshots.first()) {
        (Some(first), Some((_, newest))) if *first > 1 => {
            Err(LayoutError::NoSnapshot { first: *first, newest: newest.clone() }.into())
        }
        _ => Ok(None),
    }
}

/// The segments with records after `base`, and the one that has `base` itself.
///
/// # Errors
/// If the log begins later than that, or there is none.
pub(crate) fn needed_segments(listing: &Listing, base: u64) -> Result<&[u64], LayoutError> {
    // A name can say the last of all numbers; then no log reaches it, and that is found later.
    let next = base.saturating_add(1);
    let start = listing.segments.partition_point(|first| *first <= next);
    match start.checked_sub(1).and_then(|start| listing.segments.get(start..)) {
        Some(segments) => Ok(segments),
        None => Err(log_begins_late(listing, next)),
    }
}

/// Why a log that has no segment at or before `next` cannot be used.
fn log_begins_late(listing: &Listing, next: u64) -> LayoutError {
    match (listing.segments.first(), listing.snapshots.last()) {
        (Some(first), _) => {
            let why = format!("the log begins with record {first}");
            LayoutError::Missing { first: next, last: first.saturating_sub(1), why }
        }
        (None, Some(newest)) => LayoutError::NoLog(names::snapshot(*newest)),
        (None, None) => LayoutError::Nothing,
    }
}

/// A snapshot is given its name only when the log is durable up to it.
///
/// # Errors
/// If the log ends earlier.
pub(crate) fn check_reaches(listing: &Listing, end: &LogEnd) -> Result<(), LayoutError> {
    let next = end.position.next;
    match listing.snapshots.last() {
        Some(newest) if *newest >= next => {
            let why = format!("the log ends before {} begins", names::snapshot(*newest));
            Err(LayoutError::Missing { first: next, last: *newest, why })
        }
        _ => Ok(()),
    }
}

/// Makes this process the only one in the folder.
///
/// # Errors
/// What the disk says; that another process has it.
pub(crate) fn take_lock(fs: &dyn Fs, folder: &Path) -> Result<Box<dyn FsLock>, StorageError> {
    let path = folder.join(names::LOCK);
    let owner = std::process::id().to_string();
    let lock = fs.lock(&path, &owner).map_err(StorageError::io(Action::Lock, &path))?;
    lock.ok_or_else(|| StorageError::Locked {
        folder: folder.to_path_buf(),
        owner: names::lock_owner(fs, folder),
    })
}
