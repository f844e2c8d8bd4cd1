//! What one thread's connections have seen, until the collector takes it away.
//!
//! Invariant: whatever is counted is counted once, in the tally that is taken next. Cost: an
//! uncontended lock and one addition in a histogram a request.

use std::mem;
use std::time::Duration;

use hdrhistogram::Histogram;
use parking_lot::{Mutex, MutexGuard};

use crate::mix::Operation;
use crate::plan::limits;

/// Digits that latencies keep.
const DIGITS: u8 = 3;
/// Shortest latency that is told apart from shorter ones, in nanoseconds.
const LATENCY_NS_MIN: u64 = 100;
/// Most of a refusal that is kept, in bytes.
const REFUSAL_BYTES_MAX: usize = 200;

/// A histogram of latencies in nanoseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    let max = u64::try_from(limits::LATENCY_MAX.as_nanos()).expect("an hour");
    Histogram::new_with_bounds(LATENCY_NS_MIN, max, DIGITS).expect("the bounds are apart")
}

/// Counts of a stretch of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    latencies: [Option<Box<Histogram<u64>>>; Operation::ALL.len()],
    /// Answers that arrived while the test was counted.
    pub(crate) answered: u64,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
    /// Requests that were due and got no answer; their latencies are what they had waited.
    pub(crate) unanswered: u64,
    /// Connections that had to be made again.
    pub(crate) reconnects: u64,
}

impl Tally {
    pub(crate) fn latency(&mut self, operation: Operation, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.latencies[operation.place()]
            .get_or_insert_with(|| Box::new(histogram()))
            .saturating_record(nanos);
    }

    pub(crate) fn error(&mut self, text: impl FnOnce() -> String) {
        self.errors += 1;
        self.first_error.get_or_insert_with(text);
    }

    /// The latencies of one operation, if it came.
    pub(crate) fn of(&self, operation: Operation) -> Option<&Histogram<u64>> {
        self.latencies[operation.place()].as_deref()
    }

    /// The latencies of all operations.
    pub(crate) fn all(&self) -> Histogram<u64> {
        let mut all = histogram();
        for one in self.latencies.iter().flatten() {
            all.add(&**one).expect("all histograms have the same bounds");
        }
        all
    }

    /// Adds what `other` counted.
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.latencies.iter_mut().zip(&other.latencies) {
            let Some(theirs) = theirs else { continue };
            let mine = mine.get_or_insert_with(|| Box::new(histogram()));
            mine.add(&**theirs).expect("all histograms have the same bounds");
        }
        self.answered += other.answered;
        self.errors += other.errors;
        self.unanswered += other.unanswered;
        self.reconnects += other.reconnects;
        if self.first_error.is_none() {
            self.first_error.clone_from(&other.first_error);
        }
    }
}

/// A refusal as a report shows it.
pub(crate) fn shown(refusal: &[u8]) -> String {
    let clipped = refusal.get(..REFUSAL_BYTES_MAX).unwrap_or(refusal);
    String::from_utf8_lossy(clipped).trim().to_owned()
}

/// One thread's tally.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Tally>);

impl Recorder {
    /// The tally, to count in; never held across a wait.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.lock()
    }

    /// What was counted since the last time.
    pub(crate) fn take(&self) -> Tally {
        mem::take(&mut *self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_not_counted_again() {
        let recorder = Recorder::default();
        let latency = Duration::from_micros(250);
        for operation in [Operation::Rank, Operation::Rank, Operation::Update] {
            let mut tally = recorder.tally();
            tally.latency(operation, latency);
            tally.answered += 1;
        }
        recorder.tally().error(|| "first".to_owned());
        recorder.tally().error(|| "second".to_owned());
        let first = recorder.take();
        assert_eq!((first.answered, first.errors), (3, 2));
        assert_eq!(first.first_error.as_deref(), Some("first"));
        assert_eq!(first.of(Operation::Rank).unwrap().len(), 2);
        assert!(first.of(Operation::Top).is_none());
        assert_eq!(first.all().len(), 3);
        let mut sum = recorder.take();
        assert_eq!((sum.answered, sum.all().len()), (0, 0));
        sum.add(&first);
        sum.add(&first);
        assert_eq!((sum.answered, sum.errors, sum.all().len()), (6, 4, 6));
        let median = sum.all().value_at_quantile(0.5);
        assert!(median.abs_diff(250_000) < 250, "{median}");
    }

    #[test]
    fn latencies_beyond_the_last_count_as_it() {
        let mut tally = Tally::default();
        tally.latency(Operation::Top, Duration::from_hours(10));
        tally.latency(Operation::Top, Duration::ZERO);
        assert_eq!(tally.all().len(), 2);
        assert!(tally.all().max() >= 3_599_000_000_000);
    }
}
