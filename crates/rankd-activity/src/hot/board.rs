//! A rolling board: an index that follows the ledger.
//!
//! What it is: the users of one window in order, with their sums in the keys. What it is not: safe
//! to share; its owner locks it. Invariant: after it has caught up, it holds what a sum of the same
//! window at the same version holds. A user's last activity can only be the last one to leave, so
//! what leaves never changes it: a user is on the board for as long as it is inside. Cost: O(log n)
//! for each user that gained or lost; about 70 bytes a user.

use std::cmp::Ordering;
use std::collections::HashMap;

use foldhash::quality::RandomState;
use rank_index::{
    Direction, EightBytes, Key, RankIndex, decode_i64, earliest_ms, encode_i64, tie_earliest,
};

use super::LedgerAccess;
use super::moves::{Lost, Moves, Position};
use crate::cells::{Cell, NEVER};
use crate::live::user;
use crate::row::{Measure, Tally, Window};
use crate::standings::{Standings, tally};
use crate::window::WindowView;

/// A score, a last activity, and beside them the second sum (see [`Cell`]), which orders nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BoardKey {
    score: u64,
    tie: u64,
    b: i64,
}

impl Key for BoardKey {
    type Member = EightBytes;

    fn order(&self, other: &Self) -> Ordering {
        (self.score, self.tie).cmp(&(other.score, other.tie))
    }

    fn same_score(&self, other: &Self) -> bool {
        self.score == other.score
    }
}

impl BoardKey {
    fn new(score: i64, b: i64, last_ms: i64) -> Self {
        let score = Direction::Descending.apply(encode_i64(score));
        Self { score, tie: tie_earliest(last_ms), b }
    }

    fn score(&self) -> i64 {
        decode_i64(Direction::Descending.apply(self.score))
    }

    fn last_ms(&self) -> i64 {
        earliest_ms(self.tie)
    }
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Board {
    measure: Measure,
    index: RankIndex<BoardKey>,
    /// Possible points of those who have corrections inside, and nothing else.
    ghosts: HashMap<u64, i64, RandomState>,
    position: Position,
    version: u64,
}

/// What a user gained and lost.
#[derive(Clone, Copy)]
struct Delta {
    score: i64,
    b: i64,
    last_ms: i64,
}

impl Board {
    /// The board of a window that was summed.
    pub(super) fn new(view: &WindowView, standings: &Standings) -> Self {
        let entries = standings.sorted().iter().map(|entry| {
            let key = BoardKey::new(entry.score, entry.b, entry.last_ms);
            (key, standings.id(entry).to_be_bytes())
        });
        let index = RankIndex::from_sorted(entries).expect("standings are sorted, each user once");
        let dead = view.users.dead().len();
        Self {
            measure: view.measure,
            index,
            ghosts: standings.ghosts().collect(),
            position: Position { window: view.window, row: view.tail.end(), dead },
            version: view.version(),
        }
    }

    /// Follows the ledger, and moves to the window `to`. Else it stays as it is.
    pub(super) fn catch_up(&mut self, ledger: &impl LedgerAccess, to: Window) -> Result<(), Lost> {
        let moves = ledger.with(|ledger| ledger.moves(self.measure, self.position, to))?;
        self.follow(&moves);
        Ok(())
    }

    fn follow(&mut self, moves: &Moves) {
        for user in moves.dead() {
            self.index.remove(&user.to_be_bytes());
            self.ghosts.remove(&user);
        }
        let mut deltas: HashMap<u32, Delta, RandomState> = HashMap::default();
        let measure = self.measure;
        moves.each(|cell| {
            let Cell { user, a, b, last_ms } = cell;
            let none = Delta { score: 0, b: 0, last_ms: NEVER };
            let delta = deltas.entry(user).or_insert(none);
            delta.score += measure.score(a, b);
            delta.b += b;
            delta.last_ms = delta.last_ms.max(last_ms);
        });
        self.position = moves.position();
        self.version = moves.version();
        for (user, delta) in deltas {
            self.change(moves.id(user), delta);
        }
    }

    /// Adds what a user gained and lost.
    fn change(&mut self, user: u64, delta: Delta) {
        let member = user.to_be_bytes();
        let before = match self.index.get(&member) {
            Some(key) => Delta { score: key.score(), b: key.b, last_ms: key.last_ms() },
            None => {
                let b = self.ghosts.remove(&user).unwrap_or(0);
                Delta { score: 0, b, last_ms: NEVER }
            }
        };
        let score = before.score + delta.score;
        let b = before.b + delta.b;
        let last_ms = before.last_ms.max(delta.last_ms);
        if last_ms >= self.position.window.from_ms {
            let upserted = self.index.upsert(&member, BoardKey::new(score, b, last_ms));
            upserted.expect("an index takes as many users as a ledger");
            return;
        }
        debug_assert_eq!(score, 0, "user {user} has left with all activities");
        self.index.remove(&member);
        if b != 0 {
            self.ghosts.insert(user, b);
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn window(&self) -> Window {
        self.position.window
    }

    pub(super) fn total(&self) -> u64 {
        self.index.len() as u64
    }

    pub(super) fn tallies(&self, offset: usize, limit: usize) -> Vec<Tally> {
        let entries = self.index.range(offset..offset.saturating_add(limit));
        entries.map(|entry| self.tally(user(entry.member), &entry.key)).collect()
    }

    pub(super) fn rank_of(&self, user: u64) -> Option<(u64, Tally)> {
        let standing = self.index.standing(&user.to_be_bytes())?;
        Some((standing.position as u64 + 1, self.tally(user, &standing.key)))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.index.memory_bytes() + self.ghosts.capacity() * size_of::<(u64, i64)>()
    }

    fn tally(&self, user: u64, key: &BoardKey) -> Tally {
        tally(self.measure, user, key.score(), key.b, key.last_ms())
    }
}
