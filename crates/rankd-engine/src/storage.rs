//! The port that stores implement. The engine calls nothing else of a store, and a store knows
//! nothing of front ends.

use std::future::Future;
use std::pin::Pin;

use rankd_orgs::OrgOutcome;

use crate::intent::{Batch, OrgBatch, Outcome};
use crate::keyspace::Procedure;

/// What a store's calls return: boxed, so that the engine need not know which store runs.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A place where writes are ordered, resolved, applied and kept.
pub trait Storage: Send + Sync + 'static {
    /// Resolves the batch, applies it, and returns once it is as durable as the store promises.
    ///
    /// A batch of which an error is returned may still take effect if the error says so
    /// ([`StoreError::may_take_effect`]).
    fn submit(&self, batch: Batch) -> StoreFuture<'_, Receipt>;

    /// The same for a batch about organisations: one outcome an intent, in order.
    fn submit_orgs(&self, batch: OrgBatch) -> StoreFuture<'_, Receipt<Vec<OrgOutcome>>>;

    /// Runs a procedure over keys in one turn, and returns it once what it did is as durable as the
    /// store promises. A store that orders writes elsewhere cannot do that.
    fn transact(&self, _keys: KeyBatch) -> StoreFuture<'_, Box<dyn Procedure>> {
        Box::pin(async { Err(StoreError::NoProcedures) })
    }

    /// Writes a snapshot now.
    fn snapshot(&self) -> StoreFuture<'_, SnapshotReport>;

    /// How the store is. Cheap; called on every request.
    fn health(&self) -> Health;

    /// Counters for the metrics page.
    fn stats(&self) -> StoreStats;

    /// What a client may show to any node of this store to read what it wrote: made from the
    /// sequence of a receipt. `None` where one node has everything.
    fn token(&self, _sequence: u64) -> Option<String> {
        None
    }

    /// Ready when this node has everything up to the token, within a bounded time.
    ///
    /// The error of the future is [`StoreError::WriteLost`] if the store lost the write,
    /// [`StoreError::Behind`] if the node does not have it in time.
    fn reached<'a>(&'a self, _token: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// How long ago the node last knew that it has everything, in milliseconds; 0 while it is up
    /// to date. Cheap; called on every read.
    fn staleness_ms(&self) -> u64 {
        0
    }

    /// Counters of this kind of store alone: name, help, value.
    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        Vec::new()
    }

    /// Makes everything durable and lets go of files. Later submits are refused.
    fn close(&self) -> StoreFuture<'_, ()>;
}

/// A procedure over keys, on its way through the store.
pub struct KeyBatch {
    /// What is to be done.
    pub procedure: Box<dyn Procedure>,
    /// Time of acceptance in milliseconds since 1970, UTC, read once by the front end.
    pub now_ms: i64,
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt<A = Answer> {
    /// The newest sequence that the answer depends on.
    pub sequence: u64,
    /// What became of the intents.
    pub answer: A,
}

/// The outcomes of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The batch was carried out: one outcome an intent.
    Fresh(Vec<Outcome>),
    /// A batch with this key had been carried out before; nothing was done now.
    Repeated(crate::change::KeptOutcomes),
}

/// What a finished snapshot is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotReport {
    /// Everything up to this sequence is in it, nothing after.
    pub sequence: u64,
    /// Boards in it.
    pub boards: u64,
    /// Members of all boards.
    pub members: u64,
    /// Pieces that the organisations make up in it.
    pub org_items: u64,
    /// Pieces that strings, hashes, sets and ends of keys make up in it.
    pub value_items: u64,
    /// Size in bytes; 0 where nothing is written.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// File name within the data folder; empty where nothing is written.
    pub file: String,
}

/// Whether the store can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Reads and writes.
    Ready,
    /// Reads only, until the reason is gone; nothing acknowledged is lost.
    ReadOnly {
        /// What happened.
        reason: String,
        /// Whether memory may hold writes that the disk does not.
        ahead_of_disk: bool,
    },
    /// Reads and writes, but something that keeps the store well has stopped until a restart.
    Degraded {
        /// What happened.
        reason: String,
    },
    /// Closed, or closing.
    Closed,
}

/// How long the calls of fsync took: a histogram of fixed size, cheap to copy.
///
/// ```
/// use rankd_engine::SyncTimes;
///
/// let mut times = SyncTimes::default();
/// times.add(150);
/// assert_eq!((times.sum_us, times.counts.iter().sum()), (150, 1));
/// assert_eq!(SyncTimes::BOUNDS_US[1], 200);
/// assert_eq!(times.counts[1], 1);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncTimes {
    /// Calls that took at most as long as the bound at the same place, and longer than the one
    /// before; the last are those beyond every bound.
    pub counts: [u64; Self::BOUNDS_US.len() + 1],
    /// All of them together, in microseconds.
    pub sum_us: u64,
}

