//! Nodes by number: segments that do not move, and a free list.
//!
//! What it is not: an allocator for several types, or one that gives memory back before it is
//! dropped. Invariant: a number is either in use or in the free list, and its node stays where it
//! is. Cost: constant per operation; a segment's memory is reserved at once but written (and so
//! made resident) one page at a time.

use std::ops::{Index, IndexMut};

use crate::segment::{Segment, split};

/// Number of a node in its arena.
pub(crate) type NodeId = u32;

/// The number of no node.
pub(crate) const NONE: NodeId = NodeId::MAX;

/// Nodes of one type, addressed by number.
#[derive(Debug)]
pub(crate) struct Arena<T: Copy> {
    segments: Vec<Segment<T>>,
    slots: usize,
    free: Vec<NodeId>,
}

impl<T: Copy> Arena<T> {
    pub(crate) const fn new() -> Self {
        Self { segments: Vec::new(), slots: 0, free: Vec::new() }
    }

    /// Stores `node` and returns its number.
    pub(crate) fn insert(&mut self, node: T) -> NodeId {
        if let Some(id) = self.free.pop() {
            self[id] = node;
            return id;
        }
        let (segment, _) = split(self.slots);
        if segment == self.segments.len() {
            self.segments.push(Segment::with_capacity(1 << segment));
        }
        self.segments[segment].push(node);
        self.slots += 1;
        NodeId::try_from(self.slots - 1).expect("MEMBERS_MAX keeps node numbers within 26 bits")
    }

    /// Takes `id` out of use. The caller holds no other reference to that number.
    pub(crate) fn release(&mut self, id: NodeId) {
        debug_assert!((id as usize) < self.slots());
        self.free.push(id);
    }

    /// Numbers handed out so far, in use or free.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// The numbers that are free, in no order.
    pub(crate) fn free(&self) -> &[NodeId] {
        &self.free
    }

    /// Bytes written so far.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.slots * size_of::<T>()
            + self.segments.capacity() * size_of::<Segment<T>>()
            + self.free.capacity() * size_of::<NodeId>()
    }
}

impl<T: Copy> Index<NodeId> for Arena<T> {
    type Output = T;

    #[inline]
    fn index(&self, id: NodeId) -> &T {
        let (segment, place) = split(id as usize);
        &self.segments[segment][place]
    }
}

impl<T: Copy> IndexMut<NodeId> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, id: NodeId) -> &mut T {
        let (segment, place) = split(id as usize);
        &mut self.segments[segment][place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_reused_and_nodes_stay() {
        let mut arena = Arena::new();
        let ids: Vec<NodeId> = (0..3_000_u64).map(|value| arena.insert(value)).collect();
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
}
