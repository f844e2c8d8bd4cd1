//! From a member's hash to the place of its entry.
//!
//! What it is not: a keeper of members; it holds four bytes of place and one of hash per entry, and
//! asks its caller whether a place is the one that is looked for. It does not shrink either: the
//! memory of places that were removed waits for new ones, as that of leaves does.
//!
//! An entry belongs to the chunk that is the home of its hash, and lies there or, when that is
//! full, in the next chunk with a free lane. Every chunk counts the entries that went past it, so
//! that a search ends at the first one that none has passed, and a removal leaves no mark. When
//! `LOAD_GROW_PERCENT` of the lanes are in use, the table grows in place by a quarter: homes are
//! monotone in the hash, so its entries move to their new homes chunk by chunk, from the last to
//! the first, `CHUNKS_MOVED` for each insert. Meanwhile both layouts lie in the same chunks; the
//! counts do not care.
//!
//! Invariant: one place per member; each chunk's count is exact; a table that grows has moved all
//! entries before 87 % of its old lanes are in use. Cost: constant on average, and mostly one cache
//! line; an insert moves at most the entries of two chunks and those that spilled from them (as
//! many as there are, should hashes be equal). Memory: 64 bytes for 12 lanes, of which 69 to 86 %
//! are in use if nothing was removed: 6.2 to 7.8 bytes for a place. A table of one segment gets its
//! memory when it begins to grow: up to 8.2 bytes.

mod chunk;
mod fill;
mod layout;
mod segments;
#[cfg(test)]
mod tests;

use std::ops::{Range, RangeInclusive};

use crate::check::ensure;
use crate::leaf::Place;
use crate::prefetch::prefetch;
use chunk::{Chunk, LANES, Tag};
use layout::Layout;
use segments::Segments;

/// Where a place was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) place: Place,
    index: usize,
    lane: usize,
}

/// Places by the hash of their members.
#[derive(Debug)]
pub(crate) struct Table {
    segments: Segments,
    layout: Layout,
    len: usize,
}

impl Table {
    pub(crate) const fn new() -> Self {
        Self { segments: Segments::new(), layout: Layout::of(1), len: 0 }
    }

    /// An empty table that has room for `places` before it grows.
    pub(crate) fn with_capacity(places: usize) -> Self {
        Self { layout: Layout::with_room(places as u64), ..Self::new() }
    }

