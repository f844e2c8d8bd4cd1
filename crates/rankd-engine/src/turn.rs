//! One batch's turn: the boards and display names that it names, locked in one order, and what it
//! did to them.
//!
//! Invariant: a board or display name is locked from before the first intent is resolved until
//! after the append, so nobody else's change comes between, and the directory changes only at the
//! end of the turn.

use std::sync::Arc;

use parking_lot::MutexGuard;
use rankd_lock::ArcWriteGuard;

use crate::board::{Board, Body};
use crate::change::Change;
use crate::definition::Definition;
use crate::ids::Name;
use crate::intent::{Batch, Intent};
use crate::layout::BoardIndex;
use crate::limits::BOARDS_MAX;
use crate::state::State;

/// A board in its state within the turn.
pub(crate) struct Locked {
    pub(crate) board: Arc<Board>,
    pub(crate) body: ArcWriteGuard<Body>,
    created_here: bool,
}

/// A name that the batch uses, and the board that has it now.
struct Slot<'b> {
    name: &'b [u8],
    locked: Option<Locked>,
}

/// The boards of a batch, under lock, and the changes so far.
pub(crate) struct Turn<'b> {
    pub(crate) state: &'b State,
    slots: Vec<Slot<'b>>,
    /// Deleted in this turn; stay locked until its end.
    deleted: Vec<Locked>,
    pub(crate) changes: Vec<Change>,
    pub(crate) members_added: u64,
    pub(crate) members_removed: u64,
    /// Boards made in this turn, which the directory does not count yet.
    created: usize,
    _labels: Vec<MutexGuard<'b, ()>>,
    _creation: Option<MutexGuard<'b, ()>>,
}

impl<'b> Turn<'b> {
    /// Finds and locks every board and display name that the batch names.
    pub(crate) fn begin(state: &'b State, batch: &'b Batch) -> Self {
        let labels = state.label_lanes.lock_all(labelled(batch));
        let names = names_of(batch);
        let deletes = batch.intents.iter().any(|i| matches!(i, Intent::DeleteBoard { .. }));
        let mut creation = deletes.then(|| state.creation.lock());
        let slots = loop {
            let found: Vec<_> = names.iter().map(|name| state.directory.by_name(name)).collect();
            if creation.is_none() && found.iter().any(Option::is_none) {
                creation = Some(state.creation.lock());
                continue;
            }
            if let Some(slots) = lock_all(&names, found) {
                break slots;
            }
        };
        Self {
            state,
            slots,
            deleted: Vec::new(),
            changes: Vec::with_capacity(batch.intents.len()),
            members_added: 0,
            members_removed: 0,
            created: 0,
            _labels: labels,
            _creation: creation,
        }
    }

    /// Which slot a name has; it was collected from the batch, so it has one.
    fn slot(&self, name: &[u8]) -> usize {
        self.slots
            .binary_search_by(|slot| slot.name.cmp(name))
            .expect("every name of the batch has a slot")
    }

    /// The board of this name, as this turn sees it.
    pub(crate) fn find(&mut self, name: &[u8]) -> Option<&mut Locked> {
        let slot = self.slot(name);
        self.slots[slot].locked.as_mut()
    }

    /// Creates the board of this name, which does not exist. `None` if there are too many.
    pub(crate) fn create(
        &mut self,
        name: &Name,
        definition: Definition,
        now_ms: i64,
    ) -> Option<&mut Locked> {
        if self.state.directory.len() + self.created >= BOARDS_MAX {
            return None;
        }
        self.created += 1;
        let definition = definition.normalised();
        let id = self.state.take_board_id();
        let index = BoardIndex::new(&definition);
        let board = Board::new(id, name.clone(), definition, index, now_ms, now_ms);
        self.changes.push(Change::BoardCreated { board: id, name: name.clone(), definition });
        let body = board.body.write_arc();
        let slot = self.slot(name);
        let locked = Locked { board, body, created_here: true };
        Some(self.slots[slot].locked.insert(locked))
    }

    /// Deletes the board of this name. `false` if there is none.
    pub(crate) fn delete(&mut self, name: &[u8]) -> bool {
        let slot = self.slot(name);
        let Some(mut locked) = self.slots[slot].locked.take() else {
            return false;
        };
        self.state.retire_board(&locked.board, &mut locked.body);
        self.members_removed += locked.body.index.len() as u64;
        self.changes.push(Change::BoardDeleted { board: locked.board.id });
        self.deleted.push(locked);
        true
    }

    /// Publishes what the turn did to the directory, and unlocks.
    pub(crate) fn finish(self) {
        self.state.count_members(self.members_added, self.members_removed);
        for locked in self.deleted.iter().filter(|locked| !locked.created_here) {
            self.state.directory.remove(&locked.board);
            self.state.keyspace.set_end(&locked.board.name, None);
        }
        for locked in self.slots.iter().filter_map(|slot| slot.locked.as_ref()) {
            if locked.created_here {
                self.state.directory.insert(&locked.board);
            }
        }
    }
}

/// The members whose display names a batch may change.
fn labelled(batch: &Batch) -> impl Iterator<Item = &[u8]> {
    batch.intents.iter().filter_map(|intent| match intent {
        Intent::Label { member, .. } => Some(&**member),
        _ => None,
    })
}

/// The distinct board names of a batch, ascending.
fn names_of(batch: &Batch) -> Vec<&[u8]> {
    let mut names: Vec<&[u8]> = Vec::new();
    for intent in &batch.intents {
        let name: &[u8] = match intent {
            Intent::CreateBoard { name, .. } | Intent::DeleteBoard { name } => name,
            Intent::Write { board, .. } | Intent::Remove { board, .. } => board,
            Intent::Label { .. } => continue,
        };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Locks the boards in the order of their ids. `None` if one was deleted or renamed meanwhile.
fn lock_all<'b>(names: &[&'b [u8]], found: Vec<Option<Arc<Board>>>) -> Option<Vec<Slot<'b>>> {
    let mut slots: Vec<Slot<'b>> = names.iter().map(|name| Slot { name, locked: None }).collect();
    let mut existing: Vec<(usize, Arc<Board>)> = found
        .into_iter()
        .enumerate()
        .filter_map(|(slot, board)| board.map(|board| (slot, board)))
        .collect();
    existing.sort_unstable_by_key(|(_, board)| board.id);
    for (slot, board) in existing {
        let body = board.body.write_arc();
        if body.deleted || body.renames != board.renames {
            return None;
        }
        slots[slot].locked = Some(Locked { board, body, created_here: false });
    }
    Some(slots)
}
