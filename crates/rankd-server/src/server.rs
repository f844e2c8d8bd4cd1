//! The listening socket: accepts, caps, and lets go of connections.
//!
//! It knows nothing of requests. Invariant: no connection is taken while `connections_max` or more
//! are served, and when [`Server::run`] returns none is left.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::connection::{self, Protocols};
use crate::keys::{self, Keys};
use crate::lane::Patience;
use crate::limits;
use crate::options::{ServerError, ServerOptions};
use crate::problem::Slug;
use crate::reload::Reloader;
use crate::service::Service;
use crate::slot::EngineSlot;
use crate::tls::{self, Tls};
use crate::upkeep;

/// Pause after the system had no descriptors or memory for a connection, in milliseconds.
const ACCEPT_PAUSE_MS: u64 = 50;

/// An HTTP server that is bound to its address.
#[derive(Debug)]
pub struct Server {
    listener: StdListener,
    address: SocketAddr,
    service: Arc<Service>,
    slot: EngineSlot,
}

impl Server {
    /// Binds the address. Connections queue up in the system until [`Server::run`].
    ///
    /// `slot` is an `Arc<Engine>`, or an [`EngineSlot`] that is filled when the engine is loaded.
    ///
    /// # Errors
    /// An option outside its limits, a file of keys or of TLS that cannot be used, an address that
    /// others can reach although there are no keys and anonymous access was not allowed, or one
    /// that cannot be bound.
    #[expect(clippy::needless_pass_by_value, reason = "nobody needs their options any more")]
    pub fn bind(options: ServerOptions, slot: impl Into<EngineSlot>) -> Result<Self, ServerError> {
        options.check()?;
        let keys = options.keys.as_deref().map(keys::load).transpose()?;
        let keys = keys.map(|ring| Keys::new(ring, options.admin_key.clone()));
        let tls = options.tls.as_ref().map(tls::load).transpose()?.map(Tls::new);
        let listen = || {
            let listener = StdListener::bind(options.http)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) =
            listen().map_err(|source| ServerError::Bind { address: options.http, source })?;
        let slot = slot.into();
        let service = Arc::new(Service::new(&options, keys, tls, slot.clone()));
        Ok(Self { listener, address, service, slot })
    }

    /// The address that is listened on, with the port that was taken.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What changes this server while it runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader::new(Arc::clone(&self.service))
    }

    /// Serves until `shutdown` is ready, then stops accepting and waits for running requests, at
    /// most `drain_ms`.
    ///
    /// # Errors
    /// The socket cannot be handed to the runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        // Ends when it is dropped, with or before this future.
        let mut upkeep = JoinSet::new();
        upkeep.spawn(upkeep::run(self.slot));
        let head_read_ms = self.service.live.get().head_read_ms;
        let mut acceptor = Acceptor {
            protocols: Arc::new(Protocols::new(head_read_ms)),
            head_read_ms,
            graceful: GracefulShutdown::new(),
            connections: JoinSet::new(),
            refusals: Arc::new(Semaphore::new(limits::REFUSALS_MAX)),
            open: Arc::new(()),
            service: self.service,
            draining: watch::Sender::new(false),
        };
        acceptor.accept_until(listener, shutdown).await;
        acceptor.drain().await;
        Ok(())
    }
}

/// The accept loop's own state; nobody else touches it.
struct Acceptor {
    service: Arc<Service>,
    protocols: Arc<Protocols>,
    /// What `protocols` were made for.
    head_read_ms: u64,
    graceful: GracefulShutdown,
    connections: JoinSet<()>,
    /// Every open connection has a clone.
    open: Arc<()>,
    refusals: Arc<Semaphore>,
    draining: watch::Sender<bool>,
}

impl Acceptor {
    async fn accept_until(&mut self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                Some(ended) = self.connections.join_next() => report(ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.take(stream),
                    Err(error) => pause_after(&error).await,
                },
            }
        }
    }

    /// Serves the connection, or says that there are too many.
    fn take(&mut self, stream: TcpStream) {
        // Without it small replies wait for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it was served");
            return;
        }
        let limits = self.service.live.get();
        if Arc::strong_count(&self.open) > limits.connections_max {
            self.refuse(stream, limits.connections_max);
            return;
        }
        if limits.head_read_ms != self.head_read_ms {
            self.head_read_ms = limits.head_read_ms;
            self.protocols = Arc::new(Protocols::new(limits.head_read_ms));
        }
        let patience = Patience {
            head_read: Duration::from_millis(limits.head_read_ms),
            idle: Duration::from_millis(limits.idle_ms),
            write: Duration::from_millis(limits.write_ms),
            draining: self.draining.subscribe(),
        };
        let serving = connection::serve(
            stream,
            Arc::clone(&self.protocols),
            self.graceful.watcher(),
            Arc::clone(&self.service),
            patience,
        );
        let open = Arc::clone(&self.open);
        self.connections.spawn(async move {
            serving.await;
            drop(open);
        });
    }

    /// Says that there are too many connections, if not too many are being told so. Over TLS the
    /// connection is just closed: a handshake for a refusal costs more than it is worth.
    fn refuse(&mut self, stream: TcpStream, connections_max: usize) {
        self.service.metrics.refused(Slug::TooManyConnections);
        if self.service.tls.is_some() {
            return;
        }
        if let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() {
            self.connections.spawn(async move {
                connection::refuse(stream, connections_max).await;
                drop(permit);
            });
        }
    }

    /// Lets running requests finish, then ends what is left.
    async fn drain(self) {
        let Self { service, graceful, mut connections, draining, .. } = self;
        draining.send_replace(true);
        let drain_ms = service.live.get().drain_ms;
        let patience = Duration::from_millis(drain_ms);
        if timeout(patience, graceful.shutdown()).await.is_err() {
            tracing::warn!(
                drain_ms,
                connections = connections.len(),
                "closing connections whose requests did not finish"
            );
        }
        connections.shutdown().await;
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked");
    }
}

/// An error of `accept` concerns one connection that is gone already, or a lack of descriptors
/// or memory that passes: the loop goes on in either case, in the second after a pause, because
/// the connection stays in the queue and `accept` would fail again at once.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
    {
        tracing::debug!(%error, "a connection was gone before it was accepted");
        return;
    }
    tracing::error!(%error, pause_ms = ACCEPT_PAUSE_MS, "cannot accept connections");
    sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
}
