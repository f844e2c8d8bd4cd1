//! A node's copy of its memory between runs: with it, a start follows the streams from where the
//! node was, and reads no partition as a whole.
//!
//! What it is: a cut of the state, and a note of how far each partition was followed. What it is
//! not: a place where anything is kept; a copy that is missing, old or of another store costs time
//! alone. Invariant: everything up to the positions of the note is in the cut. What is in the cut
//! beyond them comes again, and changes are absolute. Cost: that of a snapshot.

use std::cell::RefCell;
use std::sync::Arc;

use rankd_engine::{Change, ChangeSink, Cut, State};

use crate::layout::{Layout, PartitionId};
use crate::partition::Partition;
use crate::script::{Nonce, Position};
use crate::shared::{Shared, now_ms};

/// Where a node keeps its copy.
pub trait LocalCopy: Send + Sync + 'static {
    /// Fills the empty `state` from the copy and returns the note that was kept with it. `None`:
    /// there is none, and the state is still empty.
    ///
    /// # Errors
    /// If the state is half full, and of no use.
    fn load(&self, state: &Arc<State>) -> Result<Option<String>, String>;

    /// Puts a cut and its note in the place of the copy that was there.
    ///
    /// # Errors
    /// If that does not work; the earlier copy is then as it was.
    fn keep(&self, cut: Cut, note: &str) -> Result<(), String>;
}

/// How far a partition was followed, and which making of it that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) origin: Nonce,
    pub(crate) position: Position,
}

/// Keeps a copy, unless it would be the one that `kept` is the note of. Returns its note.
pub(crate) fn keep(
    shared: &Shared,
    copy: &dyn LocalCopy,
    kept: &str,
) -> Result<Option<String>, String> {
    let marks = Marks { partitions: &shared.partitions, taken: RefCell::default() };
    let cut = shared.state.begin_cut(&marks).map_err(|error| error.to_string())?;
    let note = note(&shared.options.layout, &marks.taken.borrow());
    if note == kept {
        return Ok(None);
    }
    copy.keep(cut, &note)?;
    Ok(Some(note))
}

/// Takes the marks at the instant of a cut, when no entry is half applied.
struct Marks<'a> {
    partitions: &'a [Arc<Partition>],
    taken: RefCell<Vec<(PartitionId, Mark)>>,
}

impl ChangeSink for Marks<'_> {
    fn append(&self, _accepted_ms: i64, _changes: Vec<Change>) -> u64 {
        unreachable!("a cut appends nothing")
    }

    fn last_sequence(&self) -> u64 {
        // What a partition is that is being read anew, no position says.
        let ready = self.partitions.iter().filter(|partition| partition.progress().is_ready);
        let marks = ready.filter_map(|partition| {
            let origin = partition.origin()?;
            Some((partition.id, Mark { origin, position: partition.progress().position }))
        });
        self.taken.replace(marks.collect());
        // Names the file: later copies have higher numbers.
        now_ms()
    }
}

/// The first line of every note.
fn head(layout: &Layout) -> String {
    format!("rankd-redis 1 {} {}", layout.prefix, layout.partitions)
}

fn note(layout: &Layout, marks: &[(PartitionId, Mark)]) -> String {
    let lines = marks.iter().map(|(id, Mark { origin, position })| {
        let Position { incarnation, sequence, nonce } = position;
        format!("{id} {} {incarnation} {sequence} {}\n", origin.text(), nonce.text())
    });
    head(layout) + "\n" + &lines.collect::<String>()
}

/// The marks of a note; none of a note that is another store's, or no note. A wrong mark does no
/// harm: its nonce is not the one that Redis has at that place.
pub(crate) fn marks(layout: &Layout, note: &str) -> Vec<(PartitionId, Mark)> {
    let mut lines = note.lines();
    if lines.next() != Some(&head(layout)) {
        return Vec::new();
    }
    lines.filter_map(mark).filter(|(id, _)| *id < layout.partitions).collect()
}

fn mark(line: &str) -> Option<(PartitionId, Mark)> {
    let mut fields = line.split(' ');
    let id = fields.next()?.parse().ok()?;
    let origin = Nonce::parse(fields.next()?.as_bytes())?;
    let incarnation = fields.next()?.parse().ok()?;
    let sequence = fields.next()?.parse().ok()?;
    let nonce = Nonce::parse(fields.next()?.as_bytes())?;
    let position = Position { incarnation, sequence, nonce };
    fields.next().is_none().then_some((id, Mark { origin, position }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_and_anything_else_is_passed_over() {
        let layout = Layout { prefix: "rankd".to_owned(), partitions: 4 };
        let position = Position { incarnation: 1_700_000_000_000, sequence: 42, nonce: Nonce(7) };
        let taken =
            [(0, Mark { origin: Nonce(1), position }), (3, Mark { origin: Nonce(2), position })];
        let text = note(&layout, &taken);
        assert_eq!(marks(&layout, &text), taken);
        let other = Layout { prefix: "rankd".to_owned(), partitions: 8 };
        assert_eq!(marks(&other, &text), []);
        for bad in ["", "x", "4 ", &text[1..]] {
            assert_eq!(marks(&layout, bad), [], "{bad:?}");
        }
        let bad_lines = text.replace("3 0", "9 0").replace("0 0000000000000001", "0 1");
        assert_eq!(marks(&layout, &bad_lines), []);
    }
}
