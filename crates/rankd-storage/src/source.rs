//! Reads a file front to back in large pieces.
//!
//! Invariant: it never holds more than the longest piece that was asked for plus one read, and a
//! piece is asked for only after its length was checked against [`Source::left`].

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Action, Damage, StorageError};
use crate::fs::{Fs, FsFile, read_exact_at};
use crate::limits::READ_BYTES;

/// A file with a position.
pub(crate) struct Source {
    file: Box<dyn FsFile>,
    path: PathBuf,
    length: u64,
    offset: u64,
    buffer: Vec<u8>,
    start: usize,
}

impl Source {
    /// Opens `name` in `folder` for reading.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn open(fs: &dyn Fs, folder: &Path, name: &str) -> Result<Self, StorageError> {
        let path = folder.join(name);
        let file = fs.open(&path, false).map_err(StorageError::io(Action::Open, &path))?;
        let length = file.len().map_err(StorageError::io(Action::Measure, &path))?;
        Ok(Self { file, path, length, offset: 0, buffer: Vec::new(), start: 0 })
    }

    /// Where the next piece begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes from there to the end of the file as it was when it was opened.
    pub(crate) fn left(&self) -> u64 {
        self.length - self.offset
    }

    /// Length of the file when it was opened.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The next `count` bytes, if that many are left.
    ///
    /// # Errors
    /// What the disk says; in `Ok`, the damage that too few are left.
    pub(crate) fn take(
        &mut self,
        what: &'static str,
        count: usize,
    ) -> Result<Result<&[u8], Damage>, StorageError> {
        if self.left() < count as u64 {
            return Ok(Err(Damage::Short { what, need: count as u64, left: self.left() }));
        }
        self.make_ready(count)?;
        let piece = self.start..self.start + count;
        self.start += count;
        self.offset += count as u64;
        Ok(Ok(self.buffer.get(piece).expect("filled just now")))
    }

    /// The next `count` bytes without taking them; `None`: fewer are left.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn peek(&mut self, count: usize) -> Result<Option<&[u8]>, StorageError> {
        if self.left() < count as u64 {
            return Ok(None);
        }
        self.make_ready(count)?;
        let piece = self.start..self.start + count;
        Ok(Some(self.buffer.get(piece).expect("filled just now")))
    }

    /// Goes on at `offset`, which may lie before or behind the present one.
    pub(crate) fn seek(&mut self, offset: u64) {
        let buffered_from = self.offset - self.start as u64;
        let start = offset.checked_sub(buffered_from).and_then(|ahead| usize::try_from(ahead).ok());
        self.offset = offset.min(self.length);
        match start.filter(|start| *start <= self.buffer.len()) {
            Some(start) => self.start = start,
            None => {
                self.buffer.clear();
                self.start = 0;
            }
        }
    }

    fn make_ready(&mut self, count: usize) -> Result<(), StorageError> {
        if self.buffer.len() - self.start < count {
            self.fill(count).map_err(StorageError::io(Action::Read, &self.path))?;
        }
        Ok(())
    }

    /// Moves what is left of the buffer to its front, and reads on.
    fn fill(&mut self, count: usize) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let have = self.buffer.len();
        let unread = self.left() - have as u64;
        let more = unread.min(READ_BYTES.max(count - have) as u64);
        let more = usize::try_from(more).expect("no more than the larger of two usizes");
        self.buffer.resize(have + more, 0);
        let space = self.buffer.get_mut(have..).expect("resized just now");
        read_exact_at(&*self.file, space, self.offset + have as u64)
    }
}
