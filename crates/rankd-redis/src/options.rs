//! What the URL of a Redis store says.
//!
//! | URL | servers |
//! |---|---|
//! | `redis://[user:password@]host[:port][/db]` | one server; `rediss` with TLS |
//! | `redis+unix:///path/to/socket` | one server on this machine |
//! | `redis+sentinel://host:port,host:port/name[/db]` | the primary that Sentinels name |
//! | `redis+cluster://host:port,host:port` | a cluster, found through any of these |
//!
//! Parameters after `?`: `partitions`, `prefix`, `wait` (replicas that must have a write before it
//! is acknowledged), `timeout_ms`, `staleness_ms`, `stream_entries`, `stream_mib`, `create`.

use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};

use crate::layout::Layout;
use crate::limits::{
    PARTITIONS_DEFAULT, PARTITIONS_MAX, PREFIX_BYTES_MAX, STALENESS_MS_DEFAULT,
    STREAM_ENTRIES_DEFAULT, STREAM_ENTRIES_MIN, STREAM_MIB_DEFAULT, STREAM_MIB_MAX,
    TIMEOUT_MS_DEFAULT,
};

/// Where a Redis store is and how it is used. Made from a URL: [`RedisOptions::parse`].
#[derive(Debug, Clone)]
pub struct RedisOptions {
    pub(crate) servers: Servers,
    pub(crate) layout: Layout,
    /// Replicas that must have a write before it is acknowledged.
    pub(crate) wait_replicas: u32,
    pub(crate) timeout: Duration,
    pub(crate) staleness: Duration,
    pub(crate) stream_entries: u64,
    pub(crate) stream_bytes: u64,
    /// Whether a store is made where there is none.
    pub(crate) creates: bool,
}

/// Which servers there are.
#[derive(Debug, Clone)]
pub(crate) enum Servers {
    One(Box<ConnectionInfo>),
    Sentinel { sentinels: Vec<ConnectionInfo>, name: String, template: Box<ConnectionInfo> },
    Cluster { seeds: Vec<ConnectionInfo> },
}

/// Why a URL is not that of a Redis store. It never repeats the URL, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OptionsError(String);

impl RedisOptions {
    /// Whether the text begins like the URL of a Redis store.
    #[must_use]
    pub fn is_url(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| SCHEMES.contains(&scheme))
    }

    /// Reads a URL.
    ///
    /// # Errors
    /// If it is malformed or a parameter is outside its limits.
    ///
    /// ```
    /// use rankd_redis::RedisOptions;
    /// assert!(RedisOptions::parse("redis://127.0.0.1:6379?partitions=16&wait=1").is_ok());
    /// assert!(RedisOptions::parse("redis://127.0.0.1:6379?partitions=0").is_err());
    /// ```
    pub fn parse(url: &str) -> Result<Self, OptionsError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| fault("it is not a URL"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parameters = Parameters { partitions: PARTITIONS_DEFAULT, ..Parameters::default() };
        let mut passed_on = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !parameters.set(name, value)? {
                passed_on.push(pair);
            }
        }
        let servers = servers(scheme, place, &passed_on.join("&"))?;
        let Parameters { partitions, prefix, wait, timeout_ms, staleness_ms, entries, .. } =
            parameters;
        Ok(Self {
            servers,
            layout: Layout { prefix: prefix.unwrap_or_else(|| "rankd".to_owned()), partitions },
            wait_replicas: wait,
            timeout: Duration::from_millis(timeout_ms.unwrap_or(TIMEOUT_MS_DEFAULT)),
            staleness: Duration::from_millis(staleness_ms.unwrap_or(STALENESS_MS_DEFAULT)),
            stream_entries: entries.unwrap_or(STREAM_ENTRIES_DEFAULT),
            stream_bytes: parameters.stream_mib.unwrap_or(STREAM_MIB_DEFAULT) << 20,
            creates: !parameters.finds_only,
        })
    }
}

const SCHEMES: [&str; 7] = [
    "redis",
    "rediss",
    "redis+unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
];

#[derive(Default)]
struct Parameters {
    partitions: u16,
    prefix: Option<String>,
    wait: u32,
    timeout_ms: Option<u64>,
    staleness_ms: Option<u64>,
    entries: Option<u64>,
    stream_mib: Option<u64>,
    finds_only: bool,
}

