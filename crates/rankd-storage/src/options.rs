//! How the embedded store is to behave.

use std::sync::Arc;

use rankd_engine::{Clock, SystemClock};

use crate::error::StorageError;
use crate::limits;

/// When a write is acknowledged: which failures an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// After an fsync, which many writes share. Survives the end of the process, of the kernel,
    /// and of the power.
    #[default]
    Always,
    /// After the system has taken it; an fsync follows at most this many milliseconds later
    /// (1 to [`limits::INTERVAL_MS_MAX`]). Survives the end of the process (kill -9); the end of
    /// the kernel or of the power can lose the writes of that time.
    Interval(u64),
    /// After the system has taken it; the system decides when it reaches the disk. Survives the
    /// end of the process (kill -9); the end of the kernel or of the power can lose everything
    /// since the segment was begun or the last snapshot.
    Os,
}

/// Options of [`EmbeddedStore::open`](crate::EmbeddedStore::open).
#[derive(Clone)]
pub struct EmbeddedOptions {
    /// When a write is acknowledged.
    pub durability: Durability,
    /// Size in bytes at which the next log segment is begun:
    /// [`limits::SEGMENT_BYTES_MIN`] to [`limits::SEGMENT_BYTES_MAX`].
    pub segment_bytes: u64,
    /// Log bytes since the last snapshot at which the next one is taken by itself; `None`: however
    /// long the log is.
    pub snapshot_log_bytes: Option<u64>,
    /// Milliseconds after which the next snapshot is taken by itself if there is anything new, 1 to
    /// [`limits::SNAPSHOT_INTERVAL_MS_MAX`]; `None`: however old the last one is.
    pub snapshot_interval_ms: Option<u64>,
    /// Whether closing writes a snapshot if there is anything new, so that the next start is fast.
    pub snapshot_on_close: bool,
    /// Identity of a new store, drawn at random if `None`. Ignored where a store exists.
    pub store_id: Option<[u8; 16]>,
    /// Tells when a snapshot was finished.
    pub clock: Arc<dyn Clock>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            segment_bytes: limits::SEGMENT_BYTES_DEFAULT,
            snapshot_log_bytes: Some(limits::SNAPSHOT_LOG_BYTES_DEFAULT),
            snapshot_interval_ms: Some(limits::SNAPSHOT_INTERVAL_MS_DEFAULT),
            snapshot_on_close: true,
            store_id: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl EmbeddedOptions {
    /// Whether every option is within its limits.
    ///
    /// # Errors
    /// The first that is not.
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        let (min, max) = (limits::SEGMENT_BYTES_MIN, limits::SEGMENT_BYTES_MAX);
        within("segment_bytes", self.segment_bytes, min, max)?;
        if let Durability::Interval(ms) = self.durability {
            within("interval_ms", ms, 1, limits::INTERVAL_MS_MAX)?;
        }
        if let Some(bytes) = self.snapshot_log_bytes {
            within("snapshot_log_bytes", bytes, limits::SEGMENT_BYTES_MIN, u64::MAX)?;
        }
        if let Some(ms) = self.snapshot_interval_ms {
            within("snapshot_interval_ms", ms, 1, limits::SNAPSHOT_INTERVAL_MS_MAX)?;
        }
        Ok(())
    }
}

fn within(what: &'static str, value: u64, min: u64, max: u64) -> Result<(), StorageError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(StorageError::Option { what, value, min, max })
}
