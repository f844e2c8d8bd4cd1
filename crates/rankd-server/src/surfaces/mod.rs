//! The three published leaderboard APIs. Each module translates between one API's paths, words and
//! shapes and the questions of `rankd-orgs`; none of them ranks anything.
//!
//! Which one answers follows from the path's prefix alone, also for unknown paths and wrong
//! methods, so that every error comes in the envelope that the client knows.
//!
//! Invariant: a surface sees only requests to paths and methods that it has, with a complete body;
//! whatever is refused before is worded by it all the same.

mod capillary;
mod keepnet;
pub(crate) mod routes;
mod steady;
mod wintro;

use std::borrow::Cow;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, StatusCode};
use percent_encoding::percent_decode_str;
use rankd_engine::Engine;
use rankd_orgs::Orgs;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::limits::QUESTIONS_MAX;
use crate::problem::Problem;
use crate::rate::Rates;
use crate::reply::{self, Reply};

/// One of the published APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    Wintro,
    Keepnet,
    /// Keepnet's token endpoint, whose errors are OAuth 2's.
    KeepnetToken,
    Capillary,
}

/// A request to a published API: its path and method are known, its body is complete.
pub(crate) struct SurfaceCall<'a> {
    pub(crate) engine: &'a Arc<Engine>,
    /// Method (never `HEAD`, which is asked as `GET`), target and headers.
    pub(crate) head: &'a Request<()>,
    pub(crate) body: &'a [u8],
    /// The request's one reading of the clock.
    pub(crate) now_ms: i64,
    /// How often each credential has asked lately.
    pub(crate) rates: &'a Rates,
}

impl Surface {
    /// The API that a path belongs to.
    pub(crate) fn of(path: &str) -> Option<Self> {
        const PREFIXES: [(&str, Surface); 6] = [
            ("/api/v1/", Surface::Wintro),
            ("/connect/", Surface::KeepnetToken),
            ("/api/companies/", Surface::Keepnet),
            ("/api/leaderboard/", Surface::Keepnet),
            ("/api_gateway/", Surface::Capillary),
            ("/v3/oauth/", Surface::Capillary),
        ];
        PREFIXES.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, surface)| *surface)
    }

    /// Answers a request; errors come in the API's own envelope. A surface that panics costs its
    /// client an error 500, not the connection.
    pub(crate) async fn answer(self, call: &SurfaceCall<'_>) -> Result<Reply, Problem> {
        let mut answering = pin!(self.dispatch(call));
        poll_fn(|context| {
            // Nothing of the future is looked at after a panic.
            match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(reply)) => Poll::Ready(Ok(reply)),
                Err(_) => Poll::Ready(Err(Problem::internal("a surface panicked"))),
            }
        })
        .await
    }

    async fn dispatch(self, call: &SurfaceCall<'_>) -> Reply {
        match self {
            Self::Wintro => wintro::answer(call).await,
            Self::Keepnet | Self::KeepnetToken => keepnet::answer(call).await,
            Self::Capillary => capillary::answer(call).await,
        }
    }

    /// Words what was refused before the surface was asked.
    pub(crate) fn refuse(self, status: StatusCode, detail: &str, now_ms: i64) -> Reply {
        match self {
            Self::Wintro => wintro::refusal(status, detail, now_ms),
            Self::Keepnet => keepnet::refusal(status, detail),
            Self::KeepnetToken => keepnet::token_refusal(status),
            Self::Capillary => capillary::refusal(status, detail),
        }
    }
}

impl<'a> SurfaceCall<'a> {
    /// The undecoded path; a slash at its end is ignored.
    pub(crate) fn path(&self) -> &'a str {
        routes::without_slash(self.head.uri().path())
    }

    /// The form-decoded value of a query parameter; the last one counts. What is not UTF-8 or not
    /// well encoded stays recognisably wrong.
    pub(crate) fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        let pairs = self.head.uri().query()?.split('&');
        let named = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        named.rev().find(|(key, _)| form_decoded(key) == name).map(|(_, value)| form_decoded(value))
    }

    /// The token of an `Authorization: Bearer` header.
    pub(crate) fn bearer(&self) -> Option<&'a str> {
        bearer(self.head.headers())
    }
}

/// The token of the one `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let text = values.next()?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let is_alone = values.next().is_none();
    (is_alone && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

fn form_decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

/// JSON as the published APIs send it.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    const JSON_UTF8: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
    let mut reply = reply::json(status, value);
    reply.headers_mut().insert(header::CONTENT_TYPE, JSON_UTF8);
    reply
}

/// Asks a question that may take a while, off the threads that serve sockets. At most
/// [`QUESTIONS_MAX`] are worked on at a time.
pub(crate) async fn compute<T: Send + 'static>(
    engine: &Arc<Engine>,
    question: impl FnOnce(&Orgs) -> T + Send + 'static,
) -> T {
    static TURNS: Semaphore = Semaphore::const_new(QUESTIONS_MAX);
    let turn = TURNS.acquire().await.expect("nobody closes the semaphore");
    let engine = Arc::clone(engine);
    let asked = tokio::task::spawn_blocking(move || {
        // Held by the work, which goes on if the client goes away.
        let _turn = turn;
        question(engine.orgs())
    });
    asked.await.expect("the question does not panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn bearer_tokens_are_found() {
        assert_eq!(bearer(&header_of("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&header_of("bearer  abc ")), Some("abc"));
        for wrong in ["", "Bearer", "Basic abc", "abc", "Bearer\tabc"] {
            assert_eq!(bearer(&header_of(wrong)), None, "{wrong}");
        }
        let mut twice = header_of("Bearer abc");
        twice.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
        assert_eq!(bearer(&twice), None);
    }

    #[test]
    fn prefixes_do_not_overlap_with_our_own_paths() {
        for own in ["/", "/v1/boards", "/v1/orgs/1", "/healthz", "/v3", "/api", "/api/v2/x"] {
            assert_eq!(Surface::of(own), None, "{own}");
        }
    }

    #[test]
    fn values_are_form_decoded() {
        assert_eq!(form_decoded("a+b%2Bc"), "a b+c");
        assert_eq!(form_decoded("%zz"), "%zz");
        assert_eq!(form_decoded("%ff"), "\u{fffd}");
    }
}
