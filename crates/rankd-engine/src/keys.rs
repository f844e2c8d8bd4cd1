//! Idempotency keys: which requests were carried out, and what they were told.
//!
//! Invariant: while a claim on a key is held, nobody else carries out a batch with that key, so
//! of many repetitions at once exactly one takes effect. Cost: one hash look-up a keyed batch.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};

use crate::change::{KeptOutcomes, KeyMemory};
use crate::cow_map::{CowMap, Frozen};
use crate::intent::{IdempotencyKey, Name};
use crate::limits::{IDEMPOTENCY_HORIZON_MS, IDEMPOTENCY_KEYS_MAX};
use crate::storage::StoreError;

/// Two keys that share a lane wait for each other's batch; that is all a collision costs.
const LANES: usize = 64;

#[derive(Debug)]
pub(crate) struct KeyTable {
    memories: CowMap<KeyMemory>,
    /// Held from the look-up of a key until its batch is applied.
    lanes: Vec<Mutex<()>>,
    /// Oldest first, as they were accepted; the front expires first.
    by_age: Mutex<VecDeque<(i64, Name)>>,
    hasher: RandomState,
    keys_max: usize,
}

/// What a look-up of a key found.
pub(crate) enum Claim<'t> {
    /// The key is new and belongs to the caller until the guard goes.
    New(MutexGuard<'t, ()>),
    /// The request was carried out before.
    Repeated(KeptOutcomes),
}

impl KeyTable {
    pub(crate) fn new() -> Self {
        Self::with_keys_max(IDEMPOTENCY_KEYS_MAX)
    }

    fn with_keys_max(keys_max: usize) -> Self {
        Self {
            memories: CowMap::new(),
            lanes: (0..LANES).map(|_| Mutex::new(())).collect(),
            by_age: Mutex::default(),
            hasher: RandomState::default(),
            keys_max,
        }
    }

    /// Looks the key up and, if it is new, reserves it.
    ///
    /// # Errors
    /// If the key belongs to another request, or as many keys are remembered as may be.
    pub(crate) fn claim(&self, key: &IdempotencyKey, now_ms: i64) -> Result<Claim<'_>, StoreError> {
        self.expire(now_ms);
        #[expect(clippy::cast_possible_truncation, reason = "reduced modulo LANES")]
        let lane = self.hasher.hash_one(&key.key) as usize % LANES;
        let guard = self.lanes[lane].lock();
        if let Some(memory) = self.memories.get(&key.key) {
            if memory.digest != key.digest {
                return Err(StoreError::KeyReused);
            }
            return Ok(Claim::Repeated(memory.outcomes));
        }
        let held = self.len();
        if held >= self.keys_max {
            let hours = IDEMPOTENCY_HORIZON_MS / 3_600_000;
            return Err(StoreError::TooManyKeys(held as u64, hours));
        }
        Ok(Claim::New(guard))
    }

    /// Remembers a batch; the last word on a key counts.
    pub(crate) fn remember(&self, key: &Name, memory: KeyMemory) {
        let accepted_ms = memory.accepted_ms;
        self.memories.set(key, Some(memory));
        self.by_age.lock().push_back((accepted_ms, key.clone()));
    }

    /// Forgets what is older than the horizon.
    fn expire(&self, now_ms: i64) {
        let mut by_age = self.by_age.lock();
        let oldest_ms = now_ms.saturating_sub(IDEMPOTENCY_HORIZON_MS);
        while by_age.front().is_some_and(|(accepted_ms, _)| *accepted_ms < oldest_ms) {
            let Some((_, key)) = by_age.pop_front() else { break };
            // A key may have been used anew after it expired; then its newer entry is behind.
            if self.memories.get(&key).is_some_and(|memory| memory.accepted_ms < oldest_ms) {
                self.memories.set(&key, None);
            }
        }
    }

    /// After loading in no particular order: the oldest to the front.
    pub(crate) fn sort_by_age(&self) {
        self.by_age.lock().make_contiguous().sort_unstable();
    }

    pub(crate) fn len(&self) -> usize {
        self.by_age.lock().len()
    }

    pub(crate) fn freeze(&self) -> Frozen<KeyMemory> {
        self.memories.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> IdempotencyKey {
        IdempotencyKey { key: name.as_bytes().into(), digest: [0; 16] }
    }

    fn memory(accepted_ms: i64) -> KeyMemory {
        let outcomes = KeptOutcomes::Many { applied: 1, unchanged: 0, rejected: Vec::new() };
        KeyMemory { digest: [0; 16], accepted_ms, outcomes }
    }

    #[test]
    fn a_full_table_refuses_new_keys_and_takes_them_again_after_the_horizon() {
        let table = KeyTable::with_keys_max(2);
        for (name, at_ms) in [("a", 0), ("b", 10)] {
            assert!(matches!(table.claim(&key(name), at_ms), Ok(Claim::New(_))));
            table.remember(&key(name).key, memory(at_ms));
        }
        let refused = table.claim(&key("c"), 20).err();
        assert_eq!(refused, Some(StoreError::TooManyKeys(2, 24)));
        assert!(matches!(table.claim(&key("a"), 20), Ok(Claim::Repeated(_))));

        let later_ms = IDEMPOTENCY_HORIZON_MS + 1;
        assert!(matches!(table.claim(&key("c"), later_ms), Ok(Claim::New(_))));
        assert!(matches!(table.claim(&key("a"), later_ms), Ok(Claim::New(_))), "a is forgotten");
        assert!(matches!(table.claim(&key("b"), later_ms), Ok(Claim::Repeated(_))));
    }

    #[test]
    fn a_key_that_is_replayed_after_its_expiry_lives_a_full_horizon_from_its_second_use() {
        let table = KeyTable::new();
        let second_ms = IDEMPOTENCY_HORIZON_MS + 5;
        table.remember(&key("a").key, memory(0));
        table.remember(&key("a").key, memory(second_ms));
        table.expire(second_ms + IDEMPOTENCY_HORIZON_MS);
        assert!(table.memories.get(b"a").is_some());
        table.expire(second_ms + IDEMPOTENCY_HORIZON_MS + 1);
        assert!(table.memories.get(b"a").is_none());
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn keys_loaded_out_of_order_expire_oldest_first() {
        let table = KeyTable::new();
        for (name, at_ms) in [("young", 500), ("old", 100)] {
            table.remember(&key(name).key, memory(at_ms));
        }
        table.sort_by_age();
        table.expire(IDEMPOTENCY_HORIZON_MS + 200);
        assert!(table.memories.get(b"old").is_none());
        assert!(table.memories.get(b"young").is_some());
    }
}
