//! The listening socket of the Redis protocol: accepts, caps, lets go.
//!
//! Invariant: at most `connections_max` connections are served, and when [`Server::run`] returns
//! none is left.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rankd_engine::Engine;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connection::Connection;
use crate::ends;
use crate::limits::{CONNECTIONS_MAX_DEFAULT, IDLE_MS_DEFAULT, MESSAGES_MAX};
use crate::session::{Card, Session};
use crate::shared::{Password, Shared};

/// Pause after the system had no descriptors or memory for a connection, in milliseconds.
const ACCEPT_PAUSE_MS: u64 = 50;
/// How long connections may take to end, in milliseconds.
const DRAIN_MS: u64 = 5_000;

/// How the front end is to behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen.
    pub address: SocketAddr,
    /// What clients have to know, if anything.
    pub password: Option<Password>,
    /// Whether clients on other machines may come without a password.
    pub allow_anonymous: bool,
    /// Most connections at a time.
    pub connections_max: usize,
    /// How long a connection may be silent, in milliseconds; 0: for ever.
    pub idle_ms: u64,
}

impl Options {
    /// The usual options for this address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            password: None,
            allow_anonymous: false,
            connections_max: CONNECTIONS_MAX_DEFAULT,
            idle_ms: IDLE_MS_DEFAULT,
        }
    }
}

/// Why the front end cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Others could come in without a password.
    #[error(
        "{0} can be reached from other machines, and no password is set for the Redis protocol \
         (--resp-password, or --allow-anonymous if that is meant)"
    )]
    Open(SocketAddr),
}

/// A front end that is bound to its address.
#[derive(Debug)]
pub struct Server {
    listener: StdListener,
    address: SocketAddr,
    options: Options,
}

impl Server {
    /// Binds the address. Connections queue up in the system until [`Server::run`].
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind(options: Options) -> Result<Self, BindError> {
        let address = options.address;
        if !address.ip().is_loopback() && options.password.is_none() && !options.allow_anonymous {
            return Err(BindError::Open(address));
        }
        let listen = || {
            let listener = StdListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listen().map_err(|source| BindError::Bind { address, source })?;
        Ok(Self { listener, address, options })
    }

    /// The address that is listened on, with the port that was taken.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is ready or a client asks for the end. True if a client did.
    ///
    /// # Errors
    /// The socket cannot be handed to the runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn run(
        self,
        engine: Arc<Engine>,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<bool> {
        let listener = TcpListener::from_std(self.listener)?;
        let Options { password, connections_max, idle_ms, .. } = self.options;
        let port = self.address.port();
        let shared = Shared::new(engine, password, port, connections_max, idle_ms);
        let shared = Arc::new(shared);
        // Ends when it is dropped, with or before this future.
        let mut upkeep = JoinSet::new();
        upkeep.spawn(ends::go_on(Arc::clone(&shared)));
        let (stop, stopped) = watch::channel(false);
        let mut acceptor = Acceptor { shared, connections: JoinSet::new(), stopped };
        let by_client = acceptor.accept_until(listener, shutdown).await;
        // Every connection has a receiver or has ended.
        let _nobody_left = stop.send(true);
        acceptor.drain().await;
        Ok(by_client)
    }
}

struct Acceptor {
    shared: Arc<Shared>,
    connections: JoinSet<()>,
    stopped: watch::Receiver<bool>,
}

impl Acceptor {
    async fn accept_until(
        &mut self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> bool {
        let mut shutdown = std::pin::pin!(shutdown);
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                () = &mut shutdown => return false,
                () = shared.stop.notified() => return true,
                Some(ended) = self.connections.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!(%error, "a connection's task panicked");
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => self.take(stream, address),
                    Err(error) => {
                        tracing::error!(%error, pause_ms = ACCEPT_PAUSE_MS, "cannot accept");
                        sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                    }
                },
            }
        }
    }

    fn take(&mut self, mut stream: TcpStream, address: SocketAddr) {
        let shared = Arc::clone(&self.shared);
        // Without it small replies wait for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it was served");
            return;
        }
        if shared.cards.lock().len() >= shared.connections_max {
            shared.counters.rejected.fetch_add(1, Ordering::Relaxed);
            self.connections.spawn(async move {
                let refusal = stream.write_all(b"-ERR max number of clients reached\r\n");
                // Whoever does not listen is not told.
                let _told = timeout(Duration::from_millis(ACCEPT_PAUSE_MS), refusal).await;
            });
            return;
        }
        shared.counters.connections.fetch_add(1, Ordering::Relaxed);
        let local = stream.local_addr().map_or_else(|_| String::new(), |local| local.to_string());
        let now_ms = shared.engine.now_ms();
        let card = Arc::new(Card::new(shared.take_id(), address.to_string(), local, now_ms));
        shared.cards.lock().insert(card.id, Arc::clone(&card));
        let (inbox, messages) = mpsc::channel(MESSAGES_MAX);
        // Where the system gives no random numbers, choices are predictable, and nothing else.
        let seed = getrandom::u64().unwrap_or(card.id);
        let session = Session::new(Arc::clone(&card), !shared.has_password(), inbox, seed);
        let stop = self.stopped.clone();
        self.connections.spawn(async move {
            Connection::new(stream, session, Arc::clone(&shared), messages, stop).serve().await;
            shared.cards.lock().remove(&card.id);
        });
    }

    async fn drain(mut self) {
        let all_ended = async { while self.connections.join_next().await.is_some() {} };
        if timeout(Duration::from_millis(DRAIN_MS), all_ended).await.is_err() {
            tracing::warn!(drain_ms = DRAIN_MS, "closing connections that did not end");
        }
        self.connections.shutdown().await;
    }
}
