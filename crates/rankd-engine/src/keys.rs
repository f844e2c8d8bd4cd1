//! Idempotency keys: which requests were carried out, and what they were told.
//!
//! Invariant: while a claim on a key is held, nobody else carries out a batch with that key, so
//! of many repetitions at once exactly one takes effect. Cost: one hash look-up a keyed batch.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::change::{KeptOutcomes, KeyMemory};
use crate::cow_map::{CowMap, Frozen};
use crate::ids::Name;
use crate::intent::IdempotencyKey;
use crate::lanes::Lanes;
use crate::limits::{IDEMPOTENCY_HORIZON_MS, IDEMPOTENCY_KEYS_MAX, IDEMPOTENCY_REJECTIONS_MAX};
use crate::storage::StoreError;

#[derive(Debug)]
pub(crate) struct KeyTable {
    memories: CowMap<KeyMemory>,
    /// Held from the look-up of a key until its batch is applied.
    lanes: Lanes,
    /// Oldest first, as they were accepted; the front expires first.
    by_age: Mutex<VecDeque<(i64, Name)>>,
    /// Rejected intents in all memories: the part of a memory that grows with its batch.
    rejections: AtomicUsize,
    keys_max: usize,
    rejections_max: usize,
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
        Self::with_limits(IDEMPOTENCY_KEYS_MAX, IDEMPOTENCY_REJECTIONS_MAX)
    }

    fn with_limits(keys_max: usize, rejections_max: usize) -> Self {
        Self {
            memories: CowMap::new(),
            lanes: Lanes::new(),
            by_age: Mutex::default(),
            rejections: AtomicUsize::new(0),
            keys_max,
            rejections_max,
        }
    }

    /// Looks the key up and, if it is new, reserves it.
    ///
    /// # Errors
    /// If the key belongs to another request, or as much is remembered as may be.
    pub(crate) fn claim(&self, key: &IdempotencyKey, now_ms: i64) -> Result<Claim<'_>, StoreError> {
        self.expire(now_ms);
        let guard = self.lanes.lock(&key.key);
        if let Some(memory) = self.memories.get(&key.key) {
            if memory.digest != key.digest {
                return Err(StoreError::KeyReused);
            }
            return Ok(Claim::Repeated(memory.outcomes));
        }
        let held = self.len();
        let rejections = self.rejections.load(Ordering::Relaxed);
        if held >= self.keys_max || rejections >= self.rejections_max {
            let hours = IDEMPOTENCY_HORIZON_MS / 3_600_000;
            return Err(StoreError::TooManyKeys(held as u64, hours));
        }
        Ok(Claim::New(guard))
    }

    /// Remembers a batch; the last word on a key counts.
    pub(crate) fn remember(&self, key: &Name, memory: KeyMemory) {
        let accepted_ms = memory.accepted_ms;
        self.set(key, Some(memory));
        self.by_age.lock().push_back((accepted_ms, key.clone()));
    }

    fn set(&self, key: &Name, memory: Option<KeyMemory>) {
        self.rejections.fetch_add(memory.as_ref().map_or(0, rejections), Ordering::Relaxed);
        let previous = self.memories.set(key, memory);
        self.rejections.fetch_sub(previous.as_ref().map_or(0, rejections), Ordering::Relaxed);
    }

    /// Forgets what is older than the horizon.
    pub(crate) fn expire(&self, now_ms: i64) {
        let mut by_age = self.by_age.lock();
        let oldest_ms = now_ms.saturating_sub(IDEMPOTENCY_HORIZON_MS);
        while by_age.front().is_some_and(|(accepted_ms, _)| *accepted_ms < oldest_ms) {
            let Some((_, key)) = by_age.pop_front() else { break };
            // A key may have been used anew after it expired; then its newer entry is behind.
            if self.memories.get(&key).is_some_and(|memory| memory.accepted_ms < oldest_ms) {
                self.set(&key, None);
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

fn rejections(memory: &KeyMemory) -> usize {
    match &memory.outcomes {
        KeptOutcomes::One(_) => 0,
        KeptOutcomes::Many { rejected, .. } => rejected.len(),
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
        let table = KeyTable::with_limits(2, 100);
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
    fn rejections_that_are_remembered_are_bounded_whatever_the_number_of_keys() {
        let table = KeyTable::with_limits(1_000, 25);
        let many = |accepted_ms| {
            let rejected = vec![(0, crate::intent::Rejection::UnknownBoard); 10];
            let outcomes = KeptOutcomes::Many { applied: 0, unchanged: 0, rejected };
            KeyMemory { outcomes, ..memory(accepted_ms) }
        };
        for (number, name) in (0_i64..).zip(["a", "b", "c"]) {
            assert!(matches!(table.claim(&key(name), number), Ok(Claim::New(_))), "{name}");
            table.remember(&key(name).key, many(number));
        }
        assert_eq!(table.claim(&key("d"), 3).err(), Some(StoreError::TooManyKeys(3, 24)));
        // "a" expires and makes room; being used anew, it counts once.
        let later_ms = IDEMPOTENCY_HORIZON_MS + 1;
        assert!(matches!(table.claim(&key("a"), later_ms), Ok(Claim::New(_))));
        table.remember(&key("a").key, many(later_ms));
        assert_eq!(table.rejections.load(Ordering::Relaxed), 30);
        table.expire(later_ms + IDEMPOTENCY_HORIZON_MS);
        assert_eq!(table.rejections.load(Ordering::Relaxed), 10, "the new a");
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
