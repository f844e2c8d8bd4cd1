//! What front ends hold: the state to read, the store to write through, and the clock.

use std::any::Any;
use std::sync::Arc;

use rankd_orgs::{OrgIntent, OrgOutcome, Orgs};

use crate::board::{Board, BoardInfo};
use crate::clock::Clock;
use crate::intent::{Batch, IdempotencyKey, Intent, OrgBatch};
use crate::keyspace::{KeyTurn, Procedure};
use crate::state::{State, Totals};
use crate::storage::{Health, KeyBatch, Receipt, SnapshotReport, Storage, StoreFuture, StoreStats};

/// Settings that all front ends share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Whether a write to a board that does not exist creates it with the default definition.
    pub auto_create: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { auto_create: true }
    }
}

/// One state, one store, one clock.
pub struct Engine {
    state: Arc<State>,
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    options: EngineOptions,
}

impl Engine {
    /// An engine over a state that `storage` has loaded and writes to.
    pub fn new(
        state: Arc<State>,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        options: EngineOptions,
    ) -> Self {
        Self { state, storage, clock, options }
    }

    /// Milliseconds since 1970, UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Carries out intents as one batch; ready when they are as durable as the store promises.
    ///
    /// # Errors
    /// (of the future) Those of [`Storage::submit`].
    pub fn submit(
        &self,
        intents: Vec<Intent>,
        with_ranks: bool,
        idempotency: Option<IdempotencyKey>,
    ) -> StoreFuture<'_, Receipt> {
        let (now_ms, auto_create) = (self.now_ms(), self.options.auto_create);
        self.storage.submit(Batch { intents, now_ms, auto_create, with_ranks, idempotency })
    }

    /// Carries out intents about organisations as one batch; ready when they are as durable as the
    /// store promises.
    ///
    /// # Errors
    /// (of the future) Those of [`Storage::submit_orgs`].
    pub fn submit_orgs(&self, intents: Vec<OrgIntent>) -> StoreFuture<'_, Vec<OrgOutcome>> {
        let submitted = self.storage.submit_orgs(OrgBatch { intents, now_ms: self.now_ms() });
        Box::pin(async move { Ok(submitted.await?.answer) })
    }

    /// Runs a procedure over keys in one turn; ready, with the procedure, when what it did is as
    /// durable as the store promises.
    ///
    /// # Errors
    /// (of the future) Those of [`Storage::transact`].
    pub fn transact<P: Procedure>(&self, procedure: P) -> StoreFuture<'_, Box<P>> {
        let keys = KeyBatch { procedure: Box::new(procedure), now_ms: self.now_ms() };
        let submitted = self.storage.transact(keys);
        Box::pin(async move {
            let procedure: Box<dyn Any> = submitted.await?;
            Ok(procedure.downcast().expect("a store returns the procedure that it was given"))
        })
    }

    /// Runs `read`, which must not write, over keys.
    pub fn read_keys<R>(&self, read: impl FnOnce(&mut KeyTurn<'_>) -> R) -> R {
        self.state.read_keys(self.now_ms(), read)
    }

    /// Whether members have to leave their boards because their time has come.
    #[must_use]
    pub fn has_ended_members(&self) -> bool {
        self.state.keyspace.member_ends.is_due(self.now_ms())
    }

    /// The organisations, to read.
    #[must_use]
    pub fn orgs(&self) -> &Orgs {
        self.state.orgs()
    }

    /// The board of this name.
    #[must_use]
    pub fn board(&self, name: &[u8]) -> Option<Arc<Board>> {
        self.state.board(name)
    }

    /// Boards whose names begin with `prefix`, strictly after `after`, in the order of names.
    #[must_use]
    pub fn boards(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Vec<BoardInfo> {
        self.state.boards(prefix, after, limit).iter().map(|board| board.info()).collect()
    }

    /// The display name of a member.
    #[must_use]
    pub fn label(&self, member: &[u8]) -> Option<Box<str>> {
        self.state.label(member)
    }

    /// Sizes of the state.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.state.totals()
    }

    /// How the store is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.storage.health()
    }

    /// Counters of the store.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        self.storage.stats()
    }

    /// What a client may show to any node to read what it wrote ([`Storage::token`]).
    #[must_use]
    pub fn token(&self, sequence: u64) -> Option<String> {
        self.storage.token(sequence)
    }

    /// Ready when this node has everything up to the token.
    ///
    /// # Errors
    /// (of the future) Those of [`Storage::reached`].
    pub fn reached<'a>(&'a self, token: &'a str) -> StoreFuture<'a, ()> {
        self.storage.reached(token)
    }

    /// Age of what this node knows, in milliseconds; 0 while it is up to date.
    #[must_use]
    pub fn staleness_ms(&self) -> u64 {
        self.storage.staleness_ms()
    }

    /// Counters of this kind of store alone: name, help, value.
    #[must_use]
    pub fn store_counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.storage.counters()
    }

    /// Writes a snapshot now.
    ///
    /// # Errors
    /// (of the future) If it cannot be written, or one is being written.
    pub fn snapshot(&self) -> StoreFuture<'_, SnapshotReport> {
        self.storage.snapshot()
    }

    /// Makes everything durable and closes the store.
    ///
    /// # Errors
    /// (of the future) If something that was accepted could not be made durable.
    pub fn close(&self) -> StoreFuture<'_, ()> {
        self.storage.close()
    }
}
