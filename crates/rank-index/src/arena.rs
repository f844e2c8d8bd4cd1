//! Nodes by number: segments that do not move, and a free list.
//!
//! What it is not: an allocator for several types, or one that gives memory back before it is
//! dropped. Invariant: a number is either in use or in the free list, and its node stays where it
//! is once its segment is full-sized. Cost: constant per operation; a segment's memory is reserved
//! at once but written (and so made resident) one node at a time.

use std::ops::{Index, IndexMut};

/// Number of a node in its arena.
pub(crate) type NodeId = u32;

/// The number of no node.
pub(crate) const NONE: NodeId = NodeId::MAX;

const SEGMENT_BITS: u32 = 10;
/// Nodes in a full-sized segment.
const SEGMENT_NODES: usize = 1 << SEGMENT_BITS;
/// The first segment grows by doubling up to this many nodes, so that a small index stays small.
const GROWTH_NODES_MAX: usize = 16;

/// Nodes of one type, addressed by number.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    segments: Vec<Vec<T>>,
    free: Vec<NodeId>,
}

impl<T> Arena<T> {
    pub(crate) const fn new() -> Self {
        Self { segments: Vec::new(), free: Vec::new() }
    }

    /// Stores `node` and returns its number.
    pub(crate) fn insert(&mut self, node: T) -> NodeId {
        if let Some(id) = self.free.pop() {
            self[id] = node;
            return id;
        }
        if self.segments.last().is_none_or(|segment| segment.len() == SEGMENT_NODES) {
            self.segments.push(Vec::new());
        }
        let full = self.segments.len() - 1;
        let Some(segment) = self.segments.last_mut() else { unreachable!("pushed above") };
        reserve_step(segment, 1, full > 0);
        segment.push(node);
        let id = full * SEGMENT_NODES + segment.len() - 1;
        NodeId::try_from(id).expect("MEMBERS_MAX keeps node numbers within 26 bits")
    }

    /// Takes `id` out of use. The caller holds no other reference to that number.
    pub(crate) fn release(&mut self, id: NodeId) {
        debug_assert!((id as usize) < self.slots());
        self.free.push(id);
    }

    /// Numbers handed out so far, in use or free.
    pub(crate) fn slots(&self) -> usize {
        self.segments
            .last()
            .map_or(0, |last| (self.segments.len() - 1) * SEGMENT_NODES + last.len())
    }

    /// The numbers that are free, in no order.
    pub(crate) fn free(&self) -> &[NodeId] {
        &self.free
    }

    /// Bytes written so far.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.slots() * size_of::<T>()
            + self.segments.capacity() * size_of::<Vec<T>>()
            + self.free.capacity() * size_of::<NodeId>()
    }
}

impl<T> Index<NodeId> for Arena<T> {
    type Output = T;

    fn index(&self, id: NodeId) -> &T {
        &self.segments[(id >> SEGMENT_BITS) as usize][id as usize % SEGMENT_NODES]
    }
}

impl<T> IndexMut<NodeId> for Arena<T> {
    fn index_mut(&mut self, id: NodeId) -> &mut T {
        &mut self.segments[(id >> SEGMENT_BITS) as usize][id as usize % SEGMENT_NODES]
    }
}

/// Makes room for `unit` more elements: a first segment doubles while it is small, later ones (and
/// a first one that has outgrown the doubling) get the full size at once and never move again.
pub(crate) fn reserve_step<T>(segment: &mut Vec<T>, unit: usize, full_size: bool) {
    if segment.capacity() - segment.len() >= unit {
        return;
    }
    let grown = segment.len() * 2;
    let target =
        if full_size || grown > GROWTH_NODES_MAX * unit { SEGMENT_NODES * unit } else { grown };
    segment.reserve_exact(target.max(unit) - segment.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_reused_and_nodes_stay() {
        let mut arena = Arena::new();
        let ids: Vec<NodeId> = (0..3_000_u32).map(|value| arena.insert(value)).collect();
        let place = std::ptr::from_ref(&arena[1_500]);
        for (value, &id) in (0..).zip(&ids) {
            assert_eq!(arena[id], value);
        }
        arena.release(ids[7]);
        assert_eq!(arena.free(), [ids[7]]);
        assert_eq!(arena.insert(99), ids[7]);
        for value in 0..10_000 {
            arena.insert(value);
        }
        assert_eq!(arena.slots(), 13_000);
        assert_eq!(std::ptr::from_ref(&arena[1_500]), place);
        assert_eq!(arena[ids[7]], 99);
    }

    #[test]
    fn a_first_segment_starts_small() {
        let mut segment: Vec<u64> = Vec::new();
        reserve_step(&mut segment, 1, false);
        assert_eq!(segment.capacity(), 1);
        segment.resize(GROWTH_NODES_MAX, 0);
        reserve_step(&mut segment, 1, false);
        assert_eq!(segment.capacity(), SEGMENT_NODES);
    }
}
