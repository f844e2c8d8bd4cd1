//! `POST /v3/oauth/token/generate`: a client's key and secret against an access token.

use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use rankd_engine::StoreError;
use rankd_orgs::{CredentialSpec, Presented};
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::{entries, envelope};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::surfaces::{SurfaceCall, json};
use crate::tokens::{self, Purpose};

#[derive(Debug, Deserialize)]
struct Shown {
    key: String,
    secret: String,
}

#[derive(Debug, Serialize)]
struct Body {
    data: Issued,
    errors: Option<()>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    access_token: String,
    ttl_seconds: u32,
}

/// Answers a request for a token.
pub(super) async fn answer(call: &SurfaceCall<'_>) -> Reply {
    let mut reply = match issue(call).await {
        Ok(Ok(issued)) => json(StatusCode::OK, &Body { data: issued, errors: None }),
        Ok(Err(fault)) => envelope::fault(&fault),
        Err(error) => {
            let problem = Problem::from(error);
            envelope::refusal(problem.status(), problem.detail())
        }
    };
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

async fn issue(call: &SurfaceCall<'_>) -> Result<Result<Issued, Fault>, StoreError> {
    let shown: Shown = match entries::object_of(call.body) {
        Ok(shown) => shown,
        Err(fault) => return Ok(Err(fault)),
    };
    let presented = Presented::CapillaryClient(&shown.key, &shown.secret);
    let Some(credential) = call.engine.orgs().authenticate(presented) else {
        return Ok(Err(Fault::Unauthorized));
    };
    let CredentialSpec::CapillaryClient { ttl_s, .. } = credential.spec else {
        return Ok(Err(Fault::Unauthorized));
    };
    let engine = call.engine;
    let access_token =
        tokens::issue(engine, Purpose::Capillary, credential.id, ttl_s, call.now_ms).await?;
    Ok(Ok(Issued { access_token, ttl_seconds: ttl_s }))
}
