//! Physical lines with their numbers, bounded in length.

use std::io::{BufRead, Read as _};

use super::error::{RECORD_BYTES_MAX, ReadError};

/// Lines of a stream, counted by newline bytes.
pub(crate) struct Lines<R> {
    input: R,
    /// Lines handed out.
    pub(crate) count: u64,
    /// Bytes handed out.
    pub(crate) bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, count: 0, bytes: 0 }
    }

    /// Appends the next line, with its newline, to `out`; `false` at the end of the stream.
    pub(crate) fn append_next(&mut self, out: &mut Vec<u8>) -> Result<bool, ReadError> {
        let limit = RECORD_BYTES_MAX as u64 + 1;
        let read = (&mut self.input)
            .take(limit)
            .read_until(b'\n', out)
            .map_err(|source| ReadError::Io { after_line: self.count, source })?;
        if read == 0 {
            return Ok(false);
        }
        self.count += 1;
        self.bytes += read as u64;
        if read > RECORD_BYTES_MAX {
            return Err(ReadError::LineTooLong { line: self.count });
        }
        Ok(true)
    }
}

/// `line` without its `\n` or `\r\n`.
pub(crate) fn without_newline(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
