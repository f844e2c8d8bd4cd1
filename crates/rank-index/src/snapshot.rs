//! A consistent view of the index at one moment, while writes go on.
//!
//! What it is not: a copy; a snapshot lists the leaves, and a writer notes what it changes of them
//! (`undo.rs`). Invariant: a listed leaf and its records since give what it held at the moment.
//! Cost: taking one lists the leaves (12 bytes each); holding one keeps the records of what is
//! written meanwhile, made once for all snapshots; dropping it gives both back.

use std::fmt;
use std::ops::RangeBounds;
use std::sync::Arc;

use crate::arena::{Arena, NodeId};
use crate::cell::Needle;
use crate::index::RankIndex;
use crate::inner::Tally;
use crate::iter::{Entry, Iter, clamp};
use crate::key::{Key, begins_run};
use crate::leaf::Leaf;
use crate::page::{Moment, Page};
use crate::reader::{Reader, Source};
use crate::standing::Standing;
use crate::tree::Tree;

/// What a snapshot holds; the index refers to it weakly.
#[derive(Debug)]
pub(crate) struct Kept<K: Key> {
    content: Content<K>,
    len: usize,
    /// The last epoch whose writes are in it.
    epoch: u64,
}

#[derive(Debug)]
enum Content<K: Key> {
    Small(Vec<(K, K::Member)>),
    /// Leaves in order, each with what lies before it.
    Leaves(Vec<(NodeId, Tally)>),
}

impl<K: Key> Kept<K> {
    pub(crate) fn small(entries: &[(K, K::Member)], epoch: u64) -> Self {
        Self { content: Content::Small(entries.to_vec()), len: entries.len(), epoch }
    }

    pub(crate) fn tree<const LEAF: usize, const INNER: usize, const UPPER: usize>(
        tree: &Tree<K, LEAF, INNER, UPPER>,
        epoch: u64,
    ) -> Self {
        let mut leaves = Vec::with_capacity(tree.leaves.slots());
        tree.for_each_leaf(&mut |leaf, before| leaves.push((leaf, before)));
        Self { content: Content::Leaves(leaves), len: tree.len, epoch }
    }
}

/// The leaves of a snapshot, as they were.
#[derive(Debug)]
pub(crate) struct Listed<'a, K: Key, const LEAF: usize> {
    leaves: &'a [(NodeId, Tally)],
    arena: &'a Arena<Leaf<K, LEAF>>,
    moment: Moment<'a, K, LEAF>,
}

impl<K: Key, const LEAF: usize> Clone for Listed<'_, K, LEAF> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Key, const LEAF: usize> Copy for Listed<'_, K, LEAF> {}

impl<'a, K: Key, const LEAF: usize> Listed<'a, K, LEAF> {
    /// How many leaves there are.
    pub(crate) fn count(&self) -> usize {
        self.leaves.len()
    }

    /// The leaf number `at` in order.
    pub(crate) fn leaf(&self, at: usize) -> Page<'a, K, LEAF> {
        Page::at(&self.arena[self.leaves[at].0], self.moment)
    }

    /// Asks for the leaf number `at` in order, if there is one.
    pub(crate) fn prefetch(&self, at: usize) {
        if let Some(&(id, _)) = self.leaves.get(at) {
            self.arena[id].prefetch_entries();
        }
    }

    /// Members before the leaf number `at`.
    pub(crate) fn before(&self, at: usize) -> usize {
        self.leaves[at].1.members as usize
    }

    /// Distinct scores up to and with that of the entry at `position`.
    pub(crate) fn runs_through(&self, position: usize) -> usize {
        let (at, pos) = self.locate(position);
        let mut before = at.checked_sub(1).map(|at| self.leaf(at).last_key());
        let leaf = self.leaf(at);
        let mut runs = self.leaves[at].1.runs;
        for key in (0..=pos).map(|pos| leaf.key(pos)) {
            runs += u32::from(begins_run(before, &key));
            before = Some(key);
        }
        runs as usize
    }

    /// The leaf in which `position` is, and where.
    pub(crate) fn locate(&self, position: usize) -> (usize, usize) {
        let behind = self.leaves.partition_point(|(_, before)| before.members as usize <= position);
        let at = behind.saturating_sub(1);
        (at, position - self.before(at))
    }
}

/// A moment of an index, readable as long as it is held.
///
/// Reading goes through [`view`](Self::view), which borrows the index: readers and writers are kept
/// apart by whoever owns both. At most [`SNAPSHOTS_LIVE_MAX`](crate::SNAPSHOTS_LIVE_MAX) live at
/// the same time.
pub struct Snapshot<K: Key, const LEAF: usize = 58> {
    kept: Arc<Kept<K>>,
    index_id: u64,
}