impl SyncTimes {
    /// 0.1 ms to 3.3 s in factors of two, in microseconds.
    pub const BOUNDS_US: [u64; 16] = {
        let mut bounds = [100; 16];
        let mut at = 1;
        while at < bounds.len() {
            bounds[at] = 2 * bounds[at - 1];
            at += 1;
        }
        bounds
    };

    /// Counts a call that took `us` microseconds.
    pub fn add(&mut self, us: u64) {
        let place = Self::BOUNDS_US.partition_point(|bound| *bound < us);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum_us = self.sum_us.saturating_add(us);
    }
}

/// Counters of a store since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Highest sequence given out.
    pub sequence: u64,
    /// Highest sequence that is durable.
    pub durable_sequence: u64,
    /// Records written.
    pub records: u64,
    /// Bytes written to the log.
    pub log_bytes: u64,
    /// Calls of fsync on the log.
    pub syncs: u64,
    /// Time spent in them.
    pub sync_times: SyncTimes,
    /// Records waiting to be written.
    pub queued: u64,
    /// Snapshots finished.
    pub snapshots: u64,
    /// Snapshots that failed.
    pub snapshots_failed: u64,
    /// Sequence of the newest snapshot.
    pub snapshot_sequence: u64,
    /// When the newest snapshot was finished, in milliseconds since 1970, UTC; 0 if there is none.
    pub snapshot_at_ms: i64,
    /// Size of the newest snapshot that was written since the store was opened, in bytes.
    pub snapshot_bytes: u64,
    /// How long that one took, in milliseconds.
    pub snapshot_ms: u64,
    /// Whether the last attempt at a snapshot failed.
    pub snapshot_last_failed: bool,
    /// Members that are in the snapshot that is being written.
    pub snapshot_members_done: u64,
    /// About how many it will have; 0 if none is being written.
    pub snapshot_members_total: u64,
    /// Log segments on disk.
    pub segments: u64,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The batch is larger than the store takes.
    #[error("{what} is {value}, the limit is {max}")]
    TooLarge {
        /// Which quantity, with its unit.
        what: &'static str,
        /// What was given.
        value: u64,
        /// Largest legal value.
        max: u64,
    },
    /// The idempotency key was used for another request.
    #[error("this idempotency key belongs to another request")]
    KeyReused,
    /// Too many idempotency keys are remembered, or too many rejections with them.
    #[error(
        "there is no room for another idempotency key: {0} are remembered; they expire after {1} h"
    )]
    TooManyKeys(u64, i64),
    /// Writes are refused; this one had no effect.
    #[error("writes are refused: {0}")]
    ReadOnly(String),
    /// The write was applied in memory, but the disk did not take it (yet).
    #[error("the write may or may not survive a restart: {0}")]
    NotDurable(String),
    /// The store does not order its writes by itself.
    #[error("this store cannot carry out procedures over keys")]
    NoProcedures,
    /// The connection broke before the answer came.
    #[error("the write may or may not have been carried out: {0}")]
    OutcomeUnknown(String),
    /// The batch had no effect: its boards are not kept together.
    #[error(
        "the boards of one batch must be in one partition: give them a common text in braces, as \
         in {{acme}}:daily and {{acme}}:weekly"
    )]
    CrossPartition,
    /// The store lost a write that it had acknowledged.
    #[error("the write was lost: {0}")]
    WriteLost(String),
    /// This node does not have the write yet.
    #[error("this node does not have the write yet: {0}")]
    Behind(String),
    /// No token of this store.
    #[error("`{0}` is not a token of this store")]
    BadToken(String),
    /// This kind of store cannot do that; nothing was done.
    #[error("this store does not keep {0}")]
    Unsupported(&'static str),
    /// The store is shutting down; the write had no effect.
    #[error("the store is closed")]
    Closed,
    /// A snapshot could not be written. Nothing is lost: the log still has everything.
    #[error("the snapshot failed: {0}")]
    Snapshot(String),
}

impl StoreError {
    /// Whether a write that got this error may still show up later.
    #[must_use]
    pub fn may_take_effect(&self) -> bool {
        matches!(self, Self::NotDurable(_) | Self::OutcomeUnknown(_))
    }
}
