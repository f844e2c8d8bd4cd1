//! `rankd adopt`: sorted sets that a Redis deployment has already become boards.

use std::sync::Arc;

use anyhow::Context as _;
use rankd_engine::{Clock as _, State, SystemClock};
use rankd_redis::{RedisOptions, RedisStore};

use crate::exit::{Failure, Outcome};
use crate::output::{counted, print};

/// The flags of `rankd adopt`.
#[derive(Debug, clap::Args)]
pub(crate) struct AdoptArgs {
    /// URL of the deployment that has the sorted sets
    source: String,
    /// Which keys to take over, as a glob
    #[arg(long = "match", value_name = "GLOB")]
    pattern: String,
    /// URL of the Redis store that takes them
    #[arg(long, value_name = "URL", env = "RANKD_STORE", hide_env_values = true)]
    store: String,
}

pub(crate) async fn run(args: AdoptArgs) -> Outcome {
    let source = RedisOptions::parse(&args.source).map_err(Failure::usage)?;
    let target = RedisOptions::parse(&args.store).map_err(Failure::usage)?;
    let opening = tokio::task::spawn_blocking(move || RedisStore::open(target, State::new()));
    let store = Arc::new(opening.await.context("opening the store was cut short")??);
    let now_ms = SystemClock.now_ms();
    let adopted = rankd_redis::adopt(&source, &args.pattern, &*store, now_ms).await?;
    print(&format!(
        "{}, {}, {} of them new or changed\n",
        counted(adopted.boards, "board"),
        counted(adopted.members, "member"),
        adopted.changed,
    ))?;
    Ok(())
}
