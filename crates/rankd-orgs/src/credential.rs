//! Who may ask what. Secrets are kept as digests; making and comparing them is done here, so that
//! every comparison takes the same time whatever is wrong.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ids::{CredentialId, OrgId};

/// A salted SHA-256 digest of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretDigest {
    /// Random.
    pub salt: [u8; 16],
    /// SHA-256 of salt and secret.
    pub digest: [u8; 32],
}

/// What a Keepnet client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Sees the companies below its own.
    Reseller,
    /// Sees its own company.
    CompanyAdmin,
}

/// What a credential is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialSpec {
    /// A bearer token of the Wintro surface; found by the SHA-256 of the token.
    WintroToken {
        /// SHA-256 of the whole token.
        digest: [u8; 32],
        /// Such as `leaderboard:read`.
        scopes: Vec<Box<str>>,
    },
    /// A client of the Keepnet surface.
    KeepnetClient {
        /// Unique in the store.
        client_id: Box<str>,
        /// Of the client's secret.
        secret: SecretDigest,
        /// What it may do.
        role: Role,
        /// Requests a minute; no limit if absent.
        requests_per_minute: Option<u32>,
    },
    /// A till of the Capillary surface (Basic).
    CapillaryTill {
        /// Unique in the store.
        username: Box<str>,
        /// Of the lower-case hexadecimal MD5 of the password.
        password: SecretDigest,
    },
    /// A client of the Capillary surface (OAuth header).
    CapillaryClient {
        /// Unique in the store.
        key: Box<str>,
        /// Of the client's secret.
        secret: SecretDigest,
        /// Lifetime of its tokens in seconds.
        ttl_s: u32,
    },
    /// A bearer key of the administration and ingest API, for its organisation and those below.
    ApiKey {
        /// SHA-256 of the whole key.
        digest: [u8; 32],
    },
}

/// A credential with its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Whose it is.
    pub org: OrgId,
    /// Revoked credentials are as if unknown.
    pub active: bool,
    /// When it was made, in milliseconds since 1970, UTC.
    pub created_ms: i64,
    /// What it is.
    pub spec: CredentialSpec,
}

/// What a client shows.
#[derive(Debug, Clone, Copy)]
pub enum Presented<'a> {
    /// The token after `Bearer `.
    WintroToken(&'a str),
    /// The key after `Bearer `.
    ApiKey(&'a str),
    /// Client id and secret.
    KeepnetClient(&'a str, &'a str),
    /// User name and lower-case hexadecimal MD5 of the password.
    CapillaryTill(&'a str, &'a str),
    /// Key and secret.
    CapillaryClient(&'a str, &'a str),
}

impl SecretDigest {
    /// Digest of a secret; the salt is random and comes from outside.
    #[must_use]
    pub fn of(salt: [u8; 16], secret: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(salt).chain_update(secret).finalize().into();
        Self { salt, digest }
    }

    /// Whether this is the secret; takes the same time either way.
    #[must_use]
    pub fn matches(&self, secret: &[u8]) -> bool {
        Self::of(self.salt, secret).digest.ct_eq(&self.digest).into()
    }
}

impl CredentialSpec {
    /// Digest by which bearer tokens and keys are found: SHA-256 of the whole text.
    #[must_use]
    pub fn bearer_digest(token: &str) -> [u8; 32] {
        Sha256::digest(token.as_bytes()).into()
    }
}
