//! Boards within a turn over keys.
//!
//! A board that Redis clients made vanishes with its last member, as theirs do. One that was made
//! with another definition stays; without members, this protocol does not see it.

use std::sync::Arc;

use crate::board::{Board, Body};
use crate::change::Change;
use crate::codec::Codec;
use crate::definition::{Definition, Operator, Order, Ties};
use crate::ids::{ChangedName, Name};
use crate::keyspace::turn::KeyTurn;
use crate::keyspace::value::WrongKind;
use crate::keyspace::view::BoardView;
use crate::layout::BoardIndex;
use crate::limits::{BOARDS_MAX, NAME_BYTES_MAX};
use crate::score::{Score, ScoreError, ScoreKind};

/// What a board is that a Redis client makes.
#[must_use]
pub fn redis_definition() -> Definition {
    Definition {
        order: Order::Ascending,
        score: ScoreKind::Float,
        operator: Operator::Latest,
        ties: Ties::Member,
        keep_at: false,
    }
}

/// What setting a member came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetDone {
    /// It was not on the board.
    Added,
    /// It had another score.
    Moved,
    /// It had this score.
    Same,
}

/// Why a member was not set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// The key holds something else.
    #[error(transparent)]
    WrongKind(#[from] WrongKind),
    /// The score does not fit the board.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// A name is too long.
    #[error("a key or member has {0} bytes, the limit is {NAME_BYTES_MAX}")]
    NameTooLong(usize),
    /// The store holds as many boards as it may, or the board as many members.
    #[error("{0} is reached")]
    Full(&'static str),
}

/// What tells whether a key was changed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(pub(super) Option<(u64, u64, u64)>, pub(super) Option<i64>);

const FULL: SetError = SetError::Full("the limit of members of a board");

impl KeyTurn<'_> {
    /// Shows the board of this key to `read`; `None` if there is no board with members.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn board<R>(
        &mut self,
        key: &[u8],
        read: impl FnOnce(BoardView<'_>) -> R,
    ) -> Result<Option<R>, WrongKind> {
        if self.is_alone {
            let Some(place) = self.find_board(key)? else { return Ok(None) };
            let held = &self.held[place];
            return Ok(seen(&held.board, &held.body).map(read));
        }
        if self.has_ended(key) {
            return Ok(None);
        }
        loop {
            let Some(board) = self.state.directory.by_name(key) else {
                return self.no_value(key).map(|()| None);
            };
            let body = board.body.read();
            if !body.deleted && body.renames == board.renames {
                return Ok(seen(&board, &body).map(read));
            }
        }
    }

    /// That the key holds no value.
    fn no_value(&self, key: &[u8]) -> Result<(), WrongKind> {
        self.state.keyspace.get(key).map_or(Ok(()), |_value| Err(WrongKind))
    }

    /// The board's place among those held. Ended keys are deleted on the way.
    pub(super) fn find_board(&mut self, key: &[u8]) -> Result<Option<usize>, WrongKind> {
        self.end_if_due(key);
        if let Some(place) = self.last {
            let held = &self.held[place];
            if *held.board.name == *key && !held.body.deleted {
                return Ok(Some(place));
            }
        }
        let Some(board) = self.state.directory.by_name(key) else {
            return self.no_value(key).map(|()| None);
        };
        let place = self.hold(&board);
        self.last = Some(place);
        Ok(Some(place))
    }

    /// Sets the member's score, on a board that is made if need be.
    ///
    /// # Errors
    /// [`SetError`]; nothing has changed then.
    pub fn set_member(
        &mut self,
        key: &[u8],
        member: &[u8],
        score: Score,
    ) -> Result<SetDone, SetError> {
        let place = match self.find_board(key)? {
            Some(place) => place,
            None => {
                check_length(member)?;
                score.into_kind(ScoreKind::Float)?;
                self.create_board(key, redis_definition())?
            }
        };
        self.set_in(place, member, score)
    }

    fn set_in(&mut self, place: usize, member: &[u8], score: Score) -> Result<SetDone, SetError> {
        check_length(member)?;
        let held = &mut self.held[place];
        let (board, body) = (&held.board, &mut *held.body);
        let score = score.into_kind(board.definition.score)?;
        self.state.cuts.before_write(board, body);
        let put = body.index.put(board.codec(), member, score, self.now_ms);
        let previous = put.map_err(|_full| FULL)?;
        Ok(self.was_put(place, member, previous, score))
    }

    /// Sets the member's score to what `change` makes of the one that it has, on a board that is
    /// made if need be. The score and what it came to; nothing where `change` says `None`.
    ///
    /// # Errors
    /// [`SetError`], or what `change` says; nothing has changed then.
    pub fn update_member<E: From<SetError>>(
        &mut self,
        key: &[u8],
        member: &[u8],
        change: impl FnOnce(Option<Score>) -> Result<Option<Score>, E>,
    ) -> Result<Option<(Score, SetDone)>, E> {
        if member.len() <= NAME_BYTES_MAX
            && let Some(place) = self.find_board(key).map_err(SetError::from)?
        {
            return self.update_in(place, member, change);
        }
        let Some(score) = change(None)? else { return Ok(None) };
        let score = score.into_kind(redis_definition().score).map_err(SetError::from)?;
        Ok(Some((score, self.set_member(key, member, score)?)))
    }

    fn update_in<E: From<SetError>>(
        &mut self,
        place: usize,
        member: &[u8],
        change: impl FnOnce(Option<Score>) -> Result<Option<Score>, E>,
    ) -> Result<Option<(Score, SetDone)>, E> {
        let held = &mut self.held[place];
        let (board, body) = (&held.board, &mut *held.body);
        self.state.cuts.before_write(board, body);
        let mut new = Ok(None);
        let kind = board.definition.score;
        let put = body.index.update(board.codec(), member, self.now_ms, |stored| {
            new = change(stored).and_then(|new| {
                let fits = new.map(|new| new.into_kind(kind)).transpose();
                fits.map_err(|error| SetError::from(error).into())
            });
            *new.as_ref().ok()?
        });
        let previous = put.map_err(|_full| FULL)?;
        Ok(new?.map(|score| (score, self.was_put(place, member, previous, score))))
    }

    /// Puts on record that the member has this score now. Returns what that came to.
    fn was_put(
        &mut self,
        place: usize,
        member: &[u8],
        previous: Option<Score>,
        score: Score,
    ) -> SetDone {
        let done = match previous {
            None => SetDone::Added,
            Some(previous) if previous == score => return SetDone::Same,
            Some(_) => SetDone::Moved,
        };
        let held = &mut self.held[place];
        held.body.changed_ms = self.now_ms;
        held.body.version += 1;
        self.added += u64::from(done == SetDone::Added);
        let board = held.board.id;
        let member = ChangedName::from_slice(member);
        self.record(Change::MemberSet { board, member, score, at_ms: self.now_ms });
        done
    }

    /// Makes a board where no key is.
    pub(super) fn create_board(
        &mut self,
        key: &[u8],
        definition: Definition,
    ) -> Result<usize, SetError> {
        check_length(key)?;
        if self.state.directory.len() >= BOARDS_MAX {
            return Err(SetError::Full("the limit of boards"));
        }
        let id = self.state.take_board_id();
        let name: Name = key.into();
        let index = BoardIndex::new(&definition);
        let board = Board::new(id, name.clone(), definition, index, self.now_ms, self.now_ms);
        self.record(Change::BoardCreated { board: id, name, definition });
        let body = board.body.write_arc();
        self.state.directory.insert(&board);
        let place = self.push_held(board, body);
        self.last = Some(place);
        Ok(place)
    }

    /// Makes sure that the key holds a board. Returns what board that is: of this definition if
    /// there was none.
    ///
    /// # Errors
    /// [`SetError`]; nothing has changed then.
    pub fn create(&mut self, key: &[u8], definition: Definition) -> Result<Definition, SetError> {
        let place = match self.find_board(key)? {
            Some(place) => place,
            None => self.create_board(key, definition)?,
        };
        Ok(self.held[place].board.definition)
    }

    /// Takes the member out of the board. Returns whether it was there.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn remove_member(&mut self, key: &[u8], member: &[u8]) -> Result<bool, WrongKind> {
        let Some(place) = self.find_board(key)? else { return Ok(false) };
        Ok(self.remove_in(place, member))
    }

    /// Takes the member out of a board that is held. Returns whether it was there.
    pub(super) fn remove_in(&mut self, place: usize, member: &[u8]) -> bool {
        let held = &mut self.held[place];
        if held.body.index.get(held.board.codec(), member).is_none() {
            return false;
        }
        self.state.remove_member(&held.board, &mut held.body, member, self.now_ms);
        let (board, is_empty) = (held.board.id, held.body.index.len() == 0);
        self.removed += 1;
        self.record(Change::MemberRemoved { board, member: member.into() });
        if is_empty {
            self.board_emptied(place);
        }
        true
    }

    /// What becomes of a board without members.
    fn board_emptied(&mut self, place: usize) {
        let board = Arc::clone(&self.held[place].board);
        if board.definition == redis_definition() {
            self.delete_board(place);
        } else if self.state.keyspace.end_ms(&board.name).is_some() {
            self.apply(Change::EndSet { key: board.name.clone(), at_ms: None });
        }
    }

    pub(super) fn delete_board(&mut self, place: usize) {
        let held = &mut self.held[place];
        self.state.retire_board(&held.board, &mut held.body);
        self.removed += held.body.index.len() as u64;
        let board = Arc::clone(&held.board);
        self.state.directory.remove(&board);
        self.state.keyspace.set_end(&board.name, None);
        self.places.remove(&board.id);
        self.last = None;
        self.record(Change::BoardDeleted { board: board.id });
    }

    /// Gives a board another name, which nothing has.
    pub(super) fn rename_board(&mut self, place: usize, to: &[u8]) {
        let held = &mut self.held[place];
        self.state.cuts.before_write(&held.board, &mut held.body);
        held.body.renames += 1;
        held.body.version += 1;
        let (before, renames) = (Arc::clone(&held.board), held.body.renames);
        held.board = before.with_name(to.into(), renames);
        let renamed = Arc::clone(&held.board);
        self.state.directory.remove(&before);
        self.state.directory.insert(&renamed);
        self.record(Change::BoardRenamed { board: renamed.id, name: renamed.name.clone() });
    }
}

/// The view of a board that clients of Redis see: one with members.
fn seen<'b>(board: &Board, body: &'b Body) -> Option<BoardView<'b>> {
    let view = BoardView { index: &body.index, codec: Codec(board.definition) };
    (!view.is_empty()).then_some(view)
}

fn check_length(name: &[u8]) -> Result<(), SetError> {
    match name.len() {
        bytes if bytes > NAME_BYTES_MAX => Err(SetError::NameTooLong(bytes)),
        _ => Ok(()),
    }
}
