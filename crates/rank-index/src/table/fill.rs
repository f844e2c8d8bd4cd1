//! All places of a new table at once, in parts that can be filled side by side.
//!
//! A part is a run of chunks, and takes the entries whose home is in it; homes are monotone in the
//! hash, so every worker walks all entries and keeps its share. What does not fit into the last
//! chunks of a part is put behind it afterwards. Invariant: nothing is removed while a table is
//! filled, so a chunk with a free lane was passed by nobody, and a search ends there. Cost: one
//! cache miss an entry, a window of them at the same time; a walk over all entries for each hand.

use super::Table;
use super::chunk::{Chunk, Tag};
use super::layout::Layout;
use super::segments::Run;
use crate::crew::{Crew, Work};
use crate::leaf::Place;
use crate::prefetch::prefetch;

/// Entries whose chunks are asked for before the first of them is put.
const WINDOW: usize = 32;

/// An entry on its way to its chunk, or to one behind.
#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    place: Place,
    position: usize,
    chunk: usize,
}

/// What became of an entry at a chunk.
enum Offered {
    Taken,
    /// The chunk is full, and knows that an entry went past it.
    Full,
    /// The member is there already.
    Twin,
}

/// A run of chunks with what it was given and could not take.
struct Part<'a> {
    run: Run<'a>,
    spilled: Vec<Entry>,
    /// Position of the first entry whose member was there already.
    twin: Option<usize>,
}

impl Table {
    /// A table of all entries that `entries` goes through, `len` of them, in the same order each
    /// time it is called. `is_twin` tells whether two places have the same member.
    ///
    /// # Errors
    /// The position of an entry whose member occurs before it.
    pub(crate) fn filled<I: Iterator<Item = (u64, Place)>>(
        len: usize,
        entries: impl Fn() -> I + Sync,
        is_twin: impl Fn(Place, Place) -> bool + Sync,
        crew: &dyn Crew,
    ) -> Result<Self, usize> {
        let mut table = Self::with_capacity(len);
        let Self { segments, layout, .. } = &mut table;
        let runs = segments.runs(layout.homes(), crew.hands());
        let mut parts: Vec<_> =
            runs.into_iter().map(|run| Part { run, spilled: Vec::new(), twin: None }).collect();
        let (layout, entries, is_twin) = (&*layout, &entries, &is_twin);
        let work = parts.iter_mut().map(|part| {
            let work: Work<'_> = Box::new(move || part.fill(layout, entries(), is_twin));
            work
        });
        crew.carry_out(work.collect());
        let twin = parts.iter().filter_map(|part| part.twin).min();
        let spilled: Vec<_> = parts.into_iter().flat_map(|part| part.spilled).collect();
        if let Some(position) = twin {
            return Err(position);
        }
        for entry in spilled {
            table.put_behind(entry, is_twin)?;
        }
        table.len = len;
        Ok(table)
    }

    /// Puts an entry that found no room in its part into the first chunk behind it that has some.
    fn put_behind(
        &mut self,
        mut entry: Entry,
        is_twin: &impl Fn(Place, Place) -> bool,
    ) -> Result<(), usize> {
        loop {
            match offer(self.chunk_mut(entry.chunk), &entry, is_twin) {
                Offered::Taken => return Ok(()),
                Offered::Full => entry.chunk += 1,
                Offered::Twin => return Err(entry.position),
            }
        }
    }
}

impl Part<'_> {
    /// Puts all entries whose home is here, up to the first twin.
    fn fill(
        &mut self,
        layout: &Layout,
        entries: impl Iterator<Item = (u64, Place)>,
        is_twin: &impl Fn(Place, Place) -> bool,
    ) {
        let mut window = Vec::with_capacity(WINDOW);
        for (position, (hash, place)) in entries.enumerate() {
            let chunk = layout.home(hash);
            let Some(home) = self.run.chunk(chunk) else { continue };
            prefetch(home);
            window.push(Entry { hash, place, position, chunk });
            if window.len() == WINDOW {
                self.put_all(&mut window, is_twin);
            }
            if self.twin.is_some() {
                return;
            }
        }
        self.put_all(&mut window, is_twin);
    }

    fn put_all(&mut self, window: &mut Vec<Entry>, is_twin: &impl Fn(Place, Place) -> bool) {
        for entry in window.drain(..) {
            if self.twin.is_none() {
                self.put(entry, is_twin);
            }
        }
    }

    fn put(&mut self, mut entry: Entry, is_twin: &impl Fn(Place, Place) -> bool) {
        while let Some(chunk) = self.run.chunk_mut(entry.chunk) {
            match offer(chunk, &entry, is_twin) {
                Offered::Taken => return,
                Offered::Full => entry.chunk += 1,
                Offered::Twin => {
                    self.twin = Some(entry.position);
                    return;
                }
            }
        }
        self.spilled.push(entry);
    }
}

fn offer(chunk: &mut Chunk, entry: &Entry, is_twin: &impl Fn(Place, Place) -> bool) -> Offered {
    let tag = Tag::of(entry.hash);
    if chunk.lanes_with(tag).any(|lane| is_twin(chunk.place(lane), entry.place)) {
        return Offered::Twin;
    }
    let Some(lane) = chunk.free_lane() else {
        chunk.pass();
        return Offered::Full;
    };
    chunk.fill(lane, tag, entry.place);
    Offered::Taken
}
