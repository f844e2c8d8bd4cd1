//! The measurements, each with its part of the page.
//!
//! What it is not: a judge; the text says how a figure was got, never what it should be. Invariant:
//! every figure of the page is from the run that wrote it.

use std::fmt::Write as _;

use anyhow::Result;
use rankd_benches::data::{Id, Member, Number, Score, Timed};
use rankd_benches::structures::SKIP_LIST_MEMBERS_MAX;

use crate::child::Task;
use crate::data_set::{Contenders, DataSet, number_contenders, text_contenders, timed_contenders};
use crate::matrix::{self, Questions, Row, Spread};
use crate::memory::LAYOUTS;
use crate::ops::Op;
use crate::plan::Plan;
use crate::table::{Table, bytes, number, size, time};

const PER_SCORE: usize = 4;
const PER_SCORE_MANY: usize = 10_000;
const VARIED: [Op; 2] = [Op::Rank, Op::Set];
const NONE: &str = "-";

/// A comparison at one size or of one kind.
pub(crate) struct Comparison {
    pub(crate) title: String,
    names: Vec<&'static str>,
    rows: Vec<Row>,
    /// Resident bytes of contenders with processes of their own.
    own_bytes: Vec<(&'static str, usize)>,
    /// The same board with skewed questions.
    skewed: Option<Vec<Row>>,
    pub(crate) members: usize,
}

/// Everything at one size.
pub(crate) fn at_size(members: usize, plan: &Plan) -> Result<Comparison> {
    let data = DataSet::<Id, u64>::new(members, PER_SCORE);
    let skew = plan.variation_size == Some(members);
    let title = format!("{} members", size(members));
    compare(title, &data, text_contenders(members)?, &Op::ALL, (skew, &[]), plan)
}

/// Rank and set on boards of other kinds.
pub(crate) fn variations(members: usize, plan: &Plan) -> Result<Vec<Comparison>> {
    let ties = DataSet::<Id, u64>::new(members, PER_SCORE_MANY);
    let title = format!("{} members per score", size(PER_SCORE_MANY));
    let ties = compare(title, &ties, text_contenders(members)?, &VARIED, (false, &[]), plan)?;
    let numbers = DataSet::<Number, u64>::new(members, PER_SCORE);
    let title = "ids of 64 bits".to_owned();
    // Redis keeps such an id as decimal text, and so orders equal scores in another way.
    let how = (false, &["Redis"][..]);
    let numbers = compare(title, &numbers, number_contenders()?, &VARIED, how, plan)?;
    let timed = DataSet::<Id, Timed>::new(members, PER_SCORE);
    let title = "ties by time".to_owned();
    let timed = compare(title, &timed, timed_contenders(), &VARIED, (false, &[]), plan)?;
    Ok(vec![ties, numbers, timed])
}

/// Loads all, checks that they agree, and measures. `how`: whether skewed questions are asked as
/// well, and who is left out of the agreement.
fn compare<M: Member, S: Score>(
    title: String,
    data: &DataSet<M, S>,
    mut contenders: Contenders<M, S>,
    ops: &[Op],
    how: (bool, &[&str]),
    plan: &Plan,
) -> Result<Comparison> {
    let mut own_bytes = Vec::new();
    for contender in &mut contenders {
        let before = contender.own_resident_bytes()?;
        eprintln!("{title}: loading {}", contender.name());
        contender.load(&data.entries)?;
        if let (Some(before), Some(after)) = (before, contender.own_resident_bytes()?) {
            own_bytes.push((contender.name(), after.saturating_sub(before)));
        }
    }
    let (size, scores) = (data.size(), data.scores);
    let questions = Questions { asked: &data.asked, size, scores };
    eprintln!("{title}: comparing answers");
    matrix::agree(&mut contenders, &questions, how.1)?;
    eprintln!("{title}: all agree; measuring");
    let rows = matrix::measure(&mut contenders, &questions, ops, plan)?;
    let skewed = if how.0 {
        let asked = data.skewed_questions();
        let questions = Questions { asked: &asked, size, scores };
        Some(matrix::measure(&mut contenders, &questions, &VARIED, plan)?)
    } else {
        None
    };
    let names = contenders.iter().map(|contender| contender.name()).collect();
    Ok(Comparison { title, names, rows, own_bytes, skewed, members: size })
}

impl Comparison {
    /// The medians, and how they relate to those of the first contender.
    pub(crate) fn medians(&self) -> String {
        self.table(&self.rows)
    }

    fn table(&self, rows: &[Row]) -> String {
        let names = self.names.iter().copied();
        let mut table = Table::new(["ns per operation"].into_iter().chain(names));
        rows.iter().for_each(|row| table.push(cells(row.op.title(), row, median)));
        table.render()
    }

