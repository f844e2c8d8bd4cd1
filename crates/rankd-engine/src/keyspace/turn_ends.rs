//! Members that leave their board at a time, within a turn.
//!
//! What it is not: a way to hide them. A member is on the board until a turn ends it, so whoever
//! serves clients ends what is due before it asks. Invariant: a member that is not on its board has
//! no end. Cost: a hash and O(log n) a member.

use crate::change::Change;
use crate::ids::{BoardId, ChangedName, Name};
use crate::keyspace::ends::member_of;
use crate::keyspace::turn::KeyTurn;
use crate::keyspace::value::WrongKind;
use crate::score::Score;

/// Members that are looked at together for whether they have ended.
const DUE_MAX: usize = 256;
/// What taking a member out is in a record beside its name, in bytes; never more.
const REMOVAL_BYTES: usize = 64;

impl KeyTurn<'_> {
    /// When a member leaves the board, in milliseconds since 1970, UTC: `None` if it is not there,
    /// `Some(None)` if never.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn end_of_member(
        &mut self,
        key: &[u8],
        member: &[u8],
    ) -> Result<Option<Option<i64>>, WrongKind> {
        let is_there = self.board(key, |view| view.score(member).is_some())? == Some(true);
        let board = self.state.directory.by_name(key).filter(|_| is_there);
        Ok(board.map(|board| self.state.keyspace.member_ends.get(board.id, member)))
    }

    /// Sets when a member that is on the board leaves it, or that it does not. A time that has come
    /// takes it out. Returns whether it is on the board.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn set_end_of_member(
        &mut self,
        key: &[u8],
        member: &[u8],
        at_ms: Option<i64>,
    ) -> Result<bool, WrongKind> {
        let Some(place) = self.find_board(key)? else { return Ok(false) };
        if at_ms.is_some_and(|at_ms| at_ms <= self.now_ms) {
            return Ok(self.remove_in(place, member));
        }
        let held = &mut self.held[place];
        if held.body.index.get(held.board.codec(), member).is_none() {
            return Ok(false);
        }
        held.body.version += 1;
        let board = held.board.id;
        let member = ChangedName::from_slice(member);
        self.apply(Change::MemberEndSet { board, member, at_ms });
        Ok(true)
    }

    /// Those of these members of a board that have an end, and when.
    pub(super) fn ends_of(&self, board: BoardId, rows: &[(Name, Score)]) -> Vec<(Name, i64)> {
        let ends = &self.state.keyspace.member_ends;
        if !ends.has_some(board) {
            return Vec::new();
        }
        let with_end =
            |(member, _): &(Name, Score)| Some((member.clone(), ends.get(board, member)?));
        rows.iter().filter_map(with_end).collect()
    }

    /// Takes members out whose end has come, the earliest first, until none is left or their names
    /// would take more than `bytes_max` in a record. Returns the name of the board of each.
    pub fn end_members(&mut self, bytes_max: u64) -> Vec<Name> {
        let (mut ended, mut bytes) = (Vec::new(), 0);
        loop {
            let due = self.state.keyspace.member_ends.due(self.now_ms, DUE_MAX);
            if due.is_empty() {
                return ended;
            }
            for name in &due {
                bytes += (REMOVAL_BYTES + name.len()) as u64;
                if bytes > bytes_max {
                    return ended;
                }
                let (board, member) = member_of(name);
                ended.extend(self.end_member(board, member));
            }
        }
    }

    fn end_member(&mut self, board: BoardId, member: &[u8]) -> Option<Name> {
        // Before anything else: whatever is found, it is not due any more.
        self.state.keyspace.member_ends.set(board, member, None);
        let board = self.state.directory.by_id(board)?;
        let name = board.name.clone();
        let place = self.hold(&board);
        self.remove_in(place, member).then_some(name)
    }
}
