//! The segment that grows.
//!
//! Invariant: `offset` is behind the last record that was written whole, and the file is cut
//! back to it after a write that failed. Nothing is written behind a write that failed halfway.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Action, StorageError};
use crate::fs::{Fs, FsFile, write_all_at};
use crate::head::{HEAD_BYTES, Head, Kind, StoreId};
use crate::log::reader::Position;
use crate::names;

/// Why the log does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For operators.
    pub(crate) reason: String,
    /// Only a restart helps: what is on disk is not known any more.
    pub(crate) is_fatal: bool,
}

impl Failure {
    /// A failed fsync is never repeated: the system may have thrown away what it could not write.
    pub(crate) fn of(error: &StorageError) -> Self {
        let is_fatal = matches!(error, StorageError::Io { action: Action::Sync, .. });
        Self { reason: error.one_line(), is_fatal }
    }
}

/// The last segment, open for writing.
pub(crate) struct ActiveLog {
    fs: Arc<dyn Fs>,
    folder: PathBuf,
    store: StoreId,
    file: Box<dyn FsFile>,
    path: PathBuf,
    offset: u64,
    end: Position,
}

impl ActiveLog {
    /// Makes the segment that begins at `end`.
    ///
    /// # Errors
    /// What the disk says; nothing but the new segment's file is touched.
    pub(crate) fn create(
        fs: Arc<dyn Fs>,
        folder: &Path,
        store: StoreId,
        end: Position,
    ) -> Result<Self, StorageError> {
        let path = folder.join(names::segment(end.next));
        let temporary = folder.join(names::temporary(&names::segment(end.next)));
        let head = Head::new(store, end.next, end.chain).encode(Kind::Segment);
        let file = fs.create(&temporary).map_err(StorageError::io(Action::Create, &temporary))?;
        let written = write_all_at(&*file, &head, 0);
        written.map_err(StorageError::io(Action::Write, &temporary))?;
        file.sync().map_err(StorageError::io(Action::Sync, &temporary))?;
        fs.rename(&temporary, &path).map_err(StorageError::io(Action::Rename, &temporary))?;
        fs.sync_folder(folder).map_err(StorageError::io(Action::Sync, folder))?;
        let offset = HEAD_BYTES as u64;
        Ok(Self { fs, folder: folder.to_path_buf(), store, file, path, offset, end })
    }

    /// Goes on with segment `first`, whose good content ends at `offset`.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn resume(
        fs: Arc<dyn Fs>,
        folder: &Path,
        store: StoreId,
        first: u64,
        offset: u64,
        end: Position,
    ) -> Result<Self, StorageError> {
        let path = folder.join(names::segment(first));
        let file = fs.open(&path, true).map_err(StorageError::io(Action::Open, &path))?;
        Ok(Self { fs, folder: folder.to_path_buf(), store, file, path, offset, end })
    }

    /// Length of the segment in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the log stands.
    pub(crate) fn end(&self) -> Position {
        self.end
    }

    /// Writes records behind the last one. They are not durable yet.
    ///
    /// # Errors
    /// What the disk says. The file is as it was before, or the failure is fatal.
    pub(crate) fn append(&mut self, bytes: &[u8], end: Position) -> Result<(), Failure> {
        if let Err(error) = write_all_at(&*self.file, bytes, self.offset) {
            let failed = StorageError::io(Action::Write, &self.path)(error);
            return Err(self.cut_back(&failed));
        }
        self.offset += bytes.len() as u64;
        self.end = end;
        Ok(())
    }

    fn cut_back(&self, failed: &StorageError) -> Failure {
        match self.file.truncate(self.offset) {
            Ok(()) => Failure { reason: failed.one_line(), is_fatal: false },
            Err(error) => {
                let cut = StorageError::io(Action::Truncate, &self.path)(error);
                let reason = format!("{}; then {}", failed.one_line(), cut.one_line());
                Failure { reason, is_fatal: true }
            }
        }
    }

    /// Makes everything that was written durable.
    ///
    /// # Errors
    /// What the disk says; always fatal.
    pub(crate) fn sync(&self) -> Result<(), Failure> {
        let synced = self.file.sync().map_err(StorageError::io(Action::Sync, &self.path));
        synced.map_err(|error| Failure::of(&error))
    }

    /// Begins the next segment. Everything in this one has to be durable.
    ///
    /// # Errors
    /// What the disk says. If it is not fatal, this segment goes on.
    pub(crate) fn rotate(&mut self) -> Result<(), Failure> {
        let next = Self::create(Arc::clone(&self.fs), &self.folder, self.store, self.end);
        *self = next.map_err(|error| Failure::of(&error))?;
        Ok(())
    }
}
