//! Windows that are asked for often.
//!
//! What it is: a few rolling boards, which follow the ledger row by row, and beside them a cache of
//! sums. What it is not: the ledger, which is the caller's, and read for microseconds at a time; or
//! a thread: boards are made and kept up to date when the caller calls [`HotBoards::maintain`].
//! Invariant: every answer is the one that a sum at the same version would give. Cost: a read of a
//! rolling board is O(log n), and two or three microseconds for each row that came or went since;
//! else a cached sum, or one.

mod board;
mod cache;
mod moves;
mod shelf;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use parking_lot::{ArcMutexGuard, Mutex, RawMutex, RwLock};

use crate::ledger::Ledger;
use crate::row::{Measure, Tally, Window};
use crate::standings::Standings;

use board::Board;
use cache::{Cache, Cached};
use moves::Lost;
use shelf::Shelf;

/// Rolling boards of an organisation at most.
pub const ROLLING_BOARDS_MAX: usize = 4;
/// Cached sums of an organisation at most.
pub const CACHE_ENTRIES_MAX: usize = 32;
/// Bytes of an organisation's cached sums at most, unless told otherwise.
const CACHE_BYTES_MAX: usize = 128 << 20;
/// Users below which a sum is so quick that a rolling board is not worth its memory.
const ROLLING_USERS_MIN: u64 = 4_096;

/// How to get at the ledger: for as short a time as the closure takes.
pub trait LedgerAccess {
    /// Calls `read` with the ledger, under whatever lock guards it.
    fn with<R>(&self, read: impl FnOnce(&Ledger) -> R) -> R;
}

impl LedgerAccess for Ledger {
    fn with<R>(&self, read: impl FnOnce(&Ledger) -> R) -> R {
        read(self)
    }
}

impl LedgerAccess for RwLock<Ledger> {
    fn with<R>(&self, read: impl FnOnce(&Ledger) -> R) -> R {
        read(&self.read())
    }
}

/// Which board is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// What it ranks by.
    pub measure: Measure,
    /// The caller's number for a kind of window, such as "the last 90 days". Windows of one kind
    /// move forward with time; one that moves back is answered as well, only slower. None for a
    /// window that is like no other: it is never made into a rolling board.
    pub window_kind: Option<u64>,
    /// Only rows with one of these tags; none for all. As in `Ledger::tagged`.
    pub tags: Option<&'a [u32]>,
}

/// What hot boards may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotOptions {
    /// Threads of one sum.
    pub threads: NonZeroUsize,
    /// Bytes of cached sums.
    pub cache_bytes_max: usize,
    /// Rolling boards; at most [`ROLLING_BOARDS_MAX`] count.
    pub rolling_boards_max: usize,
    /// Smaller boards are summed every time.
    pub rolling_users_min: u64,
}

impl Default for HotOptions {
    fn default() -> Self {
        Self {
            threads: NonZeroUsize::MIN,
            cache_bytes_max: CACHE_BYTES_MAX,
            rolling_boards_max: ROLLING_BOARDS_MAX,
            rolling_users_min: ROLLING_USERS_MIN,
        }
    }
}

/// See the module's head. One for each ledger.
#[derive(Debug)]
pub struct HotBoards {
    options: HotOptions,
    shelf: Mutex<Shelf>,
    cache: Cache,
}

impl HotBoards {
    /// No boards, and nothing cached.
    pub fn new(options: HotOptions) -> Self {
        let boards_max = options.rolling_boards_max.min(ROLLING_BOARDS_MAX);
        Self {
            options,
            shelf: Mutex::new(Shelf::new(boards_max)),
            cache: Cache::new(options.cache_bytes_max),
        }
    }

    /// A board that is at least as new as the ledger is now.
    ///
    /// `window` is what the kind of window means at the moment of the question. As long as the
    /// answer is held, others may wait for the same board. The ledger must not be locked by this
    /// thread, neither now nor while an answer is held that it waits for.
    pub fn read(&self, ask: &Ask<'_>, ledger: &impl LedgerAccess, window: Window) -> Reading {
        let window = window.clamped();
        let shelved = self.shelf.lock().find(ask);
        if let Some(board) = shelved {
            let mut guard = board.lock_arc();
            match guard.catch_up(ledger, window) {
                Ok(()) => return Reading(Source::Rolling(guard)),
                Err(Lost::Backwards) => {}
                Err(Lost::TooFar) => self.shelf.lock().remove(&board),
            }
        }
        let sum = self.cache.get(ask, ledger, window, self.options.threads);
        if sum.standings.total() >= self.options.rolling_users_min {
            self.shelf.lock().count(ask);
        }
        Reading(Source::Sum(sum, window))
    }

