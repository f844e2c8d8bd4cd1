//! Operations: probes, metrics, snapshots, the OpenAPI document. Probes answer at once, whatever
//! state the store is in.

use std::sync::LazyLock;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use rankd_engine::{Engine, Health};
use serde::Serialize;

use crate::metrics::{self, Metrics};
use crate::openapi;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::slot::EngineSlot;

#[derive(Debug, Serialize)]
struct Alive {
    status: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    status: &'static str,
    reason: Option<String>,
    ahead_of_disk: bool,
}

#[derive(Debug, Serialize)]
struct Snapshot {
    sequence: u64,
    boards: u64,
    members: u64,
    bytes: u64,
    duration_ms: u64,
    file: String,
}

/// `GET /healthz`
pub(crate) fn alive() -> Reply {
    reply::json(StatusCode::OK, &Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// `GET /readyz`
pub(crate) fn ready(slot: &EngineSlot) -> Reply {
    let not_ready = |status, reason: String, ahead_of_disk| Readiness {
        ready: false,
        status,
        reason: Some(reason),
        ahead_of_disk,
    };
    let readiness = match slot.get().map(|engine| engine.health()) {
        None => not_ready("loading", "the store is being read back".to_owned(), false),
        Some(Health::ReadOnly { reason, ahead_of_disk }) => {
            not_ready("read-only", reason, ahead_of_disk)
        }
        Some(Health::Degraded { reason }) => not_ready("degraded", reason, false),
        Some(Health::Closed) => not_ready("closed", "the store is closed".to_owned(), false),
        Some(Health::Ready) => {
            Readiness { ready: true, status: "ready", reason: None, ahead_of_disk: false }
        }
    };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut reply = reply::json(status, &readiness);
    if !readiness.ready {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

/// `GET /metrics`
pub(crate) fn metrics(metrics: &Metrics, bodies: (usize, usize)) -> Reply {
    reply::of_type(metrics::CONTENT_TYPE, metrics.page(bodies))
}

/// `GET /openapi.json`
pub(crate) fn openapi() -> Reply {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| Bytes::from(openapi::document().to_string()));
    reply::of_type("application/json", DOCUMENT.clone())
}

/// `POST /v1/snapshots`
pub(super) async fn snapshot(engine: &Engine) -> Result<Reply, Problem> {
    let report = engine.snapshot().await?;
    let snapshot = Snapshot {
        sequence: report.sequence,
        boards: report.boards,
        members: report.members,
        bytes: report.bytes,
        duration_ms: report.duration_ms,
        file: report.file,
    };
    Ok(reply::json(StatusCode::OK, &snapshot))
}
