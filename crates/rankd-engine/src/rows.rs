//! A board as snapshots hold it: what it is, then its members in the order of their ranks.

use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::ids::{BoardId, Name};
use crate::score::Score;

/// A board in a snapshot, without its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoardHeader {
    /// Its id.
    pub id: BoardId,
    /// Its name.
    #[serde(with = "serde_bytes")]
    pub name: Name,
    /// What it is.
    pub definition: Definition,
    /// When it was created, in milliseconds since 1970, UTC.
    pub created_ms: i64,
    /// When it last changed before the snapshot was read, in milliseconds since 1970, UTC.
    pub changed_ms: i64,
    /// Number of members that follow.
    pub members: u64,
}

/// A member in a snapshot. The members of a board come in the order of their ranks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRow {
    /// The member.
    #[serde(with = "serde_bytes")]
    pub member: Name,
    /// Its score, of the board's kind.
    pub score: Score,
    /// Since when, in milliseconds since 1970, UTC; absent where the board does not keep it.
    pub at_ms: Option<i64>,
}

/// A member in a snapshot, its name lying elsewhere. It reads and writes as a [`MemberRow`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RowRef<'a> {
    /// The member.
    #[serde(borrow, with = "serde_bytes")]
    pub member: &'a [u8],
    /// Its score, of the board's kind.
    pub score: Score,
    /// Since when, in milliseconds since 1970, UTC; absent where the board does not keep it.
    pub at_ms: Option<i64>,
}

impl MemberRow {
    /// The row without a name of its own.
    #[must_use]
    pub fn as_ref(&self) -> RowRef<'_> {
        RowRef { member: &self.member, score: self.score, at_ms: self.at_ms }
    }
}
