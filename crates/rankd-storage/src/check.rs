//! Verifies a data folder without changing anything in it.
//!
//! It looks at every file by itself, and then goes through a start without a state: what it says
//! about a start is what a start would do, short of applying the records; the same goes for what it
//! says about a salvage. It holds no lock; next to a running server, it may see the end of the
//! last segment half written. Cost: every file is read twice, of a damaged folder three times;
//! memory for one record or block.

use std::path::Path;

use rankd_engine::{BoardHeader, Change, KeyMemory, MemberRow};
use rankd_orgs::OrgItem;
use serde::Serialize;
use serde_bytes::ByteBuf;

use crate::error::{Action, Damage, StorageError};
use crate::fs::Fs;
use crate::log::reader::{SegmentReader, Step};
use crate::meter::Meter;
use crate::names::{self, LOCK, Listing};
use crate::recovery::{
    BEFORE_ALL_RECORDS, OpenReport, check_heads, check_reaches, choose_snapshot, needed_segments,
};
use crate::replay::LogFiles;
use crate::salvage::{SalvageReport, preview};
use crate::snapshot::block::{BlockKind, Meta};
use crate::snapshot::payload::Block;
use crate::snapshot::read::SnapshotReader;

/// What was found in a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The process that has the folder open, if one has.
    pub in_use_by: Option<String>,
    /// Every file of the store, the log first.
    pub files: Vec<FileReport>,
    /// What a start would say: torn tails, skipped snapshots, or why it would refuse; then, what
    /// a salvage would save and lose.
    pub notes: Vec<String>,
    /// Sequence that a start would reach; `None`: it would refuse.
    pub sequence: Option<u64>,
    /// All in all.
    pub verdict: Verdict,
}

/// A folder's state in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every file is good.
    Healthy,
    /// Not everything is good, but a start succeeds, without losing what is known to have been
    /// on disk.
    Startable,
    /// A start is refused.
    Damaged,
}

/// What was found in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Name within the folder.
    pub file: String,
    /// Length in bytes.
    pub bytes: u64,
    /// In a word.
    pub status: FileStatus,
    /// First good sequence of a segment; sequence of a snapshot.
    pub first_sequence: u64,
    /// Last good sequence of a segment; sequence of a snapshot.
    pub last_sequence: u64,
    /// Good records of a segment.
    pub records: u64,
    /// Boards of a snapshot.
    pub boards: u64,
    /// Members of a snapshot.
    pub members: u64,
    /// Pieces that the organisations make up in a snapshot.
    pub org_items: u64,
    /// Pieces of strings, hashes and sets, and ends of keys, in a snapshot.
    pub value_items: u64,
    /// The first thing that is wrong: offset in bytes, and what it is.
    pub finding: Option<(u64, String)>,
}

/// A file's state in a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// Everything that can be checked is as it was written.
    #[default]
    Good,
    /// The last log segment ends in something that is no whole record, and that a start cuts off:
    /// a write that was cut short, or damaged later.
    Torn,
    /// Something else is wrong.
    Damaged,
    /// Of a newer version.
    Newer,
    /// Was never finished; the next start removes it.
    Unfinished,
    /// A snapshot that was superseded: the next one is written over it, or a start removes it.
    Spare,
    /// A torn tail that was cut off earlier and kept.
    Kept,
}

/// Checks the store in `folder`.
///
/// # Errors
/// What the disk says. Damage is in the report.
pub fn check(folder: &Path, fs: &dyn Fs) -> Result<CheckReport, StorageError> {
    let lock = folder.join(LOCK);
    let is_in_use = fs.is_locked(&lock).map_err(StorageError::io(Action::Lock, &lock))?;
    let listing = Listing::read(fs, folder)?;
    let mut files = Vec::new();
    for first in &listing.segments {
        files.push(check_file(fs, folder, names::segment(*first), |report| {
            check_segment(fs, folder, *first, listing.segments.last() == Some(first), report)
        })?);
    }
    for sequence in &listing.snapshots {
        files.push(check_file(fs, folder, names::snapshot(*sequence), |report| {
            check_snapshot(fs, folder, *sequence, report)
        })?);
    }
    let temporaries = listing.temporaries.iter().map(|name| match names::is_spare(name) {
        true => (name, FileStatus::Spare),
        false => (name, FileStatus::Unfinished),
    });
    let tails = listing.tails.iter().map(|name| (name, FileStatus::Kept));
    for (name, status) in temporaries.chain(tails) {
        files.push(check_file(fs, folder, name.clone(), |report| {
            report.status = status;
            Ok(())
        })?);
    }
    let start = try_start(fs, folder, &listing)?;
    Ok(CheckReport {
        in_use_by: is_in_use.then(|| names::lock_owner(fs, folder)),
        verdict: verdict(&files, &start),
        files,
        notes: start.notes,
        sequence: start.sequence,
    })
}

