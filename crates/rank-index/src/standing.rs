//! Where an entry stands, in the three styles in which ranks are counted.
//!
//! What it is not: stored; the styles are read from the one order when they are asked for.
//! Invariant: `dense <= competition <= position`. Cost: O(log n) per style asked for.

use std::fmt;

use crate::key::Key;
use crate::reader::Reader;

/// Where an entry stands. All ranks count from 0: they are what lies before.
///
/// ```
/// use rank_index::{RankIndex, ScoreKey};
/// let mut index: RankIndex<ScoreKey> = RankIndex::new();
/// for (member, score) in [("a", 1), ("b", 2), ("c", 2), ("d", 4)] {
///     index.upsert(member.as_bytes(), ScoreKey { score })?;
/// }
/// let standing = index.standing(b"d").expect("d was inserted");
/// assert_eq!((standing.position, standing.competition(), standing.dense()), (3, 3, 2));
/// let standing = index.standing(b"c").expect("c was inserted");
/// assert_eq!((standing.position, standing.competition(), standing.dense()), (2, 1, 1));
/// # Ok::<(), rank_index::IndexError>(())
/// ```
pub struct Standing<
    'a,
    K: Key,
    const LEAF: usize = 58,
    const INNER: usize = 30,
    const UPPER: usize = 64,
> {
    /// What the entry is ordered by.
    pub key: K,
    /// Entries before it: its ordinal rank.
    pub position: usize,
    reader: Reader<'a, K, LEAF, INNER, UPPER>,
}

impl<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Standing<'a, K, LEAF, INNER, UPPER>
{
    pub(crate) fn new(reader: Reader<'a, K, LEAF, INNER, UPPER>, key: K, position: usize) -> Self {
        Self { key, position, reader }
    }

    /// Members with a score before this one's, so that equal scores share a rank. O(log n).
    pub fn competition(&self) -> usize {
        let key = &self.key;
        self.reader.partition_by_key(|other| other.order(key).is_lt() && !other.same_score(key))
    }

    /// Distinct scores before this one's. O(log n).
    pub fn dense(&self) -> usize {
        self.reader.runs_through(self.position) - 1
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> fmt::Debug
    for Standing<'_, K, LEAF, INNER, UPPER>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing")
            .field("key", &self.key)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
