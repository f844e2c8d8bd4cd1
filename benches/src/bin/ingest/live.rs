//! Windows and a target's board are read while activities come in.
//!
//! What it is: a batch every ten milliseconds, durable before it counts, and one reader who goes
//! through the organisations as front ends do. What it is not: HTTP. Invariant: what was
//! acknowledged before a question is in its answer, or the run fails: each batch has an activity of
//! one user, the witness, whose last activity every answer must know. Cost: the seconds given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use rankd_engine::{Engine, ManualClock};
use rankd_orgs::{BoardRequest, Measure, OrgIntent, UserId, Window};

use crate::data::{self, DAY_MS, ENROLLED, GROUP, NOW_MS, ORG, PERIOD, Shape, TARGET};
use crate::{Arguments, submit};

const WINDOW_DAYS: [i64; 3] = [30, 90, 365];
const BATCH_MS: u64 = 10;
const BATCH: u64 = 100;
const PAGE: usize = 50;
const WITNESS: u64 = 1;
/// As the server does it.
const UPKEEP: Duration = Duration::from_millis(200);
/// Between two reads.
const PAUSE: Duration = Duration::from_micros(300);

/// Times in nanoseconds.
pub(crate) struct Findings {
    pages: Histogram<u64>,
    ranks: Histogram<u64>,
    targets: Histogram<u64>,
    recorded: u64,
    seconds: f64,
}

struct Run<'r> {
    engine: &'r Engine,
    clock: &'r ManualClock,
    measure: Measure,
    users: u64,
    now_ms: AtomicI64,
    /// When the witness was last active, as far as it was acknowledged.
    witnessed_ms: AtomicI64,
    recorded: AtomicU64,
    is_over: AtomicBool,
}

/// Reads for as long as the arguments say; nothing if that is no time.
pub(crate) async fn run(
    engine: &Arc<Engine>,
    clock: &ManualClock,
    shape: Shape,
    arguments: &Arguments,
) -> Result<Findings> {
    let run = Run {
        engine,
        clock,
        measure: match shape {
            Shape::Referrals => Measure::Referrals,
            Shape::Points => Measure::Points,
        },
        users: arguments.users,
        now_ms: AtomicI64::new(NOW_MS),
        witnessed_ms: AtomicI64::new(i64::MIN),
        recorded: AtomicU64::new(0),
        is_over: AtomicBool::new(arguments.live_seconds == 0),
    };
    submit(engine, vec![data::group()]).await?;
    let enrolled: Vec<OrgIntent> = (1..=ENROLLED).map(data::enrolment).collect();
    engine.submit_orgs(enrolled).await?;
    let lasts = Duration::from_secs(arguments.live_seconds);
    let started = Instant::now();
    let mut findings = thread::scope(|scope| -> Result<Findings> {
        let reader = scope.spawn(|| {
            let findings = run.read(lasts);
            run.is_over.store(true, Ordering::Relaxed);
            findings
        });
        scope.spawn(|| run.maintain());
        let written = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(run.write(shape))
        });
        run.is_over.store(true, Ordering::Relaxed);
        let findings = reader.join().expect("the reader does not panic");
        written.and(findings)
    })?;
    findings.seconds = started.elapsed().as_secs_f64();
    findings.recorded = run.recorded.load(Ordering::Relaxed);
    Ok(findings)
}

