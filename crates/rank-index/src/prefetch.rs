//! Cache lines asked for ahead of their use.
//!
//! What it is not: an access; nothing is read, so nothing is decided here. Invariant: none; a
//! program without these calls computes the same. Cost: one instruction per line, and a place in
//! the queue of pending misses: ask for what will be needed, and for no more.

// The bench `core`, "16 ranks in one call" and "set a new random score", is what it pays for.
#![allow(unsafe_code)]

const LINE_BYTES: usize = 64;

/// Asks for the line in which `value` begins.
#[inline]
pub(crate) fn prefetch<T>(value: &T) {
    prefetch_at(std::ptr::from_ref(value).cast());
}

/// Asks for all lines of `value`.
#[inline]
pub(crate) fn prefetch_all<T>(value: &T) {
    let start: *const u8 = std::ptr::from_ref(value).cast();
    for line in 0..size_of::<T>().div_ceil(LINE_BYTES) {
        prefetch_at(start.wrapping_add(line * LINE_BYTES));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn prefetch_at(address: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: SSE is part of every x86-64 processor, and a prefetch of any address has no effect
    // but on the cache: it does not fault.
    unsafe { _mm_prefetch(address.cast(), _MM_HINT_T0) };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn prefetch_at(_address: *const u8) {}
