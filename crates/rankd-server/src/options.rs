//! What a server can be told, and why it would not start.

use std::fmt;
use std::net::SocketAddr;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::limits;

/// The operator's key, kept as its SHA-256 and compared in constant time.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminKey([u8; 32]);

impl AdminKey {
    /// The key of this text.
    ///
    /// ```
    /// use rankd_server::AdminKey;
    ///
    /// assert!(AdminKey::new("correct-horse-battery-staple").is_ok());
    /// assert!(AdminKey::new("too short").is_err());
    /// ```
    ///
    /// # Errors
    /// It has less than [`limits::ADMIN_KEY_BYTES_MIN`] bytes, or characters that a header cannot
    /// carry: it must be visible ASCII.
    pub fn new(text: &str) -> Result<Self, ServerError> {
        let is_legal = text.len() >= limits::ADMIN_KEY_BYTES_MIN
            && text.len() <= limits::SECRET_BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_legal { Ok(Self(digest(text))) } else { Err(ServerError::AdminKey) }
    }

    /// Whether this is the key; takes the same time either way.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.0.ct_eq(&digest(text)).into()
    }
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKey(..)")
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// How the server listens and how patient it is.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Address to listen on; port 0 takes a free one.
    pub http: SocketAddr,
    /// Serve addresses other than loopback although nobody has to say who they are.
    pub allow_anonymous: bool,
    /// The operator's key: whoever shows it may do everything with organisations.
    pub admin_key: Option<AdminKey>,
    /// Serve the web console at `/`.
    pub console: bool,
    /// Most connections at a time; 1 to [`limits::CONNECTIONS_MAX`].
    pub connections_max: usize,
    /// Longest time for a request's head, in milliseconds; 1 to [`limits::READ_MS_MAX`]. It is also
    /// the longest idle time of an HTTP/1 connection that has asked anything but plain questions.
    pub head_read_ms: u64,
    /// Longest idle time of other HTTP/1 connections, in milliseconds; 1 to
    /// [`limits::READ_MS_MAX`].
    pub idle_ms: u64,
    /// Longest time for a request's body, in milliseconds; 1 to [`limits::READ_MS_MAX`].
    pub body_read_ms: u64,
    /// Longest wait for running requests at shutdown, in milliseconds; at most
    /// [`limits::DRAIN_MS_MAX`].
    pub drain_ms: u64,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            allow_anonymous: false,
            admin_key: None,
            console: true,
            connections_max: limits::CONNECTIONS_MAX,
            head_read_ms: 10_000,
            idle_ms: 60_000,
            body_read_ms: 30_000,
            drain_ms: limits::DRAIN_MS_MAX,
        }
    }
}

impl ServerOptions {
    /// Checks every option against its limits.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        if !self.http.ip().is_loopback() && !self.allow_anonymous {
            return Err(ServerError::Anonymous(self.http));
        }
        let connections_max = u64::try_from(self.connections_max).unwrap_or(u64::MAX);
        within("connections_max", connections_max, 1, limits::CONNECTIONS_MAX as u64)?;
        within("head_read_ms", self.head_read_ms, 1, limits::READ_MS_MAX)?;
        within("idle_ms", self.idle_ms, 1, limits::READ_MS_MAX)?;
        within("body_read_ms", self.body_read_ms, 1, limits::READ_MS_MAX)?;
        within("drain_ms", self.drain_ms, 0, limits::DRAIN_MS_MAX)
    }
}

fn within(option: &'static str, value: u64, min: u64, max: u64) -> Result<(), ServerError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ServerError::Option { option, value, min, max })
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address can be reached from elsewhere, and there are no credentials.
    #[error(
        "{0} can be reached from other machines, and anyone there could read and change every \
         board: this server has no credentials yet. Listen on a loopback address such as \
         127.0.0.1, or allow anonymous access explicitly (allow_anonymous)"
    )]
    Anonymous(SocketAddr),
    /// The operator's key is too short, too long, or not visible ASCII. It is not repeated here.
    #[error(
        "the operator's key (admin_key) must have {} to {} characters of visible ASCII, no blanks",
        limits::ADMIN_KEY_BYTES_MIN,
        limits::SECRET_BYTES_MAX
    )]
    AdminKey,
    /// An option is outside its limits.
    #[error("{option} is {value}; allowed are {min} to {max}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// What was given.
        value: u64,
        /// Smallest legal value.
        min: u64,
        /// Largest legal value.
        max: u64,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}
