//! One cache line of the member table: twelve places, a tag for each, and how many went past.
//!
//! What it is not: aware of hashes beyond their tags, or of its neighbours. Invariant: a lane is
//! free exactly when its tag is zero, which is no entry's tag. Cost: all tags are compared at once.

// One statement about this module's own type, which lets large tables begin as the kernel's zeros.
#![allow(unsafe_code)]

use crate::bytes::mask_of;
use crate::leaf::Place;
use crate::segment::Zeros;

/// Places in a chunk.
pub(super) const LANES: usize = 12;

const HEAD_BYTES: usize = LANES + size_of::<u32>();

/// What a chunk keeps of a hash: its lowest byte, but never zero. The home chunk is chosen by the
/// highest bits, so that the two are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u8);

impl Tag {
    const FREE: Self = Self(0);

    pub(super) fn of(hash: u64) -> Self {
        Self(hash.to_le_bytes()[0].max(1))
    }
}

/// See the module's head.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Chunk {
    /// The tags, and behind them how many entries behind this chunk have their home in it or before
    /// it: sixteen bytes, which are compared in one step.
    head: [u8; HEAD_BYTES],
    places: [u32; LANES],
}

// SAFETY: a chunk is numbers only, and zeros are the empty one.
unsafe impl Zeros for Chunk {}

const _: () = assert!(size_of::<Chunk>() == 64, "a chunk is a cache line");

impl Chunk {
    pub(super) const EMPTY: Self = Self { head: [0; HEAD_BYTES], places: [0; LANES] };

    /// The lanes with this tag.
    #[inline]
    pub(super) fn lanes_with(&self, tag: Tag) -> Lanes {
        Lanes(mask_of(&self.head, tag.0) & ((1 << LANES) - 1))
    }

    fn tag(&self, lane: usize) -> u8 {
        self.head[..LANES][lane]
    }

    fn set_tag(&mut self, lane: usize, tag: Tag) {
        self.head[..LANES][lane] = tag.0;
    }

    /// The lanes that hold a place.
    pub(super) fn used(&self) -> impl Iterator<Item = usize> {
        (0..LANES).filter(|&lane| self.tag(lane) != Tag::FREE.0)
    }

    /// The first lane that holds none.
    pub(super) fn free_lane(&self) -> Option<usize> {
        self.lanes_with(Tag::FREE).next()
    }

    #[inline]
    pub(super) fn place(&self, lane: usize) -> Place {
        Place::unpack(self.places[lane])
    }

    pub(super) fn has_tag(&self, lane: usize, tag: Tag) -> bool {
        self.tag(lane) == tag.0
    }

    pub(super) fn fill(&mut self, lane: usize, tag: Tag, place: Place) {
        debug_assert_eq!(self.tag(lane), Tag::FREE.0);
        self.set_tag(lane, tag);
        self.places[lane] = place.pack();
    }

    pub(super) fn free(&mut self, lane: usize) {
        self.set_tag(lane, Tag::FREE);
    }

    /// Frees all lanes of which `leaves` holds.
    pub(super) fn free_all(&mut self, mut leaves: impl FnMut(usize, Place) -> bool) {
        for lane in 0..LANES {
            if self.tag(lane) != Tag::FREE.0 && leaves(lane, self.place(lane)) {
                self.free(lane);
            }
        }
    }

    /// Replaces a place; the entry and its tag stay.
    pub(super) fn set_place(&mut self, lane: usize, place: Place) {
        self.places[lane] = place.pack();
    }

    #[inline]
    pub(super) fn passing(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_le_bytes([a, b, c, d])
    }

    fn set_passing(&mut self, passing: u32) {
        self.head[LANES..].copy_from_slice(&passing.to_le_bytes());
    }

    /// An entry was put behind this chunk.
    pub(super) fn pass(&mut self) {
        self.set_passing(self.passing() + 1);
    }

    /// An entry that had gone past was taken out.
    pub(super) fn unpass(&mut self) {
        self.set_passing(self.passing() - 1);
    }
}

/// A set of lanes, lowest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes(u64);

impl Iterator for Lanes {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let lane = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tags that differ from each other in one bit, or by one, tell inexact comparisons apart.
    #[test]
    fn lanes_with_a_tag_are_exactly_those() {
        let tags = [1, 2, 3, 0x7F, 0x80, 0x81, 0xFE, 0xFF];
        for seed in 0..4_096_usize {
            let mut chunk = Chunk::EMPTY;
            let mut model = [0; LANES];
            for (lane, slot) in model.iter_mut().enumerate() {
                let pick = (seed * (2 * lane + 3) + (seed >> lane)) % (tags.len() + 2);
                if let Some(&tag) = tags.get(pick) {
                    *slot = tag;
                    chunk.fill(lane, Tag(tag), Place::unpack(7));
                }
            }
            for tag in 0..=u8::MAX {
                let mut found: Vec<usize> = chunk.lanes_with(Tag(tag)).collect();
                found.sort_unstable();
                let expected = (0..LANES).filter(|&lane| model[lane] == tag);
                assert!(expected.eq(found), "tag {tag} in {model:?}");
            }
        }
    }

    #[test]
    fn no_hash_has_the_tag_of_a_free_lane() {
        assert!((0..=u64::from(u8::MAX)).all(|hash| Tag::of(hash << 32 | hash) != Tag::FREE));
    }
}
