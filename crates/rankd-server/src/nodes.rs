//! What a client has to know where several nodes share a store: tokens and the age of reads.
//!
//! What it is: two headers. `Rankd-Token` on the answer to a write names the write; on a read it
//! asks this node to have that write first. `Rankd-Stale-Ms` says how old a read may be. What it is
//! not: the store alone knows what a token means. Invariant: where one node has everything, neither
//! header is ever sent. Cost of a read without a token: one look at the store's age.

use std::sync::OnceLock;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use rankd_engine::Engine;

use crate::problem::{Problem, Slug};
use crate::reply::Reply;

/// Names a write, to be shown to any node.
const TOKEN: HeaderName = HeaderName::from_static("rankd-token");
/// Age of what was read, in milliseconds.
const STALE_MS: HeaderName = HeaderName::from_static("rankd-stale-ms");

/// Waits until this node has the write that the request names, if it names one.
///
/// # Errors
/// If the token is malformed, the write was lost, or the node does not have it in time.
pub(crate) async fn wait(engine: &Engine, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = headers.get(&TOKEN) else { return Ok(()) };
    let token = token.to_str().map_err(|_| {
        Problem::new(Slug::InvalidParameter, "the header Rankd-Token has bytes that are no text")
    })?;
    Ok(engine.reached(token).await?)
}

/// Says how old a read is, if the store is not up to date.
pub(crate) fn mark_stale(engine: &Engine, reply: &mut Reply) {
    let staleness_ms = engine.staleness_ms();
    if staleness_ms > 0 {
        reply.headers_mut().insert(STALE_MS, HeaderValue::from(staleness_ms));
    }
}

/// The newest token of a request's writes.
#[derive(Debug, Default)]
pub(crate) struct Written(OnceLock<String>);

impl Written {
    /// Remembers the write with this sequence.
    pub(crate) fn remember(&self, engine: &Engine, sequence: u64) {
        if let Some(token) = engine.token(sequence) {
            // A request submits once; a second token would name an older write.
            let _kept = self.0.set(token);
        }
    }

    /// Names the write in its answer.
    pub(crate) fn mark(&self, reply: &mut Reply) {
        let value = self.0.get().and_then(|token| HeaderValue::from_str(token).ok());
        if let Some(value) = value {
            reply.headers_mut().insert(TOKEN, value);
        }
    }
}
