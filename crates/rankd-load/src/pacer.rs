//! A timer that is exact to some microseconds; the runtime's own counts milliseconds, which is
//! as long as the latencies that are to be measured.
//!
//! Cost: one call to the system each time it is set, none while it is set already.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// One timer.
#[derive(Debug)]
pub(crate) struct Pacer {
    timer: AsyncFd<OwnedFd>,
    set_for: Option<Instant>,
}

impl Pacer {
    /// A timer of the current runtime.
    ///
    /// # Errors
    /// There are too many open files.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for types whose descriptor may change; an OwnedFd's \
                      does not"
        )]
        let timer = AsyncFd::new(timer)?;
        Ok(Self { timer, set_for: None })
    }

    /// Waits until `due`. May be dropped at any point and called again.
    ///
    /// # Errors
    /// The system refuses the timer.
    pub(crate) async fn until(&mut self, due: Instant) -> io::Result<()> {
        loop {
            let rest = due.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(());
            }
            if self.set_for != Some(due) {
                let rest = Timespec::try_from(rest).map_err(io::Error::other)?;
                let never = Timespec { tv_sec: 0, tv_nsec: 0 };
                let once = Itimerspec { it_interval: never, it_value: rest };
                timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once)?;
                self.set_for = Some(due);
            }
            // Events come at an edge, so that the timer need not be read; one that is left from
            // an earlier setting leads to one more round.
            self.timer.readable().await?.clear_ready();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_is_never_early_and_can_be_set_again() {
        let mut pacer = Pacer::new().unwrap();
        for micros in [300, 50, 1, 0, 2000] {
            let due = Instant::now() + Duration::from_micros(micros);
            pacer.until(due).await.unwrap();
            assert!(Instant::now() >= due);
        }
        // Set, dropped, and set for something earlier.
        let far = Instant::now() + Duration::from_hours(1);
        tokio::select! {
            biased;
            done = pacer.until(far) => panic!("{done:?}"),
            () = tokio::task::yield_now() => {}
        }
        let near = Instant::now() + Duration::from_micros(200);
        pacer.until(near).await.unwrap();
        assert!(Instant::now() >= near && Instant::now() < far);
    }
}
