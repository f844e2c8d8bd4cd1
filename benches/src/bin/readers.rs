//! Readers and writers of one index under four locks, as Markdown tables on standard output.
//!
//! What it is: one index that goes from lock to lock, in rounds, so that whatever else the machine
//! does falls on all of them; the tables give medians over the rounds. What it is not: a measure of
//! the index; a read is the rank of a random member, a write a new random score for one. Invariant:
//! no thread shares anything with another but the lock, the index and the list of ids. Cost: about
//! rounds x locks x scenarios x milliseconds, and a load of the members.
//!
//! The row "no lock" is the machine's own: one thread alone looks at the clock until as much time
//! has passed as the median read took under the first lock. What that thread is late by, no lock
//! can avoid. The last table has three threads; with fewer processors it tells of waiting for those
//! as well, which is why it says how long the reader had none.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use hdrhistogram::Histogram;
use rank_index::{RankIndex, ScoreKey, Snapshot};
use rankd_benches::data::{Id, Sequence, shuffled};

type Index = RankIndex<ScoreKey>;

/// A measurement counts if no thread waited for a processor longer than this part of it.
const DELAY_PART_MAX: f64 = 0.02;
/// How often a disturbed measurement is taken again; then the least disturbed one counts.
const RETAKES_MAX: usize = 8;

/// Members that are read out of a snapshot under one lock, as the store does.
const TURN_MEMBERS: usize = 512;

/// A read that took longer than this counts as slow.
const SLOW_US: u64 = 10;

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

/// What an operation of a thread is.
#[derive(Clone, Copy)]
enum Task {
    /// So many of a hundred are writes, the others reads.
    Mix { writes_percent: usize },
    /// Take a snapshot, or read a turn's members out of it.
    Snapshots,
}

/// What one thread does.
#[derive(Clone, Copy)]
struct Role {
    task: Task,
    /// Take the time of every operation.
    is_timed: bool,
}

const READER: Role = Role { task: Task::Mix { writes_percent: 0 }, is_timed: false };
const TIMED_READER: Role = Role { is_timed: true, ..READER };
const WRITER: Role = Role { task: Task::Mix { writes_percent: 100 }, is_timed: false };
const SNAPSHOT_READER: Role = Role { task: Task::Snapshots, is_timed: true };

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

    /// The latency's median, 99 %, 99.9 %, longest, in microseconds, and the per cent that were
    /// slow.
    fn latencies(&self) -> [f64; 5] {
        let latency = &self.latency_ns;
        let at = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
        let slow = 100.0 - latency.percentile_below(SLOW_US * 1_000);
        [at(0.5), at(0.99), at(0.999), latency.max() as f64 / 1e3, slow]
    }
}

/// One thread's questions and its share of the work.
struct Worker<'s, L> {
    lock: &'s L,
    ids: &'s [Id],
    role: Role,
    numbers: Sequence,
    next: usize,
    /// The snapshot that is being read out, and how many of its members have been.
    snapshot: Option<(Snapshot<ScoreKey>, usize)>,
}

impl<L: Shared> Worker<'_, L> {
    fn operation(&mut self) {
        match self.role.task {
            Task::Mix { writes_percent } => self.read_or_write(writes_percent),
            Task::Snapshots => self.read_snapshot(),
        }
    }

    fn read_snapshot(&mut self) {
        let Some((snapshot, at)) = &mut self.snapshot else {
            let taken = self.lock.write(Index::snapshot);
            self.snapshot = Some((taken.expect("one snapshot lives at a time"), 0));
            return;
        };
        let turn = *at..*at + TURN_MEMBERS;
        *at = turn.end;
        self.lock.read(|index| {
            snapshot.view(index).range(turn).for_each(|entry| {
                black_box(entry);
            });
        });
        if *at >= snapshot.len() {
            self.snapshot = None;
        }
    }

    fn read_or_write(&mut self, writes_percent: usize) {
        let id = &self.ids[self.next];
        self.next = (self.next + 1) % self.ids.len();
        if self.numbers.below(100) < writes_percent {
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
                let worker = Worker { lock, ids, role: *role, numbers, next, snapshot: None };
                scope.spawn(move || {
                    ready.wait();
                    worker.run(length)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("workers do not panic")).collect()
    })
}

