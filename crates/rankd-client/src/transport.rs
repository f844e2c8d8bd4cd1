//! One request, one answer: the base URL, the connection, the time limit, the size limit.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::uri::Uri;
use hyper::{Method, Request, Response, StatusCode, body::Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ClientError, Problem};
use crate::tls;
use crate::types::Applied;

/// Longest time to wait for a connection, in milliseconds.
pub const CONNECT_TIMEOUT_MS: u64 = 5_000;
/// Longest time from sending a request to having its whole answer, in milliseconds, unless
/// [`Client::with_timeout_ms`] says otherwise.
pub const REQUEST_TIMEOUT_MS: u64 = 30_000;
/// Longest answer that is read, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 64 * 1024 * 1024;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A client of one server. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Scheme, authority and path, without a slash at the end.
    base: String,
    timeout_ms: u64,
    /// Goes with every request; left out where the client is printed.
    authorization: Option<HeaderValue>,
}

/// What is sent.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Path and query, from the slash on, already encoded.
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) idempotency_key: Option<&'a str>,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Whether it is the first answer to this idempotency key once more.
    pub(crate) replayed: bool,
    pub(crate) body: Bytes,
}

impl Call<'_> {
    pub(crate) fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn new(method: Method, path: String) -> Self {
        Self { method, path, body: None, idempotency_key: None }
    }
}

impl<'a> Call<'a> {
    pub(crate) fn keyed(mut self, key: Option<&'a str>) -> Self {
        self.idempotency_key = key;
        self
    }
}

impl Client {
    /// A client of the server at `base_url`, such as `http://127.0.0.1:8080` or
    /// `https://example.com/rankd`. Nothing is connected yet. For `https://`, the certificate
    /// authorities of the system are read, or those that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`] if it is not an `http://` or `https://` URL of a host, or there are
    /// no certificate authorities.
    pub fn new(base_url: &str) -> Result<Self, ClientError> {
        let bad = |reason| ClientError::BadUrl { url: base_url.to_owned(), reason };
        let (base, is_https) = checked_base(base_url).map_err(bad)?;
        let connector = tls::connector(is_https).map_err(bad)?;
        let http = HttpClient::builder(TokioExecutor::new()).build(connector);
        Ok(Self { http, base, timeout_ms: REQUEST_TIMEOUT_MS, authorization: None })
    }

    /// The same client with another time limit for each request, in milliseconds.
    #[must_use]
    pub fn with_timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// The same client with an API key, which it sends with every request.
    ///
    /// # Errors
    /// [`ClientError::BadKey`] if it is empty or not visible ASCII.
    pub fn with_api_key(mut self, key: &str) -> Result<Self, ClientError> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ClientError::BadKey);
        }
        let mut value =
            HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| ClientError::BadKey)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// The base URL, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// Sends `call` and reads the JSON of its answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ClientError> {
        let url = self.url(&call.path);
        decode(&url, &self.send(call).await?.body)
    }

    /// Sends `body` as JSON and reads the JSON of the answer.
    pub(crate) async fn json_with<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.json(self.with_body(call, body)?).await
    }

    /// Sends a batch as JSON and reads what became of it.
    pub(crate) async fn batch(
        &self,
        call: Call<'_>,
        body: &impl Serialize,
    ) -> Result<Applied, ClientError> {
        let call = self.with_body(call, body)?;
        let url = self.url(&call.path);
        let reply = self.send(call).await?;
        Ok(Applied { replayed: reply.replayed, ..decode(&url, &reply.body)? })
    }

    /// `call` with `body` as JSON.
    pub(crate) fn with_body<'a>(
        &self,
        call: Call<'a>,
        body: &impl Serialize,
    ) -> Result<Call<'a>, ClientError> {
        let text = serde_json::to_vec(body).map_err(|error| ClientError::Encode {
            url: self.url(&call.path),
            reason: error.to_string(),
        })?;
        Ok(Call { body: Some(text.into()), ..call })
    }

    /// Sends `call` and returns the answer if it is one of success.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Reply, ClientError> {
        let reply = self.exchange(call).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(refusal(&reply)) }
    }

    /// Sends `call` and returns the answer, whatever its status.
    pub(crate) async fn exchange(&self, call: Call<'_>) -> Result<Reply, ClientError> {
        let limit = Duration::from_millis(self.timeout_ms);
        match tokio::time::timeout(limit, self.exchange_untimed(call)).await {
            Ok(result) => result,
            Err(_) => {
                Err(ClientError::Timeout { url: self.base.clone(), timeout_ms: self.timeout_ms })
            }
        }
    }

    async fn exchange_untimed(&self, call: Call<'_>) -> Result<Reply, ClientError> {
        let request = self.request(call)?;
        let response = self.http.request(request).await.map_err(|error| {
            let url = self.base.clone();
            if error.is_connect() {
                ClientError::Connect { url, source: error.into() }
            } else {
                ClientError::Lost { url, source: error.into() }
            }
        })?;
        let status = response.status();
        let replayed = response.headers().contains_key(&IDEMPOTENCY_REPLAYED);
        Ok(Reply { status, replayed, body: self.read(response).await? })
    }

    fn request(&self, call: Call<'_>) -> Result<Request<Full<Bytes>>, ClientError> {
        let url = self.url(&call.path);
        let mut request = Request::builder().method(call.method).uri(&url);
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(key) = call.idempotency_key {
            request = request.header(&IDEMPOTENCY_KEY, key);
        }
        request
            .body(Full::new(call.body.unwrap_or_default()))
            .map_err(|error| ClientError::BadUrl { url, reason: format!("is refused: {error}") })
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Bytes, ClientError> {
        let url = self.base.clone();
        match Limited::new(response.into_body(), RESPONSE_BYTES_MAX).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(ClientError::TooLong { url, max: RESPONSE_BYTES_MAX })
            }
            Err(source) => Err(ClientError::Lost { url, source }),
        }
    }

    /// The full URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// The base URL without a slash at the end, and whether it asks for TLS; or what is wrong with it.
fn checked_base(url: &str) -> Result<(String, bool), String> {
    let uri: Uri = url.parse().map_err(|error| format!("is not a URL: {error}"))?;
    let is_https = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        Some(other) => {
            return Err(format!("has the scheme `{other}`; only http:// and https:// work"));
        }
        None => return Err("has no scheme; write http://HOST:PORT".to_owned()),
    };
    if uri.host().is_none_or(str::is_empty) {
        return Err("names no host; write http://HOST:PORT".to_owned());
    }
    if uri.query().is_some() {
        return Err("has a query (`?...`), which a base URL cannot have".to_owned());
    }
    Ok((url.trim_end_matches('/').to_owned(), is_https))
}

/// The error that an answer of no success stands for.
pub(crate) fn refusal(reply: &Reply) -> ClientError {
    let status = reply.status;
    let mut problem = serde_json::from_slice(&reply.body).unwrap_or_else(|_| Problem {
        slug: String::new(),
        title: status.canonical_reason().unwrap_or("error").to_owned(),
        status: 0,
        detail: String::new(),
    });
    problem.status = status.as_u16();
    ClientError::Problem(problem)
}

/// The JSON of a successful answer.
pub(crate) fn decode<T: DeserializeOwned>(url: &str, body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body)
        .map_err(|error| ClientError::Decode { url: url.to_owned(), reason: error.to_string() })
}
