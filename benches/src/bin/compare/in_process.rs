//! Contenders that are data structures in this process.
//!
//! What it is not: aware of which structure it runs; the loops are compiled once for each.
//! Invariant: nothing but the operation and the folding of its answer is inside a timed loop. Cost:
//! two readings of the clock a lot.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};
use rankd_benches::data::{Score, Sum};
use rankd_benches::structures::{Ranked, Structure};

use crate::ops::{Contender, Lot, Op, Outcome, PAGE_LEN, WINDOW, mix};

/// A structure without ranks.
pub(crate) struct Plain<T> {
    name: &'static str,
    structure: T,
}

/// A structure with ranks.
pub(crate) struct WithRanks<T>(Plain<T>);

impl<T: Structure> Plain<T> {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, structure: T::empty() }
    }

    fn run_plain(&mut self, op: Op, lot: &Lot<'_, T::Member>) -> Option<Outcome> {
        let structure = &mut self.structure;
        match op {
            Op::Set => Some(timed(lot, |lot| set(structure, lot, lot.passes))),
            Op::Insert => Some(timed(lot, |lot| set(structure, lot, 1))),
            Op::Remove => Some(timed(lot, |lot| remove(structure, lot))),
            Op::Iterate => Some(timed(lot, |lot| iterate(structure, lot))),
            _ => None,
        }
    }
}

impl<T: Ranked> WithRanks<T> {
    pub(crate) fn new(name: &'static str) -> Self {
        Self(Plain::new(name))
    }

    fn run_ranked(&self, op: Op, lot: &Lot<'_, T::Member>) -> Option<Outcome> {
        let structure = &self.0.structure;
        match op {
            Op::Rank => Some(timed(lot, |lot| rank(structure, lot))),
            Op::RankDependent => Some(timed(lot, |lot| rank_dependent(structure, lot))),
            Op::RankWindow => {
                structure.ranks(&lot.asked[..0])?;
                Some(timed(lot, |lot| rank_window(structure, lot)))
            }
            Op::Page => Some(timed(lot, |lot| page(structure, lot))),
            Op::Around => Some(timed(lot, |lot| around(structure, lot))),
            Op::Count => Some(timed(lot, |lot| count(structure, lot))),
            _ => None,
        }
    }
}

impl<T: Structure> Contender<T::Member, T::Score> for Plain<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn load(&mut self, entries: &[(T::Member, T::Score)]) -> Result<()> {
        entries.iter().for_each(|(member, score)| self.structure.set(member, *score));
        Ok(())
    }

    fn run(&mut self, op: Op, lot: &Lot<'_, T::Member>) -> Result<Option<Outcome>> {
        ensure!(lot.size >= PAGE_LEN, "a board has to have at least {PAGE_LEN} members");
        Ok(self.run_plain(op, lot))
    }
}

impl<T: Ranked> Contender<T::Member, T::Score> for WithRanks<T> {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn load(&mut self, entries: &[(T::Member, T::Score)]) -> Result<()> {
        self.0.load(entries)
    }

    fn run(&mut self, op: Op, lot: &Lot<'_, T::Member>) -> Result<Option<Outcome>> {
        ensure!(lot.size >= PAGE_LEN, "a board has to have at least {PAGE_LEN} members");
        Ok(self.0.run_plain(op, lot).or_else(|| self.run_ranked(op, lot)))
    }
}

fn timed<M>(lot: &Lot<'_, M>, work: impl FnOnce(&Lot<'_, M>) -> u64) -> Outcome {
    let started = Instant::now();
    let checksum = black_box(work(black_box(lot)));
    Outcome { time: started.elapsed(), checksum }
}

fn set<T: Structure>(structure: &mut T, lot: &Lot<'_, T::Member>, passes: usize) -> u64 {
    let mut numbers = lot.numbers();
    for _ in 0..passes {
        for member in lot.asked {
            structure.set(member, T::Score::draw(&mut numbers, lot.scores));
        }
    }
    0
}

fn remove<T: Structure>(structure: &mut T, lot: &Lot<'_, T::Member>) -> u64 {
    lot.asked.iter().map(|member| u64::from(structure.remove(member))).sum()
}

fn iterate<T: Structure>(structure: &T, lot: &Lot<'_, T::Member>) -> u64 {
    (0..lot.passes).fold(0, |checksum, _| mix(checksum, read(black_box(structure).iterate())))
}

fn rank<T: Ranked>(structure: &T, lot: &Lot<'_, T::Member>) -> u64 {
    let mut checksum = 0;
    for _ in 0..lot.passes {
        for member in lot.asked {
            checksum = mix(checksum, answer(structure.rank(member)));
        }
    }
    checksum
}

/// The next question is near the last one in the list, so that only the look-up is waited for.
fn rank_dependent<T: Ranked>(structure: &T, lot: &Lot<'_, T::Member>) -> u64 {
    let mut checksum = 0;
    let mut at = 0;
    for _ in 0..lot.asked.len() * lot.passes {
        let rank = structure.rank(&lot.asked[at]).expect("every member is there");
        checksum = mix(checksum, rank as u64);
        at += 1 + (rank & 1);
        if at >= lot.asked.len() {
            at -= lot.asked.len();
        }
    }
    checksum
}

fn rank_window<T: Ranked>(structure: &T, lot: &Lot<'_, T::Member>) -> u64 {
    let mut checksum = 0;
    for _ in 0..lot.passes {
        for window in lot.asked.chunks_exact(WINDOW) {
            for rank in structure.ranks(window).into_iter().flatten() {
                checksum = mix(checksum, answer(rank));
            }
        }
    }
    checksum
}

fn page<T: Ranked>(structure: &T, lot: &Lot<'_, T::Member>) -> u64 {
    let mut numbers = lot.numbers();
    (0..lot.asked.len() * lot.passes).fold(0, |checksum, _| {
        let start = lot.page_start(&mut numbers);
        mix(checksum, read(structure.page(start, PAGE_LEN)))
    })
}

fn around<T: Ranked>(structure: &T, lot: &Lot<'_, T::Member>) -> u64 {
    let mut checksum = 0;
    for _ in 0..lot.passes {
        for member in lot.asked {
            checksum = mix(checksum, structure.around(member).map_or(u64::MAX, read));
        }
    }
    checksum
}

fn count<T: Ranked>(structure: &T, lot: &Lot<'_, T::Member>) -> u64 {
    let mut numbers = lot.numbers();
    (0..lot.asked.len() * lot.passes).fold(0, |checksum, _| {
        let (low, high) = lot.score_range(&mut numbers);
        mix(checksum, structure.count(low, high) as u64)
    })
}

fn answer(rank: Option<usize>) -> u64 {
    rank.map_or(u64::MAX, |rank| rank as u64)
}

/// The members' part; the scores were read, but not every contender gives them.
fn read(sum: Sum) -> u64 {
    black_box(sum.scores);
    sum.members
}
