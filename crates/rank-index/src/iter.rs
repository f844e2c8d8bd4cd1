//! Entries by position, from both ends.
//!
//! What it is not: a search per step; after the first entry it walks from leaf to leaf. Invariant:
//! it yields exactly the positions that are left, each once. Cost: O(log n) for the first entry of
//! either end, then O(1) each.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::{Bound, Range, RangeBounds};

use crate::arena::NONE;
use crate::cell::Cell;
use crate::key::Key;
use crate::leaf::Leaf;
use crate::page::Page;
use crate::reader::{Reader, Source};

/// Walks over fewer entries than this do not ask for lines ahead: they need too few of them.
const PREFETCH_ENTRIES_MIN: usize = 8;

/// A member and its key, borrowed from the index or from a snapshot of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a, K> {
    /// What the entry is ordered by.
    pub key: K,
    /// The member's bytes.
    pub member: &'a [u8],
}

/// A walk's place in the leaves: the entry at `pos` is the next one forwards, the one before it the
/// next one backwards.
struct Cursor<'a, K: Key, const LEAF: usize> {
    page: Page<'a, K, LEAF>,
    /// The leaf's number in a snapshot's list; trees have links.
    at: usize,
    pos: usize,
}

/// Entries of a range of positions, in order. See [`RankIndex::range`](crate::RankIndex::range).
pub struct Iter<
    'a,
    K: Key,
    const LEAF: usize = 58,
    const INNER: usize = 30,
    const UPPER: usize = 64,
> {
    reader: Reader<'a, K, LEAF, INNER, UPPER>,
    left: Range<usize>,
    front: Option<Cursor<'a, K, LEAF>>,
    back: Option<Cursor<'a, K, LEAF>>,
}

impl<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Iter<'a, K, LEAF, INNER, UPPER>
{
    /// `positions` are within what `reader` has.
    pub(crate) fn new(reader: Reader<'a, K, LEAF, INNER, UPPER>, positions: Range<usize>) -> Self {
        Self { reader, left: positions, front: None, back: None }
    }

    /// Begins at the entry at `pos` of `leaf`, which is the one that it would have to look for.
    pub(crate) fn begin_in(&mut self, leaf: &'a Leaf<K, LEAF>, pos: usize) {
        self.front = Some(Cursor { page: Page::now(leaf), at: 0, pos });
    }

    #[inline]
    fn entry(&self, (key, cell): (K, &'a K::Member)) -> Entry<'a, K> {
        Entry { key, member: cell.bytes(self.reader.names()) }
    }

    /// The next entry, of which there is one, where the front cursor has none left.
    #[inline(never)]
    fn next_from_another_leaf(&mut self) -> Option<Entry<'a, K>> {
        let position = self.left.next()?;
        if let Source::Small(list) = self.reader.source() {
            let (key, cell) = &list[position];
            return Some(self.entry((*key, cell)));
        }
        let mut cursor = self.front.take().or_else(|| self.cursor(position))?;
        if cursor.pos == cursor.page.len() {
            self.next_leaf(&mut cursor);
        }
        self.prefetch(&cursor);
        let entry = self.entry(cursor.page.entry(cursor.pos));
        cursor.pos += 1;
        self.front = Some(cursor);
        Some(entry)
    }

    /// The next entry from behind, of which there is one, where the back cursor has none left.
    #[inline(never)]
    fn next_back_from_another_leaf(&mut self) -> Option<Entry<'a, K>> {
        let position = self.left.next_back()?;
        if let Source::Small(list) = self.reader.source() {
            let (key, cell) = &list[position];
            return Some(self.entry((*key, cell)));
        }
        let mut cursor = self.back.take().or_else(|| self.cursor(position + 1))?;
        if cursor.pos == 0 {
            self.prev_leaf(&mut cursor);
        }
        cursor.pos -= 1;
        let entry = self.entry(cursor.page.entry(cursor.pos));
        self.back = Some(cursor);
        Some(entry)
    }

    /// Asks for what a walk forwards from `cursor` will read: its leaf, if the walk gets beyond the
    /// first entries of it, and the next one, if the walk gets there.
    fn prefetch(&self, cursor: &Cursor<'a, K, LEAF>) {
        if self.left.len() < PREFETCH_ENTRIES_MIN {
            return;
        }
        let leaf = cursor.page.leaf();
        leaf.prefetch_entries();
        if self.left.len() < cursor.page.len() - cursor.pos {
            return;
        }
        match self.reader.source() {
            Source::Tree(tree) if leaf.next != NONE => tree.leaves[leaf.next].prefetch_entries(),
            Source::Listed(listed) => listed.prefetch(cursor.at + 1),
            _ => {}
        }
    }

