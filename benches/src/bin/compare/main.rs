//! The index beside what could be used instead of it: one run, the same data, one table.
//!
//! What it is: the program behind `cargo xtask bench core`, and the author of docs/benchmarks.md;
//! text and figures of that page come from here alone, so they cannot disagree. What it is not: a
//! part of the product. Invariant: before anything is timed, all contenders have to give the same
//! answers. Cost: a quarter of an hour for everything, a minute with `--quick`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use rankd_benches::table;

mod allocator;
mod child;
mod data_set;
mod in_process;
mod machine;
mod matrix;
mod memory;
mod ops;
mod page;
mod plan;
mod redis;
mod sections;
mod writes;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

/// Where the page goes, from the top of the repository.
const PAGE: &str = "docs/benchmarks.md";

/// Compares the index with what could be used instead of it.
#[derive(Parser)]
#[command(name = "cargo xtask bench core", disable_version_flag = true)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Small sizes and few rounds: checks that everything works and agrees; writes no page.
    #[arg(long)]
    quick: bool,
    /// Members of the boards, separated by commas, as in `1k,100k,1M`.
    #[arg(long, value_delimiter = ',', value_parser = parse_size)]
    sizes: Vec<usize>,
    /// Where to write the page, instead of docs/benchmarks.md.
    #[arg(long)]
    output: Option<PathBuf>,
    #[command(subcommand)]
    child: Option<child::Task>,
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
    if let Some(task) = &arguments.child {
        return task.run();
    }
    let mut plan = if arguments.quick { plan::Plan::quick() } else { plan::Plan::full() };
    if !arguments.sizes.is_empty() {
        plan = plan.limited_to(arguments.sizes.clone());
    }
    let page = measure(&plan, command(arguments))?;
    print!("{page}");
    match &arguments.output {
        Some(path) => write(path, &page),
        None if arguments.quick => Ok(()),
        None => write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE), &page),
    }
}

/// What was asked for, as a person types it; not where the page goes.
fn command(arguments: &Arguments) -> String {
    let mut command = "cargo xtask bench core".to_owned();
    if arguments.quick {
        command += " --quick";
    }
    if !arguments.sizes.is_empty() {
        let sizes: Vec<_> = arguments.sizes.iter().map(usize::to_string).collect();
        command += &format!(" --sizes {}", sizes.join(","));
    }
    command
}

fn measure(plan: &plan::Plan, command: String) -> Result<String> {
    let started = Instant::now();
    let facts = machine::facts()?;
    let mut comparisons = Vec::new();
    for &size in &plan.sizes {
        comparisons.push(sections::at_size(size, plan)?);
    }
    let variations = match plan.variation_size {
        Some(size) => sections::variations(size, plan)?,
        None => Vec::new(),
    };
    let memory = sections::memory_text(&comparisons, plan)?;
    let writes = sections::writes_text(plan)?;
    let parts = page::Parts {
        command,
        seconds: started.elapsed().as_secs(),
        plan,
        facts: &facts,
        comparisons: &comparisons,
        variations: &variations,
        memory: &memory,
        writes: &writes,
    };
    Ok(page::render(&parts))
}

fn write(path: &Path, page: &str) -> Result<()> {
    fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads `1000`, `100k` or `10M`.
fn parse_size(text: &str) -> Result<usize> {
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let size = digits.parse::<usize>().ok().and_then(|size| size.checked_mul(factor));
    match size {
        Some(size) if (plan::MEMBERS_MIN..=plan::MEMBERS_MAX).contains(&size) => Ok(size),
        _ => bail!("a size is a number from {} to {}", plan::MEMBERS_MIN, plan::MEMBERS_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_a_unit_within_bounds() {
        assert_eq!(parse_size("1k").unwrap(), 1_000);
        assert_eq!(parse_size("10M").unwrap(), 10_000_000);
        assert_eq!(parse_size("12345").unwrap(), 12_345);
        for bad in ["", "k", "99", "-1k", "101M", "1kk", "99999999999999999999M"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
