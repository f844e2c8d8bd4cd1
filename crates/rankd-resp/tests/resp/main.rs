//! The Redis protocol over real sockets: beside Redis and Valkey, under real clients, and against
//! clients that mean no good.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod behaviour;
mod clients;
mod codec;
mod compare;
mod differential;
mod durability;
mod generate;
mod hostile;
mod member_ends;
mod servers;
mod wire;
