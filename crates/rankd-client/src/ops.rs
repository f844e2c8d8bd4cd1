//! Operations: snapshots, health, readiness, metrics.

use hyper::{Method, StatusCode};

use crate::error::ClientError;
use crate::transport::{Call, Client, decode, refusal};
use crate::types::{Readiness, SnapshotReport};

impl Client {
    /// Has the server write a snapshot now, and waits for it.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] if it fails; any transport error.
    pub async fn snapshot(&self) -> Result<SnapshotReport, ClientError> {
        self.json(Call::new(Method::POST, "/v1/snapshots".to_owned())).await
    }

    /// Returns if the process is alive, loaded or not.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] if it answers anything but success; any transport error.
    pub async fn health(&self) -> Result<(), ClientError> {
        self.send(Call::get("/healthz".to_owned())).await.map(drop)
    }

    /// Whether the server is loaded and writable, and what it says about it.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] for any other answer than 200 and 503; any transport error.
    pub async fn readiness(&self) -> Result<Readiness, ClientError> {
        let call = Call::get("/readyz".to_owned());
        let url = format!("{}{}", self.base_url(), call.path);
        let reply = self.exchange(call).await?;
        let is_answer =
            reply.status.is_success() || reply.status == StatusCode::SERVICE_UNAVAILABLE;
        if is_answer { decode(&url, &reply.body) } else { Err(refusal(&reply)) }
    }

    /// The metrics page: Prometheus text.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] if it answers anything but success; any transport error.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let reply = self.send(Call::get("/metrics".to_owned())).await?;
        Ok(String::from_utf8_lossy(&reply.body).into_owned())
    }
}
