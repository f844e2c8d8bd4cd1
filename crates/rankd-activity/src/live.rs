//! A board of values that are set and added to.
//!
//! What it is: users in order of value, highest first; then the earlier last activity; then the
//! smaller id. What it is not: a window; nothing ever leaves by itself. Invariant: a user is on it
//! from the first `set` or `add` until `remove`. Cost: O(log n) each, about 60 bytes a user.

use rank_index::{
    Direction, Eight, Entry, IndexError, RankIndex, ScoreTieKey, decode_i64, earliest_ms,
    encode_i64, tie_earliest,
};
use thiserror::Error;

/// A user on a [`LiveBoard`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LiveEntry {
    /// Who it is.
    pub user: u64,
    /// What the user is ranked by.
    pub value: i64,
    /// When the value was last added to.
    pub last_ms: i64,
}

/// Why a value did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The sum does not fit.
    #[error("value {value} plus {delta} is beyond 64 bits")]
    Overflow {
        /// The value that the user has.
        value: i64,
        /// What was to be added.
        delta: i64,
    },
    /// The board is full.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// See the module's head.
///
/// ```
/// use rankd_activity::LiveBoard;
/// let mut board = LiveBoard::new();
/// board.set(7, 0, 1_000)?;
/// board.add(9, 21_000, 2_000)?;
/// board.add(7, 21_000, 3_000)?;
/// let entry = board.rank_of(7).map(|(rank, entry)| (rank, entry.value, entry.last_ms));
/// assert_eq!(entry, Some((2, 21_000, 3_000)));
/// # Ok::<(), rankd_activity::LiveError>(())
/// ```
#[derive(Debug, Default)]
pub struct LiveBoard(RankIndex<Eight<ScoreTieKey>>);

impl LiveBoard {
    /// A board without users.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a user this value and time, whatever they were.
    ///
    /// # Errors
    /// If the board is full.
    pub fn set(&mut self, user: u64, value: i64, last_ms: i64) -> Result<(), LiveError> {
        self.0.upsert(&user.to_be_bytes(), key(value, last_ms))?;
        Ok(())
    }

    /// Adds to a user's value, which is 0 for a new user, and moves the time forward to `at_ms`.
    /// An activity that is not the newest does not move it. The value after it.
    ///
    /// # Errors
    /// If the sum does not fit 64 bits, or the board is full. Nothing has changed then.
    pub fn add(&mut self, user: u64, delta: i64, at_ms: i64) -> Result<i64, LiveError> {
        let (value, last_ms) = match self.0.get(&user.to_be_bytes()) {
            Some(key) => (value(&key), earliest_ms(key.0.tie).max(at_ms)),
            None => (0, at_ms),
        };
        let sum = value.checked_add(delta).ok_or(LiveError::Overflow { value, delta })?;
        self.set(user, sum, last_ms)?;
        Ok(sum)
    }

    /// Takes a user off the board; whether there was one.
    pub fn remove(&mut self, user: u64) -> bool {
        self.0.remove(&user.to_be_bytes()).is_some()
    }

    /// A user's rank, from 1 on, and value; none if the user is not on the board.
    pub fn rank_of(&self, user: u64) -> Option<(u64, LiveEntry)> {
        let standing = self.0.standing(&user.to_be_bytes())?;
        Some((standing.position as u64 + 1, entry(user, &standing.key)))
    }

    /// The users at these places, the first place being 0. Fewer if the board ends before.
    pub fn page(&self, offset: usize, limit: usize) -> Vec<LiveEntry> {
        let end = offset.saturating_add(limit);
        let listed = |entry_: Entry<'_, _>| entry(user(entry_.member), &entry_.key);
        self.0.range(offset..end).map(listed).collect()
    }

    /// Users on the board.
    pub fn total(&self) -> u64 {
        self.0.len() as u64
    }

    /// Bytes that the board takes in memory.
    pub fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}

fn key(value: i64, last_ms: i64) -> Eight<ScoreTieKey> {
    let score = Direction::Descending.apply(encode_i64(value));
    Eight(ScoreTieKey { score, tie: tie_earliest(last_ms) })
}

fn value(key: &Eight<ScoreTieKey>) -> i64 {
    decode_i64(Direction::Descending.apply(key.0.score))
}

fn entry(user: u64, key: &Eight<ScoreTieKey>) -> LiveEntry {
    LiveEntry { user, value: value(key), last_ms: earliest_ms(key.0.tie) }
}

/// The user that a member of an index stands for.
pub(crate) fn user(member: &[u8]) -> u64 {
    u64::from_be_bytes(member.try_into().expect("members have eight bytes"))
}
