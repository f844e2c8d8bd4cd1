//! Records that are written with one call: the group of a group commit.
//!
//! Invariant: `bytes` continues the log exactly where it ended when the group was begun, so a
//! group that could not be written is written again as it is. Cost: O(bytes), one buffer.

use rankd_engine::Change;

use crate::body;
use crate::error::Damage;
use crate::limits::GROUP_BUFFER_BYTES_KEPT;
use crate::log::queue::Admission;
use crate::log::reader::Position;
use crate::log::record::{KIND_CHANGES, RECORD_HEAD_BYTES, RecordHead};

/// A batch that is resolved and applied, and not yet in the log.
pub(crate) struct Pending {
    pub(crate) sequence: u64,
    pub(crate) accepted_ms: i64,
    pub(crate) changes: Vec<Change>,
    /// Its place in the queue; given back when it is acknowledged.
    pub(crate) admission: Option<Admission>,
}

/// Encoded records, and the places in the queue that they hold.
pub(crate) struct Group {
    bytes: Vec<u8>,
    end: Position,
    records: u64,
    admissions: Vec<Admission>,
}

impl Group {
    /// An empty group behind `end`.
    pub(crate) fn new(end: Position) -> Self {
        Self { bytes: Vec::new(), end, records: 0, admissions: Vec::new() }
    }

    /// Appends a record. `durable` is the highest sequence known to be on disk.
    ///
    /// # Errors
    /// If the body is too long, which admission excludes.
    pub(crate) fn add(&mut self, salt: u32, durable: u64, pending: Pending) -> Result<(), Damage> {
        assert_eq!(pending.sequence, self.end.next, "sequences are given out without gaps");
        let start = self.bytes.len();
        let body_start = start + RECORD_HEAD_BYTES;
        self.bytes.resize(body_start, 0);
        body::encode_changes(&pending.changes, &mut self.bytes)?;
        let (_, record) = self.bytes.split_at_mut(start);
        let (head, body) = record.split_at_mut(RECORD_HEAD_BYTES);
        let sealed = RecordHead {
            length: u32::try_from(body.len()).expect("within RECORD_BYTES_MAX"),
            kind: KIND_CHANGES,
            sequence: pending.sequence,
            durable,
            accepted_ms: pending.accepted_ms,
            chain: 0,
        }
        .seal(salt, self.end.chain, body);
        head.copy_from_slice(&sealed);
        let chain = crate::bytes::get_u32(&sealed, 32);
        self.end = Position { next: pending.sequence + 1, chain };
        self.records += 1;
        self.admissions.extend(pending.admission);
        Ok(())
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// What is to be written.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the log stands behind the group.
    pub(crate) fn end(&self) -> Position {
        self.end
    }

    /// Number of records.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Begins the next group: the records are in the log. Returns the places they held.
    pub(crate) fn take(&mut self) -> Vec<Admission> {
        self.bytes.clear();
        self.bytes.shrink_to(GROUP_BUFFER_BYTES_KEPT);
        self.records = 0;
        std::mem::take(&mut self.admissions)
    }
}
