//! Filling a state at start: a snapshot in bulk, then the logged changes after it. Organisations
//! load themselves ([`rankd_orgs::Orgs::load`]).

use rank_index::{BuildError, Crew, ScoreKey, ScoreNoteKey, ScoreTieKey, SortedBuilder};
use rankd_orgs::{OrgApplyError, OrgChange};

use crate::board::Board;
use crate::change::{Change, KeyMemory, Record};
use crate::codec::Codec;
use crate::definition::Definition;
use crate::ids::{BoardId, Name};
use crate::layout::{BoardIndex, Layout};
use crate::rows::{BoardHeader, RowRef};
use crate::score::{Score, ScoreKind};
use crate::state::State;

/// Why a logged change does not fit the state: the log is not this snapshot's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The change names a board that never was.
    #[error("record {sequence} changes board {board}, which does not exist")]
    UnknownBoard {
        /// Of the record.
        sequence: u64,
        /// The id.
        board: u64,
    },
    /// The name or id of a new board is taken.
    #[error("record {sequence} creates board {board}, whose id or name is taken")]
    BoardExists {
        /// Of the record.
        sequence: u64,
        /// The id.
        board: u64,
    },
    /// A score of the wrong kind, or NaN.
    #[error("record {sequence} sets a score that board {board} cannot hold")]
    WrongScore {
        /// Of the record.
        sequence: u64,
        /// The id.
        board: u64,
    },
    /// The index does not take the member.
    #[error("record {sequence}, board {board}: {reason}")]
    Index {
        /// Of the record.
        sequence: u64,
        /// The id.
        board: u64,
        /// What the index said.
        reason: String,
    },
    /// The organisations do not take the change.
    #[error("record {sequence}, organisations: {reason}")]
    Orgs {
        /// Of the record.
        sequence: u64,
        /// What they said.
        reason: OrgApplyError,
    },
}

/// Why a board of a snapshot could not be loaded: its rows are not what the header says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("board {board}: {reason}")]
pub struct LoadError {
    /// The id.
    pub board: u64,
    /// What does not fit.
    pub reason: String,
}

impl LoadError {
    fn new(id: BoardId, reason: impl Into<String>) -> Self {
        Self { board: id.0, reason: reason.into() }
    }
}

/// A board on its way into a state: its members are added in the order of their ranks.
///
/// It is in no state before [`State::finish_board`], so that several can be made at once.
#[derive(Debug)]
pub struct BoardLoader {
    header: BoardHeader,
    index: IndexBuilder,
    members: u64,
}

/// The builder of a [`BoardIndex`].
#[derive(Debug)]
enum IndexBuilder {
    Plain(SortedBuilder<ScoreKey>),
    Timed(SortedBuilder<ScoreTieKey>),
    Noted(SortedBuilder<ScoreNoteKey>),
}

impl State {
    /// Applies a logged record; the store calls it once for each, in the order of sequences. It
    /// may do so while cuts are taken: a cut has all of a record or nothing.
    ///
    /// # Errors
    /// If a change does not fit the state, which means that something before it is missing.
    pub fn apply(&self, record: &Record) -> Result<(), ApplyError> {
        let _gate = self.gate.read();
        for change in &record.changes {
            self.apply_change(record, change)?;
        }
        Ok(())
    }

    fn apply_change(&self, record: &Record, change: &Change) -> Result<(), ApplyError> {
        match change {
            Change::BoardCreated { board, name, definition } => {
                self.apply_created(record, *board, name, definition)
            }
            Change::BoardDeleted { board } => {
                self.apply_deleted(*board);
                Ok(())
            }
            Change::MemberSet { board, member, score, at_ms } => {
                self.apply_set(record, *board, member, *score, *at_ms)
            }
            Change::MemberRemoved { board, member } => {
                let board = self.logged_board(record, *board)?;
                let mut body = board.body.write();
                let now_ms = record.accepted_ms;
                let was_there = self.remove_member(&board, &mut body, member, now_ms);
                drop(body);
                self.count_members(0, u64::from(was_there));
                Ok(())
            }
            Change::MemberLabelled { member, label } => {
                self.labels.set(member, label.clone());
                Ok(())
            }
            Change::KeyRemembered { key, memory } => {
                // As when it was accepted; a long log holds far more keys than live at a time.
                self.keys.expire(memory.accepted_ms);
                self.keys.remember(key, memory.clone());
                Ok(())
            }
            Change::Orgs(change) => self.apply_orgs(record, change),
            Change::BoardRenamed { board, name } => self.apply_renamed(record, *board, name),
            Change::TextSet { .. }
            | Change::FieldSet { .. }
            | Change::FieldRemoved { .. }
            | Change::ElementAdded { .. }
            | Change::ElementRemoved { .. }
            | Change::ValueRemoved { .. }
            | Change::ValueRenamed { .. }
            | Change::EndSet { .. }
            | Change::MemberEndSet { .. } => {
                self.keyspace.apply(change);
                Ok(())
            }
        }
    }

