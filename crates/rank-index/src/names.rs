//! Bytes of the members that are too long to live in a leaf.
//!
//! What it is not: a map; whoever holds a [`Handle`] owns the bytes behind it. Invariant: the bytes
//! of a handle do not change until it is freed. Cost: constant per operation plus the copy; at most
//! 25 % of a slot is unused, and a size's memory is given back when none of it is in use.

use crate::arena::NodeId;
use crate::pieces::Pieces;
use crate::prefetch::prefetch;

/// Slot sizes in bytes, each with a length in front; steps of at most 25 %.
const SLOT_BYTES: [usize; 20] =
    [20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512];
/// The class of names that are allocated one by one.
const LARGE: u8 = 20;
const _: () = assert!(SLOT_BYTES.len() == LARGE as usize);

const SEGMENT_BITS: u32 = 10;
const SEGMENT_SLOTS: usize = 1 << SEGMENT_BITS;
/// The first segment of a size grows by doubling up to this many slots, then to its full size.
const GROWTH_SLOTS_MAX: usize = 16;

/// Where a name's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    pub(crate) class: u8,
    pub(crate) index: NodeId,
}

/// Slots of one size.
#[derive(Debug, Default)]
struct Slab {
    segments: Vec<Vec<u8>>,
    free: Pieces<NodeId>,
    used: usize,
}

/// All long names of one index.
#[derive(Debug, Default)]
pub struct Names {
    slabs: Vec<Slab>,
    large: Pieces<Box<[u8]>>,
    large_free: Pieces<NodeId>,
}

impl Names {
    pub(crate) const fn new() -> Self {
        Self { slabs: Vec::new(), large: Pieces::new(), large_free: Pieces::new() }
    }

    /// Stores a copy of `bytes`, at most `MEMBER_BYTES_MAX` of them.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> Handle {
        let class = SLOT_BYTES.partition_point(|&size| size < bytes.len() + length_bytes(size));
        let Some(&slot_bytes) = SLOT_BYTES.get(class) else { return self.store_large(bytes) };
        if self.slabs.len() <= class {
            self.slabs.reserve_exact(class + 1 - self.slabs.len());
            self.slabs.resize_with(class + 1, Slab::default);
        }
        let index = self.slabs[class].store(bytes, slot_bytes);
        Handle { class: u8::try_from(class).expect("there are 20 classes"), index }
    }

    fn store_large(&mut self, bytes: &[u8]) -> Handle {
        let index = match self.large_free.pop() {
            Some(index) => {
                self.large[index as usize] = bytes.into();
                index
            }
            None => {
                self.large.push(bytes.into());
                number(self.large.len() - 1)
            }
        };
        Handle { class: LARGE, index }
    }

    /// The bytes behind `handle`.
    pub(crate) fn get(&self, handle: Handle) -> &[u8] {
        let class = usize::from(handle.class);
        match SLOT_BYTES.get(class) {
            Some(&slot_bytes) => self.slabs[class].get(handle.index, slot_bytes),
            None => &self.large[handle.index as usize],
        }
    }

    /// Asks for the line in which the bytes behind `handle` begin.
    #[inline]
    pub(crate) fn prefetch(&self, handle: Handle) {
        let class = usize::from(handle.class);
        if let Some(&slot_bytes) = SLOT_BYTES.get(class) {
            prefetch(&self.slabs[class].slot(handle.index, slot_bytes)[0]);
        }
    }

    /// Whether no name is there that [`prefetch`](Self::prefetch) would ask for.
    pub(crate) fn has_no_slots(&self) -> bool {
        self.slabs.is_empty()
    }

    /// Gives the bytes behind `handle` back. It must not be used afterwards.
    pub(crate) fn free(&mut self, handle: Handle) {
        if handle.class == LARGE {
            self.large[handle.index as usize] = Box::default();
            self.large_free.push(handle.index);
            if self.large_free.len() == self.large.len() {
                self.large = Pieces::new();
                self.large_free = Pieces::new();
            }
        } else {
            let slab = &mut self.slabs[usize::from(handle.class)];
            slab.free.push(handle.index);
            if slab.free.len() == slab.used {
                *slab = Slab::default();
            }
        }
    }

    /// Names stored and not freed.
    pub(crate) fn len(&self) -> usize {
        let small: usize = self.slabs.iter().map(|slab| slab.used - slab.free.len()).sum();
        small + self.large.len() - self.large_free.len()
    }

    /// Every free handle, for the invariants.
    pub(crate) fn free_handles(&self) -> impl Iterator<Item = Handle> {
        let slabs = self.slabs.iter().map(|slab| &slab.free).zip(0_u8..);
        let large = std::iter::once((&self.large_free, LARGE));
        slabs
            .chain(large)
            .flat_map(|(free, class)| free.iter().map(move |&index| Handle { class, index }))
    }

    /// Heap bytes in use, the allocator's own overhead left out.
    pub(crate) fn memory_bytes(&self) -> usize {
        let slabs: usize = self.slabs.iter().map(Slab::memory_bytes).sum();
        let large: usize = self.large.iter().map(|name| name.len()).sum();
        let lists = self.large.memory_bytes()
            + self.large_free.memory_bytes()
            + self.slabs.capacity() * size_of::<Slab>();
        slabs + large + lists
    }
}

