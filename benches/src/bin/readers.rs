//! Readers and writers of one index under four locks, as Markdown tables on standard output.
//!
//! What it is: one index that goes from lock to lock, in rounds, so that whatever else the machine
//! does falls on all of them; the tables give medians over the rounds. What it is not: a measure of
//! the index; a read is the rank of a random member, a write a new random score for one. Invariant:
//! no thread shares anything with another but the lock, the index and the list of ids. Cost: about
//! rounds x locks x scenarios x milliseconds, and a load of the members.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use hdrhistogram::Histogram;
use rank_index::{RankIndex, ScoreKey};
use rankd_benches::data::{Id, Sequence, shuffled};

type Index = RankIndex<ScoreKey>;

/// A measurement counts if no thread waited for a processor longer than this part of it.
const DELAY_PART_MAX: f64 = 0.02;
/// How often a disturbed measurement is taken again; then the least disturbed one counts.
const RETAKES_MAX: usize = 8;

/// Operations between two looks at the clock where operations are not timed one by one.
const BURST: usize = 64;

#[derive(Parser)]
struct Arguments {
    /// Members of the index.
    #[arg(long, default_value_t = 1_000_000)]
    members: usize,
    /// How often each lock goes through every scenario.
    #[arg(long, default_value_t = 21)]
    rounds: usize,
    /// Length of one measurement, in milliseconds.
    #[arg(long, default_value_t = 50)]
    milliseconds: u64,
}

/// What the locks have in common.
trait Shared: Sync + Sized {
    const NAME: &'static str;
    fn new(index: Index) -> Self;
    fn read<R>(&self, look: impl FnOnce(&Index) -> R) -> R;
    fn write<R>(&self, change: impl FnOnce(&mut Index) -> R) -> R;
    fn into_index(self) -> Index;
}

/// The locks that poison differ from those that do not by an `expect`.
macro_rules! shared {
    ($lock:ty, $name:literal $(, $unpoisoned:ident)?) => {
        impl Shared for $lock {
            const NAME: &'static str = $name;
            fn new(index: Index) -> Self {
                Self::new(index)
            }
            fn read<R>(&self, look: impl FnOnce(&Index) -> R) -> R {
                look(&self.read()$(.$unpoisoned("no thread panics"))?)
            }
            fn write<R>(&self, change: impl FnOnce(&mut Index) -> R) -> R {
                change(&mut self.write()$(.$unpoisoned("no thread panics"))?)
            }
            fn into_index(self) -> Index {
                self.into_inner()$(.$unpoisoned("no thread panics"))?
            }
        }
    };
}

#[expect(clippy::disallowed_types, reason = "it is here to be compared with")]
type StdLock<T> = std::sync::RwLock<T>;

shared!(rankd_lock::BoardLock<Index>, "`BoardLock`");
shared!(parking_lot::RwLock<Index>, "`parking_lot::RwLock`");
shared!(StdLock<Index>, "`std::sync::RwLock`", expect);
shared!(crossbeam::sync::ShardedLock<Index>, "`crossbeam::sync::ShardedLock`", expect);

/// What one thread does.
#[derive(Clone, Copy)]
struct Role {
    writes_percent: usize,
    /// Take the time of every operation.
    is_timed: bool,
}

const READER: Role = Role { writes_percent: 0, is_timed: false };
const TIMED_READER: Role = Role { writes_percent: 0, is_timed: true };
const WRITER: Role = Role { writes_percent: 100, is_timed: false };

/// What one thread did.
struct Done {
    operations: u64,
    elapsed: Duration,
    /// Nanoseconds from asking for the lock to having the answer.
    latency_ns: Histogram<u64>,
    /// The part of the time that the thread was ready to run but had no processor.
    delay_part: f64,
}

impl Done {
    fn per_s(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64()
    }
}

/// One thread's questions and its share of the work.
struct Worker<'s, L> {
    lock: &'s L,
    ids: &'s [Id],
    role: Role,
    numbers: Sequence,
    next: usize,
}

impl<L: Shared> Worker<'_, L> {
    fn operation(&mut self) {
        let id = &self.ids[self.next];
        self.next = (self.next + 1) % self.ids.len();
        if self.numbers.below(100) < self.role.writes_percent {
            let score = self.numbers.below(self.ids.len() / 4 + 1) as u64;
            let key = ScoreKey { score };
            let written = self.lock.write(|index| index.upsert(id.as_ref(), key));
            written.expect("a member of the index");
        } else {
            black_box(self.lock.read(|index| index.rank(id.as_ref())));
        }
    }

    fn run(mut self, length: Duration) -> Done {
        let mut latency_ns = Histogram::new(3).expect("three digits are allowed");
        let burst = if self.role.is_timed { 1 } else { BURST };
        let delay_before = run_delay();
        let (mut operations, start) = (0, Instant::now());
        let mut before = start;
        while before - start < length {
            for _ in 0..burst {
                self.operation();
            }
            operations += burst as u64;
            let now = Instant::now();
            if self.role.is_timed {
                let taken_ns = u64::try_from((now - before).as_nanos()).unwrap_or(u64::MAX);
                latency_ns.record(taken_ns).expect("the histogram grows");
            }
            before = now;
        }
        let elapsed = before - start;
        let delay_part = (run_delay() - delay_before).as_secs_f64() / elapsed.as_secs_f64();
        Done { operations, elapsed, latency_ns, delay_part }
    }
}

/// How long this thread has waited for a processor so far, as Linux counts it; 0 elsewhere.
fn run_delay() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let field = text.split_whitespace().nth(1).and_then(|field| field.parse().ok());
    Duration::from_nanos(field.unwrap_or(0))
}

