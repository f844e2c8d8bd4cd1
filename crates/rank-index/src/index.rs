//! The index: one type over the small form and the tree.
//!
//! What it is not: aware of scores, directions or times; those are in its keys. Invariant: small up
//! to [`SMALL_MAX`](crate::SMALL_MAX) members, a tree above, small again below half of it; every
//! member is there once. Cost: stated per operation, `n` being the number of members. Reading is
//! in `query.rs`.

use std::fmt;
use std::sync::Arc;

use crate::build::{BuildError, Builder};
use crate::cell::{Cell, MemberHasher, Needle};
use crate::crew::Alone;
use crate::epochs::{Context, Epochs, SNAPSHOTS_LIVE_MAX};
use crate::error::{IndexError, SnapshotsLive};
use crate::key::Key;
use crate::names::Names;
use crate::reader::{Reader, Source};
use crate::small::{SMALL_AGAIN, Small};
use crate::snapshot::{Kept, Snapshot};
use crate::sorted::SortedBuilder;
use crate::tree::{Spot, Tree};

/// Bytes that a member may have.
pub const MEMBER_BYTES_MAX: usize = 65_535;
/// Members that an index may have.
pub const MEMBERS_MAX: usize = 1 << 30;

/// What an index is at present.
#[derive(Debug)]
pub(crate) enum Form<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> {
    Small(Small<K>),
    Tree(Box<Tree<K, LEAF, INNER, UPPER>>),
}

/// How often the index was restructured since it was made, and how high it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restructures {
    /// Leaves split in two.
    pub leaf_splits: u64,
    /// Inner nodes split in two.
    pub inner_splits: u64,
    /// Full leaves that shifted entries to a neighbour instead.
    pub shifts: u64,
    /// Leaves merged into their neighbour.
    pub leaf_merges: u64,
    /// Inner nodes merged into their neighbour.
    pub inner_merges: u64,
    /// Leaves and inner nodes that were evened out with a neighbour after a removal.
    pub borrows: u64,
    /// Changes from the small form to a tree.
    pub promotions: u64,
    /// Changes from a tree to the small form.
    pub demotions: u64,
    /// Levels of nodes at present: 0 in the small form, 1 for a single leaf.
    pub height: u32,
}

/// Members in order of their keys and bytes, with their ranks.
///
/// `LEAF` (4 to 64) and `INNER` (4 to 255) are the capacities of its nodes; the defaults are for
/// use, smaller ones for tests that want high trees. An empty index owns no heap memory.
///
/// ```
/// use rank_index::{RankIndex, ScoreKey};
/// let mut index: RankIndex<ScoreKey> = RankIndex::new();
/// index.upsert(b"ada", ScoreKey { score: 30 })?;
/// index.upsert(b"bob", ScoreKey { score: 10 })?;
/// index.upsert(b"cyd", ScoreKey { score: 20 })?;
/// assert_eq!(index.rank(b"ada"), Some(2));
/// let order: Vec<_> = index.iter().map(|entry| entry.member).collect();
/// assert_eq!(order, [b"bob", b"cyd", b"ada"]);
/// # Ok::<(), rank_index::IndexError>(())
/// ```
pub struct RankIndex<
    K: Key,
    const LEAF: usize = 58,
    const INNER: usize = 30,
    const UPPER: usize = 64,