fn verdict(files: &[FileReport], start: &Start) -> Verdict {
    let is_good = |report: &FileReport| {
        !matches!(report.status, FileStatus::Torn | FileStatus::Damaged | FileStatus::Newer)
    };
    match start.sequence {
        None => Verdict::Damaged,
        Some(_) if start.notes.is_empty() && files.iter().all(is_good) => Verdict::Healthy,
        Some(_) => Verdict::Startable,
    }
}

/// Puts what `look` finds into a report; only what the disk says is an error.
fn check_file(
    fs: &dyn Fs,
    folder: &Path,
    file: String,
    look: impl FnOnce(&mut FileReport) -> Result<(), StorageError>,
) -> Result<FileReport, StorageError> {
    let path = folder.join(&file);
    let opened = fs.open(&path, false).map_err(StorageError::io(Action::Open, &path))?;
    let bytes = opened.len().map_err(StorageError::io(Action::Measure, &path))?;
    let mut report = FileReport { file, bytes, ..FileReport::default() };
    match look(&mut report) {
        Ok(()) => {}
        Err(StorageError::Damaged { offset, damage, .. }) => {
            report.status = FileStatus::Damaged;
            report.finding = Some((offset, damage.to_string()));
        }
        Err(error @ StorageError::Newer { .. }) => {
            report.status = FileStatus::Newer;
            report.finding = Some((0, error.to_string()));
        }
        Err(error) => return Err(error),
    }
    Ok(report)
}

/// Reads one segment by itself. A broken record is called torn only where a start would cut it off.
fn check_segment(
    fs: &dyn Fs,
    folder: &Path,
    first: u64,
    is_last: bool,
    report: &mut FileReport,
) -> Result<(), StorageError> {
    let mut reader = SegmentReader::open(fs, folder, first, None)?;
    report.first_sequence = first;
    loop {
        match reader.step()? {
            Step::Record(record) => {
                report.records += 1;
                report.last_sequence = record.sequence;
            }
            Step::End => return Ok(()),
            Step::Broken(damage) if is_last => {
                let store = reader.head().store;
                LogFiles { fs, folder, store: &store }.check_torn(&reader, &damage)?;
                report.status = FileStatus::Torn;
                report.finding = Some((reader.offset(), damage.to_string()));
                return Ok(());
            }
            Step::Broken(damage) | Step::Wrong(damage) => return Err(reader.damaged(damage)),
        }
    }
}

fn check_snapshot(
    fs: &dyn Fs,
    folder: &Path,
    sequence: u64,
    report: &mut FileReport,
) -> Result<(), StorageError> {
    (report.first_sequence, report.last_sequence) = (sequence, sequence);
    let mut reader = SnapshotReader::open(fs, folder, sequence, None)?;
    let tell = &mut |_| {};
    let mut meter = Meter::new(0, tell);
    let mut rows_left = 0;
    loop {
        let mut block = reader.next_block(&mut meter)?;
        let kind = block.kind();
        if kind != BlockKind::Rows && rows_left > 0 {
            let what = format!("{rows_left} announced members are missing");
            return Err(block.damaged(Damage::Content(what)));
        }
        if kind == BlockKind::Footer {
            let (found, _finished_ms) = reader.finish(block)?;
            (report.boards, report.members) = (found.boards, found.members);
            report.org_items = found.org_items;
            report.value_items = found.value_items;
            return Ok(());
        }
        while block.items_left() > 0 {
            check_item(&mut block, &mut rows_left)?;
        }
        block.end()?;
    }
}