    /// Asks for the line at which a search for the hash begins, and mostly ends.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        prefetch(self.segments.chunk(self.layout.home(hash)));
    }

    /// The first place that a search for the hash looks at, if its home has one that fits.
    #[inline]
    pub(crate) fn candidate(&self, hash: u64) -> Option<Place> {
        let chunk = self.segments.chunk(self.layout.home(hash));
        chunk.lanes_with(Tag::of(hash)).next().map(|lane| chunk.place(lane))
    }

    /// The place with this hash of which `is_it` holds.
    #[cfg(test)]
    pub(crate) fn find(&self, hash: u64, is_it: impl FnMut(Place) -> bool) -> Option<Place> {
        self.find_entry(hash, is_it).map(|found| found.place)
    }

    /// As [`find`](Self::find), for a write. Inlined by force: called, it would pass everything
    /// through memory, and looking up is what an index does most.
    #[inline(always)]
    pub(crate) fn find_entry(
        &self,
        hash: u64,
        mut is_it: impl FnMut(Place) -> bool,
    ) -> Option<Found> {
        let tag = Tag::of(hash);
        let mut index = self.layout.home(hash);
        let mut chunk = self.segments.chunk(index);
        loop {
            for lane in chunk.lanes_with(tag) {
                let place = chunk.place(lane);
                if is_it(place) {
                    return Some(Found { place, index, lane });
                }
            }
            if chunk.passing() == 0 {
                return None;
            }
            index += 1;
            chunk = self.segments.chunk(index);
        }
    }

    /// The entry that was found, with no write since, moved to `to`.
    pub(crate) fn set_place(&mut self, found: Found, to: Place) {
        self.chunk_mut(found.index).set_place(found.lane, to);
    }

    /// Adds a place whose member is not in the table; `rehash` gives the hash of any place that is.
    pub(crate) fn insert(&mut self, hash: u64, place: Place, rehash: impl Fn(Place) -> u64) {
        if self.layout.is_full(self.len as u64) {
            self.layout.grow();
        }
        if self.layout.is_growing() {
            self.move_chunks(rehash);
        }
        self.put(hash, place);
        self.len += 1;
    }

    /// Removes `place`, which is in the table with this hash.
    #[cfg(test)]
    pub(crate) fn remove(&mut self, hash: u64, place: Place) {
        self.remove_found(hash, self.locate(hash, place));
    }

    /// Removes the entry that was found by this hash, with no write since.
    pub(crate) fn remove_found(&mut self, hash: u64, found: Found) {
        self.chunk_mut(found.index).free(found.lane);
        self.unpass(self.layout.home(hash)..found.index);
        self.len -= 1;
    }

    /// The entry at `from` moved to `to`.
    pub(crate) fn relocate(&mut self, hash: u64, from: Place, to: Place) {
        self.set_place(self.locate(hash, from), to);
    }

    /// Places in the table.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Heap bytes in use.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.segments.memory_bytes()
    }

    fn chunk_mut(&mut self, index: usize) -> &mut Chunk {
        self.segments.chunk_mut(index)
    }

    /// Where an entry is that is in the table.
    pub(crate) fn locate(&self, hash: u64, place: Place) -> Found {
        let found = self.find_entry(hash, |other| other == place);
        found.expect("every entry of the tree is in the table")
    }

    /// Stores an entry in the first free lane from its home on.
    fn put(&mut self, hash: u64, place: Place) {
        let mut index = self.layout.home(hash);
        loop {
            let chunk = self.chunk_mut(index);
            if let Some(lane) = chunk.free_lane() {
                return chunk.fill(lane, Tag::of(hash), place);
            }
            chunk.pass();
            index += 1;
        }
    }

    /// Moves the entries of the last old home chunks to their new homes.
    fn move_chunks(&mut self, rehash: impl Fn(Place) -> u64) {
        let mut moving = Vec::with_capacity(4 * LANES);
        for _ in 0..layout::CHUNKS_MOVED {
            if self.layout.is_growing() {
                let (home, hashes) = self.layout.advance();
                self.take(home, &hashes, &rehash, &mut moving);
            }
        }
        for (hash, place) in moving {
            self.put(hash, place);
        }
    }

    /// Takes all entries with one of these hashes, which share a home, out into `taken`. Entries of
    /// lower hashes that lie behind that home come along: put back, they get closer to their own.
    /// So no old entry stays far behind in the new layout, and this walk is short.
    fn take(
        &mut self,
        home: usize,
        hashes: &RangeInclusive<u64>,
        rehash: impl Fn(Place) -> u64,
        taken: &mut Vec<(u64, Place)>,
    ) {
        let mut index = home;
        loop {
            let chunk = self.chunk_mut(index);
            // All hashes first: each is a cache miss, and none has to wait for another.
            let mut lane_hashes = [0; LANES];
            for lane in chunk.used() {
                lane_hashes[lane] = rehash(chunk.place(lane));
            }
            let first = if index > home { 0 } else { *hashes.start() };
            let before = taken.len();
            chunk.free_all(|lane, place| {
                let leaves = (first..=*hashes.end()).contains(&lane_hashes[lane]);
                if leaves {
                    taken.push((lane_hashes[lane], place));
                }
                leaves
            });
            let is_last = chunk.passing() == 0;
            for &(hash, _) in &taken[before..] {
                let home = if hashes.contains(&hash) { home } else { self.layout.home(hash) };
                self.unpass(home..index);
            }
            if is_last {
                return;
            }
            index += 1;
        }
    }

    /// An entry behind these chunks is gone that had gone past all of them.
    fn unpass(&mut self, chunks: Range<usize>) {
        for index in chunks {
            self.chunk_mut(index).unpass();
        }
    }

    /// Checks every entry and every chunk; `rehash` gives the hash of any place. O(n).
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn check(&self, rehash: impl Fn(Place) -> u64) -> Result<(), String> {
        self.layout.check(self.len as u64)?;
        let (mut stored, mut passing) = (0, vec![0_u32; self.segments.iter().count()]);
        for (index, chunk) in self.segments.iter().enumerate() {
            for lane in chunk.used() {
                let place = chunk.place(lane);
                let hash = rehash(place);
                let home = self.layout.home(hash);
                ensure!(chunk.has_tag(lane, Tag::of(hash)), "{place:?} has another tag");
                ensure!(home <= index, "{place:?} of chunk {home} is in chunk {index}");
                passing[home..index].iter_mut().for_each(|count| *count += 1);
                stored += 1;
            }
        }
        ensure!(stored == self.len, "{stored} places of {}", self.len);
        for (index, (chunk, expected)) in self.segments.iter().zip(passing).enumerate() {
            let count = chunk.passing();
            ensure!(count == expected, "{count} entries of {expected} are past chunk {index}");
        }
        Ok(())
    }
}
