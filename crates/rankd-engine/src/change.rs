//! What happened, in absolute terms. The log, the snapshots' tail and every follower are made
//! of these and of nothing else.
//!
//! Invariant: a change says what *is* now, never what was added, so applying one twice is the
//! same as applying it once, and a run of them may be replayed over a state that has seen part
//! of it. Cost of applying one: O(log n) of its board; for organisations, see `rankd-orgs`.

use rankd_orgs::OrgChange;
use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::ids::{BoardId, ChangedName, Name, changed_name};
use crate::intent::Outcome;
use crate::score::Score;

/// One absolute change. The order of the variants is part of the storage format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// This board exists, empty.
    BoardCreated {
        /// Its id.
        board: BoardId,
        /// Its name.
        #[serde(with = "serde_bytes")]
        name: Name,
        /// What it is.
        definition: Definition,
    },
    /// This board, with all its members, does not exist any more.
    BoardDeleted {
        /// Its id.
        board: BoardId,
    },
    /// The member has this score since then.
    MemberSet {
        /// The board.
        board: BoardId,
        /// The member.
        #[serde(with = "changed_name")]
        member: ChangedName,
        /// Its score, of the board's kind.
        score: Score,
        /// When it reached the score, in milliseconds since 1970, UTC.
        at_ms: i64,
    },
    /// The member is not on the board.
    MemberRemoved {
        /// The board.
        board: BoardId,
        /// The member.
        #[serde(with = "serde_bytes")]
        member: Name,
    },
    /// The member has this display name, or none.
    MemberLabelled {
        /// The member.
        #[serde(with = "serde_bytes")]
        member: Name,
        /// The name.
        label: Option<Box<str>>,
    },
    /// A batch with this idempotency key was carried out.
    KeyRemembered {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Name,
        /// What is remembered of it.
        memory: KeyMemory,
    },
    /// Something of the organisations; what it says is theirs alone.
    Orgs(OrgChange),
    /// The board has this name, which no other board and no value has.
    BoardRenamed {
        /// The board.
        board: BoardId,
        /// The name.
        #[serde(with = "serde_bytes")]
        name: Name,
    },
    /// The key holds this string and nothing else.
    TextSet {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Name,
        /// The string.
        #[serde(with = "serde_bytes")]
        text: Name,
    },
    /// The key holds a hash in which the field has this value.
    FieldSet {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Name,
        /// The field.
        #[serde(with = "serde_bytes")]
        field: Name,
        /// Its value.
        #[serde(with = "serde_bytes")]
        value: Name,
    },
    /// The field is not in the key's hash; a hash without fields is gone.
    FieldRemoved {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Name,
        /// The field.
        #[serde(with = "serde_bytes")]
        field: Name,
    },
    /// The key holds a set that has this element.
    ElementAdded {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Name,
        /// The element.
        #[serde(with = "serde_bytes")]
        element: Name,
    },
    /// The element is not in the key's set; a set without elements is gone.
    ElementRemoved {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Name,
        /// The element.
        #[serde(with = "serde_bytes")]
        element: Name,
    },
    /// The key holds no string, hash or set, and no end.
    ValueRemoved {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Name,
    },
    /// What the one key held, the other holds.
    ValueRenamed {
        /// The key that holds nothing now.
        #[serde(with = "serde_bytes")]
        from: Name,
        /// The key that holds the value.
        #[serde(with = "serde_bytes")]
        to: Name,
    },
    /// The key, whatever it holds, ends at this time, or never.
    EndSet {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Name,
        /// In milliseconds since 1970, UTC.
        at_ms: Option<i64>,
    },
    /// The member, which is on the board, leaves it at this time, or stays.
    MemberEndSet {
        /// The board.
        board: BoardId,
        /// The member.
        #[serde(with = "changed_name")]
        member: ChangedName,
        /// In milliseconds since 1970, UTC.
        at_ms: Option<i64>,
    },
}

/// What is remembered of a batch that had an idempotency key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyMemory {
    /// Digest of the request.
    pub digest: [u8; 16],
    /// When it was accepted, in milliseconds since 1970, UTC.
    pub accepted_ms: i64,
    /// What became of its intents.
    pub outcomes: KeptOutcomes,
}

/// The outcomes of a keyed batch, as compactly as its answer allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum KeptOutcomes {
    /// The outcome of the only intent.
    One(Box<Outcome>),
    /// Of many intents: how many changed something, and the rejected ones.
    Many {
        /// Intents that changed something.
        applied: u32,
        /// Intents that were resolved without effect.
        unchanged: u32,
        /// Position in the batch, and the reason.
        rejected: Vec<(u32, crate::intent::Rejection)>,
    },
}

/// The changes of one batch: one log record, applied as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the store's one order of writes; the first is 1.
    pub sequence: u64,
    /// When the batch was accepted, in milliseconds since 1970, UTC.
    pub accepted_ms: i64,
    /// Never empty.
    pub changes: Vec<Change>,
}
