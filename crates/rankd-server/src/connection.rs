//! One connection: HTTP/1.1 or HTTP/2, whichever the client speaks first, and plain requests in a
//! lane of their own unless they come over TLS.
//!
//! Invariant: a client that does not complete a TLS handshake in time is cut off, and so is one
//! that does not complete a first request's head in time, also before it has shown which protocol
//! it speaks; hyper's own timer covers later heads only from there on.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::lane::{Lane, Left, Patience, Rewound};
use crate::limits;
use crate::problem::{Problem, Slug};
use crate::service::{Counted, Service};
use crate::tls::Tls;
use crate::write_deadline::WriteDeadline;

/// How often a silent HTTP/2 client is asked whether it is still there, in milliseconds; it has
/// as long again to answer.
const PING_MS: u64 = 20_000;

/// The protocols' settings.
pub(crate) fn builder(head_read_ms: u64) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    let head_bytes_max = usize::try_from(limits::HEAD_BYTES_MAX).unwrap_or(usize::MAX);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(head_read_ms))
        // No pipeline_flush: it would hold hyper's own 400s and 431s back until they are lost.
        .max_buf_size(head_bytes_max);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_millis(PING_MS))
        .keep_alive_timeout(Duration::from_millis(PING_MS))
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(limits::HEAD_BYTES_MAX);
    builder
}

/// Serves one connection to its end: over TLS by hyper, else in the lane as long as that can.
pub(crate) async fn serve(
    stream: TcpStream,
    builder: Arc<Builder<TokioExecutor>>,
    watcher: Watcher,
    service: Arc<Service>,
    patience: Patience,
) {
    let _open = Counted::new(&service.metrics.connections);
    // On the heap: most connections stay in the lane, and idle ones should be small.
    if let Some(acceptor) = service.tls.as_ref().map(Tls::acceptor) {
        let Some(stream) = shake_hands(acceptor, stream, &service, &patience).await else { return };
        let any = serve_any(stream, builder, watcher, Arc::clone(&service), &patience);
        Box::pin(any).await;
        return;
    }
    match Lane::new(stream, &service, patience.clone()).run().await {
        Ok(Left::Ended) => {}
        Ok(Left::HandedOver(stream, unread)) => {
            let stream = Rewound::new(stream, unread);
            let any = serve_any(stream, builder, watcher, Arc::clone(&service), &patience);
            Box::pin(any).await;
        }
        Err(error) => tracing::debug!(%error, "a connection ended early"),
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

/// Serves a connection that asks anything.
async fn serve_any<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    builder: Arc<Builder<TokioExecutor>>,
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
    let connection = builder.serve_connection(TokioIo::new(stream), answer);
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
