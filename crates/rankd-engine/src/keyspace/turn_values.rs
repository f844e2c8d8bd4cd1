//! Strings, hashes and sets within a turn over keys.

use std::sync::Arc;

use crate::change::Change;
use crate::ids::Name;
use crate::keyspace::Entry;
use crate::keyspace::bag::Bag;
use crate::keyspace::turn::KeyTurn;
use crate::keyspace::value::{Value, WrongKind};

impl KeyTurn<'_> {
    /// The value of the key, if it holds one that has not ended.
    fn value(&mut self, key: &[u8]) -> Option<Arc<Entry>> {
        if self.is_alone {
            self.end_if_due(key);
        } else if self.has_ended(key) {
            return None;
        }
        self.state.keyspace.get(key)
    }

    /// The value, where a board is none.
    fn only_value(&mut self, key: &[u8]) -> Result<Option<Arc<Entry>>, WrongKind> {
        match self.value(key) {
            Some(entry) => Ok(Some(entry)),
            None => match self.board(key, |_| ())? {
                Some(()) => Err(WrongKind),
                None => Ok(None),
            },
        }
    }

    /// The key's string.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn text(&mut self, key: &[u8]) -> Result<Option<Name>, WrongKind> {
        match self.only_value(key)?.as_deref() {
            None => Ok(None),
            Some(Entry { value: Value::Text(text), .. }) => Ok(Some(text.clone())),
            Some(_) => Err(WrongKind),
        }
    }

    /// Shows the key's hash to `read`.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn hash<R>(
        &mut self,
        key: &[u8],
        read: impl FnOnce(&Bag<Name>) -> R,
    ) -> Result<Option<R>, WrongKind> {
        match self.only_value(key)?.as_deref() {
            None => Ok(None),
            Some(Entry { value: Value::Hash(fields), .. }) => Ok(Some(read(fields))),
            Some(_) => Err(WrongKind),
        }
    }

    /// Shows the key's set to `read`.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn set<R>(
        &mut self,
        key: &[u8],
        read: impl FnOnce(&Bag<()>) -> R,
    ) -> Result<Option<R>, WrongKind> {
        match self.only_value(key)?.as_deref() {
            None => Ok(None),
            Some(Entry { value: Value::Set(elements), .. }) => Ok(Some(read(elements))),
            Some(_) => Err(WrongKind),
        }
    }

    /// Puts a string at the key, whatever it held before; when the key ends stays as it is.
    pub fn put_text(&mut self, key: &[u8], text: &[u8]) {
        let end_ms = self.end_of(key);
        if !matches!(self.text(key), Ok(Some(_))) {
            self.delete(key);
        }
        self.make_way(key);
        self.apply(Change::TextSet { key: key.into(), text: text.into() });
        if end_ms.is_some() && self.state.keyspace.end_ms(key) != end_ms {
            self.apply(Change::EndSet { key: key.into(), at_ms: end_ms });
        }
    }

    /// Takes away a board without members, which this protocol does not see.
    fn make_way(&mut self, key: &[u8]) {
        if let Ok(Some(place)) = self.find_board(key) {
            self.delete_board(place);
        }
    }

    /// Sets a field of the key's hash, which is made if need be. Returns whether it is new.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn put_field(&mut self, key: &[u8], field: &[u8], value: &[u8]) -> Result<bool, WrongKind> {
        let is_new = match self.hash(key, |fields| !fields.contains(field))? {
            Some(is_new) => is_new,
            None => {
                self.make_way(key);
                true
            }
        };
        let (key, field, value) = (key.into(), field.into(), value.into());
        self.apply(Change::FieldSet { key, field, value });
        Ok(is_new)
    }

    /// Takes a field away. Returns whether it was there.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn remove_field(&mut self, key: &[u8], field: &[u8]) -> Result<bool, WrongKind> {
        let is_there = self.hash(key, |fields| fields.contains(field))? == Some(true);
        if is_there {
            self.apply(Change::FieldRemoved { key: key.into(), field: field.into() });
        }
        Ok(is_there)
    }

    /// Adds an element to the key's set, which is made if need be. Returns whether it is new.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn add_element(&mut self, key: &[u8], element: &[u8]) -> Result<bool, WrongKind> {
        let is_new = match self.set(key, |elements| !elements.contains(element))? {
            Some(is_new) => is_new,
            None => {
                self.make_way(key);
                true
            }
        };
        if is_new {
            self.apply(Change::ElementAdded { key: key.into(), element: element.into() });
        }
        Ok(is_new)
    }

    /// Takes an element away. Returns whether it was there.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn remove_element(&mut self, key: &[u8], element: &[u8]) -> Result<bool, WrongKind> {
        let is_there = self.set(key, |elements| elements.contains(element))? == Some(true);
        if is_there {
            self.apply(Change::ElementRemoved { key: key.into(), element: element.into() });
        }
        Ok(is_there)
    }
}
