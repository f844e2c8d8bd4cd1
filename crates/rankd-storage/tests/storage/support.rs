//! A store in a temporary folder, and a naive model of what it has to hold.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rankd_engine::{
    Batch, Change, ChangeSink, Definition, Intent, ManualClock, MemberRow, Name, Operator,
    OrgBatch, Score, State, Storage,
};
use rankd_orgs::{OrgIntent, OrgOutcome};
use rankd_storage::{
    Durability, EmbeddedOptions, EmbeddedStore, Fs, OpenReport, RealFs, StorageError,
};
use tempfile::TempDir;

pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

/// Score and time of each member.
type Members = BTreeMap<Vec<u8>, (i64, Option<i64>)>;

/// Everything a state holds, in a form that can be compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) boards: BTreeMap<Vec<u8>, Members>,
    pub(crate) labels: BTreeMap<Vec<u8>, String>,
    pub(crate) keys: BTreeMap<Vec<u8>, [u8; 16]>,
    /// Of the organisations.
    pub(crate) signing_key: Option<[u8; 32]>,
}

impl Contents {
    pub(crate) fn set(&mut self, board: &str, member: &str, score: i64, at_ms: i64) {
        let members = self.boards.entry(board.into()).or_default();
        members.insert(member.into(), (score, Some(at_ms)));
    }
}

struct NoSink;

impl ChangeSink for NoSink {
    fn append(&self, _: i64, _: Vec<Change>) -> u64 {
        panic!("reading changes nothing")
    }

    fn last_sequence(&self) -> u64 {
        0
    }
}

/// Reads a state through the door that snapshots use.
pub(crate) fn contents(state: &Arc<State>) -> Contents {
    let mut cut = state.begin_cut(&NoSink).expect("no other cut is open");
    let mut contents = Contents::default();
    while let Some(mut board) = cut.next_board() {
        let mut rows: Vec<MemberRow> = Vec::new();
        while board.read(100, &mut rows) > 0 {}
        let rows = rows.into_iter().map(|row| match row.score {
            Score::Integer(score) => (row.member.to_vec(), (score, row.at_ms)),
            // By its bits, so that it compares as exactly.
            Score::Float(score) => {
                (row.member.to_vec(), (score.to_bits().cast_signed(), row.at_ms))
            }
        });
        contents.boards.insert(board.header().name.to_vec(), rows.collect());
    }
    contents.labels = cut.labels().map(|(m, label)| (m.to_vec(), label.to_owned())).collect();
    contents.keys = cut.keys().map(|(key, memory)| (key.to_vec(), memory.digest)).collect();
    contents.signing_key = state.orgs().signing_key();
    contents
}

pub(crate) fn name(text: &str) -> Name {
    text.as_bytes().into()
}

pub(crate) fn write(board: &str, member: &str, score: i64) -> Intent {
    Intent::Write {
        board: name(board),
        member: name(member),
        score: Score::Integer(score),
        operator: Some(Operator::Latest),
        at_ms: None,
    }
}

pub(crate) fn label(member: &str, label: &str) -> Intent {
    Intent::Label { member: name(member), label: Some(label.into()) }
}

pub(crate) fn create(board: &str) -> Intent {
    Intent::CreateBoard { name: name(board), definition: Definition::default() }
}

/// A batch about organisations: the key that tokens are signed with, unless there is one.
pub(crate) fn offer(key: [u8; 32]) -> OrgBatch {
    OrgBatch { intents: vec![OrgIntent::OfferSigningKey { key }], now_ms: NOW_MS }
}

/// Options under which nothing happens by itself and everything is reproducible.
pub(crate) fn options() -> EmbeddedOptions {
    EmbeddedOptions {
        durability: Durability::Always,
        snapshot_log_bytes: None,
        snapshot_interval_ms: None,
        snapshot_on_close: false,
        store_id: Some(*b"0123456789abcdef"),
        clock: Arc::new(ManualClock::at(NOW_MS)),
        ..EmbeddedOptions::default()
    }
}

/// A store and the state it fills.
pub(crate) struct Opened {
    pub(crate) store: EmbeddedStore,
    pub(crate) state: Arc<State>,
    pub(crate) report: OpenReport,
}

pub(crate) fn open_with(
    folder: &Path,
    options: EmbeddedOptions,
    fs: Arc<dyn Fs>,
) -> Result<Opened, StorageError> {
    let state = State::new();
    let (store, report) = EmbeddedStore::open(folder, options, fs, Arc::clone(&state))?;
    Ok(Opened { store, state, report })
}

pub(crate) fn open(folder: &Path) -> Result<Opened, StorageError> {
    open_with(folder, options(), Arc::new(RealFs))
}

impl Opened {
    pub(crate) async fn submit(&self, intents: Vec<Intent>) -> u64 {
        let receipt = self.store.submit(Batch::new(intents, NOW_MS)).await;
        receipt.expect("the disk is well").sequence
    }

    /// Offers a key where there is none.
    pub(crate) async fn offer(&self, key: [u8; 32]) -> u64 {
        let receipt = self.store.submit_orgs(offer(key)).await.expect("the disk is well");
        assert!(!matches!(receipt.answer[..], [OrgOutcome::Unchanged | OrgOutcome::Rejected(_)]));
        receipt.sequence
    }

    /// Writes `count` scores one after the other, and notes them in `model`.
    pub(crate) async fn fill(&self, model: &mut Contents, count: i64) {
        let done = self.store.stats().sequence;
        for index in 0..count {
            let member = format!("m{done}-{index}");
            self.submit(vec![write("board", &member, index)]).await;
            model.set("board", &member, index, NOW_MS);
        }
    }

    pub(crate) fn contents(&self) -> Contents {
        contents(&self.state)
    }
}

/// A copy of the folder as it is now: what a kill would leave.
pub(crate) fn copy_of(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let entry = entry.expect("it can be listed");
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copied");
    }
    copy
}

/// Name and content of every file but the lock.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let files = entries.map(|entry| {
        let entry = entry.expect("it can be listed");
        let name = entry.file_name().into_string().expect("our names are ASCII");
        (name, std::fs::read(entry.path()).expect("it can be read"))
    });
    files.filter(|(name, _)| name != "LOCK").collect()
}

pub(crate) fn names_ending(folder: &Path, end: &str) -> Vec<String> {
    files(folder).into_keys().filter(|name| name.ends_with(end)).collect()
}

/// Lets other tasks and threads run until it is so. nextest ends a test that never gets there.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

/// Begins what a future does, without waiting for it.
pub(crate) fn poll_once<T>(future: &mut Pin<Box<dyn Future<Output = T> + Send + '_>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}
