//! A load test of leaderboards: the same workload against rankd's HTTP API, against any server
//! that speaks the Redis protocol, or (reads of one path) against any HTTP server.
//!
//! It is not a client library and it never retries: what fails is counted. Invariant: in an open
//! loop each request has an intended start that does not depend on any answer, and its latency
//! counts from there, so that a server which stalls cannot keep the test from noticing. A request
//! that was due and never answered counts with the time it had been waiting. Cost: one task a
//! connection, a quarter of a microsecond or so a request for its bookkeeping.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use rankd_load::{Pace, Plan, Target};
//!
//! # async fn demo() -> Result<(), rankd_load::LoadError> {
//! let plan = Plan { pace: Pace::Open { rate_per_s: 20_000 }, ..Plan::default() };
//! let target = Target::parse("http://127.0.0.1:8080")?;
//! let report = rankd_load::run(&target, &plan, |_| ()).await?;
//! println!("p99 {} us", report.latency.p99_us);
//! # Ok(())
//! # }
//! ```

mod access;
mod connection;
mod error;
mod local;
mod mix;
mod pacer;
mod plan;
mod plot;
mod prepare;
mod recorder;
mod report;
mod run;
mod schedule;
mod source;
mod target;
mod wire;

pub use access::Access;
pub use error::LoadError;
pub use mix::{Mix, Operation};
pub use plan::{Pace, Plan, limits};
pub use plot::plot;
pub use prepare::{Prepared, prepare};
pub use report::{Interval, Latency, OperationReport, Percentile, Report, ServerUse};
pub use run::run;
pub use target::Target;
