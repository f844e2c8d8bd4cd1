//! The server: INFO, CONFIG, COMMAND, SLOWLOG and what else clients and exporters ask for.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use crate::args::{is, long, size};
use crate::commands::{connection, unknown_subcommand};
use crate::failure::{Done, Failure};
use crate::glob;
use crate::limits::{BULK_BYTES_MAX, SLOW_LOG_MAX};
use crate::table::{self, Class, Command};
use crate::window::Cx;

/// The version of Redis whose commands and wording these are; clients choose by it.
pub(crate) const REDIS_VERSION: &str = "7.2.4";

pub(crate) fn time(cx: &mut Cx<'_, '_>, _args: &[&[u8]]) -> Done {
    let now_ms = cx.shared.engine.now_ms();
    cx.out.array(2);
    cx.out.bulk((now_ms / 1000).to_string().as_bytes());
    cx.out.bulk((now_ms % 1000 * 1000).to_string().as_bytes());
    Ok(())
}

pub(crate) fn wait(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NEGATIVE: Failure = Failure::new("ERR timeout is negative");
    const NOT_A_TIME: Failure = Failure::new("ERR timeout is not an integer or out of range");
    long(args[1])?;
    if long(args[2]).map_err(|_| NOT_A_TIME)? < 0 {
        return Err(NEGATIVE);
    }
    // There are no replicas to wait for; what was acknowledged is as durable as it gets.
    cx.out.integer(0);
    Ok(())
}

pub(crate) fn lastsave(cx: &mut Cx<'_, '_>, _args: &[&[u8]]) -> Done {
    cx.out.integer(cx.shared.last_save_ms.load(Ordering::Relaxed) / 1000);
    Ok(())
}

pub(crate) fn role(cx: &mut Cx<'_, '_>, _args: &[&[u8]]) -> Done {
    cx.out.array(3);
    cx.out.bulk(b"master");
    cx.out.integer(0);
    cx.out.array(0);
    Ok(())
}

/// There are no scripts, so there is nothing to flush.
pub(crate) fn script(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    if !is(args[1], "flush") {
        let name = String::from_utf8_lossy(args[0]).to_ascii_uppercase();
        return Err(unknown_subcommand(&name, args[1]));
    }
    cx.out.ok();
    Ok(())
}

pub(crate) fn cluster(_cx: &mut Cx<'_, '_>, _args: &[&[u8]]) -> Done {
    Err(Failure::new("ERR This instance has cluster support disabled"))
}

pub(crate) fn cluster_mode(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    cluster(cx, args)
}

pub(crate) fn latency(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match args[1] {
        word if is(word, "reset") => cx.out.integer(0),
        word if is(word, "latest") || is(word, "history") => cx.out.array(0),
        word => return Err(unknown_subcommand("LATENCY", word)),
    }
    Ok(())
}

pub(crate) fn slowlog(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const RANGE: Failure = Failure::new("ERR count should be greater than or equal to -1");
    match (args[1], &args[2..]) {
        (word, []) if is(word, "reset") => {
            cx.shared.slow_log.lock().clear();
            cx.out.ok();
        }
        (word, []) if is(word, "len") => cx.out.count(cx.shared.slow_log.lock().len()),
        (word, rest) if is(word, "get") && rest.len() <= 1 => {
            let count = rest.first().map_or(Ok(10), |count| long(count))?;
            if count < -1 {
                return Err(RANGE);
            }
            let count = if count < 0 { usize::MAX } else { size(count) };
            let log: Vec<_> = cx.shared.slow_log.lock().iter().take(count).cloned().collect();
            cx.out.array(log.len());
            for command in log {
                cx.out.array(6);
                cx.out.integer(i64::try_from(command.id).unwrap_or(i64::MAX));
                cx.out.integer(command.at_ms / 1000);
                cx.out.integer(i64::try_from(command.took_us).unwrap_or(i64::MAX));
                cx.out.array(command.args.len());
                command.args.iter().for_each(|arg| cx.out.bulk(arg));
                cx.out.bulk(command.client.as_bytes());
                cx.out.bulk(b"");
            }
        }
        (word, _) => return Err(unknown_subcommand("SLOWLOG", word)),
    }
    Ok(())
}

