//! How the client connects: plainly, or by TLS with a server whose certificate it can verify.
//!
//! What it is not: a way to skip the verification. Invariant: the certificate authorities are
//! those of the system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name; they are read when a
//! client of an `https://` URL is made. Cost: reading them, some milliseconds, once a client.

use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore, crypto};

use crate::transport::CONNECT_TIMEOUT_MS;

/// A connector for URLs of this scheme, or why there can be none.
pub(crate) fn connector(is_https: bool) -> Result<HttpsConnector<HttpConnector>, String> {
    let roots = if is_https { roots()? } else { RootCertStore::empty() };
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("cannot be used: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(Duration::from_millis(CONNECT_TIMEOUT_MS)));
    let builder = HttpsConnectorBuilder::new().with_tls_config(config);
    // The caller has looked at the scheme.
    Ok(builder.https_or_http().enable_http1().wrap_connector(tcp))
}

/// The certificate authorities that a server's certificate may come from.
fn roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _broken) = roots.add_parsable_certificates(found.certs);
    if usable > 0 {
        return Ok(roots);
    }
    let why = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
    Err(format!(
        "asks for https, but this machine has no certificate authorities{why}; install \
         ca-certificates, or name a PEM file of them in SSL_CERT_FILE"
    ))
}
