//! What can be wrong with a stream of rows. Every message names the line and what is there.

use std::fmt;

use crate::output::counted;

/// Longest member name that the HTTP API takes, in bytes of UTF-8.
pub(crate) const MEMBER_BYTES_MAX: usize = 512;
/// Longest record, in bytes, over all its lines.
pub(crate) const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// Longest row of an organisation as JSON, in bytes.
pub(crate) const ITEM_BYTES_MAX: usize = 64 * 1024;
/// Longest part of a bad value that a message repeats, in characters.
const SHOWN_CHARS_MAX: usize = 60;

/// Why a row, or the rest of the stream, cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("cannot read the input after line {after_line}")]
    Io { after_line: u64, source: std::io::Error },
    #[error("the input is empty; CSV starts with a header line that names the columns")]
    Empty,
    #[error("the header (line {line}) has no column `{column}`; it has: {header}{hint}")]
    MissingColumn { line: u64, column: String, header: String, hint: &'static str },
    #[error("the header (line {line}) names the column `{column}` twice")]
    AmbiguousColumn { line: u64, column: String },
    #[error("line {line} does not end within {RECORD_BYTES_MAX} bytes")]
    LineTooLong { line: u64 },
    #[error("line {line}, column {column}: the quote that opens here is never closed{within}")]
    OpenQuote { line: u64, column: Column, within: &'static str },
    #[error(
        "line {line} (byte {byte} of the line, byte {offset} of the input): the byte \
             0x{value:02X} is not UTF-8{hint}"
    )]
    Encoding { line: u64, byte: u64, offset: u64, value: u8, hint: &'static str },
    #[error("line {line} has {}, but the header has {header}", counted(*fields as u64, "field"))]
    FieldCount { line: u64, fields: usize, header: usize },
    #[error(
        "line {line}, column {column}: there is text after the closing quote; a quote within \
             quotes is written twice"
    )]
    TextAfterQuote { line: u64, column: Column },
    #[error("line {line}, column {column}: {reason}")]
    Field { line: u64, column: Column, reason: String },
    #[error("line {line} is not a JSON object: {reason}")]
    Json { line: u64, reason: String },
    #[error("line {line} is no {what}: {reason}")]
    Item { line: u64, what: &'static str, reason: String },
    #[error("line {line} comes to {bytes} bytes as JSON; at most {ITEM_BYTES_MAX} are allowed")]
    ItemTooLong { line: u64, bytes: usize },
    #[error(
        "the header (line {line}) has the column `{}`, which means nothing here; there may be: \
         {known}",
        shown(column)
    )]
    UnknownColumn { line: u64, column: String, known: String },
}

impl ReadError {
    /// The line to look at, which the message has; `None` where the whole input is at fault.
    #[cfg(test)]
    pub(crate) fn line(&self) -> Option<u64> {
        match self {
            Self::Empty => None,
            Self::Io { after_line, .. } => Some(after_line + 1),
            Self::MissingColumn { line, .. }
            | Self::AmbiguousColumn { line, .. }
            | Self::LineTooLong { line }
            | Self::OpenQuote { line, .. }
            | Self::Encoding { line, .. }
            | Self::FieldCount { line, .. }
            | Self::TextAfterQuote { line, .. }
            | Self::Field { line, .. }
            | Self::Json { line, .. }
            | Self::Item { line, .. }
            | Self::ItemTooLong { line, .. }
            | Self::UnknownColumn { line, .. } => Some(*line),
        }
    }

    /// Whether the records after this one can be told apart from it.
    pub(crate) fn is_skippable(&self) -> bool {
        matches!(
            self,
            Self::Encoding { .. }
                | Self::FieldCount { .. }
                | Self::TextAfterQuote { .. }
                | Self::Field { .. }
                | Self::Json { .. }
                | Self::Item { .. }
                | Self::ItemTooLong { .. }
        )
    }
}

/// A column by its name, or by its number from 1 where there is no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    Named(String),
    Numbered(usize),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "`{}`", shown(name)),
            Self::Numbered(number) => write!(f, "{number}"),
        }
    }
}

/// `value` as a message shows it: its beginning, with control characters escaped.
pub(crate) fn shown(value: &str) -> String {
    let start: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    let mut text = crate::output::visible(&start);
    if value.chars().nth(SHOWN_CHARS_MAX).is_some() {
        text.push_str("...");
    }
    text
}

/// The error for the first byte of `raw` that is not UTF-8, if there is one. `raw` starts at
/// `line` and at byte `offset` of the input.
pub(crate) fn check_utf8(raw: &[u8], line: u64, offset: u64) -> Result<&str, ReadError> {
    let error = match std::str::from_utf8(raw) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let (before, rest) = raw.split_at(error.valid_up_to());
    let newlines = before.iter().filter(|&&byte| byte == b'\n').count();
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let hint = if offset == 0 && raw.starts_with(b"\x1F\x8B") {
        "; the file looks like gzip: unpack it first"
    } else if offset == 0 && (raw.starts_with(b"\xFF\xFE") || raw.starts_with(b"\xFE\xFF")) {
        "; the file looks like UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"
    } else {
        "; if the file is Latin-1, convert it with `iconv -f LATIN1 -t UTF-8`"
    };
    Err(ReadError::Encoding {
        line: line + newlines as u64,
        byte: (before.len() - line_start) as u64 + 1,
        offset: offset + before.len() as u64 + 1,
        value: rest.first().copied().unwrap_or_default(),
        hint,
    })
}
