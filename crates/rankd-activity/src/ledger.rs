//! All counted activities of one organisation.
//!
//! What it is: the writer's side; what readers need is handed out as views, which never change.
//! What it is not: aware of organisations, duplicates or scoring; rows come in resolved, and kinds
//! are numbers. Invariant: every row is in the tail or in the blocks, and a view holds both of the
//! same moment. Cost: an append is a few dozen nanoseconds; every [`TAIL_ROWS_MAX`] appends, the
//! tail is sorted into the blocks. A view is a few microseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::block::Blocks;
use crate::memory::Memory;
use crate::row::{
    BatchError, KINDS_MAX, KindId, KindTraits, ROWS_MAX, Row, RowError, TooManyKinds, USERS_MAX,
};
use crate::tail::{Mark, TAIL_ROWS_MAX, Tail, TailRow};
use crate::users::Users;

/// Rows given at once from which on they bypass the tail.
const BULK_ROWS_MIN: usize = 16_384;
/// Tails that appends may merge into one run; longer ones are left to
/// [`merge_job`](Ledger::merge_job).
const MERGED_TAILS_MAX: u64 = 8;
/// Rows that are sorted into the blocks at once.
const BULK_ROWS_MAX: usize = 1 << 19;

/// See the module's head.
///
/// ```
/// use std::num::NonZeroUsize;
/// use rankd_activity::{Counts, KindTraits, Ledger, Measure, Row, Window};
///
/// let mut ledger = Ledger::new();
/// let report = ledger.define_kind(KindTraits { counts: Counts::Points, tag: None })?;
/// let row = |user, at_ms, points| Row {
///     user, at_ms, kind: report, points, possible: 200, value: 0, is_correction: false,
/// };
/// ledger.append(row(7, 1_000, 150))?;
/// ledger.append(row(9, 2_000, 200))?;
/// ledger.append(row(7, 3_000, -50))?;
///
/// let view = ledger.window(Measure::Points, Window { from_ms: 0, until_ms: 3_000 });
/// let standings = view.standings(NonZeroUsize::MIN);
/// assert_eq!(standings.tallies(0, 10)[0].user, 9);
/// assert_eq!(standings.rank_of(7).map(|(rank, tally)| (rank, tally.score)), Some((2, 150)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ledger {
    pub(crate) users: Users,
    pub(crate) kinds: Arc<Vec<KindTraits>>,
    pub(crate) tail: Tail,
    tail_rows_max: u64,
    pub(crate) blocks: Blocks,
    version: u64,
    /// Whether rolling boards want to catch up from rows that are in runs already.
    pub(crate) is_followed: Arc<AtomicBool>,
}

impl Ledger {
    /// A ledger without rows.
    pub fn new() -> Self {
        Self::with_tail_rows_max(TAIL_ROWS_MAX)
    }

    /// A ledger that sorts its rows whenever there are this many new ones, at least one. It answers
    /// the same; a small number is for tests that want many runs.
    pub fn with_tail_rows_max(rows: u64) -> Self {
        Self {
            users: Users::default(),
            kinds: Arc::default(),
            tail: Tail::default(),
            tail_rows_max: rows,
            blocks: Blocks::default(),
            version: 0,
            is_followed: Arc::default(),
        }
    }

    /// Grows with everything that has an effect.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Defines the next kind. Kinds are never removed or changed.
    ///
    /// # Errors
    /// If there are [`KINDS_MAX`] kinds already.
    pub fn define_kind(&mut self, kind: KindTraits) -> Result<KindId, TooManyKinds> {
        let kinds = self.kinds.len();
        let id = u32::try_from(kinds).ok().filter(|_| kinds < KINDS_MAX).ok_or(TooManyKinds)?;
        Arc::make_mut(&mut self.kinds).push(kind);
        self.version += 1;
        Ok(KindId(id))
    }

    /// What a kind was defined as; none if it was not.
    pub fn kind(&self, kind: KindId) -> Option<KindTraits> {
        self.kinds.get(kind.0 as usize).copied()
    }

    /// Adds a row, behind all others of its millisecond.
    ///
    /// # Errors
    /// If the row breaks a limit, or the ledger is full. Nothing has changed then.
    pub fn append(&mut self, row: Row) -> Result<(), RowError> {
        row.check(self.kinds.len())?;
        self.check_room(1)?;
        self.push(&row);
        Ok(())
    }

