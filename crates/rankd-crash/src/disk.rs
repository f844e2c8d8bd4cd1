//! A disk in memory that knows what a power cut would leave of it.
//!
//! What it is: one folder of files with a *live* image, which the running process sees, and a
//! *durable* one, which fsync moves forward; between the two, every edit that was not synced. A
//! power cut takes the durable image and lets chance decide, edit by edit and sector by sector,
//! what else had reached the disk; the names of files likewise. A file's fsync does not make its
//! name durable. What it is not: a model of one file system; it is weaker than any of them.
//! Invariant: what was synced is in every image. Cost: a copy of each write; O(edits) a cut.

use std::collections::BTreeMap;
use std::io;

use crate::random::Random;

/// What a disk writes as a whole, in bytes.
pub const SECTOR_BYTES: usize = 512;

/// Number of a file, whatever its name is.
pub type FileId = usize;

type Names = BTreeMap<String, FileId>;

/// Something done to a file's content since its last fsync.
#[derive(Debug, Clone)]
enum Edit {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

/// Something done to the names since the folder's last fsync.
#[derive(Debug, Clone)]
enum NameEdit {
    Create(String, FileId),
    Rename { from: String, to: String, file: FileId },
    Remove(String),
}

#[derive(Debug, Clone, Default)]
struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    edits: Vec<Edit>,
}

/// How much of what was not synced a power cut leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Luck {
    Nothing,
    Everything,
    /// What was done first, up to some point.
    Prefix,
    /// Any of it.
    Scattered,
}

/// The disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    live: Names,
    durable: Names,
    name_edits: Vec<NameEdit>,
}

impl Disk {
    /// A disk with these files, all durable.
    #[must_use]
    pub fn with_files(files: &[(&str, &[u8])]) -> Self {
        let mut disk = Self::default();
        for (name, bytes) in files {
            disk.put(name, bytes.to_vec());
        }
        disk
    }

    fn put(&mut self, name: &str, bytes: Vec<u8>) {
        let file = self.files.len();
        self.files.push(File { live: bytes.clone(), durable: bytes, edits: Vec::new() });
        self.live.insert(name.to_owned(), file);
        self.durable.insert(name.to_owned(), file);
    }

