//! The place where the engine will be. A server listens before the store has been read back, so
//! that probes can tell "starting" from "dead"; whoever loads the store fills the slot.
//!
//! Invariant: an engine, once in, stays in. Cost of looking: one atomic load.

use std::sync::{Arc, OnceLock};

use rankd_engine::Engine;

/// A slot for one engine, shared by its clones.
#[derive(Clone, Default)]
pub struct EngineSlot(Arc<OnceLock<Arc<Engine>>>);

impl EngineSlot {
    /// An empty slot: the server answers `/healthz`, and everything else with 503 `loading`.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Opens the server for business. False if there was an engine already; it stays.
    pub fn fill(&self, engine: Arc<Engine>) -> bool {
        self.0.set(engine).is_ok()
    }

    /// The engine, once it is there.
    #[must_use]
    pub fn get(&self) -> Option<&Arc<Engine>> {
        self.0.get()
    }
}

impl From<Arc<Engine>> for EngineSlot {
    fn from(engine: Arc<Engine>) -> Self {
        Self(Arc::new(OnceLock::from(engine)))
    }
}

impl std::fmt::Debug for EngineSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineSlot").field("filled", &self.get().is_some()).finish()
    }
}
