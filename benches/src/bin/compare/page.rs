//! The page: docs/benchmarks.md, text and figures.
//!
//! Invariant: the same run gives the same page; nothing in it is written by hand.

use std::fmt::Write as _;

use crate::plan::Plan;
use crate::sections::{Comparison, variations_text};

/// Sizes that the first tables show, as far as they were run.
const HEADLINES: [usize; 2] = [1_000_000, 10_000_000];

const INTRODUCTION: &str = "\
# Benchmarks

<!-- Written by `cargo xtask bench core`; a change by hand would be lost. -->

The index beside what could be used instead of it, in one run on the same data. Smaller is better;
in brackets, how many times the time of rank-index. Ratios travel between machines, nanoseconds do
not.

";

const METHOD: &str = "\
## How it is measured

* Every contender is loaded with the same members, in the same random order, with the same scores.
  Ids are `user:1234567`, held in place in 16 bytes by everyone but Redis; about four members share
  a score; equal scores are ordered by member.
* Before anything is timed, all contenders go through the same writes and must then give the same
  ranks, pages, neighbours, counts and order of everything. A difference ends the run.
* A round runs every operation on every contender, one contender after another, starting with
  another one each round. Shown are the medians of all rounds.
* Lookups in a loop may overlap in the processor, so the cost of one is shown as well: each question
  then depends on the answer before it. Questions are read in order from an array of 16-byte ids.
* A page and a neighbourhood are read: members and scores go into a checksum. New scores are random;
  a batch of members is removed, then inserted again.
* indexset, pb_ds, skiplist and BTreeSet stand beside a hash table from member to score (hashbrown
  with foldhash; in C++ std::unordered_map). BTreeSet knows no ranks. skiplist has no range by rank
  and is measured up to 1 M members, because of what it takes of the memory.
* Redis is the real server, on a Unix socket and with persistence off. Its figures are its own:
  microseconds of execution by `INFO commandstats`, without network and protocol, under pipelines
  of 500 commands. rank = `ZREVRANK`, set and insert = `ZADD`, remove = `ZREM`, 100 entries =
  `ZREVRANGE` without scores, around = `ZREVRANK` and `ZREVRANGE`, count = `ZCOUNT`, iterate =
  `ZRANGE 0 -1` without scores. These include making the reply.

";

/// What the page is put together from.
pub(crate) struct Parts<'a> {
    pub(crate) command: String,
    pub(crate) seconds: u64,
    pub(crate) plan: &'a Plan,
    pub(crate) facts: &'a [(&'static str, String)],
    pub(crate) comparisons: &'a [Comparison],
    pub(crate) variations: &'a [Comparison],
    pub(crate) memory: &'a str,
    pub(crate) writes: &'a str,
}

/// The whole page.
pub(crate) fn render(parts: &Parts<'_>) -> String {
    let is_headline = |comparison: &&Comparison| HEADLINES.contains(&comparison.members);
    let mut page = INTRODUCTION.to_owned();
    for comparison in parts.comparisons.iter().filter(is_headline) {
        table(&mut page, comparison);
    }
    page += METHOD;
    run(&mut page, parts);
    for comparison in parts.comparisons.iter().filter(|comparison| !is_headline(comparison)) {
        table(&mut page, comparison);
    }
    if let Some(size) = parts.plan.variation_size {
        let main = parts.comparisons.iter().find(|comparison| comparison.members == size);
        let _ = write!(page, "## Other data, at {} members\n\n", crate::table::size(size));
        page += &variations_text(main, parts.variations);
    }
    page += "## Memory\n\nResident bytes by the kernel's account, ids included, in a process that \
             loads one board and\nnothing else; beside it what the index reports of itself.\n\n";
    page += parts.memory;
    page += parts.writes;
    page += "## Spread\n\n";
    for comparison in parts.comparisons {
        let _ = write!(page, "### {}\n\n{}", comparison.title, comparison.spreads());
    }
    page.trim_end().to_owned() + "\n"
}

fn table(page: &mut String, comparison: &Comparison) {
    let _ = write!(page, "## {}\n\n{}", comparison.title, comparison.medians());
}

fn run(page: &mut String, parts: &Parts<'_>) {
    let _ = write!(
        page,
        "## This run\n\n* command: `{}`, {} s; {} rounds, {} ms a timing at least\n",
        parts.command, parts.seconds, parts.plan.rounds, parts.plan.lot_ms
    );
    for (name, value) in parts.facts {
        let _ = writeln!(page, "* {name}: {value}");
    }
    page.push('\n');
}