impl<K: Key, const LEAF: usize> Snapshot<K, LEAF> {
    pub(crate) fn new(kept: Arc<Kept<K>>, index_id: u64) -> Self {
        Self { kept, index_id }
    }

    /// Members at the moment of the snapshot.
    pub fn len(&self) -> usize {
        self.kept.len
    }

    /// Whether there were no members.
    pub fn is_empty(&self) -> bool {
        self.kept.len == 0
    }

    /// The snapshot's content, through the index that it was taken of. O(1).
    ///
    /// # Panics
    /// If `index` is not the one that the snapshot was taken of.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// let snapshot = index.snapshot()?;
    /// index.remove(b"ada");
    /// assert_eq!(snapshot.view(&index).len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn view<'a, const INNER: usize, const UPPER: usize>(
        &'a self,
        index: &'a RankIndex<K, LEAF, INNER, UPPER>,
    ) -> SnapshotView<'a, K, LEAF, INNER, UPPER> {
        assert_eq!(self.index_id, index.id(), "a snapshot is read through its own index");
        let source = match &self.kept.content {
            Content::Small(entries) => Source::Small(entries),
            Content::Leaves(leaves) => {
                let (epochs, epoch) = (index.epochs(), self.kept.epoch);
                let arena = epochs
                    .dissolved_since(epoch)
                    .or(index.tree().map(|tree| &tree.leaves))
                    .expect("the leaves of a dissolved tree are kept for its snapshots");
                Source::Listed(Listed { leaves, arena, moment: Moment { epochs, epoch } })
            }
        };
        SnapshotView { reader: Reader::new(index.names(), source), len: self.kept.len }
    }
}

impl<K: Key, const LEAF: usize> fmt::Debug for Snapshot<K, LEAF> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("len", &self.kept.len).finish_non_exhaustive()
    }
}

/// The content of a [`Snapshot`].
///
/// ```
/// use rank_index::{RankIndex, ScoreKey};
/// let mut index: RankIndex<ScoreKey> = RankIndex::new();
/// for (member, score) in [(b"ada", 3), (b"bob", 5), (b"cyd", 8)] {
///     index.upsert(member, ScoreKey { score })?;
/// }
/// let snapshot = index.snapshot()?;
/// index.upsert(b"ada", ScoreKey { score: 9 })?;
/// let view = snapshot.view(&index);
/// assert_eq!(view.entry_at(0).map(|entry| entry.member), Some(&b"ada"[..]));
/// assert_eq!(view.range(1..).len(), 2);
/// assert_eq!(view.partition_point(|key, _| key.score < 8), 2);
/// assert_eq!(view.rank(&ScoreKey { score: 5 }, b"bob"), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SnapshotView<
    'a,
    K: Key,
    const LEAF: usize = 58,
    const INNER: usize = 30,
    const UPPER: usize = 64,
> {
    reader: Reader<'a, K, LEAF, INNER, UPPER>,
    len: usize,
}

impl<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    SnapshotView<'a, K, LEAF, INNER, UPPER>
{
    /// Members. O(1).
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no members. O(1).
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entry at a position. O(log n).
    pub fn entry_at(&self, position: usize) -> Option<Entry<'a, K>> {
        self.range(position..).next()
    }

    /// The ranks of the entry at a position. O(log n).
    pub fn standing_at(&self, position: usize) -> Option<Standing<'a, K, LEAF, INNER, UPPER>> {
        self.entry_at(position).map(|entry| Standing::new(self.reader, entry.key, position))
    }

    /// Entries by position, clamped to what there is. O(log n), then O(1) per entry.
    pub fn range(&self, positions: impl RangeBounds<usize>) -> Iter<'a, K, LEAF, INNER, UPPER> {
        Iter::new(self.reader, clamp(&positions, self.len))
    }

    /// Entries of which `before` holds, which must be a prefix of all. O(log n) calls.
    pub fn partition_point(&self, before: impl FnMut(&K, &[u8]) -> bool) -> usize {
        self.reader.partition_point(before)
    }

    /// Entries before the one of `key` and `member`, whether it is there or not. O(log n).
    pub fn rank(&self, key: &K, member: &[u8]) -> usize {
        self.reader.rank(key, &Needle::new(member))
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> fmt::Debug
    for SnapshotView<'_, K, LEAF, INNER, UPPER>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotView").field("len", &self.len).finish_non_exhaustive()
    }
}
