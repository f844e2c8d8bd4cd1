//! The system's allocator, which can be asked what it was used for.
//!
//! What it is not: counting all the time; until it is told to, each call costs one look at a flag
//! more, the same for every structure. Invariant: it hands every request on unchanged.
#![expect(unsafe_code, reason = "an allocator is unsafe by nature; this one only counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static COUNTING: AtomicBool = AtomicBool::new(false);
static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);
static LARGEST_REPLACED_BYTES: AtomicUsize = AtomicUsize::new(0);

/// See the module's head.
pub(crate) struct Counting;

/// Counts from now on, from zero; the process has one thread.
pub(crate) fn start_counting() {
    LIVE_BYTES.store(0, Ordering::Relaxed);
    LARGEST_REPLACED_BYTES.store(0, Ordering::Relaxed);
    COUNTING.store(true, Ordering::Relaxed);
}

/// What was seen since counting began.
pub(crate) struct Counted {
    /// Bytes that were allocated and not freed.
    pub(crate) live_bytes: usize,
    /// The largest block that was freed or reallocated: when a structure grows, an upper bound of
    /// what it copies at once.
    pub(crate) largest_replaced_bytes: usize,
}

/// Stops counting.
pub(crate) fn stop_counting() -> Counted {
    COUNTING.store(false, Ordering::Relaxed);
    Counted {
        live_bytes: LIVE_BYTES.load(Ordering::Relaxed),
        largest_replaced_bytes: LARGEST_REPLACED_BYTES.load(Ordering::Relaxed),
    }
}

fn gained(bytes: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        LIVE_BYTES.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn replaced(bytes: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        LIVE_BYTES.fetch_sub(bytes, Ordering::Relaxed);
        LARGEST_REPLACED_BYTES.fetch_max(bytes, Ordering::Relaxed);
    }
}

// SAFETY: every method hands its arguments to the system's allocator, whose contract is the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        gained(layout.size());
        // SAFETY: the caller's obligations are those of the callee.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        gained(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        replaced(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        replaced(layout.size());
        gained(new_size);
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(block, layout, new_size) }
    }
}