/// Writes one section of INFO.
type Section = fn(&mut String, &Cx<'_, '_>);

pub(crate) fn info(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let mut text = String::new();
    let sections: [(&str, Section); 8] = [
        ("Server", server_section),
        ("Clients", clients_section),
        ("Memory", memory_section),
        ("Persistence", persistence_section),
        ("Stats", stats_section),
        ("Replication", replication_section),
        ("CPU", cpu_section),
        ("Keyspace", keyspace_section),
    ];
    let everything = ["all", "default", "everything"];
    let is_all =
        args.len() == 1 || args[1..].iter().any(|arg| everything.iter().any(|word| is(arg, word)));
    for (name, write) in sections {
        if is_all || args[1..].iter().any(|arg| is(arg, name)) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _infallible = write!(text, "# {name}\r\n");
            write(&mut text, cx);
        }
    }
    cx.out.verbatim(&text);
    Ok(())
}

/// One line of INFO.
fn line(text: &mut String, name: &str, value: impl std::fmt::Display) {
    let _infallible = write!(text, "{name}:{value}\r\n");
}

fn server_section(text: &mut String, cx: &Cx<'_, '_>) {
    let uptime_s = (cx.shared.engine.now_ms() - cx.shared.started_ms) / 1000;
    line(text, "redis_version", REDIS_VERSION);
    line(text, "rankd_version", env!("CARGO_PKG_VERSION"));
    line(text, "redis_mode", "standalone");
    line(text, "os", std::env::consts::OS);
    line(text, "arch_bits", usize::BITS);
    line(text, "process_id", std::process::id());
    line(text, "tcp_port", cx.shared.port);
    line(text, "server_time_usec", cx.shared.engine.now_ms() * 1000);
    line(text, "uptime_in_seconds", uptime_s);
    line(text, "uptime_in_days", uptime_s / 86_400);
}

fn clients_section(text: &mut String, cx: &Cx<'_, '_>) {
    line(text, "connected_clients", connection::connected(cx));
    line(text, "maxclients", cx.shared.connections_max);
    line(text, "blocked_clients", cx.shared.hub.waiting());
}

fn memory_section(text: &mut String, _cx: &Cx<'_, '_>) {
    let resident = resident_bytes();
    line(text, "used_memory", resident);
    line(text, "used_memory_rss", resident);
    line(text, "used_memory_peak", resident);
    line(text, "maxmemory", 0);
    line(text, "maxmemory_policy", "noeviction");
    line(text, "mem_fragmentation_ratio", "1.00");
}

/// Bytes of memory that the process occupies; 0 where the system does not say.
fn resident_bytes() -> u64 {
    const PAGE_BYTES: u64 = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}

fn persistence_section(text: &mut String, cx: &Cx<'_, '_>) {
    let stats = cx.shared.engine.stats();
    line(text, "loading", 0);
    line(text, "rdb_changes_since_last_save", stats.sequence - stats.snapshot_sequence);
    line(text, "rdb_bgsave_in_progress", 0);
    line(text, "rdb_last_save_time", stats.snapshot_at_ms / 1000);
    line(text, "rdb_last_bgsave_status", if stats.snapshots_failed == 0 { "ok" } else { "err" });
    line(text, "aof_enabled", 1);
    line(text, "aof_rewrite_in_progress", 0);
    let is_ready = cx.shared.engine.health() == rankd_engine::Health::Ready;
    line(text, "aof_last_write_status", if is_ready { "ok" } else { "err" });
    line(text, "aof_current_size", stats.log_bytes);
}

fn stats_section(text: &mut String, cx: &Cx<'_, '_>) {
    let counters = &cx.shared.counters;
    line(text, "total_connections_received", counters.connections.load(Ordering::Relaxed));
    line(text, "total_commands_processed", counters.commands.load(Ordering::Relaxed));
    line(text, "total_net_input_bytes", counters.input_bytes.load(Ordering::Relaxed));
    line(text, "total_net_output_bytes", counters.output_bytes.load(Ordering::Relaxed));
    line(text, "rejected_connections", counters.rejected.load(Ordering::Relaxed));
    line(text, "expired_keys", counters.expired.load(Ordering::Relaxed));
    line(text, "expired_subkeys", counters.expired_members.load(Ordering::Relaxed));
    line(text, "evicted_keys", 0);
    line(text, "pubsub_channels", cx.shared.hub.channels().len());
    line(text, "pubsub_patterns", cx.shared.hub.patterns());
}

