//! Reads the log's records in order, across segments, and hands them on.
//!
//! Invariant: a record is handed on only if everything before it is there, unbroken. Nothing on
//! disk is changed. Cost: one pass; memory for one record, and 24 bytes for each fsync that was
//! under way at once.

use std::collections::VecDeque;
use std::path::Path;

use rankd_engine::Record;

use crate::error::{Action, Damage, StorageError};
use crate::fs::Fs;
use crate::head::{HEAD_BYTES, StoreId, salt};
use crate::log::reader::{Position, SegmentReader, Step};
use crate::log::tail;
use crate::meter::Meter;

/// What a reader of records says to one: that it fits, or why not.
pub(crate) type Apply<'a> = dyn FnMut(&Record) -> Result<(), String> + 'a;

/// How the last segment ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogEnd {
    /// First sequence of the last segment.
    pub(crate) first: u64,
    /// Its format version.
    pub(crate) version: u32,
    /// Behind its last good record.
    pub(crate) offset: u64,
    pub(crate) position: Position,
    /// Nothing before this offset is without a later record that proves it to be on disk.
    pub(crate) unproven: u64,
    /// A torn tail: how many bytes, and what is wrong with them.
    pub(crate) torn: Option<(u64, Damage)>,
}

/// Records that no later one proves to be on disk, in runs that were written between the same
/// two fsyncs: a log that is never fsynced is one run, however long it is.
#[derive(Default)]
struct Unproven(VecDeque<Run>);

struct Run {
    offset: u64,
    last: u64,
    /// What was known to be on disk when its records were written.
    durable: u64,
}

impl Unproven {
    fn add(&mut self, sequence: u64, offset: u64, durable: u64) {
        match self.0.back_mut() {
            Some(run) if run.durable == durable => run.last = sequence,
            _ => self.0.push_back(Run { offset, last: sequence, durable }),
        }
        while self.0.front().is_some_and(|run| run.last <= durable) {
            self.0.pop_front();
        }
    }
}

/// Where the log is read from.
#[derive(Clone, Copy)]
pub(crate) struct LogFiles<'a> {
    pub(crate) fs: &'a dyn Fs,
    pub(crate) folder: &'a Path,
    pub(crate) store: &'a StoreId,
}

impl LogFiles<'_> {
    /// Hands every record of `segments` to `apply`, and says how the last one ends.
    ///
    /// # Errors
    /// What the disk says; the first damage, with file and offset; what `apply` says.
    pub(crate) fn replay(
        &self,
        segments: &[u64],
        meter: &mut Meter<'_>,
        apply: &mut Apply<'_>,
    ) -> Result<Option<LogEnd>, StorageError> {
        let mut end: Option<LogEnd> = None;
        for (index, first) in segments.iter().enumerate() {
            let mut reader = SegmentReader::open(self.fs, self.folder, *first, Some(self.store))?;
            if let Some(end) = &end {
                reader.check_follows(end.position)?;
            }
            meter.add(HEAD_BYTES as u64);
            let is_last = index + 1 == segments.len();
            end = Some(self.segment(&mut reader, is_last, meter, apply)?);
        }
        Ok(end)
    }

    /// Reads one segment whose head is good.
    fn segment(
        &self,
        reader: &mut SegmentReader,
        is_last: bool,
        meter: &mut Meter<'_>,
        apply: &mut Apply<'_>,
    ) -> Result<LogEnd, StorageError> {
        let mut unproven = Unproven::default();
        let mut from = reader.offset();
        loop {
            let step = reader.step()?;
            meter.add(reader.offset() - from);
            from = reader.offset();
            match step {
                Step::Record(record) => {
                    unproven.add(record.sequence, reader.offset(), reader.durable());
                    apply(&record).map_err(|why| reader.damaged(Damage::Content(why)))?;
                }
                Step::End => return Ok(log_end(reader, &unproven, None)),
                Step::Broken(damage) if is_last => {
                    self.check_torn(reader, &damage)?;
                    return Ok(log_end(reader, &unproven, Some(damage)));
                }
                Step::Broken(damage) | Step::Wrong(damage) => return Err(reader.damaged(damage)),
            }
        }
    }

    /// Whether the broken record that `reader` stands at may be a torn write.
    ///
    /// # Errors
    /// What the disk says; the damage, with what proves that it is no torn write.
    pub(crate) fn check_torn(
        &self,
        reader: &SegmentReader,
        damage: &Damage,
    ) -> Result<(), StorageError> {
        let path = self.folder.join(reader.name());
        let file = self.fs.open(&path, false).map_err(StorageError::io(Action::Open, &path))?;
        let expected = reader.position().next;
        let salt = salt(&reader.head().store);
        match tail::find_proof(&*file, &path, salt, reader.offset(), expected)? {
            None => Ok(()),
            Some(proof) => Err(reader.damaged(Damage::Proven {
                damage: Box::new(damage.clone()),
                sequence: expected,
                proof,
            })),
        }
    }
}

fn log_end(reader: &SegmentReader, unproven: &Unproven, torn: Option<Damage>) -> LogEnd {
    let offset = reader.offset();
    LogEnd {
        first: reader.head().sequence,
        version: reader.head().version,
        offset,
        position: reader.position(),
        unproven: unproven.0.front().map_or(offset, |run| run.offset),
        torn: torn.map(|damage| (reader.length() - offset, damage)),
    }
}
