//! The Redis store: several nodes on one Redis, Valkey or Redis Cluster deployment.
//!
//! What it is: an implementation of the engine's `Storage` in which a Lua script in Redis orders,
//! resolves and keeps the writes, and every node follows a stream of changes into its own memory.
//! Every board is a sorted set that any Redis client can read. `docs/redis-store.md` has the
//! layout, the promises and their limits.
//!
//! What it is not: it keeps no organisations; it ranks nothing and knows no front end.
//!
//! Invariant: a node's state is what the history of each partition says up to one entry. A history
//! that loses entries which were acknowledged is noticed, counted, and never carried on silently.
//!
//! Cost: a write is one round trip for all batches that wait, and one more for its way back through
//! the stream. A read costs Redis nothing.

pub mod limits;

mod admin;
mod adopt;
mod copy;
mod entry;
mod follower;
mod layout;
mod open;
mod options;
mod partition;
mod scan;
mod script;
mod shared;
mod store;
mod text;
mod token;
mod topology;
mod writer;

#[cfg(test)]
#[expect(dead_code, reason = "the tests of the whole store use the rest")]
#[path = "../tests/support/mod.rs"]
mod support;

pub use admin::{accept, missing, reseed};
pub use adopt::{AdoptError, Adopted, adopt};
pub use copy::LocalCopy;
pub use open::OpenError;
pub use options::{OptionsError, RedisOptions};
pub use store::RedisStore;
