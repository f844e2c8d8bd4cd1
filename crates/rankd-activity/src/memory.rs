//! What a ledger takes in memory.
//!
//! What it is not: what the allocator takes for it. Invariant: a count of what the structures hold;
//! what only views still hold is not in it. Cost: O(blocks).

use crate::ledger::Ledger;
use crate::row::Measure;

/// Bytes of a ledger, by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The rows themselves, those in the tail included.
    pub columns_bytes: usize,
    /// The rows once more, by tag.
    pub postings_bytes: usize,
    /// The sums of months and years.
    pub blocks_bytes: usize,
    /// The users' ids and numbers.
    pub users_bytes: usize,
    /// Rows and corrections that are held. Those of removed users go only as their blocks change.
    pub rows: usize,
}

impl Memory {
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let days = ledger.blocks.days.values();
        let levels = Measure::ALL.map(|measure| ledger.blocks.levels(measure));
        let blocks =
            levels.iter().flat_map(|levels| levels.months.values().chain(levels.years.values()));
        let waiting = usize::try_from(ledger.tail.waiting()).expect("a tail fits in memory");
        Self {
            columns_bytes: ledger.tail.bytes() + days.clone().map(|day| day.bytes()).sum::<usize>(),
            postings_bytes: ledger.blocks.postings.values().map(|list| list.bytes()).sum(),
            blocks_bytes: blocks.map(|block| block.cells.bytes()).sum(),
            users_bytes: ledger.users.bytes(),
            rows: waiting + days.map(|day| day.len()).sum::<usize>(),
        }
    }

    /// Everything together.
    pub fn bytes(&self) -> usize {
        self.columns_bytes + self.postings_bytes + self.blocks_bytes + self.users_bytes
    }
}