impl Parameters {
    /// Takes a parameter; `false` if it is not one of this store's.
    fn set(&mut self, name: &str, value: &str) -> Result<bool, OptionsError> {
        match name {
            "partitions" => self.partitions = within(name, value, 1, PARTITIONS_MAX)?,
            "prefix" => self.prefix = Some(prefix(value)?),
            "wait" => self.wait = within(name, value, 0, 100)?,
            "timeout_ms" => self.timeout_ms = Some(within(name, value, 10, 60_000)?),
            "staleness_ms" => self.staleness_ms = Some(within(name, value, 1_000, 3_600_000)?),
            "stream_entries" => {
                self.entries = Some(within(name, value, STREAM_ENTRIES_MIN, u64::from(u32::MAX))?);
            }
            "stream_mib" => self.stream_mib = Some(within(name, value, 1, STREAM_MIB_MAX)?),
            "create" => {
                self.finds_only = match value {
                    "yes" => false,
                    "no" => true,
                    _ => return Err(fault("create must be yes or no")),
                };
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn within<T>(name: &str, value: &str, min: T, max: T) -> Result<T, OptionsError>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display + Copy,
{
    let number = value.parse().ok().filter(|number| (&min..=&max).contains(&number));
    number.ok_or_else(|| fault(format!("{name} must be a whole number from {min} to {max}")))
}

fn prefix(value: &str) -> Result<String, OptionsError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if value.is_empty() || value.len() > PREFIX_BYTES_MAX || !value.chars().all(is_plain) {
        let what = "prefix must have 1 to 64 letters, digits, hyphens, dots or underscores";
        return Err(fault(what));
    }
    Ok(value.to_owned())
}

fn servers(scheme: &str, place: &str, query: &str) -> Result<Servers, OptionsError> {
    let plain = if scheme.starts_with("rediss") { "rediss" } else { "redis" };
    match scheme {
        "redis" | "rediss" | "redis+unix" => {
            connection(&format!("{scheme}://{place}?{query}")).map(Box::new).map(Servers::One)
        }
        "redis+cluster" | "rediss+cluster" => {
            let seeds = each_host(place, |host| connection(&format!("{plain}://{host}?{query}")))?;
            Ok(Servers::Cluster { seeds })
        }
        "redis+sentinel" | "rediss+sentinel" => {
            let (hosts, path) = place.split_once('/').unwrap_or((place, ""));
            let (name, db) = path.split_once('/').unwrap_or((path, "0"));
            if name.is_empty() {
                return Err(fault("after the Sentinels comes / and the name of the primary"));
            }
            let first = hosts.split(',').next().unwrap_or(hosts);
            let template = connection(&format!("{plain}://{first}/{db}?{query}"))?;
            let ask = |host: &str| {
                // The credentials are those of the servers, not of the Sentinels.
                let info = connection(&format!("{plain}://{host}?{query}"))?;
                Ok(info.set_redis_settings(RedisConnectionInfo::default()))
            };
            let sentinels = each_host(hosts, ask)?;
            Ok(Servers::Sentinel { sentinels, name: name.to_owned(), template: Box::new(template) })
        }
        _ => Err(fault(format!("it must begin with one of: {}", SCHEMES.join(", ")))),
    }
}

/// Makes something of each host of a list; the credentials before the first count for all.
fn each_host(
    place: &str,
    make: impl Fn(&str) -> Result<ConnectionInfo, OptionsError>,
) -> Result<Vec<ConnectionInfo>, OptionsError> {
    let (credentials, hosts) = match place.rsplit_once('@') {
        Some((credentials, hosts)) => (format!("{credentials}@"), hosts),
        None => (String::new(), place),
    };
    hosts.split(',').map(|host| make(&format!("{credentials}{host}"))).collect()
}

fn connection(url: &str) -> Result<ConnectionInfo, OptionsError> {
    url.into_connection_info().map_err(|error| fault(error.to_string()))
}

fn fault(what: impl Into<String>) -> OptionsError {
    OptionsError(what.into())
}

/// The same credentials and TLS settings, another host.
pub(crate) fn at(template: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let host = host.to_owned();
    let address = match template.addr() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    template.clone().set_addr(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> String {
        RedisOptions::parse(url).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn parameters_have_limits() {
        let options = RedisOptions::parse("redis://h:1/2?prefix=a.b&partitions=8&wait=2").unwrap();
        assert_eq!((options.layout.prefix.as_str(), options.layout.partitions), ("a.b", 8));
        assert_eq!(options.wait_replicas, 2);
        assert_eq!(
            error("redis://h?partitions=0"),
            "partitions must be a whole number from 1 to 1024"
        );
        assert!(error("redis://h?prefix=%7B").starts_with("prefix must"));
        assert!(error("redis://h?stream_entries=1").starts_with("stream_entries must"));
        assert_eq!(error("redis://h?create=perhaps"), "create must be yes or no");
        assert!(error("http://h").starts_with("it must begin with one of"));
    }

    #[test]
    fn every_kind_of_deployment_has_its_url() {
        let one = RedisOptions::parse("rediss://ann:secret@h:7000/3").unwrap();
        let Servers::One(info) = one.servers else { panic!("one server") };
        assert_eq!(
            (info.redis_settings().username(), info.redis_settings().db()),
            (Some("ann"), 3)
        );
        let unix = RedisOptions::parse("redis+unix:///tmp/s?partitions=4").unwrap();
        let Servers::One(info) = unix.servers else { panic!("one server") };
        assert_eq!(info.addr().to_string(), "/tmp/s");
        let cluster = RedisOptions::parse("redis+cluster://ann:x@a:1,b:2").unwrap();
        let Servers::Cluster { seeds } = cluster.servers else { panic!("a cluster") };
        assert_eq!(seeds[1].addr().to_string(), "b:2");
        assert_eq!(seeds[1].redis_settings().username(), Some("ann"));
        let watched = RedisOptions::parse("redis+sentinel://:x@a:1,b:2/main/1").unwrap();
        let Servers::Sentinel { sentinels, name, template } = watched.servers else {
            panic!("sentinels")
        };
        assert_eq!(
            (sentinels.len(), name.as_str(), template.redis_settings().db()),
            (2, "main", 1)
        );
        assert_eq!(sentinels[0].redis_settings().password(), None);
        assert!(error("redis+sentinel://a:1").contains("name of the primary"));
    }

    #[test]
    fn errors_never_repeat_a_password() {
        for url in ["redis://ann:secret@", "redis+cluster://ann:secret@a:x", "x://secret"] {
            assert!(!error(url).contains("secret"), "{}", error(url));
        }
    }
}
