//! `POST /connect/token`: client id and secret for an access token, as OAuth 2 client credentials.
//!
//! Invariant: no answer may be stored on its way, and none tells a wrong id from a wrong secret.

use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderValue};
use rankd_orgs::{CredentialSpec, Presented, Role};

use super::limits::TOKEN_TTL_S;
use crate::query::decoded;
use crate::reply::Reply;
use crate::surfaces::{SurfaceCall, json};
use crate::tokens::{self, Purpose};

/// The only scope there is.
const SCOPE: &str = "api1";
/// What every client may call.
const PERMISSIONS: [&str; 5] = [
    "companies/search|POST",
    "leaderboard/get-all|POST",
    "leaderboard/get-top-performers|POST",
    "leaderboard/user-performance|POST",
    "leaderboard/get-user-timeline|POST",
];

/// Answers a token request.
pub(super) async fn answer(call: &SurfaceCall<'_>) -> Reply {
    match granted(call).await {
        Ok(reply) => reply,
        Err((status, code)) => refusal(status, code),
    }
}

#[derive(serde::Serialize)]
struct Refused<'a> {
    error: &'a str,
}

/// A refusal as OAuth 2 words it.
pub(super) fn refusal(status: StatusCode, code: &str) -> Reply {
    not_stored(json(status, &Refused { error: code }))
}

/// The code for what went wrong before the request was looked at.
pub(super) fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    }
}

async fn granted(call: &SurfaceCall<'_>) -> Result<Reply, (StatusCode, &'static str)> {
    let bad = |code| (StatusCode::BAD_REQUEST, code);
    let form = Form::parse(call.head.headers(), call.body).ok_or(bad("invalid_request"))?;
    let field = |name| form.get(name).ok_or(bad("invalid_request"));
    let (grant, scope) = (field("grant_type")?, field("scope")?);
    let (id, secret) = (field("client_id")?, field("client_secret")?);
    if grant != "client_credentials" {
        return Err(bad("unsupported_grant_type"));
    }
    if scope != SCOPE {
        return Err(bad("invalid_scope"));
    }
    let shown = Presented::KeepnetClient(id, secret);
    let client = call.engine.orgs().authenticate(shown).ok_or(bad("invalid_client"))?;
    let CredentialSpec::KeepnetClient { role, .. } = &client.spec else {
        return Err(bad("invalid_client"));
    };
    let issued =
        tokens::issue(call.engine, Purpose::Keepnet, client.id, TOKEN_TTL_S, call.now_ms).await;
    let token = issued.map_err(|error| {
        tracing::warn!(%error, "no access token could be signed");
        (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
    })?;
    Ok(not_stored(json(StatusCode::OK, &Granted::new(token, *role))))
}

/// A token as it is handed out.
#[derive(serde::Serialize)]
struct Granted {
    access_token: String,
    expires_in: u32,
    token_type: &'static str,
    scope: &'static str,
    permissions: &'static [&'static str],
}

impl Granted {
    fn new(access_token: String, role: Role) -> Self {
        // The list of companies is for resellers alone.
        let permissions = if role == Role::Reseller { &PERMISSIONS[..] } else { &PERMISSIONS[1..] };
        Self {
            access_token,
            expires_in: TOKEN_TTL_S,
            token_type: "Bearer",
            scope: SCOPE,
            permissions,
        }
    }
}

fn not_stored(mut reply: Reply) -> Reply {
    let never = HeaderValue::from_static("no-store");
    reply.headers_mut().insert(header::CACHE_CONTROL, never);
    if reply.status() == StatusCode::SERVICE_UNAVAILABLE {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

/// The fields of a form, decoded.
struct Form(Vec<(&'static str, String)>);

impl Form {
    /// None if the body is no form, or names a field twice, which OAuth 2 forbids.
    fn parse(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let media_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = media_type.split(';').next()?.trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return None;
        }
        let mut fields: Vec<(&str, String)> = Vec::new();
        for pair in std::str::from_utf8(body).ok()?.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |raw| String::from_utf8(decoded(raw, "form").ok()?).ok();
            let name = text(name)?;
            let Some(known) = KNOWN.into_iter().find(|known| *known == name) else { continue };
            if fields.iter().any(|(seen, _)| *seen == known) {
                return None;
            }
            fields.push((known, text(value)?));
        }
        Some(Self(fields))
    }

    /// A field that is there and not empty.
    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(&**value).filter(|value| !value.is_empty())
    }
}

/// The fields that mean something.
const KNOWN: [&str; 4] = ["grant_type", "client_id", "client_secret", "scope"];

#[cfg(test)]
mod tests {
    use super::*;

    fn form(media_type: Option<&'static str>, body: &str) -> Option<Vec<(String, String)>> {
        let mut headers = HeaderMap::new();
        if let Some(media_type) = media_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        let form = Form::parse(&headers, body.as_bytes())?;
        Some(form.0.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    #[test]
    fn fields_are_decoded_and_others_are_passed_over() {
        let body = "client%5Fid=a%2Bb+c&x=%ff&&scope=api1&client_secret=";
        let expected = [("client_id", "a+b c"), ("scope", "api1"), ("client_secret", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(form(FORM, body).unwrap(), expected);
        let charset = Some("Application/X-WWW-Form-URLencoded; charset=utf-8");
        assert!(form(charset, body).is_some());
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for media_type in [None, Some("application/json"), Some("multipart/form-data")] {
            assert_eq!(form(media_type, "scope=api1"), None);
        }
        for body in ["scope=a&scope=a", "scope=%zz", "scope=%ff", "client_id=a%2"] {
            assert_eq!(form(FORM, body), None, "{body}");
        }
    }
}
