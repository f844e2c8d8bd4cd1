//! Instructions and cache misses per operation, counted by valgrind instead of timed.
//!
//! What it is: the program behind `cargo xtask bench count`; it starts itself under callgrind and
//! reads what that wrote. What it is not: a clock; the cache is a simulated one of stated size, so
//! the figures are nearly the same on a busy machine and on any other. Invariant: only what runs
//! inside the functions named `counted_...` is counted. Cost: some minutes, most of it loading.

use std::env;
use std::fs;
use std::hint::black_box;
use std::io::ErrorKind;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use rankd_benches::data::{Id, Score, Sequence, shuffled};
use rankd_benches::structures::{IndexSet, Ours, Ranked, Structure};

const VALGRIND: &str = "valgrind";
/// Size in bytes, ways, bytes of a line.
const CACHES: [&str; 3] = ["--I1=32768,8,64", "--D1=32768,8,64", "--LL=33554432,16,64"];
/// The functions whose inside is counted, and what they do.
const COUNTED: [(&str, &str); 4] = [
    ("counted_rank", "rank"),
    ("counted_set", "set a new random score"),
    ("counted_insert", "insert"),
    ("counted_remove", "remove"),
];
const COUNTED_ALL: &str = "*counted_*";
/// Operations of each kind.
const OPERATIONS: usize = 20_000;
const MEMBERS_MIN: usize = 3 * OPERATIONS;
const PER_SCORE: usize = 4;

/// Counts instructions and last-level cache misses per operation.
#[derive(Parser)]
#[command(name = "cargo xtask bench count", disable_version_flag = true)]
struct Arguments {
    /// Members of the board, at least three times the operations counted.
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// Do the work itself, as valgrind sees it.
    #[arg(long, hide = true)]
    inside: Option<Contender>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Contender {
    RankIndex,
    Indexset,
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::RankIndex => "rank-index",
            Self::Indexset => "indexset",
        }
    }
}

/// What one operation costs.
#[derive(Clone, Copy)]
struct Counts {
    instructions: usize,
    misses: usize,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let members = arguments.members;
    if members < MEMBERS_MIN {
        bail!("a board has to have at least {MEMBERS_MIN} members");
    }
    match arguments.inside {
        Some(Contender::RankIndex) => work::<Ours<Id, u64>>(members),
        Some(Contender::Indexset) => work::<IndexSet<Id, u64>>(members),
        None => return compare(members),
    }
    Ok(())
}

/// Counts both and prints the table.
fn compare(members: usize) -> Result<()> {
    let ours = count(Contender::RankIndex, members)?;
    let other = count(Contender::Indexset, members)?;
    println!("instructions / last-level misses per operation, {members} members,");
    println!("simulated caches: {}", CACHES.join(" "));
    println!();
    let names = [Contender::RankIndex, Contender::Indexset].map(Contender::name);
    println!("| {:<22} | {:>18} | {:>18} |", "operation", names[0], names[1]);
    println!("|{:-<24}|{:->19}:|{:->19}:|", "", "", "");
    for (((_, title), ours), other) in COUNTED.iter().zip(ours).zip(other) {
        let [ours, other] =
            [ours, other].map(|c| format!("{} / {}", per(c.instructions), per(c.misses)));
        println!("| {title:<22} | {ours:>18} | {other:>18} |");
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn per(total: usize) -> String {
    format!("{:.1}", total as f64 / OPERATIONS as f64)
}

/// Runs this program under callgrind and reads a part of its account for each counted function.
fn count(contender: Contender, members: usize) -> Result<Vec<Counts>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let (account, log) = (folder.path().join("account"), folder.path().join("log"));
    let mut command = Command::new(VALGRIND);
    command.args(["--quiet", "--tool=callgrind", "--cache-sim=yes"]).args(CACHES);
    command.arg(format!("--callgrind-out-file={}", account.display()));
    // It warns of the host's caches even where others are asked for.
    command.arg(format!("--log-file={}", log.display()));
    command.arg(format!("--toggle-collect={COUNTED_ALL}"));
    command.arg(env::current_exe().context("this program's path is not known")?);
    let name = contender.to_possible_value().expect("every contender has a name");
    command.args(["--inside", name.get_name(), "--members", &members.to_string()]);
    eprintln!("counting {}", contender.name());
    let status = command.stdin(Stdio::null()).status().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            anyhow::anyhow!("{VALGRIND} is not on PATH (on Debian: apt-get install {VALGRIND})")
        }
        _ => anyhow::anyhow!("cannot start {VALGRIND}: {error}"),
    })?;
    if !status.success() {
        let log = fs::read_to_string(&log).unwrap_or_default();
        bail!("{VALGRIND} failed: {status}: {log}");
    }
    let text = fs::read_to_string(&account).context("callgrind wrote no account")?;
    let counts = COUNTED.iter().map(|(function, _)| {
        parse(&text, function).with_context(|| format!("callgrind did not count {function}"))
    });
    counts.collect()
}

