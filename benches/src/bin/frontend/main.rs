//! What clients of a busy server notice: a load with writes and a snapshot, ten thousand idle or
//! slow connections beside them, three times the load that the server can take, and connections
//! that live for one request.
//!
//! What it is: the program of `cargo xtask bench frontend`; it starts the server itself and writes
//! docs/benchmarks-frontend.md. What it is not: a comparison with other servers (`http` is that),
//! or a load generator; that is `rankd-load`, which `rankd bench` is made of. Invariant: what is
//! compared is measured in turn, round by round, on one server; a figure is the median of the
//! rounds. Cost: some minutes; 10 000 connections need as many descriptors, here and there.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;
use rankd_benches::servers::build_rankd;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

mod churn;
mod crowd;
mod load;
mod overload;
mod paced;
mod page;
mod server;

use crate::load::Place;
use crate::server::Server;

#[derive(Debug, Clone, Parser)]
struct Arguments {
    /// Rounds; each figure is their median.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Members of the board.
    #[arg(long, default_value_t = 1_000_000)]
    members: u64,
    /// Idle, or slow, connections.
    #[arg(long, default_value_t = 10_000)]
    crowd: usize,
    /// The rankd to test; without it, one is built.
    #[arg(long)]
    rankd: Option<PathBuf>,
    /// Measure only this, and write no page.
    #[arg(long, value_enum)]
    only: Option<Scenario>,
    /// Where the page goes; without it, docs/benchmarks-frontend.md.
    #[arg(long)]
    page: Option<PathBuf>,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Scenario {
    Paced,
    Crowd,
    Overload,
    Churn,
}

/// What was found where servers and clients run in one way.
struct Found {
    place: Place,
    paced: Vec<paced::Paced>,
    crowd: Vec<crowd::Round>,
    overload: Vec<overload::Round>,
    churn: Vec<churn::Round>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    raise_descriptors()?;
    let rankd = match &arguments.rankd {
        Some(program) => program.clone(),
        None => build_rankd()?,
    };
    let mut found = Vec::new();
    for place in [Place::PINNED, Place::ANYWHERE] {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        place.take()?;
        let server = Server::start(&rankd, folder.path(), place, &arguments)?;
        found.push(measure(&server, place, &arguments)?);
        server.check_answers()?;
    }
    let text = page::render(&found, &arguments);
    if arguments.only.is_none() {
        let path = arguments.page.unwrap_or_else(|| "docs/benchmarks-frontend.md".into());
        std::fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{text}");
    Ok(())
}

fn measure(server: &Server, place: Place, arguments: &Arguments) -> Result<Found> {
    let wants = |scenario| arguments.only.is_none_or(|only| only == scenario);
    let mut found = Found {
        place,
        paced: Vec::new(),
        crowd: Vec::new(),
        overload: Vec::new(),
        churn: Vec::new(),
    };
    for round in 0..arguments.rounds {
        eprintln!("{}, round {round}", place.name());
        if wants(Scenario::Paced) {
            found.paced.push(paced::run(server, arguments.seconds)?);
        }
        if wants(Scenario::Crowd) {
            found.crowd.push(crowd::run(server, arguments.seconds, arguments.crowd)?);
        }
        if wants(Scenario::Overload) {
            found.overload.push(overload::run(server, arguments.seconds)?);
        }
        if wants(Scenario::Churn) {
            found.churn.push(churn::run(server, arguments.seconds)?);
        }
    }
    Ok(found)
}

/// As many descriptors as the system lets us have; the server inherits it.
fn raise_descriptors() -> Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .context("cannot raise the number of descriptors")
}
