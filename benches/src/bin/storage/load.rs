//! Load from many connections: as fast as answers come, or at a rate that does not wait for them.
//!
//! Invariant: at a rate, a request's time begins when it was due, not when it could be sent, so
//! that a stall counts for everybody who would have come meanwhile.

use rankd_benches::pause;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use rankd_benches::data::Sequence;

use crate::client::{Client, Peer};

/// Longest time that is told from longer ones, in microseconds.
const TIME_US_MAX: u64 = 60_000_000;

/// Times of one kind of request, in microseconds.
pub(crate) type Times = Histogram<u64>;

/// No times yet.
pub(crate) fn no_times() -> Times {
    Histogram::new_with_bounds(1, TIME_US_MAX, 3).expect("legal bounds")
}

/// Writes from `clients` connections for this long, each as soon as the one before is answered.
/// Returns the times.
pub(crate) fn saturate(
    peer: Peer,
    clients: usize,
    members: usize,
    time: Duration,
) -> Result<Times> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..clients)
            .map(|number| {
                let is_over = &is_over;
                scope.spawn(move || write_on(peer, number as u64, members, is_over))
            })
            .collect();
        pause(time);
        is_over.store(true, Ordering::Relaxed);
        let mut all = no_times();
        for writer in writers {
            all.add(writer.join().expect("it does not panic")?)?;
        }
        Ok(all)
    })
}

fn write_on(peer: Peer, seed: u64, members: usize, is_over: &AtomicBool) -> Result<Times> {
    let mut client = Client::connect(peer)?;
    let (mut numbers, mut times) = (Sequence::new(seed), no_times());
    while !is_over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        client.set(numbers.below(members), numbers.below(1 << 30))?;
        times.saturating_record(us(begun.elapsed()));
    }
    Ok(times)
}

/// Times of reads and writes in one phase of a steady load.
pub(crate) struct Phase {
    pub(crate) reads: Times,
    pub(crate) writes: Times,
}

impl Phase {
    pub(crate) fn new() -> Self {
        Self { reads: no_times(), writes: no_times() }
    }

    fn add(&mut self, other: &Self) -> Result<()> {
        self.reads.add(&other.reads)?;
        self.writes.add(&other.writes)?;
        Ok(())
    }
}

/// What a steady load is.
#[derive(Clone, Copy)]
pub(crate) struct Steady {
    pub(crate) peer: Peer,
    pub(crate) clients: u32,
    pub(crate) rate: u32,
    pub(crate) members: usize,
}

/// The phase that the load is in.
pub(crate) struct Switch {
    phase: AtomicUsize,
    is_over: AtomicBool,
}

impl Switch {
    pub(crate) fn to(&self, phase: usize) {
        self.phase.store(phase, Ordering::Relaxed);
    }
}

impl Steady {
    /// Keeps up the load, every second request a write, while `conduct` runs. Returns the times of
    /// `phases` phases, of which `conduct` chooses the present one.
    pub(crate) fn run(
        &self,
        phases: usize,
        conduct: impl FnOnce(&Switch) -> Result<()>,
    ) -> Result<Vec<Phase>> {
        let switch = Switch { phase: AtomicUsize::new(0), is_over: AtomicBool::new(false) };
        thread::scope(|scope| {
            let asking: Vec<_> = (0..self.clients)
                .map(|number| {
                    let switch = &switch;
                    scope.spawn(move || self.ask_on(number, phases, switch))
                })
                .collect();
            let conducted = conduct(&switch);
            switch.is_over.store(true, Ordering::Relaxed);
            let mut all: Vec<_> = (0..phases).map(|_| Phase::new()).collect();
            for asking in asking {
                for (sum, times) in all.iter_mut().zip(asking.join().expect("no panic")?) {
                    sum.add(&times)?;
                }
            }
            conducted.map(|()| all)
        })
    }

    fn ask_on(&self, number: u32, phases: usize, switch: &Switch) -> Result<Vec<Phase>> {
        let mut client = Client::connect(self.peer)?;
        let mut numbers = Sequence::new(u64::from(number));
        let mut all: Vec<_> = (0..phases).map(|_| Phase::new()).collect();
        let between = Duration::from_secs(1) * self.clients / self.rate;
        let mut due = Instant::now() + between * number / self.clients;
        let mut is_write = number.is_multiple_of(2);
        while !switch.is_over.load(Ordering::Relaxed) {
            pause(due.saturating_duration_since(Instant::now()));
            let member = numbers.below(self.members);
            let phase = all.get_mut(switch.phase.load(Ordering::Relaxed));
            let phase = phase.context("a phase that was announced")?;
            if is_write {
                client.set(member, numbers.below(1 << 30))?;
                phase.writes.saturating_record(us(due.elapsed()));
            } else {
                client.rank(member)?;
                phase.reads.saturating_record(us(due.elapsed()));
            }
            is_write = !is_write;
            due += between;
        }
        Ok(all)
    }
}

fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(TIME_US_MAX)
}
