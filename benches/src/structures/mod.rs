//! The structures that are compared, each behind the same small traits.
//!
//! What it is not: a wrapper that evens out differences; a structure without ranks has no
//! [`Ranked`]. Invariant: every structure orders by score, then by member, and keeps each member
//! once. Cost: calls are resolved at compile time, so the traits cost nothing.

mod indexset;
mod order_tree;
mod rank_index;
mod skip_list;
mod std_tree;

use hashbrown::HashMap;

use crate::data::{Member, Score, Sum};

pub use self::indexset::IndexSet;
pub use self::order_tree::{Native, OrderTree};
pub use self::rank_index::Ours;
pub use self::skip_list::{SKIP_LIST_MEMBERS_MAX, SkipList};
pub use self::std_tree::StdTree;

/// The hash table that structures without one of their own get: the fastest in common use.
pub type Scores<M, S> = HashMap<M, S, foldhash::fast::RandomState>;

/// Entries below this rank and above it that [`Ranked::around`] reads.
pub const RADIUS: usize = 5;

/// What a structure holds in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry<M, S> {
    /// Compared first.
    pub score: S,
    /// Compared when scores are equal.
    pub member: M,
}

/// Members in order of their scores.
pub trait Structure {
    /// What is ordered.
    type Member: Member;
    /// What it is ordered by.
    type Score: Score;

    /// An empty one.
    fn empty() -> Self;

    /// Gives a member a score, whether it has one or not.
    fn set(&mut self, member: &Self::Member, score: Self::Score);

    /// Takes a member out; whether it was there.
    fn remove(&mut self, member: &Self::Member) -> bool;

    /// Reads every entry in order.
    fn iterate(&self) -> Sum;

    /// What the structure itself says of its memory, in bytes, if it does.
    fn memory_bytes(&self) -> Option<usize> {
        None
    }
}

/// A structure that knows ranks.
pub trait Ranked: Structure {
    /// How many entries come before the member's.
    fn rank(&self, member: &Self::Member) -> Option<usize>;

    /// Reads `len` entries from the rank `start` on.
    fn page(&self, start: usize, len: usize) -> Sum;

    /// Entries with scores from `low` to `high`, both included.
    fn count(&self, low: u64, high: u64) -> usize;

    /// Reads the entries around a member, [`RADIUS`] to each side, with its own.
    fn around(&self, member: &Self::Member) -> Option<Sum> {
        let rank = self.rank(member)?;
        let start = rank.saturating_sub(RADIUS);
        Some(self.page(start, rank + RADIUS + 1 - start))
    }

    /// The ranks of several members by one call, where there is such a call.
    fn ranks(&self, _members: &[Self::Member]) -> Option<Vec<Option<usize>>> {
        None
    }
}
