//! Sums that may be good for the next reader too.
//!
//! What it is: a sum for each board that was asked for lately, together with how far its window can
//! move before a row comes in or goes out. What it is not: ever stale: a sum is used only if
//! nothing has changed since the reader came. Invariant: who waits for somebody else's sum uses it
//! only if it was begun after the waiting. Cost: a few comparisons, or the sum.

use std::num::NonZeroUsize;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Ask, CACHE_ENTRIES_MAX, LedgerAccess};
use crate::ledger::Ledger;
use crate::row::{Measure, Window};
use crate::standings::Standings;
use crate::window::{Slack, WindowView};

/// A sum, and what it is good for.
#[derive(Clone, Debug)]
pub(super) struct Cached {
    pub(super) standings: Arc<Standings>,
    pub(super) version: u64,
    slack: Slack,
}

impl Cached {
    fn new(view: &WindowView, threads: NonZeroUsize) -> Self {
        Self {
            standings: Arc::new(view.standings(threads)),
            version: view.version(),
            slack: view.slack.clone(),
        }
    }

    /// Whether a sum of `window` at this version would be the same, and is new enough.
    fn is_good_for(&self, window: Window, version_min: u64) -> bool {
        self.version >= version_min
            && self.slack.from_ms.contains(&window.from_ms)
            && self.slack.until_ms.contains(&window.until_ms)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct CacheKey {
    measure: Measure,
    /// A window of no kind is one of its own.
    window: Result<u64, Window>,
    tags: Option<Box<[u32]>>,
}

/// Held while a sum is made, so that others wait for it instead of making their own.
type Slot = Mutex<Option<Cached>>;

#[derive(Debug)]
struct CacheEntry {
    key: CacheKey,
    slot: Arc<Slot>,
    bytes: usize,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Cache {
    bytes_max: usize,
    /// The one used last is at the end.
    entries: Mutex<Vec<CacheEntry>>,
}

impl Cache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, entries: Mutex::default() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.lock().iter().map(|entry| entry.bytes).sum()
    }

    /// A sum of the window.
    pub(super) fn get(
        &self,
        ask: &Ask<'_>,
        ledger: &impl LedgerAccess,
        window: Window,
        threads: NonZeroUsize,
    ) -> Cached {
        let version_min = ledger.with(Ledger::version);
        let slot = self.slot(key(ask, window));
        let mut held = slot.lock();
        if let Some(cached) = held.as_ref().filter(|sum| sum.is_good_for(window, version_min)) {
            return cached.clone();
        }
        let view = ledger.with(|ledger| match ask.tags {
            None => ledger.window(ask.measure, window),
            Some(tags) => ledger.tagged(window, tags),
        });
        let cached = Cached::new(&view, threads);
        *held = Some(cached.clone());
        drop(held);
        self.account(&slot, cached.standings.bytes());
        cached
    }

    fn slot(&self, key: CacheKey) -> Arc<Slot> {
        let mut entries = self.entries.lock();
        let entry = match entries.iter().position(|entry| entry.key == key) {
            Some(at) => entries.remove(at),
            None => CacheEntry { key, slot: Arc::default(), bytes: 0 },
        };
        if entries.len() >= CACHE_ENTRIES_MAX {
            entries.remove(0);
        }
        let slot = Arc::clone(&entry.slot);
        entries.push(entry);
        slot
    }

    /// Takes note of what a slot holds, and lets go of what was not used for longest.
    fn account(&self, slot: &Arc<Slot>, bytes: usize) {
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.iter_mut().find(|entry| Arc::ptr_eq(&entry.slot, slot)) {
            entry.bytes = bytes;
        }
        let mut sum: usize = entries.iter().map(|entry| entry.bytes).sum();
        while sum > self.bytes_max && !entries.is_empty() {
            sum -= entries.remove(0).bytes;
        }
    }
}

fn key(ask: &Ask<'_>, window: Window) -> CacheKey {
    let &Ask { measure, window_kind, tags } = ask;
    let tags = tags.map(|tags| {
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        tags.dedup();
        tags.into_boxed_slice()
    });
    CacheKey { measure, window: window_kind.ok_or(window), tags }
}
