//! The commands, one a file: its flags, and what it does.

pub(crate) mod adopt;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod key;
pub(crate) mod rank;
pub(crate) mod redis;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod snapshot;
pub(crate) mod top;

use std::future::Future;

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::Command;
use crate::exit::Outcome;

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Outcome {
    match command {
        Command::Serve(flags) => serve::run(&flags),
        Command::Demo(flags) => demo::run(&flags),
        Command::Import(args) => block_on(import::run(args)),
        Command::Export(args) => block_on(export::run(args)),
        Command::Top(args) => block_on(top::run(args)),
        Command::Rank(args) => block_on(rank::run(args)),
        Command::Snapshot(args) => block_on(snapshot::run(args)),
        Command::Adopt(args) => block_on(adopt::run(args)),
        Command::Redis(args) => redis::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Bench(args) => block_on(bench::run(args)),
    }
}

/// Runs a command that waits for one thing at a time.
fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    let outcome = runtime.block_on(command);
    // A thread that reads standard input cannot be stopped; nobody needs to wait for it.
    runtime.shutdown_background();
    outcome
}

/// A flag's parser that takes one of `values`, each by its name.
fn one_of<T: Copy + Send + Sync + 'static>(
    values: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(values.iter().map(move |value| name(*value))).map(move |given| {
        let found = values.iter().find(|value| name(**value) == given);
        *found.expect("the parser lets no other name through")
    })
}

/// A flag's parser for a name of a board or a member.
fn parse_name(text: &str) -> Result<String, String> {
    let bytes_max = crate::rows::MEMBER_BYTES_MAX;
    match text.len() {
        0 => Err(format!("a name has 1 to {bytes_max} bytes, and this one is empty")),
        bytes if bytes > bytes_max => {
            Err(format!("a name has 1 to {bytes_max} bytes, and this one has {bytes}"))
        }
        _ => Ok(text.to_owned()),
    }
}
