//! Windows that nobody has asked for before.
//!
//! What it is: how fast rows are taken, what they take in memory, and how long a window takes from
//! the question to the first page. What it is not: cached in any way. Invariant: every answer is
//! used. Cost: minutes at a hundred million rows.

use std::num::NonZeroUsize;
use std::time::Duration;

use rankd_activity::{Ledger, Measure, Memory, Row, Window};

use crate::data::{self, DAY_MS, NOW_MS, Rng, Rows, START_MS, Shape};
use crate::timing::{Clock, Times};

/// Lengths of windows that end now, in days.
pub(crate) const WINDOW_DAYS: [i64; 7] = [1, 7, 30, 90, 365, 1_000, 3_650];
/// Users of a page, and of the three at the top.
pub(crate) const PAGE: usize = 50;
/// Rows that are handed over at once when everything is loaded.
const LOAD_ROWS: usize = 1 << 19;
/// Rows that are appended one by one to see how fast that is.
pub(crate) const APPENDS: usize = 1_000_000;
/// Of which so many are timed together.
const LOT_ROWS: usize = 100;

/// What was measured of one ledger.
pub(crate) struct Findings {
    pub(crate) rows: u64,
    pub(crate) load: Duration,
    /// Lots of a hundred rows.
    pub(crate) append: Times,
    pub(crate) memory: Memory,
    /// By the length of the window, and at last random ranges.
    pub(crate) windows: Vec<(String, Times)>,
    pub(crate) months: Times,
    pub(crate) rank: Times,
    pub(crate) view: Times,
    /// Rows that match, and how long they take.
    pub(crate) tags: Vec<(usize, Times)>,
}

pub(crate) fn measure_of(shape: Shape) -> Measure {
    match shape {
        Shape::Referrals => Measure::Referrals,
        Shape::Points => Measure::Points,
    }
}

/// Loads a ledger. How long it took, apart from making the rows.
pub(crate) fn load(shape: Shape, count: u64) -> (Ledger, Duration) {
    let mut ledger = data::ledger(shape);
    let mut rows = Rows::new(shape, count);
    let mut took = Duration::ZERO;
    loop {
        let lot: Vec<Row> = rows.by_ref().take(LOAD_ROWS).collect();
        if lot.is_empty() {
            break;
        }
        let started = Clock::start();
        ledger.append_all(&lot).expect("the rows are right");
        took += started.elapsed();
    }
    let started = Clock::start();
    ledger.settle();
    (ledger, took + started.elapsed())
}

/// Rows one by one, at the end of time.
fn append(ledger: &mut Ledger, shape: Shape) -> Times {
    let mut rows = Rows::new(shape, 0);
    let lot: Vec<Row> = (0..APPENDS).map(|_| rows.row_at(NOW_MS - 1)).collect();
    let mut times = Times::new();
    for rows in lot.chunks(LOT_ROWS) {
        times.of(|| rows.iter().for_each(|row| ledger.append(*row).expect("the row is right")));
        while let Some(job) = ledger.merge_job() {
            ledger.finish(job.run());
        }
    }
    times
}

/// Measures everything that needs no other thread but those of the sums.
pub(crate) fn run(
    shape: Shape,
    count: u64,
    rounds: usize,
    threads: NonZeroUsize,
) -> (Ledger, Findings) {
    let (mut ledger, load) = load(shape, count);
    let memory = ledger.memory();
    let measure = measure_of(shape);
    let mut rng = Rng::new(2);
    let mut windows: Vec<(String, Times)> = WINDOW_DAYS
        .iter()
        .map(|days| (format!("{days} days until now"), Times::default()))
        .collect();
    windows.push(("random ranges".to_owned(), Times::default()));
    let (mut view, mut rank) = (Times::default(), Times::default());
    for _ in 0..rounds {
        for (at, (_, times)) in windows.iter_mut().enumerate() {
            let window = match WINDOW_DAYS.get(at) {
                // Questions come at any millisecond.
                Some(days) => rolling(*days, NOW_MS - rng.within(0, DAY_MS)),
                None => random_range(&mut rng),
            };
            let snapshot = view.of(|| ledger.window(measure, window));
            let standings = times.of(|| {
                let standings = snapshot.standings(threads);
                assert!(standings.tallies(0, PAGE).len() <= PAGE);
                standings
            });
            let user = data::user_id(rng.below(data::USERS));
            rank.of(|| standings.rank_of(user));
        }
    }
    let months = months(&ledger, measure, rounds, threads);
    let tags = if shape == Shape::Referrals { tags(&ledger, rounds, threads) } else { vec![] };
    let append = append(&mut ledger, shape);
    let findings =
        Findings { rows: count, load, append, memory, windows, months, rank, view, tags };
    (ledger, findings)
}

pub(crate) fn rolling(days: i64, now_ms: i64) -> Window {
    Window { from_ms: now_ms - days * DAY_MS, until_ms: now_ms + 1 }
}

fn random_range(rng: &mut Rng) -> Window {
    let (one, two) = (rng.within(START_MS, NOW_MS), rng.within(START_MS, NOW_MS));
    Window { from_ms: one.min(two), until_ms: one.max(two) + 1 }
}

/// A year's months, the best fifty of each, after the first time.
fn months(ledger: &Ledger, measure: Measure, rounds: usize, threads: NonZeroUsize) -> Times {
    let mut times = Times::default();
    for _ in 0..=rounds {
        times.of(|| {
            let view = ledger.months(measure, rolling(365, NOW_MS), None);
            for month in view.months() {
                assert!(view.top(month, PAGE, threads).len() <= PAGE);
            }
        });
    }
    times
}

/// Filters that let through more and more.
fn tags(ledger: &Ledger, rounds: usize, threads: NonZeroUsize) -> Vec<(usize, Times)> {
    let window = Window { from_ms: START_MS, until_ms: NOW_MS };
    let lists = [vec![400], vec![0], (0..100).collect::<Vec<u32>>()];
    let of_list = |tags: Vec<u32>| {
        let mut times = Times::default();
        let mut matching = 0;
        for _ in 0..rounds {
            let view = ledger.tagged(window, &tags);
            let standings = times.of(|| view.standings(threads));
            let tallies = standings.tallies(0, usize::MAX);
            matching = tallies.iter().map(|tally| (tally.refer + tally.recommend) as usize).sum();
        }
        (matching, times)
    };
    lists.into_iter().map(of_list).collect()
}
