//! The newest rows, in the order in which they came.
//!
//! What it is: the rows that are in no run yet, and before them, if somebody asked for it, more of
//! those that are: from these, a rolling board catches up. What it is not: sorted. Invariant: every
//! row has a number, its place in the order of all appends; the rows here are the last ones, from
//! `first` on. Cost: an append copies at most [`CHUNK_ROWS`] rows, and only if a view that was
//! taken since the last append is still there.

use std::collections::VecDeque;
use std::sync::Arc;

/// Rows of a chunk.
const CHUNK_ROWS: usize = 256;
/// Rows that wait here until they are made into runs.
pub(crate) const TAIL_ROWS_MAX: u64 = 1_024;
/// Rows that are kept for rolling boards to catch up from.
pub(crate) const JOURNAL_ROWS_MAX: u64 = 65_536;

/// A row as it is held here: with the user's number, and the kind together with the correction bit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailRow {
    pub(crate) at_ms: i64,
    pub(crate) user: u32,
    pub(crate) mark: Mark,
    pub(crate) points: i32,
    pub(crate) possible: i32,
    pub(crate) value: i32,
}

/// A kind's number, and whether the row is a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(pub(crate) u32);

impl Mark {
    pub(crate) fn new(kind: u32, is_correction: bool) -> Self {
        Self(kind << 1 | u32::from(is_correction))
    }

    pub(crate) fn kind(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(crate) fn is_correction(self) -> bool {
        self.0 & 1 == 1
    }
}

/// See the module's head. A clone is a view of this moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    /// Full chunks, oldest first.
    sealed: Arc<VecDeque<Arc<Vec<TailRow>>>>,
    open: Arc<Vec<TailRow>>,
    /// The number of the oldest row here.
    first: u64,
    /// Rows before this number are in runs.
    in_runs: u64,
}

impl Tail {
    /// The number that the next row gets: how many there were.
    pub(crate) fn end(&self) -> u64 {
        self.first + (self.sealed.len() * CHUNK_ROWS + self.open.len()) as u64
    }

    /// Rows that are in no run yet.
    pub(crate) fn waiting(&self) -> u64 {
        self.end() - self.in_runs
    }

    pub(crate) fn push(&mut self, row: TailRow) {
        match Arc::get_mut(&mut self.open) {
            Some(rows) => rows.push(row),
            None => {
                let room = (2 * self.open.len()).clamp(4, CHUNK_ROWS);
                let mut rows = Vec::with_capacity(room);
                rows.extend_from_slice(&self.open);
                rows.push(row);
                self.open = Arc::new(rows);
            }
        }
        if self.open.len() == CHUNK_ROWS {
            let full = std::mem::take(&mut self.open);
            Arc::make_mut(&mut self.sealed).push_back(full);
        }
    }

    /// Whether all rows from number `row` on are still here.
    pub(crate) fn reaches(&self, row: u64) -> bool {
        self.first <= row
    }

    /// Chunks of the rows from number `row` on; none if some of them are gone.
    pub(crate) fn since(&self, row: u64) -> Option<impl Iterator<Item = &[TailRow]>> {
        let skip = usize::try_from(row.checked_sub(self.first)?).ok()?;
        let chunks = self.sealed.iter().chain([&self.open]).skip(skip / CHUNK_ROWS);
        let begins = std::iter::once(skip % CHUNK_ROWS).chain(std::iter::repeat(0));
        Some(chunks.zip(begins).map(|(chunk, begin)| &chunk[begin.min(chunk.len())..]))
    }

    /// Rows that are in no run yet, oldest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &TailRow> {
        let chunks = self.since(self.in_runs).expect("they are kept until they are in runs");
        chunks.flatten()
    }

    /// Takes note that all rows are in runs now. Of them, the last [`JOURNAL_ROWS_MAX`] stay if
    /// `keep` says so, else none.
    pub(crate) fn flushed(&mut self, keep: bool) {
        self.in_runs = self.end();
        if !keep {
            *self = Self { first: self.in_runs, in_runs: self.in_runs, ..Self::default() };
            return;
        }
        let surplus = (self.in_runs - self.first).saturating_sub(JOURNAL_ROWS_MAX);
        let chunks = usize::try_from(surplus).map_or(0, |rows| rows / CHUNK_ROWS);
        if chunks > 0 {
            Arc::make_mut(&mut self.sealed).drain(..chunks);
            self.first += (chunks * CHUNK_ROWS) as u64;
        }
    }

    /// Takes note of rows that went into runs at once, after all the others.
    pub(crate) fn bypassed(&mut self, rows: usize) {
        debug_assert_eq!(self.waiting(), 0);
        let end = self.end() + rows as u64;
        *self = Self { first: end, in_runs: end, ..Self::default() };
    }

    pub(crate) fn bytes(&self) -> usize {
        (self.sealed.len() * CHUNK_ROWS + self.open.capacity()) * size_of::<TailRow>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64) -> TailRow {
        let at_ms = i64::try_from(number).unwrap();
        TailRow { at_ms, user: 0, mark: Mark(0), points: 0, possible: 0, value: 0 }
    }

    fn numbers(tail: &Tail, since: u64) -> Option<Vec<i64>> {
        Some(tail.since(since)?.flatten().map(|row| row.at_ms).collect())
    }

    fn count(range: std::ops::Range<i64>) -> Option<Vec<i64>> {
        Some(range.collect())
    }

    #[test]
    fn rows_are_found_by_their_numbers() {
        let mut tail = Tail::default();
        for number in 0..1_000 {
            tail.push(row(number));
        }
        let view = tail.clone();
        for number in 1_000..1_300 {
            tail.push(row(number));
        }
        assert_eq!(numbers(&view, 900), count(900..1_000));
        assert_eq!(numbers(&tail, 255), count(255..1_300));
        assert_eq!(numbers(&tail, 1_300), Some(vec![]));
        assert_eq!(numbers(&tail, 1_301), Some(vec![]));
        assert_eq!((tail.waiting(), tail.rows().count()), (1_300, 1_300));
    }

    #[test]
    fn only_as_many_are_kept_as_was_asked_for() {
        let mut tail = Tail::default();
        for number in 0..JOURNAL_ROWS_MAX + 1_000 {
            tail.push(row(number));
        }
        let mut other = tail.clone();
        tail.flushed(true);
        assert_eq!((tail.waiting(), tail.rows().count()), (0, 0));
        assert_eq!(numbers(&tail, 700), None);
        // Chunks go as a whole.
        assert_eq!(tail.first, 768);
        assert_eq!(numbers(&tail, 66_500), count(66_500..66_536));

        other.flushed(false);
        assert_eq!(numbers(&other, 66_535), None);
        assert_eq!(numbers(&other, 66_536), Some(vec![]));
        other.bypassed(64);
        other.push(row(66_600));
        assert_eq!(numbers(&other, 66_600), count(66_600..66_601));
    }
}
