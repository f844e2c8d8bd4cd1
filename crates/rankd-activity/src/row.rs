//! What goes in and what comes out: rows, kinds, measures, windows, tallies, errors.
//!
//! What it is not: how any of it is stored. Invariant: a row that passed [`Row::check`] is within
//! every limit here, so that no sum of [`ROWS_MAX`] rows overflows 64 bits. Cost: O(1).

use thiserror::Error;

/// The earliest time of a row: 0001-01-01T00:00:00Z.
pub const AT_MS_MIN: i64 = -62_135_596_800_000;
/// The latest time of a row: 9999-12-31T23:59:59.999Z.
pub const AT_MS_MAX: i64 = 253_402_300_799_999;
/// The largest amount, of either sign, that a row may have in points, possible points or value.
pub const AMOUNT_MAX: i32 = 1_000_000_000;
/// Rows and corrections that a ledger may ever take. That many of the largest amounts stay below
/// half of what a 64-bit sum holds.
pub const ROWS_MAX: u64 = 1 << 32;
/// Users that a ledger may ever see, removed ones included.
pub const USERS_MAX: usize = 1 << 30;
/// Kinds that a ledger may have.
pub const KINDS_MAX: usize = 1 << 30;

const _: () = assert!(ROWS_MAX as i128 * (AMOUNT_MAX as i128) < i64::MAX as i128 / 2);

/// The number of a kind of activity: dense, from 0, given by `Ledger::define_kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindId(pub u32);

/// What activities of a kind count for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Counts {
    /// No measure: such rows are only listed.
    #[default]
    Nothing,
    /// A referral, worth three points of [`Measure::Referrals`].
    Refer,
    /// A recommendation, worth one point of [`Measure::Referrals`].
    Recommend,
    /// The row's points, in [`Measure::Points`].
    Points,
}

/// What a ledger knows of a kind; everything else about it is kept above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KindTraits {
    /// What its rows count for.
    pub counts: Counts,
    /// What its referrals and recommendations can be filtered by, such as a vacancy's number.
    pub tag: Option<u32>,
}

/// What a board ranks users by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Three points a referral and one a recommendation.
    Referrals,
    /// The sum of points, which may be negative.
    Points,
}

impl Measure {
    /// All measures, in the order of their numbers.
    pub(crate) const ALL: [Self; 2] = [Self::Referrals, Self::Points];

    /// Whether rows that count so belong to this measure.
    pub(crate) fn takes(self, counts: Counts) -> bool {
        match counts {
            Counts::Nothing => false,
            Counts::Refer | Counts::Recommend => self == Self::Referrals,
            Counts::Points => self == Self::Points,
        }
    }

    /// The score of a sum (see [`Cell`](crate::cells::Cell)).
    pub(crate) fn score(self, a: i64, b: i64) -> i64 {
        match self {
            Self::Referrals => 3 * a + b,
            Self::Points => a,
        }
    }
}

/// One activity of one user.
///
/// A *correction* is a row that only changes possible points: it neither makes its user present
/// nor moves the time of the last activity, and it is never listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// Whose it is.
    pub user: u64,
    /// When it happened, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What it was.
    pub kind: KindId,
    /// Points that it earned or lost.
    pub points: i32,
    /// Points that it could have earned; in a correction, what is to be added to them.
    pub possible: i32,
    /// Its value, which is kept and given back, but counts in no measure.
    pub value: i32,
    /// Whether this is a correction.
    pub is_correction: bool,
}

impl Row {
    /// Whether the row keeps to all limits, with `kinds` kinds being defined.
    pub(crate) fn check(&self, kinds: usize) -> Result<(), RowError> {
        if !(AT_MS_MIN..=AT_MS_MAX).contains(&self.at_ms) {
            return Err(RowError::Time { at_ms: self.at_ms });
        }
        let amounts = [("points", self.points), ("possible", self.possible), ("value", self.value)];
        for (what, amount) in amounts {
            if amount.unsigned_abs() > AMOUNT_MAX.unsigned_abs() {
                return Err(RowError::Amount { what, amount });
            }
        }
        if self.kind.0 as usize >= kinds {
            return Err(RowError::Kind { kind: self.kind.0, kinds });
        }
        if self.is_correction && (self.points != 0 || self.value != 0) {
            return Err(RowError::Correction { points: self.points, value: self.value });
        }
        Ok(())
    }
}

/// Why a row was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RowError {
    /// The time is outside of the calendar.
    #[error("time {at_ms} ms is not from {AT_MS_MIN} to {AT_MS_MAX}")]
    Time {
        /// The time given.
        at_ms: i64,
    },
    /// An amount is too large.
    #[error("{what} is {amount}, which is not from -{AMOUNT_MAX} to {AMOUNT_MAX}")]
    Amount {
        /// The name of the field.
        what: &'static str,
        /// The amount given.
        amount: i32,
    },
    /// No kind has this number.
    #[error("kind {kind} is not defined; there are {kinds}")]
    Kind {
        /// The number given.
        kind: u32,
        /// Kinds that are defined.
        kinds: usize,
    },
    /// A correction may change possible points only.
    #[error("a correction has {points} points and value {value}, and both must be 0")]
    Correction {
        /// The points given.
        points: i32,
        /// The value given.
        value: i32,
    },
    /// The ledger has taken all the rows that it can.
    #[error("the ledger is full: it has taken {ROWS_MAX} rows")]
    Full,
    /// The ledger has seen all the users that it can.
    #[error("the ledger is full: it has seen {USERS_MAX} users")]
    TooManyUsers,
}

/// Why none of several rows was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("row {position}: {error}")]
pub struct BatchError {
    /// The first row that is wrong, counted from 0.
    pub position: usize,
    /// What is wrong with it.
    pub error: RowError,
}

/// Why a kind was not defined: there are [`KINDS_MAX`] already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there are {KINDS_MAX} kinds already, which is the most")]
pub struct TooManyKinds;

/// A span of time: from `from_ms` on, up to but without `until_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first millisecond inside.
    pub from_ms: i64,
    /// The first millisecond behind the end.
    pub until_ms: i64,
}

impl Window {
    /// All of time.
    pub const ALL: Self = Self { from_ms: AT_MS_MIN, until_ms: AT_MS_MAX + 1 };

    /// Whether `at_ms` is inside.
    pub fn contains(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && at_ms < self.until_ms
    }

    /// Whether nothing can be inside.
    pub fn is_empty(&self) -> bool {
        self.from_ms >= self.until_ms
    }

    /// The part that rows can be in.
    pub(crate) fn clamped(self) -> Self {
        let edge = |ms: i64| ms.clamp(AT_MS_MIN, AT_MS_MAX + 1);
        Self { from_ms: edge(self.from_ms), until_ms: edge(self.until_ms) }
    }

    pub(crate) fn intersection(self, other: Self) -> Self {
        Self {
            from_ms: self.from_ms.max(other.from_ms),
            until_ms: self.until_ms.min(other.until_ms),
        }
    }
}

/// One user's sums over a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tally {
    /// Whose they are.
    pub user: u64,
    /// What the user is ranked by.
    pub score: i64,
    /// Possible points; 0 in [`Measure::Referrals`].
    pub possible: i64,
    /// Referrals; 0 in [`Measure::Points`].
    pub refer: u32,
    /// Recommendations; 0 in [`Measure::Points`].
    pub recommend: u32,
    /// When the last counted activity in the window happened.
    pub last_ms: i64,
}