    /// Adds to a user's possible points at that time, and does nothing else: see [`Row`].
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_correction(
        &mut self,
        user: u64,
        at_ms: i64,
        kind: KindId,
        possible_delta: i32,
    ) -> Result<(), RowError> {
        let possible = possible_delta;
        let row = Row { user, at_ms, kind, points: 0, possible, value: 0, is_correction: true };
        self.append(row)
    }

    /// Adds many rows in this order: the same as many appends, but many times quicker from some ten
    /// thousand rows on, the more so if their times ascend.
    ///
    /// # Errors
    /// If one of the rows breaks a limit, or the ledger would be full. Nothing has changed then.
    pub fn append_all(&mut self, rows: &[Row]) -> Result<(), BatchError> {
        for (position, row) in rows.iter().enumerate() {
            let checked = row.check(self.kinds.len());
            checked.map_err(|error| BatchError { position, error })?;
        }
        self.check_room(rows.len()).map_err(|error| BatchError { position: 0, error })?;
        if rows.len() < BULK_ROWS_MIN {
            rows.iter().for_each(|row| self.push(row));
            return Ok(());
        }
        self.flush();
        for rows in rows.chunks(BULK_ROWS_MAX) {
            let numbered = rows.iter().map(|row| tail_row(&mut self.users, row));
            let numbered: Vec<TailRow> = numbered.collect();
            self.blocks.take(numbered, &self.kinds, self.users.view(), usize::MAX);
            self.tail.bypassed(rows.len());
            self.version += rows.len() as u64;
        }
        Ok(())
    }

    fn check_room(&self, rows: usize) -> Result<(), RowError> {
        if self.tail.end() + rows as u64 > ROWS_MAX {
            return Err(RowError::Full);
        }
        // Each row may bring a user; near the limit, that is taken for granted.
        if self.users.view().len() + rows > USERS_MAX {
            return Err(RowError::TooManyUsers);
        }
        Ok(())
    }

    fn push(&mut self, row: &Row) {
        let row = tail_row(&mut self.users, row);
        self.tail.push(row);
        self.version += 1;
        if self.tail.waiting() >= self.tail_rows_max {
            self.flush();
        }
    }

    /// Sorts the tail into the blocks.
    fn flush(&mut self) {
        let rows: Vec<TailRow> = self.tail.rows().copied().collect();
        if !rows.is_empty() {
            let merged_max = MERGED_TAILS_MAX.saturating_mul(self.tail_rows_max);
            let merged_max = usize::try_from(merged_max).unwrap_or(usize::MAX);
            self.blocks.take(rows, &self.kinds, self.users.view(), merged_max);
            self.tail.flushed(self.is_followed.load(Ordering::Relaxed));
        }
    }

    /// Lets a user leave all boards and lists; whether there was one. Rows that come under the same
    /// id later are a new user's.
    ///
    /// Rows of the user stay in memory until their blocks are merged the next time.
    pub fn remove_user(&mut self, user: u64) -> bool {
        let was_there = self.users.remove(user);
        if was_there {
            self.blocks.forget_tops();
            self.version += 1;
        }
        was_there
    }

    /// Puts everything into as few runs as possible. Worth its while after a bulk load; it changes
    /// no answer.
    pub fn settle(&mut self) {
        self.flush();
        self.blocks.settle(self.users.view());
    }

    /// What the ledger takes in memory. O(blocks).
    pub fn memory(&self) -> Memory {
        Memory::of(self)
    }

    /// The oldest row at or after `ms`, be it of whom and what it may.
    pub(crate) fn first_at_or_after(&self, ms: i64) -> Option<i64> {
        let in_tail = self.tail.rows().map(|row| row.at_ms).filter(|&at_ms| at_ms >= ms).min();
        let in_blocks = self.blocks.first_at_or_after(ms);
        in_tail.into_iter().chain(in_blocks).min()
    }

    /// The newest row before `ms`, be it of whom and what it may.
    pub(crate) fn last_before(&self, ms: i64) -> Option<i64> {
        let in_tail = self.tail.rows().map(|row| row.at_ms).filter(|&at_ms| at_ms < ms).max();
        let in_blocks = self.blocks.last_before(ms);
        in_tail.into_iter().chain(in_blocks).max()
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

fn tail_row(users: &mut Users, row: &Row) -> TailRow {
    let Row { user, at_ms, kind, points, possible, value, is_correction } = *row;
    let mark = Mark::new(kind.0, is_correction);
    TailRow { at_ms, user: users.number(user), mark, points, possible, value }
}
