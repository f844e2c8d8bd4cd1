//! The store's own trait over the simulated disk: names and positions, and nothing else.

use std::io;
use std::path::Path;

use rankd_storage::{Fs, FsFile, FsLock};

use crate::disk::FileId;
use crate::fs::{Done, SimFs};
use crate::moment::Op;

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn opened(fs: &SimFs, name: &str, file: FileId) -> Box<dyn FsFile> {
    Box::new(SimFile { fs: fs.clone(), name: name.to_owned(), file })
}

impl Fs for SimFs {
    fn create_folder(&self, _folder: &Path) -> io::Result<()> {
        self.look("", |_| Ok(()))
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<String>> {
        self.look("", |disk| Ok(disk.names()))
    }

    fn open(&self, path: &Path, _writable: bool) -> io::Result<Box<dyn FsFile>> {
        let name = name_of(path);
        let file = self.look(&name, |disk| disk.open(&name))?;
        Ok(opened(self, &name, file))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let name = name_of(path);
        let file = self.change(Op::Create, &name, |disk, _, _| Ok(disk.create(&name)))?;
        Ok(opened(self, &name, file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (name_of(from), name_of(to));
        self.change(Op::Rename, &from, |disk, _, _| disk.rename(&from, &to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let name = name_of(path);
        self.change(Op::Remove, &name, |disk, _, _| disk.remove(&name))
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        self.change(Op::SyncFolder, "", |disk, _, done| {
            if done == Done::Whole {
                disk.sync_names();
            }
            Ok(())
        })
    }

    fn lock(&self, _path: &Path, _owner: &str) -> io::Result<Option<Box<dyn FsLock>>> {
        self.look("", |_| Ok(()))?;
        let is_taken = self.set_locked(true);
        Ok(is_taken.then(|| Box::new(SimLock(self.clone())) as Box<dyn FsLock>))
    }

    fn is_locked(&self, _path: &Path) -> io::Result<bool> {
        Ok(self.has_owner())
    }
}

struct SimLock(SimFs);

impl FsLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let _let_go = self.0.set_locked(false);
    }
}

struct SimFile {
    fs: SimFs,
    name: String,
    file: FileId,
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("simulated files are small")
}

impl FsFile for SimFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.fs.look(&self.name, |disk| Ok(disk.read(self.file, bytes, place(offset))))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.fs.change(Op::Write, &self.name, |disk, _, done| {
            let count = if done == Done::Half { bytes.len() / 2 } else { bytes.len() };
            let written = bytes.get(..count).unwrap_or_default();
            disk.write(self.file, written, place(offset));
            Ok(count)
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.fs.look(&self.name, |disk| Ok(disk.length(self.file) as u64))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.fs.change(Op::Truncate, &self.name, |disk, _, _| {
            disk.truncate(self.file, place(length));
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.fs.change(Op::Sync, &self.name, |disk, random, done| {
            match done {
                Done::Whole => disk.sync(self.file),
                Done::Lost => disk.sync_and_lose(self.file, random),
                Done::Half | Done::Forgotten => {}
            }
            Ok(())
        })
    }
}
