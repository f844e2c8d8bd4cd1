//! A copy of a state with a note beside it, for a store that keeps its data elsewhere and only
//! wants to start sooner.
//!
//! What it is: one snapshot file, and a file `note` whose first line names it. What it is not: the
//! only place of anything; whatever is wrong with a copy, the store does without. Invariant: the
//! note names a snapshot that was durable before the note was, and a snapshot is found good before
//! any of it gets into a state. Cost: that of a snapshot, and of a load.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rankd_engine::{Clock, Cut, SnapshotReport, State};

use crate::error::{Action, StorageError};
use crate::fs::{Fs, FsLock, write_all_at};
use crate::meter::Meter;
use crate::names;
use crate::recovery::{random_id, take_lock};
use crate::snapshot::load::load;
use crate::snapshot::read::SnapshotReader;
use crate::snapshot::write::Target;

/// The note's file name.
const NOTE: &str = "note";
/// Longest note that is read, in bytes.
const NOTE_BYTES_MAX: usize = 1 << 20;

/// A folder with a copy, which this process has to itself.
pub struct CopyFolder {
    folder: PathBuf,
    fs: Arc<dyn Fs>,
    clock: Arc<dyn Clock>,
    _lock: Box<dyn FsLock>,
}

impl CopyFolder {
    /// Makes the folder if it is not there, and takes it.
    ///
    /// # Errors
    /// What the disk says; that another process has it.
    pub fn open(
        folder: &Path,
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StorageError> {
        fs.create_folder(folder).map_err(StorageError::io(Action::Create, folder))?;
        let lock = take_lock(&*fs, folder)?;
        Ok(Self { folder: folder.to_owned(), fs, clock, _lock: lock })
    }

    /// Fills the empty `state` from the copy and returns the note. `None`: there is no copy, or
    /// none that is good, and the state is still empty.
    ///
    /// # Errors
    /// If the copy turns out to be bad while it is read. The state is then half full, and of no
    /// use.
    pub fn load(&self, state: &State) -> Result<Option<String>, StorageError> {
        let Some((name, note)) = self.note() else { return Ok(None) };
        let open = || SnapshotReader::open_file(&*self.fs, &self.folder, &name);
        let tell = &mut |_| {};
        let mut meter = Meter::new(0, tell);
        if open().and_then(|reader| reader.verify(&mut meter)).is_err() {
            return Ok(None);
        }
        load(open()?, state, &mut meter)?;
        Ok(Some(note))
    }

    /// Writes the cut and its note in the place of the copy that was there.
    ///
    /// # Errors
    /// What the disk says. The earlier copy is then as it was.
    pub fn keep(&self, cut: Cut, note: &str) -> Result<SnapshotReport, StorageError> {
        let target = Target {
            fs: &*self.fs,
            folder: &self.folder,
            store: random_id()?,
            spare: None,
            clock: &*self.clock,
            is_stopped: &|| false,
            tell: &|_| {},
        };
        let report = target.write(cut)?;
        self.write_note(&format!("{}\n{note}", report.file))?;
        self.remove_others(&report.file)?;
        Ok(report)
    }

    /// The snapshot that the note names, and the rest of the note.
    fn note(&self) -> Option<(String, String)> {
        let file = self.fs.open(&self.folder.join(NOTE), false).ok()?;
        let length = usize::try_from(file.len().ok()?).ok().filter(|len| *len <= NOTE_BYTES_MAX)?;
        let mut bytes = vec![0; length];
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, done as u64) {
                Ok(0) => return None,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        let text = String::from_utf8(bytes).ok()?;
        let (name, note) = text.split_once('\n')?;
        // A name, not a way out of the folder.
        is_snapshot(name).then(|| (name.to_owned(), note.to_owned()))
    }

    fn write_note(&self, text: &str) -> Result<(), StorageError> {
        let path = self.folder.join(NOTE);
        let temporary = self.folder.join(names::temporary(NOTE));
        let file =
            self.fs.create(&temporary).map_err(StorageError::io(Action::Create, &temporary))?;
        let written = write_all_at(&*file, text.as_bytes(), 0);
        written.map_err(StorageError::io(Action::Write, &temporary))?;
        file.sync().map_err(StorageError::io(Action::Sync, &temporary))?;
        let renamed = self.fs.rename(&temporary, &path);
        renamed.map_err(StorageError::io(Action::Rename, &temporary))?;
        self.fs.sync_folder(&self.folder).map_err(StorageError::io(Action::Sync, &self.folder))
    }

    /// Removes every other snapshot, also one that was not finished.
    fn remove_others(&self, kept: &str) -> Result<(), StorageError> {
        let names = self.fs.list(&self.folder);
        let names = names.map_err(StorageError::io(Action::List, &self.folder))?;
        let is_other = |name: &&String| {
            let finished = name.strip_suffix(".tmp").unwrap_or(name);
            is_snapshot(finished) && *name != kept
        };
        for name in names.iter().filter(is_other) {
            let path = self.folder.join(name);
            self.fs.remove(&path).map_err(StorageError::io(Action::Remove, &path))?;
        }
        Ok(())
    }
}

fn is_snapshot(name: &str) -> bool {
    let number = name.strip_prefix("snapshot-").and_then(|rest| rest.strip_suffix(".rsnap"));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use rankd_engine::{Batch, Change, ChangeSink, Intent, RankStyle, Score, SystemClock};

    use super::*;
    use crate::fs::RealFs;

    struct At(u64);

    impl ChangeSink for At {
        fn append(&self, _accepted_ms: i64, _changes: Vec<Change>) -> u64 {
            self.0
        }

        fn last_sequence(&self) -> u64 {
            self.0
        }
    }

    fn folder(path: &Path) -> Result<CopyFolder, StorageError> {
        CopyFolder::open(path, Arc::new(RealFs), Arc::new(SystemClock))
    }

    fn state(score: i64) -> Arc<State> {
        let state = State::new();
        let write = Intent::Write {
            board: b"b".as_slice().into(),
            member: b"ada".as_slice().into(),
            score: Score::Integer(score),
            operator: None,
            at_ms: None,
        };
        state.execute(&Batch::new(vec![write], 1), &At(0)).expect("carried out");
        state
    }

    fn keep(copy: &CopyFolder, number: u64, score: i64) {
        let cut = state(score).begin_cut(&At(number)).expect("no other cut");
        copy.keep(cut, &format!("note {number}\n")).expect("kept");
    }

    fn score(state: &State) -> Option<Score> {
        let board = state.board(b"b")?;
        board.standing(b"ada", RankStyle::Ordinal).map(|standing| standing.score)
    }

    fn snapshots(path: &Path) -> Vec<String> {
        let names = RealFs.list(path).expect("a list");
        names.into_iter().filter(|name| name.contains("snapshot")).collect()
    }

    #[test]
    fn the_newest_copy_comes_back_with_its_note_and_the_others_go() {
        let temporary = tempfile::tempdir().expect("a folder");
        let copy = folder(temporary.path()).expect("open");
        assert_eq!(copy.load(&State::new()).expect("no copy"), None);
        keep(&copy, 1, 10);
        std::fs::write(temporary.path().join("snapshot-7.rsnap.tmp"), "half").expect("written");
        keep(&copy, 2, 20);
        assert_eq!(snapshots(temporary.path()).len(), 1);
        assert!(matches!(folder(temporary.path()), Err(StorageError::Locked { .. })));
        drop(copy);
        let state = State::new();
        let note = folder(temporary.path()).expect("open").load(&state).expect("a copy");
        assert_eq!(note.as_deref(), Some("note 2\n"));
        assert_eq!(score(&state), Some(Score::Integer(20)));
    }

    #[test]
    fn a_copy_that_is_damaged_or_names_another_file_is_none() {
        let temporary = tempfile::tempdir().expect("a folder");
        let copy = folder(temporary.path()).expect("open");
        keep(&copy, 1, 10);
        let file = temporary.path().join(&snapshots(temporary.path())[0]);
        let good = std::fs::read(&file).expect("read");
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            std::fs::write(&file, bad).expect("written");
            let state = State::new();
            assert_eq!(copy.load(&state).expect("nothing was loaded"), None, "byte {at}");
            assert_eq!(score(&state), None);
        }
        std::fs::write(&file, good).expect("written");
        for note in ["", "snapshot-1.rsnap", "../snapshot-1.rsnap\n", "snapshot-9.rsnap\n", "\n"] {
            std::fs::write(temporary.path().join(NOTE), note).expect("written");
            assert_eq!(copy.load(&State::new()).expect("no copy"), None, "{note:?}");
        }
    }
}
