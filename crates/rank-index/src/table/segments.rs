//! The chunks of a table, in pieces that are allocated when something is put there.
//!
//! What it is not: aware of what chunks mean. Invariant: a chunk that has no memory yet reads as an
//! empty one; a full-sized segment never moves. Cost: two steps to a chunk; a write may have to
//! allocate a segment, or to copy one that is not full-sized yet: `SEGMENT_CHUNKS` chunks at most.

use super::chunk::Chunk;

const SEGMENT_BITS: u32 = 12;
/// Chunks in a full-sized segment, which are 256 KiB.
const SEGMENT_CHUNKS: usize = 1 << SEGMENT_BITS;
/// Behind the last home a segment gets this part of its length more than is asked for, so that a
/// long chain of chunks does not copy it for each of them.
const OVERRUN_PART: usize = 16;

/// What is read where there is no memory yet.
static EMPTY: Chunk = Chunk::EMPTY;

/// Chunks by number.
#[derive(Debug)]
pub(super) struct Segments(Vec<Box<[Chunk]>>);

impl Segments {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Chunk number `index`.
    #[inline]
    pub(super) fn chunk(&self, index: usize) -> &Chunk {
        self.0
            .get(index >> SEGMENT_BITS)
            .and_then(|segment| segment.get(index % SEGMENT_CHUNKS))
            .unwrap_or(&EMPTY)
    }

    /// Chunk number `index`, which gets memory if it has none; `homes` of them will need it.
    pub(super) fn chunk_mut(&mut self, index: usize, homes: usize) -> &mut Chunk {
        let (number, offset) = (index >> SEGMENT_BITS, index % SEGMENT_CHUNKS);
        if self.0.get(number).is_none_or(|segment| segment.len() <= offset) {
            self.allocate(number, offset, homes);
        }
        &mut self.0[number][offset]
    }

    #[cold]
    fn allocate(&mut self, number: usize, offset: usize, homes: usize) {
        if self.0.len() <= number {
            self.0.resize_with(number + 1, Box::default);
        }
        let homes_here = homes.saturating_sub(number << SEGMENT_BITS);
        let chunks =
            if offset < homes_here { homes_here } else { offset + 1 + offset / OVERRUN_PART };
        let mut segment = std::mem::take(&mut self.0[number]).into_vec();
        let chunks = chunks.min(SEGMENT_CHUNKS);
        segment.reserve_exact(chunks - segment.len());
        segment.resize(chunks, Chunk::EMPTY);
        self.0[number] = segment.into_boxed_slice();
    }

    /// All chunks, up to the last one that has memory.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chunk> {
        let full = self.0.len().saturating_sub(1) << SEGMENT_BITS;
        let end = full + self.0.last().map_or(0, |segment| segment.len());
        (0..end).map(|index| self.chunk(index))
    }

    /// Heap bytes in use.
    pub(super) fn memory_bytes(&self) -> usize {
        let segments: usize = self.0.iter().map(|segment| size_of_val::<[Chunk]>(segment)).sum();
        segments + self.0.capacity() * size_of::<Box<[Chunk]>>()
    }
}
