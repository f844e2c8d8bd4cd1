//! Who waits for which sequence. Cost: O(log n) to add, O(log n + answered) to answer.

use std::collections::BTreeMap;

use tokio::sync::oneshot::{self, Receiver, Sender};

/// What a waiter is told: that it is so, or why it may not be.
pub(crate) type Verdict = Result<(), String>;

/// Waiters by the sequence that they wait for.
#[derive(Default)]
pub(crate) struct Waiters(BTreeMap<u64, Vec<Sender<Verdict>>>);

impl Waiters {
    /// Adds a waiter for everything up to `sequence`.
    pub(crate) fn add(&mut self, sequence: u64) -> Receiver<Verdict> {
        let (sender, receiver) = oneshot::channel();
        self.0.entry(sequence).or_default().push(sender);
        receiver
    }

    /// Takes those who wait for nothing after `sequence`.
    pub(crate) fn take_up_to(&mut self, sequence: u64) -> Self {
        match sequence.checked_add(1) {
            Some(next) => {
                let later = self.0.split_off(&next);
                Self(std::mem::replace(&mut self.0, later))
            }
            None => std::mem::take(self),
        }
    }

    /// Tells everybody. A waiter that has gone away is not missed.
    pub(crate) fn tell(self, verdict: &Verdict) {
        for sender in self.0.into_values().flatten() {
            let _gone = sender.send(verdict.clone());
        }
    }
}
