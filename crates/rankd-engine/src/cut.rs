//! One consistent view of the whole state at one sequence, taken while writes go on.
//!
//! Beginning a cut is O(1): it closes the gate for an instant, so that no batch is half done, and
//! marks the cut as open. A board is snapshotted when the cut comes to it, or by the first writer
//! that touches it before that. So a cut costs a board's snapshot a board, and never a pause over
//! all of them. Organisations freeze as a whole, which is cheap, while the gate is closed.
//!
//! Invariant: while a cut is open, a board that existed when it began is changed only after its
//! snapshot was taken.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rankd_orgs::{OrgItem, OrgsFrozen};

use crate::board::{Board, Body};
use crate::change::{Change, KeyMemory};
use crate::cow_map::Frozen;
use crate::ids::{BoardId, Name};
use crate::keyspace::KeyspaceFrozen;
use crate::layout::BoardSnapshot;
use crate::rows::{BoardHeader, MemberRow};
use crate::state::{ChangeSink, State};

/// Number of the open cut, and what writers have put aside for it.
#[derive(Default)]
pub(crate) struct CutTable {
    /// 0: no cut is open. Written only while the gate is held exclusively.
    open: AtomicU64,
    /// Boards from this id on are younger than the open cut.
    boards_end: AtomicU64,
    begun: AtomicU64,
    aside: Mutex<HashMap<BoardId, BoardCut>>,
}

impl fmt::Debug for CutTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CutTable").field("open", &self.open).finish_non_exhaustive()
    }
}

impl CutTable {
    /// To be called before the first change of every board in a turn.
    pub(crate) fn before_write(&self, board: &Arc<Board>, body: &mut Body) {
        if self.open.load(Ordering::Acquire) == 0 {
            return;
        }
        if let Some(cut) = self.take_from(board, body) {
            self.aside.lock().insert(board.id, cut);
        }
    }

    /// The board as it was when the open cut began, unless that has been taken already.
    fn take_from(&self, board: &Arc<Board>, body: &mut Body) -> Option<BoardCut> {
        let open = self.open.load(Ordering::Acquire);
        let is_younger = board.id.0 >= self.boards_end.load(Ordering::Acquire);
        if is_younger || body.cut_seen == open {
            return None;
        }
        body.cut_seen = open;
        let snapshot = body.index.snapshot();
        let header = BoardHeader {
            id: board.id,
            name: board.name.clone(),
            definition: board.definition,
            created_ms: board.created_ms,
            changed_ms: body.changed_ms,
            members: snapshot.len() as u64,
        };
        Some(BoardCut { board: Arc::clone(board), header, snapshot, next_position: 0 })
    }
}

/// Another cut is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot is being taken already")]
pub struct CutInProgress;

/// All boards, display names, keys and organisations at one sequence. Dropping it ends the cut.
#[derive(Debug)]
pub struct Cut {
    state: Arc<State>,
    sequence: u64,
    next_board_id: BoardId,
    visited: Option<BoardId>,
    labels: Frozen<Box<str>>,
    keys: Frozen<KeyMemory>,
    keyspace: KeyspaceFrozen,
    orgs: OrgsFrozen,
}

impl State {
    /// Begins a cut at the sink's newest sequence.
    ///
    /// # Errors
    /// If a cut is open already.
    pub fn begin_cut(self: &Arc<Self>, sink: &dyn ChangeSink) -> Result<Cut, CutInProgress> {
        let _alone = self.gate.write();
        if self.cuts.open.load(Ordering::Acquire) != 0 {
            return Err(CutInProgress);
        }
        let next_board_id = self.next_board_id();
        let number = self.cuts.begun.fetch_add(1, Ordering::AcqRel) + 1;
        self.cuts.boards_end.store(next_board_id.0, Ordering::Release);
        self.cuts.open.store(number, Ordering::Release);
        Ok(Cut {
            state: Arc::clone(self),
            sequence: sink.last_sequence(),
            next_board_id,
            visited: None,
            labels: self.labels.freeze(),
            keys: self.keys.freeze(),
            keyspace: self.keyspace.freeze(),
            orgs: self.orgs.freeze(),
        })
    }
}

impl Cut {
    /// Everything up to this sequence is in the cut, nothing after it.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The id that the next board would have had.
    #[must_use]
    pub fn next_board_id(&self) -> BoardId {
        self.next_board_id
    }

    /// The next board, in no particular order; `None` after the last.
    pub fn next_board(&mut self) -> Option<BoardCut> {
        while let Some(board) = self.next_in_directory() {
            self.visited = Some(board.id);
            if let Some(cut) = self.cut_of(&board) {
                return Some(cut);
            }
        }
        // What is left aside was deleted before the cut came to it.
        let mut aside = self.state.cuts.aside.lock();
        let id = aside.keys().next().copied()?;
        aside.remove(&id)
    }

    fn next_in_directory(&self) -> Option<Arc<Board>> {
        let board = self.state.directory.next_by_id(self.visited)?;
        (board.id < self.next_board_id).then_some(board)
    }

    /// The board as of the cut: put aside by a writer, or taken now.
    fn cut_of(&self, board: &Arc<Board>) -> Option<BoardCut> {
        let mut body = board.body.write();
        let taken_now = self.state.cuts.take_from(board, &mut body);
        taken_now.or_else(|| self.state.cuts.aside.lock().remove(&board.id))
    }

    /// The display names, in no particular order.
    pub fn labels(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.labels.iter().map(|(member, label)| (member, &**label))
    }

    /// The idempotency keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = (&Name, &KeyMemory)> {
        self.keys.iter()
    }

    /// The strings, hashes and sets, and the ends of keys, as the changes that make them; boards
    /// come before them.
    pub fn values(&self) -> impl Iterator<Item = Change> {
        self.keyspace.changes()
    }

    /// The next piece of the organisations, in an order in which they can be loaded; `None` after
    /// the last.
    pub fn next_org_item(&mut self) -> Option<OrgItem> {
        self.orgs.next_item()
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let alone = self.state.gate.write();
        self.state.cuts.open.store(0, Ordering::Release);
        let aside = std::mem::take(&mut *self.state.cuts.aside.lock());
        drop(alone);
        // Deleted boards may go with it: nobody waits for the memory to be given back.
        drop(aside);
    }
}

/// One board as of a cut.
#[derive(Debug)]
pub struct BoardCut {
    board: Arc<Board>,
    header: BoardHeader,
    snapshot: BoardSnapshot,
    next_position: usize,
}

impl BoardCut {
    /// The board without its members.
    #[must_use]
    pub fn header(&self) -> &BoardHeader {
        &self.header
    }

    /// Appends the next members, at most `rows_max`, to `out`, in the order of their ranks.
    /// Returns how many; 0 after the last. One turn under the board's lock for reading, so
    /// `rows_max` bounds how long a writer waits.
    pub fn read(&mut self, rows_max: usize, out: &mut Vec<MemberRow>) -> usize {
        let before = out.len();
        let body = self.board.body.read();
        let codec = self.board.codec();
        self.snapshot.read(&body.index, codec, self.next_position, rows_max, out);
        let count = out.len() - before;
        self.next_position += count;
        count
    }
}
