//! What single writes cost: while a board grows from nothing, and beside snapshots.
//!
//! What it is not: throughput; every write is timed by itself, in the CPU time of the thread, so
//! that what others do on the machine does not count, but page faults do. Invariant: the clock's
//! own cost is measured and stated. Cost: two seconds or so for every million members.

use std::hint::black_box;

use anyhow::Result;
use rank_index::{RankIndex, ScoreKey, Snapshot};
use rankd_benches::data::{Id, Score, Sequence, Sum, shuffled};
use rankd_benches::structures::{Ours, Structure};
use rustix::time::{ClockId, clock_gettime};

use crate::allocator;
use crate::child::Findings;
use crate::data_set::entries;

const PER_SCORE: usize = 4;
/// Readings of the clock of which the middle one is its cost.
const CLOCK_READINGS: usize = 10_001;
/// Writes with no snapshot alive.
const CALM_WRITES: usize = 500_000;
/// Entries that a snapshot's reader takes between two turns of the writer.
const SLICE_ENTRIES: usize = 1_000;
/// Writes in one turn.
const TURN_WRITES: usize = 100;
/// Writes between two snapshots, so that they differ.
const APART_WRITES: usize = 10_000;
/// Snapshots that are alive during writes.
const SNAPSHOTS_ALIVE: [usize; 2] = [1, 4];
/// Snapshots that are taken to see what one costs.
const SNAPSHOTS_TIMED: usize = 9;

/// Everything that this module measures: for a process of its own.
pub(crate) fn measure(members: usize) -> Result<Findings> {
    let mut findings = Findings::default();
    findings.push("clock_ns", clock_cost_ns());
    let mut board = grow(members, &mut findings);
    let mut writer = Writer::new(members);
    take_snapshots(board.index_mut(), &mut writer, &mut findings)?;
    let calm = writer.turn(board.index_mut(), CALM_WRITES);
    findings.push("calm_average_ns", calm.average_ns());
    findings.push("calm_longest_ns", calm.longest_ns);
    for alive in SNAPSHOTS_ALIVE {
        let beside = beside_snapshots(board.index_mut(), &mut writer, alive)?;
        findings.push(format!("beside_{alive}_average_ns"), beside.average_ns());
        findings.push(format!("beside_{alive}_longest_ns"), beside.longest_ns);
        findings.push(format!("beside_{alive}_writes"), beside.count);
    }
    Ok(findings)
}

/// The thread's CPU time, in nanoseconds.
fn now_ns() -> usize {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let ns = now.tv_sec * 1_000_000_000 + now.tv_nsec;
    usize::try_from(ns).expect("a thread's time is positive and short")
}

fn clock_cost_ns() -> usize {
    let readings: Vec<usize> = (0..CLOCK_READINGS).map(|_| now_ns()).collect();
    let mut costs: Vec<usize> = readings.windows(2).map(|pair| pair[1] - pair[0]).collect();
    costs.sort_unstable();
    costs[costs.len() / 2]
}

/// Inserts every member in random order into an empty board.
fn grow(members: usize, findings: &mut Findings) -> Ours<Id, u64> {
    let entries = entries::<Id, u64>(members, members.div_ceil(PER_SCORE));
    // Written to before it is used, so that its own page faults do not count.
    let mut costs_ns = vec![u32::MAX; members];
    let mut board = Ours::empty();
    allocator::start_counting();
    let mut before = now_ns();
    for ((member, score), cost_ns) in entries.iter().zip(&mut costs_ns) {
        board.set(member, *score);
        let now = now_ns();
        *cost_ns = u32::try_from(now - before).unwrap_or(u32::MAX);
        before = now;
    }
    let counted = allocator::stop_counting();
    costs_ns.sort_unstable();
    let at = |per_mille: usize| costs_ns[(members * per_mille / 1_000).min(members - 1)] as usize;
    findings.push("growth_p50_ns", at(500));
    findings.push("growth_p99_ns", at(990));
    findings.push("growth_p999_ns", at(999));
    findings.push("growth_longest_ns", at(1_000));
    findings.push("growth_largest_replaced_bytes", counted.largest_replaced_bytes);
    board
}

/// Random new scores for random members.
struct Writer {
    members: Vec<Id>,
    next: usize,
    numbers: Sequence,
}

/// What writes cost, each less the clock's own cost.
#[derive(Default)]
struct Costs {
    count: usize,
    total_ns: usize,
    longest_ns: usize,
}

impl Costs {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.total_ns += other.total_ns;
        self.longest_ns = self.longest_ns.max(other.longest_ns);
    }

    fn average_ns(&self) -> usize {
        self.total_ns / self.count.max(1)
    }
}

impl Writer {
    fn new(members: usize) -> Self {
        Self { members: shuffled(members, 7), next: 0, numbers: Sequence::new(8) }
    }

    /// Writes, and times each write by itself.
    fn turn(&mut self, index: &mut RankIndex<ScoreKey>, count: usize) -> Costs {
        let clock_ns = clock_cost_ns_once();
        let scores = self.members.len().div_ceil(PER_SCORE);
        let mut costs = Costs { count, ..Costs::default() };
        let mut before = now_ns();
        for _ in 0..count {
            let member = &self.members[self.next];
            self.next = (self.next + 1) % self.members.len();
            let key = u64::draw(&mut self.numbers, scores).key();
            index.upsert(member.as_ref(), key).expect("a short name");
            let now = now_ns();
            let cost_ns = (now - before).saturating_sub(clock_ns);
            costs.total_ns += cost_ns;
            costs.longest_ns = costs.longest_ns.max(cost_ns);
            before = now;
        }
        costs
    }
}

/// The clock's cost, measured when it is first asked for.
fn clock_cost_ns_once() -> usize {
    static COST_NS: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *COST_NS.get_or_init(clock_cost_ns)
}

/// What it costs to take a snapshot, with writes between one and the next.
fn take_snapshots(
    index: &mut RankIndex<ScoreKey>,
    writer: &mut Writer,
    findings: &mut Findings,
) -> Result<()> {
    let mut costs_ns = Vec::new();
    for _ in 0..SNAPSHOTS_TIMED {
        writer.turn(index, APART_WRITES);
        let before = now_ns();
        let snapshot = black_box(index.snapshot()?);
        costs_ns.push(now_ns() - before);
        drop(snapshot);
    }
    costs_ns.sort_unstable();
    findings.push("snapshot_median_ns", costs_ns[costs_ns.len() / 2]);
    findings.push("snapshot_longest_ns", costs_ns[costs_ns.len() - 1]);
    Ok(())
}

/// Writes in turns with the reader of the last snapshot taken, until that has read everything.
fn beside_snapshots(
    index: &mut RankIndex<ScoreKey>,
    writer: &mut Writer,
    alive: usize,
) -> Result<Costs> {
    let mut snapshots: Vec<Snapshot<ScoreKey>> = Vec::new();
    for _ in 0..alive {
        writer.turn(index, APART_WRITES);
        snapshots.push(index.snapshot()?);
    }
    let mut costs = Costs::default();
    let Some(read) = snapshots.last() else { return Ok(costs) };
    for start in (0..read.len()).step_by(SLICE_ENTRIES) {
        costs.add(&writer.turn(index, TURN_WRITES));
        let mut sum = Sum::default();
        for entry in read.view(index).range(start..start + SLICE_ENTRIES) {
            sum.add(entry.key.score, entry.member);
        }
        black_box(sum);
    }
    Ok(costs)
}
