//! Values that occur many times, each kept once under a dense number.
//!
//! What it is: an array of values and where each is. What it is not: anything that forgets: numbers
//! are given for ever. Invariant: equal values have one number. Cost: O(1), one hash of the value.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;

use crate::chunks::Chunks;
use crate::positions::Positions;

/// Values by number, and numbers by value.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    values: Chunks<T>,
    positions: Positions,
    hasher: RandomState,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        let hasher = RandomState::default();
        Self { values: Chunks::default(), positions: Positions::default(), hasher }
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.values.get(number as usize)
    }

    /// The number of a value.
    pub(crate) fn find<Q: Hash + Eq + ?Sized>(&self, value: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
    {
        let is = |at: u32| self.get(at).is_some_and(|known| known.borrow() == value);
        self.positions.find(self.hasher.hash_one(value), is)
    }

    /// Gives a value that has no number the next one.
    pub(crate) fn push(&mut self, value: T) -> u32 {
        let hash = self.hasher.hash_one(&value);
        let at = u32::try_from(self.values.push(value)).expect("fewer values than 2^32");
        let (values, hasher) = (&self.values, &self.hasher);
        self.positions.insert(hash, at, |at| {
            hasher.hash_one(values.get(at as usize).expect("positions lead to values"))
        });
        at
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    /// The values as they are now.
    pub(crate) fn freeze(&self) -> Chunks<T> {
        self.values.clone()
    }

    /// Bytes of array and tables, without what the values point to.
    pub(crate) fn bytes(&self) -> u64 {
        self.values.bytes() + self.positions.bytes()
    }
}
