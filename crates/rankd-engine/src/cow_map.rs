//! A concurrent hash map of which an exact copy can be taken at once.
//!
//! Each shard is behind an `Arc`: a copy clones the `Arc`s, and a writer that meets a shared shard
//! copies that shard first. Cost of a copy: `SHARDS` reference counts; of the first write to a
//! shard after it: one shard.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::ids::Name;

/// Enough that copying one of a million entries' shards stays below a millisecond.
const SHARDS: usize = 256;

type Shard<V> = Arc<HashMap<Name, V, RandomState>>;

/// Names to values, copied on write by shard.
#[derive(Debug)]
pub(crate) struct CowMap<V> {
    shards: Box<[RwLock<Shard<V>>]>,
    hasher: RandomState,
}

impl<V: Clone> CowMap<V> {
    pub(crate) fn new() -> Self {
        let hasher = RandomState::default();
        let empty: Shard<V> = Arc::new(HashMap::with_hasher(hasher.clone()));
        Self { shards: (0..SHARDS).map(|_| RwLock::new(Arc::clone(&empty))).collect(), hasher }
    }

    fn shard(&self, name: &[u8]) -> &RwLock<Shard<V>> {
        // The map inside uses the low bits, so the shard is chosen by high ones.
        let hash = self.hasher.hash_one(name) >> 48;
        &self.shards[hash as usize % SHARDS]
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<V> {
        self.shard(name).read().get(name).cloned()
    }

    /// Sets or removes; returns what was there.
    pub(crate) fn set(&self, name: &[u8], value: Option<V>) -> Option<V> {
        let mut shard = self.shard(name).write();
        if value.is_none() && !shard.contains_key(name) {
            return None;
        }
        let map = Arc::make_mut(&mut shard);
        match value {
            Some(value) => map.insert(name.into(), value),
            None => map.remove(name),
        }
    }

    /// Changes what is there in place; `None` if there is nothing.
    pub(crate) fn update<R>(&self, name: &[u8], change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let mut shard = self.shard(name).write();
        Arc::make_mut(&mut shard).get_mut(name).map(change)
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    /// The map as it is now. The caller makes sure that nobody writes meanwhile.
    pub(crate) fn freeze(&self) -> Frozen<V> {
        Frozen(self.shards.iter().map(|shard| Arc::clone(&shard.read())).collect())
    }
}

/// An immutable copy of a [`CowMap`].
#[derive(Debug)]
pub(crate) struct Frozen<V>(Vec<Shard<V>>);

impl<V> Frozen<V> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Name, &V)> {
        self.0.iter().flat_map(|shard| shard.iter())
    }
}