impl Run<'_> {
    async fn write(&self, shape: Shape) -> Result<()> {
        let mut rounds = tokio::time::interval(Duration::from_millis(BATCH_MS));
        let mut nth = 1 << 40;
        while !self.is_over.load(Ordering::Relaxed) {
            rounds.tick().await;
            self.clock.advance(i64::try_from(BATCH_MS).expect("it is small"));
            let now_ms = self.engine.now_ms();
            self.now_ms.store(now_ms, Ordering::Release);
            let mut batch: Vec<OrgIntent> = (nth..nth + BATCH)
                .map(|nth| OrgIntent::Record(data::activity(shape, nth, self.users, now_ms)))
                .collect();
            if let Some(OrgIntent::Record(first)) = batch.first_mut() {
                first.user = UserId(WITNESS);
            }
            nth += BATCH;
            submit(self.engine, batch).await?;
            self.witnessed_ms.store(now_ms, Ordering::Release);
            self.recorded.fetch_add(BATCH, Ordering::Relaxed);
        }
        Ok(())
    }

    fn maintain(&self) {
        while !self.is_over.load(Ordering::Relaxed) {
            self.engine.orgs().maintain();
            thread::park_timeout(UPKEEP);
        }
    }

    fn read(&self, lasts: Duration) -> Result<Findings> {
        let new = || Histogram::<u64>::new(3).expect("three digits are possible");
        let mut findings =
            Findings { pages: new(), ranks: new(), targets: new(), recorded: 0, seconds: 0.0 };
        // Boards are made when they were asked for a few times.
        let started = Instant::now();
        let (warm_up, mut kind) = (lasts / 5, 0);
        while started.elapsed() < lasts {
            kind = (kind + 1) % WINDOW_DAYS.len();
            let page_ns = self.window(kind, true)?;
            let rank_ns = self.window(kind, false)?;
            let target_ns = self.target()?;
            if started.elapsed() > warm_up {
                findings.pages.record(page_ns)?;
                findings.ranks.record(rank_ns)?;
                findings.targets.record(target_ns)?;
            }
            thread::park_timeout(PAUSE);
        }
        Ok(findings)
    }

    /// Nanoseconds of a page or of the witness' rank.
    fn window(&self, kind: usize, of_page: bool) -> Result<u64> {
        let witnessed_ms = self.witnessed_ms.load(Ordering::Acquire);
        let now_ms = self.now_ms.load(Ordering::Acquire);
        let from_ms = now_ms - WINDOW_DAYS[kind] * DAY_MS;
        let request = BoardRequest {
            measure: self.measure,
            window: Window { from_ms, until_ms: now_ms + 1 },
            rolling_kind: Some(kind as u64),
            vacancies: &[],
            now_ms,
        };
        let started = Instant::now();
        let board = self.engine.orgs().board(ORG, &request).expect("the organisation is there");
        let rows = if of_page {
            board.rows(0, PAGE)
        } else {
            Vec::from_iter(board.row_of(UserId(WITNESS)))
        };
        let ns = nanoseconds(started);
        drop(board);
        ensure!(!of_page || rows.len() == PAGE, "a page has {} rows", rows.len());
        let witness = rows.iter().find(|row| row.user.id == UserId(WITNESS));
        let last_ms = witness.map_or(i64::MIN, |row| row.tally.last_ms);
        let is_stale = !of_page && last_ms < witnessed_ms;
        ensure!(!is_stale, "an answer of {last_ms} where {witnessed_ms} was acknowledged");
        Ok(ns)
    }

    /// Nanoseconds of a place on the target's board.
    fn target(&self) -> Result<u64> {
        let witnessed_ms = self.witnessed_ms.load(Ordering::Acquire);
        let started = Instant::now();
        let orgs = self.engine.orgs();
        let group = orgs.group(ORG, GROUP).expect("it was put");
        let place = orgs.target_rank(&group, TARGET, PERIOD, UserId(WITNESS));
        let ns = nanoseconds(started);
        let (row, _) = place.expect("the witness is enrolled");
        ensure!(row.last_ms >= witnessed_ms, "{} where {witnessed_ms} was acked", row.last_ms);
        Ok(ns)
    }
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// A table of everybody's findings.
pub(crate) fn print(findings: &[(Shape, Findings)]) {
    println!("\n| shape | activities a second | read | reads | median, ms | 99 % | worst |");
    println!("|---|---:|---|---:|---:|---:|---:|");
    for (shape, findings) in findings {
        #[expect(clippy::cast_precision_loss, reason = "for printing")]
        let rate = findings.recorded as f64 / findings.seconds;
        let Findings { pages, ranks, targets, .. } = findings;
        let reads = [("first 50", pages), ("a rank", ranks), ("a target's rank", targets)];
        for (name, times) in reads {
            #[expect(clippy::cast_precision_loss, reason = "for printing")]
            let ms = |part: f64| times.value_at_quantile(part) as f64 / 1e6;
            println!(
                "| {shape:?} | {rate:.0} | {name} | {} | {:.3} | {:.3} | {:.2} |",
                times.len(),
                ms(0.5),
                ms(0.99),
                ms(1.0)
            );
        }
    }
}
