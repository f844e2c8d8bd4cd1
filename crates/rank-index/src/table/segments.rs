//! The chunks of a table, in segments that are made when something is put there.
//!
//! What it is not: aware of what chunks mean. Invariant: a chunk that has no memory yet reads as an
//! empty one. Cost: two steps to a chunk. The first segment doubles while that moves less than
//! 128 KiB; nothing moves afterwards. A full-sized segment takes room only where it was written.

use super::chunk::Chunk;
use crate::segment::{HUGE_FROM_BYTES, MAP_BYTES_MIN, Segment};

const SEGMENT_BITS: u32 = 17;
/// Chunks in a full-sized segment, which are 8 MiB.
const SEGMENT_CHUNKS: usize = 1 << SEGMENT_BITS;

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
        self.segments
            .get(index >> SEGMENT_BITS)
            .and_then(|segment| segment.get(index % SEGMENT_CHUNKS))
            .unwrap_or(&EMPTY)
    }

    /// Chunk number `index`, which gets memory if it has none.
    #[inline]
    pub(super) fn chunk_mut(&mut self, index: usize) -> &mut Chunk {
        if index >= self.written {
            self.extend(index);
        }
        &mut self.segments[index >> SEGMENT_BITS][index % SEGMENT_CHUNKS]
    }

    #[cold]
    fn extend(&mut self, index: usize) {
        let number = index >> SEGMENT_BITS;
        while self.segments.len() <= number {
            let chunks = if self.segments.is_empty() { 1 } else { SEGMENT_CHUNKS };
            self.segments.push(Segment::zeros(chunks));
            self.segments.last().filter(|_| number > 0).inspect(|last| last.welcome_huge_pages(0));
        }
        // All before the one that is asked for are full-sized: a table grows from its end.
        for segment in &mut self.segments[..number] {
            reach(segment, SEGMENT_CHUNKS - 1);
        }
        reach(&mut self.segments[number], index % SEGMENT_CHUNKS);
        let huge_from = HUGE_FROM_BYTES / size_of::<Chunk>();
        if self.written < huge_from && huge_from <= index {
            self.segments[0].welcome_huge_pages(0);
        }
        self.written = index + 1;
    }

    /// The first `chunks` chunks, at least one, in up to `runs_max` runs of whole segments.
    pub(super) fn runs(&mut self, chunks: usize, runs_max: usize) -> Vec<Run<'_>> {
        self.chunk_mut(chunks - 1);
        let each = self.segments.len().div_ceil(runs_max);
        let runs = self.segments.chunks_mut(each).enumerate();
        runs.map(|(number, segments)| {
            let first = number * each * SEGMENT_CHUNKS;
            Run { first, end: chunks.min(first + each * SEGMENT_CHUNKS), segments }
        })
        .collect()
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

/// Chunks behind each other, a part of a table's, to be written by one thread.
pub(super) struct Run<'a> {
    first: usize,
    end: usize,
    segments: &'a mut [Segment<Chunk>],
}

impl Run<'_> {
    /// Chunk number `index` of the table, if it is in this run.
    #[inline]
    pub(super) fn chunk(&self, index: usize) -> Option<&Chunk> {
        let own = self.own(index)?;
        Some(&self.segments[own >> SEGMENT_BITS][own % SEGMENT_CHUNKS])
    }

    /// As [`chunk`](Self::chunk), to write.
    #[inline]
    pub(super) fn chunk_mut(&mut self, index: usize) -> Option<&mut Chunk> {
        let own = self.own(index)?;
        Some(&mut self.segments[own >> SEGMENT_BITS][own % SEGMENT_CHUNKS])
    }

    #[inline]
    fn own(&self, index: usize) -> Option<usize> {
        (self.first..self.end).contains(&index).then(|| index - self.first)
    }
}

/// Makes a segment so large that it has the chunk `place`.
fn reach(segment: &mut Segment<Chunk>, place: usize) {
    if place < segment.len() {
        return;
    }
    let twice = (place + 1).next_power_of_two();
    let chunks = if twice * size_of::<Chunk>() < MAP_BYTES_MIN { twice } else { SEGMENT_CHUNKS };
    let mut grown: Segment<Chunk> = Segment::zeros(chunks);
    grown[..segment.len()].copy_from_slice(segment);
    *segment = grown;
}
