//! The chunks of a table, in segments that are made when something is put there.
//!
//! What it is not: aware of what chunks mean. Invariant: a chunk that has no memory yet reads as an
//! empty one; no chunk ever moves. Cost: two steps to a chunk. A segment that was made takes room
//! only where it was written.

use super::chunk::Chunk;
use crate::segment::{Segment, split};

/// What is read where there is no memory yet.
static EMPTY: Chunk = Chunk::EMPTY;

/// Chunks by number.
#[derive(Debug)]
pub(super) struct Segments {
    segments: Vec<Segment<Chunk>>,
    /// Chunks up to the last one that was written.
    written: usize,
}

impl Segments {
    pub(super) const fn new() -> Self {
        Self { segments: Vec::new(), written: 0 }
    }

    /// Chunk number `index`.
    #[inline]
    pub(super) fn chunk(&self, index: usize) -> &Chunk {
        let (segment, place) = split(index);
        match self.segments.get(segment) {
            Some(segment) => &segment[place],
            None => &EMPTY,
        }
    }

    /// Chunk number `index`, which gets memory if it has none.
    #[inline]
    pub(super) fn chunk_mut(&mut self, index: usize) -> &mut Chunk {
        if index >= self.written {
            self.extend(index);
        }
        let (segment, place) = split(index);
        &mut self.segments[segment][place]
    }

    #[cold]
    fn extend(&mut self, index: usize) {
        let (last, _) = split(index);
        for segment in self.segments.len()..=last {
            self.segments.push(Segment::zeros(1 << segment));
        }
        self.written = index + 1;
    }

    /// All chunks, up to the last one that was written.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chunk> {
        (0..self.written).map(|index| self.chunk(index))
    }

    /// Bytes written, or about to be.
    pub(super) fn memory_bytes(&self) -> usize {
        self.written * size_of::<Chunk>() + self.segments.capacity() * size_of::<Segment<Chunk>>()
    }
}
