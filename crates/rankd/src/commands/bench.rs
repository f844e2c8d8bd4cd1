//! `rankd bench`: a load test of a server, or of two in turn.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use rankd_load::{Access, Interval, LoadError, Mix, Operation, Pace, Plan, Report, Target};
use serde::Serialize;

use crate::exit::{Failure, Outcome};
use crate::output::{Column, Grid, grouped, print, print_json};
use crate::target::{API_KEY_VARIABLE, SERVER_DEFAULT};

/// Most rounds of a comparison.
const ROUNDS_MAX: u64 = 100;

/// The flags of `rankd bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// The server: `http://HOST:PORT` (rankd's API) or `redis://HOST:PORT`, there with
    /// `USER:PASSWORD@` before the host and `/DB` behind the port where needed
    #[arg(value_name = "URL", default_value = SERVER_DEFAULT)]
    target: String,
    /// A second server that gets the same load, in turn with the first
    #[arg(long, value_name = "URL")]
    versus: Option<String>,
    /// How often each server is tested; the tables show the round with the median rate
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..=ROUNDS_MAX))]
    rounds: u64,
    /// Open loop: this many requests a second over all connections, latency counted from when
    /// each was meant to start. Without it, a closed loop at full speed
    #[arg(long, value_name = "N")]
    rate: Option<u64>,
    /// Connections
    #[arg(short, long, value_name = "N", default_value_t = 64)]
    connections: usize,
    /// Most requests on their way on one connection
    #[arg(long, value_name = "N", default_value_t = 1)]
    pipeline: usize,
    /// Threads that make the load [default: one for two cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How long the load is counted: 500ms, 10s, 5m
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    duration: Duration,
    /// How long the load runs before it is counted
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_time)]
    warmup: Duration,
    /// What is asked, by weight: rank, top, around, bulk, update, increment
    #[arg(long, value_name = "NAME=WEIGHT,...", default_value = "rank=90,update=10",
          value_parser = Mix::parse)]
    mix: Mix,
    /// Which members are asked for: uniform, zipf or zipf:EXPONENT
    #[arg(long, default_value = "uniform", value_parser = Access::parse)]
    access: Access,
    /// Members of the board; an empty or missing one is filled with them first
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    members: u64,
    /// The board that is read and written
    #[arg(long, default_value = "rankd-bench")]
    board: String,
    /// Members of a page of the top
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: u32,
    /// Neighbours on either side
    #[arg(long, value_name = "N", default_value_t = 5)]
    radius: u32,
    /// Members of a bulk read
    #[arg(long, value_name = "N", default_value_t = 100)]
    bulk: u32,
    /// GET this path of any HTTP server instead; {member} in it is replaced by a member
    #[arg(long)]
    path: Option<String>,
    /// The same seed makes the same requests
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Ask at once, even if the board is empty or has other members
    #[arg(long)]
    no_fill: bool,
    /// Draw latency by percentile and over time into this SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print JSON instead of tables: every round's report
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Reports<'a> {
    reports: &'a [Report],
}

