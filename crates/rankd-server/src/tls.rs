//! TLS: the certificate and its key, read from PEM files.
//!
//! What it is: a configuration of rustls that offers HTTP/2 and HTTP/1.1. What it is not: a way to
//! tell clients apart; keys are shown in headers. Invariant: a configuration in force had a
//! certificate and the key that belongs to it. Cost of a connection: a handshake, and one look at
//! which configuration is in force.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use crate::limits::TLS_FILE_BYTES_MAX;
use crate::options::TlsFiles;

/// What a client may choose from, the better first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is not what it must be.
    #[error("the TLS file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Both files are legal, but not together.
    #[error("the TLS certificate in {} and the key in {}: {reason}", cert.display(), key.display())]
    Pair {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// What rustls says.
        reason: String,
    },
}

/// The configuration in force; replaced as a whole when the files are read again.
#[derive(Debug)]
pub(crate) struct Tls(RwLock<Arc<ServerConfig>>);

impl Tls {
    pub(crate) fn new(config: Arc<ServerConfig>) -> Self {
        Self(RwLock::new(config))
    }

    /// Puts another configuration into force, for connections to come.
    pub(crate) fn replace(&self, config: Arc<ServerConfig>) {
        *self.0.write() = config;
    }

    /// What accepts a connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.read()))
    }
}

/// Reads and checks the files.
pub(crate) fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let fault = |path: &Path, reason: String| TlsError::File { path: path.to_owned(), reason };
    let text = pem(&files.cert)?;
    let certs = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let certs = certs.map_err(|error| fault(&files.cert, format!("it is not PEM: {error}")))?;
    if certs.is_empty() {
        return Err(fault(&files.cert, "it has no certificate in PEM".to_owned()));
    }
    let text = pem(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|error| fault(&files.key, format!("it has no private key in PEM: {error}")))?;
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certs, key));
    let mut config = config.map_err(|error| TlsError::Pair {
        cert: files.cert.clone(),
        key: files.key.clone(),
        reason: error.to_string(),
    })?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

fn pem(path: &Path) -> Result<Vec<u8>, TlsError> {
    let fault = |reason| TlsError::File { path: path.to_owned(), reason };
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(TLS_FILE_BYTES_MAX + 1).read_to_end(&mut text))
        .map_err(|error| fault(error.to_string()))?;
    if text.len() as u64 > TLS_FILE_BYTES_MAX {
        return Err(fault(format!("it has more than {TLS_FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}
