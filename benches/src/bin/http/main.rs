//! The HTTP front end beside what it stands on and what could stand in its place: hyper with a
//! constant body, nginx with `return 200`, and webdis before Redis.
//!
//! What it is: the program of `cargo xtask bench http`; it starts every server itself, asks all of
//! them the same in turn, and writes docs/benchmarks-http.md. What it is not: a load test of its
//! own; the load is `rankd bench`, with wrk beside it. Invariant: a round asks every server before
//! the next begins, and each figure is the median of the rounds. Cost: rounds x cases x servers x
//! two clients x seconds.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use rankd_benches::servers::build_rankd;

mod bare;
mod cases;
mod clients;
mod page;
mod servers;

/// rankd allocates with it, so the server that it is compared with does as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    compare: Compare,
}

#[derive(Subcommand)]
enum Task {
    /// A server that answers every request with one constant body.
    Bare {
        /// Address to listen on.
        address: SocketAddr,
        /// Bytes of the body.
        body_bytes: usize,
    },
}

#[derive(Args)]
struct Compare {
    /// Rounds; each figure is their median.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each client loads each server with each case, a round.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Members of the board.
    #[arg(long, default_value_t = 1_000_000)]
    members: u64,
    /// Let servers and client run on any core instead of one core each.
    #[arg(long)]
    unpinned: bool,
    /// The rankd to test; without it, one is built.
    #[arg(long)]
    rankd: Option<PathBuf>,
    /// Where the page goes; without it, docs/benchmarks-http.md.
    #[arg(long)]
    page: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.task {
        Some(Task::Bare { address, body_bytes }) => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.enable_all().build().context("cannot start the event loop")?;
            runtime.block_on(bare::serve(address, body_bytes))
        }
        None => compare(&arguments.compare),
    }
}

fn compare(compare: &Compare) -> Result<()> {
    let rankd = match &compare.rankd {
        Some(program) => program.clone(),
        None => build_rankd()?,
    };
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let pinned = !compare.unpinned;
    let running = servers::start(folder.path(), &rankd, compare.members, pinned)?;
    let client = clients::Client {
        rankd,
        script: folder.path().join("wrk.lua"),
        members: compare.members,
        seconds: compare.seconds,
        pinned,
    };
    let figures = cases::run(&running, &client, compare.rounds)?;
    let text = page::render(&figures, compare.rounds, compare.seconds, compare.members, pinned);
    let path = compare.page.clone().unwrap_or_else(|| "docs/benchmarks-http.md".into());
    std::fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{text}");
    Ok(())
}
