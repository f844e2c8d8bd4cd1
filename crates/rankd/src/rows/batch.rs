//! Rows gathered into batches of bounded size, each the same again when the same rows are read
//! from the same line on: that makes a batch repeatable under one idempotency key.

use std::io::BufRead;

use rankd_engine::Score;
use rankd_engine::limits::BATCH_INTENTS_MAX;
use sha2::{Digest as _, Sha256};

use super::{ReadError, Row, Rows};

/// Most rows of a batch: what the API takes in one call.
pub(crate) const BATCH_ROWS_MAX: usize = BATCH_INTENTS_MAX;
/// Most bytes of member names in a batch. Escaped as JSON they grow sixfold at worst, which
/// leaves the body below the 16 MiB that the API takes.
const BATCH_NAME_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most bad rows that are kept to be shown.
const BAD_ROWS_SHOWN_MAX: usize = 10;

/// Rows that are written together; never empty.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<Row>,
    /// Bytes of the input read when the batch was complete.
    pub(crate) bytes_read: u64,
}

impl Batch {
    pub(crate) fn first_line(&self) -> u64 {
        self.rows.first().map_or(0, |row| row.line)
    }

    pub(crate) fn last_line(&self) -> u64 {
        self.rows.last().map_or(0, |row| row.line)
    }

    /// A digest of `context`, the first line and all rows: the batch's identity.
    pub(crate) fn digest(&self, context: &[&[u8]]) -> [u8; 16] {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        context.iter().for_each(|bytes| part(bytes));
        part(&self.first_line().to_le_bytes());
        for row in &self.rows {
            part(row.member.as_bytes());
            match row.score {
                Score::Integer(score) => part(&score.to_le_bytes()),
                Score::Float(score) => part(&score.to_bits().to_le_bytes()),
            }
            let at_ms = row.at_ms.map(i64::to_le_bytes);
            part(at_ms.as_ref().map_or(&[], |bytes| bytes));
        }
        let digest: [u8; 32] = hash.finalize().into();
        *digest.first_chunk().expect("16 of 32 bytes")
    }
}

/// Why there are no more batches.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The input was read to its end.
    End(BadRows),
    /// This cannot be read; everything before it was handed out.
    Error(ReadError),
}

/// The rows that were passed over because the user asked for it.
#[derive(Debug, Default)]
pub(crate) struct BadRows {
    pub(crate) count: u64,
    /// What was wrong with the first of them.
    pub(crate) shown: Vec<String>,
}

impl BadRows {
    fn add(&mut self, error: &ReadError) {
        self.count += 1;
        if self.shown.len() < BAD_ROWS_SHOWN_MAX {
            self.shown.push(error.to_string());
        }
    }
}

/// The batches of a stream.
pub(crate) struct Batches<R> {
    rows: Rows<R>,
    skip_bad: bool,
    bad: BadRows,
    /// What ended the stream, once it has ended.
    stop: Option<ReadError>,
}

impl<R: BufRead> Batches<R> {
    pub(crate) fn new(rows: Rows<R>, skip_bad: bool) -> Self {
        Self { rows, skip_bad, bad: BadRows::default(), stop: None }
    }

    /// The next batch; `None` when the input has ended or cannot be read on.
    pub(crate) fn next_batch(&mut self) -> Option<Batch> {
        let mut rows = Vec::new();
        let mut name_bytes = 0;
        while self.stop.is_none()
            && rows.len() < BATCH_ROWS_MAX
            && name_bytes < BATCH_NAME_BYTES_MAX
        {
            match self.rows.next_row() {
                None => break,
                Some(Ok(row)) => {
                    name_bytes += row.member.len();
                    rows.push(row);
                }
                Some(Err(error)) if self.skip_bad && error.is_skippable() => self.bad.add(&error),
                Some(Err(error)) => self.stop = Some(error),
            }
        }
        let bytes_read = self.rows.bytes_read();
        (!rows.is_empty()).then_some(Batch { rows, bytes_read })
    }

    /// Why there are no more batches, once there are none.
    pub(crate) fn finish(self) -> Stop {
        match self.stop {
            Some(error) => Stop::Error(error),
            None => Stop::End(self.bad),
        }
    }
}
