//! What a connection is, beside its socket: who it is, how it speaks, what it has under way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rankd_engine::{Mark, Name};
use tokio::sync::{Notify, mpsc};

use crate::hub::Message;

/// What of a connection others can see.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) id: u64,
    /// Where the client is.
    pub(crate) address: String,
    /// Where it has connected to.
    pub(crate) local: String,
    pub(crate) connected_ms: i64,
    pub(crate) named: Mutex<Named>,
    /// Set by whoever wants the connection to end.
    is_killed: AtomicBool,
    pub(crate) kill: Notify,
}

/// What a client says of itself.
#[derive(Debug, Default, Clone)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) library: String,
    pub(crate) library_version: String,
    pub(crate) command: &'static str,
    pub(crate) version: u8,
}

impl Card {
    pub(crate) fn new(id: u64, address: String, local: String, connected_ms: i64) -> Self {
        let named = Mutex::new(Named { command: "NULL", version: 2, ..Named::default() });
        let (is_killed, kill) = (AtomicBool::new(false), Notify::new());
        Self { id, address, local, connected_ms, named, is_killed, kill }
    }

    pub(crate) fn kill(&self) {
        self.is_killed.store(true, Ordering::Release);
        self.kill.notify_one();
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.is_killed.load(Ordering::Acquire)
    }
}

/// Commands that wait for EXEC.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) commands: Vec<Vec<Box<[u8]>>>,
    /// What they may become in the log, in bytes.
    pub(crate) bytes: u64,
    /// One of them could not even be queued: EXEC will refuse.
    pub(crate) is_aborted: bool,
}

/// Which replies a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replies {
    On,
    Off,
    /// Not the one to the present command, nor (`true`) the one to the next.
    Skip(bool),
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) card: Arc<Card>,
    /// Whether the client has shown who it is, or need not.
    pub(crate) is_known: bool,
    pub(crate) queue: Option<Queue>,
    pub(crate) watched: Vec<(Name, Mark)>,
    pub(crate) channels: BTreeSet<Name>,
    pub(crate) patterns: BTreeSet<Name>,
    pub(crate) replies: Replies,
    /// After the replies so far, the connection ends.
    pub(crate) is_closing: bool,
    pub(crate) inbox: mpsc::Sender<Arc<Message>>,
    random: u64,
}

impl Session {
    pub(crate) fn new(
        card: Arc<Card>,
        is_known: bool,
        inbox: mpsc::Sender<Arc<Message>>,
        seed: u64,
    ) -> Self {
        Self {
            card,
            is_known,
            queue: None,
            watched: Vec::new(),
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            replies: Replies::On,
            is_closing: false,
            inbox,
            random: seed,
        }
    }

    /// A number that looks random; for choices, not for secrets. (SplitMix64, Steele et al. 2014.)
    pub(crate) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }
}
