//! What front ends ask for, and what they are told. Intents are relative to the state at the
//! moment they are resolved; the changes that come out of them are not (see [`crate::change`]).

use rankd_orgs::OrgIntent;
use serde::{Deserialize, Serialize};

use crate::definition::{Definition, Operator};
use crate::ids::{BoardId, Name};
use crate::score::{Score, ScoreError};

/// One wish of a client.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// Create the board, or find it there with the same definition.
    CreateBoard {
        /// The board.
        name: Name,
        /// What it is to be.
        definition: Definition,
    },
    /// Delete the board and everything in it.
    DeleteBoard {
        /// The board.
        name: Name,
    },
    /// Write a score.
    Write {
        /// The board; created with the default definition if the batch allows it.
        board: Name,
        /// The member.
        member: Name,
        /// The operand; converted to the board's kind of score.
        score: Score,
        /// Overrides the board's operator for this write.
        operator: Option<Operator>,
        /// Time of the event in milliseconds since 1970, UTC; the time of acceptance if absent.
        at_ms: Option<i64>,
    },
    /// Remove a member from a board.
    Remove {
        /// The board.
        board: Name,
        /// The member.
        member: Name,
    },
    /// Give a member a display name, or take it away.
    Label {
        /// The member.
        member: Name,
        /// At most [`crate::limits::LABEL_BYTES_MAX`] bytes; `None` removes it.
        label: Option<Box<str>>,
    },
}

/// A key under which a client may repeat a batch without repeating its effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Chosen by the client: 1 to [`crate::limits::IDEMPOTENCY_KEY_BYTES_MAX`] bytes.
    pub key: Name,
    /// Digest of the whole request, to tell a repetition from a different request.
    pub digest: [u8; 16],
}

/// Intents that are resolved in order, in one turn, and logged as one record: all or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// At most [`crate::limits::BATCH_INTENTS_MAX`].
    pub intents: Vec<Intent>,
    /// Time of acceptance in milliseconds since 1970, UTC, read once by the front end.
    pub now_ms: i64,
    /// Whether a write may create the board that it names.
    pub auto_create: bool,
    /// Whether the outcomes of writes carry ranks (two look-ups a write).
    pub with_ranks: bool,
    /// Makes the batch repeatable.
    pub idempotency: Option<IdempotencyKey>,
}

impl Batch {
    /// A batch that may create boards, without ranks and without a key.
    #[must_use]
    pub fn new(intents: Vec<Intent>, now_ms: i64) -> Self {
        Self { intents, now_ms, auto_create: true, with_ranks: false, idempotency: None }
    }
}

/// Intents about organisations, resolved and logged as those of a [`Batch`] are.
#[derive(Debug, Clone, PartialEq)]
pub struct OrgBatch {
    /// At most [`rankd_orgs::limits::BATCH_INTENTS_MAX`].
    pub intents: Vec<OrgIntent>,
    /// Time of acceptance in milliseconds since 1970, UTC, read once by the front end.
    pub now_ms: i64,
}

/// A score with its rank at the moment of the write.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The score.
    pub score: Score,
    /// 1-based; 0 if the batch did not ask for ranks.
    pub rank: u64,
}

/// What became of one intent. The order of the variants is part of the storage format: keys
/// remember outcomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The board was made.
    Created {
        /// Its id.
        board: BoardId,
    },
    /// The board was there already, with the same definition.
    Existed {
        /// Its id.
        board: BoardId,
    },
    /// The board, and everything in it, is gone.
    Deleted,
    /// The write was resolved.
    Written {
        /// Where the member is now.
        current: Placed,
        /// Where it was before, if it was there.
        previous: Option<Placed>,
        /// Whether anything changed: not for an equal score, a worse one, or a stale one.
        changed: bool,
    },
    /// The member is gone from the board.
    Removed,
    /// The display name was given, changed or taken away.
    Labelled,
    /// Nothing was done, for this reason.
    Rejected(Rejection),
    /// The display name was as asked for already.
    LabelKept,
}

/// Why an intent had no effect. The other intents of its batch are not touched by it. The order of
/// the variants is part of the storage format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no such board, and the batch may not create it.
    #[error("there is no such board")]
    UnknownBoard,
    /// The member is not on the board.
    #[error("the member is not on this board")]
    UnknownMember,
    /// The board exists with another definition.
    #[error("the board exists with another definition")]
    DefinitionDiffers(Definition),
    /// The score does not fit the board.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// A name, label or time is outside its limits.
    #[error("{what} is {value}; allowed are {min} to {max}")]
    OutOfLimits {
        /// Which quantity, with its unit.
        what: std::borrow::Cow<'static, str>,
        /// What was given.
        value: i64,
        /// Smallest legal value.
        min: i64,
        /// Largest legal value.
        max: i64,
    },
    /// The store holds as many boards as it may.
    #[error("the store holds {0} boards, which is its limit")]
    TooManyBoards(u64),
    /// A string, a hash or a set of the Redis protocol has this name.
    #[error("the name belongs to a value that is no board")]
    NameTaken,
}
