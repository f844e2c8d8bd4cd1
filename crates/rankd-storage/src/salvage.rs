//! Builds a new store from what is intact of a damaged one.
//!
//! Invariant: what it takes is the newest snapshot that can be read and the unbroken run of
//! records after it, never anything behind a gap; damage to records that the snapshot covers is
//! passed over (docs/storage-format.md has the rule). The damaged folder is not changed.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::{Change, ChangeSink, Clock, Record, State, Totals};
use serde::Serialize;

use crate::error::{Action, LayoutError, StorageError};
use crate::fs::{Fs, FsLock};
use crate::harvest::{Harvest, Unfit};
use crate::head::{StoreId, salt};
use crate::log::active::ActiveLog;
use crate::log::reader::{Position, SegmentReader};
use crate::meter::Meter;
use crate::names::{self, LOCK, Listing};
use crate::recovery::{BEFORE_ALL_RECORDS, needed_segments, random_id, take_lock};
use crate::replay::{Apply, LogFiles};
use crate::snapshot::load::load;
use crate::snapshot::read::SnapshotReader;
use crate::snapshot::write::Target;
use crate::survivors::walk;

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
    /// Organisations in the new store.
    pub orgs: u64,
    /// Users of organisations in the new store.
    pub users: u64,
    /// Activities in the new store.
    pub activities: u64,
    /// What could not be used: which file, where, why; and how many undamaged records, from which
    /// sequence on. At most [`crate::limits::SALVAGE_LINES_MAX`] findings.
    pub lost: Vec<String>,
    /// What is damaged without anything being lost by it. As many at most.
    pub harmless: Vec<String>,
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
    let _lock = take_empty(&**fs, out)?;
    let listing = Listing::read(&**fs, folder)?;
    let source = Source { fs: &**fs, folder, listing: &listing };
    let (state, report) = source.rebuild()?;
    write_store(fs, out, clock, &state, report.sequence)?;
    let Totals { boards, members, orgs, users, activities, .. } = state.totals();
    Ok(SalvageReport { boards, members, orgs, users, activities, ..report })
}

/// Makes a folder for a new store, and this process the only one in it.
///
/// # Errors
/// If there is anything in it; what the disk says.
pub(crate) fn take_empty(fs: &dyn Fs, out: &Path) -> Result<Box<dyn FsLock>, StorageError> {
    fs.create_folder(out).map_err(StorageError::io(Action::Create, out))?;
    if !fs.list(out).map_err(StorageError::io(Action::List, out))?.is_empty() {
        return Err(LayoutError::NotEmpty(out.to_path_buf()).into());
    }
    take_lock(fs, out)
}

/// Writes the state as a store of its own, whose log begins behind its snapshot.
///
/// # Errors
/// What the disk says.
pub(crate) fn write_store(
    fs: &Arc<dyn Fs>,
    out: &Path,
    clock: &dyn Clock,
    state: &Arc<State>,
    sequence: u64,
) -> Result<(), StorageError> {
    let store = random_id()?;
    let cut = state.begin_cut(&At(sequence));
    let cut = cut.map_err(|error| StorageError::Snapshot(error.to_string()))?;
    let target = Target {
        fs: &**fs,
        folder: out,
        store,
        spare: None,
        clock,
        is_stopped: &|| false,
        tell: &|_| {},
    };
    target.write(cut)?;
    let start = Position { next: sequence + 1, chain: salt(&store) };
    ActiveLog::create(Arc::clone(fs), out, store, start)?;
    Ok(())
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

/// What a salvage would take and lose, as far as that shows without applying the records.
///
/// # Errors
/// As [`salvage`].
pub(crate) fn preview(
    fs: &dyn Fs,
    folder: &Path,
    listing: &Listing,
) -> Result<SalvageReport, StorageError> {
    let source = Source { fs, folder, listing };
    let base = source.find_base()?;
    let harvest = source.harvest(&base, None, &mut |_| Ok(()))?;
    Ok(harvest.into_report(base.snapshot()))
}

/// The damaged folder.
struct Source<'a> {
    fs: &'a dyn Fs,
    folder: &'a Path,
    listing: &'a Listing,
}

/// What is built upon.
struct Base {
    /// Sequence of the newest good snapshot.
    sequence: Option<u64>,
    store: StoreId,
    /// Newer snapshots that are damaged, and how.
    skipped: Vec<(u64, String)>,
}

impl Base {
    fn snapshot(&self) -> Option<String> {
        self.sequence.map(names::snapshot)
    }
}

impl Source<'_> {
    fn rebuild(&self) -> Result<(Arc<State>, SalvageReport), StorageError> {
        let base = self.find_base()?;
        let mut unfit = None;
        loop {
            let state = State::new();
            self.load(&base, &state)?;
            let mut apply = |record: &Record| state.apply(record).map_err(|e| e.to_string());
            let harvest = self.harvest(&base, unfit.clone(), &mut apply)?;
            if harvest.unfit() == unfit.as_ref() {
                return Ok((state, harvest.into_report(base.snapshot())));
            }
            // Again, without the record that did not fit: it may have been applied in part.
            unfit = harvest.unfit().cloned();
        }
    }

    /// Finds the newest snapshot that is good.
    fn find_base(&self) -> Result<Base, StorageError> {
        let own = self.own_store()?;
        let mut skipped = Vec::new();
        let tell = &mut |_| {};
        let mut meter = Meter::new(0, tell);
        for sequence in self.listing.snapshots.iter().rev() {
            let opened = SnapshotReader::open(self.fs, self.folder, *sequence, own.as_ref());
            let checked = opened.and_then(|reader| {
                let store = reader.head().store;
                reader.verify(&mut meter).map(|_good| store)
            });
            match checked {
                Ok(store) => return Ok(Base { sequence: Some(*sequence), store, skipped }),
                Err(error @ StorageError::Damaged { .. }) => {
                    skipped.push((*sequence, error.one_line()));
                }
                Err(error) => return Err(error),
            }
        }
        // Nothing to stand on but the log, and all of it.
        let segments = needed_segments(self.listing, BEFORE_ALL_RECORDS)?;
        let first = segments.first().expect("at least one segment is needed");
        let store = match own {
            Some(store) => store,
            None => SegmentReader::open(self.fs, self.folder, *first, None)?.head().store,
        };
        Ok(Base { sequence: None, store, skipped })
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

    fn load(&self, base: &Base, state: &State) -> Result<(), StorageError> {
        let Some(sequence) = base.sequence else { return Ok(()) };
        let reader = SnapshotReader::open(self.fs, self.folder, sequence, Some(&base.store))?;
        let tell = &mut |_| {};
        load(reader, state, &mut Meter::new(0, tell)).map(|_finished_ms| ())
    }

    /// Hands to `apply` what follows the snapshot without a gap, and without `unfit`.
    fn harvest(
        &self,
        base: &Base,
        unfit: Option<Unfit>,
        apply: &mut Apply<'_>,
    ) -> Result<Harvest, StorageError> {
        let mut harvest = Harvest::new(base.sequence.unwrap_or(BEFORE_ALL_RECORDS), unfit);
        let files = LogFiles { fs: self.fs, folder: self.folder, store: &base.store };
        walk(files, &self.listing.segments, &mut |find| harvest.add(find, apply))?;
        harvest.end(&base.skipped, !self.listing.segments.is_empty());
        Ok(harvest)
    }
}
