//! `rankd redis`: what operators do to a Redis store whose servers have lost partitions.

use rankd_redis::RedisOptions;

use crate::exit::{Failure, Outcome};
use crate::output::{counted, print};

/// The flags of `rankd redis`.
#[derive(Debug, clap::Args)]
pub(crate) struct RedisArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the partitions that Redis has lost
    Missing(Place),
    /// Give up what the missing partitions held, and go on with empty ones
    Accept(Place),
    /// Have a running node write the missing partitions back from its memory
    Reseed(Place),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The URL that the nodes have in --store; a password is better in RANKD_STORE
    #[arg(env = "RANKD_STORE", hide_env_values = true)]
    url: String,
}

impl Place {
    fn options(&self) -> Result<RedisOptions, Failure> {
        RedisOptions::parse(&self.url).map_err(Failure::usage)
    }
}

pub(crate) fn run(args: &RedisArgs) -> Outcome {
    match &args.what {
        What::Missing(place) => {
            let missing = rankd_redis::missing(place.options()?)?;
            let numbers: Vec<_> = missing.iter().map(u16::to_string).collect();
            print(&format!("missing: {}\n", counted(missing.len() as u64, "partition")))?;
            if !numbers.is_empty() {
                print(&format!("{}\n", numbers.join(" ")))?;
            }
        }
        What::Accept(place) => {
            let made = rankd_redis::accept(place.options()?)?;
            print(&format!("made empty: {}\n", counted(made.into(), "partition")))?;
        }
        What::Reseed(place) => {
            let asked = rankd_redis::reseed(place.options()?)?;
            print(&format!("asked the nodes to fill: {}\n", counted(asked.into(), "partition")))?;
        }
    }
    Ok(())
}