> {
    pub(crate) form: Form<K, LEAF, INNER, UPPER>,
    pub(crate) cx: Context<K, LEAF>,
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    RankIndex<K, LEAF, INNER, UPPER>
{
    /// An empty index, whose hashing nobody can predict. O(1), allocates nothing.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// assert!(RankIndex::<ScoreKey>::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::with_hasher(MemberHasher::random())
    }

    /// An empty index that behaves the same in every run: for tests, and for trusted members only.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// assert!(RankIndex::<ScoreKey>::with_seed(42).is_empty());
    /// ```
    pub fn with_seed(seed: u64) -> Self {
        Self::with_hasher(MemberHasher::with_seed(seed))
    }

    fn with_hasher(hasher: MemberHasher) -> Self {
        Self { form: Form::Small(Small::new()), cx: Context::new(hasher) }
    }

    /// An index of entries that are in ascending order already. O(n).
    ///
    /// # Errors
    /// The position of an entry that is out of order or too long, or whose member is there twice.
    ///
    /// ```
    /// use rank_index::{BuildError, RankIndex, ScoreKey};
    /// let key = |score| ScoreKey { score };
    /// let index: RankIndex<ScoreKey> = RankIndex::from_sorted([(key(1), "a"), (key(2), "b")])?;
    /// assert_eq!(index.rank(b"b"), Some(1));
    /// let wrong = RankIndex::<ScoreKey>::from_sorted([(key(2), "a"), (key(1), "b")]);
    /// assert_eq!(wrong.err(), Some(BuildError::NotAscending { position: 1 }));
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn from_sorted<M: AsRef<[u8]>>(
        entries: impl IntoIterator<Item = (K, M)>,
    ) -> Result<Self, BuildError> {
        Self::new().filled(entries)
    }

    /// As [`from_sorted`](Self::from_sorted), with the hashing of [`with_seed`](Self::with_seed).
    ///
    /// # Errors
    /// As [`from_sorted`](Self::from_sorted).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let entries = [(ScoreKey { score: 1 }, "a")];
    /// let index = RankIndex::<ScoreKey>::from_sorted_with_seed(1, entries)?;
    /// assert_eq!(index.len(), 1);
    /// # Ok::<(), rank_index::BuildError>(())
    /// ```
    pub fn from_sorted_with_seed<M: AsRef<[u8]>>(
        seed: u64,
        entries: impl IntoIterator<Item = (K, M)>,
    ) -> Result<Self, BuildError> {
        Self::with_seed(seed).filled(entries)
    }

    fn filled<M: AsRef<[u8]>>(
        self,
        entries: impl IntoIterator<Item = (K, M)>,
    ) -> Result<Self, BuildError> {
        let mut builder = SortedBuilder::of(self);
        for (key, member) in entries {
            builder.push(key, member.as_ref())?;
        }
        builder.finish(&Alone)
    }

    /// Gives `member` the key `key` and returns the one that it had. O(log n).
    ///
    /// # Errors
    /// If the member has more than [`MEMBER_BYTES_MAX`] bytes (in an index of
    /// [`Eight`](crate::Eight) keys: not eight), or the index is full. Nothing has changed then.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// assert_eq!(index.upsert(b"ada", ScoreKey { score: 1 })?, None);
    /// assert_eq!(index.upsert(b"ada", ScoreKey { score: 2 })?, Some(ScoreKey { score: 1 }));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn upsert(&mut self, member: &[u8], key: K) -> Result<Option<K>, IndexError> {
        check_member::<K>(member.len())?;
        let needle = Needle::new(member);
        let hash = self.cx.hasher.hash(&needle);
        self.forget_dropped_snapshots();
        if let Form::Small(small) = &mut self.form {
            if let Some(pos) = small.find(&self.cx.names, &needle, hash) {
                return Ok(Some(small.rekey(&self.cx.names, pos, &needle, key)));
            }
            if !small.is_full() {
                small.insert(&mut self.cx, &needle, hash, key);
                return Ok(None);
            }
            self.promote();
        }
        let Form::Tree(tree) = &mut self.form else { unreachable!("promoted above") };
        tree.upsert(&mut self.cx, &needle, hash, key)
    }

    /// Gives `member` the key that `change` makes of the one it has, and returns that one; where
    /// `change` says `None`, everything stays as it is. O(log n), and less than a look-up and an
    /// [`upsert`](Self::upsert): a member that stays among the same neighbours is not searched for
    /// from above.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// let plus = |key: Option<ScoreKey>| {
    ///     Some(ScoreKey { score: key.map_or(0, |key| key.score) + 5 })
    /// };
    /// assert_eq!(index.update(b"ada", plus)?, None);
    /// assert_eq!(index.update(b"ada", plus)?, Some(ScoreKey { score: 5 }));
    /// assert_eq!(index.update(b"ada", |_| None)?, Some(ScoreKey { score: 10 }));
    /// assert_eq!(index.get(b"ada"), Some(ScoreKey { score: 10 }));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn update(
        &mut self,
        member: &[u8],
        change: impl FnOnce(Option<K>) -> Option<K>,
    ) -> Result<Option<K>, IndexError> {
        check_member::<K>(member.len())?;
        self.forget_dropped_snapshots();
        if let Form::Tree(tree) = &mut self.form {
            let needle = Needle::new(member);
            let hash = self.cx.hasher.hash(&needle);
            return tree.update(&mut self.cx, &needle, hash, change);
        }
        let stored = self.get(member);
        if let Some(key) = change(stored) {
            self.upsert(member, key)?;
        }
        Ok(stored)
    }

    /// Removes `member` and returns its key. O(log n).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 1 })?;
    /// assert_eq!(index.remove(b"ada"), Some(ScoreKey { score: 1 }));
    /// assert_eq!(index.remove(b"ada"), None);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn remove(&mut self, member: &[u8]) -> Option<K> {
        let needle = Needle::new(member);
        let hash = self.cx.hasher.hash(&needle);
        self.forget_dropped_snapshots();
        let (key, cell) = match &mut self.form {
            Form::Small(small) => {
                let pos = small.find(&self.cx.names, &needle, hash)?;
                small.remove(pos)
            }
            Form::Tree(tree) => {
                let found = tree.find_to_write(&self.cx, &needle, hash)?;
                tree.remove(&mut self.cx, found, hash)
            }
        };
        self.cx.discard(&cell);
        self.demote_if_few();
        Some(key)
    }

    /// Removes the first entry and returns it. O(log n).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 1 })?;
    /// assert_eq!(index.pop_first(), Some((ScoreKey { score: 1 }, b"ada".as_slice().into())));
    /// assert_eq!(index.pop_first(), None);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn pop_first(&mut self) -> Option<(K, Box<[u8]>)> {
        self.pop(|tree| Spot { leaf: tree.first, pos: 0 }, |_| 0)
    }

    /// Removes the last entry and returns it. O(log n).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 1 })?;
    /// index.upsert(b"bob", ScoreKey { score: 2 })?;
    /// assert_eq!(index.pop_last(), Some((ScoreKey { score: 2 }, b"bob".as_slice().into())));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn pop_last(&mut self) -> Option<(K, Box<[u8]>)> {
        let last = |tree: &Tree<K, LEAF, INNER, UPPER>| Spot {
            leaf: tree.last,
            pos: tree.leaves[tree.last].len() - 1,
        };
        self.pop(last, |len| len - 1)
    }

    fn pop(
        &mut self,
        spot: impl FnOnce(&Tree<K, LEAF, INNER, UPPER>) -> Spot,
        pos: impl FnOnce(usize) -> usize,
    ) -> Option<(K, Box<[u8]>)> {
        if self.is_empty() {
            return None;
        }
        self.forget_dropped_snapshots();
        let (key, cell) = match &mut self.form {
            Form::Small(small) => small.remove(pos(small.entries().len())),
            Form::Tree(tree) => {
                let place = tree.place(spot(tree));
                let hash = self.cx.hasher.hash_cell(tree.leaves[place.leaf].cell_in(place.slot));
                let found = tree.table.locate(hash, place);
                tree.remove(&mut self.cx, found, hash)
            }
        };
        let member = cell.bytes(&self.cx.names).into();
        self.cx.discard(&cell);
        self.demote_if_few();
        Some((key, member))
    }

    /// Lets go of snapshots that were dropped, and gives back a part of what only they needed.
    fn forget_dropped_snapshots(&mut self) {
        if self.cx.epochs.is_idle() {
            return;
        }
        let leaves = match &mut self.form {
            Form::Small(_) => None,
            Form::Tree(tree) => Some(&mut tree.leaves),
        };
        self.cx.forget_dropped_snapshots(leaves);
    }

    /// Turns the small form into a tree.
    fn promote(&mut self) {
        let Form::Small(small) = &mut self.form else { return };
        let entries = std::mem::replace(small, Small::new()).into_entries();
        let mut builder = Builder::<K, LEAF, INNER, UPPER>::new(self.cx.epochs.now());
        for (key, cell) in entries {
            builder.push(key, cell);
        }
        let tree = builder.finish(&self.cx, &Alone).expect("the small form has every member once");
        self.form = Form::Tree(Box::new(tree));
        self.cx.counts.promotions += 1;
    }

    /// Turns a tree with few members into the small form.
    fn demote_if_few(&mut self) {
        let Form::Tree(tree) = &self.form else { return };
        if tree.len >= SMALL_AGAIN {
            return;
        }
        let mut entries: Vec<(K, K::Member)> = tree.entries().collect();
        if self.cx.epochs.none_lived() {
            // Nobody else needs the old names: give back the memory of all that were removed.
            self.cx.renew_names(&mut entries);
        }
        let small = Form::Small(Small::of(entries));
        if let Form::Tree(tree) = std::mem::replace(&mut self.form, small) {
            self.cx.epochs.dissolve(tree.leaves);
        }
        self.cx.counts.demotions += 1;
    }

    /// Takes a snapshot: an unchanging view for as long as it is held. O(n / `LEAF`), a fraction of
    /// a nanosecond per member; a small index is copied.
    ///
    /// # Errors
    /// If [`SNAPSHOTS_LIVE_MAX`] snapshots of this index live already.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 1 })?;
    /// let snapshot = index.snapshot()?;
    /// index.upsert(b"ada", ScoreKey { score: 2 })?;
    /// let entry = snapshot.view(&index).entry_at(0).expect("ada was there");
    /// assert_eq!(entry.key.score, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&mut self) -> Result<Snapshot<K, LEAF>, SnapshotsLive> {
        self.forget_dropped_snapshots();
        if self.cx.epochs.live() >= SNAPSHOTS_LIVE_MAX {
            return Err(SnapshotsLive);
        }
        let kept = Arc::new(match &self.form {
            Form::Small(small) => Kept::small(small.entries(), self.cx.epochs.now()),
            Form::Tree(tree) => Kept::tree(tree, self.cx.epochs.now()),
        });
        self.cx.epochs.begin(&kept);
        Ok(Snapshot::new(kept, self.id()))
    }

    /// How often the index was restructured. O(1).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// for score in 0..1_000_u64 {
    ///     index.upsert(&score.to_be_bytes(), ScoreKey { score })?;
    /// }
    /// assert_eq!(index.restructures().promotions, 1);
    /// assert_eq!(index.restructures().height, 2);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn restructures(&self) -> Restructures {
        let height = self.tree().map_or(0, |tree| u32::from(tree.height) + 1);
        Restructures { height, ..self.cx.counts }
    }

    /// Bytes that the index occupies, without the allocator's own and without what only snapshots
    /// hold. An estimate, O(1) but for members of more than 510 bytes.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// assert!(RankIndex::<ScoreKey>::new().memory_bytes() < 512);
    /// ```
    pub fn memory_bytes(&self) -> usize {
        let form = match &self.form {
            Form::Small(small) => small.memory_bytes(),
            Form::Tree(tree) => tree.memory_bytes(),
        };
        size_of::<Self>() + form + self.cx.memory_bytes()
    }

    pub(crate) fn id(&self) -> u64 {
        self.cx.epochs.index_id
    }

    pub(crate) fn names(&self) -> &Names {
        &self.cx.names
    }

    pub(crate) fn epochs(&self) -> &Epochs<K, LEAF> {
        &self.cx.epochs
    }

    pub(crate) fn tree(&self) -> Option<&Tree<K, LEAF, INNER, UPPER>> {
        match &self.form {
            Form::Small(_) => None,
            Form::Tree(tree) => Some(tree),
        }
    }

    pub(crate) fn reader(&self) -> Reader<'_, K, LEAF, INNER, UPPER> {
        let source = match &self.form {
            Form::Small(small) => Source::Small(small.entries()),
            Form::Tree(tree) => Source::Tree(tree),
        };
        Reader::new(&self.cx.names, source)
    }
}

/// Refuses a member whose length the index does not take.
pub(crate) fn check_member<K: Key>(bytes: usize) -> Result<(), IndexError> {
    if let Some(bytes_fixed) = K::Member::FIXED_BYTES.filter(|&fixed| fixed != bytes) {
        return Err(IndexError::MemberNotFixed { bytes, bytes_fixed });
    }
    if bytes > MEMBER_BYTES_MAX {
        return Err(IndexError::MemberTooLong { bytes, bytes_max: MEMBER_BYTES_MAX });
    }
    Ok(())
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> Default
    for RankIndex<K, LEAF, INNER, UPPER>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> fmt::Debug
    for RankIndex<K, LEAF, INNER, UPPER>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RankIndex").field("len", &self.len()).finish_non_exhaustive()
    }
}
