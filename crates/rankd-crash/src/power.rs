//! The campaign of power cuts: chains of lives, each on what the one before left.
//!
//! Most lives end in a power cut, some in the kill of the process alone, which leaves the page
//! cache as it is, for a later power cut to find. Each life aims at one kind of moment, so that
//! rare ones are hit as often as common ones. Cost: some hundred microseconds a life.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use crate::disk::Disk;
use crate::fs::{Cut, SimFs};
use crate::life::{live, open};
use crate::model::{Contents, Model, Violation};
use crate::moment::{Moment, Tally};
use crate::random::Random;

/// Lives of one chain.
const LIVES: u64 = 40;
/// Lives behind the scene of another campaign.
const LIVES_OF_A_SCENE: u64 = 12;
/// A start is swept if it makes so many changing calls: one with nothing to do but to remove a
/// spare file makes fewer.
const CALLS_WORTH_A_SWEEP: u64 = 5;
/// Kills among the lives: one in so many.
const KILL_ONE_IN: usize = 5;
/// A life ends at this call, if the moment that it aims at did not come before.
const CALLS_MAX: usize = 80;

/// What a campaign is to do.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// Of everything that follows.
    pub seed: u64,
    /// Power cuts, at least.
    pub cuts: u64,
    /// Threads, each with chains of its own.
    pub threads: usize,
    /// Fsyncs of this kind are left out: a bug made on purpose.
    pub forgotten: Option<Moment>,
}

/// What a campaign came to.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// When the power was cut.
    pub cuts: Tally,
    /// When the process was killed.
    pub kills: Tally,
    /// Batches that were acknowledged, and checked for after every crash.
    pub acknowledged: u64,
    /// Snapshots that were finished.
    pub snapshots: u64,
    /// Starts that cut off a torn tail.
    pub torn_tails: u64,
    /// Digest of all disks that were left: the same seed gives the same one.
    pub digest: u32,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// A promise that was not kept, and how to see it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Seed of the chain.
    pub chain: u64,
    /// Which of its lives, counted from 0.
    pub life: u64,
    /// The fsync that was left out.
    pub forgotten: Option<Moment>,
    /// What happened.
    pub violation: Violation,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, life, forgotten, violation } = self;
        writeln!(f, "chain {chain}, life {life}: {violation}")?;
        write!(f, "to see it again: cargo xtask crash power --chain {chain}")?;
        forgotten.map_or(Ok(()), |moment| write!(f, " --forget '{moment}'"))
    }
}

impl std::error::Error for Failure {}

impl Results {
    /// Adds what another campaign came to.
    pub fn add(&mut self, other: &Self) {
        self.duration_ms += other.duration_ms;
        self.cuts.add(&other.cuts);
        self.kills.add(&other.kills);
        self.acknowledged += other.acknowledged;
        self.snapshots += other.snapshots;
        self.torn_tails += other.torn_tails;
        self.digest ^= other.digest;
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "power cuts:\n{}", self.cuts)?;
        writeln!(f, "kills, of which the page cache survives: {}", self.kills.total())?;
        writeln!(f, "acknowledged batches: {}", self.acknowledged)?;
        writeln!(f, "snapshots: {}", self.snapshots)?;
        writeln!(f, "torn tails cut off: {}", self.torn_tails)?;
        write!(f, "milliseconds: {}", self.duration_ms)
    }
}

impl Campaign {
    /// Runs until the power was cut often enough, or a promise was not kept.
    ///
    /// # Errors
    /// The first promise that was not kept.
    pub fn run(&self) -> Result<Results, Failure> {
        let begun = Instant::now();
        let total = Mutex::new((Results::default(), None));
        let (next, cuts) = (AtomicU64::new(0), AtomicU64::new(0));
        let work = || {
            while cuts.load(Ordering::Relaxed) < self.cuts && total.lock().1.is_none() {
                let chain = chain_seed(self.seed, next.fetch_add(1, Ordering::Relaxed));
                match run_chain(chain, self.forgotten) {
                    Ok(results) => {
                        cuts.fetch_add(results.cuts.total(), Ordering::Relaxed);
                        total.lock().0.add(&results);
                    }
                    Err(failure) => {
                        total.lock().1.get_or_insert(failure);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(work);
            }
        });
        let (mut results, failure) = total.into_inner();
        results.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        failure.map_or(Ok(results), Err)
    }
}

/// The seed of one chain of a campaign.
fn chain_seed(seed: u64, chain: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(chain)
}

/// Runs one chain of lives, beginning with an empty disk.
///
/// # Errors
/// A promise that was not kept.
pub fn run_chain(seed: u64, forgotten: Option<Moment>) -> Result<Results, Failure> {
    let mut chain = Chain::new(seed, forgotten);
    for life in 0..LIVES {
        let lived = chain.live();
        lived.map_err(|violation| Failure { chain: seed, life, forgotten, violation })?;
    }
    Ok(chain.results)
}

/// A disk that some crashes have left, and what a store on it has to hold.
///
/// # Errors
/// A promise that was not kept.
pub fn left_by_crashes(seed: u64) -> Result<(Disk, Model), Violation> {
    let mut chain = Chain::new(seed, None);
    for _life in 0..LIVES_OF_A_SCENE {
        chain.live()?;
    }
    Ok((chain.disk, chain.model))
}

struct Chain {
    random: Random,
    model: Model,
    disk: Disk,
    forgotten: Option<Moment>,
    results: Results,
}

impl Chain {
    fn new(seed: u64, forgotten: Option<Moment>) -> Self {
        let (model, disk, results) = (Model::default(), Disk::default(), Results::default());
        Self { random: Random::new(seed), model, disk, forgotten, results }
    }

