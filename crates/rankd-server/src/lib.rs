//! The HTTP front end of rankd: requests in, intents and queries to the engine, replies out.
//!
//! It is not a place for rules about boards or scores: it decodes, checks what HTTP and JSON
//! can get wrong, asks the engine, and writes down what the engine said. `docs/http-api.md` is
//! the reference of what it speaks.
//!
//! Invariant: every answer to a write waits for the store's acknowledgement, and every queue,
//! body, page and wait has a limit named in [`limits`].
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use rankd_server::{EngineSlot, Server, ServerOptions};
//!
//! # async fn demo(loaded: Arc<rankd_engine::Engine>) -> Result<(), Box<dyn std::error::Error>> {
//! let slot = EngineSlot::empty();
//! let server = Server::bind(ServerOptions::default(), slot.clone())?;
//! println!("http://{}/", server.local_addr());
//! let serving = tokio::spawn(server.run(std::future::pending()));
//! slot.fill(loaded); // until here, /healthz answers and boards are 503 `loading`
//! serving.await??;
//! # Ok(())
//! # }
//! ```

mod access;
mod body;
mod by_hyper;
mod connection;
mod console;
mod docs;
mod handlers;
mod idempotency;
mod json;
mod keys;
mod lane;
pub mod limits;
mod metrics;
mod names;
mod nodes;
mod numbers;
mod openapi;
mod options;
mod origin;
mod problem;
mod query;
mod rate;
mod reload;
mod reply;
mod request_log;
mod routes;
mod server;
mod service;
mod slot;
mod surfaces;
mod table;
mod times;
mod tls;
mod tokens;
mod tunables;
mod upkeep;
mod write_deadline;

pub use keys::{KeyFileError, NewKey, Scope};
pub use options::{AdminKey, ServerError, ServerOptions, TlsFiles};
pub use reload::Reloader;
pub use server::Server;
pub use slot::EngineSlot;
pub use tls::TlsError;
pub use tunables::Tunables;

/// What fuzz targets look at; not for anybody else.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::lane::fuzzing::*;
}