impl Slab {
    fn store(&mut self, bytes: &[u8], slot_bytes: usize) -> NodeId {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.grow(slot_bytes),
        };
        let length = u16::try_from(bytes.len()).expect("a slot holds at most 510 bytes");
        let slot =
            &mut self.segments[(index >> SEGMENT_BITS) as usize][offset(index, slot_bytes)..];
        let (head, name) = slot.split_at_mut(length_bytes(slot_bytes));
        head.copy_from_slice(&length.to_le_bytes()[..head.len()]);
        name[..bytes.len()].copy_from_slice(bytes);
        index
    }

    fn grow(&mut self, slot_bytes: usize) -> NodeId {
        let number = number(self.used);
        let segment_index = (number >> SEGMENT_BITS) as usize;
        if segment_index == self.segments.len() {
            self.segments.push(Vec::new());
        }
        let segment = &mut self.segments[segment_index];
        reserve_slot(segment, slot_bytes, segment_index > 0);
        segment.resize(segment.len() + slot_bytes, 0);
        self.used += 1;
        number
    }

    /// The bytes from the slot's first on, those of later slots behind it.
    fn slot(&self, index: NodeId, slot_bytes: usize) -> &[u8] {
        &self.segments[(index >> SEGMENT_BITS) as usize][offset(index, slot_bytes)..]
    }

    fn get(&self, index: NodeId, slot_bytes: usize) -> &[u8] {
        let (head, name) = self.slot(index, slot_bytes).split_at(length_bytes(slot_bytes));
        let high = head.get(1).copied().unwrap_or(0);
        &name[..usize::from(u16::from_le_bytes([head[0], high]))]
    }

    fn memory_bytes(&self) -> usize {
        let slots: usize = self.segments.iter().map(Vec::len).sum();
        slots + self.segments.capacity() * size_of::<Vec<u8>>() + self.free.memory_bytes()
    }
}

/// Makes room for one more slot: a first segment doubles while it is small, later ones (and a first
/// one that has outgrown the doubling) get the full size at once and never move again.
fn reserve_slot(segment: &mut Vec<u8>, slot_bytes: usize, full_size: bool) {
    if segment.capacity() - segment.len() >= slot_bytes {
        return;
    }
    let grown = segment.len() * 2;
    let whole = full_size || grown > GROWTH_SLOTS_MAX * slot_bytes;
    let target = if whole { SEGMENT_SLOTS * slot_bytes } else { grown.max(slot_bytes) };
    segment.reserve_exact(target - segment.len());
}

/// Bytes of the length in front of a name, in a slot of this size.
fn length_bytes(slot_bytes: usize) -> usize {
    if slot_bytes > 256 { 2 } else { 1 }
}

fn offset(index: NodeId, slot_bytes: usize) -> usize {
    index as usize % SEGMENT_SLOTS * slot_bytes
}

fn number(count: usize) -> NodeId {
    NodeId::try_from(count).expect("MEMBERS_MAX is below the range of a node number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(length: usize) -> Vec<u8> {
        (0..length).map(|i| u8::try_from((i * 7 + length) % 251).unwrap()).collect()
    }

    #[test]
    fn every_length_comes_back() {
        let mut names = Names::new();
        let lengths = (16..=600).chain([4_096, 65_535]);
        let stored: Vec<_> = lengths.map(|length| (length, names.store(&name(length)))).collect();
        for &(length, handle) in &stored {
            assert_eq!(names.get(handle), name(length));
        }
        assert_eq!(names.len(), stored.len());
        for &(_, handle) in &stored {
            names.free(handle);
        }
        assert_eq!(names.len(), 0);
        assert!(names.memory_bytes() < 2_048, "all segments were given back");
    }

    #[test]
    fn a_freed_slot_is_used_again() {
        let mut names = Names::new();
        let first = names.store(&name(30));
        let second = names.store(&name(31));
        names.free(first);
        assert_eq!(names.store(&name(29)), first);
        assert_eq!(names.get(second), name(31));
        for _ in 0..5_000 {
            names.store(&name(28));
        }
        assert_eq!(names.get(first), name(29));
        assert_eq!(names.len(), 5_002);
    }
}
