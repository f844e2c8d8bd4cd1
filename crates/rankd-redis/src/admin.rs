//! What operators do to a store whose servers have lost partitions.
//!
//! What it is: the two ways out, and a look at what is there. What it is not: it never touches a
//! partition that is there. Both may be called any number of times.

use std::sync::Arc;

use rankd_engine::State;

use crate::limits::PARTITIONS_MAX;
use crate::open::{self, OpenError};
use crate::options::RedisOptions;
use crate::shared::Shared;

/// Makes the missing partitions empty: what they held is given up. Nodes read them anew, and
/// tokens of lost writes are answered as lost. Returns how many there were.
///
/// # Errors
/// If Redis cannot be reached.
pub fn accept(options: RedisOptions) -> Result<u16, OpenError> {
    run(options, async |shared| {
        let missing = open::missing(shared).await?;
        for partition in missing.iter().rev() {
            open::make(shared, *partition).await?;
        }
        Ok(count(&missing))
    })
}

/// Asks the nodes that run to write the missing partitions back from their memory. Returns how many
/// there are; they are there again some time later.
///
/// # Errors
/// If Redis cannot be reached.
pub fn reseed(options: RedisOptions) -> Result<u16, OpenError> {
    run(options, async |shared| {
        let missing = open::missing(shared).await?;
        for partition in &missing {
            let mut link = shared.topology.connect(*partition).await?;
            let mut command = redis::cmd("SET");
            command.arg(shared.options.layout.key(*partition, "r")).arg("wanted");
            command.exec_async(&mut link.connection).await?;
        }
        Ok(count(&missing))
    })
}

/// The numbers of the partitions that are missing.
///
/// # Errors
/// If Redis cannot be reached.
pub fn missing(options: RedisOptions) -> Result<Vec<u16>, OpenError> {
    run(options, async |shared| open::missing(shared).await)
}

fn count(missing: &[u16]) -> u16 {
    u16::try_from(missing.len()).unwrap_or(PARTITIONS_MAX)
}

fn run<T>(
    options: RedisOptions,
    work: impl AsyncFnOnce(&Shared) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| OpenError::System { what: "an event loop", reason: error.to_string() })?;
    let shared = Arc::new(Shared::new(options, State::new()));
    runtime.block_on(work(&shared))
}