/// Runs one thread per role at the same time, again if other programs had the processors.
fn measure<L: Shared>(lock: &L, ids: &[Id], roles: &[Role], length: Duration) -> Vec<Done> {
    let delay = |done: &Vec<Done>| done.iter().map(|done| done.delay_part).fold(0.0, f64::max);
    let mut best = measure_once(lock, ids, roles, length);
    for _ in 0..RETAKES_MAX {
        if delay(&best) <= DELAY_PART_MAX {
            break;
        }
        let next = measure_once(lock, ids, roles, length);
        if delay(&next) < delay(&best) {
            best = next;
        }
    }
    best
}

/// Runs one thread per role at the same time.
fn measure_once<L: Shared>(lock: &L, ids: &[Id], roles: &[Role], length: Duration) -> Vec<Done> {
    let ready = Barrier::new(roles.len());
    thread::scope(|scope| {
        let threads: Vec<_> = roles
            .iter()
            .zip(1..)
            .map(|(role, number)| {
                let (seed, ready) = (number as u64, &ready);
                let next = ids.len() / (roles.len() + 1) * number;
                let numbers = Sequence::new(seed);
                let worker = Worker { lock, ids, role: *role, numbers, next };
                scope.spawn(move || {
                    ready.wait();
                    worker.run(length)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("workers do not panic")).collect()
    })
}

/// Takes the index through every scenario under one lock, and gives it back.
type Round = fn(Index, &[Id], Duration) -> (Index, Vec<f64>);

/// One lock's figures of one round, in the order of [`HEADS`].
fn round<L: Shared>(index: Index, ids: &[Id], length: Duration) -> (Index, Vec<f64>) {
    let lock = L::new(index);
    let run = |roles: &[Role]| measure(&lock, ids, roles, length);
    let per_s = |roles: &[Role]| run(roles).iter().map(Done::per_s).sum::<f64>();
    let (one, two) = (per_s(&[READER]), per_s(&[READER, READER]));
    let alone = per_s(&[WRITER]);
    let beside = run(&[TIMED_READER, WRITER]);
    let (reader, writer) = (&beside[0], &beside[1]);
    let at = |quantile| reader.latency_ns.value_at_quantile(quantile) as f64 / 1e3;
    let mut figures = vec![one / 1e6, two / 1e6, two / one, alone / 1e6, reader.per_s() / 1e6];
    figures.extend([at(0.5), at(0.99), at(0.999), reader.latency_ns.max() as f64 / 1e3]);
    figures.push(100.0 * writer.per_s() / alone);
    for writes_percent in [10, 50] {
        let mixed = Role { writes_percent, is_timed: false };
        let (one, two) = (per_s(&[mixed]), per_s(&[mixed, mixed]));
        figures.extend([one / 1e6, two / 1e6, two / one]);
    }
    (lock.into_index(), figures)
}

/// The columns, each with how many decimals it shows.
const HEADS: [(&str, usize); 16] = [
    ("1 reader, M/s", 2),
    ("2 readers, M/s", 2),
    ("ratio", 2),
    ("writer alone, M/s", 2),
    ("reader beside writer, M/s", 2),
    ("p50, us", 2),
    ("p99, us", 2),
    ("p99.9, us", 2),
    ("max, us", 0),
    ("writer's share of its rate, %", 0),
    ("10 % writes: 1 thread, M/s", 2),
    ("2 threads, M/s", 2),
    ("ratio", 2),
    ("50 % writes: 1 thread, M/s", 2),
    ("2 threads, M/s", 2),
    ("ratio", 2),
];
/// Which columns share a table.
const TABLES: [std::ops::Range<usize>; 3] = [0..3, 3..10, 10..16];

fn median(rounds: &[Vec<f64>], column: usize) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(|figures| figures[column]).collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(locks: &[(&str, Vec<Vec<f64>>)]) {
    for columns in TABLES {
        let heads: Vec<_> = HEADS[columns.clone()].iter().map(|(head, _)| *head).collect();
        println!("| lock | {} |\n|---|{}", heads.join(" | "), "---:|".repeat(heads.len()));
        for (name, rounds) in locks {
            let cell = |column: usize| format!("{:.*}", HEADS[column].1, median(rounds, column));
            let cells: Vec<_> = columns.clone().map(cell).collect();
            println!("| {name} | {} |", cells.join(" | "));
        }
        println!();
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let length = Duration::from_millis(arguments.milliseconds);
    let ids = shuffled::<Id>(arguments.members, 2);
    let mut numbers = Sequence::new(1);
    let mut index = Index::new();
    for id in &ids {
        let score = numbers.below(ids.len() / 4 + 1) as u64;
        index.upsert(id.as_ref(), ScoreKey { score }).context("cannot fill the index")?;
    }
    let ids = shuffled::<Id>(arguments.members, 3);
    let mut locks: [(&str, Vec<Vec<f64>>); 4] = [
        (rankd_lock::BoardLock::NAME, Vec::new()),
        (parking_lot::RwLock::NAME, Vec::new()),
        (StdLock::NAME, Vec::new()),
        (crossbeam::sync::ShardedLock::NAME, Vec::new()),
    ];
    let rounds: [Round; 4] = [
        round::<rankd_lock::BoardLock<Index>>,
        round::<parking_lot::RwLock<Index>>,
        round::<StdLock<Index>>,
        round::<crossbeam::sync::ShardedLock<Index>>,
    ];
    for _ in 0..arguments.rounds {
        for ((_, figures), round) in locks.iter_mut().zip(rounds) {
            let (returned, measured) = round(index, &ids, length);
            index = returned;
            figures.push(measured);
        }
    }
    let Arguments { members, rounds, milliseconds } = arguments;
    println!("{members} members, medians of {rounds} rounds of {milliseconds} ms\n");
    print(&locks);
    Ok(())
}
