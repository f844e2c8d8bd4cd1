//! Which child of which node: a node's way up, in one word.
//!
//! What it is not: a way down; those are whole node numbers. Invariant: a node at the top has
//! [`Link::NONE`]. Cost: 24 bits of parent and 8 of index; the tree's limits keep within them.

use crate::arena::{NONE, NodeId};
use crate::leaf::narrow;

const INDEX_BITS: u32 = 8;
/// Numbers that parents can have; the highest one means that there is none.
pub(crate) const PARENTS_MAX: usize = (1 << (NodeId::BITS - INDEX_BITS)) - 1;

/// See the module's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link(u32);

impl Link {
    /// The link of a node without a parent.
    pub(crate) const NONE: Self = Self(NONE);

    /// Child `index` of `parent`.
    pub(crate) fn new(parent: NodeId, index: usize) -> Self {
        debug_assert!((parent as usize) < PARENTS_MAX);
        Self(parent << INDEX_BITS | u32::from(narrow(index)))
    }

    /// The parent and which child of it this is.
    pub(crate) fn up(self) -> Option<(NodeId, usize)> {
        (self != Self::NONE).then_some((self.0 >> INDEX_BITS, (self.0 & 0xFF) as usize))
    }
}
