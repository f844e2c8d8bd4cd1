//! A few members in one sorted array: the form of most indexes there are.
//!
//! What it is not: fast for many; beyond [`SMALL_MAX`] members the index becomes a tree. Invariant:
//! entries are in ascending order and no member is there twice; an empty one owns no memory.
//! Cost: linear in the number of members, all within a few cache lines.

use std::cmp::Ordering;

use crate::cell::{Cell, Needle};
use crate::epochs::Context;
use crate::key::{Key, begins_run};
use crate::names::Names;

/// Members that an index holds in its small form, at most.
pub const SMALL_MAX: usize = 32;
/// A tree with fewer members than this becomes small again.
pub(crate) const SMALL_AGAIN: usize = SMALL_MAX / 2;

/// Entries by which the array grows and shrinks.
const STEP: usize = 4;

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Small<K: Key> {
    entries: Vec<(K, K::Member)>,
}

impl<K: Key> Small<K> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// A small form of `entries`, which are sorted.
    pub(crate) fn of(entries: Vec<(K, K::Member)>) -> Self {
        debug_assert!(entries.len() <= SMALL_MAX);
        Self { entries }
    }

    pub(crate) fn entries(&self) -> &[(K, K::Member)] {
        &self.entries
    }

    pub(crate) fn into_entries(self) -> Vec<(K, K::Member)> {
        self.entries
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= SMALL_MAX
    }

    /// Position of the member `needle`.
    pub(crate) fn find(&self, names: &Names, needle: &Needle<'_>, hash: u64) -> Option<usize> {
        self.entries.iter().position(|(_, cell)| cell.matches(needle, hash, names))
    }

    /// Inserts a member that is not there. The form is not full.
    pub(crate) fn insert<const LEAF: usize>(
        &mut self,
        cx: &mut Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
        key: K,
    ) {
        let pos = lower_bound(&self.entries, &cx.names, &key, needle);
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact(STEP);
        }
        self.entries.insert(pos, (key, cx.store(needle, hash)));
    }

    /// Gives the member at `pos` a new key and returns the old one.
    pub(crate) fn rekey(&mut self, names: &Names, pos: usize, needle: &Needle<'_>, key: K) -> K {
        let (old, cell) = self.entries.remove(pos);
        let to = lower_bound(&self.entries, names, &key, needle);
        self.entries.insert(to, (key, cell));
        old
    }

    /// Takes the entry at `pos` out. A long member's bytes stay the caller's to discard.
    pub(crate) fn remove(&mut self, pos: usize) -> (K, K::Member) {
        let entry = self.entries.remove(pos);
        if self.entries.is_empty() {
            self.entries = Vec::new();
        } else if self.entries.capacity() - self.entries.len() > 2 * STEP {
            self.entries.shrink_to(self.entries.len() + STEP);
        }
        entry
    }

    /// Heap bytes in use.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(K, K::Member)>()
    }
}

/// Entries before the one of `key` and `needle`.
pub(crate) fn lower_bound<K: Key>(
    entries: &[(K, K::Member)],
    names: &Names,
    key: &K,
    needle: &Needle<'_>,
) -> usize {
    entries.partition_point(|(other, cell)| {
        other.order(key).then_with(|| cell.order(needle, names)) == Ordering::Less
    })
}

/// Distinct scores among `entries`.
pub(crate) fn runs<K: Key>(entries: &[(K, K::Member)]) -> usize {
    let before = std::iter::once(None).chain(entries.iter().map(|(key, _)| Some(*key)));
    before.zip(entries).filter(|(before, (key, _))| begins_run(*before, key)).count()
}