    /// Lets rolling boards catch up, and makes one that was asked for often. `window` says what
    /// each kind of window means now.
    ///
    /// To be called after rows were added, or every few hundred milliseconds. A board that is not
    /// read or maintained for some ten thousand rows is given up. Making one of a million users
    /// takes a second, in which everybody else goes on.
    pub fn maintain(&self, ledger: &impl LedgerAccess, window: impl Fn(Measure, u64) -> Window) {
        let shelved = self.shelf.lock().all();
        for (key, board) in shelved {
            let mut guard = board.lock();
            let caught_up = guard.catch_up(ledger, window(key.measure, key.window_kind).clamped());
            drop(guard);
            if caught_up == Err(Lost::TooFar) {
                self.shelf.lock().remove(&board);
            }
        }
        let wanted = self.shelf.lock().wanted();
        if let Some(key) = wanted {
            let view = ledger.with(|ledger| {
                ledger.follow(true);
                ledger.window(key.measure, window(key.measure, key.window_kind))
            });
            let board = Board::new(&view, &view.standings(self.options.threads));
            self.shelf.lock().put(key, Arc::new(Mutex::new(board)));
        }
        let is_followed = !self.shelf.lock().all().is_empty();
        ledger.with(|ledger| ledger.follow(is_followed));
    }

    /// Rolling boards at present.
    pub fn rolling_boards(&self) -> usize {
        self.shelf.lock().all().len()
    }

    /// Bytes that boards and cached sums take. Waits for boards that are being read.
    pub fn memory_bytes(&self) -> usize {
        let shelved = self.shelf.lock().all();
        let boards = shelved.iter().map(|(_, board)| board.lock().memory_bytes());
        boards.sum::<usize>() + self.cache.bytes()
    }
}

/// A board at one version, with one window.
pub struct Reading(Source);

enum Source {
    Rolling(ArcMutexGuard<RawMutex, Board>),
    Sum(Cached, Window),
}

impl Reading {
    /// The ledger's version that it is of.
    pub fn version(&self) -> u64 {
        match &self.0 {
            Source::Rolling(board) => board.version(),
            Source::Sum(sum, _) => sum.version,
        }
    }

    /// The window that it is of.
    pub fn window(&self) -> Window {
        match &self.0 {
            Source::Rolling(board) => board.window(),
            Source::Sum(_, window) => *window,
        }
    }

    /// Whether it comes from a rolling board.
    pub fn is_rolling(&self) -> bool {
        matches!(self.0, Source::Rolling(_))
    }

    /// Users on the board.
    pub fn total(&self) -> u64 {
        match &self.0 {
            Source::Rolling(board) => board.total(),
            Source::Sum(sum, _) => sum.standings.total(),
        }
    }

    /// The users at these places, the first place being 0. Fewer if the board ends before.
    pub fn tallies(&self, offset: usize, limit: usize) -> Vec<Tally> {
        match &self.0 {
            Source::Rolling(board) => board.tallies(offset, limit),
            Source::Sum(sum, _) => sum.standings.tallies(offset, limit),
        }
    }

    /// A user's rank, from 1 on, and sums; none if the user is not on the board.
    pub fn rank_of(&self, user: u64) -> Option<(u64, Tally)> {
        match &self.0 {
            Source::Rolling(board) => board.rank_of(user),
            Source::Sum(sum, _) => sum.standings.rank_of(user),
        }
    }

    /// The sum itself, to be read for longer; none if it comes from a rolling board.
    pub fn standings(&self) -> Option<Arc<Standings>> {
        match &self.0 {
            Source::Rolling(_) => None,
            Source::Sum(sum, _) => Some(Arc::clone(&sum.standings)),
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("version", &self.version())
            .field("window", &self.window())
            .field("is_rolling", &self.is_rolling())
            .finish_non_exhaustive()
    }
}
