//! The limits that may change while the server runs.
//!
//! Invariant: what is in force was within its limits. Cost of reading one: a relaxed load; readers
//! may see some new values beside old ones for a moment, which harms nobody.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::limits;
use crate::options::{ServerError, within};

/// Limits of a server that may be changed while it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tunables {
    /// Most connections at a time; 1 to [`limits::CONNECTIONS_MAX`].
    pub connections_max: usize,
    /// Most requests being answered at a time, probes and `/metrics` not counted; 1 to
    /// [`limits::REQUESTS_MAX`]. Beyond it they are 503 `overloaded`.
    pub requests_max: usize,
    /// Longest time for a request's head, in milliseconds; 1 to [`limits::WAIT_MS_MAX`].
    pub head_read_ms: u64,
    /// Longest idle time of an HTTP/1 connection, in milliseconds; 1 to [`limits::WAIT_MS_MAX`].
    pub idle_ms: u64,
    /// Longest time for a request's body, in milliseconds; 1 to [`limits::WAIT_MS_MAX`].
    pub body_read_ms: u64,
    /// Longest time that a client may take to make room for its replies, in milliseconds; 1 to
    /// [`limits::WAIT_MS_MAX`].
    pub write_ms: u64,
    /// Longest wait for running requests at shutdown, in milliseconds; at most
    /// [`limits::DRAIN_MS_MAX`].
    pub drain_ms: u64,
    /// Share of the requests that the access log shows; 0.0 to 1.0.
    pub access_log: f64,
    /// Time from which on a request is logged as a slow one, in milliseconds; at most
    /// [`limits::SLOW_MS_MAX`]; 0: never.
    pub slow_ms: u64,
}

impl Default for Tunables {
    fn default() -> Self {
        Self {
            connections_max: limits::CONNECTIONS_DEFAULT,
            requests_max: limits::REQUESTS_DEFAULT,
            head_read_ms: 10_000,
            idle_ms: 60_000,
            body_read_ms: 30_000,
            write_ms: 30_000,
            drain_ms: limits::DRAIN_MS_MAX,
            access_log: 0.0,
            slow_ms: 1_000,
        }
    }
}

impl Tunables {
    /// Checks every value against its limits.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let connections_max = count(limits::CONNECTIONS_MAX);
        within("connections_max", count(self.connections_max), 1, connections_max)?;
        within("requests_max", count(self.requests_max), 1, count(limits::REQUESTS_MAX))?;
        within("head_read_ms", self.head_read_ms, 1, limits::WAIT_MS_MAX)?;
        within("idle_ms", self.idle_ms, 1, limits::WAIT_MS_MAX)?;
        within("body_read_ms", self.body_read_ms, 1, limits::WAIT_MS_MAX)?;
        within("write_ms", self.write_ms, 1, limits::WAIT_MS_MAX)?;
        within("drain_ms", self.drain_ms, 0, limits::DRAIN_MS_MAX)?;
        within("slow_ms", self.slow_ms, 0, limits::SLOW_MS_MAX)?;
        if (0.0..=1.0).contains(&self.access_log) {
            return Ok(());
        }
        Err(ServerError::Share { option: "access_log", value: self.access_log })
    }
}

/// The limits in force.
#[derive(Debug)]
pub(crate) struct Live {
    connections_max: AtomicUsize,
    requests_max: AtomicUsize,
    head_read_ms: AtomicU64,
    idle_ms: AtomicU64,
    body_read_ms: AtomicU64,
    write_ms: AtomicU64,
    drain_ms: AtomicU64,
    /// The bits of an `f64`.
    access_log: AtomicU64,
    slow_ms: AtomicU64,
}

impl Live {
    pub(crate) fn new(tunables: &Tunables) -> Self {
        Self {
            connections_max: tunables.connections_max.into(),
            requests_max: tunables.requests_max.into(),
            head_read_ms: tunables.head_read_ms.into(),
            idle_ms: tunables.idle_ms.into(),
            body_read_ms: tunables.body_read_ms.into(),
            write_ms: tunables.write_ms.into(),
            drain_ms: tunables.drain_ms.into(),
            access_log: tunables.access_log.to_bits().into(),
            slow_ms: tunables.slow_ms.into(),
        }
    }

    /// Puts others into force.
    pub(crate) fn set(&self, tunables: &Tunables) {
        self.connections_max.store(tunables.connections_max, Relaxed);
        self.requests_max.store(tunables.requests_max, Relaxed);
        self.head_read_ms.store(tunables.head_read_ms, Relaxed);
        self.idle_ms.store(tunables.idle_ms, Relaxed);
        self.body_read_ms.store(tunables.body_read_ms, Relaxed);
        self.write_ms.store(tunables.write_ms, Relaxed);
        self.drain_ms.store(tunables.drain_ms, Relaxed);
        self.access_log.store(tunables.access_log.to_bits(), Relaxed);
        self.slow_ms.store(tunables.slow_ms, Relaxed);
    }

    /// All of them.
    pub(crate) fn get(&self) -> Tunables {
        Tunables {
            connections_max: self.connections_max.load(Relaxed),
            requests_max: self.requests_max(),
            head_read_ms: self.head_read_ms.load(Relaxed),
            idle_ms: self.idle_ms.load(Relaxed),
            body_read_ms: self.body_read_ms(),
            write_ms: self.write_ms.load(Relaxed),
            drain_ms: self.drain_ms.load(Relaxed),
            access_log: self.access_log(),
            slow_ms: self.slow_ms(),
        }
    }

    pub(crate) fn requests_max(&self) -> usize {
        self.requests_max.load(Relaxed)
    }

    pub(crate) fn body_read_ms(&self) -> u64 {
        self.body_read_ms.load(Relaxed)
    }

    pub(crate) fn access_log(&self) -> f64 {
        f64::from_bits(self.access_log.load(Relaxed))
    }

    pub(crate) fn slow_ms(&self) -> u64 {
        self.slow_ms.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_in_force() {
        let live = Live::new(&Tunables::default());
        assert_eq!(live.get(), Tunables::default());
        let other = Tunables {
            connections_max: 1,
            requests_max: 2,
            head_read_ms: 3,
            idle_ms: 4,
            body_read_ms: 5,
            write_ms: 6,
            drain_ms: 7,
            access_log: 0.125,
            slow_ms: 8,
        };
        live.set(&other);
        assert_eq!(live.get(), other);
    }

    #[test]
    fn every_value_has_limits() {
        let good = Tunables::default();
        let refused = |tunables: Tunables, option: &str| {
            let message = tunables.check().unwrap_err().to_string();
            assert!(message.starts_with(&format!("{option} is ")), "{message}");
        };
        assert!(good.check().is_ok());
        refused(Tunables { connections_max: 0, ..good }, "connections_max");
        refused(Tunables { connections_max: 100_001, ..good }, "connections_max");
        refused(Tunables { requests_max: 0, ..good }, "requests_max");
        refused(Tunables { head_read_ms: 0, ..good }, "head_read_ms");
        refused(Tunables { idle_ms: 600_001, ..good }, "idle_ms");
        refused(Tunables { body_read_ms: 0, ..good }, "body_read_ms");
        refused(Tunables { write_ms: 0, ..good }, "write_ms");
        refused(Tunables { drain_ms: 10_001, ..good }, "drain_ms");
        refused(Tunables { slow_ms: 600_001, ..good }, "slow_ms");
        for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            refused(Tunables { access_log: share, ..good }, "access_log");
        }
    }
}
