//! The chunks of a table, in pieces that are allocated when something is put there.
//!
//! What it is not: aware of what chunks mean. Invariant: a chunk that has no memory yet reads as an
//! empty one; a full-sized segment never moves. Cost: two steps to a chunk; a write may have to
//! allocate a segment, or to copy the first one while it is not full-sized: 256 KiB at most.

use super::chunk::Chunk;
use crate::arena::Split;
use crate::segment::Segment;

/// Where chunks are: 256 KiB in the first segment, a huge page in every other.
const CHUNKS: Split = Split::new(12, 15);
/// Behind the last home a segment gets this part of its length more than is asked for, so that a
/// long chain of chunks does not copy it for each of them.
const OVERRUN_PART: usize = 16;

/// What is read where there is no memory yet.
static EMPTY: Chunk = Chunk::EMPTY;

/// Chunks by number.
#[derive(Debug)]
pub(super) struct Segments(Vec<Segment<Chunk>>);

impl Segments {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Chunk number `index`.
    #[inline]
    pub(super) fn chunk(&self, index: usize) -> &Chunk {
        let (number, place) = CHUNKS.at(index);
        self.0.get(number).and_then(|segment| segment.get(place)).unwrap_or(&EMPTY)
    }

    /// Chunk number `index`, which gets memory if it has none; `homes` of them will need it.
    pub(super) fn chunk_mut(&mut self, index: usize, homes: usize) -> &mut Chunk {
        let (number, place) = CHUNKS.at(index);
        if self.0.get(number).is_none_or(|segment| segment.len() <= place) {
            self.allocate(number, place, homes.saturating_sub(index - place));
        }
        &mut self.0[number][place]
    }

    /// Gives segment `number` memory up to `place` at least; `homes` of it will need it.
    #[cold]
    fn allocate(&mut self, number: usize, place: usize, homes: usize) {
        if self.0.len() <= number {
            self.0.resize_with(number + 1, Segment::new);
        }
        let whole = CHUNKS.places(number);
        let chunks = if number > 0 {
            whole
        } else if place < homes {
            homes.min(whole)
        } else {
            (place + 1 + place / OVERRUN_PART).min(whole)
        };
        let segment = &mut self.0[number];
        segment.grow(chunks);
        while segment.len() < chunks {
            segment.push(Chunk::EMPTY);
        }
    }

    /// All chunks, up to the last one that has memory.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chunk> {
        let before: usize = (1..self.0.len()).map(|number| CHUNKS.places(number - 1)).sum();
        let end = before + self.0.last().map_or(0, |segment| segment.len());
        (0..end).map(|index| self.chunk(index))
    }

    /// Heap bytes in use.
    pub(super) fn memory_bytes(&self) -> usize {
        let segments: usize = self.0.iter().map(|segment| size_of_val::<[Chunk]>(segment)).sum();
        segments + self.0.capacity() * size_of::<Segment<Chunk>>()
    }
}
