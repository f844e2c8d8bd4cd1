//! Keys of the Redis protocol beside boards: strings, hashes and sets, and when keys end.
//!
//! What it is not: aware of boards' members, or of a protocol. A key is a board or a value, never
//! both: whoever makes one looks for the other, with the gate shared and the creation lock held, or
//! with the gate alone. Invariant: values and ends are what the changes say ([`Keyspace::apply`] is
//! the only way in); no value is empty. Its locks are the innermost: nothing else is taken under
//! them. Cost: a hash and O(log n) within the value.

mod bag;
mod ends;
mod turn;
mod turn_boards;
mod turn_ends;
mod turn_keys;
mod turn_values;
mod value;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::change::Change;
use crate::cow_map::{CowMap, Frozen};
use crate::ids::{ChangedName, Name};
use crate::keyspace::ends::{Ends, MemberEnds, member_of};

pub use bag::{Bag, SMALL_MAX};
pub use turn::{KeyTurn, Procedure};
pub use turn_boards::{Mark, SetDone, SetError, redis_definition};
pub use value::{KeyKind, Value, WrongKind};
pub use view::{BoardView, LexBound, ScoreBound};

/// A value with what tells it from others.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Where scans meet it; stays as long as the value.
    pub(crate) id: u64,
    /// Differs after every change.
    pub(crate) version: u64,
    pub(crate) value: Value,
}

/// All values, and when keys and members of boards end.
#[derive(Debug)]
pub(crate) struct Keyspace {
    values: CowMap<Arc<Entry>>,
    by_id: Mutex<BTreeMap<u64, Name>>,
    ends: Ends,
    pub(crate) member_ends: MemberEnds,
    /// Length of the map, so that a store without values pays one load.
    values_count: AtomicUsize,
    last_id: AtomicU64,
}

impl Keyspace {
    pub(crate) fn new() -> Self {
        Self {
            values: CowMap::new(),
            by_id: Mutex::default(),
            ends: Ends::new(),
            member_ends: MemberEnds::new(),
            values_count: AtomicUsize::new(0),
            last_id: AtomicU64::new(0),
        }
    }

    fn take_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn values_count(&self) -> usize {
        self.values_count.load(Ordering::Acquire)
    }

    pub(crate) fn ends_count(&self) -> usize {
        self.ends.count()
    }

