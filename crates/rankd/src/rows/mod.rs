//! Rows out of a CSV or JSON Lines stream, with the physical line of each: scores, activities,
//! users, and lines that set organisations up.
//!
//! This is not a general CSV library: it reads the columns that an import needs and is strict
//! about everything that would silently import something else than what the file says. (The
//! `csv` crate reads an open quote to the end of the input, without a limit and without a word.)
//!
//! Invariant: a row's line is the line, counted by newline bytes from 1, on which its record
//! starts, quoted newlines and blank lines included. Cost: one pass, memory bounded by
//! [`error::RECORD_BYTES_MAX`].

mod activities;
mod batch;
mod csv;
mod error;
mod fields;
mod jsonl;
mod lines;
mod org_rows;
mod records;
mod scores;
mod setup;
mod users;

use std::io::BufRead;

pub(crate) use activities::ActivityRows;
pub(crate) use batch::{BadRows, Batch, Batches, Stop};
pub(crate) use error::{MEMBER_BYTES_MAX, ReadError};
pub(crate) use org_rows::OrgRow;
pub(crate) use scores::{ReadOptions, Row};
pub(crate) use setup::{SetupRow, SetupRows};
pub(crate) use users::UserRows;

use csv::{CsvRows, Header};
use jsonl::JsonlRows;
use records::Records;

/// What a batch needs to know of a row.
pub(crate) trait RowData: Send + 'static {
    /// Most rows of a batch.
    const BATCH_ROWS_MAX: usize;
    /// A batch that weighs as much takes no further row.
    const BATCH_WEIGHT_MAX: usize;

    /// Line on which the record starts, from 1.
    fn line(&self) -> u64;

    /// What the row adds to the size of a request, in bytes.
    fn weight(&self) -> usize;
}

/// What the rows of a stream are, and how they are to be read.
pub(crate) trait RowKind: Send + 'static {
    type Row: RowData;
    /// Where the values are in the records of CSV.
    type Columns: Send;

    /// Records that start on an earlier line are passed over, unread.
    fn first_line(&self) -> u64;

    /// What stands between the fields of CSV.
    fn delimiter(&self) -> u8;

    /// Finds the columns in the header of CSV.
    fn columns(&self, header: &Header<'_>) -> Result<Self::Columns, ReadError>;

    /// The row of a record of CSV, which is UTF-8 and has as many fields as the header.
    fn csv_row<R: BufRead>(
        &self,
        columns: &Self::Columns,
        record: &Records<R>,
    ) -> Result<Self::Row, ReadError>;

    /// The row of a line of JSON.
    fn json_row(&self, text: &str, line: u64) -> Result<Self::Row, ReadError>;
}

/// The rows of a stream in either format.
pub(crate) enum Rows<R, K: RowKind> {
    Csv(CsvRows<R, K>),
    Jsonl(JsonlRows<R, K>),
}

impl<R: BufRead, K: RowKind> Rows<R, K> {
    /// Rows of CSV with a header line, which is read now.
    pub(crate) fn csv(input: R, kind: K) -> Result<Self, ReadError> {
        CsvRows::new(input, kind).map(Self::Csv)
    }

    /// Rows of JSON Lines: one object a line.
    pub(crate) fn jsonl(input: R, kind: K) -> Self {
        Self::Jsonl(JsonlRows::new(input, kind))
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Result<K::Row, ReadError>> {
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
