//! The settings of the HTTP front end: whom it lets in, and its limits.

use rankd_server::limits;

use super::table::{Setting, valued};
use super::values::{parse_count, parse_number, parse_path, parse_share};

/// Shortest and longest wait for a client, in milliseconds.
const WAIT_MS: std::ops::RangeInclusive<u64> = 1..=limits::WAIT_MS_MAX;

/// Them, in the order of the help.
pub(super) static SETTINGS: &[Setting] = &[
    valued(
        "keys",
        "FILE",
        "",
        "File of board keys (see `rankd key`); with one, boards are for those who have a key",
        |s, text| {
            s.keys = Some(parse_path(text)?);
            Ok(())
        },
    ),
    valued("tls_cert", "FILE", "", "Certificate, in PEM: speak TLS; needs tls_key", |s, text| {
        s.tls_cert = Some(parse_path(text)?);
        Ok(())
    }),
    valued("tls_key", "FILE", "", "Private key of the certificate, in PEM", |s, text| {
        s.tls_key = Some(parse_path(text)?);
        Ok(())
    }),
    valued(
        "connections_max",
        "N",
        "10000",
        "Most HTTP connections at a time; one more is told so and closed",
        |s, text| {
            s.tunables.connections_max = parse_count(text, limits::CONNECTIONS_MAX)?;
            Ok(())
        },
    ),
    valued(
        "requests_max",
        "N",
        "20000",
        "Most HTTP requests being answered at a time; one more is 503 with Retry-After",
        |s, text| {
            s.tunables.requests_max = parse_count(text, limits::REQUESTS_MAX)?;
            Ok(())
        },
    ),
    valued("head_read_ms", "MS", "10000", "Longest time for a request's head", |s, text| {
        s.tunables.head_read_ms = parse_number(text, WAIT_MS)?;
        Ok(())
    }),
    valued("body_read_ms", "MS", "30000", "Longest time for a request's body", |s, text| {
        s.tunables.body_read_ms = parse_number(text, WAIT_MS)?;
        Ok(())
    }),
    valued("write_ms", "MS", "30000", "Longest time for a client to take replies in", |s, text| {
        s.tunables.write_ms = parse_number(text, WAIT_MS)?;
        Ok(())
    }),
    valued("idle_ms", "MS", "60000", "Longest idle time of an HTTP/1 connection", |s, text| {
        s.tunables.idle_ms = parse_number(text, WAIT_MS)?;
        Ok(())
    }),
    valued("drain_ms", "MS", "10000", "Longest wait for running requests at the end", |s, text| {
        s.tunables.drain_ms = parse_number(text, 0..=limits::DRAIN_MS_MAX)?;
        Ok(())
    }),
    valued(
        "access_log",
        "SHARE",
        "0",
        "Share of the HTTP requests that the log shows, 0 to 1",
        |s, text| {
            s.tunables.access_log = parse_share(text)?;
            Ok(())
        },
    ),
    valued(
        "slow_ms",
        "MS",
        "1000",
        "Time from which on a request is logged as a slow one; 0: never",
        |s, text| {
            s.tunables.slow_ms = parse_number(text, 0..=limits::SLOW_MS_MAX)?;
            Ok(())
        },
    ),
];
