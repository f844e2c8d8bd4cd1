//! `cargo xtask crash`: the long campaigns, outside of continuous integration.

use anyhow::{Result, anyhow};
use clap::{Parser, Subcommand};
use peak_alloc::PeakAlloc;
use rankd_crash::damage::Memory;
use rankd_crash::power::{Campaign, run_chain};
use rankd_crash::{damage, faults};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Runs that wait for the log writer's pause at the same time.
const FAULTS_AT_ONCE: usize = 48;

/// Campaigns of simulated crashes, faults and damage against the embedded store.
#[derive(Parser)]
#[command(name = "cargo xtask crash", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    campaign: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// Power cuts and kills at chosen moments.
    Power {
        /// Power cuts, at least.
        #[arg(long, default_value_t = 1_000_000)]
        cuts: u64,
        /// Of everything.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Run only this chain, which a failure has named.
        #[arg(long)]
        chain: Option<u64>,
    },
    /// Errors of the disk, at every call.
    Faults {
        /// Different runs, of which every call fails in every way.
        #[arg(long, default_value_t = 50)]
        scenes: u64,
        /// Number of the first.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Flipped bits, cut files and overwritten sectors.
    Damage {
        /// Damaged folders.
        #[arg(long, default_value_t = 1_000_000)]
        count: u64,
        /// Number of the first.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    match Arguments::parse().campaign {
        Kind::Power { chain: Some(chain), .. } => println!("{}", run_chain(chain, None)?),
        Kind::Power { cuts, seed, .. } => {
            println!("seed {seed}");
            println!("{}", Campaign { seed, cuts, threads, forgotten: None }.run()?);
        }
        Kind::Faults { scenes, seed } => {
            println!("seed {seed}, {scenes} scenes");
            println!("{}", faults::run(seed, scenes, FAULTS_AT_ONCE)?);
        }
        Kind::Damage { count, seed } => {
            println!("seed {seed}");
            let memory = Memory {
                now: || ALLOCATOR.current_usage(),
                peak: || ALLOCATOR.peak_usage(),
                reset: || ALLOCATOR.reset_peak_usage(),
            };
            let results = damage::run(seed, count, threads, memory);
            let results = results.map_err(|(number, violation)| {
                anyhow!("{violation}\nagain: cargo xtask crash damage --count 1 --seed {number}")
            });
            println!("{}", results?);
        }
    }
    Ok(())
}
