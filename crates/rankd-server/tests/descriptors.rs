//! The accept loop survives running out of file descriptors.
//!
//! Alone in its file, and so in its process: it lowers the limit for the whole process. Client
//! and server share it, so clients that connect without the server getting a turn leave it
//! nothing to accept with; the server's own complaint is the event that is waited for.

use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;

use rankd_server::{EngineSlot, Server, ServerOptions};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

const DESCRIPTORS: u64 = 64;

/// Notifies of every error that is logged.
struct Errors(Arc<Notify>);

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn event(&self, event: &Event<'_>) {
        assert_eq!(event.metadata().target(), "rankd_server::server");
        self.0.notify_one();
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn running_out_of_descriptors_passes() {
    let complained = Arc::new(Notify::new());
    tracing::subscriber::set_global_default(Errors(Arc::clone(&complained))).unwrap();
    let http = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = ServerOptions { http, ..ServerOptions::default() };
    let server = Server::bind(options, EngineSlot::empty()).unwrap();
    let address = server.local_addr();
    let running = tokio::spawn(server.run(std::future::pending()));
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(DESCRIPTORS), maximum }).unwrap();

    let mut clients = Vec::new();
    while let Ok(client) = StdStream::connect(address) {
        clients.push(client);
    }
    assert!((1..64).contains(&clients.len()), "{} clients", clients.len());
    complained.notified().await;
    drop(clients);

    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    let mut received = String::new();
    client.read_to_string(&mut received).await.unwrap();
    assert!(received.starts_with("HTTP/1.0 200 OK"), "{received}");
    assert!(!running.is_finished());
}
