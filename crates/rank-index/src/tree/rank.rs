//! From a spot up to its position.
//!
//! What it is not: a search; no key is compared. Invariant: `position` is the inverse of `locate`.
//! Cost: one node and one addition per level.

use super::{Spot, Tree};
use crate::cell::Needle;
use crate::epochs::Context;
use crate::inner::Tally;
use crate::key::Key;
use crate::leaf::{Leaf, Place};

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Tree<K, LEAF, INNER, UPPER>
{
    /// Entries before `spot` in the whole tree.
    pub(crate) fn position(&self, spot: Spot) -> usize {
        spot.pos + self.position_of_leaf(&self.leaves[spot.leaf])
    }

    /// Entries before the one of the member `needle`, if it is there.
    #[inline]
    pub(crate) fn rank(
        &self,
        cx: &Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
    ) -> Option<usize> {
        self.find(cx, needle, hash).map(|place| self.position_of(place))
    }

    /// Entries before the one in `place`.
    #[inline(always)]
    pub(crate) fn position_of(&self, place: Place) -> usize {
        let leaf = &self.leaves[place.leaf];
        leaf.position(place.slot) + self.position_of_leaf(leaf)
    }

    #[inline]
    pub(super) fn position_of_leaf(&self, leaf: &Leaf<K, LEAF>) -> usize {
        let Some((base, index)) = leaf.link.up() else { return 0 };
        let base = &self.bases[base];
        let mut position = base.members_before(index);
        let mut link = base.link;
        while let Some((upper, index)) = link.up() {
            let upper = &self.uppers[upper];
            position += upper.members_before(index);
            link = upper.link;
        }
        position
    }

    /// Distinct scores up to and with that of the entry at `spot`.
    pub(crate) fn runs_through(&self, spot: Spot) -> usize {
        let mut before = Tally::ZERO;
        let mut link = self.leaves[spot.leaf].link;
        for level in 1..=self.height {
            let Some((node, index)) = link.up() else { break };
            crate::tree::at_level!(self, level, nodes => {
                before = before.plus(nodes[node].before(index));
                link = nodes[node].link;
            });
        }
        (before.runs + self.runs_in(spot.leaf, 0..spot.pos + 1)) as usize
    }
}
