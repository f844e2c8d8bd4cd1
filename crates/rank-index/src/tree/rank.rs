//! From a spot up to its position.
//!
//! What it is not: a search; no key is compared. Invariant: `position` is the inverse of `locate`.
//! Cost: one node and one addition per level.

use super::{Spot, Tree};
use crate::arena::NONE;
use crate::inner::Tally;
use crate::key::Key;

impl<K: Key, const LEAF: usize, const INNER: usize> Tree<K, LEAF, INNER> {
    /// Entries before `spot` in the whole tree.
    pub(crate) fn position(&self, spot: Spot) -> usize {
        let leaf = &self.leaves[spot.leaf];
        let (mut node, mut index, mut position) = (leaf.parent, leaf.index, spot.pos);
        while node != NONE {
            let inner = &self.inners[node];
            position += inner.before(usize::from(index)).members as usize;
            (node, index) = (inner.parent, inner.index);
        }
        position
    }

    /// Distinct scores up to and with that of the entry at `spot`.
    pub(crate) fn runs_through(&self, spot: Spot) -> usize {
        let leaf = &self.leaves[spot.leaf];
        let (mut node, mut index, mut before) = (leaf.parent, leaf.index, Tally::ZERO);
        while node != NONE {
            let inner = &self.inners[node];
            before = before.plus(inner.before(usize::from(index)));
            (node, index) = (inner.parent, inner.index);
        }
        (before.runs + self.runs_in(spot.leaf, 0..spot.pos + 1)) as usize
    }
}
