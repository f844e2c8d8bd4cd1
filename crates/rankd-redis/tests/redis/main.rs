//! The Redis store with real servers: what it promises while they work, and while they fail.
//!
//! Every row runs `RANKD_REDIS_RUNS` times (10 unless it is set), and most on Redis and on Valkey.
//! Rows wait more than they work, so several runs go on at one time, each with servers of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod adopt;
mod cluster;
mod cut;
mod loss;
mod node;
mod proxy;
mod sentinel;
mod standalone;
#[path = "../support/mod.rs"]
mod support;

/// Runs of a row that go on at one time.
const LANES: usize = 3;

/// How often each row runs.
fn runs() -> usize {
    let set = std::env::var("RANKD_REDIS_RUNS");
    set.map_or(10, |text| text.parse().expect("RANKD_REDIS_RUNS is a number"))
}

/// Runs a row as often as rows are run.
fn repeatedly(row: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for lane in 0..LANES {
            let row = &row;
            scope.spawn(move || (lane..runs()).step_by(LANES).for_each(|_| row()));
        }
    });
}

/// Runs what is no failure once on both servers.
fn once_on_both(row: impl Fn(support::Program)) {
    row(support::Program::Redis);
    row(support::Program::Valkey);
}

/// Runs a row on both servers.
fn on_both(row: impl Fn(support::Program) + Sync) {
    repeatedly(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| row(support::Program::Valkey));
            row(support::Program::Redis);
        });
    });
}
