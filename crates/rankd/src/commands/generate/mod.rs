//! `rankd generate`: synthetic data as files that `rankd import` reads.
//!
//! Invariant: the same flags write the same bytes, on every machine; the files are there as a
//! whole or the folder says nothing of being complete, for the README comes last.

mod readme;
pub(crate) mod synthetic;
mod wire;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use clap::ValueEnum as _;
use rankd_engine::{Clock as _, SystemClock};

use crate::exit::{Failure, Outcome};
use crate::output::{counted, grouped, print};
use synthetic::{ACTIVITIES_MAX, DAYS_MAX, Kind, Order, USERS_MAX};

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Enrolments on one line.
const ENROLMENTS_PER_LINE: usize = 1_000;

/// The flags of `rankd generate`.
#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// Which surface the data is for
    #[arg(long, value_enum)]
    kind: Kind,
    /// Users
    #[arg(long, value_name = "N", default_value_t = 2_000,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(USERS_MAX)))]
    users: u32,
    /// Activities
    #[arg(long, value_name = "N", default_value_t = 100_000,
          value_parser = clap::value_parser!(u64).range(0..=ACTIVITIES_MAX))]
    activities: u64,
    /// Days over which they are spread
    #[arg(long, value_name = "N", default_value_t = 730,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
    days: u32,
    /// Another seed makes other data of the same kind
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Their end, RFC 3339 [default: today at 00:00 UTC]
    #[arg(long, value_name = "TIME", value_parser = parse_until)]
    until: Option<i64>,
    /// So many activities of a thousand come twice, with the same id, as if sent again
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=1000))]
    repeats: u32,
    /// The folder to write; created, or empty [default: ./rankd-KIND]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn parse_until(text: &str) -> Result<i64, String> {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.timestamp_millis()),
        Err(error) => Err(format!("write RFC 3339, such as 2026-11-21T00:00:00Z: {error}")),
    }
}

/// What was written.
#[derive(Debug, Default)]
struct Written {
    users: u64,
    activities: u64,
    enrolments: u64,
    bytes: u64,
}

pub(crate) fn run(args: &GenerateArgs) -> Outcome {
    let order = order(args);
    let kind = args.kind.to_possible_value().expect("no kind is hidden");
    let folder =
        args.out.clone().unwrap_or_else(|| PathBuf::from(format!("rankd-{}", kind.get_name())));
    prepare(&folder)?;
    let started = Instant::now();
    let written = write_all(&order, &folder)?;
    let activities = match written.activities {
        1 => "1 activity".to_owned(),
        number => format!("{} activities", grouped(number)),
    };
    let enrolments = match written.enrolments {
        0 => String::new(),
        number => format!(", {}", counted(number, "enrolment")),
    };
    print(&format!(
        "{}, {}{enrolments} until {} in {} ({} bytes, {:.1} s)\n{}",
        counted(written.users, "user"),
        activities,
        wire::time_text(order.until_ms)?,
        folder.display(),
        grouped(written.bytes),
        started.elapsed().as_secs_f64(),
        readme::next_steps(&order, &folder),
    ))?;
    Ok(())
}

fn order(args: &GenerateArgs) -> Order {
    let today_ms = || SystemClock.now_ms().div_euclid(DAY_MS) * DAY_MS;
    Order {
        kind: args.kind,
        users: args.users,
        activities: args.activities,
        days: args.days,
        seed: args.seed,
        until_ms: args.until.unwrap_or_else(today_ms),
        repeats_per_mille: args.repeats,
    }
}

/// Makes sure of an empty folder: nothing of anybody's is overwritten.
fn prepare(folder: &Path) -> Result<(), Failure> {
    let context = || format!("cannot use the folder {}", folder.display());
    fs::create_dir_all(folder).with_context(context)?;
    if fs::read_dir(folder).with_context(context)?.next().is_some() {
        let folder = folder.display();
        return Err(Failure::usage(anyhow!("--out {folder}: the folder is not empty")));
    }
    Ok(())
}

fn write_all(order: &Order, folder: &Path) -> anyhow::Result<Written> {
    let mut written = Written::default();
    let mut setup = Lines::create(&folder.join(readme::SETUP))?;
    for intent in order.setup() {
        setup.push(&wire::setup(&intent)?)?;
    }
    for credential in order.credentials() {
        setup.push(&wire::credential(&credential))?;
    }
    setup.finish(&mut written.bytes)?;

    let mut users = Lines::create(&folder.join(readme::USERS))?;
    for user in order.users() {
        users.push(&wire::user(&user))?;
    }
    written.users = users.finish(&mut written.bytes)?;

    let mut activities = Lines::create(&folder.join(readme::ACTIVITIES))?;
    for activity in order.activities() {
        activities.push(&wire::activity(&activity)?)?;
    }
    written.activities = activities.finish(&mut written.bytes)?;

    let enrolments: Vec<_> = order.enrolments().collect();
    if !enrolments.is_empty() {
        let mut lines = Lines::create(&folder.join(readme::ENROLMENTS))?;
        for some in enrolments.chunks(ENROLMENTS_PER_LINE) {
            lines.push(&wire::enrolments(some)?)?;
        }
        lines.finish(&mut written.bytes)?;
    }
    written.enrolments = enrolments.len() as u64;
    fs::write(folder.join("README.md"), readme::text(order)?).context("cannot write the README")?;
    Ok(written)
}

/// A file of JSON Lines.
struct Lines {
    file: BufWriter<File>,
    name: String,
    line: Vec<u8>,
    count: u64,
    bytes: u64,
}

impl Lines {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::create_new(path).with_context(|| format!("cannot create {name}"))?;
        let file = BufWriter::with_capacity(256 * 1024, file);
        Ok(Self { file, name, line: Vec::new(), count: 0, bytes: 0 })
    }

    fn push(&mut self, line: &impl serde::Serialize) -> anyhow::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.count += 1;
        self.bytes += self.line.len() as u64;
        self.file.write_all(&self.line).with_context(|| format!("cannot write {}", self.name))
    }

    /// Writes the rest, adds the bytes, and tells the lines.
    fn finish(mut self, bytes: &mut u64) -> anyhow::Result<u64> {
        self.file.flush().with_context(|| format!("cannot write {}", self.name))?;
        *bytes += self.bytes;
        Ok(self.count)
    }
}

#[cfg(test)]
mod tests;
