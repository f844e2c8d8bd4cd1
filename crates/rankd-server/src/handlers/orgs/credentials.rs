//! Credentials: `POST /v1/orgs/{org}/credentials` and `DELETE` of one.
//!
//! A secret that is not given is made here, shown in the answer, and kept as a digest only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use hyper::header::{self, HeaderValue};
use md5::{Digest as _, Md5};
use rankd_orgs::{CredentialId, CredentialSpec, OrgIntent, OrgOutcome, Role, SecretDigest};
use serde::{Deserialize, Serialize};

use super::{OrgCall, unknown};
use crate::limits::{BEARER_BYTES_MIN, SECRET_BYTES_MAX};
use crate::problem::{Problem, Slug};
use crate::reply::{self, Reply};

/// Random bytes of a secret.
const SECRET_RANDOM_BYTES: usize = 32;
/// Random bytes of a name that a client is known by.
const NAME_RANDOM_BYTES: usize = 12;
/// Lifetime of access tokens of the Capillary surface, in seconds.
const CAPILLARY_TTL_S: u32 = 300;

/// What is to be made.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
enum CredentialWrite {
    WintroToken {
        scopes: Option<Vec<Box<str>>>,
        secret: Option<String>,
    },
    KeepnetClient {
        role: RoleWord,
        client_id: Option<String>,
        secret: Option<String>,
        requests_per_minute: Option<u32>,
    },
    CapillaryTill {
        username: String,
        secret: Option<String>,
    },
    CapillaryClient {
        key: Option<String>,
        secret: Option<String>,
        ttl_seconds: Option<u32>,
    },
    ApiKey {
        secret: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RoleWord {
    Reseller,
    CompanyAdmin,
}

/// What was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    credential: u64,
    org: u64,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    secret: String,
}

/// `POST /v1/orgs/{org}/credentials`
pub(super) async fn add(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let org = call.org()?.id;
    let (spec, mut made) = design(call.json()?)?;
    match call.submit_one(OrgIntent::AddCredential { org, spec }).await? {
        OrgOutcome::CredentialAdded(id) => {
            (made.credential, made.org) = (id.0, org.0);
            let mut reply = reply::json(StatusCode::CREATED, &made);
            let no_store = HeaderValue::from_static("no-store");
            reply.headers_mut().insert(header::CACHE_CONTROL, no_store);
            Ok(reply)
        }
        other => Err(Problem::internal(other)),
    }
}

/// `DELETE /v1/orgs/{org}/credentials/{credential}`
pub(super) async fn revoke(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let org = call.org()?.id;
    let credential = CredentialId(call.id("credential")?);
    match call.submit_one(OrgIntent::RevokeCredential { org, credential }).await? {
        OrgOutcome::Unchanged => Err(unknown("credential", credential.0).into()),
        _ => Ok(reply::no_content()),
    }
}

/// What is kept of a credential, and what is shown.
fn design(write: CredentialWrite) -> Result<(CredentialSpec, Made), Problem> {
    match write {
        CredentialWrite::WintroToken { scopes, secret } => {
            let secret = bearer(secret, "wintro_")?;
            let scopes = scopes.unwrap_or_else(|| vec!["leaderboard:read".into()]);
            let digest = CredentialSpec::bearer_digest(&secret);
            Ok((CredentialSpec::WintroToken { digest, scopes }, Made::of("wintroToken", secret)))
        }
        CredentialWrite::ApiKey { secret } => {
            let secret = bearer(secret, "rankd_")?;
            let digest = CredentialSpec::bearer_digest(&secret);
            Ok((CredentialSpec::ApiKey { digest }, Made::of("apiKey", secret)))
        }
        CredentialWrite::KeepnetClient { role, client_id, secret, requests_per_minute } => {
            let (client_id, text) = (name(client_id)?, any_secret(secret)?);
            let spec = CredentialSpec::KeepnetClient {
                client_id: client_id.as_str().into(),
                secret: salted(text.as_bytes())?,
                role: match role {
                    RoleWord::Reseller => Role::Reseller,
                    RoleWord::CompanyAdmin => Role::CompanyAdmin,
                },
                requests_per_minute,
            };
            Ok((spec, Made { client_id: Some(client_id), ..Made::of("keepnetClient", text) }))
        }
        CredentialWrite::CapillaryTill { username, secret } => {
            let text = any_secret(secret)?;
            // Clients send the MD5 of the password, so that is the secret here.
            let md5 = hexadecimal(&Md5::digest(text.as_bytes()));
            let spec = CredentialSpec::CapillaryTill {
                username: username.as_str().into(),
                password: salted(md5.as_bytes())?,
            };
            Ok((spec, Made { username: Some(username), ..Made::of("capillaryTill", text) }))
        }
        CredentialWrite::CapillaryClient { key, secret, ttl_seconds } => {
            let (key, text) = (name(key)?, any_secret(secret)?);
            let spec = CredentialSpec::CapillaryClient {
                key: key.as_str().into(),
                secret: salted(text.as_bytes())?,
                ttl_s: ttl_seconds.unwrap_or(CAPILLARY_TTL_S),
            };
            Ok((spec, Made { key: Some(key), ..Made::of("capillaryClient", text) }))
        }
    }
}

impl Made {
    fn of(kind: &'static str, secret: String) -> Self {
        let (client_id, username, key) = (None, None, None);
        Self { credential: 0, org: 0, kind, client_id, username, key, secret }
    }
}

/// A secret that is all that a client shows.
fn bearer(given: Option<String>, prefix: &str) -> Result<String, Problem> {
    match given {
        None => Ok(format!("{prefix}{}", random_text(SECRET_RANDOM_BYTES)?)),
        Some(text)
            if (BEARER_BYTES_MIN..=SECRET_BYTES_MAX).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Ok(text)
        }
        Some(text) => Err(Problem::new(
            Slug::InvalidValue,
            format!(
                "secret has {} bytes; it must have {BEARER_BYTES_MIN} to {SECRET_BYTES_MAX} of \
                 visible ASCII without blanks",
                text.len()
            ),
        )),
    }
}

/// A secret that is shown together with a name.
fn any_secret(given: Option<String>) -> Result<String, Problem> {
    match given {
        None => random_text(SECRET_RANDOM_BYTES),
        Some(text) if (1..=SECRET_BYTES_MAX).contains(&text.len()) => Ok(text),
        Some(text) => {
            let detail =
                format!("secret has {} bytes; allowed are 1 to {SECRET_BYTES_MAX}", text.len());
            Err(Problem::new(Slug::InvalidValue, detail))
        }
    }
}

/// The name that is given, or a random one.
fn name(given: Option<String>) -> Result<String, Problem> {
    given.map_or_else(|| random_text(NAME_RANDOM_BYTES), Ok)
}

fn salted(secret: &[u8]) -> Result<SecretDigest, Problem> {
    let mut salt = [0; 16];
    fill(&mut salt)?;
    Ok(SecretDigest::of(salt, secret))
}

fn random_text(bytes: usize) -> Result<String, Problem> {
    let mut random = vec![0; bytes];
    fill(&mut random)?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

fn fill(bytes: &mut [u8]) -> Result<(), Problem> {
    getrandom::fill(bytes).map_err(Problem::internal)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
