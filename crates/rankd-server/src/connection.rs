//! One connection: HTTP/1.1 or HTTP/2, over TLS or not, and plain requests in a lane of their own.
//!
//! Invariant: a client that does not complete a TLS handshake in time is cut off, and so is one
//! that does not complete a request's head in time, or does not begin one: the lane has a timer for
//! both, hyper has one for the heads that it reads, and there is one here for HTTP/2.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::by_hyper;
use crate::lane::{Lane, Left, Patience, Rewound};
use crate::limits;
use crate::problem::{Problem, Slug};
use crate::service::{Counted, Service};
use crate::tls::Tls;
use crate::write_deadline::WriteDeadline;

/// How often a silent HTTP/2 client is asked whether it is still there, in milliseconds; it has
/// as long again to answer.
const PING_MS: u64 = 20_000;

/// How HTTP/2 begins: with a request that HTTP/1.1 does not have.
const PREFACE: &[u8] = b"PRI * HTTP/2";

/// The protocols' settings.
#[derive(Debug, Clone)]
pub(crate) struct Protocols {
    http1: http1::Builder,
    /// HTTP/2, or HTTP/1.1 if the client did not mean it.
    any: Builder<TokioExecutor>,
}

impl Protocols {
    pub(crate) fn new(head_read_ms: u64) -> Self {
        let head_bytes_max = usize::try_from(limits::HEAD_BYTES_MAX).unwrap_or(usize::MAX);
        let head_read = Duration::from_millis(head_read_ms);
        let mut http1 = http1::Builder::new();
        // No pipeline_flush: it would hold hyper's own 400s and 431s back until they are lost.
        http1.timer(TokioTimer::new()).header_read_timeout(head_read).max_buf_size(head_bytes_max);
        let mut any = Builder::new(TokioExecutor::new());
        any.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(head_read)
            .max_buf_size(head_bytes_max);
        any.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_millis(PING_MS))
            .keep_alive_timeout(Duration::from_millis(PING_MS))
            .max_concurrent_streams(limits::STREAMS_PER_CONNECTION_MAX)
            .max_header_list_size(limits::HEAD_BYTES_MAX);
        Self { http1, any }
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(
    stream: TcpStream,
    protocols: Arc<Protocols>,
    watcher: Watcher,
    service: Arc<Service>,
    patience: Patience,
) {
    let _open = Counted::new(&service.metrics.connections);
    let Some(acceptor) = service.tls.as_ref().map(Tls::acceptor) else {
        serve_in_turns(stream, &protocols, watcher, &service, &patience).await;
        return;
    };
    let Some(stream) = shake_hands(acceptor, stream, &service, &patience).await else { return };
    // On the heap, as everything that most connections do without: idle ones should be small.
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        Box::pin(serve_http2(stream, &protocols, watcher, Arc::clone(&service), &patience)).await;
        return;
    }
    let ended = serve_in_turns(stream, &protocols, watcher, &service, &patience).await;
    let Some(mut stream) = ended else { return };
    // Without these words the end of the connection might be an attacker's doing.
    if !matches!(timeout(patience.write, stream.shutdown()).await, Ok(Ok(()))) {
        tracing::debug!("a client did not hear that the connection ends");
    }
}

/// Serves a connection in the lane, and by hyper whenever it asks for something else; returns it if
/// it ended in the lane.
async fn serve_in_turns<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    mut stream: S,
    protocols: &Protocols,
    watcher: Watcher,
    service: &Arc<Service>,
    patience: &Patience,
) -> Option<S> {
    let mut unread = Vec::new();
    loop {
        match Lane::new(stream, unread, service, patience.clone()).run().await {
            Ok(Left::Ended(stream)) => return Some(stream),
            Ok(Left::HandedOver(stream, unread)) if unread.starts_with(PREFACE) => {
                let stream = Rewound::new(stream, unread);
                let service = Arc::clone(service);
                Box::pin(serve_http2(stream, protocols, watcher, service, patience)).await;
                return None;
            }
            Ok(Left::HandedOver(left, begun)) => {
                let left = Rewound::new(left, begun);
                let served = by_hyper::serve(left, &protocols.http1, service, patience);
                (stream, unread) = Box::pin(served).await?;
            }
            Err(error) => {
                tracing::debug!(%error, "a connection ended early");
                return None;
            }
        }
    }
}

/// The TLS handshake; `None` if there is nobody to serve afterwards.
async fn shake_hands(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    service: &Service,
    patience: &Patience,
) -> Option<Box<TlsStream<TcpStream>>> {
    let limit = Duration::from_millis(limits::TLS_HANDSHAKE_MS_MAX).min(patience.head_read);
    let mut draining = patience.draining.clone();
    let shaken = tokio::select! {
        shaken = timeout(limit, Box::pin(acceptor.accept(stream))) => shaken,
        // An error says that the acceptor is gone, which comes to the same.
        _ = draining.wait_for(|drains| *drains) => return None,
    };
    let error = match shaken {
        Ok(Ok(stream)) => return Some(Box::new(stream)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it took longer than {} ms", limit.as_millis()),
    };
    service.metrics.handshakes_failed.inc();
    tracing::debug!(error, "a TLS handshake failed");
    None
}

/// Serves a connection that has begun to speak HTTP/2, to its end.
async fn serve_http2<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    protocols: &Protocols,
    watcher: Watcher,
    service: Arc<Service>,
    patience: &Patience,
) {
    let head_read = patience.head_read;
    let stream = WriteDeadline::new(stream, patience.write);
    let has_request = AtomicBool::new(false);
    let answer = service_fn(|request: Request<Incoming>| {
        has_request.store(true, Ordering::Relaxed);
        let reply = Arc::clone(&service).answer(request);
        async move { Ok::<_, Infallible>(reply.await) }
    });
    let connection = protocols.any.serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(watcher.watch(connection));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = sleep(head_read) => {
            if !has_request.load(Ordering::Relaxed) {
                tracing::debug!("no request in time");
                return;
            }
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Tells a client that there are too many connections, and closes.
pub(crate) async fn refuse(mut stream: TcpStream, connections_max: usize) {
    let detail = format!("{connections_max} connections are open, which is the limit");
    let body = Problem::new(Slug::TooManyConnections, detail).to_json();
    let reply = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\nretry-after: 1\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let told = async {
        stream.write_all(reply.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with unread bytes would reset the connection and may take the reply with it.
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    let patience = Duration::from_millis(limits::REFUSAL_MS_MAX);
    if !matches!(timeout(patience, told).await, Ok(Ok(()))) {
        tracing::debug!("a refused connection did not listen");
    }
}