/// One thread alone that looks at the clock until `span` has passed, again and again: how late is
/// it?
fn pauses(span: Duration, length: Duration) -> Done {
    let mut latency_ns = Histogram::new(3).expect("three digits are allowed");
    let delay_before = run_delay();
    let (mut operations, start) = (0, Instant::now());
    let mut before = start;
    while before - start < length {
        let mut now = Instant::now();
        while now - before < span {
            now = Instant::now();
        }
        let taken_ns = u64::try_from((now - before).as_nanos()).unwrap_or(u64::MAX);
        latency_ns.record(taken_ns).expect("the histogram grows");
        operations += 1;
        before = now;
    }
    let elapsed = before - start;
    let delay_part = (run_delay() - delay_before).as_secs_f64() / elapsed.as_secs_f64();
    Done { operations, elapsed, latency_ns, delay_part }
}

/// The row of the machine itself, in the order of [`HEADS`]: nothing but the latencies.
fn pause_figures(median_us: f64, length: Duration) -> Vec<f64> {
    let done = pauses(Duration::from_secs_f64(median_us / 1e6), length);
    let mut figures = vec![f64::NAN; HEADS.len()];
    figures[LATENCIES].copy_from_slice(&done.latencies());
    figures
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
    let mut figures = vec![one / 1e6, two / 1e6, two / one, alone / 1e6, reader.per_s() / 1e6];
    figures.extend(reader.latencies());
    figures.push(100.0 * writer.per_s() / alone);
    for writes_percent in [10, 50] {
        let mixed = Role { task: Task::Mix { writes_percent }, is_timed: false };
        let (one, two) = (per_s(&[mixed]), per_s(&[mixed, mixed]));
        figures.extend([one / 1e6, two / 1e6, two / one]);
    }
    // As it comes: where three threads share two processors, there is always one that waits.
    let three = measure_once(&lock, ids, &[TIMED_READER, WRITER, SNAPSHOT_READER], length);
    let members = three[2].per_s() * TURN_MEMBERS as f64;
    figures.extend([three[0].per_s() / 1e6, three[1].per_s() / 1e6, members / 1e6]);
    figures.extend(three[0].latencies());
    figures.push(100.0 * three[0].delay_part);
    (lock.into_index(), figures)
}

/// The columns, each with how many decimals it shows.
const HEADS: [(&str, usize); 26] = [
    ("1 reader, M/s", 2),
    ("2 readers, M/s", 2),
    ("ratio", 2),
    ("writer alone, M/s", 2),
    ("reader beside writer, M/s", 2),
    ("p50, us", 2),
    ("p99, us", 2),
    ("p99.9, us", 2),
    ("max, us", 0),
    ("above 10 us, %", 3),
    ("writer's share of its rate, %", 0),
    ("10 % writes: 1 thread, M/s", 2),
    ("2 threads, M/s", 2),
    ("ratio", 2),
    ("50 % writes: 1 thread, M/s", 2),
    ("2 threads, M/s", 2),
    ("ratio", 2),
    ("reader beside writer and snapshot, M/s", 2),
    ("writer, M/s", 2),
    ("members read out, M/s", 2),
    ("p50, us", 2),
    ("p99, us", 2),
    ("p99.9, us", 2),
    ("max, us", 0),
    ("above 10 us, %", 3),
    ("reader without a processor, %", 1),
];
/// Which columns share a table.
const TABLES: [std::ops::Range<usize>; 4] = [0..3, 3..11, 11..17, 17..26];
/// The columns of a read's latencies beside a writer.
const LATENCIES: std::ops::Range<usize> = 5..10;

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
            let figure = |column: usize| Some(median(rounds, column)).filter(|it| !it.is_nan());
            if columns.clone().all(|column| figure(column).is_none()) {
                continue;
            }
            let cell = |column: usize| match figure(column) {
                Some(figure) => format!("{figure:.*}", HEADS[column].1),
                None => "-".into(),
            };
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
    let mut locks: [(&str, Vec<Vec<f64>>); 5] = [
        (rankd_lock::BoardLock::NAME, Vec::new()),
        (parking_lot::RwLock::NAME, Vec::new()),
        (StdLock::NAME, Vec::new()),
        (crossbeam::sync::ShardedLock::NAME, Vec::new()),
        ("no lock", Vec::new()),
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
        let (_, first) = &locks[0];
        let median_us = first.last().expect("it was measured just now")[LATENCIES.start];
        locks[4].1.push(pause_figures(median_us, length));
    }
    let Arguments { members, rounds, milliseconds } = arguments;
    println!("{members} members, medians of {rounds} rounds of {milliseconds} ms\n");
    print(&locks);
    Ok(())
}
