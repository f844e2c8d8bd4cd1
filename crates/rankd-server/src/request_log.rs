//! What the log says of requests: failures, a sample of all, and the slow ones.
//!
//! It is no audit: of slow requests it shows at most [`SLOW_LINES_PER_S_MAX`] a second, and tells
//! how many it left out. Invariant: a request has at most one line. Cost of a request that is not
//! logged: two relaxed loads, and an atomic addition while the access log is on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::limits::{LOGGED_PATH_CHARS_MAX, SLOW_LINES_PER_S_MAX};
use crate::problem::clipped;
use crate::tunables::Live;

/// An answered request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    /// As the reply has it, if it has one.
    pub(crate) request_id: Option<u64>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The path's line of the table.
    pub(crate) route: &'static str,
    pub(crate) status: u16,
    pub(crate) elapsed: Duration,
}

/// The lines about requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    next_request_id: AtomicU64,
    /// Requests that the access log has decided about.
    seen: AtomicU64,
    slow: Mutex<SlowLines>,
}

/// How many slow requests this second has shown.
#[derive(Debug, Default)]
struct SlowLines {
    since: Option<Instant>,
    shown: u32,
    left_out: u64,
}

/// Why a request gets a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Failed,
    Unavailable,
    Slow,
    Sampled,
    Debug,
}

impl RequestLog {
    /// An id that no other request of this process has.
    pub(crate) fn new_id(&self) -> u64 {
        self.next_request_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Logs the request if there is a reason to. True if it was slow.
    pub(crate) fn answered(&self, live: &Live, request: &Answered<'_>) -> bool {
        let slow_ms = live.slow_ms();
        let is_slow = slow_ms > 0 && request.elapsed >= Duration::from_millis(slow_ms);
        let share = live.access_log();
        let is_sampled = share > 0.0 && self.is_sampled(share);
        let reason = match request.status {
            500 => Reason::Failed,
            501.. => Reason::Unavailable,
            _ if is_slow => Reason::Slow,
            _ if is_sampled => Reason::Sampled,
            _ if tracing::enabled!(tracing::Level::DEBUG) => Reason::Debug,
            _ => return is_slow,
        };
        self.write(reason, request);
        is_slow
    }

    /// Whether the next request is in a sample of this share. Spread like random numbers, so that
    /// no pattern of requests falls into step with it.
    fn is_sampled(&self, share: f64) -> bool {
        let place = self.seen.fetch_add(1, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "11 bits less of a random number")]
        let random = (scrambled(place) >> 11) as f64 / (1_u64 << 53) as f64;
        random < share
    }

    fn write(&self, reason: Reason, request: &Answered<'_>) {
        let request_id = request.request_id.unwrap_or_else(|| self.new_id());
        let &Answered { route, status, elapsed, .. } = request;
        let method = &*clipped(request.method, LOGGED_PATH_CHARS_MAX);
        let path = &*clipped(request.path, LOGGED_PATH_CHARS_MAX);
        let duration_us = elapsed.as_micros();
        match reason {
            Reason::Failed => {
                tracing::error!(request_id, method, path, status, duration_us, "failed");
            }
            Reason::Unavailable => {
                tracing::warn!(request_id, method, path, status, duration_us, "unavailable");
            }
            Reason::Slow => {
                let Some(left_out) = self.slow.lock().turn(Instant::now()) else { return };
                tracing::warn!(
                    request_id,
                    method,
                    path,
                    route,
                    status,
                    duration_us,
                    left_out,
                    "slow"
                );
            }
            Reason::Sampled => {
                tracing::info!(request_id, method, path, route, status, duration_us, "access");
            }
            Reason::Debug if status >= 400 => {
                tracing::debug!(request_id, method, path, status, duration_us, "refused");
            }
            Reason::Debug => {
                tracing::debug!(request_id, method, path, status, duration_us, "answered");
            }
        }
    }
}

impl SlowLines {
    /// Whether there is room for another line, and how many had none since the last one.
    fn turn(&mut self, now: Instant) -> Option<u64> {
        let is_over = |since: Instant| now.duration_since(since) >= Duration::from_secs(1);
        if self.since.is_none_or(is_over) {
            (self.since, self.shown) = (Some(now), 0);
        }
        if self.shown == SLOW_LINES_PER_S_MAX {
            self.left_out += 1;
            return None;
        }
        self.shown += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// The finalizer of MurmurHash3: each bit of the number changes about half of the result's.
fn scrambled(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_share() {
        for (share, least, most) in
            [(0.0, 0, 0), (0.01, 900, 1_100), (0.5, 49_500, 50_500), (1.0, 100_000, 100_000)]
        {
            let log = RequestLog::default();
            let sampled = (0..100_000).filter(|_| log.is_sampled(share)).count();
            assert!((least..=most).contains(&sampled), "{share}: {sampled}");
        }
    }

    #[test]
    fn slow_lines_are_bounded_and_tell_what_they_leave_out() {
        let mut lines = SlowLines::default();
        let begun = Instant::now();
        for _ in 0..SLOW_LINES_PER_S_MAX {
            assert_eq!(lines.turn(begun), Some(0));
        }
        for _ in 0..7 {
            assert_eq!(lines.turn(begun + Duration::from_millis(999)), None);
        }
        assert_eq!(lines.turn(begun + Duration::from_secs(1)), Some(7));
        assert_eq!(lines.turn(begun + Duration::from_secs(1)), Some(0));
    }
}
