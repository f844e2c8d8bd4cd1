//! What an entry is ordered by before its member's bytes are looked at.
//!
//! What it is not: scores themselves; those are encoded in `score.rs`. The tree sees only [`Key`].
//! Invariant of every implementation: `order` is a total order, entries of the same score are
//! neighbours in it, and equal order implies the same score. Cost: one or two word comparisons.

use std::cmp::Ordering;
use std::fmt::Debug;

use crate::cell::{AnyBytes, EightBytes, Member};

/// The part of an entry that is compared before its member's bytes.
///
/// `PartialEq` is the finest of the three relations: a write whose key is `==` to the stored one
/// changes nothing.
pub trait Key: Copy + PartialEq + Debug + Send + Sync + 'static {
    /// What the members beside such keys are.
    type Member: Member;

    /// Total order of keys. The members' bytes break what ties it leaves.
    fn order(&self, other: &Self) -> Ordering;

    /// Whether this one is in front of `other`. Override it where that is cheaper to say.
    fn is_before(&self, other: &Self) -> bool {
        self.order(other).is_lt()
    }

    /// Whether both have the same score, and so share their competition and dense ranks.
    ///
    /// Coarser than [`order`](Self::order): keys that order calls equal have the same score, and
    /// no key of another score lies between two of the same.
    fn same_score(&self, other: &Self) -> bool;
}

/// A score alone: equal scores are ordered by their members' bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScoreKey {
    /// Order-preserving code of the score; the lowest code comes first.
    pub score: u64,
}

/// A score and a tie-break: equal scores are ordered by `tie`, then by their members' bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScoreTieKey {
    /// Order-preserving code of the score; the lowest code comes first.
    pub score: u64,
    /// Code that breaks ties, such as a time's; the lowest comes first.
    pub tie: u64,
}

/// A score and a note that is kept beside it but takes no part in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScoreNoteKey {
    /// Order-preserving code of the score; the lowest code comes first.
    pub score: u64,
    /// What the caller wants to remember, such as the code of a time.
    pub note: u64,
}

impl Key for ScoreKey {
    type Member = AnyBytes;

    fn order(&self, other: &Self) -> Ordering {
        self.score.cmp(&other.score)
    }

    fn is_before(&self, other: &Self) -> bool {
        self.score < other.score
    }

    fn same_score(&self, other: &Self) -> bool {
        self.score == other.score
    }
}

impl Key for ScoreTieKey {
    type Member = AnyBytes;

    fn order(&self, other: &Self) -> Ordering {
        self.score.cmp(&other.score).then(self.tie.cmp(&other.tie))
    }

    fn is_before(&self, other: &Self) -> bool {
        wide(self) < wide(other)
    }

    fn same_score(&self, other: &Self) -> bool {
        self.score == other.score
    }
}

impl Key for ScoreNoteKey {
    type Member = AnyBytes;

    fn order(&self, other: &Self) -> Ordering {
        self.score.cmp(&other.score)
    }

    fn is_before(&self, other: &Self) -> bool {
        self.score < other.score
    }

    fn same_score(&self, other: &Self) -> bool {
        self.score == other.score
    }
}

/// The same key, beside members of exactly eight bytes: such indexes are smaller.
///
/// ```
/// use rank_index::{Eight, RankIndex, ScoreKey};
/// let mut index: RankIndex<Eight<ScoreKey>> = RankIndex::new();
/// let player: u64 = 76_561_197_960_287_930;
/// index.upsert(&player.to_be_bytes(), Eight(ScoreKey { score: 3 }))?;
/// assert_eq!(index.rank(&player.to_be_bytes()), Some(0));
/// assert!(index.upsert(b"ada", Eight(ScoreKey { score: 4 })).is_err());
/// # Ok::<(), rank_index::IndexError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Eight<K>(pub K);

impl<K: Key> Key for Eight<K> {
    type Member = EightBytes;

    fn order(&self, other: &Self) -> Ordering {
        self.0.order(&other.0)
    }

    fn is_before(&self, other: &Self) -> bool {
        self.0.is_before(&other.0)
    }

    fn same_score(&self, other: &Self) -> bool {
        self.0.same_score(&other.0)
    }
}

/// Score and tie as one number, which compares without a branch.
fn wide(key: &ScoreTieKey) -> u128 {
    u128::from(key.score) << 64 | u128::from(key.tie)
}

/// Whether `key` begins a run of equal scores after `before`, its predecessor in order.
pub(crate) fn begins_run<K: Key>(before: Option<K>, key: &K) -> bool {
    before.is_none_or(|before| !before.same_score(key))
}
