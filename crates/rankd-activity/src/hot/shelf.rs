//! Which rolling boards there are, and which there should be.
//!
//! What it is: the boards, how often they were read, and how often others were asked for. What it
//! is not: holding any board's lock. Invariant: at most as many boards as allowed, at most one for
//! a measure and kind of window. Cost: a few comparisons.

use std::sync::Arc;

use parking_lot::Mutex;

use super::Ask;
use super::board::Board;
use crate::row::Measure;

/// Requests after which a board is made.
const PROMOTE_AFTER: u64 = 3;
/// Kinds of windows whose requests are counted.
const CANDIDATES_MAX: usize = 32;
/// Requests after which all that were counted so far count half.
const AGING_REQUESTS: u64 = 1_024;

/// What a board is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BoardName {
    pub(super) measure: Measure,
    pub(super) window_kind: u64,
}

#[derive(Debug)]
struct Shelved {
    name: BoardName,
    board: Arc<Mutex<Board>>,
    reads: u64,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Shelf {
    boards_max: usize,
    boards: Vec<Shelved>,
    candidates: Vec<(BoardName, u64)>,
    requests: u64,
}

impl Shelf {
    pub(super) fn new(boards_max: usize) -> Self {
        Self { boards_max, boards: Vec::new(), candidates: Vec::new(), requests: 0 }
    }

    /// The board that can answer, if there is one.
    pub(super) fn find(&mut self, ask: &Ask<'_>) -> Option<Arc<Mutex<Board>>> {
        let name = name(ask)?;
        let at = self.boards.iter().position(|shelved| shelved.name == name)?;
        self.boards[at].reads += 1;
        let board = Arc::clone(&self.boards[at].board);
        self.age();
        Some(board)
    }

    /// Counts a request that no board answered.
    pub(super) fn count(&mut self, ask: &Ask<'_>) {
        let Some(name) = name(ask) else { return };
        if self.boards.iter().any(|shelved| shelved.name == name) {
            return;
        }
        match self.candidates.iter_mut().find(|(other, _)| *other == name) {
            Some((_, count)) => *count += 1,
            None => self.candidates.push((name, 1)),
        }
        if self.candidates.len() > CANDIDATES_MAX {
            let rarest = (0..CANDIDATES_MAX).min_by_key(|&at| self.candidates[at].1);
            rarest.map(|at| self.candidates.swap_remove(at));
        }
        self.age();
    }

    /// Lets older requests count less.
    fn age(&mut self) {
        self.requests += 1;
        if self.requests.is_multiple_of(AGING_REQUESTS) {
            self.boards.iter_mut().for_each(|shelved| shelved.reads /= 2);
            self.candidates.iter_mut().for_each(|(_, count)| *count /= 2);
        }
    }

    /// The board that should be made, if one should: it was asked for often enough and, if another
    /// one has to go, more often than that.
    pub(super) fn wanted(&mut self) -> Option<BoardName> {
        let (name, count) = self.candidates.iter().max_by_key(|(_, count)| *count).copied()?;
        let least = self.boards.iter().map(|shelved| shelved.reads).min();
        let has_room = self.boards.len() < self.boards_max;
        let is_wanted = has_room || least.is_some_and(|least| least < count);
        if count < PROMOTE_AFTER || self.boards_max == 0 || !is_wanted {
            return None;
        }
        self.candidates.retain(|(other, _)| *other != name);
        Some(name)
    }

    /// Takes a board, in the place of the one that was read least if there is no room.
    pub(super) fn put(&mut self, name: BoardName, board: Arc<Mutex<Board>>) {
        self.boards.retain(|shelved| shelved.name != name);
        if self.boards.len() >= self.boards_max {
            let least = (0..self.boards.len()).min_by_key(|&at| self.boards[at].reads);
            least.map(|at| self.boards.swap_remove(at));
        }
        self.boards.push(Shelved { name, board, reads: PROMOTE_AFTER });
    }

    pub(super) fn remove(&mut self, board: &Arc<Mutex<Board>>) {
        self.boards.retain(|shelved| !Arc::ptr_eq(&shelved.board, board));
    }

    pub(super) fn all(&self) -> Vec<(BoardName, Arc<Mutex<Board>>)> {
        self.boards.iter().map(|shelved| (shelved.name, Arc::clone(&shelved.board))).collect()
    }
}

/// What a board would have to be for; none if only a sum can answer.
fn name(ask: &Ask<'_>) -> Option<BoardName> {
    let &Ask { measure, window_kind, tags } = ask;
    let window_kind = window_kind.filter(|_| tags.is_none())?;
    Some(BoardName { measure, window_kind })
}
