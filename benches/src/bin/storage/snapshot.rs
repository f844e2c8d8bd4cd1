//! What readers and writers notice of a snapshot of a large board, and of `BGSAVE`.
//!
//! Method: a steady load, every second request a write; phases without and with a snapshot take
//! turns, so that both see the same machine.

use rankd_benches::pause;
use std::time::{Duration, Instant};

use anyhow::Result;
use rankd_benches::table::{Table, bytes, size, time};

use crate::Arguments;
use crate::client::{Client, Peer, Wire};
use crate::data::{Data, copy_of};
use crate::load::{Phase, Steady, Times};
use crate::redis::{NEVER, Redis, version};
use crate::server::{Server, forget_peak, memory_bytes};

const CLIENTS: u32 = 16;
/// How often Redis is asked whether it is done.
const POLL: Duration = Duration::from_millis(20);
/// The phase that nobody looks at.
const WARMING: usize = 0;
/// The phase without a snapshot.
const WITHOUT: usize = 1;
/// The phase during one.
const DURING: usize = 2;

/// What a server's run came to.
struct Found {
    name: String,
    without: Phase,
    during: Phase,
    seconds: f64,
    memory_bytes: usize,
    peak_bytes: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let data = Data::of(arguments.thousands * 1_000, arguments.folder.as_deref())?;
    let mut found = Vec::new();
    for durability in ["always", "os"] {
        let copy = copy_of(&data.rankd)?;
        let server = Server::start(copy.path(), durability)?;
        let name = format!("rankd, `durability = {durability}`");
        found.push(measure(arguments, name, server.peer, server.id())?);
    }
    for is_durable in [true, false] {
        let copy = copy_of(&data.redis)?;
        let redis = Redis::start(copy.path(), &NEVER)?;
        let name = if is_durable { "appendfsync always" } else { "appendonly no" };
        let name = format!("Redis {}, `{name}`", version()?);
        if is_durable {
            begin_log(redis.peer)?;
        }
        found.push(measure(arguments, name, redis.peer, redis.id())?);
    }
    let head = format!(
        "{} members, {} requests a second from {CLIENTS} connections, half of them writes, \
         {} snapshots each.\n\n",
        size(arguments.thousands * 1_000),
        arguments.rate,
        arguments.rounds
    );
    Ok(head + &latencies(&found) + &costs(&found))
}

fn measure(arguments: &Arguments, name: String, peer: Peer, process: u32) -> Result<Found> {
    eprintln!("{name}");
    let members = arguments.thousands * 1_000;
    let steady = Steady { peer, clients: CLIENTS, rate: arguments.rate, members };
    let (mut seconds, mut memory, mut peak) = (0.0, 0, 0);
    let phases = steady.run(3, |switch| {
        switch.to(WARMING);
        pause(Duration::from_secs(2));
        for _ in 0..arguments.rounds {
            switch.to(WITHOUT);
            pause(Duration::from_secs(arguments.seconds));
            memory = memory_bytes(process, "VmRSS")?;
            forget_peak(process)?;
            // A new one each time: the server does not keep one that rests as long as a phase.
            let mut control = Client::connect(peer)?;
            let begun = Instant::now();
            switch.to(DURING);
            let copied = snapshot(&mut control, peer.wire)?;
            switch.to(WARMING);
            seconds += begun.elapsed().as_secs_f64();
            peak = peak.max(memory_bytes(process, "VmHWM")? + copied);
            pause(Duration::from_secs(1));
        }
        Ok(())
    })?;
    let [_, without, during] = <[Phase; 3]>::try_from(phases).unwrap_or_else(|_| unreachable!());
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let seconds = seconds / arguments.rounds as f64;
    Ok(Found { name, without, during, seconds, memory_bytes: memory, peak_bytes: peak })
}

/// Has Redis log every write from now on: started with a log that is empty, it would load nothing.
fn begin_log(redis: Peer) -> Result<()> {
    let mut control = Client::connect(redis)?;
    for (setting, value) in
        [("auto-aof-rewrite-percentage", "0"), ("appendfsync", "always"), ("appendonly", "yes")]
    {
        control.call(&["CONFIG", "SET", setting, value])?;
    }
    while control.info("aof_rewrite_in_progress")? != "0"
        || control.info("aof_rewrite_scheduled")? != "0"
    {
        pause(POLL);
    }
    Ok(())
}

/// Has a snapshot made and waits for it. Returns the bytes that Redis' child copied meanwhile.
fn snapshot(control: &mut Client, wire: Wire) -> Result<usize> {
    control.snapshot()?;
    if wire == Wire::Http {
        return Ok(0);
    }
    while control.info("rdb_bgsave_in_progress")? != "0" {
        pause(POLL);
    }
    Ok(control.info("rdb_last_cow_size")?.parse()?)
}

fn latencies(found: &[Found]) -> String {
    let head = ["", "p99 without", "p99 during", "ratio", "longest without", "longest during"];
    let mut table = Table::new(head);
    for found in found {
        let kinds = [
            ("reads", &found.without.reads, &found.during.reads),
            ("writes", &found.without.writes, &found.during.writes),
        ];
        for (kind, without, during) in kinds {
            table.push(vec![
                format!("{}, {kind}", found.name),
                time(us(without.value_at_quantile(0.99))),
                time(us(during.value_at_quantile(0.99))),
                format!("{:.2}", ratio(during, without)),
                time(us(without.max())),
                time(us(during.max())),
            ]);
        }
    }
    table.render()
}

fn costs(found: &[Found]) -> String {
    let mut table = Table::new(["", "seconds a snapshot", "memory", "at most", "ratio"]);
    for found in found {
        #[expect(clippy::cast_precision_loss, reason = "for printing")]
        let ratio = found.peak_bytes as f64 / found.memory_bytes as f64;
        table.push(vec![
            found.name.clone(),
            format!("{:.1}", found.seconds),
            bytes(found.memory_bytes),
            bytes(found.peak_bytes),
            format!("{ratio:.2}"),
        ]);
    }
    table.render()
}

#[expect(clippy::cast_precision_loss, reason = "for printing")]
fn ratio(during: &Times, without: &Times) -> f64 {
    during.value_at_quantile(0.99) as f64 / without.value_at_quantile(0.99) as f64
}

/// Microseconds as nanoseconds.
fn us(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX) * 1_000
}
