//! What several operations will read, asked for before the first of them, so that their cache
//! misses overlap.
//!
//! What it is not: a look-up; nothing is compared but hashes and keys, and whatever is asked for in
//! vain costs a little time. Invariant: none; without it everything computes the same. Cost: for
//! each member its line of the table, lines of its leaf, and its name where that is long; for each
//! key a descent.

use super::{Tree, at_level};
use crate::arena::NONE;
use crate::cell::Cell;
use crate::key::Key;
use crate::leaf::{Leaf, Place};
use crate::names::Names;

/// Operations that memory is asked for at once: about as many misses as a processor has open.
pub(crate) const WINDOW: usize = 16;

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Tree<K, LEAF, INNER, UPPER>
{
    /// Asks for what finding members with these hashes reads, [`WINDOW`] of them at most: first for
    /// all lines of the table, then by `ask` for those of the leaves, then for long names.
    #[inline]
    pub(crate) fn prefetch_members(
        &self,
        names: &Names,
        hashes: impl Iterator<Item = u64> + Clone,
        ask: impl Fn(&Leaf<K, LEAF>, u8),
    ) {
        for hash in hashes.clone() {
            self.table.prefetch(hash);
        }
        let mut places = [Place { leaf: NONE, slot: 0 }; WINDOW];
        let found = hashes.filter_map(|hash| self.table.candidate(hash));
        let mut count = 0;
        for (kept, place) in places.iter_mut().zip(found) {
            ask(&self.leaves[place.leaf], place.slot);
            *kept = place;
            count += 1;
        }
        if names.has_no_slots() {
            return;
        }
        for place in &places[..count] {
            if let Some(handle) = self.leaves[place.leaf].cell_in(place.slot).handle() {
                names.prefetch(handle);
            }
        }
    }

    /// Asks for what putting entries with these keys reads, [`WINDOW`] of them at most.
    pub(crate) fn prefetch_keys(&self, keys: &[K]) {
        let mut nodes = [self.root; WINDOW];
        for level in (1..=self.height).rev() {
            for (node, key) in nodes.iter_mut().zip(keys) {
                *node = at_level!(self, level, nodes => {
                    nodes[*node].child_by_key(|sep| sep.is_before(key))
                });
                match level {
                    1 => self.leaves[*node].prefetch_search(),
                    2 => self.bases[*node].prefetch_seps(),
                    _ => self.uppers[*node].prefetch_seps(),
                }
            }
        }
    }
}
