//! Durable writes from 64 connections on the real disk: rankd over HTTP and over the protocol of
//! Redis, and Redis.

use std::time::Duration;

use anyhow::Result;
use rankd_benches::table::{Table, number};

use crate::Arguments;
use crate::load::{Times, no_times, saturate};
use crate::redis::{ALWAYS, Redis, version};
use crate::server::Server;

const CLIENTS: usize = 64;
const MEMBERS: usize = 100_000;
/// Times that each server is measured, in turns.
const TURNS: u32 = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let (ours, theirs) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (rankd, resp) = Server::start_both(ours.path(), "always")?;
    let redis = Redis::start(theirs.path(), &ALWAYS)?;
    let time = Duration::from_secs(arguments.seconds) / TURNS;
    let peers = [rankd.peer, resp, redis.peer];
    let mut times = peers.map(|_| no_times());
    for _ in 0..TURNS {
        for (peer, times) in peers.into_iter().zip(&mut times) {
            times.add(saturate(peer, CLIENTS, MEMBERS, time)?)?;
        }
    }
    let seconds = (time * TURNS).as_secs_f64();
    let mut table =
        Table::new(["64 connections, every write on disk", "writes a second", "p50 us", "p99 us"]);
    let [over_http, over_resp, of_redis] = &times;
    table.push(row("rankd, HTTP, `durability = always`", over_http, seconds));
    table.push(row("rankd, RESP, `durability = always`", over_resp, seconds));
    let name = format!("Redis {}, RESP, `appendfsync always`", version()?);
    table.push(row(&name, of_redis, seconds));
    let ratio = |ours| rate(ours, seconds) / rate(of_redis, seconds);
    let (http, resp) = (ratio(over_http), ratio(over_resp));
    Ok(format!(
        "{}rankd does {http:.2} times what Redis does, and {resp:.2} times over the same \
         protocol.\n",
        table.render()
    ))
}

#[expect(clippy::cast_precision_loss, reason = "for printing")]
fn rate(times: &Times, seconds: f64) -> f64 {
    times.len() as f64 / seconds
}

fn row(name: &str, times: &Times, seconds: f64) -> Vec<String> {
    let quantile = |share| times.value_at_quantile(share).to_string();
    vec![name.to_owned(), number(rate(times, seconds)), quantile(0.5), quantile(0.99)]
}
