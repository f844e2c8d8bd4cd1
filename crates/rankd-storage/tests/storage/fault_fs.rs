//! A file system that fails on demand, can hold up fsyncs, and remembers what was done.

use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use rankd_storage::{Fs, FsFile, FsLock, RealFs};

pub(crate) const EIO: i32 = 5;
pub(crate) const ENOSPC: i32 = 28;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    Write,
    Sync,
    SyncFolder,
    Rename,
    Remove,
    Truncate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Fails with this error number.
    Errno(i32),
    /// Half of the bytes are written; every write after that fails for want of space.
    Short,
    /// The thread panics.
    Panic,
}

/// Calls of `op` on files whose names have `part` in them, from the `nth` (1: the next) on.
#[derive(Debug, Clone, Copy)]
struct Rule {
    op: Option<Op>,
    part: &'static str,
    nth: u64,
    fault: Fault,
    is_once: bool,
}

#[derive(Default)]
struct Shared {
    rules: Vec<Rule>,
    trace: Vec<(Op, String)>,
    is_gate_closed: bool,
    held: u64,
}

/// [`RealFs`] with faults.
#[derive(Clone, Default)]
pub(crate) struct FaultFs {
    shared: Arc<(Mutex<Shared>, Condvar)>,
}

impl FaultFs {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn arc(&self) -> Arc<dyn Fs> {
        Arc::new(self.clone())
    }

    /// From now on, until [`FaultFs::heal`].
    pub(crate) fn fail(&self, op: Op, part: &'static str, fault: Fault) {
        self.plan(Rule { op: Some(op), part, nth: 1, fault, is_once: false });
    }

    /// The `nth` changing call from now, whatever it is, and everything after it: a crash.
    pub(crate) fn crash_at(&self, nth: u64) {
        self.plan(Rule { op: None, part: "", nth, fault: Fault::Errno(EIO), is_once: false });
    }

    /// Only the `nth` changing call from now, whatever it is.
    pub(crate) fn fail_nth(&self, nth: u64) {
        self.plan(Rule { op: None, part: "", nth, fault: Fault::Errno(EIO), is_once: true });
    }

    fn plan(&self, rule: Rule) {
        self.shared.0.lock().rules.push(rule);
    }

    pub(crate) fn heal(&self) {
        self.shared.0.lock().rules.clear();
    }

    /// What was changed since the last call, with file names.
    pub(crate) fn take_trace(&self) -> Vec<(Op, String)> {
        std::mem::take(&mut self.shared.0.lock().trace)
    }

    /// Holds up every fsync of a file until the gate is opened.
    pub(crate) fn close_gate(&self) {
        self.shared.0.lock().is_gate_closed = true;
    }

    pub(crate) fn open_gate(&self) {
        self.shared.0.lock().is_gate_closed = false;
        self.shared.1.notify_all();
    }

    /// Fsyncs that wait at the gate.
    pub(crate) fn held(&self) -> u64 {
        self.shared.0.lock().held
    }

    /// Notes the call; `Err`, or true for a short write, if it is to fail.
    fn call(&self, op: Op, path: &Path) -> io::Result<bool> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut shared = self.shared.0.lock();
        if op == Op::Sync {
            shared.held += 1;
            while shared.is_gate_closed {
                self.shared.1.wait(&mut shared);
            }
            shared.held -= 1;
        }
        let applying = |rule: &mut Rule| rule.applies(op, &name);
        match shared.rules.iter_mut().find_map(applying) {
            Some(Fault::Errno(number)) => Err(io::Error::from_raw_os_error(number)),
            Some(Fault::Panic) => {
                drop(shared);
                panic!("a fault was asked for")
            }
            Some(Fault::Short) => Ok(true),
            None => {
                shared.trace.push((op, name));
                Ok(false)
            }
        }
    }
}

impl Rule {
    fn applies(&mut self, op: Op, name: &str) -> Option<Fault> {
        if self.op.is_some_and(|wanted| wanted != op) || !name.contains(self.part) {
            return None;
        }
        self.nth = self.nth.saturating_sub(1);
        match self.nth {
            0 => {
                if self.is_once {
                    // Never again.
                    self.nth = u64::MAX;
                }
                let fault = self.fault;
                if fault == Fault::Short {
                    self.fault = Fault::Errno(ENOSPC);
                }
                Some(fault)
            }
            _ => None,
        }
    }
}

impl Fs for FaultFs {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        RealFs.create_folder(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealFs.list(folder)
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn FsFile>> {
        self.wrap(path, RealFs.open(path, writable)?)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        self.call(Op::Create, path)?;
        self.wrap(path, RealFs.create(path)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Op::Rename, to)?;
        RealFs.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(Op::Remove, path)?;
        RealFs.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.call(Op::SyncFolder, Path::new("folder"))?;
        RealFs.sync_folder(folder)
    }

    fn lock(&self, path: &Path, owner: &str) -> io::Result<Option<Box<dyn FsLock>>> {
        RealFs.lock(path, owner)
    }

    fn is_locked(&self, path: &Path) -> io::Result<bool> {
        RealFs.is_locked(path)
    }
}

impl FaultFs {
    fn wrap(&self, path: &Path, file: Box<dyn FsFile>) -> io::Result<Box<dyn FsFile>> {
        Ok(Box::new(FaultFile { fs: self.clone(), path: path.to_path_buf(), file }))
    }
}

struct FaultFile {
    fs: FaultFs,
    path: std::path::PathBuf,
    file: Box<dyn FsFile>,
}

impl FsFile for FaultFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let is_short = self.fs.call(Op::Write, &self.path)?;
        let count = if is_short { bytes.len() / 2 } else { bytes.len() };
        self.file.write_at(&bytes[..count], offset)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.fs.call(Op::Truncate, &self.path)?;
        self.file.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.fs.call(Op::Sync, &self.path)?;
        self.file.sync()
    }
}
