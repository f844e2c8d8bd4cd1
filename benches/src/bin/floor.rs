//! What the memory of this machine costs, as a floor under the figures of `compare`.
//!
//! What it is: chases through a random cycle of cache lines, alone and sixteen at a time, and reads
//! of sorted arrays of 24-byte entries (a score and a member of 16 bytes), which no other layout
//! can be read faster than. What it is not: a model of the index. Invariant: every access depends
//! on the one before it in its chain, so none is guessed. Cost: about twenty seconds.

use std::hint::black_box;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use rankd_benches::data::Sequence;

/// Lets the system's allocator ask for 2 MiB pages, as the index does for itself.
const PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
/// A score, and a member of 16 bytes.
type Entry = [u64; 3];
const LINE_BYTES: usize = 64;
const WORDS: usize = LINE_BYTES / size_of::<usize>();
const CHAINS: usize = 16;
const PAGE_ENTRIES: usize = 100;
const LARGE_PAGE_BYTES: usize = 2 << 20;
const TOUCHES: usize = 300;
const ROUNDS: usize = 9;
const STEPS: usize = 400_000;
/// Bytes of the member table and of all leaves, per member.
const TABLE_BYTES: usize = 6;
const LEAF_BYTES: usize = 34;

/// Lines that lead through all of them in a random order.
struct Cycle(Vec<[usize; WORDS]>);

impl Cycle {
    fn new(bytes: usize, random: &mut Sequence) -> Self {
        let mut order: Vec<usize> = (0..bytes / LINE_BYTES).collect();
        random.shuffle(&mut order);
        let mut cycle = vec![[0; WORDS]; order.len()];
        for (at, line) in order.iter().enumerate() {
            cycle[*line][0] = order[(at + 1) % order.len()];
        }
        Self(cycle)
    }

    #[inline]
    fn next(&self, line: usize) -> usize {
        self.0[line][0]
    }
}

type Rows = Vec<(&'static str, f64)>;

fn main() -> Result<()> {
    if std::env::var(PAGES.0).as_deref() != Ok(PAGES.1) {
        let error = Command::new(std::env::current_exe()?).env(PAGES.0, PAGES.1).exec();
        bail!("cannot start again with {}={}: {error}", PAGES.0, PAGES.1);
    }
    println!("| ns | 1 M members | 10 M members |\n|---|---:|---:|");
    let [small, large] = [1_000_000, 10_000_000].map(measure);
    for ((name, small_ns), (_, large_ns)) in small.iter().zip(&large) {
        println!("| {name} | {small_ns:.1} | {large_ns:.1} |");
    }
    let (median_us, longest_us) = first_touches();
    println!("\nFirst touch of 2 MiB: median {median_us:.0} us, longest {longest_us:.0} us.");
    Ok(())
}

fn measure(members: usize) -> Rows {
    let mut random = Sequence::new(7);
    let table = Cycle::new(members * TABLE_BYTES, &mut random);
    let leaves = Cycle::new(members * LEAF_BYTES, &mut random);
    let entries: Vec<Entry> = (0..members as u64).map(|entry| [entry, entry ^ 0x55, 0]).collect();
    let places: Vec<usize> =
        (0..STEPS / PAGE_ENTRIES).map(|_| random.below(members - PAGE_ENTRIES)).collect();
    vec![
        ("a line of the member table, each depending on the last", chase(&[&table])),
        ("a line of the leaves, each depending on the last", chase(&[&leaves])),
        ("one of each, depending: a dependent rank", chase(&[&table, &leaves])),
        ("one of each, sixteen at once, each: a rank in a window", windowed(&table, &leaves)),
        ("100 entries of a sorted array at a random place", pages(&entries, &places)),
        ("an entry of a sorted array, all in order", scan(&entries)),
    ]
}

/// One line of each cycle after the other. Each goes its own way; a zero that the compiler does not
/// know makes it wait for the line before.
fn chase(cycles: &[&Cycle]) -> f64 {
    let zero = black_box(0);
    let mut lines = vec![0; cycles.len()];
    let mut before = 0;
    median(STEPS, || {
        for _ in 0..STEPS {
            for (cycle, line) in cycles.iter().zip(&mut lines) {
                *line = cycle.next(*line | (before & zero));
                before = *line;
            }
        }
        before
    })
}

fn windowed(table: &Cycle, leaves: &Cycle) -> f64 {
    let zero = black_box(0);
    let mut in_table: [usize; CHAINS] = std::array::from_fn(|chain| chain * 977);
    let mut in_leaves = in_table;
    median(STEPS * CHAINS, || {
        for _ in 0..STEPS {
            in_table = in_table.map(|line| table.next(line));
            for (line, before) in in_leaves.iter_mut().zip(&in_table) {
                *line = leaves.next(*line | (before & zero));
            }
        }
        in_leaves[0]
    })
}

fn pages(entries: &[Entry], places: &[usize]) -> f64 {
    median(places.len(), || {
        let page = |place: &usize| sum(&entries[*place..*place + PAGE_ENTRIES]);
        // The next page is asked for when this one has been read.
        places.iter().fold(0, |before, place| black_box(before ^ page(place)))
    })
}

fn scan(entries: &[Entry]) -> f64 {
    median(entries.len(), || sum(entries))
}

/// What the benches do with entries, in its cheapest form.
fn sum(entries: &[Entry]) -> u64 {
    entries.iter().fold(0, |sum, [score, first, second]| {
        sum.wrapping_mul(31).wrapping_add(*score ^ *first ^ *second)
    })
}

/// What the kernel takes to hand out and clear a large page: what a write pays that is the first to
/// need one.
fn first_touches() -> (f64, f64) {
    let mut memory: Vec<u8> = Vec::with_capacity(TOUCHES * LARGE_PAGE_BYTES);
    let mut times_us: Vec<f64> = Vec::with_capacity(TOUCHES);
    for page in 1..=TOUCHES {
        let started = Instant::now();
        memory.resize(page * LARGE_PAGE_BYTES - 1, 1);
        times_us.push(started.elapsed().as_secs_f64() * 1e6);
    }
    black_box(&memory);
    times_us.sort_by(f64::total_cmp);
    (times_us[TOUCHES / 2], times_us[TOUCHES - 1])
}

/// Nanoseconds of one of `count` steps, the median of rounds.
fn median<R>(count: usize, mut steps: impl FnMut() -> R) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            black_box(steps());
            started.elapsed().as_secs_f64() * 1e9 / count as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}
