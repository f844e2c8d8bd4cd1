//! How often a credential may ask: a fixed window that opens with its first request and lasts
//! [`limits::RATE_WINDOW_MS`].
//!
//! It is memory only: a restart opens new windows. Invariant: at most [`limits::RATE_ENTRIES_MAX`]
//! windows are remembered; beyond that the oldest is forgotten, which errs in its client's favour.
//! Cost: one short lock and one look-up a request; closed windows are dropped as new ones open.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use rankd_orgs::CredentialId;

use crate::limits::{RATE_ENTRIES_MAX, RATE_WINDOW_MS};

/// The windows of all credentials.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<Windows>);

/// Whether a request may go on, and what is left of its credential's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Whether this request is within the limit.
    pub(crate) allowed: bool,
    /// Requests a window.
    pub(crate) limit: u32,
    /// Requests left in this window.
    pub(crate) remaining: u32,
    /// When the window closes, in milliseconds since 1970, UTC.
    pub(crate) resets_ms: i64,
}

#[derive(Debug, Default)]
struct Windows {
    open: HashMap<CredentialId, Window>,
    /// In the order of opening, which is the order of closing as long as the clock goes forward.
    opened: VecDeque<(i64, CredentialId)>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    opened_ms: i64,
    used: u32,
}

impl Rates {
    /// Counts a request of `credential`, which may make `limit` of them a window. A request that
    /// is not allowed uses nothing up.
    pub(crate) fn take(&self, credential: CredentialId, limit: u32, now_ms: i64) -> Allowance {
        let mut windows = self.0.lock();
        let window = windows.current(credential, now_ms);
        let allowed = window.used < limit;
        window.used += u32::from(allowed);
        let remaining = limit.saturating_sub(window.used);
        let resets_ms = window.opened_ms.saturating_add(RATE_WINDOW_MS);
        Allowance { allowed, limit, remaining, resets_ms }
    }
}

impl Allowance {
    /// What a request that belongs to no credential is told.
    pub(crate) fn untouched(limit: u32, now_ms: i64) -> Self {
        let resets_ms = now_ms.saturating_add(RATE_WINDOW_MS);
        Self { allowed: true, limit, remaining: limit, resets_ms }
    }

    /// When the window closes, in whole seconds since 1970; never too early.
    pub(crate) fn resets_s(&self) -> i64 {
        ceil_s(self.resets_ms)
    }

    /// Seconds until the window closes; at least one.
    pub(crate) fn retry_after_s(&self, now_ms: i64) -> i64 {
        ceil_s(self.resets_ms.saturating_sub(now_ms)).max(1)
    }
}

/// Milliseconds as whole seconds, rounded up.
fn ceil_s(ms: i64) -> i64 {
    ms.div_euclid(1000) + i64::from(ms.rem_euclid(1000) > 0)
}

impl Window {
    /// A window of the future is one that opened before the clock was set back.
    fn is_closed(self, now_ms: i64) -> bool {
        !(self.opened_ms..self.opened_ms.saturating_add(RATE_WINDOW_MS)).contains(&now_ms)
    }
}

impl Windows {
    fn current(&mut self, credential: CredentialId, now_ms: i64) -> &mut Window {
        self.drop_closed(now_ms);
        let known = self.open.get(&credential).is_some_and(|window| !window.is_closed(now_ms));
        if !known {
            while self.opened.len() >= RATE_ENTRIES_MAX {
                self.drop_oldest();
            }
            self.opened.push_back((now_ms, credential));
            self.open.insert(credential, Window { opened_ms: now_ms, used: 0 });
        }
        self.open.get_mut(&credential).expect("it was there, or was put there")
    }

    fn drop_closed(&mut self, now_ms: i64) {
        while let Some(&(opened_ms, _)) = self.opened.front()
            && (Window { opened_ms, used: 0 }).is_closed(now_ms)
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((opened_ms, credential)) = self.opened.pop_front() else { return };
        // After the clock was set back, a newer window may have taken its place.
        if self.open.get(&credential).is_some_and(|window| window.opened_ms == opened_ms) {
            self.open.remove(&credential);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: CredentialId = CredentialId(1);
    const NOW_MS: i64 = 1_773_662_400_000;

    fn take(rates: &Rates, now_ms: i64) -> (bool, u32, i64) {
        let allowance = rates.take(A, 3, now_ms);
        (allowance.allowed, allowance.remaining, allowance.resets_ms)
    }

    #[test]
    fn a_window_opens_with_the_first_request_and_lasts_a_minute() {
        let rates = Rates::default();
        let resets_ms = NOW_MS + 60_000;
        assert_eq!(take(&rates, NOW_MS), (true, 2, resets_ms));
        assert_eq!(take(&rates, NOW_MS + 30_000), (true, 1, resets_ms));
        assert_eq!(take(&rates, NOW_MS + 59_998), (true, 0, resets_ms));
        assert_eq!(take(&rates, NOW_MS + 59_999), (false, 0, resets_ms));
        assert_eq!(take(&rates, NOW_MS + 60_000), (true, 2, NOW_MS + 120_000));
    }

    #[test]
    fn credentials_do_not_share() {
        let rates = Rates::default();
        for _ in 0..4 {
            rates.take(A, 3, NOW_MS);
        }
        assert!(!rates.take(A, 3, NOW_MS).allowed);
        assert_eq!(rates.take(CredentialId(2), 3, NOW_MS).remaining, 2);
        assert!(!rates.take(CredentialId(3), 0, NOW_MS).allowed);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let rates = Rates::default();
        for _ in 0..4 {
            take(&rates, NOW_MS);
        }
        assert_eq!(take(&rates, NOW_MS - 1), (true, 2, NOW_MS + 59_999));
        // The forgotten window does not take the new one with it.
        assert_eq!(take(&rates, NOW_MS + 1), (true, 1, NOW_MS + 59_999));
    }

    #[test]
    fn memory_is_bounded() {
        let rates = Rates::default();
        for id in 0..RATE_ENTRIES_MAX as u64 + 10 {
            rates.take(CredentialId(id), 1, NOW_MS);
        }
        assert_eq!(rates.0.lock().open.len(), RATE_ENTRIES_MAX);
        assert!(rates.take(CredentialId(0), 1, NOW_MS).allowed);
        assert!(!rates.take(CredentialId(RATE_ENTRIES_MAX as u64), 1, NOW_MS).allowed);
        rates.take(A, 1, NOW_MS + 60_000);
        let windows = rates.0.lock();
        assert_eq!((windows.open.len(), windows.opened.len()), (1, 1));
    }

    #[test]
    fn seconds_are_rounded_so_that_waiting_suffices() {
        let allowance = Allowance::untouched(3, 500);
        assert_eq!((allowance.resets_s(), allowance.remaining), (61, 3));
        assert_eq!(allowance.retry_after_s(500), 60);
        assert_eq!(allowance.retry_after_s(60_499), 1);
        assert_eq!(allowance.retry_after_s(70_000), 1);
    }
}
