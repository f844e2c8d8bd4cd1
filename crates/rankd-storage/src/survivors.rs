//! Walks through a damaged log and hands on every record that can still be read, and every damage.
//!
//! What it is not: a start; that ends at the first damage. Invariant: a record is called checked
//! only if its checksum was seen to continue that of the record before it, or of its segment's
//! head.
//! Cost: one pass, of the damaged stretches byte by byte; memory for one record.

use rankd_engine::Record;

use crate::error::StorageError;
use crate::head::salt;
use crate::log::reader::{Position, SegmentReader, Step};
use crate::replay::LogFiles;

/// What the walk comes upon, in the order of the log.
pub(crate) enum Find<'a> {
    /// A record that can be read.
    Record { record: &'a Record, is_checked: bool },
    /// Something that is not as it was written, with file and offset.
    Damage(StorageError),
}

/// Goes through all of `segments` and tells what it finds.
///
/// # Errors
/// What the disk says; a newer version.
pub(crate) fn walk(
    files: LogFiles<'_>,
    segments: &[u64],
    tell: &mut dyn FnMut(Find<'_>),
) -> Result<(), StorageError> {
    let mut end = None;
    for first in segments {
        let mut reader = open(files, *first, end, tell)?;
        end = read(&mut reader, tell)?;
    }
    Ok(())
}

/// A damaged head costs nothing if the segment before leads up to it.
fn open(
    files: LogFiles<'_>,
    first: u64,
    end: Option<Position>,
    tell: &mut dyn FnMut(Find<'_>),
) -> Result<SegmentReader, StorageError> {
    let LogFiles { fs, folder, store } = files;
    match SegmentReader::open(fs, folder, first, Some(store)) {
        Ok(reader) => {
            if let Some(Err(error)) = end.map(|end| reader.check_follows(end)) {
                tell(Find::Damage(error));
            }
            Ok(reader)
        }
        Err(error @ StorageError::Damaged { .. }) => {
            tell(Find::Damage(error));
            // Without a segment before, this is right for the very first one; for any other,
            // its first record fails and the one behind it is found.
            let begin = Position { next: first, chain: salt(store) };
            let position = end.filter(|end| end.next == first).unwrap_or(begin);
            SegmentReader::open_headless(fs, folder, first, *store, position)
        }
        Err(error) => Err(error),
    }
}

/// Reads one segment to its end. Where the log stands there; `None`: nobody knows.
fn read(
    reader: &mut SegmentReader,
    tell: &mut dyn FnMut(Find<'_>),
) -> Result<Option<Position>, StorageError> {
    loop {
        match reader.step()? {
            Step::Record(record) => tell(Find::Record { record: &record, is_checked: true }),
            Step::End => return Ok(Some(reader.position())),
            Step::Broken(damage) | Step::Wrong(damage) => {
                tell(Find::Damage(reader.damaged(damage)));
                let Some(anchor) = reader.resync()? else { return Ok(None) };
                if let Some(record) = &anchor.record {
                    tell(Find::Record { record, is_checked: anchor.is_checked });
                }
            }
        }
    }
}
