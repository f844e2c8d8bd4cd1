//! What organisations take in memory.
//!
//! What it is: a walk over all trees. What it is not: cheap enough for every scrape; that is
//! [`Orgs::totals`]. Invariant: each byte is in one figure only. Cost: O(organisations and names).

use std::sync::Arc;

use crate::orgs::Orgs;
use crate::read::OrgMemory;
use crate::tree::{Org, Tree};

impl Orgs {
    /// What everything takes in memory, by part. A walk over all organisations.
    #[must_use]
    pub fn memory(&self) -> OrgMemory {
        let trees: Vec<Arc<Tree>> = self.directory.read().trees.values().cloned().collect();
        let mut memory = OrgMemory::default();
        let mut hot = Vec::new();
        for tree in trees {
            let state = tree.state.read();
            memory.users_bytes += state.users.bytes();
            for org in state.orgs.values() {
                memory.add(org);
                hot.extend(org.activities.as_ref().map(|all| Arc::clone(&all.hot)));
            }
        }
        // Its locks come before a tree's.
        memory.hot_bytes = hot.iter().map(|hot| hot.memory_bytes() as u64).sum();
        memory
    }
}

impl OrgMemory {
    fn add(&mut self, org: &Org) {
        self.targets_bytes += org.groups.values().map(|group| group.bytes()).sum::<u64>();
        let Some(activities) = &org.activities else { return };
        let ledger = activities.ledger.memory();
        self.columns_bytes += ledger.columns_bytes as u64;
        self.postings_bytes += ledger.postings_bytes as u64;
        self.blocks_bytes += ledger.blocks_bytes as u64;
        self.users_bytes += ledger.users_bytes as u64;
        self.ids_bytes += activities.seen.bytes();
        self.kinds_bytes += activities.kinds.bytes();
        self.campaigns_bytes += activities.firsts_bytes();
    }
}
