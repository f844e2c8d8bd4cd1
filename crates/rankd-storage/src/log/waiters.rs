//! Who waits for which sequence. Cost: O(1) to add near the end, O(answered) to answer.

use std::collections::VecDeque;

use rankd_engine::Procedure;
use tokio::sync::oneshot::Sender;

/// What a waiter is told: that it is so, or why it may not be.
pub(crate) type Verdict = Result<(), String>;

/// What becomes of a procedure: it is given back, or may not be durable.
pub(crate) type Carried = Result<Box<dyn Procedure>, String>;

/// Somebody who waits. One that has gone away is not missed.
pub(crate) enum Waiter {
    /// For a verdict.
    Verdict(Sender<Verdict>),
    /// For what a procedure did.
    Turn(Sender<Carried>, Box<dyn Procedure>),
}

impl Waiter {
    pub(crate) fn tell(self, verdict: &Verdict) {
        match self {
            Self::Verdict(sender) => drop(sender.send(verdict.clone())),
            Self::Turn(sender, procedure) => {
                drop(sender.send(verdict.clone().map(|()| procedure)));
            }
        }
    }
}

/// Waiters in the order of the sequences that they wait for.
#[derive(Default)]
pub(crate) struct Waiters(VecDeque<(u64, Waiter)>);

impl Waiters {
    /// Adds a waiter for everything up to `sequence`.
    pub(crate) fn add(&mut self, sequence: u64, waiter: Waiter) {
        let later = self.0.iter().rev().take_while(|(other, _)| *other > sequence).count();
        self.0.insert(self.0.len() - later, (sequence, waiter));
    }

    /// Takes those who wait for nothing after `sequence`.
    pub(crate) fn take_up_to(&mut self, sequence: u64) -> Self {
        let count = self.0.partition_point(|(wanted, _)| *wanted <= sequence);
        Self(self.0.drain(..count).collect())
    }

    /// Tells everybody.
    pub(crate) fn tell(self, verdict: &Verdict) {
        for (_, waiter) in self.0 {
            waiter.tell(verdict);
        }
    }
}
