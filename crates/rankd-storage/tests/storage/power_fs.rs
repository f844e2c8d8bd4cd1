//! A file system that knows what a power cut would leave: of a file what it held at its last
//! fsync, under the names that the folder had at its last fsync. Nothing else is kept, however
//! long ago it was written. The end of a process changes nothing about that.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rankd_storage::{Fs, FsFile, FsLock, RealFs};
use tempfile::TempDir;

/// Content of a file at its last fsync. Shared by its names, old and new.
type OnDisk = Arc<Mutex<Vec<u8>>>;

#[derive(Default)]
struct Names {
    now: BTreeMap<PathBuf, OnDisk>,
    on_disk: BTreeMap<PathBuf, OnDisk>,
    /// The process is killed at the next fsync of the folder, just before it.
    is_to_be_killed: bool,
}

/// [`RealFs`], and what of it is on disk.
#[derive(Clone, Default)]
pub(crate) struct PowerFs(Arc<Mutex<Names>>);

impl PowerFs {
    pub(crate) fn arc(&self) -> Arc<dyn Fs> {
        Arc::new(self.clone())
    }

    /// The next fsync of the folder does not happen: the process ends there.
    pub(crate) fn kill_at_folder_sync(&self) {
        self.0.lock().is_to_be_killed = true;
    }

    /// What the next start finds after a power cut now.
    pub(crate) fn after_power_cut(&self) -> TempDir {
        let image = tempfile::tempdir().expect("a temporary folder");
        for (path, content) in &self.0.lock().on_disk {
            let name = path.file_name().expect("files have names");
            std::fs::write(image.path().join(name), &*content.lock()).expect("written");
        }
        image
    }

    fn wrap(&self, path: &Path, file: Box<dyn FsFile>) -> Box<dyn FsFile> {
        let on_disk = self.0.lock().now.get(path).cloned().unwrap_or_default();
        Box::new(PowerFile { file, on_disk })
    }
}

impl Fs for PowerFs {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        RealFs.create_folder(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealFs.list(folder)
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn FsFile>> {
        Ok(self.wrap(path, RealFs.open(path, writable)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let file = RealFs.create(path)?;
        self.0.lock().now.insert(path.to_path_buf(), OnDisk::default());
        Ok(self.wrap(path, file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFs.rename(from, to)?;
        let mut names = self.0.lock();
        let file = names.now.remove(from).expect("it was created here");
        names.now.insert(to.to_path_buf(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFs.remove(path)?;
        self.0.lock().now.remove(path);
        Ok(())
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        let mut names = self.0.lock();
        if std::mem::take(&mut names.is_to_be_killed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        names.on_disk = names.now.clone();
        Ok(())
    }

    fn lock(&self, path: &Path, owner: &str) -> io::Result<Option<Box<dyn FsLock>>> {
        RealFs.lock(path, owner)
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        RealFs.is_locked(path)
    }
}

struct PowerFile {
    file: Box<dyn FsFile>,
    on_disk: OnDisk,
}

impl FsFile for PowerFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        let length = usize::try_from(self.file.len()?).expect("tests write little");
        let mut content = vec![0; length];
        let read = self.file.read_at(&mut content, 0)?;
        assert_eq!(read, length, "regular files are read at once");
        *self.on_disk.lock() = content;
        Ok(())
    }
}
