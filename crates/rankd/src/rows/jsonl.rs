//! JSON Lines: one object a line. What is in the object is the kind's to know.

use std::io::BufRead;

use super::RowKind;
use super::error::{ReadError, check_utf8};
use super::lines::{Lines, without_newline};

/// Rows of a JSON Lines stream.
pub(crate) struct JsonlRows<R, K> {
    lines: Lines<R>,
    kind: K,
    raw: Vec<u8>,
}

impl<R: BufRead, K: RowKind> JsonlRows<R, K> {
    pub(crate) fn new(input: R, kind: K) -> Self {
        Self { lines: Lines::new(input), kind, raw: Vec::new() }
    }

    pub(super) fn asked_line(&self) -> u64 {
        self.kind.first_line()
    }

    pub(super) fn last_line(&self) -> u64 {
        self.lines.count
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.lines.bytes
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Result<K::Row, ReadError>> {
        loop {
            self.raw.clear();
            let offset = self.lines.bytes;
            match self.lines.append_next(&mut self.raw) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => return Some(Err(error)),
            }
            if self.lines.count >= self.asked_line()
                && !without_newline(&self.raw).trim_ascii().is_empty()
            {
                return Some(self.row(offset));
            }
        }
    }

    fn row(&self, offset: u64) -> Result<K::Row, ReadError> {
        let line = self.lines.count;
        let text = check_utf8(without_newline(&self.raw), line, offset)?;
        let text = if line == 1 { text.trim_start_matches('\u{FEFF}') } else { text };
        self.kind.json_row(text, line)
    }
}

/// The message of a JSON error without its line, which is always 1 here.
pub(super) fn json_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    format!("{reason} (column {})", error.column())
}
