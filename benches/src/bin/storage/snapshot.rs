//! What readers and writers notice of a snapshot of a large board, and of `BGSAVE`.
//!
//! Method: a steady load, every second request a write; phases without and with a snapshot take
//! turns, so that both see the same machine. What is told of a row is the median of its phases: a
//! machine that others use has bad seconds, which would decide about all phases taken together.

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

/// What a server's run came to: phase by phase, in order.
struct Found {
    name: String,
    without: Vec<Phase>,
    during: Vec<Phase>,
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
    let phases = steady.run(1 + 2 * arguments.rounds, |switch| {
        switch.to(WARMING);
        pause(Duration::from_secs(2));
        for round in 0..arguments.rounds {
            switch.to(1 + 2 * round);
            pause(Duration::from_secs(arguments.seconds));
            memory = memory_bytes(process, "VmRSS")?;
            forget_peak(process)?;
            // A new one each time: the server does not keep one that rests as long as a phase.
            let mut control = Client::connect(peer)?;
            let begun = Instant::now();
            switch.to(2 + 2 * round);
            let copied = snapshot(&mut control, peer.wire)?;
            switch.to(WARMING);
            seconds += begun.elapsed().as_secs_f64();
            peak = peak.max(memory_bytes(process, "VmHWM")? + copied);
            pause(Duration::from_secs(1));
        }
        Ok(())
    })?;
    let (mut without, mut during) = (Vec::new(), Vec::new());
    for (number, phase) in phases.into_iter().enumerate().skip(1) {
        if number % 2 == 1 { without.push(phase) } else { during.push(phase) }
    }
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
    let reads: fn(&Phase) -> &Times = |phase| &phase.reads;
    let writes: fn(&Phase) -> &Times = |phase| &phase.writes;
    for found in found {
        for (kind, times) in [("reads", reads), ("writes", writes)] {
            let without: Vec<_> = found.without.iter().map(times).collect();
            let during: Vec<_> = found.during.iter().map(times).collect();
            #[expect(clippy::cast_precision_loss, reason = "for printing")]
            let ratio = p99(&during) as f64 / p99(&without) as f64;
            table.push(vec![
                format!("{}, {kind}", found.name),
                time(us(p99(&without))),
                time(us(p99(&during))),
                format!("{ratio:.2}"),
                time(us(longest(&without))),
                time(us(longest(&during))),
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

/// The median of the phases' 99th percentiles.
fn p99(phases: &[&Times]) -> u64 {
    let mut values: Vec<u64> = phases.iter().map(|times| times.value_at_quantile(0.99)).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// The longest time of all phases.
fn longest(phases: &[&Times]) -> u64 {
    phases.iter().map(|times| times.max()).max().unwrap_or(0)
}

/// Microseconds as nanoseconds.
fn us(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX) * 1_000
}
