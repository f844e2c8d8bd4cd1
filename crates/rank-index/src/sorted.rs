//! An index made entry by entry from what is sorted already.
//!
//! What it is not: a sort; what is out of order is refused. Invariant: what was taken so far is in
//! ascending order; that no member is there twice is only known at the end. Cost: O(n), of which
//! the table is the crew's.

use std::cmp::Ordering;
use std::fmt;

use crate::build::{BuildError, Builder};
use crate::cell::{Cell, Needle};
use crate::crew::Crew;
use crate::index::{Form, RankIndex, check_member};
use crate::key::Key;
use crate::small::{SMALL_MAX, Small};
use crate::tree::Tree;

/// Makes a [`RankIndex`] from entries in ascending order, one after the other.
///
/// ```
/// use rank_index::{Alone, ScoreKey, SortedBuilder};
/// let mut builder = SortedBuilder::<ScoreKey>::new();
/// builder.push(ScoreKey { score: 1 }, b"a")?;
/// builder.push(ScoreKey { score: 2 }, b"b")?;
/// let index = builder.finish(&Alone)?;
/// assert_eq!(index.rank(b"b"), Some(1));
/// # Ok::<(), rank_index::BuildError>(())
/// ```
pub struct SortedBuilder<
    K: Key,
    const LEAF: usize = 58,
    const INNER: usize = 30,
    const UPPER: usize = 64,
> {
    index: RankIndex<K, LEAF, INNER, UPPER>,
    tree: Builder<K, LEAF, INNER, UPPER>,
    last: Option<(K, K::Member)>,
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    SortedBuilder<K, LEAF, INNER, UPPER>
{
    /// A builder of an index whose hashing nobody can predict.
    #[must_use]
    pub fn new() -> Self {
        Self::of(RankIndex::new())
    }

    /// A builder that fills `index`, which is empty.
    pub(crate) fn of(index: RankIndex<K, LEAF, INNER, UPPER>) -> Self {
        let tree = Builder::new(index.cx.epochs.now());
        Self { index, tree, last: None }
    }

    /// Entries taken so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// Whether there is none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an entry behind all others. O(1).
    ///
    /// # Errors
    /// If it is not behind the one before, or breaks a limit. It is not taken then.
    pub fn push(&mut self, key: K, member: &[u8]) -> Result<(), BuildError> {
        let position = self.len();
        let members_max = Tree::<K, LEAF, INNER, UPPER>::MEMBERS_MAX;
        check_member::<K>(member.len())
            .map_err(|reason| BuildError::Member { position, reason })?;
        if position >= members_max {
            return Err(BuildError::TooMany { members_max });
        }
        let needle = Needle::new(member);
        let cx = &mut self.index.cx;
        if let Some((last, cell)) = &self.last {
            match last.order(&key).then_with(|| cell.order(&needle, &cx.names)) {
                Ordering::Less => {}
                Ordering::Equal => return Err(BuildError::DuplicateMember { position }),
                Ordering::Greater => return Err(BuildError::NotAscending { position }),
            }
        }
        let hash = cx.hasher.hash(&needle);
        let cell = cx.store(&needle, hash);
        self.tree.push(key, cell);
        self.last = Some((key, cell));
        Ok(())
    }

    /// The index of all entries. `crew` may work on several parts of its table at once.
    ///
    /// # Errors
    /// If a member is there twice.
    pub fn finish(self, crew: &dyn Crew) -> Result<RankIndex<K, LEAF, INNER, UPPER>, BuildError> {
        let Self { mut index, tree, .. } = self;
        if tree.len() == 0 {
            return Ok(index);
        }
        let tree = tree.finish(&index.cx, crew)?;
        index.form = if tree.len <= SMALL_MAX {
            Form::Small(Small::of(tree.entries().collect()))
        } else {
            Form::Tree(Box::new(tree))
        };
        Ok(index)
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> Default
    for SortedBuilder<K, LEAF, INNER, UPPER>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> fmt::Debug
    for SortedBuilder<K, LEAF, INNER, UPPER>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SortedBuilder").field("len", &self.len()).finish_non_exhaustive()
    }
}
