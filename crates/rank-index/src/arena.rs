//! Nodes by number: segments that do not move, and a free list.
//!
//! What it is not: an allocator for several types, or one that gives memory back before it is
//! dropped. Invariant: a number is either in use or in the free list, and its node stays where it
//! is once its segment is full-sized. Cost: constant per operation; a segment's memory is reserved
//! at once but written (and so made resident) one page at a time.

use std::ops::{Index, IndexMut};

use crate::segment::Segment;

/// Number of a node in its arena.
pub(crate) type NodeId = u32;

/// The number of no node.
pub(crate) const NONE: NodeId = NodeId::MAX;

/// Where nodes of all arenas are: the first segment is small, so that a small index is.
const NODES: Split = Split::new(10, 13);
/// The first segment grows by doubling up to this many nodes, then to its full size.
const GROWTH_NODES_MAX: usize = 16;

/// How numbers are split into a segment and a place in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split {
    bits: u32,
    /// What the first segment has less than the others.
    skipped: usize,
}

impl Split {
    /// A first segment of `1 << first_bits` numbers, and all others of `1 << bits`.
    pub(crate) const fn new(first_bits: u32, bits: u32) -> Self {
        Self { bits, skipped: (1 << bits) - (1 << first_bits) }
    }

    /// The segment of a number, and the place in it.
    #[inline]
    pub(crate) const fn at(self, number: usize) -> (usize, usize) {
        let number = number + self.skipped;
        let (segment, place) = (number >> self.bits, number & ((1 << self.bits) - 1));
        (segment, if segment == 0 { place - self.skipped } else { place })
    }

    /// Places in a segment.
    pub(crate) const fn places(self, segment: usize) -> usize {
        let all = 1 << self.bits;
        if segment == 0 { all - self.skipped } else { all }
    }
}

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
        let (number, place) = NODES.at(self.slots);
        if number == self.segments.len() {
            self.segments.push(Segment::new());
        }
        let segment = &mut self.segments[number];
        if place == segment.capacity() {
            let step = (2 * place).max(1);
            let whole = number > 0 || step > GROWTH_NODES_MAX;
            segment.grow(if whole { NODES.places(number) } else { step });
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
        let (segment, place) = NODES.at(id as usize);
        &self.segments[segment][place]
    }
}

impl<T: Copy> IndexMut<NodeId> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, id: NodeId) -> &mut T {
        let (segment, place) = NODES.at(id as usize);
        &mut self.segments[segment][place]
    }
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
        let mut arena = Arena::new();
        for (slots, capacity) in [(1, 1), (2, 2), (3, 4), (16, 16), (17, 1_024), (1_024, 1_024)] {
            while arena.slots() < slots {
                arena.insert([0_u8; 100]);
            }
            assert_eq!(arena.segments[0].capacity(), capacity, "{slots} slots");
        }
        arena.insert([1; 100]);
        assert_eq!(arena.segments[1].capacity(), 8_192);
    }

    #[test]
    fn splits_leave_no_gap() {
        let split = Split::new(2, 4);
        let mut expected = (0, 0);
        for number in 0..100 {
            assert_eq!(split.at(number), expected, "{number}");
            expected.1 += 1;
            if expected.1 == split.places(expected.0) {
                expected = (expected.0 + 1, 0);
            }
        }
    }
}
