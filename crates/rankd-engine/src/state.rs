//! The whole state in memory: boards, display names, idempotency keys, organisations.
//!
//! Invariant: it is what the changes 1 to n of the store's log say, for one n. Batches change it
//! through [`State::execute`](crate::State::execute), replay through
//! [`State::apply`](crate::State::apply); both end in the same functions on a board's body.
//! Organisations resolve and apply by themselves, in their batches' turn
//! ([`State::execute_orgs`](crate::State::execute_orgs)).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use rankd_orgs::Orgs;

use crate::board::Board;
use crate::change::Change;
use crate::cow_map::CowMap;
use crate::cut::CutTable;
use crate::directory::Directory;
use crate::ids::BoardId;
use crate::keys::KeyTable;
use crate::keyspace::Keyspace;
use crate::lanes::Lanes;

/// Where the changes of a batch go: the store's log.
pub trait ChangeSink {
    /// Takes the changes of one batch, in order, and returns their sequence.
    ///
    /// Called at most once a batch, while what the batch touched is locked, so that the order of
    /// sequences is the order of effects. It must neither block nor fail.
    fn append(&self, accepted_ms: i64, changes: Vec<Change>) -> u64;

    /// The highest sequence given out so far; 0 if there is none.
    fn last_sequence(&self) -> u64;
}

/// Boards, display names, idempotency keys and organisations.
#[derive(Debug)]
pub struct State {
    pub(crate) directory: Directory,
    pub(crate) labels: CowMap<Box<str>>,
    /// Held by a batch from before it looks at a display name until after its append, so that
    /// the order of effects is that of the log.
    pub(crate) label_lanes: Lanes,
    pub(crate) keys: KeyTable,
    pub(crate) orgs: Orgs,
    pub(crate) keyspace: Keyspace,
    pub(crate) cuts: CutTable,
    /// Shared by every batch from its first lock to its append; a cut begins alone.
    pub(crate) gate: RwLock<()>,
    /// Held by batches that may create or delete boards, so that what they found missing stays so.
    pub(crate) creation: Mutex<()>,
    next_board_id: AtomicU64,
    pub(crate) members: AtomicU64,
}

/// Sizes of the whole state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Boards.
    pub boards: u64,
    /// Members of all boards together.
    pub members: u64,
    /// Members that have a display name.
    pub labels: u64,
    /// Idempotency keys remembered.
    pub keys: u64,
    /// Strings, hashes and sets.
    pub values: u64,
    /// Organisations.
    pub orgs: u64,
    /// Users of all organisations together.
    pub users: u64,
    /// Activities stored.
    pub activities: u64,
}

impl State {
    /// An empty state.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            directory: Directory::default(),
            labels: CowMap::new(),
            label_lanes: Lanes::new(),
            keys: KeyTable::new(),
            orgs: Orgs::new(),
            keyspace: Keyspace::new(),
            cuts: CutTable::default(),
            gate: RwLock::new(()),
            creation: Mutex::new(()),
            next_board_id: AtomicU64::new(1),
            members: AtomicU64::new(0),
        })
    }

    /// Sizes. Cheap enough for every scrape of the metrics.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let orgs = self.orgs.totals();
        Totals {
            boards: self.directory.len() as u64,
            members: self.members.load(Ordering::Relaxed),
            labels: self.labels.len() as u64,
            keys: self.keys.len() as u64,
            values: self.keyspace.values_count() as u64,
            orgs: orgs.orgs,
            users: orgs.users,
            activities: orgs.activities,
        }
    }

    /// The board of this name.
    #[must_use]
    pub fn board(&self, name: &[u8]) -> Option<Arc<Board>> {
        self.directory.by_name(name)
    }

    /// The board with this id.
    #[must_use]
    pub fn board_by_id(&self, id: BoardId) -> Option<Arc<Board>> {
        self.directory.by_id(id)
    }

    /// Boards whose names begin with `prefix`, strictly after `after`, in name order.
    #[must_use]
    pub fn boards(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<Arc<Board>> {
        self.directory.list(prefix, after, limit)
    }

    /// The display name of a member.
    #[must_use]
    pub fn label(&self, member: &[u8]) -> Option<Box<str>> {
        self.labels.get(member)
    }

    /// The organisations: to read, and to load from a snapshot.
    #[must_use]
    pub fn orgs(&self) -> &Orgs {
        &self.orgs
    }

    pub(crate) fn next_board_id(&self) -> BoardId {
        BoardId(self.next_board_id.load(Ordering::SeqCst))
    }

    pub(crate) fn take_board_id(&self) -> BoardId {
        BoardId(self.next_board_id.fetch_add(1, Ordering::SeqCst))
    }

    /// Makes sure that no id up to and including `id` is given out again.
    pub(crate) fn retire_board_id(&self, id: BoardId) {
        self.next_board_id.fetch_max(id.0.saturating_add(1), Ordering::SeqCst);
    }

    pub(crate) fn count_members(&self, added: u64, removed: u64) {
        if added >= removed {
            self.members.fetch_add(added - removed, Ordering::Relaxed);
        } else {
            self.members.fetch_sub(removed - added, Ordering::Relaxed);
        }
    }
}
