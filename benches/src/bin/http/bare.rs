//! A server that does nothing but answer: hyper with one constant body. What a request costs here
//! is the system's and hyper's share, which no HTTP server on hyper can do without.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Serves `body_bytes` of JSON on `address` until the process ends.
///
/// # Errors
/// The address cannot be listened on.
pub(crate) async fn serve(address: SocketAddr, body_bytes: usize) -> Result<()> {
    let listener = TcpListener::bind(address).await.context("cannot listen")?;
    println!("listening on {}", listener.local_addr()?);
    let body = Bytes::from(format!("\"{}\"", "x".repeat(body_bytes.saturating_sub(2))));
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // A connection that is gone already has nobody to answer.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let body = body.clone();
        let answer = service_fn(move |_| {
            let mut response = Response::new(Full::new(body.clone()));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            async { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(async move {
            // How a connection ends does not matter here.
            let _ = http1::Builder::new()
                .pipeline_flush(true)
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}
