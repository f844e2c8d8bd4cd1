//! Contenders against operations: agreement first, then interleaved rounds.
//!
//! What it is not: a judge; it reports medians and what they were taken of. Invariant: all
//! contenders hold the same board when they are compared for agreement, and a board of the same
//! size and kind ever after. Cost: rounds x contenders x operations x the length of a lot.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rankd_benches::data::{Member, Score, Sequence};

use crate::data_set::Contenders;
use crate::ops::{Contender, Lot, Op, Outcome};
use crate::plan::Plan;

/// Questions of one lot.
const LOT_QUESTIONS_MAX: usize = 1 << 18;
const LOT_QUESTIONS_FIRST: usize = 64;
/// Members that are out of the board at the same time: one in this many.
const REMOVED_PART: usize = 10;
/// Times that one lot is repeated, at most, to last long enough.
const REPEATS_MAX: usize = 1_000;
/// Questions on which all have to agree.
const AGREEMENT_QUESTIONS: usize = 5_000;
/// Beyond this size, iterating takes so long that few rounds tell enough.
const ITERATE_ALWAYS_MAX: usize = 1_000_000;
const ITERATE_ROUNDS: usize = 3;

/// What a contender needs for one operation, over all rounds, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median_ns: f64,
    pub(crate) min_ns: f64,
    pub(crate) max_ns: f64,
}

/// One operation; a cell for each contender, empty where it has no such operation.
pub(crate) struct Row {
    pub(crate) op: Op,
    pub(crate) cells: Vec<Option<Spread>>,
}

/// The board's questions, from which lots are cut.
pub(crate) struct Questions<'a, M> {
    pub(crate) asked: &'a [M],
    pub(crate) size: usize,
    pub(crate) scores: usize,
}

/// How much work makes one timing.
#[derive(Clone, Copy)]
struct Effort {
    questions: usize,
    /// Passes over the questions; for removals and insertions, lots.
    repeats: usize,
}

impl<'a, M> Questions<'a, M> {
    fn lot(&self, count: usize, passes: usize, seed: u64) -> Lot<'a, M> {
        let start = Sequence::new(seed).below(self.asked.len() - count + 1);
        let asked = &self.asked[start..start + count];
        Lot { asked, passes, size: self.size, scores: self.scores, seed }
    }

    fn questions_max(&self, op: Op) -> usize {
        match op {
            Op::Iterate => 1,
            _ if op.wants_distinct() => (self.size / REMOVED_PART).min(LOT_QUESTIONS_MAX),
            _ => self.asked.len().min(LOT_QUESTIONS_MAX),
        }
    }
}

/// Runs the same lots on all and compares what they answer. Contenders in `apart` order equal
/// scores in another way and are left out.
///
/// # Errors
/// Two contenders disagree: the message names them and the operation.
pub(crate) fn agree<M: Member, S: Score>(
    contenders: &mut Contenders<M, S>,
    questions: &Questions<'_, M>,
    apart: &[&str],
) -> Result<()> {
    let count = (questions.size / REMOVED_PART).min(AGREEMENT_QUESTIONS);
    let lot = questions.lot(count, 1, 5);
    // Writes first, so that what is then compared went through all of them.
    let writes = [Op::Set, Op::Remove, Op::Insert];
    let reads = Op::ALL.into_iter().filter(|op| !writes.contains(op));
    for op in writes.into_iter().chain(reads) {
        let mut first = None;
        for contender in contenders.iter_mut() {
            let outcome = run(contender.as_mut(), op, &lot)?;
            let Some(outcome) = outcome.filter(|_| !apart.contains(&contender.name())) else {
                continue;
            };
            let (name, checksum) = *first.get_or_insert((contender.name(), outcome.checksum));
            ensure!(
                outcome.checksum == checksum,
                "{name} and {} disagree on `{}` at {} members",
                contender.name(),
                op.title(),
                questions.size
            );
        }
    }
    Ok(())
}

/// Measures the operations on all contenders in interleaved rounds.
///
/// # Errors
/// A contender fails.
pub(crate) fn measure<M: Member, S: Score>(
    contenders: &mut Contenders<M, S>,
    questions: &Questions<'_, M>,
    ops: &[Op],
    plan: &Plan,
) -> Result<Vec<Row>> {
    let target = Duration::from_millis(plan.lot_ms);
    let mut samples = vec![vec![Vec::new(); contenders.len()]; Op::ALL.len()];
    let mut efforts = Vec::new();
    for &op in ops {
        for contender in contenders.iter_mut() {
            efforts.push(effort(contender.as_mut(), questions, op, target)?);
        }
    }
    for round in 0..plan.rounds {
        for (&op, efforts) in ops.iter().zip(efforts.chunks(contenders.len())) {
            if op == Op::Iterate && round >= ITERATE_ROUNDS && questions.size > ITERATE_ALWAYS_MAX {
                continue;
            }
            for turn in 0..contenders.len() {
                let at = (turn + round) % contenders.len();
                let Some(effort) = efforts[at] else { continue };
                let seed = (round * Op::ALL.len() + op as usize) as u64 + 100;
                let timings = timings(contenders[at].as_mut(), questions, op, effort, seed)?;
                for (op, ns) in timings {
                    samples[op as usize][at].push(ns);
                }
            }
        }
    }
    Ok(rows(samples))
}

