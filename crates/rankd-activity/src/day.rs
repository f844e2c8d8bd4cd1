//! The rows of one UTC day, in columns.
//!
//! What it is: a run of rows sorted by user, then time, then append, so that one user's rows and a
//! range of users are slices; and beside it the order of time. What it is not: sums. Invariant:
//! `by_time` is a permutation that lists the rows by time, then append. Cost: 10 to 14 bytes a row
//! without points, and what points, possible points and values need.

use std::ops::Range;
use std::sync::Arc;

use crate::column::Column;
use crate::order::positions_by;
use crate::tail::Mark;
use crate::tiers::Run;
use crate::users::UsersView;

/// A row within its day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DayRow {
    pub(crate) ms: u32,
    pub(crate) user: u32,
    pub(crate) mark: Mark,
    pub(crate) points: i32,
    pub(crate) possible: i32,
    pub(crate) value: i32,
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct DayRun {
    pub(crate) users: Box<[u32]>,
    pub(crate) ms: Box<[u32]>,
    pub(crate) marks: Column,
    pub(crate) points: Column,
    pub(crate) possible: Column,
    value: Column,
    by_time: Column,
    corrections: usize,
}

impl DayRun {
    /// A run of rows that are sorted by time, then append.
    pub(crate) fn new(rows: &[DayRow]) -> Self {
        let order = positions_by(rows.iter().map(|row| row.user));
        let sorted: Vec<DayRow> = order.iter().map(|&at| rows[at as usize]).collect();
        let column =
            |field: fn(&DayRow) -> i32| Column::of(sorted.iter().map(|row| i64::from(field(row))));
        Self {
            users: sorted.iter().map(|row| row.user).collect(),
            ms: sorted.iter().map(|row| row.ms).collect(),
            marks: Column::of(sorted.iter().map(|row| i64::from(row.mark.0))),
            points: column(|row| row.points),
            possible: column(|row| row.possible),
            value: column(|row| row.value),
            by_time: Column::of(inverse(&order).iter().map(|&at| i64::from(at))),
            corrections: rows.iter().filter(|row| row.mark.is_correction()).count(),
        }
    }

    /// Rows that are not corrections, of the living and the dead.
    pub(crate) fn listed(&self) -> usize {
        self.users.len() - self.corrections
    }

    /// Positions of these users' rows.
    pub(crate) fn of_users(&self, users: Range<u32>) -> Range<usize> {
        let before = |user: u32| self.users.partition_point(|&other| other < user);
        before(users.start)..before(users.end)
    }

    pub(crate) fn mark(&self, at: usize) -> Mark {
        Mark(narrow(self.marks.get(at)))
    }

    pub(crate) fn row(&self, at: usize) -> DayRow {
        let amount = |column: &Column| i32::try_from(column.get(at)).expect("it was one");
        DayRow {
            ms: self.ms[at],
            user: self.users[at],
            mark: self.mark(at),
            points: amount(&self.points),
            possible: amount(&self.possible),
            value: amount(&self.value),
        }
    }

    /// The position of the row that is `nth` in the order of time.
    pub(crate) fn nth_by_time(&self, nth: usize) -> usize {
        narrow(self.by_time.get(nth)) as usize
    }

    /// Which places in the order of time are within these milliseconds of the day.
    pub(crate) fn times_within(&self, ms: &Range<u32>) -> Range<usize> {
        self.times_before(ms.start)..self.times_before(ms.end)
    }

    /// Rows before this millisecond of the day.
    pub(crate) fn times_before(&self, ms: u32) -> usize {
        let (mut from, mut until) = (0, self.ms.len());
        while from < until {
            let middle = from.midpoint(until);
            if self.ms[self.nth_by_time(middle)] < ms {
                from = middle + 1;
            } else {
                until = middle;
            }
        }
        from
    }

    /// All rows, by time, then append.
    fn rows_by_time(&self) -> impl Iterator<Item = DayRow> {
        (0..self.ms.len()).map(|nth| self.row(self.nth_by_time(nth)))
    }
}

impl Run for DayRun {
    fn len(&self) -> usize {
        self.users.len()
    }

    fn bytes(&self) -> usize {
        let columns = [&self.marks, &self.points, &self.possible, &self.value, &self.by_time];
        let columns: usize = columns.iter().map(|column| column.bytes()).sum();
        columns + size_of_val(&*self.users) + size_of_val(&*self.ms)
    }

    fn merged(runs: &[Arc<Self>], users: &UsersView) -> Self {
        let mut rows: Vec<DayRow> = Vec::with_capacity(runs.iter().map(|run| run.len()).sum());
        for run in runs {
            rows.extend(run.rows_by_time().filter(|row| !users.is_dead(row.user)));
        }
        // Stable, so equal times stay in the order of appends; and quick, because the runs are
        // sorted already.
        rows.sort_by_key(|row| row.ms);
        Self::new(&rows)
    }
}

fn inverse(order: &[u32]) -> Vec<u32> {
    let mut inverse = vec![0; order.len()];
    for (&at, position) in order.iter().zip(0_u32..) {
        inverse[at as usize] = position;
    }
    inverse
}

fn narrow(value: i64) -> u32 {
    u32::try_from(value).expect("the column was made of such values")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ms: u32, user: u32, points: i32) -> DayRow {
        DayRow { ms, user, mark: Mark(4), points, possible: 0, value: 0 }
    }

    fn listed(run: &DayRun) -> Vec<(u32, u32, i32)> {
        run.rows_by_time().map(|row| (row.ms, row.user, row.points)).collect()
    }

    #[test]
    fn merging_keeps_the_order_of_appends() {
        let older = DayRun::new(&[row(10, 7, 1), row(20, 3, 2), row(20, 9, 3)]);
        let newer = DayRun::new(&[row(5, 3, 4), row(20, 7, 5), row(20, 3, 6)]);
        let runs = [Arc::new(older), Arc::new(newer)];
        let merged = DayRun::merged(&runs, &UsersView::default());
        let expected = [(5, 3, 4), (10, 7, 1), (20, 3, 2), (20, 9, 3), (20, 7, 5), (20, 3, 6)];
        assert_eq!(listed(&merged), expected);
        assert_eq!(&*merged.users, [3, 3, 3, 7, 7, 9]);
        assert_eq!(merged.of_users(3..7), 0..3);
        assert_eq!(merged.of_users(4..7), 3..3);
        assert_eq!(merged.times_within(&(10..20)), 1..2);
        assert_eq!(merged.times_within(&(11..21)), 2..6);
    }
}
