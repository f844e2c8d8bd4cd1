//! The HTTP API over real sockets, real requests and the real engine.
//!
//! Expected answers are written out by hand or come from a sorted list, never from the code
//! under test.

mod bad_input;
mod boards;
mod connections;
mod idempotency;
mod keys;
mod labels;
mod lane;
mod log;
mod names;
mod ops;
mod origins;
mod overload;
mod reads;
mod scores;
mod support;
mod tls;
mod turns;
