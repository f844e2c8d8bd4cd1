//! When each request of an open loop is meant to start.
//!
//! Invariant: the starts of all connections together are evenly spaced and add up to the rate
//! exactly, however long the test: each is computed from its number, never from the one before.

use std::time::Duration;

const NANOS_PER_S: u128 = 1_000_000_000;

/// The starts of one connection's requests: every `connections`-th of the whole test's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    rate_per_s: u64,
    connections: u64,
    /// This connection, counted from 0.
    connection: u64,
}

impl Schedule {
    pub(crate) fn new(rate_per_s: u64, connections: u64, connection: u64) -> Self {
        debug_assert!(rate_per_s > 0 && connection < connections);
        Self { rate_per_s, connections, connection }
    }

    /// The intended start of this connection's `number`-th request (from 0), since the test began.
    pub(crate) fn start(&self, number: u64) -> Duration {
        let of_all =
            u128::from(number) * u128::from(self.connections) + u128::from(self.connection);
        let nanos = of_all * NANOS_PER_S / u128::from(self.rate_per_s);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn connections_together_keep_the_rate(
            rate in 1..200_000_u64, connections in 1..50_u64, seconds in 1..5_u64,
        ) {
            // Counting afresh: how many starts of all connections lie in the first seconds.
            let end = Duration::from_secs(seconds);
            let counts = (0..connections).map(|connection| {
                let schedule = Schedule::new(rate, connections, connection);
                let (mut low, mut high) = (0, rate * seconds + 1);
                while low < high {
                    let middle = (low + high) / 2;
                    if schedule.start(middle) < end { low = middle + 1 } else { high = middle }
                }
                low
            });
            prop_assert_eq!(counts.sum::<u64>(), rate * seconds);
        }

        #[test]
        fn starts_are_evenly_spaced(rate in 1..1_000_000_u64, connections in 1..100_u64) {
            let at = |n: u64| {
                Schedule::new(rate, connections, n % connections).start(n / connections)
            };
            for n in 0..200 {
                let gap = (at(n + 1) - at(n)).as_nanos();
                let exact = NANOS_PER_S / u128::from(rate);
                prop_assert!(gap == exact || gap == exact + 1, "{} at {}", gap, n);
            }
        }
    }

    #[test]
    fn a_day_does_not_drift() {
        let schedule = Schedule::new(30_000, 3, 2);
        let of_a_day = 10_000 * 86_400;
        let late = schedule.start(of_a_day) - Duration::from_secs(86_400);
        assert_eq!(late, schedule.start(0));
    }
}