    fn apply_renamed(&self, record: &Record, id: BoardId, name: &Name) -> Result<(), ApplyError> {
        let board = self.logged_board(record, id)?;
        if let Some(other) = self.directory.by_name(name) {
            let is_same = other.id == id;
            let error = ApplyError::BoardExists { sequence: record.sequence, board: id.0 };
            return is_same.then_some(()).ok_or(error);
        }
        self.directory.remove(&board);
        self.directory.insert(&board.renamed(name.clone()));
        Ok(())
    }

    fn apply_orgs(&self, record: &Record, change: &OrgChange) -> Result<(), ApplyError> {
        let sequence = record.sequence;
        let applied = self.orgs.apply(change, record.accepted_ms);
        applied.map_err(|reason| ApplyError::Orgs { sequence, reason })
    }

    fn apply_created(
        &self,
        record: &Record,
        id: BoardId,
        name: &Name,
        definition: &Definition,
    ) -> Result<(), ApplyError> {
        if let Some(board) = self.directory.by_id(id) {
            let is_same = board.name == *name && board.definition == *definition;
            let error = ApplyError::BoardExists { sequence: record.sequence, board: id.0 };
            return is_same.then_some(()).ok_or(error);
        }
        if self.directory.by_name(name).is_some() {
            return Err(ApplyError::BoardExists { sequence: record.sequence, board: id.0 });
        }
        let at_ms = record.accepted_ms;
        let index = BoardIndex::new(definition);
        self.directory.insert(&Board::new(id, name.clone(), *definition, index, at_ms, at_ms));
        self.retire_board_id(id);
        Ok(())
    }

    fn apply_deleted(&self, id: BoardId) {
        let Some(board) = self.directory.by_id(id) else { return };
        let mut body = board.body.write();
        self.retire_board(&board, &mut body);
        self.count_members(0, body.index.len() as u64);
        self.directory.remove(&board);
        self.keyspace.set_end(&board.name, None);
    }

    fn apply_set(
        &self,
        record: &Record,
        id: BoardId,
        member: &[u8],
        score: Score,
        at_ms: i64,
    ) -> Result<(), ApplyError> {
        let sequence = record.sequence;
        let board = self.logged_board(record, id)?;
        if !fits(score, board.definition.score) {
            return Err(ApplyError::WrongScore { sequence, board: id.0 });
        }
        let mut body = board.body.write();
        self.cuts.before_write(&board, &mut body);
        let set = body.set(&board, member, score, at_ms, record.accepted_ms);
        drop(body);
        let is_new = set.map_err(|error| {
            let reason = error.to_string();
            ApplyError::Index { sequence, board: id.0, reason }
        })?;
        self.count_members(u64::from(is_new), 0);
        Ok(())
    }

    fn logged_board(
        &self,
        record: &Record,
        id: BoardId,
    ) -> Result<std::sync::Arc<Board>, ApplyError> {
        let error = ApplyError::UnknownBoard { sequence: record.sequence, board: id.0 };
        self.directory.by_id(id).ok_or(error)
    }

    /// Makes sure that ids below `id` are not given out again.
    pub fn load_next_board_id(&self, id: BoardId) {
        if id.0 > 0 {
            self.retire_board_id(BoardId(id.0 - 1));
        }
    }

