//! Which boards there are: by name for requests, by id for changes, in name order for lists.
//!
//! Invariant: the three hold the same boards. Cost: a look-up by name is one hash and one
//! comparison; by id and in order, O(log n).

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::ops::Bound;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use parking_lot::RwLock;

use crate::board::Board;
use crate::ids::BoardId;

/// All boards. Readers and writers of boards hold its lock only to find them.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    maps: RwLock<Maps>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Maps {
    by_name: HashTable<Arc<Board>>,
    by_id: BTreeMap<BoardId, Arc<Board>>,
    in_order: BTreeSet<ByName>,
}

/// A board that compares by its name.
#[derive(Debug)]
struct ByName(Arc<Board>);

impl Borrow<[u8]> for ByName {
    fn borrow(&self) -> &[u8] {
        &self.0.name
    }
}
impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}
impl Eq for ByName {}
impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name.cmp(&other.0.name)
    }
}

impl Directory {
    fn hash(&self, name: &[u8]) -> u64 {
        self.hasher.hash_one(name)
    }

    pub(crate) fn by_name(&self, name: &[u8]) -> Option<Arc<Board>> {
        let hash = self.hash(name);
        self.maps.read().by_name.find(hash, |board| *board.name == *name).cloned()
    }

    pub(crate) fn by_id(&self, id: BoardId) -> Option<Arc<Board>> {
        self.maps.read().by_id.get(&id).cloned()
    }

    /// The first board whose id is above `id`.
    pub(crate) fn next_by_id(&self, id: Option<BoardId>) -> Option<Arc<Board>> {
        let from = id.map_or(Bound::Unbounded, Bound::Excluded);
        let maps = self.maps.read();
        maps.by_id.range((from, Bound::Unbounded)).next().map(|(_, board)| Arc::clone(board))
    }

    /// Boards whose names begin with `prefix`, strictly after `after`, in name order.
    pub(crate) fn list(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Vec<Arc<Board>> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let maps = self.maps.read();
        maps.in_order
            .range::<[u8], _>((from, Bound::Unbounded))
            .take_while(|board| board.0.name.starts_with(prefix))
            .take(limit)
            .map(|board| Arc::clone(&board.0))
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.maps.read().by_id.len()
    }

    /// Adds a board whose name and id are not there yet.
    pub(crate) fn insert(&self, board: &Arc<Board>) {
        let hash = self.hash(&board.name);
        let mut maps = self.maps.write();
        let Maps { by_name, by_id, in_order } = &mut *maps;
        by_name.insert_unique(hash, Arc::clone(board), |other| self.hash(&other.name));
        let by_id_was = by_id.insert(board.id, Arc::clone(board));
        let in_order_is_new = in_order.insert(ByName(Arc::clone(board)));
        assert!(by_id_was.is_none() && in_order_is_new, "a board is added once");
    }

    /// Takes a board out, if it is there.
    pub(crate) fn remove(&self, board: &Board) {
        let hash = self.hash(&board.name);
        let mut maps = self.maps.write();
        if maps.by_id.remove(&board.id).is_none() {
            return;
        }
        maps.in_order.remove(&*board.name);
        match maps.by_name.find_entry(hash, |other| other.id == board.id) {
            Ok(entry) => drop(entry.remove()),
            Err(_) => unreachable!("the three maps hold the same boards"),
        }
    }
}
