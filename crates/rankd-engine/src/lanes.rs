//! A fixed number of locks shared by any number of names.
//!
//! Invariant: a name always has the same lane, and several lanes are locked in ascending order.
//! Cost: one hash a name. Two names that share a lane wait for each other; that is all it costs.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};

/// One bit each in a `u64`.
const LANES: usize = 64;

/// Locks by name.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: [Mutex<()>; LANES],
    hasher: RandomState,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        Self { lanes: [const { Mutex::new(()) }; LANES], hasher: RandomState::default() }
    }

    #[expect(clippy::cast_possible_truncation, reason = "reduced modulo LANES")]
    fn lane(&self, name: &[u8]) -> usize {
        self.hasher.hash_one(name) as usize % LANES
    }

    /// Waits for the lane of this name.
    pub(crate) fn lock(&self, name: &[u8]) -> MutexGuard<'_, ()> {
        self.lanes[self.lane(name)].lock()
    }

    /// Waits for the lanes of all these names.
    pub(crate) fn lock_all<'n>(
        &self,
        names: impl Iterator<Item = &'n [u8]>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let wanted = names.fold(0_u64, |wanted, name| wanted | 1 << self.lane(name));
        let is_wanted = |number: &usize| wanted >> number & 1 == 1;
        (0..LANES).filter(is_wanted).map(|number| self.lanes[number].lock()).collect()
    }
}
