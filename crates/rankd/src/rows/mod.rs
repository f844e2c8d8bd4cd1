//! Rows of scores out of a CSV or JSON Lines stream, with the physical line of each.
//!
//! This is not a general CSV library: it reads the columns that an import needs and is strict
//! about everything that would silently import something else than what the file says. (The
//! `csv` crate reads an open quote to the end of the input, without a limit and without a word.)
//!
//! Invariant: a row's `line` is the line, counted by newline bytes from 1, on which its record
//! starts, quoted newlines and blank lines included. Cost: one pass, memory bounded by
//! [`error::RECORD_BYTES_MAX`].

mod batch;
mod csv;
mod error;
mod fields;
mod jsonl;
mod lines;
mod records;

use std::io::BufRead;

use rankd_engine::{Score, ScoreKind};

pub(crate) use batch::{BadRows, Batch, Batches, Stop};
pub(crate) use error::{MEMBER_BYTES_MAX, ReadError};

use csv::CsvRows;
use jsonl::JsonlRows;

/// One row, checked against the limits of names, times and the board's kind of score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Line on which the record starts, from 1.
    pub(crate) line: u64,
    pub(crate) member: String,
    pub(crate) score: Score,
    /// Milliseconds since 1970, UTC.
    pub(crate) at_ms: Option<i64>,
}

/// How a stream is to be read.
#[derive(Debug, Clone)]
pub(crate) struct ReadOptions {
    pub(crate) member_column: String,
    pub(crate) score_column: String,
    /// `None`: `at` or `time`, if there is such a column.
    pub(crate) time_column: Option<String>,
    /// Records that start on an earlier line are passed over, unread.
    pub(crate) from_line: u64,
    /// The board's kind of score.
    pub(crate) kind: ScoreKind,
    /// Between the fields of CSV.
    pub(crate) delimiter: u8,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            member_column: "member".to_owned(),
            score_column: "score".to_owned(),
            time_column: None,
            from_line: 1,
            kind: ScoreKind::Integer,
            delimiter: b',',
        }
    }
}

/// The columns that hold the time if nobody says which does.
const TIME_COLUMNS: [&str; 2] = ["at", "time"];

/// The rows of a stream in either format.
pub(crate) enum Rows<R> {
    Csv(CsvRows<R>),
    Jsonl(JsonlRows<R>),
}

impl<R: BufRead> Rows<R> {
    /// Rows of CSV with a header line, which is read now.
    pub(crate) fn csv(input: R, options: ReadOptions) -> Result<Self, ReadError> {
        CsvRows::new(input, options).map(Self::Csv)
    }

    /// Rows of JSON Lines: one object a line.
    pub(crate) fn jsonl(input: R, options: ReadOptions) -> Self {
        Self::Jsonl(JsonlRows::new(input, options))
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        match self {
            Self::Csv(rows) => rows.next_row(),
            Self::Jsonl(rows) => rows.next_row(),
        }
    }

    /// The line from which the rows after the present one can be read.
    pub(crate) fn next_line(&self) -> u64 {
        let asked_line = match self {
            Self::Csv(rows) => rows.asked_line(),
            Self::Jsonl(rows) => rows.asked_line(),
        };
        asked_line.max(self.last_line() + 1)
    }

    /// The last line that has been read; 0 before there is any.
    pub(crate) fn last_line(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.last_line(),
            Self::Jsonl(rows) => rows.last_line(),
        }
    }

    /// Bytes of the stream that have been read.
    pub(crate) fn bytes_read(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.bytes_read(),
            Self::Jsonl(rows) => rows.bytes_read(),
        }
    }
}

#[cfg(test)]
mod tests;
