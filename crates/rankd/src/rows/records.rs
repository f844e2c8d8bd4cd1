//! Records of CSV over physical lines, and the fields within them. Nothing here knows what the
//! columns mean.
//!
//! Invariant: after a fault that does not hide where the record ends, the next record is read
//! from its own first line. Cost: one pass over the bytes, in buffers that are used again.

use std::io::BufRead;
use std::ops::Range;

use super::error::{RECORD_BYTES_MAX, ReadError};
use super::lines::{Lines, without_newline};

/// The byte-order mark that spreadsheets write before UTF-8.
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The records of a stream, one at a time.
pub(crate) struct Records<R> {
    pub(super) lines: Lines<R>,
    delimiter: u8,
    /// Names of the columns, once the header was read; for messages.
    pub(super) header: Vec<String>,
    /// The bytes of the present record, newlines included.
    pub(super) raw: Vec<u8>,
    /// Its fields without their quotes, one after the other.
    unquoted: Vec<u8>,
    /// Where each field is in `unquoted`.
    pub(super) fields: Vec<Range<usize>>,
    /// Line on which the record starts, from 1.
    pub(super) line: u64,
    /// Byte of the input at which it starts, from 0.
    pub(super) offset: u64,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self {
            lines: Lines::new(input),
            delimiter,
            header: Vec::new(),
            raw: Vec::new(),
            unquoted: Vec::new(),
            fields: Vec::new(),
            line: 0,
            offset: 0,
        }
    }

    /// Reads the next record that is not a blank line; `false` at the end of the stream.
    pub(super) fn read(&mut self) -> Result<bool, ReadError> {
        loop {
            self.raw.clear();
            self.offset = self.lines.bytes;
            let is_line = self.lines.append_next(&mut self.raw);
            self.line = self.lines.count;
            if !is_line? {
                return Ok(false);
            }
            if self.line == 1 && self.raw.starts_with(UTF8_MARK) {
                self.raw.drain(..UTF8_MARK.len());
                self.offset = UTF8_MARK.len() as u64;
            }
            if !without_newline(&self.raw).is_empty() {
                self.split()?;
                return Ok(true);
            }
        }
    }

    /// Finds the fields of the record in `raw`, reading further lines as open quotes ask for.
    fn split(&mut self) -> Result<(), ReadError> {
        self.unquoted.clear();
        self.fields.clear();
        let mut position = 0;
        let mut fault = None;
        loop {
            let start = self.unquoted.len();
            let is_quoted = self.raw.get(position) == Some(&b'"');
            if is_quoted {
                position = self.take_quoted(position)?;
            }
            let (plain, is_last) = self.plain(position);
            if is_quoted && !plain.is_empty() && fault.is_none() {
                let column = self.column(self.fields.len());
                fault = Some(ReadError::TextAfterQuote { line: self.line_at(position), column });
            }
            let end = plain.end;
            self.unquoted.extend_from_slice(self.raw.get(plain).unwrap_or_default());
            self.fields.push(start..self.unquoted.len());
            if is_last {
                return fault.map_or(Ok(()), Err);
            }
            position = end + 1;
        }
    }

    /// Takes over the field whose quote opens at `open`; returns where its closing quote ends.
    fn take_quoted(&mut self, open: usize) -> Result<usize, ReadError> {
        let mut from = open + 1;
        loop {
            let rest = self.raw.get(from..).unwrap_or_default();
            let length = rest.iter().position(|&byte| byte == b'"');
            let (inside, after) = rest.split_at(length.unwrap_or(rest.len()));
            self.unquoted.extend_from_slice(inside);
            from += inside.len();
            match after {
                [] => self.read_on(open)?,
                [_, b'"', ..] => {
                    self.unquoted.push(b'"');
                    from += 2;
                }
                _ => return Ok(from + 1),
            }
        }
    }

    /// Adds the next line to a record whose quote at `open` is not closed yet.
    fn read_on(&mut self, open: usize) -> Result<(), ReadError> {
        let within = if self.raw.len() > RECORD_BYTES_MAX {
            " (looked at the next mebibyte)"
        } else if self.lines.append_next(&mut self.raw)? {
            return Ok(());
        } else {
            ""
        };
        let column = self.column(self.fields.len());
        Err(ReadError::OpenQuote { line: self.line_at(open), column, within })
    }

    /// The bytes from `position` to the next delimiter or the end of the record, and whether it
    /// was the end.
    fn plain(&self, position: usize) -> (Range<usize>, bool) {
        let end = without_newline(&self.raw).len();
        let rest = self.raw.get(position..end).unwrap_or_default();
        match rest.iter().position(|&byte| byte == self.delimiter) {
            Some(length) => (position..position + length, false),
            None => (position..position + rest.len(), true),
        }
    }

    /// The line of the byte at `position` of the record.
    fn line_at(&self, position: usize) -> u64 {
        let before = self.raw.iter().take(position);
        self.line + before.filter(|&&byte| byte == b'\n').count() as u64
    }

    /// A field of a record that is known to be UTF-8; nothing where there is no such field.
    pub(super) fn text(&self, index: usize) -> &str {
        let range = self.fields.get(index).cloned().unwrap_or_default();
        let bytes = self.unquoted.get(range).unwrap_or_default();
        // Taking ASCII quotes out of UTF-8 leaves UTF-8.
        std::str::from_utf8(bytes).expect("the record was checked before its fields are asked for")
    }

    /// All fields of a record that is known to be UTF-8.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.fields.len()).map(|index| self.text(index))
    }
}
