//! The Wintro Customer API: a company's employees by referrals and recommendations.
//!
//! One path, two shapes: a ranked list, or the best of each month. The API ranks nothing and keeps
//! nothing; `docs/surfaces/wintro.md` is the reference.
//!
//! Invariant: checks come in the order token (401), rate (429), scope (403), parameters (400), and
//! every answer says what is left of the token's rate.

mod answers;
mod params;

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use rankd_orgs::{
    BoardRequest, BoardRow, Credential, CredentialSpec, Measure, MonthBoard, OrgId, Orgs,
    Presented, Window,
};
use serde::Serialize;

use self::answers::{Flat, Monthly};
use self::params::Params;
use super::steady::{Steady, steadily};
use super::{SurfaceCall, compute};
use crate::limits::WINTRO_REQUESTS_MAX;
use crate::rate::Allowance;
use crate::reply::Reply;

const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What a token must be allowed to do.
const SCOPE: &str = "leaderboard:read";
/// How many of the whole window the monthly answer adds.
const TOP_OVERALL: usize = 3;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Why there is no board: status, code and message.
#[derive(Debug)]
struct Failure(StatusCode, &'static str, String);

/// What the flat and the monthly answer are made of.
enum Found {
    Flat(u64, Vec<BoardRow>),
    Monthly(u64, Vec<MonthBoard>, Vec<BoardRow>),
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorJson<'a>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    code: &'a str,
    message: &'a str,
}

/// Answers a request.
pub(super) async fn answer(call: &SurfaceCall<'_>) -> Reply {
    let Some(credential) = authenticated(call) else {
        let refused = "Missing or invalid Authorization header";
        return refusal(StatusCode::UNAUTHORIZED, refused, call.now_ms);
    };
    let allowance = call.rates.take(credential.id, WINTRO_REQUESTS_MAX, call.now_ms);
    let mut reply = if allowance.allowed {
        board(call, &credential).await.unwrap_or_else(Failure::into_reply)
    } else {
        limited(&allowance, call.now_ms)
    };
    tell_rate(&mut reply, &allowance);
    reply
}

/// Words what was refused before any token was looked at.
pub(super) fn refusal(status: StatusCode, detail: &str, now_ms: i64) -> Reply {
    let (code, message) = match status {
        StatusCode::UNAUTHORIZED => ("UNAUTHORIZED", detail),
        StatusCode::NOT_FOUND => ("NOT_FOUND", detail),
        StatusCode::METHOD_NOT_ALLOWED => ("METHOD_NOT_ALLOWED", detail),
        StatusCode::SERVICE_UNAVAILABLE => ("SERVICE_UNAVAILABLE", detail),
        StatusCode::PAYLOAD_TOO_LARGE => ("PAYLOAD_TOO_LARGE", detail),
        StatusCode::REQUEST_TIMEOUT => ("REQUEST_TIMEOUT", detail),
        status if status.is_client_error() => ("BAD_REQUEST", detail),
        _ => ("INTERNAL_ERROR", "Unexpected server error"),
    };
    let mut reply = error(status, code, message);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer");
        reply.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    tell_rate(&mut reply, &Allowance::untouched(WINTRO_REQUESTS_MAX, now_ms));
    reply
}

fn authenticated(call: &SurfaceCall<'_>) -> Option<Arc<Credential>> {
    call.engine.orgs().authenticate(Presented::WintroToken(call.bearer()?))
}

async fn board(call: &SurfaceCall<'_>, credential: &Credential) -> Result<Reply, Failure> {
    if !has_scope(credential) {
        let message = format!("Token lacks required scope: {SCOPE}");
        return Err(Failure(StatusCode::FORBIDDEN, "MISSING_SCOPE", message));
    }
    let params = Params::read(call)
        .map_err(|message| Failure(StatusCode::BAD_REQUEST, "BAD_REQUEST", message))?;
    let (org, now_ms) = (credential.org, call.now_ms);
    let asked = params.clone();
    match compute(call.engine, move |orgs| find(orgs, org, &asked, now_ms)).await {
        Some(Found::Flat(total, rows)) => {
            Ok(super::json(StatusCode::OK, &Flat::new(&params, now_ms, total, &rows)))
        }
        Some(Found::Monthly(total, months, top)) => {
            let monthly = Monthly::new(&params, now_ms, total, &months, &top);
            Ok(super::json(StatusCode::OK, &monthly))
        }
        None => {
            tracing::error!(org = org.0, "a credential's organisation is not there");
            let message = "Unexpected server error".to_owned();
            Err(Failure(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message))
        }
    }
}

fn has_scope(credential: &Credential) -> bool {
    match &credential.spec {
        CredentialSpec::WintroToken { scopes, .. } => scopes.iter().any(|scope| &**scope == SCOPE),
        _ => false,
    }
}

/// Asks for what the answer needs; `None` if there is no such organisation.
fn find(orgs: &Orgs, org: OrgId, params: &Params, now_ms: i64) -> Option<Found> {
    let vacancies: Vec<&str> = params.vacancies.iter().map(|id| &**id).collect();
    let period_ms = i64::from(params.period_days) * DAY_MS;
    let request = BoardRequest {
        measure: Measure::Referrals,
        // Both ends are inclusive.
        window: Window { from_ms: now_ms - period_ms, until_ms: now_ms + 1 },
        rolling_kind: Some(u64::from(params.period_days)),
        vacancies: &vacancies,
        now_ms,
    };
    let (offset, page_size) = (params.offset(), params.page_size);
    if !params.by_month {
        let board = orgs.board(org, &request)?;
        return Some(Found::Flat(board.total(), board.rows(offset, page_size)));
    }
    // Two questions: both answers have to belong to one version of the data.
    let read = |steady: &Steady<'_>| {
        let view = orgs.org(org).ok_or(())?;
        let months = orgs.months(org, &request, offset, page_size, params.limit);
        let (total, months) = months.ok_or(())?;
        let top = orgs.board(org, &request).ok_or(())?.rows(0, TOP_OVERALL);
        Ok::<_, ()>(steady.holds([&view]).then_some(Found::Monthly(total, months, top)))
    };
    steadily(orgs, read).ok()
}

fn limited(allowance: &Allowance, now_ms: i64) -> Reply {
    let mut reply = error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "Too many requests");
    let retry_after = HeaderValue::from(allowance.retry_after_s(now_ms));
    reply.headers_mut().insert(header::RETRY_AFTER, retry_after);
    reply
}

fn tell_rate(reply: &mut Reply, allowance: &Allowance) {
    let headers = reply.headers_mut();
    headers.insert(RATE_LIMIT, HeaderValue::from(allowance.limit));
    headers.insert(RATE_REMAINING, HeaderValue::from(allowance.remaining));
    headers.insert(RATE_RESET, HeaderValue::from(allowance.resets_s()));
}

fn error(status: StatusCode, code: &str, message: &str) -> Reply {
    super::json(status, &ErrorBody { error: ErrorJson { code, message } })
}

impl Failure {
    fn into_reply(self) -> Reply {
        let Self(status, code, message) = self;
        error(status, code, &message)
    }
}
