//! What a board takes of the machine's memory, and many small ones.
//!
//! What it is not: an addition of sizes; it is what the kernel says is resident, before and after,
//! in a process of its own. Invariant: what is loaded exists before the first reading.

use std::fs;

use anyhow::{Context, Result, bail};
use rankd_benches::data::{Id, Member, Number, Score, Timed};
use rankd_benches::structures::{IndexSet, OrderTree, Ours, SkipList, StdTree, Structure};

use crate::allocator;
use crate::child::Findings;
use crate::data_set::entries;

/// Members to each score, as in the main comparison.
const PER_SCORE: usize = 4;
/// Members of a small board.
const SMALL_BOARD_MEMBERS: usize = 10;

/// The layouts that are measured, by their names in the table.
pub(crate) const LAYOUTS: [&str; 7] = [
    "rank-index",
    "rank-index, ties by time",
    "rank-index, 8-byte ids",
    "indexset",
    "pb_ds",
    "BTreeSet",
    "skiplist",
];

/// Resident bytes of a process, by its number or `self`.
pub(crate) fn resident_bytes_of(process: &str) -> Result<usize> {
    let path = format!("/proc/{process}/statm");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let pages = text.split_whitespace().nth(1).with_context(|| format!("{path}: {text:?}"))?;
    Ok(pages.parse::<usize>()? * rustix::param::page_size())
}

/// Loads one layout and says what it took: for a process of its own.
pub(crate) fn measure(layout: &str, members: usize) -> Result<Findings> {
    match layout {
        "rank-index" => load::<Ours<Id, u64>>(members),
        "rank-index, ties by time" => load::<Ours<Id, Timed>>(members),
        "rank-index, 8-byte ids" => load::<Ours<Number, u64>>(members),
        "indexset" => load::<IndexSet<Id, u64>>(members),
        "pb_ds" => load::<OrderTree<Id>>(members),
        "BTreeSet" => load::<StdTree<Id, u64>>(members),
        "skiplist" => load::<SkipList<Id, u64>>(members),
        other => bail!("no layout is called {other:?}"),
    }
}

fn load<T: Structure>(members: usize) -> Result<Findings> {
    let entries = entries::<T::Member, T::Score>(members, members.div_ceil(PER_SCORE));
    let before = resident_bytes_of("self")?;
    let mut structure = T::empty();
    entries.iter().for_each(|(member, score)| structure.set(member, *score));
    let mut findings = Findings::default();
    findings.push("resident_bytes", resident_bytes_of("self")?.saturating_sub(before));
    if let Some(bytes) = structure.memory_bytes() {
        findings.push("reported_bytes", bytes);
    }
    Ok(findings)
}

/// Makes many boards of ten members: for a process of its own.
pub(crate) fn measure_small(boards: usize) -> Result<Findings> {
    let members: Vec<Id> = (0..boards * SMALL_BOARD_MEMBERS).map(Id::numbered).collect();
    let mut findings = Findings::default();
    allocator::start_counting();
    let one = small_board(&members[..SMALL_BOARD_MEMBERS]);
    findings.push("heap_bytes_of_one", allocator::stop_counting().live_bytes);
    let before = resident_bytes_of("self")?;
    let all: Vec<_> = members.chunks(SMALL_BOARD_MEMBERS).map(small_board).collect();
    findings.push("resident_bytes", resident_bytes_of("self")?.saturating_sub(before));
    findings.push("reported_bytes", all.iter().filter_map(Structure::memory_bytes).sum::<usize>());
    drop(one);
    Ok(findings)
}

fn small_board(members: &[Id]) -> Ours<Id, u64> {
    let mut board = Ours::empty();
    for (score, member) in members.iter().enumerate() {
        board.set(member, u64::least(score as u64));
    }
    board
}