    /// Ends a start of the disk as it is at each of its calls, and starts again what is left.
    fn sweep_start(&mut self) -> Result<(), Violation> {
        let calls = {
            let fs = self.fs();
            drop(open(&fs).map_err(|error| Violation(error.one_line()))?);
            fs.changes()
        };
        if calls < CALLS_WORTH_A_SWEEP {
            return Ok(());
        }
        for nth_call in 1..=calls {
            let (fs, mut model) = (self.fs(), self.model.clone());
            let takes_effect = self.random.one_in(2);
            let cut = Cut { moment: Moment::Idle, nth: 1, nth_call, takes_effect };
            fs.plan(cut);
            if open(&fs).is_ok() {
                return Err(Violation(format!("call {nth_call} of {calls} was never made")));
            }
            let moment = fs.cut_at().expect("the start failed because of it");
            self.results.cuts.count(moment);
            let left = fs.disk().after_power_cut(&mut self.random);
            let again = SimFs::new(left, Random::new(0));
            again.forget(self.forgotten);
            let (_store, state, report) = open(&again).map_err(|error| {
                Violation(format!("REFUSED after a cut in a start, {moment}: {}", error.one_line()))
            })?;
            model.recover(report.sequence, &Contents::of(&state)?)?;
        }
        Ok(())
    }

    fn fs(&mut self) -> SimFs {
        let fs = SimFs::new(self.disk.clone(), Random::new(self.random.number()));
        fs.forget(self.forgotten);
        fs
    }

    /// One more life, and the crash at its end.
    fn live(&mut self) -> Result<(), Violation> {
        self.sweep_start()?;
        let fs = self.fs();
        let random = &mut self.random;
        let cut = draw_cut(random);
        let ended = live(&fs, cut, &mut self.model, random)?;
        let disk = fs.disk();
        if random.one_in(KILL_ONE_IN) {
            self.disk = disk;
            self.results.kills.count(ended.at);
        } else {
            self.disk = disk.after_power_cut(random);
            self.results.cuts.count(ended.at);
        }
        self.results.acknowledged += ended.acknowledged;
        self.results.snapshots += ended.snapshots;
        self.results.torn_tails += u64::from(ended.had_torn_tail);
        self.results.digest ^= self.disk.digest();
        Ok(())
    }
}

/// The kinds of moment that lives aim at, those more often that come less often. A start's own
/// moments are swept.
const AIMS: [(Moment, usize); 14] = [
    (Moment::Idle, 1),
    (Moment::LogWrite, 2),
    (Moment::LogSync, 2),
    (Moment::RotationWrite, 1),
    (Moment::RotationSync, 1),
    (Moment::RotationRename, 4),
    (Moment::RotationFolder, 4),
    (Moment::SnapshotWrite, 1),
    (Moment::SnapshotSync, 1),
    (Moment::SnapshotRename, 1),
    (Moment::SnapshotFolder, 1),
    (Moment::RemoveSnapshot, 1),
    (Moment::RemoveSegment, 3),
    (Moment::RemoveFolder, 2),
];

fn draw_cut(random: &mut Random) -> Cut {
    let mut left = random.below(AIMS.iter().map(|(_, weight)| weight).sum());
    let aim = AIMS.iter().find(|(_, weight)| {
        let is_it = left < *weight;
        left = left.saturating_sub(*weight);
        is_it
    });
    let (moment, _) = aim.expect("below the sum of the weights");
    Cut {
        moment: *moment,
        nth: 1 + random.below(2) as u64,
        nth_call: 1 + random.below(CALLS_MAX) as u64,
        takes_effect: random.one_in(2),
    }
}
