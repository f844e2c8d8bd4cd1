//! TLS: both protocols, certificates that change, and clients that do not shake hands.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rankd_engine::EngineOptions;
use rankd_server::{EngineSlot, Server, ServerOptions, TlsFiles, Tunables};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::support::{TestServer, options, tuned};

/// A certificate for `localhost` in a folder, and what a client trusts.
pub(crate) struct Certificate {
    folder: TempDir,
    pub(crate) der: CertificateDer<'static>,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let der = Self::write(folder.path());
        Self { folder, der }
    }

    fn write(folder: &Path) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let made = made.expect("a legal name");
        std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("the folder is ours");
        let key = made.signing_key.serialize_pem();
        std::fs::write(folder.join("key.pem"), key).expect("the folder is ours");
        made.cert.der().clone()
    }

    fn files(&self) -> TlsFiles {
        let folder = self.folder.path();
        TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem") }
    }

    pub(crate) fn options(&self) -> ServerOptions {
        ServerOptions { tls: Some(self.files()), ..options() }
    }
}

/// A connection after its handshake, with a client that trusts `der` and offers `protocol`.
pub(crate) async fn connect(
    server: &TestServer,
    der: &CertificateDer<'static>,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(der.clone()).expect("a certificate");
    let provider = Arc::new(crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("ring has both versions").with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn put() -> Request<Full<Bytes>> {
    let request = Request::builder().method("PUT").uri("https://localhost/v1/boards/b/members/m");
    request.header("host", "localhost").body(Full::from(r#"{"score": 7}"#)).expect("legal")
}

async fn text(response: Response<hyper::body::Incoming>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a whole body").to_bytes();
    (status, String::from_utf8(body.to_vec()).expect("UTF-8"))
}

const WRITTEN: &str = r#"{"member":"m","score":7,"rank":1,"previous":null,"changed":true}"#;

#[tokio::test]
async fn http_1_and_2_are_served_as_the_client_asks() {
    let certificate = Certificate::new();
    for protocol in ["http/1.1", "h2"] {
        let server = TestServer::start_with(certificate.options(), EngineOptions::default());
        let stream = connect(&server, &certificate.der, protocol).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        let response = if protocol == "h2" {
            let (mut sender, driver) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(driver);
            sender.send_request(put()).await.unwrap()
        } else {
            let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(driver);
            sender.send_request(put()).await.unwrap()
        };
        assert_eq!(text(response).await, (200, WRITTEN.to_owned()), "{protocol}");
    }
}

#[tokio::test]
async fn who_speaks_no_tls_is_let_go() {
    let certificate = Certificate::new();
    let server = TestServer::start_with(certificate.options(), EngineOptions::default());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut received = Vec::new();
    // The alert of a failed handshake, or nothing; a reset is as good.
    let _ = stream.read_to_end(&mut received).await;
    assert!(!received.starts_with(b"HTTP"), "{received:?}");
    let stranger = Certificate::new();
    let error = connect(&server, &stranger.der, "http/1.1").await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_does() {
    let certificate = Certificate::new();
    let hasty = tuned(Tunables { head_read_ms: 50, ..Tunables::default() });
    let options = ServerOptions { tls: Some(certificate.files()), ..hasty };
    let server = TestServer::start_with(options, EngineOptions::default());
    for beginning in [&b""[..], b"\x16\x03\x01"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let mut received = Vec::new();
        let ended = stream.read_to_end(&mut received);
        tokio::time::timeout(Duration::from_secs(30), ended).await.expect("it is closed").ok();
    }
}

#[tokio::test]
async fn a_new_certificate_counts_for_new_connections_and_a_broken_one_does_not() {
    let certificate = Certificate::new();
    let server = TestServer::start_with(certificate.options(), EngineOptions::default());
    let old = connect(&server, &certificate.der, "http/1.1").await.unwrap();
    let files = certificate.files();
    let good = std::fs::read(&files.key).unwrap();
    std::fs::write(&files.key, "no key").unwrap();
    let message = server.reloader.reload(&certificate.options()).unwrap_err().to_string();
    assert!(message.contains("key.pem: it has no private key"), "{message}");
    connect(&server, &certificate.der, "http/1.1").await.unwrap();
    std::fs::write(&files.key, good).unwrap();

    let new = Certificate::write(certificate.folder.path());
    server.reloader.reload(&certificate.options()).unwrap();
    connect(&server, &new, "http/1.1").await.unwrap();
    assert!(connect(&server, &certificate.der, "http/1.1").await.is_err());
    let (mut sender, driver) = http1::handshake(TokioIo::new(old)).await.unwrap();
    tokio::spawn(driver);
    assert_eq!(text(sender.send_request(put()).await.unwrap()).await.0, 200);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let certificate = Certificate::new();
    let other = Certificate::new();
    let (good, folder) = (certificate.files(), certificate.folder.path());
    let empty = folder.join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let binary = folder.join("binary.pem");
    std::fs::write(&binary, "-----BEGIN CERTIFICATE-----\n\u{1}\n-----END CERTIFICATE-----\n")
        .unwrap();
    let refused = |files: TlsFiles| {
        let options = ServerOptions { tls: Some(files), ..options() };
        Server::bind(options, EngineSlot::empty()).unwrap_err().to_string()
    };
    let missing = folder.join("missing.pem");
    for (files, message) in [
        (TlsFiles { cert: missing.clone(), ..good.clone() }, "missing.pem: No such file"),
        (TlsFiles { key: missing, ..good.clone() }, "missing.pem: No such file"),
        (TlsFiles { cert: empty.clone(), ..good.clone() }, "empty.pem: it has no certificate"),
        (TlsFiles { key: empty, ..good.clone() }, "empty.pem: it has no private key"),
        (TlsFiles { cert: binary, ..good.clone() }, "binary.pem: it is not PEM"),
        (TlsFiles { key: good.cert.clone(), ..good.clone() }, "cert.pem: it has no private key"),
        (TlsFiles { key: other.files().key, ..good }, "key.pem: "),
    ] {
        let refusal = refused(files);
        assert!(refusal.contains(message), "{refusal:?} lacks {message:?}");
    }
}
