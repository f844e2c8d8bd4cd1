//! How many activities a second the embedded store takes in, each durable before it is answered.
//!
//! What it is: the program behind `cargo xtask bench ingest`. It submits batches to the engine as
//! the HTTP front end does, without HTTP and JSON, and counts the activities that were acknowledged
//! after an fsync. Then more come in at a steady rate, while boards are read. What it is not: a
//! part of the product. Invariant: every activity is accepted, or the run fails. Cost: as many
//! activities as were asked for, on the disk of the temporary folder.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;
use rankd_engine::{Clock, Engine, EngineOptions, ManualClock, State};
use rankd_orgs::{OrgIntent, OrgOutcome};
use rankd_storage::{EmbeddedOptions, EmbeddedStore, RealFs};
use tokio::task::JoinSet;

mod data;
mod live;

use data::{DAY_MS, NOW_MS, ORG, Shape, activity, company};

/// Measures how fast activities are taken in.
#[derive(Parser)]
#[command(name = "cargo xtask bench ingest", disable_version_flag = true)]
struct Arguments {
    /// Activities of each shape, in thousands.
    #[arg(long, default_value_t = 3_000)]
    thousands: u64,
    /// Activities in a batch.
    #[arg(long, default_value = "10000")]
    batch: NonZeroUsize,
    /// Batches that wait for the disk at a time.
    #[arg(long, default_value = "4")]
    in_flight: NonZeroUsize,
    /// Users, each as active as the others.
    #[arg(long, default_value_t = 1_000_000)]
    users: u64,
    /// Days over which the activities are spread, in the order of time.
    #[arg(long, default_value_t = 30)]
    days: i64,
    /// How long windows and a target's board are read while ten thousand activities a second come
    /// in; 0 leaves it out.
    #[arg(long, default_value_t = 10)]
    live_seconds: u64,
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
    println!("| shape | activities | seconds | a second | log bytes each | fsyncs |");
    println!("|---|---:|---:|---:|---:|---:|");
    let mut findings = Vec::new();
    for shape in [Shape::Referrals, Shape::Points] {
        findings.push((shape, measure(arguments, shape)?));
    }
    if arguments.live_seconds > 0 {
        live::print(&findings);
    }
    Ok(())
}

fn measure(arguments: &Arguments, shape: Shape) -> Result<live::Findings> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let state = State::new();
        let options = EmbeddedOptions {
            snapshot_on_close: false,
            snapshot_log_bytes: None,
            ..EmbeddedOptions::default()
        };
        let fs = Arc::new(RealFs);
        let (store, _) = EmbeddedStore::open(folder.path(), options, fs, Arc::clone(&state))?;
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let engine = Engine::new(
            state,
            Arc::new(store),
            Arc::clone(&clock) as Arc<dyn Clock>,
            EngineOptions::default(),
        );
        let engine = Arc::new(engine);
        engine.submit_orgs(vec![OrgIntent::PutOrg { org: ORG, spec: company() }]).await?;
        let batches = batches(arguments, shape);
        let begun = Instant::now();
        let accepted = submit_all(&engine, batches, arguments.in_flight.get()).await?;
        let elapsed_s = begun.elapsed().as_secs_f64();
        let stats = engine.stats();
        #[expect(clippy::cast_precision_loss, reason = "for printing")]
        let (per_s, bytes) =
            (accepted as f64 / elapsed_s, stats.log_bytes as f64 / accepted as f64);
        println!(
            "| {shape:?} | {accepted} | {elapsed_s:.2} | {per_s:.0} | {bytes:.1} | {} |",
            stats.syncs
        );
        let findings = live::run(&engine, &clock, shape, arguments).await?;
        engine.close().await?;
        Ok(findings)
    })
}

/// Submits every batch, a few at a time; returns how many activities were acknowledged.
async fn submit_all(
    engine: &Arc<Engine>,
    batches: Vec<Vec<OrgIntent>>,
    in_flight: usize,
) -> Result<usize> {
    let (mut running, mut accepted) = (JoinSet::new(), 0);
    for batch in batches {
        if running.len() >= in_flight
            && let Some(ended) = running.join_next().await
        {
            accepted += ended??;
        }
        let engine = Arc::clone(engine);
        running.spawn(async move { submit(&engine, batch).await });
    }
    while let Some(ended) = running.join_next().await {
        accepted += ended??;
    }
    Ok(accepted)
}

async fn submit(engine: &Engine, batch: Vec<OrgIntent>) -> Result<usize> {
    let outcomes = engine.submit_orgs(batch).await?;
    let refused = outcomes.iter().find(|outcome| **outcome != OrgOutcome::Created);
    ensure!(refused.is_none(), "an activity came to {refused:?}");
    Ok(outcomes.len())
}

/// Every batch, made before the clock runs.
fn batches(arguments: &Arguments, shape: Shape) -> Vec<Vec<OrgIntent>> {
    let activities = arguments.thousands * 1_000;
    let span_ms = arguments.days * DAY_MS;
    let at = |nth: u64| {
        let done = u128::from(nth) * u128::from(span_ms.unsigned_abs()) / u128::from(activities);
        NOW_MS - span_ms + i64::try_from(done).expect("it is within the span")
    };
    let all: Vec<OrgIntent> = (0..activities)
        .map(|nth| OrgIntent::Record(activity(shape, nth, arguments.users, at(nth))))
        .collect();
    all.chunks(arguments.batch.get()).map(<[OrgIntent]>::to_vec).collect()
}
