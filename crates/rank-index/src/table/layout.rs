//! Which chunk a hash belongs to, also while the table grows.
//!
//! What it is not: the chunks. Invariant: a hash's home is monotone in the hash; while the table
//! grows, the hashes up to `old_last` have their home among the `old` chunks, all others among the
//! `new`, and `old_last` is the last hash whose old home lies below `frontier`. Otherwise `old` is
//! `new` and `frontier` is zero. Cost: a home is one comparison and one multiplication.

use std::ops::RangeInclusive;

use super::chunk::LANES;

/// Per cent of the lanes that are in use when the table begins to grow.
const LOAD_GROW_PERCENT: u64 = 82;
/// Old home chunks whose entries an insert moves while the table grows. The fewer, the fuller the
/// old chunks become meanwhile, and the longer a search past full ones.
pub(super) const CHUNKS_MOVED: u64 = 2;
/// Per cent of the lanes that are in use in a table that was made for a number of places.
const LOAD_MADE_PERCENT: u64 = 80;
const LANES_U64: u64 = LANES as u64;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Layout {
    old: u64,
    new: u64,
    old_last: u64,
    frontier: u64,
}

impl Layout {
    /// The layout of this many chunks, of which there is at least one.
    pub(super) const fn of(chunks: u64) -> Self {
        Self { old: chunks, new: chunks, old_last: 0, frontier: 0 }
    }

    /// A layout in which `places` do not fill the table.
    pub(super) fn with_room(places: u64) -> Self {
        Self::of((places * 100).div_ceil(LANES_U64 * LOAD_MADE_PERCENT).max(1))
    }

    /// The chunk at which a search for the hash begins.
    #[inline]
    pub(super) fn home(&self, hash: u64) -> usize {
        let chunks = if hash <= self.old_last { self.old } else { self.new };
        share(hash, chunks)
    }

    /// Chunks that are, or will be, a home.
    pub(super) fn homes(&self) -> usize {
        index(self.new)
    }

    pub(super) fn is_growing(&self) -> bool {
        self.frontier > 0
    }

    /// Whether a table of `places` has to begin to grow.
    pub(super) fn is_full(&self, places: u64) -> bool {
        !self.is_growing() && places * 100 >= self.new * LANES_U64 * LOAD_GROW_PERCENT
    }

    /// Begins to grow, by a quarter. All hashes keep their home for now.
    pub(super) fn grow(&mut self) {
        debug_assert!(!self.is_growing());
        self.new = self.old + self.old.div_ceil(4);
        self.old_last = u64::MAX;
        self.frontier = self.old;
    }

    /// Gives the hashes of the last old home their new homes, while the table grows. Returns that
    /// chunk and its hashes, whose entries the caller has to move.
    pub(super) fn advance(&mut self) -> (usize, RangeInclusive<u64>) {
        debug_assert!(self.is_growing());
        let last = self.old_last;
        let home = self.frontier - 1;
        let first = match last_below(home, self.old) {
            Some(below) => {
                (self.frontier, self.old_last) = (home, below);
                below + 1
            }
            None => {
                *self = Self::of(self.new);
                0
            }
        };
        (index(home), first..=last)
    }

    /// What is wrong with the layout of a table of `places`. Inserts move chunks as they come, so
    /// that the table has grown before its old chunks are full.
    pub(super) fn check(&self, places: u64) -> Result<(), String> {
        let moved = if self.is_growing() { self.old - self.frontier } else { 0 };
        let inserts = moved.div_ceil(CHUNKS_MOVED);
        let places_max = self.old * LANES_U64 * LOAD_GROW_PERCENT / 100 + 1 + inserts;
        if places > places_max {
            return Err(format!("{places} places, at most {places_max} in {self:?}"));
        }
        let settled = self.old == self.new && self.old_last == 0;
        let expected = last_below(self.frontier, self.old);
        let cut = self.old < self.new && expected.unwrap_or(u64::MAX) == self.old_last;
        let whole = if self.is_growing() { cut } else { settled };
        if whole { Ok(()) } else { Err(format!("broken: {self:?}")) }
    }
}

/// The chunk of `chunks` in which `hash` falls when they share all hashes evenly, in order.
#[inline]
fn share(hash: u64, chunks: u64) -> usize {
    let product = u128::from(hash) * u128::from(chunks);
    index((product >> 64) as u64)
}

/// The number of a chunk, which is in memory.
#[inline]
fn index(chunk: u64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "chunks are in memory, so usize counts them"
    )]
    {
        chunk as usize
    }
}

/// The last hash whose share lies before chunk `frontier` of `chunks`, or none before the first.
/// Everything lies before the end.
fn last_below(frontier: u64, chunks: u64) -> Option<u64> {
    let first = (u128::from(frontier) << 64).div_ceil(u128::from(chunks));
    first.checked_sub(1).map(|last| u64::try_from(last).expect("a frontier is within the chunks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_change_home_at_the_frontier() {
        for chunks in (1..70).chain([4_097, 1_000_003, 111_848_107]) {
            let mut layout = Layout::of(chunks);
            layout.grow();
            let homes = layout.new;
            assert!(chunks * 5 <= homes * 4, "{homes} homes after {chunks}");
            assert_eq!(layout.home(u64::MAX), index(chunks - 1));
            for frontier in (0..chunks).rev().take(100) {
                let (home, hashes) = layout.advance();
                assert_eq!(home, index(frontier));
                for hash in [*hashes.start(), *hashes.end()] {
                    assert_eq!(share(hash, chunks), home);
                    assert_eq!(layout.home(hash), share(hash, homes));
                }
                assert!(hashes.start().checked_sub(1).is_none_or(|at| share(at, chunks) < home));
                assert!(hashes.end().checked_add(1).is_none_or(|at| share(at, chunks) > home));
                assert_eq!(layout.is_growing(), frontier > 0);
                if !layout.is_growing() {
                    continue;
                }
                let last = layout.old_last;
                assert_eq!(layout.home(last), index(frontier - 1));
                assert_eq!(share(last + 1, chunks), index(frontier));
                assert_eq!(layout.home(last + 1), share(last + 1, homes));
                layout.check(0).unwrap();
            }
        }
    }

    #[test]
    fn shares_are_even_and_in_order() {
        let step = u64::MAX / 1_000;
        let shares: Vec<usize> = (0..=1_000).map(|part| share(part * step, 100)).collect();
        assert!(shares.is_sorted());
        assert!((0..100).all(|chunk| shares.iter().filter(|&&at| at == chunk).count() >= 10));
        assert_eq!((shares[0], share(u64::MAX, 100)), (0, 99));
    }
}
