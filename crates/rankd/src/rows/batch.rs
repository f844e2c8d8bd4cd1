//! Rows gathered into batches of bounded size, each the same again when the same rows are read
//! from the same line on: that makes a batch repeatable under one idempotency key.
//!
//! Invariant: where a batch ends depends on the records before it alone. A record that is passed
//! over takes the place of a row, so that mending it moves no later batch; and a batch in which
//! reading stops is not handed out, because the mended input has another one in its place.

use std::io::BufRead;

use rankd_engine::Score;
use sha2::{Digest as _, Sha256};

use super::{ReadError, Row, RowData, RowKind, Rows};

/// Most bad rows that are kept to be shown.
const BAD_ROWS_SHOWN_MAX: usize = 10;

/// Rows that are written together; never empty.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    pub(crate) rows: Vec<T>,
    /// Line to read from to get this batch again.
    pub(crate) from_line: u64,
    /// Line to read from to get what comes after it.
    pub(crate) next_line: u64,
    /// Bytes of the input read when the batch was complete.
    pub(crate) bytes_read: u64,
}

impl<T: RowData> Batch<T> {
    pub(crate) fn first_line(&self) -> u64 {
        self.rows.first().map_or(0, T::line)
    }

    /// The last line that was read for it.
    pub(crate) fn last_line(&self) -> u64 {
        self.next_line - 1
    }
}

impl Batch<Row> {
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
    End { bad: BadRows, last_line: u64 },
    /// This cannot be read. Every batch before `from_line` was handed out, and nothing after it.
    Error { error: ReadError, from_line: u64 },
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
pub(crate) struct Batches<R, K: RowKind> {
    rows: Rows<R, K>,
    skip_bad: bool,
    bad: BadRows,
    /// What ended the stream, once it has ended, and the line of the batch that it spoilt.
    stop: Option<(ReadError, u64)>,
}

impl<R: BufRead, K: RowKind> Batches<R, K> {
    pub(crate) fn new(rows: Rows<R, K>, skip_bad: bool) -> Self {
        Self { rows, skip_bad, bad: BadRows::default(), stop: None }
    }

    /// The next batch; `None` when the input has ended or cannot be read on.
    pub(crate) fn next_batch(&mut self) -> Option<Batch<K::Row>> {
        while self.stop.is_none() {
            let from_line = self.rows.next_line();
            let (rows, is_last) = match self.gather() {
                Ok(gathered) => gathered,
                Err(error) => {
                    self.stop = Some((error, from_line));
                    return None;
                }
            };
            if !rows.is_empty() {
                let (next_line, bytes_read) = (self.rows.next_line(), self.rows.bytes_read());
                return Some(Batch { rows, from_line, next_line, bytes_read });
            }
            if is_last {
                return None;
            }
        }
        None
    }

    /// The rows among the next records, and whether the input ended with them.
    fn gather(&mut self) -> Result<(Vec<K::Row>, bool), ReadError> {
        let (mut rows, mut weight) = (Vec::new(), 0);
        for _ in 0..K::Row::BATCH_ROWS_MAX {
            if weight >= K::Row::BATCH_WEIGHT_MAX {
                break;
            }
            match self.rows.next_row() {
                None => return Ok((rows, true)),
                Some(Ok(row)) => {
                    weight += row.weight();
                    rows.push(row);
                }
                Some(Err(error)) if self.skip_bad && error.is_skippable() => self.bad.add(&error),
                Some(Err(error)) => return Err(error),
            }
        }
        Ok((rows, false))
    }

    /// Why there are no more batches, once there are none.
    pub(crate) fn finish(self) -> Stop {
        match self.stop {
            Some((error, from_line)) => Stop::Error { error, from_line },
            None => Stop::End { bad: self.bad, last_line: self.rows.last_line() },
        }
    }
}
