//! The rankd program: serve a leaderboard, fill it, ask it, look after its data.
//!
//! This is the one place that knows which store and which front end run. It holds no rule of
//! ranking and no file format.

mod cli;
mod commands;
mod exit;
mod host;
mod logging;
mod output;
mod processor;
mod reload;
mod rows;
mod settings;
mod store;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

/// The index is millions of small, equal allocations that live long and are freed by whichever
/// thread has the board: mimalloc keeps such blocks dense and takes frees from other threads
/// without a lock, and it gives memory back after a big board is deleted.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Err(missing) = processor::check() {
        eprintln!("error: {missing}");
        return ExitCode::FAILURE;
    }
    // Exits with 2 by itself on wrong usage, and with 0 after --help and --version.
    let cli = cli::Cli::parse();
    exit::code_of(commands::run(cli.command))
}
