//! Nodes by number: segments of equal size, and a free list.
//!
//! What it is not: an allocator for several types, or one that gives memory back before it is
//! dropped. Invariant: a number is either in use or in the free list. Cost: constant per operation;
//! the first segment grows by doubling while that moves less than 128 KiB, and nothing is moved
//! afterwards: a segment's memory is reserved whole and written (and so made resident) page by
//! page.

use std::ops::{Index, IndexMut};

use crate::pieces::Pieces;
use crate::segment::{HUGE_FROM_BYTES, MAP_BYTES_MIN, Segment};

/// Number of a node in its arena.
pub(crate) type NodeId = u32;

/// The number of no node.
pub(crate) const NONE: NodeId = NodeId::MAX;

const SEGMENT_BITS: u32 = 13;
/// Nodes in a full-sized segment: some megabytes.
const SEGMENT_NODES: usize = 1 << SEGMENT_BITS;

/// Nodes of one type, addressed by number.
#[derive(Debug)]
pub(crate) struct Arena<T: Copy> {
    segments: Vec<Segment<T>>,
    slots: usize,
    free: Pieces<NodeId>,
}

impl<T: Copy> Arena<T> {
    pub(crate) const fn new() -> Self {
        Self { segments: Vec::new(), slots: 0, free: Pieces::new() }
    }

    /// Stores `node` and returns its number.
    pub(crate) fn insert(&mut self, node: T) -> NodeId {
        if let Some(id) = self.free.pop() {
            self[id] = node;
            return id;
        }
        let number = self.slots >> SEGMENT_BITS;
        if self.slots == number << SEGMENT_BITS {
            let nodes = if number == 0 { 1 } else { SEGMENT_NODES };
            self.segments.push(Segment::with_capacity(nodes));
        }
        let segment = &mut self.segments[number];
        if segment.len() == segment.capacity() {
            *segment = grown(segment);
        }
        let huge_from = HUGE_FROM_BYTES / size_of::<T>();
        if self.slots == huge_from || number > 0 && segment.is_empty() {
            segment.welcome_huge_pages(segment.len());
        }
        segment.push(node);
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
    pub(crate) fn free(&self) -> impl Iterator<Item = NodeId> {
        self.free.iter().copied()
    }

    /// Takes the last segment out, with what is in use of it and what is free.
    pub(crate) fn pop_segment(&mut self) -> Option<Segment<T>> {
        self.segments.pop()
    }

    /// All nodes, in use or free, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.segments.iter().flat_map(|segment| segment.iter())
    }

    /// Bytes written so far.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.slots * size_of::<T>()
            + self.segments.capacity() * size_of::<Segment<T>>()
            + self.free.memory_bytes()
    }
}

/// The nodes of a full segment with room for more: twice as much, or the full size where doubling
/// would move too much the next time.
fn grown<T: Copy>(segment: &Segment<T>) -> Segment<T> {
    let twice = 2 * segment.capacity();
    let is_small = twice * size_of::<T>() < MAP_BYTES_MIN;
    let nodes = if is_small { twice.min(SEGMENT_NODES) } else { SEGMENT_NODES };
    let mut grown = Segment::with_capacity(nodes);
    segment.iter().for_each(|&node| grown.push(node));
    grown
}

impl<T: Copy> Index<NodeId> for Arena<T> {
    type Output = T;

    #[inline]
    fn index(&self, id: NodeId) -> &T {
        &self.segments[(id >> SEGMENT_BITS) as usize][id as usize % SEGMENT_NODES]
    }
}

impl<T: Copy> IndexMut<NodeId> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, id: NodeId) -> &mut T {
        &mut self.segments[(id >> SEGMENT_BITS) as usize][id as usize % SEGMENT_NODES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_reused_and_nodes_stay() {
        let mut arena = Arena::new();
        let ids: Vec<NodeId> = (0..5_000_u64).map(|value| arena.insert(value)).collect();
        let place = std::ptr::from_ref(&arena[1_500]);
        for (value, &id) in (0..).zip(&ids) {
            assert_eq!(arena[id], value);
        }
        arena.release(ids[7]);
        assert!(arena.free().eq([ids[7]]));
        assert_eq!(arena.insert(99), ids[7]);
        for value in 0..10_000 {
            arena.insert(value);
        }
        assert_eq!(arena.slots(), 15_000);
        assert_eq!(std::ptr::from_ref(&arena[1_500]), place);
        assert_eq!(arena[ids[7]], 99);
    }

    #[test]
    fn a_first_segment_starts_small() {
        let mut arena = Arena::new();
        for (slots, capacity) in [(1, 1), (2, 2), (3, 4), (64, 64), (65, SEGMENT_NODES)] {
            while arena.slots() < slots {
                arena.insert([0_u8; 1_500]);
            }
            assert_eq!(arena.segments[0].capacity(), capacity, "{slots} slots");
        }
        while arena.slots() <= SEGMENT_NODES {
            arena.insert([1; 1_500]);
        }
        assert_eq!(arena.segments[1].capacity(), SEGMENT_NODES);
        assert_eq!((arena[64][0], arena[65][0]), (0, 1));
    }
}
