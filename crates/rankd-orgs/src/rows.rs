//! Rows in columns, as they are logged and written to snapshots.
//!
//! What it is: the way from rows to columns and back. What it is not: an encoding. Invariant: the
//! columns that are there have one length; a column of zeros is left out. Cost: O(rows).

use rankd_activity::{AMOUNT_MAX, AT_MS_MAX, AT_MS_MIN, KindId, Row};

use crate::change::Rows;

impl Rows {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Appends a row.
    pub(crate) fn push(&mut self, row: &Row) {
        let before = self.len();
        self.users.push(row.user);
        self.at_ms.push(row.at_ms);
        self.kinds.push(row.kind.0);
        push_column(&mut self.points, before, row.points);
        push_column(&mut self.possible, before, row.possible);
        push_column(&mut self.values, before, row.value);
    }

    /// The row at a position; none of them is a correction.
    fn row(&self, at: usize) -> Row {
        let of = |column: &[i32]| column.get(at).copied().unwrap_or(0);
        Row {
            user: self.users[at],
            at_ms: self.at_ms[at],
            kind: KindId(self.kinds[at]),
            points: of(&self.points),
            possible: of(&self.possible),
            value: of(&self.values),
            is_correction: false,
        }
    }

    /// The rows in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.len()).map(|at| self.row(at))
    }

    /// Whether all columns have one length and all values are within the limits, the kinds below
    /// `kinds`.
    pub(crate) fn fit(&self, kinds: usize) -> bool {
        let len = self.len();
        let amounts = [&self.points, &self.possible, &self.values];
        let small = |amount: &i32| amount.unsigned_abs() <= AMOUNT_MAX.unsigned_abs();
        self.at_ms.len() == len
            && self.kinds.len() == len
            && self.kinds.iter().all(|kind| (*kind as usize) < kinds)
            && self.at_ms.iter().all(|at_ms| (AT_MS_MIN..=AT_MS_MAX).contains(at_ms))
            && amounts.iter().all(|column| column.is_empty() || column.len() == len)
            && amounts.iter().all(|column| column.iter().all(small))
    }
}

/// Appends to a column of which `before` values are there or left out.
fn push_column(column: &mut Vec<i32>, before: usize, value: i32) {
    if column.is_empty() && value != 0 {
        column.resize(before, 0);
    }
    if !column.is_empty() || value != 0 {
        column.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_columns_of_zeros_are_left_out() {
        let row = |user, points, value| Row {
            user,
            at_ms: 5,
            kind: KindId(0),
            points,
            possible: 0,
            value,
            is_correction: false,
        };
        let expected = [row(1, 0, 0), row(2, 7, 0), row(3, 0, 0)];
        let mut rows = Rows::default();
        expected.iter().for_each(|row| rows.push(row));
        assert!(rows.iter().eq(expected));
        assert_eq!((&*rows.points, rows.values.len()), (&[0, 7, 0][..], 0));
        assert!(rows.fit(1) && !rows.fit(0));
        rows.values.push(1);
        assert!(!rows.fit(1), "a column that is too short");
    }
}
