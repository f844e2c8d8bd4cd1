//! The threads that work on a start together.
//!
//! Invariant: all work is done when it returns, however many threads the system gives. Cost: a
//! thread started for each hand but one, and waited for.

use std::thread::{Builder, available_parallelism, scope};

use parking_lot::Mutex;
use rankd_engine::{Crew, Work};

/// As many hands, the calling thread's among them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threads(pub(crate) usize);

impl Threads {
    /// A hand for each core that this process may use.
    pub(crate) fn all() -> Self {
        Self(available_parallelism().map_or(1, usize::from))
    }
}

impl Crew for Threads {
    fn hands(&self) -> usize {
        self.0.max(1)
    }

    fn carry_out(&self, work: Vec<Work<'_>>) {
        let others = self.hands().min(work.len()).saturating_sub(1);
        let left = Mutex::new(work);
        let toil = || {
            while let Some(piece) = next_of(&left) {
                piece();
            }
        };
        scope(|scope| {
            for _ in 0..others {
                // If the system gives no more threads, those that are there do the work.
                let _started =
                    Builder::new().name("rankd-load".to_owned()).spawn_scoped(scope, toil);
            }
            toil();
        });
    }
}

/// The lock is given back before the piece is worked on.
fn next_of<'a>(left: &Mutex<Vec<Work<'a>>>) -> Option<Work<'a>> {
    left.lock().pop()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn all_work_is_done_once_by_any_number_of_hands() {
        for hands in [0, 1, 2, 7] {
            let done: Vec<_> = (0..5).map(|_| AtomicUsize::new(0)).collect();
            let work = done.iter().map(|piece| {
                let work: Work<'_> = Box::new(|| {
                    piece.fetch_add(1, Ordering::Relaxed);
                });
                work
            });
            Threads(hands).carry_out(work.collect());
            assert!(done.iter().all(|piece| piece.load(Ordering::Relaxed) == 1), "{hands} hands");
        }
    }
}
