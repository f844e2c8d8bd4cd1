//! Merges that take too long to be done while rows come in.
//!
//! What it is: a job that is taken from the ledger, run without it, and given back. What it is not:
//! necessary; without it, appends merge themselves once there are too many runs. Invariant: no
//! answer depends on which merges were done. Cost: some ten nanoseconds a row.

use std::sync::Arc;

use crate::cells::CellRun;
use crate::day::DayRun;
use crate::ledger::Ledger;
use crate::postings::PostingRun;
use crate::row::Measure;
use crate::tiers::{Run, Tiers};
use crate::users::UsersView;

/// A block, by what it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BlockName {
    Day(i32),
    Month(Measure, i32),
    Year(Measure, i32),
    Tag(u32),
}

#[derive(Debug)]
enum Runs {
    Rows(Vec<Arc<DayRun>>),
    Cells(Vec<Arc<CellRun>>),
    Postings(Vec<Arc<PostingRun>>),
}

#[derive(Debug)]
enum MergedRun {
    Rows(DayRun),
    Cells(CellRun),
    Postings(PostingRun),
}

/// A merge that should be done. See `Ledger::merge_job`.
#[derive(Debug)]
pub struct MergeJob {
    block: BlockName,
    runs: Runs,
    users: UsersView,
}

/// A merge that was done.
#[derive(Debug)]
pub struct Merged {
    block: BlockName,
    runs: Runs,
    merged: MergedRun,
}

impl MergeJob {
    /// Does it. Up to some tens of milliseconds for a year of a million users.
    pub fn run(self) -> Merged {
        let Self { block, runs, users } = self;
        let merged = match &runs {
            Runs::Rows(runs) => MergedRun::Rows(Run::merged(runs, &users)),
            Runs::Cells(runs) => MergedRun::Cells(Run::merged(runs, &users)),
            Runs::Postings(runs) => MergedRun::Postings(Run::merged(runs, &users)),
        };
        Merged { block, runs, merged }
    }
}

impl Ledger {
    /// Whether [`merge_job`](Self::merge_job) has one. A comparison.
    pub fn has_merge_job(&self) -> bool {
        !self.blocks.overdue.is_empty()
    }

    /// A merge that is worth being done, if there is one. Microseconds.
    ///
    /// To be asked for after rows were added, until there is none, by a thread that holds no lock
    /// while it runs the job. That keeps appends short, which else do long merges themselves.
    pub fn merge_job(&self) -> Option<MergeJob> {
        self.blocks.overdue.iter().find_map(|&block| {
            let runs = match block {
                BlockName::Day(day) => Runs::Rows(overdue(self.blocks.days.get(&day)?)?),
                BlockName::Tag(tag) => Runs::Postings(overdue(self.blocks.postings.get(&tag)?)?),
                BlockName::Month(measure, month) => {
                    let months = &self.blocks.levels(measure).months;
                    Runs::Cells(overdue(&months.get(&month)?.cells)?)
                }
                BlockName::Year(measure, year) => {
                    let years = &self.blocks.levels(measure).years;
                    Runs::Cells(overdue(&years.get(&year)?.cells)?)
                }
            };
            Some(MergeJob { block, runs, users: self.users.view().clone() })
        })
    }

    /// Takes a merge over. If its rows were merged otherwise meanwhile, nothing happens.
    pub fn finish(&mut self, done: Merged) {
        let Merged { block, runs, merged } = done;
        let blocks = &mut self.blocks;
        let is_overdue = match (block, runs, merged) {
            (BlockName::Day(day), Runs::Rows(of), MergedRun::Rows(merged)) => {
                blocks.days.get_mut(&day).map(|tiers| install(tiers, &of, merged))
            }
            (BlockName::Tag(tag), Runs::Postings(of), MergedRun::Postings(merged)) => {
                blocks.postings.get_mut(&tag).map(|tiers| install(tiers, &of, merged))
            }
            (block, Runs::Cells(of), MergedRun::Cells(merged)) => {
                blocks.cells_mut(block).map(|tiers| install(tiers, &of, merged))
            }
            _ => None,
        };
        if is_overdue != Some(true) {
            blocks.overdue.remove(&block);
        }
    }
}

fn overdue<R: Run>(tiers: &Tiers<R>) -> Option<Vec<Arc<R>>> {
    Some(tiers.runs()[tiers.overdue()?].to_vec())
}

/// Whether more should be merged.
fn install<R: Run>(tiers: &mut Tiers<R>, of: &[Arc<R>], merged: R) -> bool {
    tiers.install(of, merged);
    tiers.overdue().is_some()
}
