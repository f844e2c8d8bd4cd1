//! Reading by position and by order, the same for every form of an index and for its snapshots.
//!
//! What it is not: able to find a member without its key; that takes the table. Invariant: whatever
//! the source, the same entries give the same answers. Cost: O(log n) each.

use crate::cell::{Cell, Needle};
use crate::key::Key;
use crate::names::Names;
use crate::page::Page;
use crate::snapshot::Listed;
use crate::tree::{Tree, count_before};

/// Where entries are read from.
pub(crate) enum Source<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> {
    Small(&'a [(K, K::Member)]),
    Tree(&'a Tree<K, LEAF, INNER, UPPER>),
    Listed(Listed<'a, K, LEAF>),
}

/// Entries in order, and the names that they may refer to.
pub(crate) struct Reader<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> {
    names: &'a Names,
    source: Source<'a, K, LEAF, INNER, UPPER>,
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> Clone
    for Source<'_, K, LEAF, INNER, UPPER>
{
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> Copy
    for Source<'_, K, LEAF, INNER, UPPER>
{
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> Clone
    for Reader<'_, K, LEAF, INNER, UPPER>
{
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> Copy
    for Reader<'_, K, LEAF, INNER, UPPER>
{
}

impl<'a, K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Reader<'a, K, LEAF, INNER, UPPER>
{
    pub(crate) fn new(names: &'a Names, source: Source<'a, K, LEAF, INNER, UPPER>) -> Self {
        Self { names, source }
    }

    pub(crate) fn names(&self) -> &'a Names {
        self.names
    }

    pub(crate) fn source(&self) -> Source<'a, K, LEAF, INNER, UPPER> {
        self.source
    }

    /// Entries of which `before` holds, which must be a prefix of all.
    pub(crate) fn partition_point(&self, mut before: impl FnMut(&K, &[u8]) -> bool) -> usize {
        let names = self.names;
        match self.source {
            Source::Small(list) => {
                list.partition_point(|(key, cell)| before(key, cell.bytes(names)))
            }
            Source::Tree(tree) => tree.position(tree.search_entry(names, before)),
            Source::Listed(listed) => partition_listed(&listed, |page, pos| {
                let (key, cell) = page.entry(pos);
                before(&key, cell.bytes(names))
            }),
        }
    }

    /// As [`partition_point`](Self::partition_point), by the key alone.
    pub(crate) fn partition_by_key(&self, before: impl Fn(&K) -> bool + Copy) -> usize {
        match self.source {
            Source::Small(list) => list.partition_point(|(key, _)| before(key)),
            Source::Tree(tree) => tree.partition_by_key(before),
            Source::Listed(listed) => partition_listed(&listed, |page, pos| before(&page.key(pos))),
        }
    }

    /// Two of [`partition_by_key`](Self::partition_by_key), at less than the cost of each alone.
    pub(crate) fn partition_by_keys(
        &self,
        one: impl Fn(&K) -> bool + Copy,
        other: impl Fn(&K) -> bool + Copy,
    ) -> (usize, usize) {
        match self.source {
            Source::Tree(tree) => tree.partition_by_keys(one, other),
            _ => (self.partition_by_key(one), self.partition_by_key(other)),
        }
    }

    /// Distinct scores up to and with that of the entry at `position`, which is there.
    pub(crate) fn runs_through(&self, position: usize) -> usize {
        match self.source {
            Source::Small(list) => crate::small::runs(&list[..=position]),
            Source::Tree(tree) => tree.runs_through(tree.locate(position)),
            Source::Listed(listed) => listed.runs_through(position),
        }
    }

    /// Entries before the one of `key` and `needle`.
    pub(crate) fn rank(&self, key: &K, needle: &Needle<'_>) -> usize {
        let names = self.names;
        match self.source {
            Source::Small(list) => crate::small::lower_bound(list, names, key, needle),
            Source::Tree(tree) => tree.position(tree.search(names, key, needle)),
            Source::Listed(listed) => {
                partition_listed(&listed, |page, pos| page.order(pos, key, needle, names).is_lt())
            }
        }
    }
}

/// Entries of a snapshot's leaves of which `before` holds, which must be a prefix of all.
fn partition_listed<'a, K: Key, const LEAF: usize>(
    listed: &Listed<'a, K, LEAF>,
    mut before: impl FnMut(&Page<'a, K, LEAF>, usize) -> bool,
) -> usize {
    let at = count_before(listed.count(), |at| before(&listed.leaf(at), 0)).saturating_sub(1);
    let page = listed.leaf(at);
    listed.before(at) + count_before(page.len(), |pos| before(&page, pos))
}
