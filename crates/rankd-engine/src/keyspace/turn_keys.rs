//! Keys as such within a turn: which there are, what they hold, when they end.

use crate::board::Board;
use crate::change::Change;
use crate::ids::{BoardId, Name};
use crate::keyspace::turn::KeyTurn;
use crate::keyspace::turn_boards::{Mark, SetError};
use crate::keyspace::value::KeyKind;
use crate::keyspace::{Entry, changes_of};
use crate::score::Score;

/// Set in the cursors of scans that have come to the values: boards come first.
const VALUES_CURSOR: u64 = 1 << 52;

/// What a change takes in a record beside its names, in bytes; more than any of them does.
const CHANGE_BYTES: u64 = 56;

impl KeyTurn<'_> {
    /// What the key holds; `None` if it does not exist.
    pub fn kind(&mut self, key: &[u8]) -> Option<KeyKind> {
        match self.board(key, |_| ()) {
            Ok(Some(())) => Some(KeyKind::Board),
            Ok(None) => None,
            Err(_wrong) => self.state.keyspace.get(key).map(|entry| entry.value.kind()),
        }
    }

    /// Deletes the key if its end has come.
    pub(super) fn end_if_due(&mut self, key: &[u8]) {
        if self.state.keyspace.ends_count() > 0 && self.has_ended(key) {
            self.delete_as_it_is(key);
        }
    }

    /// When the key ends, in milliseconds since 1970, UTC; `None`: never, or there is no such key.
    pub fn end_of(&mut self, key: &[u8]) -> Option<i64> {
        let end_ms = self.state.keyspace.end_ms(key)?;
        self.kind(key).map(|_| end_ms)
    }

    /// Sets when an existing key ends, or that it does not. A time that has come deletes the key.
    pub fn set_end(&mut self, key: &[u8], at_ms: Option<i64>) {
        if at_ms.is_some_and(|at_ms| at_ms <= self.now_ms) {
            self.delete(key);
        } else {
            self.apply(Change::EndSet { key: key.into(), at_ms });
        }
    }

    /// Deletes the key. Returns whether it was there.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let is_there = self.kind(key).is_some();
        if is_there {
            self.delete_as_it_is(key);
        }
        is_there
    }

    fn delete_as_it_is(&mut self, key: &[u8]) {
        if self.state.keyspace.get(key).is_some() {
            self.apply(Change::ValueRemoved { key: key.into() });
        } else if let Some(board) = self.state.directory.by_name(key) {
            let place = self.hold(&board);
            self.delete_board(place);
        } else {
            self.apply(Change::EndSet { key: key.into(), at_ms: None });
        }
    }

    /// Deletes every key.
    pub fn delete_all(&mut self) {
        for (_, name) in self.state.keyspace.names_from(0, usize::MAX) {
            self.apply(Change::ValueRemoved { key: name });
        }
        let mut last = None;
        while let Some(board) = self.state.directory.next_by_id(last) {
            last = Some(board.id);
            let place = self.hold(&board);
            self.delete_board(place);
        }
    }

    /// Gives what one key holds, with its end, to another key, which loses what it held.
    /// Returns whether there was something.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> bool {
        let Some(kind) = self.kind(from) else { return false };
        if from == to {
            return true;
        }
        let end_ms = self.end_of(from);
        self.delete_as_it_is(to);
        if kind == KeyKind::Board {
            if let Ok(Some(place)) = self.find_board(from) {
                self.rename_board(place, to);
            }
        } else {
            self.apply(Change::ValueRenamed { from: from.into(), to: to.into() });
        }
        if end_ms.is_some() {
            self.apply(Change::EndSet { key: from.into(), at_ms: None });
            self.apply(Change::EndSet { key: to.into(), at_ms: end_ms });
        }
        true
    }

    /// Copies what one key holds, with its end, to another key, which loses what it held. Returns
    /// whether there was something; `None` if it is too much for one turn.
    pub fn copy(&mut self, from: &[u8], to: &[u8]) -> Option<bool> {
        let Some(kind) = self.kind(from) else { return Some(false) };
        let end_ms = self.end_of(from);
        let copied = match kind {
            KeyKind::Board => self.copy_board(from, to),
            _ => self.copy_value(from, to),
        };
        if copied && end_ms.is_some() {
            self.apply(Change::EndSet { key: to.into(), at_ms: end_ms });
        }
        copied.then_some(true)
    }

    fn copy_value(&mut self, from: &[u8], to: &[u8]) -> bool {
        let Some(entry) = self.state.keyspace.get(from) else { return true };
        let Entry { value, .. } = &*entry;
        let target: Name = to.into();
        let changes: Vec<Change> = changes_of(&target, value).collect();
        if !self.take_room(changes.iter().map(|change| change_bytes(change, to)).sum()) {
            return false;
        }
        self.delete_as_it_is(to);
        changes.into_iter().for_each(|change| self.apply(change));
        true
    }

    fn copy_board(&mut self, from: &[u8], to: &[u8]) -> bool {
        let Ok(Some(place)) = self.find_board(from) else { return true };
        let board = &self.held[place].board;
        let (id, definition) = (board.id, board.definition);
        let rows = self.board(from, |view| {
            let mut rows: Vec<(Name, Score)> = Vec::with_capacity(view.len());
            view.each(0..view.len(), false, |member, score| rows.push((member.into(), score)));
            rows
        });
        let rows = rows.ok().flatten().unwrap_or_default();
        let ends = self.ends_of(id, &rows);
        let bytes = ends.iter().map(|(member, _)| CHANGE_BYTES + member.len() as u64).sum();
        if !self.take_room(bytes) || self.fill(to, definition, rows).is_err() {
            return false;
        }
        for (member, end_ms) in ends {
            // It was put there just now.
            let _is_there = self.set_end_of_member(to, &member, Some(end_ms));
        }
        true
    }

    /// Makes the key a board of exactly these members, whatever it held before; without members,
    /// there is no key afterwards.
    ///
    /// # Errors
    /// If that is too much for one turn or a name is too long; nothing has changed then.
    pub fn fill(
        &mut self,
        key: &[u8],
        definition: crate::definition::Definition,
        rows: Vec<(Name, Score)>,
    ) -> Result<(), SetError> {
        let bytes = rows.iter().map(|(member, _)| CHANGE_BYTES + member.len() as u64).sum();
        if !self.take_room(bytes) {
            return Err(SetError::Full("the limit of what one turn can write"));
        }
        self.delete_as_it_is(key);
        if rows.is_empty() {
            return Ok(());
        }
        self.create_board(key, definition)?;
        for (member, score) in rows {
            self.set_member(key, &member, score)?;
        }
        Ok(())
    }

    /// Makes the key a set of exactly these elements, whatever it held before.
    ///
    /// # Errors
    /// If that is too much for one turn; nothing has changed then.
    pub fn fill_set(&mut self, key: &[u8], elements: Vec<Name>) -> Result<(), SetError> {
        let names = |element: &Name| CHANGE_BYTES + (element.len() + key.len()) as u64;
        if !self.take_room(elements.iter().map(names).sum()) {
            return Err(SetError::Full("the limit of what one turn can write"));
        }
        self.delete_as_it_is(key);
        for element in elements {
            self.apply(Change::ElementAdded { key: key.into(), element });
        }
        Ok(())
    }

    /// Takes all of these members, which are on the board, out of it. Returns whether there was
    /// room for that in the turn.
    #[must_use]
    pub fn remove_members(&mut self, key: &[u8], members: &[Name]) -> bool {
        let bytes = members.iter().map(|member| CHANGE_BYTES + member.len() as u64).sum();
        let all = self.board(key, |view| view.len() == members.len());
        if all == Ok(Some(true)) && self.is_redis_board(key) {
            self.delete(key);
            return true;
        }
        if !self.take_room(bytes) {
            return false;
        }
        for member in members {
            let _was_there = self.remove_member(key, member);
        }
        true
    }

    fn is_redis_board(&self, key: &[u8]) -> bool {
        let board = self.state.directory.by_name(key);
        board.is_some_and(|board| board.definition == super::redis_definition())
    }

    /// Number of keys, those included whose end has come but that nobody asked for since, and
    /// boards without members.
    #[must_use]
    pub fn keys_count(&self) -> usize {
        self.state.directory.len() + self.state.keyspace.values_count()
    }

    /// Number of keys that end.
    #[must_use]
    pub fn ends_count(&self) -> usize {
        self.state.keyspace.ends_count()
    }

    /// Up to `count` keys from `cursor` on that have members, in no order that means anything, and
    /// the next cursor, 0 at the end. What is there all the time is shown once.
    pub fn scan(&mut self, cursor: u64, count: usize) -> (u64, Vec<Name>) {
        let mut names = Vec::new();
        if cursor < VALUES_CURSOR {
            let mut last = cursor.checked_sub(1).map(BoardId);
            while let Some(board) = self.state.directory.next_by_id(last) {
                if names.len() >= count {
                    return (board.id.0, names);
                }
                last = Some(board.id);
                if self.is_seen(&board) {
                    names.push(board.name.clone());
                }
            }
        }
        let from = cursor.saturating_sub(VALUES_CURSOR);
        let left = count.saturating_sub(names.len());
        let mut values = self.state.keyspace.names_from(from, left.saturating_add(1));
        let next = if values.len() > left {
            values.pop().map_or(0, |(id, _)| VALUES_CURSOR + id)
        } else {
            0
        };
        names.extend(values.into_iter().map(|(_, name)| name));
        names.retain(|name| !self.has_ended(name));
        (next, names)
    }

    /// Whether the board has members.
    fn is_seen(&self, board: &Board) -> bool {
        match self.places.get(&board.id) {
            Some(place) => self.held[*place].body.index.len() > 0,
            None => board.body.read().index.len() > 0,
        }
    }

    /// What tells a later turn whether the key was changed in between.
    pub fn mark(&mut self, key: &[u8]) -> Mark {
        let end_ms = self.end_of(key);
        if let Some(entry) = self.state.keyspace.get(key).filter(|_| !self.has_ended(key)) {
            return Mark(Some((1, entry.id, entry.version)), end_ms);
        }
        if self.kind(key).is_none() {
            return Mark(None, None);
        }
        let Some(board) = self.state.directory.by_name(key) else { return Mark(None, None) };
        let version = match self.places.get(&board.id) {
            Some(place) => self.held[*place].body.version,
            None => board.body.read().version,
        };
        Mark(Some((0, board.id.0, version)), end_ms)
    }

    /// Bytes of memory that the key occupies, about.
    pub fn memory_bytes(&mut self, key: &[u8]) -> Option<usize> {
        match self.board(key, |view| view.memory_bytes()) {
            Ok(found) => found,
            Err(_wrong) => {
                let entry = self.state.keyspace.get(key)?;
                let name: Name = key.into();
                let content = changes_of(&name, &entry.value).map(|c| change_bytes(&c, key));
                usize::try_from(content.sum::<u64>()).ok()
            }
        }
    }
}

/// What a change that makes a value takes in a record, about; never less.
fn change_bytes(change: &Change, key: &[u8]) -> u64 {
    let content = match change {
        Change::TextSet { text, .. } => text.len(),
        Change::FieldSet { field, value, .. } => field.len() + value.len(),
        Change::ElementAdded { element, .. } => element.len(),
        _ => 0,
    };
    CHANGE_BYTES + (content + key.len()) as u64
}
