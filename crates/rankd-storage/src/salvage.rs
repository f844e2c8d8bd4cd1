//! Builds a new store from what is intact of a damaged one.
//!
//! Invariant: what it takes is the newest snapshot that can be read and the unbroken run of
//! records after it, never anything behind a gap. The damaged folder is not changed.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::{Change, ChangeSink, Clock, Record, SnapshotReport, State};
use serde::Serialize;

use crate::error::{Action, LayoutError, StorageError};
use crate::fs::Fs;
use crate::head::{StoreId, salt};
use crate::log::active::ActiveLog;
use crate::log::reader::{Position, SegmentReader};
use crate::meter::Meter;
use crate::names::{self, LOCK, Listing};
use crate::recovery::{BEFORE_ALL_RECORDS, needed_segments, random_id, take_lock};
use crate::replay::LogFiles;
use crate::snapshot::load::load;
use crate::snapshot::read::SnapshotReader;
use crate::snapshot::write::Target;

/// What was saved, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SalvageReport {
    /// File name of the snapshot that was built upon; `None`: the log from its first record.
    pub snapshot: Option<String>,
    /// Records that were applied after it.
    pub records: u64,
    /// The new store has everything up to this sequence.
    pub sequence: u64,
    /// Boards in the new store.
    pub boards: u64,
    /// Members in the new store.
    pub members: u64,
    /// What could not be used: which file, where, why.
    pub lost: Vec<String>,
}

/// Writes what is intact in `folder` into `out`, as a store of its own.
///
/// # Errors
/// If `folder` is in use, holds a newer version or nothing usable; if `out` is not empty; what the
/// disk says.
pub fn salvage(
    folder: &Path,
    out: &Path,
    fs: &Arc<dyn Fs>,
    clock: &dyn Clock,
) -> Result<SalvageReport, StorageError> {
    let lock = folder.join(LOCK);
    if fs.is_locked(&lock).map_err(StorageError::io(Action::Lock, &lock))? {
        let owner = names::lock_owner(&**fs, folder);
        return Err(StorageError::Locked { folder: folder.to_path_buf(), owner });
    }
    fs.create_folder(out).map_err(StorageError::io(Action::Create, out))?;
    if !fs.list(out).map_err(StorageError::io(Action::List, out))?.is_empty() {
        return Err(LayoutError::NotEmpty(out.to_path_buf()).into());
    }
    let _lock = take_lock(&**fs, out)?;
    let listing = Listing::read(&**fs, folder)?;
    let source = Source { fs: &**fs, folder, listing: &listing };
    let (state, mut report) = source.rebuild()?;
    let written = write_store(fs, out, clock, &state, report.sequence)?;
    (report.boards, report.members) = (written.boards, written.members);
    Ok(report)
}

/// The log of the new store begins behind its snapshot.
fn write_store(
    fs: &Arc<dyn Fs>,
    out: &Path,
    clock: &dyn Clock,
    state: &Arc<State>,
    sequence: u64,
) -> Result<SnapshotReport, StorageError> {
    let store = random_id()?;
    let cut = state.begin_cut(&At(sequence));
    let cut = cut.map_err(|error| StorageError::Snapshot(error.to_string()))?;
    let target = Target { fs: &**fs, folder: out, store, clock, is_stopped: &|| false };
    let report = target.write(cut)?;
    let start = Position { next: sequence + 1, chain: salt(&store) };
    ActiveLog::create(Arc::clone(fs), out, store, start)?;
    Ok(report)
}

/// Where a log stands that nothing is appended to.
struct At(u64);

impl ChangeSink for At {
    fn append(&self, _accepted_ms: i64, _changes: Vec<Change>) -> u64 {
        unreachable!("a cut changes nothing")
    }

    fn last_sequence(&self) -> u64 {
        self.0
    }
}

/// The damaged folder.
struct Source<'a> {
    fs: &'a dyn Fs,
    folder: &'a Path,
    listing: &'a Listing,
}

/// How far replay came.
#[derive(Default)]
struct Reached {
    sequence: u64,
    records: u64,
    /// A record that could not be applied, and may have been applied in part.
    unfit: Option<u64>,
}