fn replication_section(text: &mut String, _cx: &Cx<'_, '_>) {
    line(text, "role", "master");
    line(text, "connected_slaves", 0);
}

/// Time of the processor that the process has used, from the system, in clock ticks of 10 ms.
fn cpu_section(text: &mut String, _cx: &Cx<'_, '_>) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold spaces; user and system time are fields 14 and 15.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let seconds = |field: usize| {
        let ticks = fields.split(' ').nth(field).and_then(|text| text.parse::<f64>().ok());
        ticks.unwrap_or(0.0) / 100.0
    };
    line(text, "used_cpu_sys", format_args!("{:.6}", seconds(12)));
    line(text, "used_cpu_user", format_args!("{:.6}", seconds(11)));
}

fn keyspace_section(text: &mut String, cx: &Cx<'_, '_>) {
    let keys = cx.turn.keys_count();
    if keys > 0 {
        let ends = cx.turn.ends_count();
        line(text, "db0", format_args!("keys={keys},expires={ends},avg_ttl=0"));
    }
}

/// Settings that clients ask for, with what they are here.
fn settings(cx: &Cx<'_, '_>) -> Vec<(&'static str, String)> {
    let shared = cx.shared;
    vec![
        ("appendonly", "yes".to_owned()),
        ("appendfsync", "always".to_owned()),
        ("databases", "1".to_owned()),
        ("maxclients", shared.connections_max.to_string()),
        ("maxmemory", "0".to_owned()),
        ("maxmemory-policy", "noeviction".to_owned()),
        ("notify-keyspace-events", shared.events()),
        ("proto-max-bulk-len", BULK_BYTES_MAX.to_string()),
        ("save", String::new()),
        ("slowlog-log-slower-than", shared.slower_than_us.load(Ordering::Relaxed).to_string()),
        ("slowlog-max-len", shared.slow_log_len.load(Ordering::Relaxed).to_string()),
        ("timeout", (shared.idle_ms.load(Ordering::Relaxed) / 1000).to_string()),
    ]
}

pub(crate) fn config(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match (args[1], &args[2..]) {
        (word, patterns) if is(word, "get") && !patterns.is_empty() => {
            let mut found = settings(cx);
            found.retain(|(name, _)| {
                patterns.iter().any(|p| glob::matches(&p.to_ascii_lowercase(), name.as_bytes()))
            });
            cx.out.map(found.len());
            for (name, value) in found {
                cx.out.bulk(name.as_bytes());
                cx.out.bulk(value.as_bytes());
            }
        }
        (word, pairs) if is(word, "set") && !pairs.is_empty() && pairs.len().is_multiple_of(2) => {
            for pair in pairs.chunks_exact(2) {
                set(cx, pair[0], pair[1])?;
            }
            cx.out.ok();
        }
        (word, []) if is(word, "resetstat") => {
            let counters = &cx.shared.counters;
            let expired = [&counters.expired, &counters.expired_members];
            for counter in [&counters.commands, &counters.connections].into_iter().chain(expired) {
                counter.store(0, Ordering::Relaxed);
            }
            cx.out.ok();
        }
        (word, []) if is(word, "rewrite") => {
            return Err(Failure::new("ERR The server is running without a config file"));
        }
        (word, _) => return Err(unknown_subcommand("CONFIG", word)),
    }
    Ok(())
}

