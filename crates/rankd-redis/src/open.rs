//! Finding a store in Redis, or making one there.
//!
//! Invariant: partition 0 is made last, so a store is there as a whole or it is not. A store of
//! which some partitions are gone is never completed with empty ones.

use redis::RedisError;

use crate::limits::PARTITIONS_MAX;
use crate::script::{self, Nonce};
use crate::shared::{Shared, now_ms};

/// Why a Redis store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The server cannot be reached, or refuses.
    #[error("Redis: {0}")]
    Redis(#[from] RedisError),
    /// The store was made with other settings.
    #[error("the store has {found} partitions, and the URL says {asked}")]
    Partitions {
        /// Of the store.
        found: u16,
        /// Of the URL.
        asked: u16,
    },
    /// A newer version made the store.
    #[error("the store has format {0}, which this version does not know")]
    Format(String),
    /// Redis lost a part of the store.
    #[error(
        "partition {0} is missing though others are there; `rankd redis` says what can be done"
    )]
    PartitionMissing(u16),
    /// There is no store, and none is to be made.
    #[error(
        "Redis has no store, though this node has followed one before or the URL says create=no: \
         `rankd redis` can have it written back by a node that still runs, or made empty"
    )]
    NoStore,
    /// The node's copy of its memory could be read in part only.
    #[error("the node's copy of its memory is bad: {0}; remove it and start again")]
    Copy(String),
    /// Redis may throw keys away when it is full.
    #[error(
        "Redis has maxmemory-policy {0}, which throws data away; set maxmemory-policy to noeviction"
    )]
    Evicts(String),
    /// The operating system refused something.
    #[error("the system refused {what}: {reason}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What it said.
        reason: String,
    },
}

/// What is known of a partition before the store is opened.
struct Found {
    partitions: u16,
    sequence: u64,
}

/// Makes sure that every partition is there.
///
/// `knows_store`: this node has followed a store of this name before, so that one that is not there
/// was lost, and is not made anew behind the back of nodes that still have it.
pub(crate) async fn prepare(shared: &Shared, knows_store: bool) -> Result<(), OpenError> {
    for mut connection in shared.topology.primaries().await? {
        check_eviction(&mut connection).await?;
    }
    let count = shared.options.layout.partitions;
    debug_assert!(count <= PARTITIONS_MAX);
    let mut found = Vec::with_capacity(count.into());
    for partition in 0..count {
        found.push(look(shared, partition).await?);
    }
    let asked = shared.options.layout.partitions;
    if let Some(other) = found.iter().flatten().find(|found| found.partitions != asked) {
        return Err(OpenError::Partitions { found: other.partitions, asked });
    }
    let is_complete = matches!(found.first(), Some(Some(_)));
    let has_data = found.iter().flatten().any(|found| found.sequence > 0);
    let missing = found.iter().position(Option::is_none);
    match missing {
        None => Ok(()),
        Some(missing) if is_complete || has_data => {
            Err(OpenError::PartitionMissing(u16::try_from(missing).unwrap_or(u16::MAX)))
        }
        Some(_) if knows_store || !shared.options.creates => Err(OpenError::NoStore),
        Some(_) => {
            for partition in (0..count).rev() {
                make(shared, partition).await?;
            }
            Ok(())
        }
    }
}

/// The partitions that are not there.
pub(crate) async fn missing(shared: &Shared) -> Result<Vec<u16>, OpenError> {
    let mut missing = Vec::new();
    for partition in 0..shared.options.layout.partitions {
        if look(shared, partition).await?.is_none() {
            missing.push(partition);
        }
    }
    Ok(missing)
}

async fn look(shared: &Shared, partition: u16) -> Result<Option<Found>, OpenError> {
    let mut link = shared.topology.connect(partition).await?;
    let mut command = redis::cmd("HMGET");
    command.arg(shared.options.layout.key(partition, "m")).arg(&["format", "partitions", "seq"]);
    type Fields = (Option<String>, Option<u16>, Option<u64>);
    let fields: Fields = command.query_async(&mut link.connection).await?;
    match fields {
        (Some(format), _, _) if format != "1" => Err(OpenError::Format(format)),
        (Some(_), Some(partitions), Some(sequence)) => Ok(Some(Found { partitions, sequence })),
        _ => Ok(None),
    }
}

/// Makes an empty partition; does nothing if it is there.
pub(crate) async fn make(shared: &Shared, partition: u16) -> Result<(), OpenError> {
    let nonce = Nonce::random()
        .map_err(|error| OpenError::System { what: "random bytes", reason: error.to_string() })?;
    let layout = &shared.options.layout;
    let mut link = shared.topology.connect(partition).await?;
    let mut command = redis::cmd("EVAL");
    command.arg(script::INIT).arg(5);
    command.arg(&["m", "s", "b", "l", "r"].map(|what| layout.key(partition, what)));
    command.arg(now_ms()).arg(nonce.text()).arg(layout.partitions).arg(0).arg(0);
    let _made: i64 = command.query_async(&mut link.connection).await?;
    Ok(())
}

/// Refuses a server that would drop keys when it is full. `INFO` is there also where `CONFIG` is
/// not.
async fn check_eviction(
    connection: &mut redis::aio::MultiplexedConnection,
) -> Result<(), OpenError> {
    let info: String = redis::cmd("INFO").arg("memory").query_async(connection).await?;
    let field = |name: &str| {
        let lines = info.lines();
        lines.filter_map(|line| line.split_once(':')).find(|(n, _)| *n == name).map(|(_, v)| v)
    };
    match (field("maxmemory"), field("maxmemory_policy")) {
        (Some("0"), _) | (_, None | Some("noeviction")) => Ok(()),
        (_, Some(policy)) => Err(OpenError::Evicts(policy.to_owned())),
    }
}
