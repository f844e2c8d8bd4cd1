//! Everything that reads an index.
//!
//! What it is not: able to change anything. Invariant: positions count from 0 in ascending order;
//! whatever is out of range is clamped or `None`, never a panic. Cost: stated per operation, `n`
//! being the number of members.

use std::ops::{Bound, Range, RangeBounds};

use crate::arena::NONE;
use crate::cell::Needle;
use crate::index::{Form, RankIndex};
use crate::iter::{Entry, Iter, clamp};
use crate::key::Key;
use crate::leaf::{Leaf, Place};
use crate::standing::Standing;
use crate::tree::WINDOW;

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    RankIndex<K, LEAF, INNER, UPPER>
{
    /// Members in the index. O(1).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// assert_eq!(RankIndex::<ScoreKey>::new().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Small(small) => small.entries().len(),
            Form::Tree(tree) => tree.len,
        }
    }

    /// Whether the index has no members. O(1).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// assert!(RankIndex::<ScoreKey>::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of a member; in the small form, its position in the guise of a slot.
    fn find(&self, needle: &Needle<'_>, hash: u64) -> Option<Place> {
        match &self.form {
            Form::Small(small) => {
                let pos = small.find(&self.cx.names, needle, hash)?;
                Some(Place { leaf: NONE, slot: crate::leaf::narrow(pos) })
            }
            Form::Tree(tree) => tree.find(&self.cx, needle, hash),
        }
    }

    #[inline]
    fn rank_of(&self, needle: &Needle<'_>, hash: u64) -> Option<usize> {
        match &self.form {
            Form::Small(small) => small.find(&self.cx.names, needle, hash),
            Form::Tree(tree) => tree.rank(&self.cx, needle, hash),
        }
    }

    fn find_member(&self, member: &[u8]) -> Option<Place> {
        let needle = Needle::new(member);
        self.find(&needle, self.cx.hasher.hash(&needle))
    }

    fn key_in(&self, place: Place) -> K {
        match &self.form {
            Form::Small(small) => small.entries()[usize::from(place.slot)].0,
            Form::Tree(tree) => tree.key_in(place),
        }
    }

    fn position(&self, place: Place) -> usize {
        match &self.form {
            Form::Small(_) => usize::from(place.slot),
            Form::Tree(tree) => tree.position_of(place),
        }
    }

    /// The key of `member`. O(1).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// assert_eq!(index.get(b"ada"), Some(ScoreKey { score: 7 }));
    /// assert_eq!(index.get(b"bob"), None);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn get(&self, member: &[u8]) -> Option<K> {
        self.find_member(member).map(|place| self.key_in(place))
    }

    /// Whether `member` is in the index. O(1).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// assert!(!RankIndex::<ScoreKey>::new().contains(b"ada"));
    /// ```
    pub fn contains(&self, member: &[u8]) -> bool {
        self.find_member(member).is_some()
    }

    /// How many entries are before that of `member`. O(log n), one addition per level.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// index.upsert(b"bob", ScoreKey { score: 5 })?;
    /// assert_eq!(index.rank(b"ada"), Some(1));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        let needle = Needle::new(member);
        self.rank_of(&needle, self.cx.hasher.hash(&needle))
    }

    /// The rank of each member, in the order given; the same as many [`rank`](Self::rank)s, but the
    /// cache misses of neighbours overlap. O(log n) each.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// assert_eq!(index.ranks(&["bob", "ada"]), [None, Some(0)]);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn ranks(&self, members: &[impl AsRef<[u8]>]) -> Vec<Option<usize>> {
        let mut ranks = Vec::with_capacity(members.len());
        let mut window = [(Needle::new(b""), 0); WINDOW];
        for members in members.chunks(WINDOW) {
            let window = &mut window[..members.len()];
            for (question, member) in window.iter_mut().zip(members) {
                let needle = Needle::new(member.as_ref());
                *question = (needle, self.cx.hasher.hash(&needle));
            }
            if let Form::Tree(tree) = &self.form {
                let hashes = window.iter().map(|(_, hash)| *hash);
                tree.prefetch_members(&self.cx.names, hashes, Leaf::prefetch_rank);
            }
            ranks.extend(window.iter().map(|(needle, hash)| self.rank_of(needle, *hash)));
        }
        ranks
    }

    /// Where `member` stands, in any of the three styles of rank. O(log n).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// index.upsert(b"bob", ScoreKey { score: 7 })?;
    /// let bob = index.standing(b"bob").expect("bob was inserted");
    /// assert_eq!((bob.key.score, bob.position, bob.competition()), (7, 1, 0));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn standing(&self, member: &[u8]) -> Option<Standing<'_, K, LEAF, INNER, UPPER>> {
        let place = self.find_member(member)?;
        Some(Standing::new(self.reader(), self.key_in(place), self.position(place)))
    }

    /// Where the entry at `position` stands. O(log n).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// assert_eq!(index.standing_at(0).map(|standing| standing.dense()), Some(0));
    /// assert!(index.standing_at(1).is_none());
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn standing_at(&self, position: usize) -> Option<Standing<'_, K, LEAF, INNER, UPPER>> {
        self.entry_at(position).map(|entry| Standing::new(self.reader(), entry.key, position))
    }

    /// Members with a score before that of `member`: ranks as in 1 2 2 4, from 0. O(log n).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// index.upsert(b"bob", ScoreKey { score: 7 })?;
    /// assert_eq!(index.competition_rank(b"bob"), Some(0));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn competition_rank(&self, member: &[u8]) -> Option<usize> {
        self.standing(member).map(|standing| standing.competition())
    }

    /// Distinct scores before that of `member`: ranks as in 1 2 2 3, from 0. O(log n).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// for (member, score) in [("ada", 7), ("bob", 7), ("cyd", 9)] {
    ///     index.upsert(member.as_bytes(), ScoreKey { score })?;
    /// }
    /// assert_eq!(index.dense_rank(b"cyd"), Some(1));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn dense_rank(&self, member: &[u8]) -> Option<usize> {
        self.standing(member).map(|standing| standing.dense())
    }

    /// The entry at `position`. O(log n).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// assert_eq!(index.entry_at(0).map(|entry| entry.member), Some(&b"ada"[..]));
    /// assert_eq!(index.entry_at(1), None);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn entry_at(&self, position: usize) -> Option<Entry<'_, K>> {
        self.range(position..).next()
    }

    /// All entries in order. O(log n), then O(1) per entry.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// assert_eq!(index.iter().count(), 1);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn iter(&self) -> Iter<'_, K, LEAF, INNER, UPPER> {
        self.range(..)
    }

    /// The entries at `positions`, clamped to what there is. O(log n), then O(1) per entry.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// for (member, score) in [("ada", 7), ("bob", 8), ("cyd", 9)] {
    ///     index.upsert(member.as_bytes(), ScoreKey { score })?;
    /// }
    /// let scores: Vec<u64> = index.range(1..100).map(|entry| entry.key.score).collect();
    /// assert_eq!(scores, [8, 9]);
    /// assert_eq!(index.range(1..).rev().map(|entry| entry.key.score).next(), Some(9));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn range(&self, positions: impl RangeBounds<usize>) -> Iter<'_, K, LEAF, INNER, UPPER> {
        Iter::new(self.reader(), clamp(&positions, self.len()))
    }

    /// `member`'s entry and up to `radius` entries on either side of it, with the position of the
    /// first. O(log n), then O(1) per entry.
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// for (member, score) in [("ada", 7), ("bob", 8), ("cyd", 9), ("dan", 10)] {
    ///     index.upsert(member.as_bytes(), ScoreKey { score })?;
    /// }
    /// let (start, entries) = index.around(b"cyd", 1).expect("cyd was inserted");
    /// assert_eq!((start, entries.len()), (1, 3));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn around(
        &self,
        member: &[u8],
        radius: usize,
    ) -> Option<(usize, Iter<'_, K, LEAF, INNER, UPPER>)> {
        let needle = Needle::new(member);
        let hash = self.cx.hasher.hash(&needle);
        let (position, spot) = match &self.form {
            Form::Small(small) => (small.find(&self.cx.names, &needle, hash)?, None),
            Form::Tree(tree) => {
                let spot = tree.find_among_others(&self.cx, &needle, hash)?;
                (tree.position(spot), Some((tree, spot)))
            }
        };
        let start = position.saturating_sub(radius);
        let mut entries = self.range(start..=position.saturating_add(radius));
        if let Some((tree, spot)) = spot
            && let Some(pos) = spot.pos.checked_sub(position - start)
        {
            entries.begin_in(&tree.leaves[spot.leaf], pos);
        }
        Some((start, entries))
    }

    /// How many entries satisfy `before`, which must hold for a prefix of them. O(log n) calls on
    /// each level, any of which may cost a cache miss: where the key alone decides, prefer
    /// [`positions_between`](Self::positions_between).
    ///
    /// ```
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// for (member, score) in [("ada", 7), ("bob", 8), ("cyd", 9)] {
    ///     index.upsert(member.as_bytes(), ScoreKey { score })?;
    /// }
    /// assert_eq!(index.partition_point(|_, member| member < b"bz"), 2);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn partition_point(&self, before: impl FnMut(&K, &[u8]) -> bool) -> usize {
        self.reader().partition_point(before)
    }

    /// The positions of all entries whose keys are within the bounds; empty if those are inverted.
    /// O(log n).
    ///
    /// ```
    /// use std::ops::Bound;
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// for (member, score) in [("ada", 7), ("bob", 8), ("cyd", 9)] {
    ///     index.upsert(member.as_bytes(), ScoreKey { score })?;
    /// }
    /// let seven = ScoreKey { score: 7 };
    /// assert_eq!(index.positions_between(Bound::Excluded(&seven), Bound::Unbounded), 1..3);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn positions_between(&self, lower: Bound<&K>, upper: Bound<&K>) -> Range<usize> {
        let start = match lower {
            Bound::Included(bound) => Some(prefix(bound, false)),
            Bound::Excluded(bound) => Some(prefix(bound, true)),
            Bound::Unbounded => None,
        };
        let end = match upper {
            Bound::Included(bound) => Some(prefix(bound, true)),
            Bound::Excluded(bound) => Some(prefix(bound, false)),
            Bound::Unbounded => None,
        };
        let reader = self.reader();
        let (start, end) = match (start, end) {
            (Some(start), Some(end)) => reader.partition_by_keys(start, end),
            (start, end) => (
                start.map_or(0, |start| reader.partition_by_key(start)),
                end.map_or(self.len(), |end| reader.partition_by_key(end)),
            ),
        };
        start..end.max(start)
    }

    /// Entries with keys before `key`.
    fn before_key(&self, key: &K) -> usize {
        self.reader().partition_by_key(|other| other.is_before(key))
    }

    /// Entries with keys not behind `key`.
    fn through_key(&self, key: &K) -> usize {
        self.reader().partition_by_key(|other| !key.is_before(other))
    }

    /// How many entries have keys within the bounds. O(log n).
    ///
    /// ```
    /// use std::ops::Bound;
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// let seven = ScoreKey { score: 7 };
    /// index.upsert(b"ada", seven)?;
    /// assert_eq!(index.count_between(Bound::Included(&seven), Bound::Unbounded), 1);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn count_between(&self, lower: Bound<&K>, upper: Bound<&K>) -> usize {
        self.positions_between(lower, upper).len()
    }

    /// The entries with keys within the bounds. O(log n), then O(1) per entry.
    ///
    /// ```
    /// use std::ops::Bound;
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// index.upsert(b"ada", ScoreKey { score: 7 })?;
    /// let eight = ScoreKey { score: 8 };
    /// let mut low = index.range_between(Bound::Unbounded, Bound::Excluded(&eight));
    /// assert_eq!(low.next().map(|entry| entry.member), Some(&b"ada"[..]));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn range_between(
        &self,
        lower: Bound<&K>,
        upper: Bound<&K>,
    ) -> Iter<'_, K, LEAF, INNER, UPPER> {
        self.range(self.positions_between(lower, upper))
    }

    /// The positions of the entries that `key` orders equal and whose members are within the
    /// bounds. Members are compared as bytes. O(log n).
    ///
    /// ```
    /// use std::ops::Bound;
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// let zero = ScoreKey { score: 0 };
    /// for member in ["ada", "bob", "cyd"] {
    ///     index.upsert(member.as_bytes(), zero)?;
    /// }
    /// assert_eq!(index.lex_positions(&zero, Bound::Included(b"b"), Bound::Unbounded), 1..3);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn lex_positions(&self, key: &K, lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> Range<usize> {
        let start = match lower {
            Bound::Included(member) => self.before_member(key, member),
            Bound::Excluded(member) => self.through_member(key, member),
            Bound::Unbounded => self.before_key(key),
        };
        let end = match upper {
            Bound::Included(member) => self.through_member(key, member),
            Bound::Excluded(member) => self.before_member(key, member),
            Bound::Unbounded => self.through_key(key),
        };
        start..end.max(start)
    }

    fn before_member(&self, key: &K, member: &[u8]) -> usize {
        self.reader().rank(key, &Needle::new(member))
    }

    fn through_member(&self, key: &K, member: &[u8]) -> usize {
        // The next byte string after any other is the same with a zero behind it.
        let next: Vec<u8> = member.iter().copied().chain([0]).collect();
        self.before_member(key, &next)
    }

    /// How many entries [`lex_range`](Self::lex_range) gives. O(log n).
    ///
    /// ```
    /// use std::ops::Bound;
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// let zero = ScoreKey { score: 0 };
    /// index.upsert(b"ada", zero)?;
    /// assert_eq!(index.lex_count(&zero, Bound::Excluded(b"ada"), Bound::Unbounded), 0);
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn lex_count(&self, key: &K, lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> usize {
        self.lex_positions(key, lower, upper).len()
    }

    /// The entries that `key` orders equal and whose members are within the bounds. O(log n), then
    /// O(1) per entry.
    ///
    /// ```
    /// use std::ops::Bound;
    /// use rank_index::{RankIndex, ScoreKey};
    /// let mut index: RankIndex<ScoreKey> = RankIndex::new();
    /// let zero = ScoreKey { score: 0 };
    /// index.upsert(b"ada", zero)?;
    /// let mut found = index.lex_range(&zero, Bound::Unbounded, Bound::Included(b"ada"));
    /// assert_eq!(found.next().map(|entry| entry.member), Some(&b"ada"[..]));
    /// # Ok::<(), rank_index::IndexError>(())
    /// ```
    pub fn lex_range(
        &self,
        key: &K,
        lower: Bound<&[u8]>,
        upper: Bound<&[u8]>,
    ) -> Iter<'_, K, LEAF, INNER, UPPER> {
        self.range(self.lex_positions(key, lower, upper))
    }
}

impl<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> IntoIterator
    for &'a RankIndex<K, LEAF, INNER, UPPER>
{
    type Item = Entry<'a, K>;
    type IntoIter = Iter<'a, K, LEAF, INNER, UPPER>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Holds of the keys before `bound`, or of those through it.
fn prefix<K: Key>(bound: &K, through: bool) -> impl Fn(&K) -> bool + Copy {
    // Always both comparisons: a branch in each step of a search would cost more.
    move |key| key.is_before(bound) | (through & !bound.is_before(key))
}