    /// Every file as the running process sees it.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.live.iter().map(|(name, file)| (name.as_str(), self.file(*file).live.as_slice()))
    }

    /// Digest of all names, and of what is in the log: the order of display names in a snapshot
    /// differs from process to process.
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.files().fold(0, |digest, (name, bytes)| {
            let digest = crc32c::crc32c_append(digest, name.as_bytes());
            if name.ends_with(".rlog") { crc32c::crc32c_append(digest, bytes) } else { digest }
        })
    }

    /// The names that the running process sees.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.live.keys().cloned().collect()
    }

    fn file(&self, file: FileId) -> &File {
        self.files.get(file).expect("numbers are given out by this disk")
    }

    fn file_mut(&mut self, file: FileId) -> &mut File {
        self.files.get_mut(file).expect("numbers are given out by this disk")
    }

    /// Finds a file by its name.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn open(&self, name: &str) -> io::Result<FileId> {
        self.live.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Makes an empty file, or empties the one of that name.
    pub fn create(&mut self, name: &str) -> FileId {
        if let Some(file) = self.live.get(name).copied() {
            self.truncate(file, 0);
            return file;
        }
        let file = self.files.len();
        self.files.push(File::default());
        self.live.insert(name.to_owned(), file);
        self.name_edits.push(NameEdit::Create(name.to_owned(), file));
        file
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let file = self.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.live.insert(to.to_owned(), file);
        let (from, to) = (from.to_owned(), to.to_owned());
        self.name_edits.push(NameEdit::Rename { from, to, file });
        Ok(())
    }

    /// Takes a name away.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn remove(&mut self, name: &str) -> io::Result<()> {
        self.live.remove(name).ok_or(io::ErrorKind::NotFound)?;
        self.name_edits.push(NameEdit::Remove(name.to_owned()));
        Ok(())
    }

    /// Makes the names durable.
    pub fn sync_names(&mut self) {
        self.durable = self.live.clone();
        self.name_edits.clear();
    }

    /// Length of a file in bytes.
    #[must_use]
    pub fn length(&self, file: FileId) -> usize {
        self.file(file).live.len()
    }

    /// Copies what is at `offset` into `bytes` and says how much that was.
    pub fn read(&self, file: FileId, bytes: &mut [u8], offset: usize) -> usize {
        let rest = self.file(file).live.get(offset..).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        for (to, from) in bytes.iter_mut().zip(rest) {
            *to = *from;
        }
        count
    }

    /// Writes, without making it durable.
    pub fn write(&mut self, file: FileId, bytes: &[u8], offset: usize) {
        let edit = Edit::Write { offset, bytes: bytes.to_vec() };
        let file = self.file_mut(file);
        edit.apply(&mut file.live);
        file.edits.push(edit);
    }

    /// Cuts off, without making it durable.
    pub fn truncate(&mut self, file: FileId, length: usize) {
        let edit = Edit::Truncate { length };
        let file = self.file_mut(file);
        edit.apply(&mut file.live);
        file.edits.push(edit);
    }

    /// Makes durable what was done to the content.
    pub fn sync(&mut self, file: FileId) {
        let File { durable, edits, .. } = self.file_mut(file);
        for edit in edits.drain(..) {
            edit.apply(durable);
        }
    }

    /// An fsync that fails as those of Linux do: some of the edits reach the disk, and the others
    /// count as clean from now on, so that the next fsync passes over them.
    pub fn sync_and_lose(&mut self, file: FileId, random: &mut Random) {
        let file = self.file_mut(file);
        let luck = Luck::draw(random);
        file.durable = luck.content(file, random);
        file.edits.clear();
    }

    /// What the next start finds after a power cut now.
    #[must_use]
    pub fn after_power_cut(&self, random: &mut Random) -> Self {
        let names = self.names_after_power_cut(&mut random.branch());
        let mut after = Self::default();
        for (name, file) in names {
            // A branch for each: how often one file draws must not decide about another.
            let random = &mut random.branch();
            let content = Luck::draw(random).content(self.file(file), random);
            after.put(&name, content);
        }
        after
    }

    fn names_after_power_cut(&self, random: &mut Random) -> Names {
        let mut names = self.durable.clone();
        let luck = Luck::draw(random);
        let first = random.up_to(self.name_edits.len());
        for (index, edit) in self.name_edits.iter().enumerate() {
            let is_kept = match luck {
                Luck::Nothing => false,
                Luck::Everything => true,
                Luck::Prefix => index < first,
                Luck::Scattered => random.one_in(2),
            };
            if is_kept {
                edit.apply(&mut names);
            }
        }
        names
    }
}

impl NameEdit {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Create(name, file) => drop(names.insert(name.clone(), *file)),
            Self::Rename { from, to, file } => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
            Self::Remove(name) => drop(names.remove(name)),
        }
    }
}

impl Edit {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => overwrite(content, *offset, bytes),
            Self::Truncate { length } => content.resize(*length, 0),
        }
    }
}

/// Writes over and behind `content`; a gap is zeros.
fn overwrite(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content.get_mut(offset..end).expect("made long enough").copy_from_slice(bytes);
}

impl Luck {
    fn draw(random: &mut Random) -> Self {
        match random.below(6) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2 | 3 => Self::Prefix,
            _ => Self::Scattered,
        }
    }

    fn content(self, file: &File, random: &mut Random) -> Vec<u8> {
        match self {
            Self::Nothing => file.durable.clone(),
            Self::Everything => {
                let mut content = file.durable.clone();
                file.edits.iter().for_each(|edit| edit.apply(&mut content));
                content
            }
            Self::Prefix => prefix(file, random),
            Self::Scattered => scattered(file, random),
        }
    }
}

/// Some of the first edits, and of the one behind them some of the first sectors.
fn prefix(file: &File, random: &mut Random) -> Vec<u8> {
    let mut content = file.durable.clone();
    let whole = random.up_to(file.edits.len());
    file.edits.iter().take(whole).for_each(|edit| edit.apply(&mut content));
    if let Some(Edit::Write { offset, bytes }) = file.edits.get(whole) {
        let sectors = random.up_to(bytes.len() / SECTOR_BYTES + 1);
        let end = (offset / SECTOR_BYTES + sectors) * SECTOR_BYTES;
        let count = end.saturating_sub(*offset).min(bytes.len());
        overwrite(&mut content, *offset, bytes.get(..count).unwrap_or_default());
    }
    content
}

