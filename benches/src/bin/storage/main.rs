//! The embedded store under load, beside Redis: group commit, snapshots under writes, restarts.
//!
//! What it is: the program behind `cargo xtask bench storage`, and the author of the figures in
//! docs/benchmarks-storage.md, section by section. What it is not: a part of the product.
//! Invariant: both servers run on the same machine in the same run and get the same members, the
//! same requests and as many connections. Cost: some minutes a section; the data of `snapshot` and
//! `restart` is made once and kept if `--folder` names a place for it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

mod client;
mod data;
mod group;
mod http;
mod load;
mod page;
mod redis;
mod restart;
mod server;
mod snapshot;

/// Measures the embedded store.
#[derive(Parser)]
#[command(name = "cargo xtask bench storage", disable_version_flag = true)]
pub(crate) struct Arguments {
    /// What to measure; all of it if nothing is named.
    #[arg(value_enum)]
    sections: Vec<Section>,
    /// Members of the large board, in thousands.
    #[arg(long, default_value_t = 10_000)]
    thousands: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Requests a second while snapshots are taken.
    #[arg(long, default_value_t = 4_000)]
    rate: u32,
    /// Snapshots that are taken of each server, one after the other.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Where the large data sets are kept for the next run; without it, they are removed.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Small and short, to see that everything works; writes no page.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Writers that share fsyncs, at the storage layer.
    Group,
    /// Durable writes over HTTP, beside Redis with `appendfsync always`.
    Http,
    /// Latencies while a snapshot is taken, beside `BGSAVE`.
    Snapshot,
    /// From the start of the process to the first answer, beside Redis.
    Restart,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if arguments.quick {
        arguments.thousands = arguments.thousands.min(50);
        arguments.seconds = 1;
        arguments.rounds = 1;
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let all = Section::value_variants();
    let sections = if arguments.sections.is_empty() { all } else { &arguments.sections };
    for section in sections {
        let (name, text) = match section {
            Section::Group => ("group", group::run(arguments)?),
            Section::Http => ("http", http::run(arguments)?),
            Section::Snapshot => ("snapshot", snapshot::run(arguments)?),
            Section::Restart => ("restart", restart::run(arguments)?),
        };
        println!("{text}");
        if !arguments.quick {
            page::put(name, &text)?;
        }
    }
    Ok(())
}
