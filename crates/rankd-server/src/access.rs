//! Who may see and change organisations: the operator all of them, an API key its own and those
//! below. What is outside is as if it did not exist.
//!
//! It says nothing of boards, whose keys are in a file ([`crate::keys`]), and nothing of the
//! published APIs, which have credentials of their own. Invariant: without a key nothing is let in,
//! except on a loopback address as long as nobody has made any key, of whatever kind. Cost: one
//! SHA-256, and a look-up.

use hyper::header::{self, HeaderMap, HeaderValue};
use rankd_orgs::{OrgId, Orgs, Presented};

use crate::options::{AdminKey, ServerOptions};
use crate::problem::{Problem, Slug};
use crate::surfaces::bearer;

/// Decides what a request may see.
#[derive(Debug)]
pub(crate) struct Gate {
    admin_key: Option<AdminKey>,
    /// Whether only this machine can reach the server, and nobody asked for keys of any kind.
    trusts_all: bool,
}

/// What a request may see and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every organisation.
    All,
    /// This organisation and those below.
    Within(OrgId),
}

impl Gate {
    pub(crate) fn new(options: &ServerOptions) -> Self {
        let admin_key = options.admin_key.clone();
        let is_keyed = admin_key.is_some() || options.keys.is_some();
        Self { admin_key, trusts_all: options.http.ip().is_loopback() && !is_keyed }
    }

    /// What the sender of these headers may see.
    pub(crate) fn admit(&self, orgs: &Orgs, headers: &HeaderMap) -> Result<Access, Problem> {
        if self.trusts_all && !orgs.has_api_keys() {
            return Ok(Access::All);
        }
        let token = shown_key(headers)?;
        if self.admin_key.as_ref().is_some_and(|key| key.is(token)) {
            return Ok(Access::All);
        }
        match orgs.authenticate(Presented::ApiKey(token)) {
            Some(credential) => Ok(Access::Within(credential.org)),
            None => Err(unauthorized("the key is unknown or was revoked")),
        }
    }
}

impl Access {
    /// Whether the organisation is there to be seen.
    pub(crate) fn covers(self, orgs: &Orgs, org: OrgId) -> bool {
        match self {
            Self::All => true,
            Self::Within(own) => orgs.is_within(org, own),
        }
    }
}

/// The key that these headers show.
pub(crate) fn shown_key(headers: &HeaderMap) -> Result<&str, Problem> {
    bearer(headers).ok_or_else(|| {
        unauthorized(if headers.contains_key(header::AUTHORIZATION) {
            "Authorization must be given once, as Bearer and a key"
        } else {
            "Authorization is missing; it must be Bearer and a key"
        })
    })
}

pub(crate) fn unauthorized(detail: &str) -> Problem {
    let challenge = HeaderValue::from_static("Bearer");
    Problem::new(Slug::Unauthorized, detail).with_header(header::WWW_AUTHENTICATE, challenge)
}
