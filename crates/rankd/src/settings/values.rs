//! The values that settings take, from text. Each error says what was given and what is legal.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use rankd_redis::RedisOptions;
use tracing::level_filters::LevelFilter;

/// Where the data lives.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Store {
    Embedded,
    Memory,
    /// The URL, which may hold a password.
    Redis(String),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "Embedded",
            Self::Memory => "Memory",
            Self::Redis(_) => "Redis(..)",
        })
    }
}

/// When a write is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    Always,
    Interval,
    Os,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

pub(super) fn parse_store(text: &str) -> Result<Store, String> {
    match text {
        "embedded" => Ok(Store::Embedded),
        "memory" => Ok(Store::Memory),
        // A URL may hold a password and is not repeated.
        _ if RedisOptions::is_url(text) => match RedisOptions::parse(text) {
            Ok(_) => Ok(Store::Redis(text.to_owned())),
            Err(error) => Err(format!("this is not the URL of a Redis store: {error}")),
        },
        _ => Err(format!("`{text}` is not a store; use embedded, memory or redis://...")),
    }
}

pub(super) fn parse_durability(text: &str) -> Result<Durability, String> {
    match text {
        "always" => Ok(Durability::Always),
        "interval" => Ok(Durability::Interval),
        "os" => Ok(Durability::Os),
        _ => Err(format!("`{text}` is not a durability; use always, interval or os")),
    }
}

pub(super) fn parse_log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` is not a log format; use text or json")),
    }
}

pub(super) fn parse_level(text: &str) -> Result<LevelFilter, String> {
    match text {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err(format!("`{text}` is not a level; use error, warn, info, debug or trace")),
    }
}

pub(super) fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

/// An address with a port; `localhost` stands for 127.0.0.1.
pub(super) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    if let Some(port) = local {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| {
        format!("`{text}` is not an address with a port, such as 127.0.0.1:8080 or [::1]:8080")
    })
}

pub(super) fn parse_number(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        format!("`{text}` is not a whole number from {} to {}", range.start(), range.end())
    })
}

/// A number of things, at least one.
pub(super) fn parse_count(text: &str, max: usize) -> Result<usize, String> {
    let number = parse_number(text, 1..=u64::try_from(max).unwrap_or(u64::MAX))?;
    Ok(usize::try_from(number).expect("it is at most a usize"))
}

/// A share of a whole.
pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("`{text}` is not a number from 0 to 1, such as 0.01"))
}

/// A file.
pub(super) fn parse_path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("the file has no name".to_owned());
    }
    Ok(PathBuf::from(text))
}

/// A number of bytes, with KiB, MiB or GiB after it if need be.
pub(super) fn parse_bytes(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let units = [("KiB", 1_u64 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (number, unit) = units
        .iter()
        .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)))
        .unwrap_or((text, 1));
    let bytes = number.trim_end().parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    bytes.filter(|bytes| range.contains(bytes)).ok_or_else(|| {
        format!(
            "`{text}` is not a size from {} to {} bytes, such as 268435456 or 256MiB",
            range.start(),
            range.end()
        )
    })
}
