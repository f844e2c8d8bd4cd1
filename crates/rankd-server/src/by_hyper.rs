//! What the lane left to hyper, one request or a few, until the connection can go back.
//!
//! hyper serves a connection to its end; this takes it out of hyper's hands between two requests.
//! What it is not: a second reading of HTTP; where a request ends is for hyper to say, and the
//! moment between two of them is read off what it does with the stream. Invariant: a connection is
//! taken back only when its requests are answered, the replies are written to the system, and hyper
//! waits for the head of the next one; what it had read of that goes back with the connection.
//! Cost: hyper's buffers are made anew for each stay, a few allocations.

use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::lane::{Patience, Rewound};
use crate::service::Service;
use crate::write_deadline::WriteDeadline;

/// Serves requests, the first of which begins with what was read already. Returns the connection
/// with what was read of its next request, or nothing if it is over.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: Rewound<S>,
    builder: &Builder,
    service: &Arc<Service>,
    patience: &Patience,
) -> Option<(S, Vec<u8>)> {
    let seen = Seen::default();
    let answer = service_fn(|request: Request<Incoming>| {
        seen.is_answering.store(true, Relaxed);
        let reply = Arc::clone(service).answer(request);
        let seen = &seen;
        async move {
            let reply = reply.await;
            seen.answered();
            Ok::<_, Infallible>(reply)
        }
    });
    let stream = WriteDeadline::new(stream, patience.write);
    let stream = TokioIo::new(Watched { stream, seen: &seen });
    let mut connection = builder.serve_connection(stream, answer);
    let mut draining = patience.draining.clone();
    // An error says that the acceptor is gone, which comes to the same.
    let mut drains = pin!(async move { draining.wait_for(|drains| *drains).await.is_ok() });
    let mut is_draining = false;
    let ended = poll_fn(|context| {
        if !is_draining && drains.as_mut().poll(context).is_ready() {
            is_draining = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        match Pin::new(&mut connection).poll(context) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending if !is_draining && seen.is_between_requests() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    match ended.await {
        Some(Ok(())) => None,
        Some(Err(error)) => {
            tracing::debug!(%error, "a connection ended early");
            None
        }
        None => {
            let parts = connection.into_parts();
            let (stream, rest) = parts.io.into_inner().stream.into_inner().into_parts();
            let mut unread = Vec::from(parts.read_buf);
            unread.extend_from_slice(&rest);
            Some((stream, unread))
        }
    }
}

/// What hyper was seen doing. Written and read by the one task of the connection; atomic because
/// tasks move between threads.
#[derive(Debug, Default)]
struct Seen {
    is_answering: AtomicBool,
    /// At least one request was answered.
    has_answered: AtomicBool,
    /// It has asked for bytes since the last answer, and there were none.
    waits_for_bytes: AtomicBool,
    /// The system had no room for the last thing that it wrote.
    waits_for_room: AtomicBool,
    is_closing: AtomicBool,
}

impl Seen {
    fn answered(&self) {
        self.is_answering.store(false, Relaxed);
        self.has_answered.store(true, Relaxed);
        // That was before the answer: for the rest of a body, or for the client's end.
        self.waits_for_bytes.store(false, Relaxed);
    }

    /// Whether hyper, which has just said that it waits, can be waiting for nothing but a request.
    fn is_between_requests(&self) -> bool {
        self.has_answered.load(Relaxed)
            && self.waits_for_bytes.load(Relaxed)
            && !self.is_answering.load(Relaxed)
            && !self.waits_for_room.load(Relaxed)
            && !self.is_closing.load(Relaxed)
    }

    fn written<T>(&self, written: Poll<T>) -> Poll<T> {
        self.waits_for_room.store(written.is_pending(), Relaxed);
        written
    }
}

/// A stream that tells what becomes of it.
#[derive(Debug)]
struct Watched<'s, S> {
    stream: S,
    seen: &'s Seen,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.seen.waits_for_bytes.store(read.is_pending(), Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.seen.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.seen.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.seen.written(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.seen.is_closing.store(true, Relaxed);
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