    /// The lowest and the highest of the rounds.
    pub(crate) fn spreads(&self) -> String {
        let names = self.names.iter().copied();
        let mut table = Table::new(["lowest to highest, ns"].into_iter().chain(names));
        let range = |spread: &Spread, _: Option<&Spread>| {
            format!("{} to {}", number(spread.min_ns), number(spread.max_ns))
        };
        self.rows.iter().for_each(|row| table.push(cells(row.op.title(), row, range)));
        table.render()
    }
}

/// `first` is the first contender's cell.
fn cells(title: &str, row: &Row, show: impl Fn(&Spread, Option<&Spread>) -> String) -> Vec<String> {
    let first = row.cells.first().and_then(Option::as_ref);
    let shown = row.cells.iter().enumerate().map(|(at, cell)| {
        let first = first.filter(|_| at > 0);
        cell.as_ref().map_or_else(|| NONE.to_owned(), |cell| show(cell, first))
    });
    std::iter::once(title.to_owned()).chain(shown).collect()
}

fn median(spread: &Spread, first: Option<&Spread>) -> String {
    let ns = number(spread.median_ns);
    match first {
        Some(first) => format!("{ns} ({:.1}x)", spread.median_ns / first.median_ns),
        None => ns,
    }
}

/// The page's part on boards of other kinds.
pub(crate) fn variations_text(main: Option<&Comparison>, others: &[Comparison]) -> String {
    let mut text = String::new();
    if let Some((main, skewed)) = main.and_then(|main| Some((main, main.skewed.as_ref()?))) {
        text += "### Skewed access\n\nThe board of the main table; members are asked for by a Zipf \
                 distribution\nwith exponent 0.99.\n\n";
        text += &main.table(skewed);
    }
    for other in others {
        let _ = write!(text, "### {}\n\n{}", capital(&other.title), other.medians());
    }
    text
}

fn capital(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The page's part on memory.
pub(crate) fn memory_text(comparisons: &[Comparison], plan: &Plan) -> Result<String> {
    let mut head = vec!["bytes per member".to_owned()];
    for &members in &plan.memory_sizes {
        head.extend([size(members), format!("{}, as reported", size(members))]);
    }
    let mut table = Table::new(head);
    for layout in LAYOUTS {
        let mut row = vec![layout.to_owned()];
        for &members in &plan.memory_sizes {
            if layout == "skiplist" && members > SKIP_LIST_MEMBERS_MAX {
                row.extend([NONE.to_owned(), NONE.to_owned()]);
                continue;
            }
            eprintln!("memory: {layout}, {} members", size(members));
            let task = Task::Memory { layout: layout.to_owned(), members };
            let found = task.run_apart()?;
            let reported = found.get("reported_bytes");
            row.push(per_member(found.need("resident_bytes")?, members));
            row.push(reported.map_or_else(|| NONE.into(), |bytes| per_member(bytes, members)));
        }
        table.push(row);
    }
    table.push(redis_memory(comparisons, plan));
    Ok(table.render() + &small_boards(plan.small_boards)?)
}

/// From the servers of the main comparisons.
fn redis_memory(comparisons: &[Comparison], plan: &Plan) -> Vec<String> {
    let mut row = vec!["Redis".to_owned()];
    for &members in &plan.memory_sizes {
        let comparison = comparisons.iter().find(|comparison| comparison.members == members);
        let found = comparison.and_then(|comparison| comparison.own_bytes.first());
        row.push(found.map_or_else(|| NONE.into(), |(_, bytes)| per_member(*bytes, members)));
        row.push(NONE.to_owned());
    }
    row
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn per_member(bytes: usize, members: usize) -> String {
    format!("{:.1}", bytes as f64 / members as f64)
}

fn small_boards(boards: usize) -> Result<String> {
    eprintln!("memory: {} small boards", size(boards));
    let found = Task::SmallBoards { boards }.run_apart()?;
    Ok(format!(
        "{} boards of 10 members each: {} bytes resident a board ({} as it reports itself); the\n\
         heap holds {} bytes of one.\n\n",
        size(boards),
        per_member(found.need("resident_bytes")?, boards),
        per_member(found.need("reported_bytes")?, boards),
        found.need("heap_bytes_of_one")?,
    ))
}

/// The page's parts on single writes: growth, and snapshots.
pub(crate) fn writes_text(plan: &Plan) -> Result<String> {
    let members = size(plan.writes_size);
    eprintln!("single writes: {members} members");
    let found = Task::Writes { members: plan.writes_size }.run_apart()?;
    let shown = |name: &str| found.need(name).map(time);
    let mut growth = Table::new(["one insert", "CPU time"]);
    let rows = [("median", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("longest", "longest")];
    for (title, name) in rows {
        growth.push(vec![title.to_owned(), shown(&format!("growth_{name}_ns"))?]);
    }
    let mut beside = Table::new(["one update", "average", "longest"]);
    for (title, name) in [
        ("no snapshot", "calm"),
        ("1 snapshot, being read", "beside_1"),
        ("4 snapshots, one being read", "beside_4"),
    ] {
        let average = shown(&format!("{name}_average_ns"))?;
        beside.push(vec![title.to_owned(), average, shown(&format!("{name}_longest_ns"))?]);
    }
    Ok(format!(
        "## Single writes\n\n\
         Each write is timed by itself in the CPU time of its thread, page faults included.\n\
         Reading that clock takes {clock}, which is taken off in the table of updates only.\n\n\
         ### Growth\n\n\
         From no members to {members} in random order.\n\n{growth}\
         The largest block that was replaced during an insert, an upper bound of what growth\n\
         copies at once: {largest}.\n\n\
         ### Snapshots\n\n\
         Taking one at {members} members: {snapshot} (longest {longest}). Updates give a random\n\
         member a random score, in turns of 100 with a reader that takes 1000 entries of the\n\
         newest snapshot, until it has read all of it.\n\n{beside}",
        clock = shown("clock_ns")?,
        growth = growth.render(),
        largest = bytes(found.need("growth_largest_replaced_bytes")?),
        snapshot = shown("snapshot_median_ns")?,
        longest = shown("snapshot_longest_ns")?,
        beside = beside.render(),
    ))
}