/// Reads what a call of this function cost, all that it called included.
fn parse(account: &str, function: &str) -> Option<Counts> {
    let events = account.lines().find_map(|line| line.strip_prefix("events:"))?;
    // The first mention of a function, as `fn=(12) name` or `cfn=(12) name`, gives its number.
    let named = account.lines().find(|line| line.contains("fn=(") && line.ends_with(function))?;
    let id = named.split_once("fn=")?.1.split(' ').next()?;
    let call = format!("cfn={id}");
    let mut lines = account.lines().skip_while(|line| line.split(' ').next() != Some(&call));
    let mut costs = lines.nth(2)?.split(' ').skip(1);
    let mut counts = Counts { instructions: 0, misses: 0 };
    for event in events.split_whitespace() {
        // Zeros at the end of a line are left out.
        let cost: usize = costs.next().unwrap_or("0").parse().ok()?;
        match event {
            "Ir" => counts.instructions += cost,
            "ILmr" | "DLmr" | "DLmw" => counts.misses += cost,
            _ => {}
        }
    }
    Some(counts)
}

/// Loads a board and works on it, each kind of operation in a function of its own.
fn work<T: Ranked<Member = Id, Score = u64>>(members: usize) {
    let scores = members.div_ceil(PER_SCORE);
    let mut numbers = Sequence::new(1);
    let mut structure = T::empty();
    let all = shuffled(members + OPERATIONS, 2);
    let (loaded, fresh) = all.split_at(members);
    for member in loaded {
        structure.set(member, u64::draw(&mut numbers, scores));
    }
    // Every kind gets members of its own: what another one touched would still be in the cache.
    let mut asked = loaded.to_vec();
    Sequence::new(3).shuffle(&mut asked);
    let mut parts = asked.chunks_exact(OPERATIONS);
    let mut part = || parts.next().expect("there are members enough");
    black_box(counted_rank(&structure, part()));
    counted_set(&mut structure, part(), &mut numbers, scores);
    black_box(counted_remove(&mut structure, part()));
    counted_insert(&mut structure, fresh, &mut numbers, scores);
}

#[inline(never)]
fn counted_rank<T: Ranked>(structure: &T, asked: &[T::Member]) -> usize {
    asked.iter().filter_map(|member| structure.rank(member)).fold(0, usize::wrapping_add)
}

#[inline(never)]
fn counted_set<T: Structure>(
    structure: &mut T,
    asked: &[T::Member],
    numbers: &mut Sequence,
    scores: usize,
) {
    asked.iter().for_each(|member| structure.set(member, T::Score::draw(numbers, scores)));
}

#[inline(never)]
fn counted_remove<T: Structure>(structure: &mut T, asked: &[T::Member]) -> usize {
    asked.iter().filter(|member| structure.remove(member)).count()
}

#[inline(never)]
fn counted_insert<T: Structure>(
    structure: &mut T,
    asked: &[T::Member],
    numbers: &mut Sequence,
    scores: usize,
) {
    for member in asked {
        structure.set(member, T::Score::draw(numbers, scores));
    }
    // Different from `counted_set`, so that the two are not made one function.
    black_box(asked.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw\n\
        fn=(1) count::work\ncfn=(20) count::counted_rank\ncalls=1 175\n\
        168 100 20 10 9 8 7 1 2 3\ncfn=(2) count::counted_set\ncalls=1 180\n169 50 2\n\
        fn=(20)\n175 10\n";

    #[test]
    fn a_call_is_read_by_the_name_of_its_function_and_of_its_events() {
        let counts = parse(ACCOUNT, "counted_rank").unwrap();
        assert_eq!((counts.instructions, counts.misses), (100, 6));
        let counts = parse(ACCOUNT, "counted_set").unwrap();
        assert_eq!((counts.instructions, counts.misses), (50, 0));
        assert!(parse(ACCOUNT, "counted_remove").is_none());
        assert!(parse("", "counted_rank").is_none());
    }
}
