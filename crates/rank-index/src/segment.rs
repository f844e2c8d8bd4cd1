//! Memory for many nodes of one type.
//!
//! What it is not: a vector; it grows when told to, and holds plain data only. Invariant: the first
//! `len` nodes are initialised. Cost: a large segment is memory of its own that the kernel hands
//! out page by page as it is written. The largest begin at a 2 MiB boundary and can ask for pages
//! of that size: the processor then knows where a random node is without a walk through page
//! tables. Such a page is zeroed when it is first written, in about 0.1 ms.

// Memory beyond what a vector can be asked for: the bench `core`, "rank" at a million members, is
// what it pays for.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use memmap2::MmapMut;

/// Size and alignment of a huge page.
const HUGE_BYTES: usize = 2 << 20;
/// Memory in use from which on huge pages are worth what they take.
pub(crate) const HUGE_FROM_BYTES: usize = 2 * HUGE_BYTES;
/// Segments of at least this size are maps of their own.
pub(crate) const MAP_BYTES_MIN: usize = 128 << 10;

/// Plain data of which all zeros is a value.
///
/// # Safety
/// All zeros must be a value of the type, and it must not be of zero size.
pub(crate) unsafe trait Zeros: Copy {}

/// What a segment's nodes lie in.
#[derive(Debug)]
enum Memory {
    Heap(Layout),
    /// A map, and where the nodes begin in it.
    Map(MmapMut, usize),
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Segment<T: Copy> {
    start: NonNull<T>,
    len: usize,
    capacity: usize,
    memory: Memory,
}

// SAFETY: a segment owns its nodes, as a vector does.
unsafe impl<T: Copy + Send> Send for Segment<T> {}
// SAFETY: a shared segment gives out shared references to its nodes only.
unsafe impl<T: Copy + Sync> Sync for Segment<T> {}

impl<T: Copy> Segment<T> {
    /// A segment with room for `capacity` nodes, at least one.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        const { assert!(size_of::<T>() > 0, "nodes take room") };
        assert!(capacity > 0, "a segment has room");
        let layout = Layout::array::<T>(capacity).expect("named limits keep segments small");
        if layout.size() >= MAP_BYTES_MIN
            && let Some((start, memory)) = map(layout)
        {
            return Self { start: start.cast(), len: 0, capacity, memory };
        }
        // SAFETY: the layout is not of zero bytes, as neither `T` nor `capacity` is zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })
            .unwrap_or_else(|| handle_alloc_error(layout));
        Self { start: start.cast(), len: 0, capacity, memory: Memory::Heap(layout) }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Tells the kernel that huge pages are welcome from node number `first` on. It may have none;
    /// ordinary ones serve as well, only slower. Small indexes do not ask: a page is 2 MiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn welcome_huge_pages(&self, first: usize) {
        let Memory::Map(map, skipped) = &self.memory else { return };
        let from = (first * size_of::<T>()).next_multiple_of(HUGE_BYTES);
        let bytes = self.capacity * size_of::<T>();
        if from + HUGE_BYTES <= bytes {
            let advice = memmap2::Advice::HugePage;
            let _welcome = map.advise_range(advice, skipped + from, bytes - from).is_ok();
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn welcome_huge_pages(&self, _first: usize) {}

    /// Adds a node. There is room for it.
    pub(crate) fn push(&mut self, node: T) {
        assert!(self.len < self.capacity, "the segment is full");
        // SAFETY: the place is within the memory, as `len` is below `capacity`.
        unsafe { self.start.add(self.len).write(node) };
        self.len += 1;
    }
}

impl<T: Zeros> Segment<T> {
    /// A segment of `capacity` nodes, at least one, all of zeros.
    pub(crate) fn zeros(capacity: usize) -> Self {
        // The memory is zeros from the beginning, and those are nodes.
        let mut segment = Self::with_capacity(capacity);
        segment.len = capacity;
        segment
    }
}

impl<T: Copy> Deref for Segment<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` nodes are initialised, and nobody writes them while `self` is
        // shared.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Copy> DerefMut for Segment<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Copy> Drop for Segment<T> {
    fn drop(&mut self) {
        if let Memory::Heap(layout) = self.memory {
            // SAFETY: the memory was allocated with this layout, and nodes need no dropping.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) };
        }
    }
}

/// Zeros from the kernel, aligned to huge pages if they can fill one.
fn map(layout: Layout) -> Option<(NonNull<u8>, Memory)> {
    let align = if layout.size() >= HUGE_BYTES { HUGE_BYTES } else { layout.align() };
    let mut map = MmapMut::map_anon(layout.size() + align).ok()?;
    let skipped = map.as_ptr().align_offset(align);
    let start = NonNull::from(map[skipped..skipped + layout.size()].as_mut()).cast();
    Some((start, Memory::Map(map, skipped)))
}

#[cfg(test)]
mod tests {
    use super::*;

    // SAFETY: zeros are numbers.
    unsafe impl Zeros for u64 {}

    #[test]
    fn segments_of_every_size_are_zeros_and_hold_what_is_written() {
        for capacity in [1, 3, 1_000, 16_383, 16_384, 100_000, 262_144, 1_000_000] {
            let mut segment: Segment<u64> = Segment::zeros(capacity);
            assert!(segment.iter().all(|&number| number == 0));
            for (place, number) in (1..).zip(segment.iter_mut()) {
                *number = place;
            }
            assert_eq!(segment.len(), capacity);
            assert!(segment.iter().zip(1..).all(|(&number, place)| number == place));
            if capacity * 8 >= HUGE_BYTES {
                assert!(segment.start.addr().get().is_multiple_of(HUGE_BYTES), "{capacity}");
            }
        }
    }

    #[test]
    fn a_segment_has_what_was_pushed() {
        let mut segment: Segment<[u64; 64]> = Segment::with_capacity(5_000);
        assert!(segment.is_empty());
        for number in 0..5_000 {
            segment.push([number; 64]);
        }
        segment[7] = [99; 64];
        for (number, node) in (0..).zip(segment.iter()) {
            assert_eq!(*node, [if number == 7 { 99 } else { number }; 64]);
        }
    }

    #[test]
    #[should_panic(expected = "the segment is full")]
    fn a_full_segment_takes_no_more() {
        let mut segment: Segment<u64> = Segment::with_capacity(1);
        segment.push(1);
        segment.push(2);
    }
}