    /// A cursor before the entry at `position`, or behind the last one.
    fn cursor(&self, position: usize) -> Option<Cursor<'a, K, LEAF>> {
        match self.reader.source() {
            Source::Small(_) => None,
            Source::Tree(tree) => {
                let count = self.left.len();
                let spot = if count < PREFETCH_ENTRIES_MIN {
                    tree.locate(position)
                } else {
                    tree.locate_to_read(position, count)
                };
                Some(Cursor { page: Page::now(&tree.leaves[spot.leaf]), at: 0, pos: spot.pos })
            }
            Source::Listed(listed) => {
                let (at, pos) = listed.locate(position);
                Some(Cursor { page: listed.leaf(at), at, pos })
            }
        }
    }

    /// Moves a cursor at the end of its leaf to the beginning of the next one.
    fn next_leaf(&self, cursor: &mut Cursor<'a, K, LEAF>) {
        match self.reader.source() {
            Source::Tree(tree) if cursor.page.leaf().next != NONE => {
                cursor.page = Page::now(&tree.leaves[cursor.page.leaf().next]);
            }
            Source::Listed(listed) => {
                cursor.at += 1;
                cursor.page = listed.leaf(cursor.at);
            }
            _ => unreachable!("there are entries left"),
        }
        cursor.pos = 0;
    }

    /// Moves a cursor at the beginning of its leaf to the end of the one before.
    fn prev_leaf(&self, cursor: &mut Cursor<'a, K, LEAF>) {
        match self.reader.source() {
            Source::Tree(tree) if cursor.page.leaf().prev != NONE => {
                cursor.page = Page::now(&tree.leaves[cursor.page.leaf().prev]);
            }
            Source::Listed(listed) => {
                cursor.at -= 1;
                cursor.page = listed.leaf(cursor.at);
            }
            _ => unreachable!("there are entries left"),
        }
        cursor.pos = cursor.page.len();
    }
}

impl<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> Iterator
    for Iter<'a, K, LEAF, INNER, UPPER>
{
    type Item = Entry<'a, K>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a, K>> {
        if self.left.is_empty() {
            return None;
        }
        match &mut self.front {
            Some(cursor) if cursor.pos < cursor.page.len() => {
                self.left.start += 1;
                let entry = cursor.page.entry(cursor.pos);
                cursor.pos += 1;
                Some(self.entry(entry))
            }
            _ => self.next_from_another_leaf(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }

    /// Leaf by leaf, so that the end of a leaf is not looked for at each entry.
    fn fold<B, F: FnMut(B, Entry<'a, K>) -> B>(mut self, init: B, mut f: F) -> B {
        let mut folded = init;
        while let Some(entry) = self.next() {
            folded = f(folded, entry);
            let Some(cursor) = &mut self.front else { continue };
            let (page, start) = (cursor.page, cursor.pos);
            let end = page.len().min(start + self.left.len());
            (self.left.start, cursor.pos) = (self.left.start + end - start, end);
            for (key, cell) in page.entries(start, end) {
                let member = cell.bytes(self.reader.names());
                folded = f(folded, Entry { key, member });
            }
        }
        folded
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> DoubleEndedIterator
    for Iter<'_, K, LEAF, INNER, UPPER>
{
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        match &mut self.back {
            Some(cursor) if cursor.pos > 0 => {
                self.left.end -= 1;
                cursor.pos -= 1;
                let entry = cursor.page.entry(cursor.pos);
                Some(self.entry(entry))
            }
            _ => self.next_back_from_another_leaf(),
        }
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> ExactSizeIterator
    for Iter<'_, K, LEAF, INNER, UPPER>
{
    fn len(&self) -> usize {
        self.left.len()
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> FusedIterator
    for Iter<'_, K, LEAF, INNER, UPPER>
{
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> fmt::Debug
    for Iter<'_, K, LEAF, INNER, UPPER>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("positions", &self.left).finish_non_exhaustive()
    }
}

/// The positions among `0..len` that `bounds` covers.
pub(crate) fn clamp(bounds: &impl RangeBounds<usize>, len: usize) -> Range<usize> {
    let start = match bounds.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match bounds.end_bound() {
        Bound::Included(&last) => last.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => len,
    };
    let end = end.min(len);
    start.min(end)..end
}