pub(crate) async fn run(args: BenchArgs) -> Outcome {
    let plan = plan(&args);
    plan.check().map_err(Failure::usage)?;
    let mut targets = vec![Target::parse(&args.target).map_err(Failure::usage)?];
    if let Some(url) = &args.versus {
        targets.push(Target::parse(url).map_err(Failure::usage)?);
    }
    for target in targets.iter().filter(|_| !args.no_fill) {
        fill(target, &plan).await.map_err(failure)?;
    }
    let mut reports = Vec::new();
    for _ in 0..args.rounds {
        for target in &targets {
            reports.push(load(target, &plan).await.map_err(failure)?);
        }
    }
    let of = |target: usize| median(reports.iter().skip(target).step_by(targets.len()).collect());
    let medians: Vec<_> = (0..targets.len()).filter_map(of).collect();
    if let Some(path) = &args.svg {
        std::fs::write(path, rankd_load::plot(&medians))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.json {
        print_json(&Reports { reports: &reports })?;
    } else {
        tables(&medians)?;
    }
    match reports.iter().find(|report| report.requests == 0) {
        None => Ok(()),
        Some(silent) => {
            let why = silent.first_error.as_deref().unwrap_or("and it said nothing");
            Err(anyhow!("{} answered no request: {why}", silent.target).into())
        }
    }
}

fn plan(args: &BenchArgs) -> Plan {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Plan {
        connections: args.connections,
        pipeline: args.pipeline,
        threads: args.threads.unwrap_or((cores / 2).max(1)),
        pace: args.rate.map_or(Pace::Closed, |rate_per_s| Pace::Open { rate_per_s }),
        warmup: args.warmup,
        duration: args.duration,
        board: args.board.clone(),
        members: args.members,
        access: args.access,
        mix: args.mix.clone(),
        top: args.top,
        radius: args.radius,
        bulk: args.bulk,
        path: args.path.clone(),
        token: std::env::var(API_KEY_VARIABLE).ok(),
        seed: args.seed,
    }
}

/// Something that was asked in a wrong way is told apart from something that did not work.
fn failure(error: LoadError) -> Failure {
    match error {
        LoadError::Option { .. } | LoadError::Target { .. } => Failure::usage(error),
        error => Failure::Failed(error.into()),
    }
}

async fn fill(target: &Target, plan: &Plan) -> Result<(), LoadError> {
    let bar = bar(plan.members, "{msg} {wide_bar} {human_pos} of {human_len} members");
    bar.set_message(format!("filling {}", target.address()));
    let prepared = rankd_load::prepare(target, plan, |written| bar.set_position(written)).await;
    bar.finish_and_clear();
    prepared.map(|_| ())
}

async fn load(target: &Target, plan: &Plan) -> Result<Report, LoadError> {
    let length_ms = u64::try_from(plan.duration.as_millis()).unwrap_or(u64::MAX);
    let bar = bar(length_ms, "{prefix} {wide_bar} {msg}");
    bar.set_prefix(target.address());
    bar.set_message("warming up");
    let report = rankd_load::run(target, plan, |interval| {
        let elapsed = Duration::try_from_secs_f64(interval.at_s).unwrap_or_default();
        bar.set_position(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        bar.set_message(progress(interval));
    });
    let report = report.await;
    bar.finish_and_clear();
    report
}

/// A bar on standard error, if that is a terminal.
fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is a constant");
    ProgressBar::new(length).with_style(style)
}

fn progress(interval: &Interval) -> String {
    let Interval { requests_per_s, p50_us, p99_us, errors, .. } = interval;
    let errors = if *errors > 0 { format!(", {errors} errors") } else { String::new() };
    format!("{requests_per_s:.0}/s, p50 {}, p99 {}{errors}", time(*p50_us), time(*p99_us))
}

/// The report whose rate is in the middle.
fn median(mut reports: Vec<&Report>) -> Option<&Report> {
    reports.sort_by(|a, b| a.requests_per_s.total_cmp(&b.requests_per_s));
    reports.get(reports.len() / 2).copied()
}

fn tables(reports: &[&Report]) -> anyhow::Result<()> {
    let number = |title| Column { title, is_number: true };
    let text = |title| Column { title, is_number: false };
    let mut figures = Grid::new(
        std::iter::once(text("figure"))
            .chain(reports.iter().zip(["first", "second"]).map(|(_, title)| number(title)))
            .collect(),
    );
    for (name, figure) in FIGURES {
        figures.push(std::iter::once(name.to_owned()).chain(reports.iter().map(|one| figure(one))));
    }
    figures.print()?;
    print("\n")?;
    let mut operations = vec![text("target"), text("operation")];
    let titles = ["requests", "p50", "p90", "p99", "p99.9", "p99.99", "max"];
    operations.extend(titles.map(number));
    let mut grid = Grid::new(operations);
    for report in reports {
        for one in &report.operations {
            grid.push(row(report, one.operation, &one.latency));
        }
    }
    grid.print()
}

fn row(report: &Report, operation: Operation, latency: &rankd_load::Latency) -> Vec<String> {
    let times = [latency.p50_us, latency.p90_us, latency.p99_us, latency.p999_us];
    let last = [latency.p9999_us, latency.max_us];
    let mut cells = vec![report.target.clone(), operation.name().to_owned()];
    cells.push(grouped(latency.count));
    cells.extend(times.into_iter().chain(last).map(time));
    cells
}

/// The lines of the first table: a name, and how a report tells it.
type Figure = (&'static str, fn(&Report) -> String);

const FIGURES: [Figure; 19] = [
    ("target", |report| report.target.clone()),
    ("workload", |report| report.workload.clone()),
    ("access", |report| format!("{} of {}", report.access, grouped(report.members))),
    ("pace", |report| report.pace.clone()),
    ("connections x pipeline", |report| format!("{} x {}", report.connections, report.pipeline)),
    ("requests", |report| grouped(report.requests)),
    ("requests/s", |report| format!("{:.0}", report.requests_per_s)),
    ("errors", |report| grouped(report.errors)),
    ("first error", |report| report.first_error.clone().unwrap_or_default()),
    ("unanswered", |report| grouped(report.unanswered)),
    ("p50", |report| time(report.latency.p50_us)),
    ("p90", |report| time(report.latency.p90_us)),
    ("p99", |report| time(report.latency.p99_us)),
    ("p99.9", |report| time(report.latency.p999_us)),
    ("p99.99", |report| time(report.latency.p9999_us)),
    ("max", |report| time(report.latency.max_us)),
    ("server processes", |report| of_server(report, |server| server.processes.to_string())),
    ("server CPU per request", |report| {
        of_server(report, |server| format!("{:.2} us", server.cpu_us_per_request))
    }),
    ("server memory", |report| {
        of_server(report, |server| format!("{} KiB", grouped(server.rss_bytes / 1024)))
    }),
];

fn of_server(report: &Report, figure: fn(&rankd_load::ServerUse) -> String) -> String {
    report.server.as_ref().map_or_else(|| "not on this machine".to_owned(), figure)
}

/// A latency with three digits or so.
fn time(us: f64) -> String {
    match us {
        us if us < 100.0 => format!("{us:.1} us"),
        us if us < 10_000.0 => format!("{us:.0} us"),
        us if us < 10_000_000.0 => format!("{:.1} ms", us / 1e3),
        us => format!("{:.1} s", us / 1e6),
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let refuse = || format!("`{text}` is not a time; write it as 500ms, 10s or 5m");
    let number: u64 = number.parse().map_err(|_| refuse())?;
    let ms = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        _ => None,
    };
    ms.map(Duration::from_millis).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(parse_time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_time("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "10", "s", "-1s", "1h", "1.5s", "99999999999999999999s"] {
            assert!(parse_time(bad).unwrap_err().contains("500ms"), "{bad}");
        }
    }

    #[test]
    fn latencies_keep_three_digits() {
        let texts = [4.25, 123.4, 9999.0, 12_345.0, 12_345_678.0].map(time);
        assert_eq!(texts, ["4.2 us", "123 us", "9999 us", "12.3 ms", "12.3 s"]);
    }
}
