//! A real server on a free port over the real engine and the memory store, and a client that
//! sends exactly what it is told.
//!
//! The store is wrapped so that a test can script its refusals and hold a write back.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use rankd_engine::{
    Batch, Engine, EngineOptions, Health, ManualClock, OrgBatch, Receipt, SnapshotReport, State,
    Storage, StoreError, StoreFuture, StoreStats,
};
use rankd_orgs::OrgOutcome;
use rankd_server::{EngineSlot, Reloader, Server, ServerOptions, Tunables};
use rankd_storage::MemoryStore;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot, watch};
use tokio::task::JoinHandle;

#[path = "../wire/mod.rs"]
mod wire;

pub(crate) use wire::request;

/// 2026-11-21T12:00:00Z, where every test's clock stands.
pub(crate) const NOW_MS: i64 = 1_795_262_400_000;
pub(crate) const NOW: &str = "2026-11-21T12:00:00Z";

/// What a scripted store does instead of its work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// Submits and snapshots fail so, without effect.
    pub(crate) failure: Option<StoreError>,
    pub(crate) health: Option<Health>,
}

/// The memory store, under a script.
pub(crate) struct ScriptedStore {
    inner: MemoryStore,
    script: watch::Sender<Script>,
    /// Submits that have begun.
    pub(crate) begun: watch::Sender<u64>,
    /// Each submit takes one permit; a test that holds writes back takes them all first.
    pub(crate) gate: Semaphore,
}

impl ScriptedStore {
    pub(crate) fn follow(&self, script: Script) {
        self.script.send_replace(script);
    }

    fn check(&self) -> Result<(), StoreError> {
        self.script.borrow().failure.clone().map_or(Ok(()), Err)
    }
}

impl ScriptedStore {
    /// What comes before every write.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        self.begun.send_modify(|begun| *begun += 1);
        let turn = self.gate.acquire().await.expect("the gate stays open");
        self.check().map(|()| turn)
    }
}

impl Storage for ScriptedStore {
    fn submit(&self, batch: Batch) -> StoreFuture<'_, Receipt> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            self.inner.submit(batch).await
        })
    }

    fn submit_orgs(&self, batch: OrgBatch) -> StoreFuture<'_, Receipt<Vec<OrgOutcome>>> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            self.inner.submit_orgs(batch).await
        })
    }

    fn snapshot(&self) -> StoreFuture<'_, SnapshotReport> {
        Box::pin(async move {
            self.check()?;
            self.inner.snapshot().await
        })
    }

    fn health(&self) -> Health {
        self.script.borrow().health.clone().unwrap_or_else(|| self.inner.health())
    }

    fn stats(&self) -> StoreStats {
        self.inner.stats()
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        self.inner.close()
    }
}

/// A running server.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<ScriptedStore>,
    pub(crate) slot: EngineSlot,
    pub(crate) engine: Arc<Engine>,
    pub(crate) reloader: Reloader,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) running: JoinHandle<std::io::Result<()>>,
}

/// Options for a server that takes any free port.
pub(crate) fn options() -> ServerOptions {
    ServerOptions { http: SocketAddr::from(([127, 0, 0, 1], 0)), ..ServerOptions::default() }
}

/// The same with these limits.
pub(crate) fn tuned(tunables: Tunables) -> ServerOptions {
    ServerOptions { tunables, ..options() }
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(options(), EngineOptions::default())
    }

    pub(crate) fn start_with(options: ServerOptions, engine: EngineOptions) -> Self {
        let server = Self::start_loading(options, engine);
        assert!(server.slot.fill(Arc::clone(&server.engine)));
        server
    }

    /// A server whose store is "still being loaded".
    pub(crate) fn start_loading(options: ServerOptions, engine_options: EngineOptions) -> Self {
        let state = State::new();
        let store = Arc::new(ScriptedStore {
            inner: MemoryStore::new(Arc::clone(&state)),
            script: watch::Sender::new(Script::default()),
            begun: watch::Sender::new(0),
            gate: Semaphore::new(64),
        });
        let storage: Arc<dyn Storage> = Arc::<ScriptedStore>::clone(&store);
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let engine = Arc::new(Engine::new(state, storage, clock, engine_options));
        let slot = EngineSlot::empty();
        let server = Server::bind(options, slot.clone()).expect("a free loopback port");
        let address = server.local_addr();
        let reloader = server.reloader();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async move {
            let _: Result<(), oneshot::error::RecvError> = stopped.await;
        }));
        Self { address, store, slot, engine, reloader, stop, running }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.address, request("GET", path, &[], "")).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.address, request("DELETE", path, &[], "")).await
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Answer {
        send(self.address, request("PUT", path, &[], body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        send(self.address, request("POST", path, &[], body)).await
    }

    /// A request with an idempotency key.
    pub(crate) async fn keyed(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        send(self.address, request(method, path, &[("idempotency-key", key)], body)).await
    }
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = wire::send(address, request).await.into_parts();
    Answer { status: head.status, headers: head.headers, body }
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    /// The JSON of an answer with this status.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// An answer without a body.
    #[track_caller]
    pub(crate) fn empty(&self, status: u16) {
        assert_eq!((self.status.as_u16(), self.text()), (status, ""));
    }

    /// Checks a problem document; every one of `mentions` must be in its detail.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, slug: &str, mentions: &[&str]) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem: Value = serde_json::from_slice(&self.body).expect("JSON");
        assert_eq!(problem["type"], slug, "{problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string());
        let detail = problem["detail"].as_str().expect("a detail");
        for mention in mentions {
            assert!(detail.contains(mention), "{detail:?} lacks {mention:?}");
        }
        let retries = matches!(status, 429 | 503);
        assert_eq!(self.header("retry-after").is_some(), retries);
    }
}
