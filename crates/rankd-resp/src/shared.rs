//! What all connections share: the engine, the settings that clients may change, the counters.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use rankd_engine::Engine;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::hub::Hub;
use crate::limits::SLOW_LOG_MAX;
use crate::session::Card;

/// A command that took long.
#[derive(Debug, Clone)]
pub(crate) struct SlowCommand {
    pub(crate) id: u64,
    pub(crate) at_ms: i64,
    pub(crate) took_us: u64,
    pub(crate) args: Vec<Box<[u8]>>,
    pub(crate) client: String,
}

/// What clients have to know to be let in; only its digest is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Password([u8; 32]);

impl Password {
    /// The password of these characters.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        Self(digest(text))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Counters, as INFO shows them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) expired: AtomicU64,
    /// Members of boards that have ended.
    pub(crate) expired_members: AtomicU64,
    pub(crate) input_bytes: AtomicU64,
    pub(crate) output_bytes: AtomicU64,
}

/// Which events of keys are published: the letters of `notify-keyspace-events`.
pub(crate) const EVENT_LETTERS: &str = "KEg$shzxt";

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) hub: Hub,
    pub(crate) counters: Counters,
    password: Option<Password>,
    pub(crate) port: u16,
    pub(crate) started_ms: i64,
    pub(crate) cards: Mutex<HashMap<u64, Arc<Card>, RandomState>>,
    last_id: AtomicU64,
    /// One bit for each of [`EVENT_LETTERS`].
    events: AtomicU64,
    pub(crate) slow_log: Mutex<VecDeque<SlowCommand>>,
    pub(crate) slower_than_us: AtomicI64,
    pub(crate) slow_log_len: AtomicUsize,
    slow_id: AtomicU64,
    pub(crate) idle_ms: AtomicU64,
    pub(crate) connections_max: usize,
    /// Bytes of replies that wait for their clients.
    pub(crate) waiting_bytes: AtomicUsize,
    pub(crate) last_save_ms: AtomicI64,
    pub(crate) stop: tokio::sync::Notify,
}

impl Shared {
    pub(crate) fn new(
        engine: Arc<Engine>,
        password: Option<Password>,
        port: u16,
        connections_max: usize,
        idle_ms: u64,
    ) -> Self {
        let started_ms = engine.now_ms();
        Self {
            engine,
            hub: Hub::default(),
            counters: Counters::default(),
            password,
            port,
            started_ms,
            cards: Mutex::default(),
            last_id: AtomicU64::new(0),
            events: AtomicU64::new(0),
            slow_log: Mutex::default(),
            slower_than_us: AtomicI64::new(10_000),
            slow_log_len: AtomicUsize::new(SLOW_LOG_MAX),
            slow_id: AtomicU64::new(0),
            idle_ms: AtomicU64::new(idle_ms),
            connections_max,
            waiting_bytes: AtomicUsize::new(0),
            last_save_ms: AtomicI64::new(started_ms),
            stop: tokio::sync::Notify::new(),
        }
    }

    pub(crate) fn take_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether a password is asked for.
    pub(crate) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether this is the password; takes the same time whatever was given.
    pub(crate) fn is_password(&self, given: &[u8]) -> bool {
        self.password.as_ref().is_some_and(|expected| expected.0.ct_eq(&digest(given)).into())
    }

    /// Whether events of this class are published, and as which of the two kinds.
    pub(crate) fn publishes(&self, class: char) -> (bool, bool) {
        let events = self.events.load(Ordering::Relaxed);
        if events == 0 || events & bit(class) == 0 {
            return (false, false);
        }
        (events & bit('K') != 0, events & bit('E') != 0)
    }

    /// Gives `to` each channel, and what is to be said there, of an event of the key.
    pub(crate) fn event(
        &self,
        class: char,
        event: &str,
        key: &[u8],
        mut to: impl FnMut(Vec<u8>, &[u8]),
    ) {
        let (by_key, by_event) = self.publishes(class);
        if by_key {
            to([b"__keyspace@0__:", key].concat(), event.as_bytes());
        }
        if by_event {
            to([b"__keyevent@0__:", event.as_bytes()].concat(), key);
        }
    }

    /// Sets which events are published; false if a letter is unknown.
    pub(crate) fn set_events(&self, letters: &[u8]) -> bool {
        let mut events = 0;
        for letter in letters {
            events |= match letter {
                b'A' => "g$shzxt".chars().map(bit).sum(),
                // Events that never happen here.
                b'l' | b'e' | b'm' | b'd' | b'n' => 0,
                letter if EVENT_LETTERS.contains(char::from(*letter)) => bit(char::from(*letter)),
                _ => return false,
            };
        }
        self.events.store(events, Ordering::Relaxed);
        true
    }

    /// The letters of what is published.
    pub(crate) fn events(&self) -> String {
        let events = self.events.load(Ordering::Relaxed);
        EVENT_LETTERS.chars().filter(|letter| events & bit(*letter) != 0).collect()
    }

    /// Keeps a command that took long.
    pub(crate) fn slow(&self, took_us: u64, args: &[&[u8]], client: &Card) {
        const ARGS_SHOWN: usize = 32;
        const BYTES_SHOWN: usize = 128;
        let shown = |arg: &&[u8]| Box::from(&arg[..arg.len().min(BYTES_SHOWN)]);
        let id = self.slow_id.fetch_add(1, Ordering::Relaxed);
        let command = SlowCommand {
            id,
            at_ms: self.engine.now_ms(),
            took_us,
            args: args.iter().take(ARGS_SHOWN).map(shown).collect(),
            client: client.address.clone(),
        };
        let mut log = self.slow_log.lock();
        log.push_front(command);
        log.truncate(self.slow_log_len.load(Ordering::Relaxed));
    }
}

fn bit(letter: char) -> u64 {
    EVENT_LETTERS.find(letter).map_or(0, |at| 1 << at)
}

fn digest(password: &[u8]) -> [u8; 32] {
    Sha256::digest(password).into()
}
