//! What a server can be told, and why it would not start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::keys::KeyFileError;
use crate::limits;
use crate::tls::TlsError;
use crate::tunables::Tunables;

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

/// What is kept of a secret.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Where the server's certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM file of the certificate, followed by those that it rests on.
    pub cert: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
}

/// How the server listens, whom it lets in, and how patient it is.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Address to listen on; port 0 takes a free one.
    pub http: SocketAddr,
    /// Serve addresses other than loopback although nobody has to say who they are.
    pub allow_anonymous: bool,
    /// The operator's key: whoever shows it may do everything with organisations, and with boards.
    pub admin_key: Option<AdminKey>,
    /// The file of board keys; with one, every request about boards needs a key of it.
    pub keys: Option<PathBuf>,
    /// Speak TLS, with this certificate.
    pub tls: Option<TlsFiles>,
    /// Serve the web console at `/`.
    pub console: bool,
    /// What the program that serves was built from and with, as labels of a metric.
    pub build: &'static [(&'static str, &'static str)],
    /// What may be changed while the server runs.
    pub tunables: Tunables,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            allow_anonymous: false,
            admin_key: None,
            keys: None,
            tls: None,
            console: true,
            build: &[("version", env!("CARGO_PKG_VERSION"))],
            tunables: Tunables::default(),
        }
    }
}

impl ServerOptions {
    /// Checks every option against its limits.
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        let is_open = self.keys.is_none() && !self.allow_anonymous;
        if !self.http.ip().is_loopback() && is_open {
            return Err(ServerError::Anonymous(self.http));
        }
        self.tunables.check()
    }
}

pub(crate) fn within(
    option: &'static str,
    value: u64,
    min: u64,
    max: u64,
) -> Result<(), ServerError> {
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
         board. Give a file of board keys (keys; `rankd key` makes one), listen on a loopback \
         address such as 127.0.0.1, or allow anonymous access explicitly (allow_anonymous)"
    )]
    Anonymous(SocketAddr),
    /// The operator's key is too short, too long, or not visible ASCII. It is not repeated here.
    #[error(
        "the operator's key (admin_key) must have {} to {} characters of visible ASCII, no blanks",
        limits::ADMIN_KEY_BYTES_MIN,
        limits::SECRET_BYTES_MAX
    )]
    AdminKey,
    /// The file of board keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An option that is a share of a whole is not.
    #[error("{option} is {value}; allowed are 0.0 to 1.0")]
    Share {
        /// Name of the option.
        option: &'static str,
        /// What was given.
        value: f64,
    },
    /// What a running server cannot change.
    #[error("{0} cannot be switched on or off while the server runs; restart it")]
    Fixed(&'static str),
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
