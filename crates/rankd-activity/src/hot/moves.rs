//! What happened between two readings of a rolling board.
//!
//! What it is: views of the rows that came, and of the days at both edges of the window. What it is
//! not: a change of any board. Invariant: taken at one moment, so that a row that came late and has
//! left already is found on both ways and adds up to nothing. Cost: microseconds under the ledger's
//! lock; the rows themselves are visited later.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::block::cell;
use crate::cells::{Cell, NEVER};
use crate::day::DayRow;
use crate::ledger::Ledger;
use crate::row::{KindTraits, Measure, Window};
use crate::tail::{Tail, TailRow};
use crate::time;
use crate::users::UsersView;
use crate::window::Part;

/// Rows that a board follows at its edges at once; beyond that, it is quicker to make it anew.
const EDGE_ROWS_MAX: usize = 100_000;
/// Rows that a board takes back for a reader who looked at the clock before another one.
const BACK_ROWS_MAX: usize = 1_000;

/// Up to where a board has followed the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) window: Window,
    /// The number of the next row.
    pub(super) row: u64,
    /// Users that had died.
    pub(super) dead: usize,
}

/// Why a board cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The window is too far behind the board's; the next one need not be.
    Backwards,
    /// Too much has happened: the board has to be made anew.
    TooFar,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Moves {
    measure: Measure,
    since: Position,
    to: Window,
    left: Edge,
    gained: [Edge; 2],
    tail: Tail,
    kinds: Arc<Vec<KindTraits>>,
    users: UsersView,
    version: u64,
}

impl Ledger {
    /// Tells whether rolling boards want to catch up from rows that are in runs already.
    pub(super) fn follow(&self, is_followed: bool) {
        self.is_followed.store(is_followed, Ordering::Relaxed);
    }

    /// What a board has to do to get from `since` to the window `to`.
    ///
    /// The window's start may go back a little, because rows can be taken in again. Its end may go
    /// back only over no rows, because who loses the newest row would need an older time.
    pub(super) fn moves(
        &self,
        measure: Measure,
        since: Position,
        to: Window,
    ) -> Result<Moves, Lost> {
        let now = since.window;
        let is_apart = to.from_ms > now.until_ms || to.until_ms < now.from_ms;
        if is_apart || !self.tail.reaches(since.row) {
            return Err(Lost::TooFar);
        }
        if self.first_at_or_after(to.until_ms).is_some_and(|at_ms| at_ms < now.until_ms) {
            return Err(Lost::Backwards);
        }
        let edge = |from_ms, until_ms| {
            let window = Window { from_ms, until_ms };
            let days = self.blocks.days_within(window).collect();
            Edge { window, days }
        };
        let back = edge(to.from_ms, now.from_ms);
        if back.rows() > BACK_ROWS_MAX {
            return Err(Lost::Backwards);
        }
        let left = edge(now.from_ms, to.from_ms);
        let entered = edge(now.until_ms, to.until_ms);
        if left.rows() + entered.rows() > EDGE_ROWS_MAX {
            return Err(Lost::TooFar);
        }
        Ok(Moves {
            measure,
            since,
            to,
            left,
            gained: [back, entered],
            tail: self.tail.clone(),
            kinds: Arc::clone(&self.kinds),
            users: self.users.view().clone(),
            version: self.version(),
        })
    }
}

/// Rows between two positions of an edge of the window, apart from the tail's.
#[derive(Debug)]
struct Edge {
    window: Window,
    days: Vec<Part>,
}

impl Edge {
    fn rows(&self) -> usize {
        let rows = self.days.iter().map(|part| match part {
            Part::Rows { rows, ms, .. } => {
                rows.runs().iter().map(|run| run.times_within(ms).len()).sum()
            }
            Part::Cells(_) => 0,
        });
        rows.sum()
    }

    /// All rows, those of the tail included.
    fn each(&self, tail: &Tail, visit: &mut impl FnMut(&TailRow)) {
        if self.window.is_empty() {
            return;
        }
        tail.rows().filter(|row| self.window.contains(row.at_ms)).for_each(&mut *visit);
        self.days.iter().for_each(|part| each_row(part, visit));
    }
}

impl Moves {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Where a board is that has followed.
    pub(super) fn position(&self) -> Position {
        Position { window: self.to, row: self.tail.end(), dead: self.users.dead().len() }
    }

    /// Ids of the users that died.
    pub(super) fn dead(&self) -> impl Iterator<Item = u64> {
        self.users.dead()[self.since.dead..].iter().map(|&user| self.users.id(user))
    }

    pub(super) fn id(&self, user: u32) -> u64 {
        self.users.id(user)
    }

    /// What the living gain (as it is) and lose (negative, with no time).
    pub(super) fn each(&self, mut visit: impl FnMut(Cell)) {
        let came = self.tail.since(self.since.row).into_iter().flatten().flatten();
        came.filter(|row| self.since.window.contains(row.at_ms))
            .for_each(|row| self.gain(row, &mut visit));
        self.left.each(&self.tail, &mut |row| {
            self.gain(row, &mut |cell: Cell| {
                visit(Cell { a: -cell.a, b: -cell.b, last_ms: NEVER, ..cell });
            });
        });
        for edge in &self.gained {
            edge.each(&self.tail, &mut |row| self.gain(row, &mut visit));
        }
    }

    fn gain(&self, row: &TailRow, visit: &mut impl FnMut(Cell)) {
        if !self.users.is_dead(row.user) {
            cell(row, self.measure, &self.kinds).into_iter().for_each(visit);
        }
    }
}

fn each_row(part: &Part, visit: &mut impl FnMut(&TailRow)) {
    let Part::Rows { day, rows, ms } = part else { return };
    let start_ms = time::day_start_ms(*day);
    for run in rows.runs() {
        for nth in run.times_within(ms) {
            let DayRow { ms, user, mark, points, possible, value } = run.row(run.nth_by_time(nth));
            let at_ms = start_ms + i64::from(ms);
            visit(&TailRow { at_ms, user, mark, points, possible, value });
        }
    }
}
