//! Memory for nodes of one type that stay where they are.
//!
//! What it is not: a vector; it grows only when told to, and holds plain data only. Invariant: the
//! first `len` nodes are initialised. Cost: a large segment begins at a 2 MiB boundary and asks the
//! kernel for pages of that size: the processor then knows where a random node is without a walk
//! through page tables. Such a page is zeroed when it is first written, in about 0.1 ms.

// Alignment beyond a type's own, and advice to the kernel: the bench `core`, "rank" at a million
// members, is what they pay for.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// Size and alignment of a huge page.
const HUGE_BYTES: usize = 2 << 20;

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Segment<T: Copy> {
    start: NonNull<T>,
    len: usize,
    capacity: usize,
}

// SAFETY: a segment owns its nodes, as a vector does.
unsafe impl<T: Copy + Send> Send for Segment<T> {}
// SAFETY: a shared segment gives out shared references to its nodes only.
unsafe impl<T: Copy + Sync> Sync for Segment<T> {}

impl<T: Copy> Segment<T> {
    /// A segment without memory.
    pub(crate) const fn new() -> Self {
        const { assert!(size_of::<T>() > 0, "nodes take room") };
        Self { start: NonNull::dangling(), len: 0, capacity: 0 }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Makes room for `capacity` nodes, moving those that are there.
    pub(crate) fn grow(&mut self, capacity: usize) {
        assert!(capacity > self.capacity, "a segment only grows");
        let layout = layout::<T>(capacity);
        // SAFETY: the layout is not of zero bytes, as `T` is not and `capacity` is not zero.
        let start = NonNull::new(unsafe { alloc(layout) }.cast::<T>())
            .unwrap_or_else(|| handle_alloc_error(layout));
        ask_for_huge_pages(start.cast(), layout);
        // SAFETY: both pieces hold at least `len` nodes and do not overlap, the new one being new.
        unsafe { start.copy_from_nonoverlapping(self.start, self.len) };
        let old = std::mem::replace(self, Self { start, len: self.len, capacity });
        drop(old);
    }

    /// Adds a node. There is room for it.
    pub(crate) fn push(&mut self, node: T) {
        assert!(self.len < self.capacity, "the segment is full");
        // SAFETY: the place is within the allocation, as `len` is below `capacity`.
        unsafe { self.start.add(self.len).write(node) };
        self.len += 1;
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
        if self.capacity > 0 {
            // SAFETY: the memory was allocated with this layout, and nodes need no dropping.
            unsafe { dealloc(self.start.as_ptr().cast(), layout::<T>(self.capacity)) };
        }
    }
}

/// How memory for this many nodes is allocated.
fn layout<T>(capacity: usize) -> Layout {
    let layout = Layout::array::<T>(capacity).expect("named limits keep segments small");
    if layout.size() < HUGE_BYTES {
        return layout;
    }
    let layout = layout.align_to(HUGE_BYTES).expect("named limits keep segments small");
    layout.pad_to_align()
}

/// Tells the kernel that huge pages are welcome. It may not have any: then nothing is lost.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(start: NonNull<u8>, layout: Layout) {
    use rustix::mm::{Advice, madvise};
    if layout.align() == HUGE_BYTES {
        // SAFETY: the range is one allocation in whole pages, and the advice changes no content.
        let advised =
            unsafe { madvise(start.as_ptr().cast(), layout.size(), Advice::LinuxHugepage) };
        // A kernel without them says so; ordinary pages serve as well, only slower.
        let _welcome = advised.is_ok();
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_start: NonNull<u8>, _layout: Layout) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_survive_growth() {
        let mut segment: Segment<[u64; 64]> = Segment::new();
        assert!(segment.is_empty());
        for number in 0..5_000_u64 {
            if segment.len() == segment.capacity() {
                segment.grow((segment.capacity() * 2).max(1));
            }
            segment.push([number; 64]);
        }
        segment[7] = [99; 64];
        for (number, node) in (0..).zip(segment.iter()) {
            assert_eq!(*node, [if number == 7 { 99 } else { number }; 64]);
        }
    }

    #[test]
    fn large_segments_are_aligned_to_their_pages() {
        let mut segment: Segment<u64> = Segment::new();
        segment.grow(HUGE_BYTES / 8 + 1);
        assert!(segment.start.addr().get().is_multiple_of(HUGE_BYTES));
        segment.push(1);
        assert_eq!(&segment[..], [1]);
    }

    #[test]
    #[should_panic(expected = "the segment is full")]
    fn a_full_segment_takes_no_more() {
        Segment::<u64>::new().push(1);
    }
}
