//! The door to the disk: everything the store does with files goes through [`Fs`], so that a
//! test can fail any call of it, or cut the power between any two.
//!
//! It is not a general file system: one folder, whole-file names, positions instead of cursors.
//! Invariant of an implementation: what was written and then synced, and what was renamed,
//! created or removed before the folder was synced, is there after a power cut.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::direct::DirectFile;

/// A folder's files. All paths are complete.
pub trait Fs: Send + Sync + 'static {
    /// Makes the folder and its parents, durably. It may exist.
    ///
    /// # Errors
    /// What the disk says.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// Names of the files in the folder, in any order.
    ///
    /// # Errors
    /// What the disk says.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Opens an existing file, for reading only unless `writable`.
    ///
    /// # Errors
    /// What the disk says, `NotFound` among it.
    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn FsFile>>;

    /// Makes an empty file for reading and writing; one that exists is emptied.
    ///
    /// # Errors
    /// What the disk says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>>;

    /// Opens an existing file that will be written from one end to the other and not read soon:
    /// its writes may pass the page cache by.
    ///
    /// # Errors
    /// What the disk says, `NotFound` among it.
    fn open_long(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        self.open(path, true)
    }

    /// Whether this is the only name of the file, so that writing to it changes no other one.
    ///
    /// # Errors
    /// What the disk says.
    fn has_one_name(&self, path: &Path) -> io::Result<bool> {
        let _ = path;
        Ok(true)
    }

    /// Gives a file another name within its folder, replacing what has that name.
    ///
    /// # Errors
    /// What the disk says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the disk says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes names in the folder durable: creations, renames and removals.
    ///
    /// # Errors
    /// What the disk says.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Locks this file against every other process and every other call, and writes `owner`
    /// into it. `None`: somebody else holds it. The lock ends with the value.
    ///
    /// # Errors
    /// What the disk says.
    fn lock(&self, path: &Path, owner: &str) -> io::Result<Option<Box<dyn FsLock>>>;

    /// Whether somebody holds the lock. Writes nothing; a missing file is not locked.
    ///
    /// # Errors
    /// What the disk says.
    fn is_locked(&self, path: &Path) -> io::Result<bool>;
}

/// An open file, addressed by position.
pub trait FsFile: Send + Sync {
    /// Reads some bytes at `offset`: at least one, except at the end of the file.
    ///
    /// # Errors
    /// What the disk says.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some of `bytes` at `offset` and says how many; the file grows as needed.
    ///
    /// # Errors
    /// What the disk says.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Length in bytes.
    ///
    /// # Errors
    /// What the disk says.
    fn len(&self) -> io::Result<u64>;

    /// Whether there is nothing in it.
    ///
    /// # Errors
    /// What the disk says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file off behind `length` bytes.
    ///
    /// # Errors
    /// What the disk says.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Makes content and length durable.
    ///
    /// # Errors
    /// What the disk says. What was not durable before may then never be.
    fn sync(&self) -> io::Result<()>;

    /// Whether whole pieces of so many bytes ([`DIRECT_ALIGN_BYTES`]), written at multiples of
    /// it, go to the disk at once instead of waiting in memory for the next fsync of any file.
    ///
    /// [`DIRECT_ALIGN_BYTES`]: crate::limits::DIRECT_ALIGN_BYTES
    fn is_direct(&self) -> bool {
        false
    }
}

/// Holds a folder's lock until it is dropped.
pub trait FsLock: Send + Sync {}

/// Writes all of `bytes` at `offset`.
///
/// # Errors
/// What the disk says; a write of nothing is `WriteZero`.
pub(crate) fn write_all_at(file: &dyn FsFile, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write_at(rest, offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => done += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads exactly `bytes.len()` bytes at `offset`.
///
/// # Errors
/// What the disk says; `UnexpectedEof` if the file ends before.
pub(crate) fn read_exact_at(file: &dyn FsFile, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFs;

struct RealLock {
    _file: File,
}

impl FsLock for RealLock {}

impl RealFs {
    /// Makes the name of a folder that is there durable: whoever made it may have been killed
    /// before that. A parent that may not be read was not made by who is kept from reading it.
    fn sync_name_of_folder(self, parent: &Path) -> io::Result<()> {
        match self.sync_folder(parent) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        }
    }
}

impl Fs for RealFs {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        if folder.is_dir() {
            return self.sync_name_of_folder(parent.unwrap_or(Path::new(".")));
        }
        if let Some(parent) = parent {
            self.create_folder(parent)?;
        }
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => self.sync_folder(parent.unwrap_or(Path::new(".")))?,
        }
        // Something else of that name is an error that the next call would put less clearly.
        if folder.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            // A name that is not UTF-8 is not one of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn FsFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(writable).open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let mut options = OpenOptions::new();
        Ok(Box::new(options.read(true).write(true).create(true).truncate(true).open(path)?))
    }

    fn open_long(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        DirectFile::open(path)
    }

    fn has_one_name(&self, path: &Path) -> io::Result<bool> {
        Ok(std::fs::symlink_metadata(path)?.nlink() == 1)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn lock(&self, path: &Path, owner: &str) -> io::Result<Option<Box<dyn FsLock>>> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.write_all_at(owner.as_bytes(), 0)?;
        Ok(Some(Box::new(RealLock { _file: file })))
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        // There is no asking without taking: the shared lock is let go at once.
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

impl FsFile for File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        // The length is content: fdatasync makes it durable, and spares the times.
        self.sync_data()
    }
}
