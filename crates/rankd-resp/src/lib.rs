//! The Redis front end of rankd: any Redis client, without changes.
//!
//! What it is: the protocol (RESP2 and RESP3), the command table, and the listener. A key that
//! holds a sorted set is a board, so what is written here is read over HTTP and the other way
//! round; strings, hashes and sets live beside boards. What it is not: a place for rules about
//! scores or order; it reads arguments, asks one turn over keys ([`rankd_engine::KeyTurn`]), and
//! writes down what that said. `docs/redis-protocol.md` is the reference of what it speaks.
//!
//! Invariant: replies come in the order of commands, and those to writes wait for the store's
//! acknowledgement. What a client sent together goes to the store together.
//!
//! ```no_run
//! # type Failed = Box<dyn std::error::Error>;
//! # async fn demo(engine: std::sync::Arc<rankd_engine::Engine>) -> Result<(), Failed> {
//! use rankd_resp::{Options, Server};
//!
//! let server = Server::bind(Options::new(([127, 0, 0, 1], 6379).into()))?;
//! server.run(engine, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod args;
mod blocking;
mod commands;
mod connection;
mod ends;
mod failure;
mod fast;
pub mod frame;
mod glob;
mod hub;
mod inline;
pub mod limits;
mod number;
mod reply;
mod server;
mod session;
mod shared;
mod table;
mod window;

pub use server::{BindError, Options, Server};
pub use shared::Password;
