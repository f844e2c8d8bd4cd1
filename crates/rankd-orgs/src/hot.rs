//! Boards of windows that are asked for often, and what these windows were the last time.
//!
//! What it is: `rankd_activity`'s hot boards with the windows that keeping them live needs. What it
//! is not: a thread. Invariant: a window is the one that was asked for last, so that a live board
//! never runs ahead of its readers. Cost: one look-up more than the boards themselves.

use std::collections::HashMap;

use parking_lot::Mutex;
use rankd_activity::{Ask, HotBoards, HotOptions, LedgerAccess, Measure, Reading, Window};

/// Kinds of windows whose last meaning is kept.
const WINDOWS_MAX: usize = 256;

/// Hot boards of one organisation.
#[derive(Debug)]
pub(crate) struct Hot {
    boards: HotBoards,
    windows: Mutex<HashMap<(Measure, u64), Window>>,
}

impl Default for Hot {
    fn default() -> Self {
        let threads = crate::orgs::threads();
        let boards = HotBoards::new(HotOptions { threads, ..HotOptions::default() });
        Self { boards, windows: Mutex::default() }
    }
}

impl Hot {
    /// A board of a window. The ledger must not be locked by this thread.
    pub(crate) fn read(&self, ask: &Ask<'_>, at: &impl LedgerAccess, window: Window) -> Reading {
        if let Some(window_kind) = ask.window_kind {
            let mut windows = self.windows.lock();
            if windows.len() >= WINDOWS_MAX {
                windows.clear();
            }
            windows.insert((ask.measure, window_kind), window);
        }
        self.boards.read(ask, at, window)
    }

    /// Lets live boards catch up, and makes one that was asked for often.
    pub(crate) fn maintain(&self, ledger: &impl LedgerAccess) {
        let nothing = Window { from_ms: 0, until_ms: 0 };
        let last = |measure, window_kind| {
            self.windows.lock().get(&(measure, window_kind)).copied().unwrap_or(nothing)
        };
        self.boards.maintain(ledger, last);
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.boards.memory_bytes()
    }
}
