//! One turn over keys: a procedure of a front end that reads and writes keys as it goes.
//!
//! A turn that may write is alone: no batch runs meanwhile, so it may take the boards in whatever
//! order it meets them, and everything it did is one record. A turn that only reads shares the gate
//! with other such turns and with batches; each of its reads is atomic by itself.
//!
//! Invariant: what is held is given back after the record was appended, and a board is in the
//! directory exactly while it exists for the turn. Cost: a hash a key, then that of what is done.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use rankd_lock::ArcWriteGuard;

use crate::board::{Board, Body};
use crate::change::Change;
use crate::ids::{BoardId, Name};
use crate::state::{ChangeSink, State};
use crate::storage::Receipt;

/// Something that a front end does to keys in one turn.
pub trait Procedure: Any + Send {
    /// Upper bound of what was sent for it in bytes: its place in the store's queue.
    fn bytes_max(&self) -> u64;

    /// Does it. It must not block.
    fn run(&mut self, turn: &mut KeyTurn<'_>);
}

/// A board that this turn may write to.
pub(super) struct Held {
    pub(super) board: Arc<Board>,
    pub(super) body: ArcWriteGuard<Body>,
}

/// Keys, for the time of one turn.
pub struct KeyTurn<'s> {
    pub(super) state: &'s State,
    pub(super) now_ms: i64,
    pub(super) is_alone: bool,
    pub(super) held: Vec<Held>,
    pub(super) places: HashMap<BoardId, usize, foldhash::fast::RandomState>,
    /// The place in `held` of the board that was looked at last.
    pub(super) last: Option<usize>,
    pub(super) changes: Vec<Change>,
    pub(super) bulk_bytes: u64,
    pub(super) added: u64,
    pub(super) removed: u64,
}

impl State {
    /// Runs a procedure that may write, and appends what it did as one record.
    pub fn transact(
        &self,
        procedure: &mut dyn Procedure,
        now_ms: i64,
        sink: &dyn ChangeSink,
    ) -> Receipt<()> {
        let alone = self.gate.write();
        let mut turn = KeyTurn::new(self, now_ms, true);
        procedure.run(&mut turn);
        let changes = std::mem::take(&mut turn.changes);
        let sequence = match changes.is_empty() {
            true => sink.last_sequence(),
            false => sink.append(now_ms, changes),
        };
        self.count_members(turn.added, turn.removed);
        let leftovers = turn.finish();
        drop(alone);
        // Only now that everybody else may go on: a large board takes its time.
        drop(leftovers);
        Receipt { sequence, answer: () }
    }

    /// Runs `read`, which must not write, among others.
    pub fn read_keys<R>(&self, now_ms: i64, read: impl FnOnce(&mut KeyTurn<'_>) -> R) -> R {
        let _gate = self.gate.read();
        read(&mut KeyTurn::new(self, now_ms, false))
    }
}

impl<'s> KeyTurn<'s> {
    fn new(state: &'s State, now_ms: i64, is_alone: bool) -> Self {
        Self {
            state,
            now_ms,
            is_alone,
            held: Vec::new(),
            places: HashMap::default(),
            last: None,
            changes: Vec::new(),
            bulk_bytes: 0,
            added: 0,
            removed: 0,
        }
    }

    /// The time of the turn, in milliseconds since 1970, UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// How many changes were made so far: more after a call than before it if it changed anything.
    #[must_use]
    pub fn changes_count(&self) -> usize {
        self.changes.len()
    }

    /// Puts a change on record. Only turns that are alone come here.
    pub(super) fn record(&mut self, change: Change) {
        debug_assert!(self.is_alone, "a turn that writes is alone");
        self.changes.push(change);
    }

    /// Does a change to values or ends, and puts it on record.
    pub(super) fn apply(&mut self, change: Change) {
        self.state.keyspace.apply(&change);
        self.record(change);
    }

    /// Takes `bytes` from what one turn may add beyond what was sent for it; false if that is
    /// more than [`crate::limits::TURN_BULK_BYTES_MAX`]. To be asked before an operation whose
    /// result is not bounded by its arguments.
    #[must_use]
    pub fn take_room(&mut self, bytes: u64) -> bool {
        let after = self.bulk_bytes.saturating_add(bytes);
        let has_room = after <= crate::limits::TURN_BULK_BYTES_MAX;
        if has_room {
            self.bulk_bytes = after;
        }
        has_room
    }

    /// Holds a board for the rest of the turn. Returns its place.
    pub(super) fn hold(&mut self, board: &Arc<Board>) -> usize {
        if let Some(place) = self.places.get(&board.id) {
            return *place;
        }
        let body = board.body.write_arc();
        self.push_held(Arc::clone(board), body)
    }

    pub(super) fn push_held(&mut self, board: Arc<Board>, body: ArcWriteGuard<Body>) -> usize {
        let place = self.held.len();
        self.places.insert(board.id, place);
        self.held.push(Held { board, body });
        place
    }

    /// Gives everything back. What was deleted is freed by whoever drops the result.
    fn finish(self) -> Vec<Arc<Board>> {
        let deleted = self.held.into_iter().filter_map(|held| {
            let is_deleted = held.body.deleted;
            is_deleted.then_some(held.board)
        });
        deleted.collect()
    }

    /// Whether the key's end has come.
    pub(super) fn has_ended(&self, key: &[u8]) -> bool {
        self.state.keyspace.end_ms(key).is_some_and(|end_ms| end_ms <= self.now_ms)
    }

    /// Keys whose end has come, the earliest first; they are gone for everybody who asks by name.
    #[must_use]
    pub fn ended_keys(&self, keys_max: usize) -> Vec<Name> {
        self.state.keyspace.due(self.now_ms, keys_max)
    }
}
