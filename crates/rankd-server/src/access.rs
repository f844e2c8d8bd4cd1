//! Who may see and change organisations: the operator all of them, an API key its own and those
//! below. What is outside is as if it did not exist.
//!
//! It says nothing of boards, which have no credentials, and nothing of the published APIs, which
//! have their own. Invariant: without a key nothing is let in, except on a loopback address as long
//! as nobody has made any key. Cost: one SHA-256, and a look-up.

use hyper::header::{self, HeaderMap, HeaderValue};
use rankd_orgs::{OrgId, Orgs, Presented};

use crate::options::{AdminKey, ServerOptions};
use crate::problem::{Problem, Slug};
use crate::surfaces::bearer;

/// Decides what a request may see.
#[derive(Debug)]
pub(crate) struct Gate {
    admin_key: Option<AdminKey>,
    /// Whether only this machine can reach the server.
    loopback: bool,
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
        let loopback = options.http.ip().is_loopback();
        Self { admin_key: options.admin_key.clone(), loopback }
    }

    /// What the sender of these headers may see.
    pub(crate) fn admit(&self, orgs: &Orgs, headers: &HeaderMap) -> Result<Access, Problem> {
        if self.loopback && self.admin_key.is_none() && !orgs.has_api_keys() {
            return Ok(Access::All);
        }
        let Some(token) = bearer(headers) else {
            let detail = if headers.contains_key(header::AUTHORIZATION) {
                "Authorization must be given once, as Bearer and a key"
            } else {
                "Authorization is missing; it must be Bearer and a key"
            };
            return Err(unauthorized(detail));
        };
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

fn unauthorized(detail: &str) -> Problem {
    let challenge = HeaderValue::from_static("Bearer");
    Problem::new(Slug::Unauthorized, detail).with_header(header::WWW_AUTHENTICATE, challenge)
}
