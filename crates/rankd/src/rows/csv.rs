//! CSV as RFC 4180 has it, with a header line: which columns, then the rows.

use std::io::BufRead;

use super::RowKind;
use super::error::{Column, ReadError, check_utf8, shown};
use super::records::Records;

/// Most columns of a header that a message lists.
const SHOWN_COLUMNS_MAX: usize = 20;

/// Rows of a CSV stream.
pub(crate) struct CsvRows<R, K: RowKind> {
    records: Records<R>,
    kind: K,
    columns: K::Columns,
}

impl<R: BufRead, K: RowKind> CsvRows<R, K> {
    /// Reads the header and finds the columns in it.
    pub(crate) fn new(input: R, kind: K) -> Result<Self, ReadError> {
        let mut records = Records::new(input, kind.delimiter());
        if !records.read()? {
            return Err(ReadError::Empty);
        }
        check_utf8(&records.raw, records.line, records.offset)?;
        records.header = records.texts().map(|name| name.trim().to_owned()).collect();
        let columns = kind.columns(&Header { names: &records.header, line: records.line })?;
        Ok(Self { records, kind, columns })
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Result<K::Row, ReadError>> {
        loop {
            let read = self.records.read();
            let skipped = self.records.line < self.asked_line();
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
        self.kind.first_line()
    }

    pub(super) fn last_line(&self) -> u64 {
        self.records.lines.count
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.records.lines.bytes
    }

    fn row(&self) -> Result<K::Row, ReadError> {
        let records = &self.records;
        let line = records.line;
        check_utf8(&records.raw, line, records.offset)?;
        let (fields, header) = (records.fields.len(), records.header.len());
        if fields != header {
            return Err(ReadError::FieldCount { line, fields, header });
        }
        self.kind.csv_row(&self.columns, records)
    }
}

/// The names of the columns.
pub(crate) struct Header<'a> {
    pub(super) names: &'a [String],
    pub(super) line: u64,
}

impl Header<'_> {
    pub(super) fn find(&self, column: &str) -> Result<usize, ReadError> {
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

    /// The column, if there is one of this name.
    pub(super) fn find_some(&self, column: &str) -> Result<Option<usize>, ReadError> {
        self.find_first(&[column])
    }

    /// The first of the columns that there is.
    pub(super) fn find_first(&self, columns: &[&str]) -> Result<Option<usize>, ReadError> {
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
    /// What is wrong with the field of this index of the present record.
    pub(super) fn fault(&self, index: usize) -> impl FnOnce(String) -> ReadError {
        let (line, column) = (self.line, self.column(index));
        move |reason| ReadError::Field { line, column, reason }
    }

    /// The column with this index, by its name if the header is known and names it.
    pub(super) fn column(&self, index: usize) -> Column {
        match self.header.get(index) {
            Some(name) if !name.is_empty() => Column::Named(name.clone()),
            _ => Column::Numbered(index + 1),
        }
    }
}
