//! Who is calling: Basic credentials of a till, or an access token in a header of its own. If both
//! are sent the token counts, be it wrong.
//!
//! Invariant: all ways to fail look the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{self, HeaderMap, HeaderName};
use rankd_orgs::{CredentialSpec, OrgId, Orgs, Presented};

use super::fault::Fault;
use crate::surfaces::SurfaceCall;
use crate::tokens::{self, Purpose};

const TOKEN: HeaderName = HeaderName::from_static("x-cap-api-oauth-token");

/// The organisation that the request's credentials belong to.
pub(super) fn caller(call: &SurfaceCall<'_>) -> Result<OrgId, Fault> {
    let headers = call.head.headers();
    let org = match headers.get(TOKEN) {
        Some(token) => token.to_str().ok().and_then(|token| by_token(call, token.trim())),
        None => basic(headers).and_then(|shown| by_till(call.engine.orgs(), &shown)),
    };
    org.ok_or(Fault::Unauthorized)
}

fn by_token(call: &SurfaceCall<'_>, token: &str) -> Option<OrgId> {
    let credential = tokens::verify(call.engine, Purpose::Capillary, token, call.now_ms)?;
    matches!(credential.spec, CredentialSpec::CapillaryClient { .. }).then_some(credential.org)
}

fn by_till(orgs: &Orgs, (username, md5): &(String, String)) -> Option<OrgId> {
    orgs.authenticate(Presented::CapillaryTill(username, md5)).map(|credential| credential.org)
}

/// User name and lower-case MD5 of the password from the `Authorization` header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (username, md5) = plain.split_once(':')?;
    Some((username.to_owned(), md5.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn shown(value: &'static str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
        basic(&headers)
    }

    #[test]
    fn the_password_is_what_follows_the_first_colon() {
        let till = ("till.main".to_owned(), "463c7be6aa6d9b044884dec7266e0a45".to_owned());
        let encoded = "dGlsbC5tYWluOjQ2M2M3YmU2YWE2ZDliMDQ0ODg0ZGVjNzI2NmUwYTQ1";
        for scheme in ["Basic", "basic", "BASIC "] {
            let value = format!("{scheme} {encoded}");
            assert_eq!(shown(Box::leak(value.into_boxed_str())), Some(till.clone()));
        }
        assert_eq!(shown("Basic YTpCOkM="), Some(("a".to_owned(), "b:c".to_owned())));
    }

    #[test]
    fn what_is_not_basic_shows_nothing() {
        for bad in ["", "Basic", "Basic ", "Basic !!", "Bearer YTpi", "Basic YWI=", "Basic /zo="] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}
