//! Where a request comes from, as far as a browser gives it away. There are no credentials that
//! a web page could lack, so a server on loopback would obey any page that its user looks at.
//!
//! It is no access control: who is not a browser can write any header. Two rules: a server on
//! loopback answers to loopback's own names only (a foreign name that resolves to loopback makes
//! its page "the same origin"), and a page of another host may not write.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Uri};

use crate::problem::{Problem, Slug, shown};

const FETCH_SITE: &str = "sec-fetch-site";

/// Refuses a request that is addressed to something else than this machine's loopback.
pub(crate) fn check_host(head: &Request<()>) -> Result<(), Problem> {
    let named = head.headers().get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    let target = head.uri().authority().map(|authority| authority.as_str().as_bytes());
    match target.into_iter().chain(named).find(|&host| !is_loopback(host)) {
        None => Ok(()),
        Some(host) => Err(Problem::new(
            Slug::UnknownHost,
            format!(
                "Host is {:?}; this server listens on loopback, where it must be localhost or a \
                 loopback address, with any port",
                shown(&String::from_utf8_lossy(host))
            ),
        )),
    }
}

/// Whether `host` names this machine to itself.
pub(crate) fn is_loopback(host: &[u8]) -> bool {
    host_of(host).is_some_and(|name| {
        name == "localhost"
            || name
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|address| address.to_canonical().is_loopback())
    })
}

/// Refuses a write that a browser says another site's page makes.
pub(crate) fn check_site(head: &Request<()>) -> Result<(), Problem> {
    match head.headers().get(FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin") => return Ok(()),
        Some(b"cross-site") => {
            let detail = "Sec-Fetch-Site is cross-site; it must be absent, none, same-site or \
                          same-origin";
            return Err(Problem::new(Slug::CrossSite, detail));
        }
        _ => {}
    }
    let Some(origin) = head.headers().get(header::ORIGIN) else { return Ok(()) };
    let host = addressed(head.uri(), head.headers());
    if host.is_some() && host_of(origin.as_bytes()) == host {
        return Ok(());
    }
    let detail = format!(
        "Origin is {:?}; its host must be that of the request, which is {:?}",
        shown(&String::from_utf8_lossy(origin.as_bytes())),
        shown(host.as_deref().unwrap_or("missing"))
    );
    Err(Problem::new(Slug::CrossSite, detail))
}

/// The host that a request is addressed to, without its port.
fn addressed(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    match uri.host() {
        Some(host) => Some(host.to_ascii_lowercase()),
        None => host_of(headers.get(header::HOST)?.as_bytes()),
    }
}

/// The host of `host`, `host:port` or `scheme://host:port`, in small letters.
fn host_of(text: &[u8]) -> Option<String> {
    Uri::try_from(text).ok()?.host().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_few_names() {
        for local in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.9.9.9:80",
            "[::1]",
            "[::1]:8080",
            "[::ffff:127.0.0.1]:8080",
        ] {
            assert!(is_loopback(local.as_bytes()), "{local}");
        }
        for foreign in [
            "",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "localhost@evil.example",
            "0.0.0.0:8080",
            "192.168.0.1",
            "[::2]:8080",
            "/localhost",
            "local host",
        ] {
            assert!(!is_loopback(foreign.as_bytes()), "{foreign}");
        }
    }
}
