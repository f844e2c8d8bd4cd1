//! What is tested: a URL, taken apart.

use crate::error::LoadError;

/// The languages that a target may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Redis,
}

/// A server to test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) scheme: Scheme,
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// A database of Redis.
    pub(crate) database: Option<u32>,
}

impl Target {
    /// Reads `http://HOST[:PORT]` or `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`.
    ///
    /// ```
    /// use rankd_load::Target;
    ///
    /// assert_eq!(Target::parse("redis://[::1]")?.address(), "[::1]:6379");
    /// assert!(Target::parse("ftp://example.com").is_err());
    /// # Ok::<(), rankd_load::LoadError>(())
    /// ```
    ///
    /// # Errors
    /// Another scheme, a missing host, a port that is none, or parts that mean nothing here.
    pub fn parse(url: &str) -> Result<Self, LoadError> {
        parse(url).map_err(|reason| LoadError::Target { url: without_password(url), reason })
    }

    /// Host and port, as they are written in URLs.
    #[must_use]
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The URL without user and password.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.scheme == Scheme::Http { "http" } else { "redis" };
        format!("{scheme}://{}", self.address())
    }
}

fn parse(url: &str) -> Result<Target, &'static str> {
    let (scheme, rest) =
        url.split_once("://").ok_or("it has no scheme; write http:// before it")?;
    let (scheme, port) = match scheme {
        "http" => (Scheme::Http, 80),
        "redis" => (Scheme::Redis, 6379),
        "https" | "rediss" => return Err("TLS is not spoken here"),
        _ => return Err("the scheme must be http or redis"),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user_info, host_port) = match authority.rsplit_once('@') {
        Some((user_info, host_port)) => (Some(user_info), host_port),
        None => (None, authority),
    };
    let (host, port) = host_and_port(host_port, port)?;
    let (user, password) = match (scheme, user_info) {
        (_, None) => (None, None),
        (Scheme::Http, Some(_)) => return Err("HTTP takes no user or password here"),
        (Scheme::Redis, Some(info)) => {
            let (user, password) = info.split_once(':').ok_or("the user has no password")?;
            (Some(user).filter(|user| !user.is_empty()), Some(password))
        }
    };
    let database = match (scheme, path) {
        (_, "") => None,
        (Scheme::Http, _) => return Err("it has a path; only scheme, host and port are wanted"),
        (Scheme::Redis, path) => {
            Some(path.parse().map_err(|_| "the path of a Redis URL is a database's number")?)
        }
    };
    let (user, password) = (user.map(str::to_owned), password.map(str::to_owned));
    Ok(Target { scheme, host: host.to_owned(), port, user, password, database })
}

fn host_and_port(text: &str, default: u16) -> Result<(&str, u16), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("a bracket is not closed")?;
            (host, if after.is_empty() { None } else { Some(after.trim_start_matches(':')) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:%".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_legal) {
        return Err("it has no host, or one with characters that hosts do not have");
    }
    let Some(port) = port else { return Ok((host, default)) };
    let port = port.parse().ok().filter(|port| *port > 0);
    Ok((host, port.ok_or("the port must be a number from 1 to 65535")?))
}

/// A URL as an error shows it.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://...@{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let http = Target::parse("http://example.com/").unwrap();
        assert_eq!((http.scheme, http.address()), (Scheme::Http, "example.com:80".to_owned()));
        let redis = Target::parse("redis://me:p@ss:w@10.0.0.1:7000/3").unwrap();
        assert_eq!(redis.user.as_deref(), Some("me"));
        assert_eq!(redis.password.as_deref(), Some("p@ss:w"));
        assert_eq!((redis.port, redis.database), (7000, Some(3)));
        assert_eq!(redis.url(), "redis://10.0.0.1:7000");
        assert_eq!(Target::parse("redis://:pw@h").unwrap().user, None);
        assert_eq!(Target::parse("http://[::1]:8080").unwrap().address(), "[::1]:8080");
    }

    #[test]
    fn what_cannot_be_tested_is_told_without_its_password() {
        for (bad, why) in [
            ("localhost:8080", "no scheme"),
            ("https://h", "TLS"),
            ("gopher://h", "scheme must be"),
            ("http://", "no host"),
            ("http://a b", "no host"),
            ("http://h:0", "port"),
            ("http://h:65536", "port"),
            ("http://[::1", "bracket"),
            ("http://h/v1", "path"),
            ("http://u:p@h", "no user"),
            ("redis://secret@h", "no password"),
            ("redis://:secret@h/x", "number"),
        ] {
            let error = Target::parse(bad).unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
