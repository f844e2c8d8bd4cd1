//! From a member's hash to the place of its entry.
//!
//! What it is not: a keeper of members; it holds four bytes of place and one of hash per entry, and
//! asks its caller whether a place is the one that is looked for. Invariant: one place per member.
//! Cost: constant on average; now and then an insert pays for growing the whole table.

use hashbrown::HashTable;

use crate::leaf::Place;

/// Places by the hash of their members.
#[derive(Debug, Default)]
pub(crate) struct Table {
    places: HashTable<u32>,
}

impl Table {
    pub(crate) const fn new() -> Self {
        Self { places: HashTable::new() }
    }

    /// The place with this hash of which `is_it` holds.
    pub(crate) fn find(&self, hash: u64, mut is_it: impl FnMut(Place) -> bool) -> Option<Place> {
        self.places.find(hash, |&packed| is_it(Place::unpack(packed))).copied().map(Place::unpack)
    }

    /// Asks for the line that a search for `hash` begins with.
    pub(crate) fn prefetch(&self, _hash: u64) {}

    /// Adds a place whose member is not in the table; `rehash` gives the hash of any place.
    pub(crate) fn insert(&mut self, hash: u64, place: Place, rehash: impl Fn(Place) -> u64) {
        self.places.insert_unique(hash, place.pack(), |&packed| rehash(Place::unpack(packed)));
    }

    /// Removes `place`, which is in the table with this hash.
    pub(crate) fn remove(&mut self, hash: u64, place: Place) {
        let packed = place.pack();
        match self.places.find_entry(hash, |&other| other == packed) {
            Ok(entry) => drop(entry.remove()),
            Err(_) => unreachable!("every entry of the tree is in the table"),
        }
    }

    /// The entry at `from` moved to `to`.
    pub(crate) fn relocate(&mut self, hash: u64, from: Place, to: Place) {
        let packed = from.pack();
        let place = self.places.find_mut(hash, |&other| other == packed);
        *place.expect("every entry of the tree is in the table") = to.pack();
    }

    /// Makes room for `additional` more places.
    pub(crate) fn reserve(&mut self, additional: usize, rehash: impl Fn(Place) -> u64) {
        self.places.reserve(additional, |&packed| rehash(Place::unpack(packed)));
    }

    /// Places in the table.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Heap bytes in use.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.places.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All hashes fall together: only the places themselves tell entries apart.
    #[test]
    fn places_with_equal_hashes_are_told_apart() {
        let mut table = Table::new();
        let place = |leaf| Place { leaf, slot: 3 };
        for leaf in 0..100 {
            table.insert(7, place(leaf), |_| 7);
        }
        table.relocate(7, place(40), place(400));
        table.remove(7, place(41));
        assert_eq!(table.find(7, |other| other == place(400)), Some(place(400)));
        assert_eq!(table.find(7, |other| other == place(40)), None);
        assert_eq!(table.find(7, |other| other == place(41)), None);
        assert_eq!(table.len(), 99);
    }
}