/// Any of the sectors that were written to, each as it was after any of its writes. Behind the
/// last of them, the length may have grown without content; what nobody wrote there is zeros, or
/// now and then noise.
fn scattered(file: &File, random: &mut Random) -> Vec<u8> {
    let filler = if random.one_in(8) { random.byte() } else { 0 };
    let (mut seen, mut kept) = (file.durable.clone(), file.durable.clone());
    for edit in &file.edits {
        edit.apply(&mut seen);
        match edit {
            Edit::Truncate { length } => {
                if random.one_in(2) {
                    kept.resize(*length, filler);
                }
            }
            Edit::Write { offset, bytes } => {
                keep_sectors(&seen, &mut kept, *offset, bytes.len(), filler, random);
            }
        }
    }
    if kept.len() < seen.len() && random.one_in(2) {
        kept.resize(seen.len(), filler);
    }
    kept
}

fn keep_sectors(
    seen: &[u8],
    kept: &mut Vec<u8>,
    offset: usize,
    count: usize,
    filler: u8,
    random: &mut Random,
) {
    let first = offset / SECTOR_BYTES;
    let last = (offset + count).div_ceil(SECTOR_BYTES);
    for start in (first..last).map(|sector| sector * SECTOR_BYTES) {
        if random.one_in(2) {
            let end = (start + SECTOR_BYTES).min(seen.len());
            if kept.len() < start {
                kept.resize(start, filler);
            }
            overwrite(kept, start, seen.get(start..end).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of which one sector is durable, and three that are not were written behind it.
    fn written() -> (Disk, FileId) {
        let mut disk = Disk::with_files(&[("a", &[1; SECTOR_BYTES])]);
        let file = disk.open("a").unwrap();
        disk.write(file, &[2; 3 * SECTOR_BYTES], SECTOR_BYTES);
        (disk, file)
    }

    fn content(disk: &Disk, name: &str) -> Vec<u8> {
        let (_, bytes) = disk.files().find(|(found, _)| *found == name).expect("it is there");
        bytes.to_vec()
    }

    #[test]
    fn what_was_synced_is_in_every_image() {
        let (mut disk, file) = written();
        disk.sync(file);
        for seed in 0..500 {
            let after = disk.after_power_cut(&mut Random::new(seed));
            assert_eq!(content(&after, "a"), content(&disk, "a"));
        }
    }

    #[test]
    fn what_was_not_synced_is_lost_kept_or_torn_at_sectors() {
        let (disk, _) = written();
        let mut images = std::collections::BTreeSet::new();
        for seed in 0..500 {
            let after = content(&disk.after_power_cut(&mut Random::new(seed)), "a");
            assert_eq!(after[..SECTOR_BYTES], [1; SECTOR_BYTES]);
            let sectors: Vec<_> = after.chunks(SECTOR_BYTES).collect();
            assert!(sectors.iter().all(|sector| sector.iter().all(|byte| *byte == sector[0])));
            images.insert(sectors.iter().map(|sector| sector[0] == 2).collect::<Vec<_>>());
        }
        for expected in [&[false][..], &[false, true, true, true], &[false, false, true]] {
            assert!(images.contains(expected), "{expected:?} of {images:?}");
        }
    }

    #[test]
    fn a_name_that_was_not_synced_may_vanish_or_come_back() {
        let mut disk = Disk::with_files(&[("old", b"old")]);
        let file = disk.create("new.tmp");
        disk.write(file, b"new", 0);
        disk.sync(file);
        disk.rename("new.tmp", "new").unwrap();
        disk.remove("old").unwrap();
        let image = |seed| disk.after_power_cut(&mut Random::new(seed)).names();
        let images: std::collections::BTreeSet<_> = (0..500).map(image).collect();
        for expected in [&["old"][..], &["new"], &["new", "old"], &["new.tmp", "old"], &[]] {
            let expected: Vec<_> = expected.iter().map(|name| (*name).to_owned()).collect();
            assert!(images.contains(&expected), "{expected:?} of {images:?}");
        }
        disk.sync_names();
        assert_eq!(disk.after_power_cut(&mut Random::new(1)).names(), ["new"]);
    }

    #[test]
    fn what_a_failed_fsync_lost_no_later_one_brings_back() {
        let lost = (0..100).filter(|seed| {
            let (mut disk, file) = written();
            disk.sync_and_lose(file, &mut Random::new(*seed));
            disk.sync(file);
            let after = disk.after_power_cut(&mut Random::new(*seed));
            content(&after, "a") != content(&disk, "a")
        });
        assert!(lost.count() > 20);
    }
}
