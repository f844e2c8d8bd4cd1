//! The values that settings take, from text. Each error says what was given and what is legal.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use tracing::level_filters::LevelFilter;

/// Where the data lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Embedded,
    Memory,
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

/// URL schemes of the stores that other builds will have.
const REDIS_SCHEMES: [&str; 4] = ["redis://", "rediss://", "redis+cluster://", "redis+sentinel://"];

pub(super) fn parse_store(text: &str) -> Result<Store, String> {
    match text {
        "embedded" => Ok(Store::Embedded),
        "memory" => Ok(Store::Memory),
        _ => match REDIS_SCHEMES.iter().find(|scheme| text.starts_with(**scheme)) {
            // The rest of the URL may hold a password and is not repeated.
            Some(scheme) => Err(format!(
                "this build does not speak {scheme} to a store yet; use embedded or memory"
            )),
            None => Err(format!("`{text}` is not a store; use embedded or memory")),
        },
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
