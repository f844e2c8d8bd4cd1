//! What the fuzz targets share: a folder in memory, and the property that every folder has to
//! have, whatever is in its files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rankd_engine::State;
use rankd_storage::limits::FORMAT_VERSION;
use rankd_storage::{
    EmbeddedOptions, EmbeddedStore, Fs, FsFile, FsLock, OpenReport, StorageError, Verdict, check,
};

/// The store id of every file that the targets make.
pub const STORE: [u8; 16] = *b"0123456789abcdef";
/// Name of a store's first segment.
pub const LOG: &str = "log-00000000000000000001.rlog";

/// A version that is read: the one that is written, or the one before.
#[must_use]
pub fn version(is_old: bool) -> u32 {
    FORMAT_VERSION - u32::from(is_old)
}

type Bytes = Arc<Mutex<Vec<u8>>>;

/// Files in memory. One folder, one process: the lock is always free.
#[derive(Clone, Default)]
pub struct MemFs(Arc<Mutex<BTreeMap<PathBuf, Bytes>>>);

impl MemFs {
    /// Puts a file into the folder.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        self.0.lock().insert(folder().join(name), Arc::new(Mutex::new(bytes)));
    }
}

/// The folder's name.
#[must_use]
pub fn folder() -> &'static Path {
    Path::new("data")
}

struct MemFile(Bytes);
struct MemLock;

impl FsLock for MemLock {}

impl Fs for MemFs {
    fn create_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<String>> {
        let files = self.0.lock();
        let names = files.keys().filter_map(|path| path.file_name()?.to_str());
        Ok(names.map(str::to_owned).collect())
    }

    fn open(&self, path: &Path, _writable: bool) -> io::Result<Box<dyn FsFile>> {
        let file = self.0.lock().get(path).map(Arc::clone);
        Ok(Box::new(MemFile(file.ok_or(io::ErrorKind::NotFound)?)))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let file = Bytes::default();
        self.0.lock().insert(path.to_path_buf(), Arc::clone(&file));
        Ok(Box::new(MemFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.0.lock();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_path_buf(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.lock().remove(path).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _path: &Path, _owner: &str) -> io::Result<Option<Box<dyn FsLock>>> {
        Ok(Some(Box::new(MemLock)))
    }

    fn is_locked(&self, _path: &Path) -> io::Result<bool> {
        Ok(false)
    }
}

impl FsFile for MemFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let file = self.0.lock();
        let rest = usize::try_from(offset).ok().and_then(|offset| file.get(offset..));
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(bytes.len());
        bytes[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut file = self.0.lock();
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let end = offset + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[offset..end].copy_from_slice(bytes);
        Ok(bytes.len())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().len() as u64)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.lock().truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

fn open(fs: &MemFs) -> Result<OpenReport, StorageError> {
    let options = EmbeddedOptions { store_id: Some(STORE), ..EmbeddedOptions::default() };
    EmbeddedStore::open(folder(), options, Arc::new(fs.clone()), State::new())
        .map(|(_store, report)| report)
}

/// Opens the folder. What opens was called startable and opens again, cleanly, at the same
/// sequence. What is called damaged does not open.
///
/// # Panics
/// If it is not so: that is what the fuzzer looks for.
pub fn open_and_judge(fs: &MemFs) {
    let checked = check(folder(), fs).expect("this disk does not fail");
    match open(fs) {
        Ok(report) => {
            assert_ne!(checked.verdict, Verdict::Damaged);
            assert_eq!(checked.sequence, Some(report.sequence));
            let again = open(fs).expect("what was recovered is good");
            assert_eq!(again.sequence, report.sequence);
            assert_eq!(again.torn_tail, None);
        }
        // A check does not apply the records: it may find good what a start refuses.
        Err(StorageError::Damaged { .. } | StorageError::Newer { .. }) => {}
        Err(StorageError::Layout(_)) => assert_eq!(checked.verdict, Verdict::Damaged),
        Err(other) => panic!("{other}"),
    }
}

/// The head of a first segment or of a snapshot, as the format page has it.
#[must_use]
pub fn head(version: u32, magic: &[u8; 8], sequence: u64, chain: u32) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(STORE);
    bytes.extend(sequence.to_le_bytes());
    bytes.extend(chain.to_le_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// A first segment whose records have these bodies, and good checksums.
#[must_use]
pub fn segment(version: u32, bodies: &[&[u8]]) -> Vec<u8> {
    let salt = crc32c::crc32c(&STORE);
    let mut chain = salt;
    let mut bytes = head(version, b"RANKDLOG", 1, chain);
    for (sequence, body) in (1_u64..).zip(bodies) {
        let mut record = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
        record.extend(1_u32.to_le_bytes());
        record.extend(sequence.to_le_bytes());
        record.extend((sequence - 1).to_le_bytes());
        record.extend(0_i64.to_le_bytes());
        chain = crc32c::crc32c_append(crc32c::crc32c_append(chain, &record), body);
        record.extend(chain.to_le_bytes());
        record.extend(crc32c::crc32c_append(salt, &record).to_le_bytes());
        bytes.extend(record);
        bytes.extend(*body);
    }
    bytes
}