fn check_item(block: &mut Block, rows_left: &mut u64) -> Result<(), StorageError> {
    match block.kind() {
        BlockKind::Meta => drop(block.item::<Meta>()?),
        BlockKind::Board => *rows_left = block.item::<BoardHeader>()?.members,
        BlockKind::Rows => {
            drop(block.item::<MemberRow>()?);
            *rows_left = rows_left.checked_sub(1).ok_or_else(|| {
                let what = "more members than the board's header announced";
                block.damaged(Damage::Content(what.to_owned()))
            })?;
        }
        BlockKind::Labels => drop(block.item::<(ByteBuf, Box<str>)>()?),
        BlockKind::Keys => drop(block.item::<(ByteBuf, KeyMemory)>()?),
        BlockKind::Orgs => {
            let _item = block.item::<OrgItem>()?;
        }
        BlockKind::Values => drop(block.item::<Change>()?),
        BlockKind::Footer => {}
    }
    Ok(())
}

/// What a start would do.
struct Start {
    sequence: Option<u64>,
    notes: Vec<String>,
}

fn try_start(fs: &dyn Fs, folder: &Path, listing: &Listing) -> Result<Start, StorageError> {
    let mut notes = Vec::new();
    let sequence = match start(fs, folder, listing, &mut notes) {
        Ok(sequence) => Some(sequence),
        Err(error @ StorageError::Io { .. }) => return Err(error),
        Err(error) => {
            notes.push(format!("a start is refused: {error}"));
            preview_salvage(fs, folder, listing, &mut notes)?;
            None
        }
    };
    Ok(Start { sequence, notes })
}

/// Says what is to be had where a start is refused.
fn preview_salvage(
    fs: &dyn Fs,
    folder: &Path,
    listing: &Listing,
    notes: &mut Vec<String>,
) -> Result<(), StorageError> {
    let report = match preview(fs, folder, listing) {
        Ok(report) => report,
        Err(error @ StorageError::Io { .. }) => return Err(error),
        // That is why the start is refused, and needs a newer build, no salvage.
        Err(StorageError::Newer { .. }) => return Ok(()),
        Err(error) => {
            notes.push(format!("a salvage is not possible: {}", error.one_line()));
            return Ok(());
        }
    };
    let SalvageReport { snapshot, records, sequence, lost, .. } = report;
    let base = snapshot.map_or_else(String::new, |snapshot| format!("{snapshot} and "));
    let saved = format!("{base}{records} records, up to record {sequence}");
    if lost.is_empty() {
        notes.push(format!("a salvage loses nothing: {saved}, are undamaged"));
    } else {
        notes.push(format!("a salvage saves {saved}"));
        notes.extend(lost.iter().map(|lost| format!("a salvage loses: {lost}")));
    }
    Ok(())
}

fn start(
    fs: &dyn Fs,
    folder: &Path,
    listing: &Listing,
    notes: &mut Vec<String>,
) -> Result<u64, StorageError> {
    let Some(store) = check_heads(fs, folder, listing)? else {
        return Ok(0);
    };
    let mut report = OpenReport::default();
    let snapshot = choose_snapshot(fs, folder, &store, listing, &mut report)?;
    let base = snapshot.unwrap_or(BEFORE_ALL_RECORDS);
    let built_upon = match snapshot {
        Some(sequence) => format!("{} and the log after it", names::snapshot(sequence)),
        None => "the log from its first record".to_owned(),
    };
    let skipped = report.skipped_snapshots.iter();
    notes.extend(skipped.map(|(_, why)| format!("a start takes {built_upon} instead: {why}")));
    let tell = &mut |_| {};
    let files = LogFiles { fs, folder, store: &store };
    let segments = needed_segments(listing, base)?;
    let end = files.replay(segments, &mut Meter::new(0, tell), &mut |_| Ok(()))?;
    let end = end.expect("at least one segment is needed");
    check_reaches(listing, &end)?;
    if let Some((bytes, damage)) = &end.torn {
        let file = names::segment(end.first);
        let offset = end.offset;
        notes.push(format!(
            "a start cuts {bytes} bytes off {file} at offset {offset}, a write that was cut short, \
             or damaged later: {damage}"
        ));
    }
    Ok(end.position.next - 1)
}
