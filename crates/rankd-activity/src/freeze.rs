//! Everything that a ledger holds, for somebody else to write down.
//!
//! What it is: a view of all rows, handed out day by day in the order of time, then append; and the
//! kinds. Appending them to an empty ledger gives the same answers. What it is not: a format.
//! Invariant: rows of removed users are left out. Cost: freezing is a reference count a day; the
//! rows of a day are sorted when they are asked for.

use std::sync::Arc;

use crate::ledger::Ledger;
use crate::row::{KindTraits, Row, Window};
use crate::timeline::RowsView;

/// See the module's head. The ledger may go on.
#[derive(Clone, Debug)]
pub struct FrozenLedger {
    rows: RowsView,
    kinds: Arc<Vec<KindTraits>>,
}

impl Ledger {
    /// A view of everything. Some fifty nanoseconds a day.
    pub fn freeze(&self) -> FrozenLedger {
        let rows = self.rows(Window::ALL, None);
        FrozenLedger { rows, kinds: Arc::clone(&self.kinds) }
    }
}

impl FrozenLedger {
    /// The ledger's version at that moment.
    pub fn version(&self) -> u64 {
        self.rows.version()
    }

    /// The kinds, by their numbers.
    pub fn kinds(&self) -> &[KindTraits] {
        &self.kinds
    }

    /// All rows and corrections, one day at a time, in the order of time, then append.
    pub fn days(&self) -> impl Iterator<Item = Vec<Row>> {
        self.rows.every_day()
    }

    /// The rows of one day, as in [`days`](Self::days), for who cannot hold an iterator; none if
    /// there are no more days.
    pub fn day(&self, nth: usize) -> Option<Vec<Row>> {
        self.rows.nth_day(nth)
    }
}
