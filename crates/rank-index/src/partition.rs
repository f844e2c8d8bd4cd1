//! A binary search within a node.
//!
//! What it is not: a search that ends early, or one of a slice; a node knows how its places are
//! read. Invariant: the answer is that of `slice::partition_point`. Cost: as many steps as the
//! node's capacity asks for, however full it is, and no branch that depends on what is found. A
//! wrongly predicted branch costs as much as two of these steps, and half of them would be.

use std::hint::select_unpredictable;

/// How many of the places `0..len` satisfy `before`, which must hold for a prefix of them. `len` is
/// at most `N`; `before` is asked of places below `len`, or of place 0.
#[inline(always)]
pub(crate) fn partition<const N: usize>(
    len: usize,
    mut before: impl FnMut(usize) -> bool,
) -> usize {
    debug_assert!(len <= N);
    // Of the `left` places from `low` on, the first one satisfies `before`, or none does.
    let (mut low, mut left) = (0, len);
    for _ in 0..N.next_power_of_two().ilog2() {
        let half = left / 2;
        low = select_unpredictable(before(low + half), low + half, low);
        left -= half;
    }
    low + usize::from((len > 0) & before(low))
}

#[cfg(test)]
mod tests {
    use super::partition;

    fn check<const N: usize>() {
        for len in 0..=N {
            for expected in 0..=len {
                let found = partition::<N>(len, |place| {
                    assert!(place < len.max(1), "{place} of {len}");
                    place < expected
                });
                assert_eq!(found, expected, "of {len}");
            }
        }
    }

    #[test]
    fn finds_every_boundary_in_every_length() {
        check::<1>();
        check::<3>();
        check::<4>();
        check::<29>();
        check::<58>();
        check::<63>();
        check::<64>();
    }
}
