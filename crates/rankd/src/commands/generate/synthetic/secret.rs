//! Credentials that everybody knows, for data that is about nobody.

use rankd_orgs::{CredentialSpec, OrgId, Role, SecretDigest};

/// A credential of a synthetic organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DemoCredential {
    pub(crate) org: OrgId,
    pub(crate) secret: Secret,
}

/// What a client shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Secret {
    WintroToken {
        token: &'static str,
        scope: &'static str,
    },
    KeepnetClient {
        client_id: &'static str,
        secret: &'static str,
        role: Role,
    },
    /// A client sends the MD5 of the password, as 32 hexadecimal digits.
    CapillaryTill {
        username: &'static str,
        password: &'static str,
        password_md5: &'static str,
    },
}

/// A salt keeps equal secrets of different clients apart. These are public anyway.
const SALT: [u8; 16] = *b"rankd-demo-salt!";

impl Secret {
    /// What the store keeps of it.
    pub(crate) fn spec(&self) -> CredentialSpec {
        match *self {
            Self::WintroToken { token, scope } => CredentialSpec::WintroToken {
                digest: CredentialSpec::bearer_digest(token),
                scopes: vec![scope.into()],
            },
            Self::KeepnetClient { client_id, secret, role } => CredentialSpec::KeepnetClient {
                client_id: client_id.into(),
                secret: SecretDigest::of(SALT, secret.as_bytes()),
                role,
                requests_per_minute: None,
            },
            Self::CapillaryTill { username, password_md5, .. } => CredentialSpec::CapillaryTill {
                username: username.into(),
                password: SecretDigest::of(SALT, password_md5.as_bytes()),
            },
        }
    }
}
