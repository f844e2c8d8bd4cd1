//! Reads of hot boards while rows come in.
//!
//! What it is: one thread appends ten thousand rows a second and lets the boards catch up; another
//! one reads them. What it is not: without the ledger's lock, which both take. Invariant: a row is
//! in the answer if it was appended before the question. Cost: the seconds given.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use rankd_activity::{Ask, HotBoards, HotOptions, Ledger, LedgerAccess, LiveBoard, Measure};

use crate::data::{self, NOW_MS, Rng, Rows, Shape};
use crate::sums::{PAGE, rolling};
use crate::timing::Times;

/// Days of the windows that are read.
const WINDOW_DAYS: [i64; 3] = [30, 90, 365];
const ROWS_PER_MS: u64 = 10;
/// How often the boards are let catch up.
const MAINTAIN_MS: u64 = 10;
/// Between two reads.
const PAUSE: Duration = Duration::from_micros(300);

/// What was measured.
pub(crate) struct Findings {
    pub(crate) pages: Times,
    pub(crate) ranks: Times,
    pub(crate) live: Times,
    pub(crate) appended: u64,
    pub(crate) seconds: f64,
    pub(crate) boards: usize,
    pub(crate) board_bytes: usize,
    /// Making all boards.
    pub(crate) making: Duration,
    /// Reads that no rolling board answered.
    pub(crate) summed: usize,
}

struct Run {
    measure: Measure,
    ledger: RwLock<Ledger>,
    hot: HotBoards,
    live: RwLock<LiveBoard>,
    now_ms: AtomicI64,
    appended: AtomicU64,
    is_over: AtomicBool,
}

/// Makes boards of the windows and reads them for this long.
pub(crate) fn run(ledger: Ledger, shape: Shape, seconds: u64, threads: NonZeroUsize) -> Findings {
    let options = HotOptions { threads, ..HotOptions::default() };
    let run = Run {
        measure: crate::sums::measure_of(shape),
        ledger: RwLock::new(ledger),
        hot: HotBoards::new(options),
        live: RwLock::new(LiveBoard::new()),
        now_ms: AtomicI64::new(NOW_MS),
        appended: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    };
    let making = run.prepare();
    let started = Instant::now();
    let mut findings = thread::scope(|scope| {
        scope.spawn(|| run.write(shape));
        let findings = run.read(Duration::from_secs(seconds));
        run.is_over.store(true, Ordering::Relaxed);
        findings
    });
    findings.seconds = started.elapsed().as_secs_f64();
    findings.making = making;
    findings.appended = run.appended.load(Ordering::Relaxed);
    findings.boards = run.hot.rolling_boards();
    findings.board_bytes = run.hot.memory_bytes() / findings.boards.max(1);
    findings
}

impl Run {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn ask(&self, kind: usize) -> Ask<'static> {
        Ask { measure: self.measure, window_kind: Some(kind as u64), tags: None }
    }

    fn maintain(&self) {
        let days = |kind: u64| WINDOW_DAYS[usize::try_from(kind).expect("there are few")];
        self.hot.maintain(&self.ledger, |_, kind| rolling(days(kind), self.now_ms()));
        while let Some(job) = self.ledger.with(Ledger::merge_job) {
            let merged = job.run();
            self.ledger.write().finish(merged);
        }
    }

    /// Asks for every window until it has a board; fills the live board.
    fn prepare(&self) -> Duration {
        let mut live = self.live.write();
        for rank in 0..data::USERS {
            let value = i64::try_from(rank % 1_000).expect("it is small");
            live.set(data::user_id(rank), value, NOW_MS).expect("there is room");
        }
        let started = Instant::now();
        for (kind, &days) in WINDOW_DAYS.iter().enumerate() {
            for _ in 0..3 {
                let window = rolling(days, self.now_ms());
                assert!(self.hot.read(&self.ask(kind), &self.ledger, window).total() > 0);
            }
            self.maintain();
        }
        started.elapsed()
    }

    fn write(&self, shape: Shape) {
        let mut rows = Rows::new(shape, 0);
        let started = Instant::now();
        let mut done_ms = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let due_ms = u64::try_from(started.elapsed().as_millis()).expect("a run is short");
            while done_ms < due_ms {
                done_ms += 1;
                let now_ms = NOW_MS + i64::try_from(done_ms).expect("a run is short");
                let mut ledger = self.ledger.write();
                for _ in 0..ROWS_PER_MS {
                    let row = rows.row_at(now_ms);
                    ledger.append(row).expect("the row is right");
                    let added = self.live.write().add(row.user, 1, now_ms);
                    added.expect("there is room");
                }
                drop(ledger);
                self.now_ms.store(now_ms, Ordering::Relaxed);
                self.appended.fetch_add(ROWS_PER_MS, Ordering::Relaxed);
                if done_ms.is_multiple_of(MAINTAIN_MS) {
                    self.maintain();
                }
            }
            thread::park_timeout(Duration::from_micros(200));
        }
    }

    fn read(&self, lasts: Duration) -> Findings {
        let mut rng = Rng::new(3);
        let [mut pages, mut ranks, mut live] = [const { Times::new() }; 3];
        let mut summed = 0;
        let started = Instant::now();
        while started.elapsed() < lasts {
            let kind = usize::try_from(rng.below(WINDOW_DAYS.len() as u64)).expect("it is small");
            let user = data::user_id(rng.below(data::USERS));
            let read = |of_page: bool| {
                let window = rolling(WINDOW_DAYS[kind], self.now_ms());
                let reading = self.hot.read(&self.ask(kind), &self.ledger, window);
                if of_page {
                    assert_eq!(reading.tallies(0, PAGE).len(), PAGE);
                } else {
                    assert!(reading.rank_of(user).is_none_or(|(rank, _)| rank > 0));
                }
                reading.is_rolling()
            };
            summed += usize::from(!pages.of(|| read(true)));
            summed += usize::from(!ranks.of(|| read(false)));
            live.of(|| assert!(self.live.read().rank_of(user).is_some()));
            thread::park_timeout(PAUSE);
        }
        Findings {
            pages,
            ranks,
            live,
            summed,
            appended: 0,
            seconds: 0.0,
            boards: 0,
            board_bytes: 0,
            making: Duration::ZERO,
        }
    }
}
