//! What all tasks of one store share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use rankd_engine::{Clock as _, State, SystemClock};
use tokio::sync::Semaphore;

use crate::limits::{LOOKUPS_MAX, SCANS_MAX};
use crate::options::RedisOptions;
use crate::partition::Partition;
use crate::topology::Topology;

/// Counters since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Times that Redis was found to have lost acknowledged writes.
    pub(crate) losses: AtomicU64,
    /// Entries that the node had and Redis lost, as far as they can be counted.
    pub(crate) lost_entries: AtomicU64,
    /// Times that the stream was trimmed before the node had read it.
    pub(crate) gaps: AtomicU64,
    /// Times that a partition was read as a whole.
    pub(crate) scans: AtomicU64,
    /// Times that a start went on where the node's copy ended.
    pub(crate) resumes: AtomicU64,
    /// Connections that broke.
    pub(crate) disconnects: AtomicU64,
    /// Calls to the script.
    pub(crate) calls: AtomicU64,
    /// Batches in them.
    pub(crate) batches: AtomicU64,
    /// Calls of which nobody knows whether they were carried out.
    pub(crate) unknown: AtomicU64,
    /// Entries applied.
    pub(crate) entries: AtomicU64,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What all tasks of one store share.
pub(crate) struct Shared {
    pub(crate) options: RedisOptions,
    pub(crate) topology: Topology,
    pub(crate) state: Arc<State>,
    pub(crate) partitions: Vec<Arc<Partition>>,
    pub(crate) counters: Counters,
    begun: Instant,
    /// One permit a partition that is being read as a whole.
    pub(crate) scans: Semaphore,
    /// One permit a token that the stream is asked for.
    pub(crate) lookups: Semaphore,
    pub(crate) is_closed: AtomicBool,
}

impl Shared {
    pub(crate) fn new(options: RedisOptions, state: Arc<State>) -> Self {
        let ids = 0..options.layout.partitions;
        let begun = Instant::now();
        Self {
            begun,
            topology: Topology::new(&options),
            options,
            state,
            partitions: ids.map(|id| Arc::new(Partition::new(id, begun))).collect(),
            counters: Counters::default(),
            scans: Semaphore::new(SCANS_MAX),
            lookups: Semaphore::new(LOOKUPS_MAX),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Age of what this node knows of the partition that it heard of least recently, in
    /// milliseconds.
    pub(crate) fn age_ms(&self) -> u64 {
        let heard = self.partitions.iter().map(|partition| partition.heard_ms());
        elapsed_ms(self.begun).saturating_sub(heard.min().unwrap_or(0))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}

/// Milliseconds since then.
pub(crate) fn elapsed_ms(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since 1970: incarnations are numbered by it, so that they grow also where nobody
/// remembers the last one.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(SystemClock.now_ms()).unwrap_or(0)
}