/// Changes a setting that can be changed while the server runs.
fn set(cx: &mut Cx<'_, '_>, name: &[u8], value: &[u8]) -> Done {
    let shared = cx.shared;
    let refused = |why: &str| {
        let name = String::from_utf8_lossy(name);
        Failure::of(format!(
            "ERR CONFIG SET failed (possibly related to argument '{name}') - {why}"
        ))
    };
    let number = || long(value).map_err(|_| refused("argument couldn't be parsed into an integer"));
    match name {
        name if is(name, "notify-keyspace-events") => {
            if !shared.set_events(value) {
                return Err(refused("Invalid event class character. Use 'Ag$lshzxeKEtmdn'."));
            }
        }
        name if is(name, "slowlog-log-slower-than") => {
            shared.slower_than_us.store(number()?, Ordering::Relaxed);
        }
        name if is(name, "slowlog-max-len") => {
            let len = size(number()?).min(SLOW_LOG_MAX);
            shared.slow_log_len.store(len, Ordering::Relaxed);
        }
        name if is(name, "timeout") => {
            let idle_ms = number()?.clamp(0, i64::from(i32::MAX)).unsigned_abs() * 1000;
            shared.idle_ms.store(idle_ms, Ordering::Relaxed);
        }
        name if settings(cx).iter().any(|(known, _)| is(name, known)) => {
            return Err(refused("can't set immutable config"));
        }
        name => {
            let name = String::from_utf8_lossy(name);
            return Err(Failure::of(format!(
                "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
            )));
        }
    }
    Ok(())
}

pub(crate) fn command(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match args.get(1) {
        None => {
            let all: Vec<_> = table::all().collect();
            cx.out.array(all.len());
            all.into_iter().for_each(|command| describe(cx, command));
        }
        Some(word) if is(word, "count") && args.len() == 2 => {
            cx.out.count(table::all().count());
        }
        Some(word) if is(word, "docs") => cx.out.map(0),
        Some(word) if is(word, "list") && args.len() == 2 => {
            let all: Vec<_> = table::all().collect();
            cx.out.array(all.len());
            all.iter().for_each(|command| cx.out.bulk(command.name.as_bytes()));
        }
        Some(word) if is(word, "info") => {
            cx.out.array(args.len() - 2);
            for name in &args[2..] {
                match table::find(name) {
                    Some(command) => describe(cx, command),
                    None => cx.out.null_array(),
                }
            }
        }
        Some(word) if is(word, "getkeys") && args.len() > 2 => get_keys(cx, &args[2..])?,
        Some(word) => return Err(unknown_subcommand("COMMAND", word)),
    }
    Ok(())
}

/// A command as COMMAND shows it.
fn describe(cx: &mut Cx<'_, '_>, command: &Command) {
    let flag = match command.class {
        Class::Read => "readonly",
        Class::Write | Class::Special(_) => "write",
        Class::Plain => "fast",
    };
    let (first, last, step) = command.keys;
    cx.out.array(10);
    cx.out.bulk(command.name.as_bytes());
    cx.out.integer(command.arity);
    cx.out.set(1);
    cx.out.simple(flag);
    cx.out.integer(first);
    cx.out.integer(last);
    cx.out.integer(step);
    cx.out.set(0);
    cx.out.array(0);
    cx.out.array(0);
    cx.out.array(0);
}

fn get_keys(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const UNKNOWN: Failure = Failure::new("ERR Invalid command specified");
    const ARITY: Failure = Failure::new("ERR Invalid number of arguments specified for command");
    const NO_KEYS: Failure = Failure::new("ERR The command has no key arguments");
    let command = table::find(args[0]).ok_or(UNKNOWN)?;
    if !command.takes(args.len()) {
        return Err(ARITY);
    }
    let keys = keys_of(command, args);
    if keys.is_empty() {
        return Err(NO_KEYS);
    }
    cx.out.array(keys.len());
    keys.into_iter().for_each(|key| cx.out.bulk(key));
    Ok(())
}

/// The arguments that are keys.
fn keys_of<'a>(command: &Command, args: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let counted = |at: usize| {
        let count = args.get(at).and_then(|count| long(count).ok()).map_or(0, size);
        args.iter().skip(at + 1).take(count).copied().collect::<Vec<_>>()
    };
    match command.name {
        "zunion" | "zinter" | "zdiff" | "zintercard" | "zmpop" | "sintercard" => counted(1),
        "bzmpop" => counted(2),
        "zunionstore" | "zinterstore" | "zdiffstore" => [vec![args[1]], counted(2)].concat(),
        "bzpopmin" | "bzpopmax" => args[1..args.len() - 1].to_vec(),
        _ => {
            let (first, last, step) = command.keys;
            let last = if last < 0 { args.len() } else { size(last) + 1 };
            let keys = args.get(size(first)..last).unwrap_or_default();
            if first == 0 { Vec::new() } else { keys.iter().step_by(size(step)).copied().collect() }
        }
    }
}
