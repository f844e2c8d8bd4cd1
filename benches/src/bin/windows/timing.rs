//! Times of many calls, and what is said of them.
//!
//! Invariant: nothing is left out or smoothed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Whether the calling thread's processor time is taken, instead of the time that passes.
static IS_PROCESSOR_TIME: AtomicBool = AtomicBool::new(false);

/// From now on, takes the calling thread's processor time.
pub(crate) fn take_processor_time() {
    IS_PROCESSOR_TIME.store(true, Ordering::Relaxed);
}

pub(crate) fn is_processor_time() -> bool {
    IS_PROCESSOR_TIME.load(Ordering::Relaxed)
}

/// A reading of the clock that times are taken by.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Duration);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        now().saturating_sub(self.0)
    }
}

fn now() -> Duration {
    let clock = if is_processor_time() { ClockId::ThreadCPUTime } else { ClockId::Monotonic };
    Duration::try_from(clock_gettime(clock)).expect("both clocks begin at 0")
}

/// Times of calls of one sort.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Calls and takes the time.
    pub(crate) fn of<R>(&mut self, call: impl FnOnce() -> R) -> R {
        let started = Clock::start();
        let result = call();
        self.add(started.elapsed());
        result
    }

    /// The time that this part of all calls did not exceed: from 0 for the best to 1 for the worst.
    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let Some(last) = sorted.len().checked_sub(1) else { return Duration::ZERO };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "there are few"
        )]
        let at = (part * last as f64).round() as usize;
        sorted[at.min(last)]
    }

    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    pub(crate) fn worst(&self) -> Duration {
        self.quantile(1.0)
    }

    pub(crate) fn sum(&self) -> Duration {
        self.0.iter().sum()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Milliseconds with three digits that count.
pub(crate) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    match ms {
        ..0.0995 => format!("{ms:.3}"),
        ..0.995 => format!("{ms:.2}"),
        ..9.95 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}
