//! `cargo xtask crash`: the long campaigns, outside of continuous integration.

use anyhow::{Result, anyhow};
use clap::{Parser, Subcommand};
use peak_alloc::PeakAlloc;
use rankd_crash::damage::Memory;
use rankd_crash::moment::Moment;
use rankd_crash::power::{Campaign, Results, run_chain};
use rankd_crash::{damage, faults};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Runs that wait for the log writer's pause at the same time.
const FAULTS_AT_ONCE: usize = 48;
/// Power cuts between two lines of a long campaign.
const PART_CUTS: u64 = 50_000;

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
        /// Leave out the fsyncs of this kind, as in `--forget 'log: fsync'`: it has to be found.
        #[arg(long)]
        forget: Option<Moment>,
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

/// Runs a campaign in parts, each with a seed of its own, and says how far it is.
fn power_cuts(campaign: Campaign) -> Result<()> {
    let mut total = Results::default();
    let mut seed = campaign.seed;
    while total.cuts.total() < campaign.cuts {
        let cuts = PART_CUTS.min(campaign.cuts - total.cuts.total());
        total.add(&Campaign { seed, cuts, ..campaign }.run()?);
        println!("seed {seed}: {} power cuts so far", total.cuts.total());
        seed += 1;
    }
    println!("{total}");
    Ok(())
}

fn main() -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    match Arguments::parse().campaign {
        Kind::Power { chain: Some(chain), forget, .. } => {
            println!("{}", run_chain(chain, forget)?);
        }
        Kind::Power { cuts, seed, forget, .. } => {
            power_cuts(Campaign { seed, cuts, threads, forgotten: forget })?;
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
