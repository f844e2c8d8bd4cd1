//! The project's task runner:
//! `cargo xtask test|check|bench|loom|asan|crash|kill|differential|redis|openapi|fuzz|tidy`.
//!
//! What it is: the one place that knows which commands, with which flags, make the project's
//! checks; people and the continuous integration call the same ones. What it is not: a part of the
//! product; nothing depends on it. Invariant: a task that fails ends with a non-zero status and
//! says which command or rule failed. Cost: that of the commands it runs; `tidy` alone reads every
//! file once.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

mod asan;
mod bench;
mod check;
mod command;
mod crash;
mod differential;
mod fuzz;
mod loom;
mod needs;
mod openapi;
mod redis;
mod suite;
mod tidy;

/// The project's tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need, then run every test and every documentation example.
    Test {
        /// Test optimised code without debug assertions (profile `testrelease`).
        #[arg(long)]
        release: bool,
    },
    /// Tidy, formatting, lints and documentation, with warnings as errors.
    Check,
    /// Run one benchmark, or list them.
    Bench {
        /// Name of the benchmark; without it, the names are listed.
        name: Option<String>,
        /// Handed on to the benchmark, as in `cargo xtask bench core --quick`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Check the boards' lock under every order of its threads' steps.
    Loom,
    /// Test the crates with unsafe code under AddressSanitizer.
    Asan {
        /// Only the share of the tests that `cargo xtask test` runs.
        #[arg(long)]
        quick: bool,
    },
    /// Run a long campaign of simulated power cuts, faults or damage.
    Crash {
        /// Its name and settings, as in `cargo xtask crash power --cuts 1000000`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Kill a serving process over and over, and compare what it lost with what it had promised.
    Kill {
        /// How often.
        #[arg(long, default_value_t = 5000)]
        rounds: u64,
    },
    /// Compare the Redis protocol with Redis and Valkey, command by random command.
    Differential {
        /// Replies to compare.
        #[arg(long, default_value_t = 10_000_000)]
        commands: u64,
        /// Which random commands.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Run one fuzz target.
    Fuzz {
        /// Name of the target, a file of `fuzz/fuzz_targets`.
        target: String,
        /// Seconds to run for.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Hold the server's answers against its OpenAPI document, request by generated request.
    Openapi {
        /// Most requests that are generated for one operation, in each way of generating them.
        #[arg(long, default_value_t = 400)]
        examples: u32,
        /// Requests that must have been answered in the end.
        #[arg(long, default_value_t = 10_000)]
        requests: u64,
    },
    /// The Redis store's tests at length: every failure 200 times.
    Redis,
    /// The rules of form that the compiler does not know.
    Tidy,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    let root = workspace_root()?;
    match task {
        Task::Test { release } => suite::run(&root, *release),
        Task::Check => check::run(&root),
        Task::Bench { name: Some(name), arguments } => bench::run(&root, name, arguments),
        Task::Bench { name: None, .. } => {
            bench::list();
            Ok(())
        }
        Task::Loom => loom::run(&root),
        Task::Asan { quick } => asan::run(&root, *quick),
        Task::Crash { arguments } => crash::simulate(&root, arguments),
        Task::Kill { rounds } => crash::kill(&root, *rounds),
        Task::Differential { commands, seed } => differential::run(&root, *commands, *seed),
        Task::Fuzz { target, seconds } => fuzz::run(&root, target, *seconds),
        Task::Openapi { examples, requests } => openapi::run(&root, *examples, *requests),
        Task::Redis => redis::run(&root),
        Task::Tidy => tidy::run(&root),
    }
}

/// The workspace's folder: two above this package's, which Cargo names to what it runs.
fn workspace_root() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .context("CARGO_MANIFEST_DIR is not set: run this program as `cargo xtask`")?;
    let package = PathBuf::from(package);
    let root = package.ancestors().nth(2);
    root.map(PathBuf::from)
        .with_context(|| format!("{} is not two folders below a workspace", package.display()))
}
