//! The memory store: the same resolution, and nothing survives. For tests and caches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rankd_engine::{
    Batch, Change, ChangeSink, Health, KeyBatch, OrgBatch, Procedure, Receipt, SnapshotReport,
    State, Storage, StoreError, StoreFuture, StoreStats,
};
use rankd_orgs::OrgOutcome;

/// A store that forgets everything when it is dropped.
pub struct MemoryStore {
    state: Arc<State>,
    sequence: Sequence,
    is_closed: AtomicBool,
}

/// Gives out sequences and drops the changes.
struct Sequence(AtomicU64);

impl ChangeSink for Sequence {
    fn append(&self, _accepted_ms: i64, _changes: Vec<Change>) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn last_sequence(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl MemoryStore {
    /// A store over `state`.
    #[must_use]
    pub fn new(state: Arc<State>) -> Self {
        Self { state, sequence: Sequence(AtomicU64::new(0)), is_closed: AtomicBool::new(false) }
    }

    fn check_open(&self) -> Result<(), StoreError> {
        match self.is_closed.load(Ordering::SeqCst) {
            true => Err(StoreError::Closed),
            false => Ok(()),
        }
    }

    /// Counts what a snapshot would hold. Nothing is written.
    fn count(&self) -> Result<SnapshotReport, StoreError> {
        self.check_open()?;
        let cut = self.state.begin_cut(&self.sequence);
        let mut cut = cut.map_err(|error| StoreError::Snapshot(error.to_string()))?;
        let sequence = cut.sequence();
        let mut report = SnapshotReport { sequence, ..SnapshotReport::default() };
        while let Some(board) = cut.next_board() {
            report.boards += 1;
            report.members += board.header().members;
        }
        while cut.next_org_item().is_some() {
            report.org_items += 1;
        }
        report.value_items = cut.values().count() as u64;
        Ok(report)
    }
}

impl Storage for MemoryStore {
    fn submit(&self, batch: Batch) -> StoreFuture<'_, Receipt> {
        Box::pin(async move {
            self.check_open()?;
            self.state.execute(&batch, &self.sequence)
        })
    }

    fn submit_orgs(&self, batch: OrgBatch) -> StoreFuture<'_, Receipt<Vec<OrgOutcome>>> {
        Box::pin(async move {
            self.check_open()?;
            self.state.execute_orgs(&batch, &self.sequence)
        })
    }

    fn transact(&self, keys: KeyBatch) -> StoreFuture<'_, Box<dyn Procedure>> {
        Box::pin(async move {
            self.check_open()?;
            let KeyBatch { mut procedure, now_ms } = keys;
            self.state.transact(&mut *procedure, now_ms, &self.sequence);
            Ok(procedure)
        })
    }

    fn snapshot(&self) -> StoreFuture<'_, SnapshotReport> {
        Box::pin(async move { self.count() })
    }

    fn health(&self) -> Health {
        match self.is_closed.load(Ordering::SeqCst) {
            true => Health::Closed,
            false => Health::Ready,
        }
    }

    fn stats(&self) -> StoreStats {
        let sequence = self.sequence.last_sequence();
        StoreStats { sequence, records: sequence, ..StoreStats::default() }
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        self.is_closed.store(true, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }
}