fn rows(mut samples: Vec<Vec<Vec<f64>>>) -> Vec<Row> {
    let mut row = |op: Op| {
        let cells = samples[op as usize].iter_mut().map(|samples| spread(samples)).collect();
        Row { op, cells }
    };
    let is_known = |row: &Row| row.cells.iter().any(Option::is_some);
    Op::ALL.into_iter().map(&mut row).filter(is_known).collect()
}

/// Work that lasts about as long as wanted. None for insertions: a removal brings them with it.
fn effort<M: Member, S: Score>(
    contender: &mut dyn Contender<M, S>,
    questions: &Questions<'_, M>,
    op: Op,
    target: Duration,
) -> Result<Option<Effort>> {
    if op == Op::Insert {
        return Ok(None);
    }
    let max = questions.questions_max(op);
    let mut count = LOT_QUESTIONS_FIRST.min(max);
    loop {
        let lot = questions.lot(count, 1, 6);
        let Some(outcome) = run(contender, op, &lot)? else { return Ok(None) };
        if op == Op::Remove {
            run(contender, Op::Insert, &lot)?;
        }
        let short_by = target.as_secs_f64() / outcome.time.as_secs_f64().max(1e-9);
        if short_by <= 1.0 || count == max {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
            let repeats = short_by.ceil().clamp(1.0, REPEATS_MAX as f64) as usize;
            return Ok(Some(Effort { questions: count, repeats }));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let factor = short_by.ceil().clamp(2.0, 8.0) as usize;
        count = (count * factor).min(max);
    }
}

/// One timing, in nanoseconds per operation; of a removal, two.
fn timings<M: Member, S: Score>(
    contender: &mut dyn Contender<M, S>,
    questions: &Questions<'_, M>,
    op: Op,
    effort: Effort,
    seed: u64,
) -> Result<Vec<(Op, f64)>> {
    if op != Op::Remove {
        let lot = questions.lot(effort.questions, effort.repeats, seed);
        return Ok(vec![(op, per_operation(time(contender, op, &lot)?, lot.operations(op)))]);
    }
    let (mut removing, mut inserting) = (Duration::ZERO, Duration::ZERO);
    for lot in 0..effort.repeats {
        let lot = questions.lot(effort.questions, 1, seed + 1_000 * lot as u64);
        removing += time(contender, Op::Remove, &lot)?;
        inserting += time(contender, Op::Insert, &lot)?;
    }
    let operations = effort.questions * effort.repeats;
    Ok(vec![
        (Op::Remove, per_operation(removing, operations)),
        (Op::Insert, per_operation(inserting, operations)),
    ])
}

fn time<M, S>(contender: &mut dyn Contender<M, S>, op: Op, lot: &Lot<'_, M>) -> Result<Duration> {
    let outcome = run(contender, op, lot)?;
    Ok(outcome.context("an operation was there and is not any more")?.time)
}

fn run<M, S>(
    contender: &mut dyn Contender<M, S>,
    op: Op,
    lot: &Lot<'_, M>,
) -> Result<Option<Outcome>> {
    let name = contender.name();
    contender.run(op, lot).with_context(|| format!("{name}: {}", op.title()))
}

#[expect(clippy::cast_precision_loss, reason = "operations are far below 2^52")]
fn per_operation(time: Duration, operations: usize) -> f64 {
    time.as_secs_f64() * 1e9 / operations as f64
}

/// None of no samples.
fn spread(samples: &mut [f64]) -> Option<Spread> {
    samples.sort_by(f64::total_cmp);
    let (&min_ns, &max_ns) = (samples.first()?, samples.last()?);
    let middle = samples.len() / 2;
    let median_ns = match samples.len() % 2 {
        0 => f64::midpoint(samples[middle - 1], samples[middle]),
        _ => samples[middle],
    };
    Some(Spread { median_ns, min_ns, max_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        let of = |samples: &[f64]| spread(&mut samples.to_vec()).map(|spread| spread.median_ns);
        assert_eq!(of(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(of(&[]), None);
    }
}
