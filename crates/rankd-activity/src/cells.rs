//! One measure's sums of a month or a year, user by user.
//!
//! What it is: a run of (user, sums) sorted by user, in columns. What it is not: aware of which
//! measure it is for. Invariant: a user has at most one cell in a run; sums of runs add up to the
//! sums of their rows. Cost: 4 bytes for the user, 4 (a month) or 8 (a year) for the time, and 0
//! to 8 for each sum, as its values need.

use std::ops::Range;
use std::sync::Arc;

use crate::column::{CHUNK, Column, chunks};
use crate::order::positions_by;
use crate::tiers::Run;
use crate::users::UsersView;

/// The time of the last activity where there was none, only corrections.
pub(crate) const NEVER: i64 = i64::MIN;

/// A user's sums.
///
/// In referrals, `a` counts referrals and `b` recommendations; in points, `a` is the sum of points
/// and `b` that of possible points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) user: u32,
    pub(crate) a: i64,
    pub(crate) b: i64,
    /// The last counted activity, or [`NEVER`].
    pub(crate) last_ms: i64,
}

impl Cell {
    /// Adds the same user's.
    fn add(&mut self, other: &Self) {
        self.a += other.a;
        self.b += other.b;
        self.last_ms = self.last_ms.max(other.last_ms);
    }
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct CellRun {
    pub(crate) users: Box<[u32]>,
    pub(crate) a: Column,
    pub(crate) b: Column,
    /// 0 for never, else 1 more than the milliseconds since `start_ms`.
    pub(crate) last: Column,
    pub(crate) start_ms: i64,
}

impl CellRun {
    /// A run of cells in ascending order of users, whose times are not before `start_ms`.
    pub(crate) fn new(cells: &[Cell], start_ms: i64) -> Self {
        let last =
            |cell: &Cell| if cell.last_ms == NEVER { 0 } else { cell.last_ms - start_ms + 1 };
        Self {
            users: cells.iter().map(|cell| cell.user).collect(),
            a: Column::of(cells.iter().map(|cell| cell.a)),
            b: Column::of(cells.iter().map(|cell| cell.b)),
            last: Column::of(cells.iter().map(last)),
            start_ms,
        }
    }

    /// Positions of these users' cells.
    pub(crate) fn of_users(&self, users: Range<u32>) -> Range<usize> {
        let before = |user: u32| self.users.partition_point(|&other| other < user);
        before(users.start)..before(users.end)
    }

    /// All cells but those of the dead.
    fn cells(&self, users: &UsersView) -> Vec<Cell> {
        let mut cells = Vec::with_capacity(self.users.len());
        let [mut a, mut b, mut last] = [[0; CHUNK]; 3];
        for chunk in chunks(0..self.users.len()) {
            self.a.load(chunk.clone(), &mut a);
            self.b.load(chunk.clone(), &mut b);
            self.last.load(chunk.clone(), &mut last);
            let sums = a.iter().zip(&b).zip(&last);
            cells.extend(self.users[chunk].iter().zip(sums).map(|(&user, ((&a, &b), &last))| {
                let last_ms = if last == 0 { NEVER } else { self.start_ms + last - 1 };
                Cell { user, a, b, last_ms }
            }));
        }
        if users.has_dead() {
            cells.retain(|cell| !users.is_dead(cell.user));
        }
        cells
    }

    /// Whether anybody who lives has an activity here.
    pub(crate) fn has_activity(&self, users: &UsersView) -> bool {
        let is_alive = |at: &usize| !users.is_dead(self.users[*at]);
        (0..self.users.len()).filter(is_alive).any(|at| self.last.get(at) != 0)
    }
}

impl Run for CellRun {
    fn len(&self) -> usize {
        self.users.len()
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.users) + self.a.bytes() + self.b.bytes() + self.last.bytes()
    }

    fn merged(runs: &[Arc<Self>], users: &UsersView) -> Self {
        // Later runs are shorter, so from the end on little is merged more than once.
        let cells = runs.iter().rev().map(|run| run.cells(users));
        let merged = cells.reduce(|later, run| merged(&run, &later));
        Self::new(&merged.unwrap_or_default(), runs[0].start_ms)
    }
}

/// Both, in ascending order of users, added up to one cell a user.
fn merged(one: &[Cell], two: &[Cell]) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(one.len() + two.len());
    let mut two = two.iter().copied().peekable();
    for &(mut cell) in one {
        while let Some(other) = two.next_if(|other| other.user < cell.user) {
            cells.push(other);
        }
        if let Some(other) = two.next_if(|other| other.user == cell.user) {
            cell.add(&other);
        }
        cells.push(cell);
    }
    cells.extend(two);
    cells
}

/// Cells in any order, sorted and added up to one a user.
pub(crate) fn summed(cells: &[Cell]) -> Vec<Cell> {
    let mut sums: Vec<Cell> = Vec::with_capacity(cells.len());
    for at in positions_by(cells.iter().map(|cell| cell.user)) {
        let cell = cells[at as usize];
        match sums.last_mut() {
            Some(sum) if sum.user == cell.user => sum.add(&cell),
            _ => sums.push(cell),
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(user: u32, a: i64, b: i64, last_ms: i64) -> Cell {
        Cell { user, a, b, last_ms }
    }

    #[test]
    fn merging_adds_up_in_any_width() {
        let wide = 5_000_000_000;
        let one = CellRun::new(&[cell(1, -3, 0, 100), cell(4, wide, 7, NEVER)], 50);
        let two = CellRun::new(&[cell(2, 1, 1, 1 << 40), cell(4, wide, -7, 51)], 50);
        let three = CellRun::new(&[cell(1, 0, 9, NEVER)], 50);
        let runs = [Arc::new(one), Arc::new(two), Arc::new(three)];
        let merged = CellRun::merged(&runs, &UsersView::default());
        let cells = merged.cells(&UsersView::default());
        let expected = [cell(1, -3, 9, 100), cell(2, 1, 1, 1 << 40), cell(4, 2 * wide, 0, 51)];
        assert_eq!(cells, expected);
        assert_eq!(merged.of_users(2..4), 1..2);
    }

    #[test]
    fn counts_take_two_bytes_at_most() {
        let cells: Vec<Cell> =
            (0..1_000).map(|user| cell(user, i64::from(user), 0, i64::from(user))).collect();
        assert_eq!(CellRun::new(&cells, 0).bytes(), 1_000 * (4 + 2 + 2));
    }
}