    /// The value of this name, whether or not its end has come.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Arc<Entry>> {
        if self.values_count() == 0 {
            return None;
        }
        self.values.get(key)
    }

    /// When the key ends, in milliseconds since 1970, UTC.
    pub(crate) fn end_ms(&self, key: &[u8]) -> Option<i64> {
        self.ends.get(key)
    }

    /// Keys whose end has come, the earliest first.
    pub(crate) fn due(&self, now_ms: i64, keys_max: usize) -> Vec<Name> {
        self.ends.due(now_ms, keys_max)
    }

    /// Up to `count` names of values with ids from `from` on.
    pub(crate) fn names_from(&self, from: u64, count: usize) -> Vec<(u64, Name)> {
        let by_id = self.by_id.lock();
        by_id.range(from..).take(count).map(|(id, name)| (*id, name.clone())).collect()
    }

    /// Does what the change says, if it is about values or ends. Doing it twice changes nothing.
    pub(crate) fn apply(&self, change: &Change) {
        match change {
            Change::TextSet { key, text } => self.put(key, Value::Text(text.clone())),
            Change::FieldSet { key, field, value } => self.update(
                key,
                || Value::Hash(Bag::default()),
                |found| {
                    if let Value::Hash(fields) = found {
                        fields.insert(field, value.clone());
                    }
                },
            ),
            Change::FieldRemoved { key, field } => self.shrink(key, |found| match found {
                Value::Hash(fields) => drop(fields.remove(field)),
                Value::Set(_) | Value::Text(_) => {}
            }),
            Change::ElementAdded { key, element } => self.update(
                key,
                || Value::Set(Bag::default()),
                |found| {
                    if let Value::Set(elements) = found {
                        elements.insert(element, ());
                    }
                },
            ),
            Change::ElementRemoved { key, element } => self.shrink(key, |found| match found {
                Value::Set(elements) => drop(elements.remove(element)),
                Value::Hash(_) | Value::Text(_) => {}
            }),
            Change::ValueRemoved { key } => self.remove(key),
            Change::ValueRenamed { from, to } => self.rename(from, to),
            Change::EndSet { key, at_ms } => self.set_end(key, *at_ms),
            Change::MemberEndSet { board, member, at_ms } => {
                self.member_ends.set(*board, member, *at_ms);
            }
            _ => {}
        }
    }

    fn put(&self, key: &Name, value: Value) {
        let version = self.take_id();
        let replaced = self.values.get(key).map(|entry| entry.id);
        let id = replaced.unwrap_or(version);
        self.values.set(key, Some(Arc::new(Entry { id, version, value })));
        if replaced.is_none() {
            self.by_id.lock().insert(id, key.clone());
            self.values_count.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn update(&self, key: &Name, make: impl FnOnce() -> Value, change: impl FnOnce(&mut Value)) {
        let version = self.take_id();
        if self.values.get(key).is_none() {
            self.put(key, make());
        }
        self.values.update(key, |entry| {
            let entry = Arc::make_mut(entry);
            entry.version = version;
            change(&mut entry.value);
        });
    }

    /// A change that may leave nothing: then the value goes.
    fn shrink(&self, key: &Name, change: impl FnOnce(&mut Value)) {
        let version = self.take_id();
        let is_empty = self.values.update(key, |entry| {
            let entry = Arc::make_mut(entry);
            entry.version = version;
            change(&mut entry.value);
            match &entry.value {
                Value::Text(_) => false,
                Value::Hash(fields) => fields.is_empty(),
                Value::Set(elements) => elements.is_empty(),
            }
        });
        if is_empty == Some(true) {
            self.remove(key);
        }
    }

    fn remove(&self, key: &Name) {
        if let Some(entry) = self.values.set(key, None) {
            self.by_id.lock().remove(&entry.id);
            self.values_count.fetch_sub(1, Ordering::AcqRel);
        }
        self.set_end(key, None);
    }

    fn rename(&self, from: &Name, to: &Name) {
        let Some(entry) = self.values.set(from, None) else { return };
        self.by_id.lock().insert(entry.id, to.clone());
        let replaced = self.values.set(to, Some(entry));
        if let Some(replaced) = replaced {
            self.by_id.lock().remove(&replaced.id);
            self.values_count.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Sets or takes away the end of a key; also when the key itself is gone.
    pub(crate) fn set_end(&self, key: &Name, at_ms: Option<i64>) {
        self.ends.set(key, at_ms);
    }

    /// Everything as it is now. The caller makes sure that nobody writes meanwhile.
    pub(crate) fn freeze(&self) -> KeyspaceFrozen {
        KeyspaceFrozen {
            values: self.values.freeze(),
            ends: self.ends.freeze(),
            member_ends: self.member_ends.freeze(),
        }
    }
}

/// An immutable copy of a [`Keyspace`].
#[derive(Debug)]
pub(crate) struct KeyspaceFrozen {
    values: Frozen<Arc<Entry>>,
    ends: Frozen<i64>,
    member_ends: Frozen<i64>,
}

impl KeyspaceFrozen {
    /// The changes that make all of it from nothing.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        let ends = self
            .ends
            .iter()
            .map(|(key, at_ms)| Change::EndSet { key: key.clone(), at_ms: Some(*at_ms) });
        let member_ends = self.member_ends.iter().map(|(name, at_ms)| {
            let (board, member) = member_of(name);
            let member = ChangedName::from_slice(member);
            Change::MemberEndSet { board, member, at_ms: Some(*at_ms) }
        });
        let values = self.values.iter().flat_map(|(key, entry)| changes_of(key, &entry.value));
        values.chain(ends).chain(member_ends)
    }
}

/// The changes that make one value.
pub(crate) fn changes_of<'v>(
    key: &'v Name,
    value: &'v Value,
) -> Box<dyn Iterator<Item = Change> + 'v> {
    match value {
        Value::Text(text) => {
            Box::new(std::iter::once(Change::TextSet { key: key.clone(), text: text.clone() }))
        }
        Value::Hash(fields) => Box::new(fields.iter().map(|(field, value)| Change::FieldSet {
            key: key.clone(),
            field: field.into(),
            value: value.clone(),
        })),
        Value::Set(elements) => Box::new(elements.iter().map(|(element, ())| {
            Change::ElementAdded { key: key.clone(), element: element.into() }
        })),
    }
}