impl Source<'_> {
    fn rebuild(&self) -> Result<(Arc<State>, SalvageReport), StorageError> {
        let mut until = u64::MAX;
        loop {
            let state = State::new();
            let (report, reached) = self.rebuild_until(&state, until)?;
            match reached.unfit {
                // Again, without the record that did not fit.
                Some(unfit) if until == u64::MAX => until = unfit - 1,
                _ => return Ok((state, report)),
            }
        }
    }

    fn rebuild_until(
        &self,
        state: &State,
        until: u64,
    ) -> Result<(SalvageReport, Reached), StorageError> {
        let mut report = SalvageReport::default();
        let own = self.own_store()?;
        let base = self.load_newest(state, own.as_ref(), &mut report.lost)?;
        if let Some((sequence, _)) = base {
            report.snapshot = Some(names::snapshot(sequence));
        }
        let from = base.map_or(BEFORE_ALL_RECORDS, |(sequence, _)| sequence);
        let mut reached = Reached { sequence: from, ..Reached::default() };
        match needed_segments(self.listing, from) {
            Ok(segments) => {
                let store = base.map(|(_, store)| store);
                self.replay(segments, store, until, state, &mut reached, &mut report.lost)?;
            }
            Err(gap) if base.is_some() => report.lost.push(gap.to_string()),
            Err(gap) => return Err(gap.into()),
        }
        report.sequence = reached.sequence;
        report.records = reached.records;
        Ok((report, reached))
    }

    /// Whose folder this is: the log says so, if any of its segments can be opened.
    fn own_store(&self) -> Result<Option<StoreId>, StorageError> {
        for first in &self.listing.segments {
            match SegmentReader::open(self.fs, self.folder, *first, None) {
                Ok(reader) => return Ok(Some(reader.head().store)),
                Err(StorageError::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Loads the newest snapshot that can be loaded. Its sequence and store.
    fn load_newest(
        &self,
        state: &State,
        own: Option<&StoreId>,
        lost: &mut Vec<String>,
    ) -> Result<Option<(u64, StoreId)>, StorageError> {
        let tell = &mut |_| {};
        let mut meter = Meter::new(0, tell);
        for sequence in self.listing.snapshots.iter().rev() {
            let open = || SnapshotReader::open(self.fs, self.folder, *sequence, own);
            // Checked before it is loaded: a state that is half full could not be used again.
            let checked = open().and_then(|reader| reader.verify(&mut meter));
            match checked.and_then(|_good| open()) {
                Ok(reader) => {
                    let store = reader.head().store;
                    load(reader, state, &mut meter)?;
                    return Ok(Some((*sequence, store)));
                }
                Err(error @ StorageError::Damaged { .. }) => lost.push(error.one_line()),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Applies what is unbroken, and notes why it ended.
    fn replay(
        &self,
        segments: &[u64],
        store: Option<StoreId>,
        until: u64,
        state: &State,
        reached: &mut Reached,
        lost: &mut Vec<String>,
    ) -> Result<(), StorageError> {
        let store = match (store, segments.first()) {
            (Some(store), _) => store,
            (None, Some(first)) => {
                SegmentReader::open(self.fs, self.folder, *first, None)?.head().store
            }
            (None, None) => return Ok(()),
        };
        let mut apply = |record: &Record| {
            if record.sequence <= reached.sequence || record.sequence > until {
                return Ok(());
            }
            state.apply(record).map_err(|error| {
                reached.unfit = Some(record.sequence);
                error.to_string()
            })?;
            reached.sequence = record.sequence;
            reached.records += 1;
            Ok(())
        };
        let files = LogFiles { fs: self.fs, folder: self.folder, store: &store };
        let tell = &mut |_| {};
        match files.replay(segments, &mut Meter::new(0, tell), &mut apply) {
            Ok(end) => {
                if let Some((bytes, damage)) = end.and_then(|end| end.torn) {
                    lost.push(format!("{bytes} bytes at the end of the log: {damage}"));
                }
            }
            Err(error @ StorageError::Damaged { .. }) => {
                lost.push(format!("{}; nothing behind it was used", error.one_line()));
            }
            Err(error) => return Err(error),
        }
        if until < u64::MAX {
            lost.push(format!("record {} and everything after it does not fit", until + 1));
        }
        Ok(())
    }
}
