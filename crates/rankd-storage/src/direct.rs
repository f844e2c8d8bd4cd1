//! A file whose writes go to the disk past the page cache (`O_DIRECT`, open(2)).
//!
//! What it is for: a snapshot leaves no unwritten pages behind, which the log's next fsync would
//! have to write first. What it is not: durable before it is synced; the disk has a cache, too.
//! Invariant: what does not fit the rules of such writes goes through the page cache, so every
//! write is taken, and the kernel keeps both ways coherent. Cost: one copy of what is written, into
//! memory that begins at a page; no page is left in the cache for who reads the file later.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use parking_lot::Mutex;
use rustix::fs::OFlags;

use crate::fs::{Fs, FsFile, RealFs};
use crate::limits::{DIRECT_ALIGN_BYTES, DIRECT_BYTES};

/// See the module's head.
pub(crate) struct DirectFile {
    cached: Box<dyn FsFile>,
    direct: File,
    /// Holds [`DIRECT_BYTES`] from a page's beginning on.
    room: Mutex<Vec<u8>>,
}

impl DirectFile {
    /// Opens a file. An ordinary one where the file system has no such writes.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn open(path: &Path) -> io::Result<Box<dyn FsFile>> {
        let cached = RealFs.open(path, true)?;
        let flags = OFlags::DIRECT.bits().cast_signed();
        match OpenOptions::new().write(true).custom_flags(flags).open(path) {
            Err(_) => Ok(cached),
            Ok(direct) => {
                let room = Mutex::new(vec![0; DIRECT_BYTES + DIRECT_ALIGN_BYTES]);
                Ok(Box::new(Self { cached, direct, room }))
            }
        }
    }

    /// Writes some of `bytes`, which begin and end at multiples of a page in the file.
    fn write_direct(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut room = self.room.lock();
        let start = room.as_ptr().align_offset(DIRECT_ALIGN_BYTES);
        let length = bytes.len().min(DIRECT_BYTES);
        let aligned = &mut room[start..start + length];
        aligned.copy_from_slice(&bytes[..length]);
        FileExt::write_at(&self.direct, aligned, offset)
    }
}

impl FsFile for DirectFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.cached.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let whole = bytes.len() - bytes.len() % DIRECT_ALIGN_BYTES;
        if whole == 0 || !offset.is_multiple_of(DIRECT_ALIGN_BYTES as u64) {
            return self.cached.write_at(bytes, offset);
        }
        match self.write_direct(&bytes[..whole], offset) {
            // Some file systems say only now that they have no such writes.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.cached.write_at(bytes, offset)
            }
            written => written,
        }
    }

    fn len(&self) -> io::Result<u64> {
        self.cached.len()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.cached.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.cached.sync()
    }

    fn is_direct(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::write_all_at;

    /// Pieces of any length arrive as they were written, whichever way each of them goes.
    #[test]
    fn pieces_of_any_length_are_in_the_file_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        RealFs.create(&path).expect("a file");
        let file = DirectFile::open(&path).expect("a file");
        let lengths = [1, 4095, 4096, 0, 8192, 12_289, DIRECT_BYTES, 3 * DIRECT_BYTES + 7, 4089];
        let mut expected = Vec::new();
        for (piece, length) in (1_u8..).zip(lengths) {
            let bytes: Vec<u8> = (0..=250).cycle().map(|at| piece ^ at).take(length).collect();
            write_all_at(&*file, &bytes, expected.len() as u64).expect("it is written");
            expected.extend_from_slice(&bytes);
        }
        file.sync().expect("it is synced");
        assert_eq!(file.len().expect("a length"), expected.len() as u64);
        assert!(std::fs::read(&path).expect("it is read") == expected);
    }

    /// What was in a file stays where nothing is written, and is cut off where it is asked for.
    #[test]
    fn a_file_is_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 100_000]).expect("it is written");
        let file = DirectFile::open(&path).expect("a file");
        write_all_at(&*file, &[1; 8192], 4096).expect("it is written");
        file.truncate(13_000).expect("it is cut off");
        let expected = [[7; 4096].as_slice(), &[1; 8192], &[7; 712]].concat();
        assert!(std::fs::read(&path).expect("it is read") == expected);
    }
}
