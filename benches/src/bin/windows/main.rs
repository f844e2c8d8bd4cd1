//! Windows over activities: how long they take, and how long PostgreSQL takes for the same.
//!
//! What it is: the program behind `cargo xtask bench windows`, and the author of
//! docs/benchmarks-windows.md. What it is not: a part of the product. Invariant: figures and text
//! of that page come from here alone; PostgreSQL has to give the same answers, row for row. Cost:
//! a quarter of an hour and 8 GB of memory for everything, a minute with `--quick`.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

mod data;
mod hot;
mod page;
mod postgres;
mod sums;
mod timing;

use data::Shape;

/// Where the page goes, from the top of the repository.
const PAGE: &str = "docs/benchmarks-windows.md";

/// Measures windows over activities.
#[derive(Parser)]
#[command(name = "cargo xtask bench windows", disable_version_flag = true)]
struct Arguments {
    /// A hundred times fewer rows: checks that everything works and agrees; writes no page.
    #[arg(long)]
    quick: bool,
    /// Rows of the ledgers, in millions, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100])]
    millions: Vec<u64>,
    /// Rows that PostgreSQL is loaded with, in millions; 0 leaves it out.
    #[arg(long, default_value_t = 10)]
    postgres_millions: u64,
    /// Windows of each length.
    #[arg(long, default_value_t = 60)]
    rounds: usize,
    /// Threads of one sum.
    #[arg(long, default_value = "2")]
    threads: NonZeroUsize,
    /// Takes the processor time of one thread instead of the time that passes, and writes no page:
    /// for a machine that others use too.
    #[arg(long)]
    processor_time: bool,
    /// How long hot boards are read.
    #[arg(long, default_value_t = 20)]
    hot_seconds: u64,
    /// Where to write the page, instead of docs/benchmarks-windows.md.
    #[arg(long)]
    output: Option<PathBuf>,
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
    let facts = page::facts()?;
    let threads = if arguments.processor_time { NonZeroUsize::MIN } else { arguments.threads };
    if arguments.processor_time {
        timing::take_processor_time();
    }
    let rows = |millions: u64| millions * if arguments.quick { 10_000 } else { 1_000_000 };
    let mut ledgers = Vec::new();
    for &millions in &arguments.millions {
        for shape in [Shape::Referrals, Shape::Points] {
            eprintln!("{millions} M, {shape:?}");
            let (ledger, findings) = sums::run(shape, rows(millions), arguments.rounds, threads);
            let hot = hot::run(ledger, shape, arguments.hot_seconds, threads);
            ledgers.push((shape, findings, hot));
        }
    }
    let postgres = match arguments.postgres_millions {
        0 => None,
        millions => Some(postgres::compare(rows(millions), threads)?),
    };
    let page = page::render(&facts, threads, &ledgers, postgres.as_ref());
    print!("{page}");
    let path = match &arguments.output {
        Some(path) => path.clone(),
        None if arguments.quick || arguments.processor_time => return Ok(()),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE),
    };
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}