    /// Takes over a board whose members are all there. The hands of `crew` work on it together.
    ///
    /// # Errors
    /// If a member is there twice, there are not as many as announced, or the board's id or name
    /// is taken.
    pub fn finish_board(&self, loader: BoardLoader, crew: &dyn Crew) -> Result<(), LoadError> {
        let BoardLoader { header, index, members } = loader;
        let BoardHeader { id, name, definition, created_ms, changed_ms, .. } = header;
        if self.directory.by_id(id).is_some() || self.directory.by_name(&name).is_some() {
            return Err(LoadError::new(id, "its id or name is taken"));
        }
        if members != header.members {
            let reason = format!("{} members announced, {members} found", header.members);
            return Err(LoadError::new(id, reason));
        }
        let index = index.finish(crew).map_err(|error| LoadError::new(id, error.to_string()))?;
        self.directory.insert(&Board::new(id, name, definition, index, created_ms, changed_ms));
        self.retire_board_id(id);
        self.count_members(members, 0);
        Ok(())
    }

    /// Loads a piece of the keyspace, which is a change that makes it.
    pub fn load_value(&self, change: &Change) {
        self.keyspace.apply(change);
    }

    /// Loads a display name.
    pub fn load_label(&self, member: &Name, label: Box<str>) {
        self.labels.set(member, Some(label));
    }

    /// Loads idempotency keys, in any order.
    pub fn load_keys(&self, keys: impl IntoIterator<Item = (Name, KeyMemory)>) {
        for (key, memory) in keys {
            self.keys.remember(&key, memory);
        }
        self.keys.sort_by_age();
    }
}

impl BoardLoader {
    /// A board without members so far.
    #[must_use]
    pub fn new(header: BoardHeader) -> Self {
        let index = match BoardIndex::new(&header.definition) {
            BoardIndex::Plain(_) => IndexBuilder::Plain(SortedBuilder::new()),
            BoardIndex::Timed(_) => IndexBuilder::Timed(SortedBuilder::new()),
            BoardIndex::Noted(_) => IndexBuilder::Noted(SortedBuilder::new()),
        };
        Self { header, index, members: 0 }
    }

    /// Members that the header announced and that have not come yet.
    #[must_use]
    pub fn members_left(&self) -> u64 {
        self.header.members.saturating_sub(self.members)
    }

    /// Adds members behind all others. O(1) each.
    ///
    /// # Errors
    /// If a member is out of order, has a score of the wrong kind, or breaks a limit.
    pub fn push<'a>(
        &mut self,
        rows: impl IntoIterator<Item = RowRef<'a>>,
    ) -> Result<(), LoadError> {
        let definition = self.header.definition;
        let pushed = match &mut self.index {
            IndexBuilder::Plain(builder) => push(builder, definition, rows),
            IndexBuilder::Timed(builder) => push(builder, definition, rows),
            IndexBuilder::Noted(builder) => push(builder, definition, rows),
        };
        self.members += pushed.map_err(|reason| LoadError::new(self.header.id, reason))?;
        Ok(())
    }
}

/// [`BoardLoader::push`] for one layout. Returns how many rows there were.
fn push<'a, K: Layout>(
    builder: &mut SortedBuilder<K>,
    definition: Definition,
    rows: impl IntoIterator<Item = RowRef<'a>>,
) -> Result<u64, String> {
    let codec = Codec(definition);
    let before = builder.len();
    for row in rows {
        if !fits(row.score, definition.score) {
            return Err("a score is not of the board's kind".to_owned());
        }
        let key = K::pack(codec, row.score, row.at_ms.unwrap_or(0));
        builder.push(key, row.member).map_err(|error| error.to_string())?;
    }
    Ok((builder.len() - before) as u64)
}

impl IndexBuilder {
    fn finish(self, crew: &dyn Crew) -> Result<BoardIndex, BuildError> {
        Ok(match self {
            Self::Plain(builder) => BoardIndex::Plain(builder.finish(crew)?),
            Self::Timed(builder) => BoardIndex::Timed(builder.finish(crew)?),
            Self::Noted(builder) => BoardIndex::Noted(builder.finish(crew)?),
        })
    }
}

/// Whether a stored score is of this kind, as everything that was resolved is.
fn fits(score: Score, kind: ScoreKind) -> bool {
    match (score, kind) {
        (Score::Integer(_), ScoreKind::Integer) => true,
        (Score::Float(x), ScoreKind::Float) => !x.is_nan(),
        _ => false,
    }
}
