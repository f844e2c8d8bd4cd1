//! CSV as RFC 4180 has it, with a header line: which columns, then the rows.

use std::io::BufRead;

use super::error::{Column, ReadError, check_utf8, shown};
use super::fields::{check_member, parse_score, parse_time};
use super::records::Records;
use super::{ReadOptions, Row, TIME_COLUMNS};

/// Most columns of a header that a message lists.
const SHOWN_COLUMNS_MAX: usize = 20;

/// Rows of a CSV stream.
pub(crate) struct CsvRows<R> {
    records: Records<R>,
    options: ReadOptions,
    member: usize,
    score: usize,
    time: Option<usize>,
}

impl<R: BufRead> CsvRows<R> {
    /// Reads the header and finds the columns in it.
    pub(crate) fn new(input: R, options: ReadOptions) -> Result<Self, ReadError> {
        let mut records = Records::new(input, options.delimiter);
        if !records.read()? {
            return Err(ReadError::Empty);
        }
        check_utf8(&records.raw, records.line, records.offset)?;
        records.header = records.texts().map(|name| name.trim().to_owned()).collect();
        let header = Header { names: &records.header, line: records.line };
        let member = header.find(&options.member_column)?;
        let score = header.find(&options.score_column)?;
        let time = match &options.time_column {
            Some(column) => Some(header.find(column)?),
            None => header.find_first(&TIME_COLUMNS)?,
        };
        Ok(Self { records, options, member, score, time })
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        loop {
            let read = self.records.read();
            let skipped = self.records.line < self.options.from_line;
            match read {
                Ok(false) => return None,
                Ok(true) if skipped => {}
                Ok(true) => return Some(self.row()),
                Err(error) if skipped && error.is_skippable() => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    pub(super) fn asked_line(&self) -> u64 {
        self.options.from_line
    }

    pub(super) fn last_line(&self) -> u64 {
        self.records.lines.count
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.records.lines.bytes
    }

    fn row(&self) -> Result<Row, ReadError> {
        let records = &self.records;
        let line = records.line;
        check_utf8(&records.raw, line, records.offset)?;
        let (fields, header) = (records.fields.len(), records.header.len());
        if fields != header {
            return Err(ReadError::FieldCount { line, fields, header });
        }
        let at_column = |index: usize| {
            move |reason| ReadError::Field { line, column: records.column(index), reason }
        };
        let member = records.text(self.member);
        check_member(member).map_err(at_column(self.member))?;
        let score = parse_score(records.text(self.score), self.options.kind)
            .map_err(at_column(self.score))?;
        let at_ms = match self.time {
            Some(index) => parse_time(records.text(index)).map_err(at_column(index))?,
            None => None,
        };
        Ok(Row { line, member: member.to_owned(), score, at_ms })
    }
}

struct Header<'a> {
    names: &'a [String],
    line: u64,
}

impl Header<'_> {
    fn find(&self, column: &str) -> Result<usize, ReadError> {
        let mut found = self.names.iter().enumerate().filter(|(_, name)| *name == column);
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(index),
            (Some(_), Some(_)) => {
                Err(ReadError::AmbiguousColumn { line: self.line, column: column.to_owned() })
            }
            (None, _) => Err(ReadError::MissingColumn {
                line: self.line,
                column: column.to_owned(),
                header: self.list(),
                hint: self.hint(),
            }),
        }
    }

    /// The first of the columns that there is.
    fn find_first(&self, columns: &[&str]) -> Result<Option<usize>, ReadError> {
        let there = columns.iter().find(|column| self.names.iter().any(|name| name == *column));
        there.map(|column| self.find(column)).transpose()
    }

    fn list(&self) -> String {
        let names: Vec<_> = self
            .names
            .iter()
            .take(SHOWN_COLUMNS_MAX)
            .map(|name| format!("`{}`", shown(name)))
            .collect();
        let more = self.names.len().saturating_sub(SHOWN_COLUMNS_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", names.join(", "))
    }

    /// What a header with a single strange name is likely to be.
    fn hint(&self) -> &'static str {
        match self.names {
            [only] if only.contains(';') => "; fields separated by semicolons need --delimiter ';'",
            [only] if only.contains('\t') => "; fields separated by tabs need --delimiter tab",
            [only] if only.starts_with('{') => "; JSON Lines need --format jsonl",
            _ => "",
        }
    }
}

impl<R> Records<R> {
    /// The column with this index, by its name if the header is known and names it.
    pub(super) fn column(&self, index: usize) -> Column {
        match self.header.get(index) {
            Some(name) if !name.is_empty() => Column::Named(name.clone()),
            _ => Column::Numbered(index + 1),
        }
    }
}
