//! What a node knows of one partition: how far it has followed it, and who waits for what.
//!
//! Invariant: the position moves only after everything up to it is in the state, and by the
//! partition's follower alone.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::copy::Mark;
use crate::layout::PartitionId;
use crate::limits::NONCES_MAX;
use crate::script::{Nonce, Position};
use crate::shared::elapsed_ms;

/// Ranks of the members that a call changed, before and after, in the order of its changes.
/// 0 stands for a member that was not there.
pub(crate) type Ranks = Arc<Mutex<Vec<(u64, u64)>>>;

/// How far the node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    pub(crate) position: Position,
    /// Not while the partition is being read anew: until then the state is a mixture.
    pub(crate) is_ready: bool,
}

/// The newest positions that the node passed.
#[derive(Debug, Default)]
struct History {
    /// Where the node began to follow: from here on it saw every entry.
    floor: u64,
    passed: VecDeque<Position>,
    /// Calls of this node that Redis carried out and that had not come back in time.
    answered: VecDeque<Position>,
}

impl History {
    fn push(list: &mut VecDeque<Position>, position: Position) {
        if list.len() >= NONCES_MAX {
            list.pop_front();
        }
        list.push_back(position);
    }
}

/// What a node remembers of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recalled {
    /// This entry had it.
    Passed(Position),
    /// The node saw it, and has forgotten which entry it was.
    Forgotten,
    /// It was before the node began to follow, or is still to come.
    Unseen,
}

/// One partition as this node sees it.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) id: PartitionId,
    progress: watch::Sender<Progress>,
    history: Mutex<History>,
    /// Calls of this node that ask for ranks and have not come back through the stream.
    pending: Mutex<HashMap<Nonce, Ranks>>,
    /// When Redis last said that there is nothing newer, or what is newer; ms since `begun`.
    heard_ms: AtomicU64,
    begun: Instant,
    /// Names the making of the partition, once the node has read it.
    origin: Mutex<Option<Nonce>>,
    /// Where the node was when its copy was kept, until that is looked into.
    resumed: Mutex<Option<Mark>>,
    /// Why the partition cannot be followed now.
    fault: Mutex<Option<String>>,
    /// Redis has lost the partition, and an operator has to decide.
    pub(crate) is_emptied: AtomicBool,
    /// Connections that the follower has had.
    pub(crate) sessions: AtomicU64,
    /// Wakes the follower: a call was told something that the follower has to look into.
    pub(crate) suspicion: Notify,
}

impl Partition {
    pub(crate) fn new(id: PartitionId, begun: Instant) -> Self {
        Self {
            id,
            progress: watch::Sender::new(Progress::default()),
            history: Mutex::default(),
            pending: Mutex::default(),
            heard_ms: AtomicU64::new(0),
            begun,
            origin: Mutex::default(),
            resumed: Mutex::default(),
            fault: Mutex::default(),
            is_emptied: AtomicBool::new(false),
            sessions: AtomicU64::new(0),
            suspicion: Notify::new(),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// One step along the stream.
    pub(crate) fn advance(&self, position: Position) {
        History::push(&mut self.history.lock().passed, position);
        self.progress.send_modify(|progress| progress.position = position);
    }

    /// The partition is being read anew from this position on.
    pub(crate) fn begin_again(&self, position: Position) {
        let mut history = self.history.lock();
        history.floor = position.sequence;
        history.passed.clear();
        history.passed.push_back(position);
        drop(history);
        self.pending.lock().clear();
        self.progress.send_replace(Progress { position, is_ready: false });
    }

    pub(crate) fn set_ready(&self) {
        self.progress.send_modify(|progress| progress.is_ready = true);
    }

    pub(crate) fn set_unready(&self) {
        self.progress.send_modify(|progress| progress.is_ready = false);
    }

    pub(crate) fn origin(&self) -> Option<Nonce> {
        *self.origin.lock()
    }

    pub(crate) fn set_origin(&self, origin: Option<Nonce>) {
        *self.origin.lock() = origin;
    }

    /// The state holds the partition up to this.
    pub(crate) fn set_resumed(&self, mark: Mark) {
        *self.resumed.lock() = Some(mark);
    }

    pub(crate) fn take_resumed(&self) -> Option<Mark> {
        self.resumed.lock().take()
    }

    /// What the node remembers of a sequence.
    pub(crate) fn recall(&self, sequence: u64) -> Recalled {
        let history = self.history.lock();
        let passed = &history.passed;
        match passed.binary_search_by_key(&sequence, |position| position.sequence) {
            Ok(index) => passed.get(index).map_or(Recalled::Unseen, |p| Recalled::Passed(*p)),
            Err(0) if sequence >= history.floor && !passed.is_empty() => Recalled::Forgotten,
            Err(_) => Recalled::Unseen,
        }
    }

    /// Redis carried out a call of this node that has not come back: its token can be asked for.
    pub(crate) fn remember_answered(&self, position: Position) {
        History::push(&mut self.history.lock().answered, position);
    }

    /// It came back, or it is clear that it never will.
    pub(crate) fn forget_answered(&self, sequence: u64) {
        self.history.lock().answered.retain(|position| position.sequence != sequence);
    }

    /// The newest call of this node that had this sequence and did not come back in time.
    pub(crate) fn answered(&self, sequence: u64) -> Option<Position> {
        let history = self.history.lock();
        let mut answered = history.answered.iter().rev();
        answered.find(|position| position.sequence == sequence).copied()
    }

    /// Asks for the ranks of a call before it is made.
    pub(crate) fn expect(&self, nonce: Nonce) -> Ranks {
        let ranks = Ranks::default();
        self.pending.lock().insert(nonce, Arc::clone(&ranks));
        ranks
    }

    /// Takes the wish for ranks back, or fulfils it.
    pub(crate) fn take_expected(&self, nonce: Nonce) -> Option<Ranks> {
        self.pending.lock().remove(&nonce)
    }

    /// Redis has answered, and the node has everything that it said.
    pub(crate) fn heard(&self) {
        self.heard_ms.store(elapsed_ms(self.begun), Ordering::Release);
    }

    /// When that was, in milliseconds since the store was opened.
    pub(crate) fn heard_ms(&self) -> u64 {
        self.heard_ms.load(Ordering::Acquire)
    }

    /// Age of what this node knows of the partition, in milliseconds.
    pub(crate) fn age_ms(&self) -> u64 {
        elapsed_ms(self.begun).saturating_sub(self.heard_ms())
    }

    pub(crate) fn set_fault(&self, fault: Option<String>) {
        *self.fault.lock() = fault;
    }

    pub(crate) fn fault(&self) -> Option<String> {
        self.fault.lock().clone()
    }
}
