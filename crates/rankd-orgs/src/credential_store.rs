//! All credentials, and the key that access tokens are signed with.
//!
//! What it is: credentials by id and by what clients show. What it is not: a rate limit or a token.
//! Invariant: ids are 1, 2, 3 ...; names and digests of living credentials are unique within their
//! sort. Cost: O(1), and one SHA-256 for each secret that is compared.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::check::{taken, unknown};
use crate::chunks::Chunks;
use crate::credential::{Credential, CredentialSpec, Presented, SecretDigest};
use crate::ids::{CredentialId, OrgId};
use crate::intent::OrgRejection;

/// By what a credential is found. A digest is of a random secret, so that looking it up tells
/// nothing of others by the time it takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Handle {
    WintroToken([u8; 32]),
    ApiKey([u8; 32]),
    KeepnetClient(Box<str>),
    CapillaryTill(Box<str>),
    CapillaryClient(Box<str>),
}

impl Handle {
    fn of(spec: &CredentialSpec) -> Self {
        match spec {
            CredentialSpec::WintroToken { digest, .. } => Self::WintroToken(*digest),
            CredentialSpec::ApiKey { digest } => Self::ApiKey(*digest),
            CredentialSpec::KeepnetClient { client_id, .. } => {
                Self::KeepnetClient(client_id.clone())
            }
            CredentialSpec::CapillaryTill { username, .. } => Self::CapillaryTill(username.clone()),
            CredentialSpec::CapillaryClient { key, .. } => Self::CapillaryClient(key.clone()),
        }
    }

    /// What is taken if this is, in words that tell no secret.
    fn name(&self) -> (&'static str, &str) {
        match self {
            Self::WintroToken(_) => ("token", "given"),
            Self::ApiKey(_) => ("API key", "given"),
            Self::KeepnetClient(id) => ("client id", id),
            Self::CapillaryTill(username) => ("user name", username),
            Self::CapillaryClient(key) => ("key", key),
        }
    }
}

/// Credentials of the whole store.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    pub(crate) signing_key: Option<[u8; 32]>,
    all: Chunks<Arc<Credential>>,
    by_handle: HashMap<Handle, u64, RandomState>,
    active_by_org: HashMap<OrgId, usize, RandomState>,
    api_keys: u64,
}

impl Credentials {
    /// The id of the next one.
    pub(crate) fn next_id(&self) -> CredentialId {
        CredentialId(self.all.len() as u64 + 1)
    }

    /// Living credentials of an organisation.
    pub(crate) fn active_of(&self, org: OrgId) -> usize {
        self.active_by_org.get(&org).copied().unwrap_or(0)
    }

    /// Whether what clients would show is free.
    pub(crate) fn check_free(&self, spec: &CredentialSpec) -> Result<(), OrgRejection> {
        let handle = Handle::of(spec);
        let (what, id) = handle.name();
        if self.by_handle.contains_key(&handle) { Err(taken(what, id)) } else { Ok(()) }
    }

    /// The organisation's credential, living or not.
    pub(crate) fn of(
        &self,
        org: OrgId,
        id: CredentialId,
    ) -> Result<&Arc<Credential>, OrgRejection> {
        let found = self.at(id).filter(|credential| credential.org == org);
        found.ok_or_else(|| unknown("credential", id.0))
    }

    fn at(&self, id: CredentialId) -> Option<&Arc<Credential>> {
        self.all.get(usize::try_from(id.0.checked_sub(1)?).ok()?)
    }

    /// The living credential of this id.
    pub(crate) fn active(&self, id: CredentialId) -> Option<&Arc<Credential>> {
        self.at(id).filter(|credential| credential.active)
    }

    /// Adds the next credential.
    ///
    /// # Errors
    /// If it is not the next one.
    pub(crate) fn add(&mut self, credential: Credential) -> Result<(), String> {
        if credential.id != self.next_id() {
            let next = self.next_id().0;
            return Err(format!("credential {} comes in the place of {next}", credential.id.0));
        }
        if credential.active {
            self.by_handle.insert(Handle::of(&credential.spec), credential.id.0);
            self.count(&credential, true);
        }
        self.all.push(Arc::new(credential));
        Ok(())
    }

    fn count(&mut self, credential: &Credential, is_new: bool) {
        let api_keys = u64::from(matches!(credential.spec, CredentialSpec::ApiKey { .. }));
        let of_org = self.active_by_org.entry(credential.org).or_default();
        if is_new {
            *of_org += 1;
            self.api_keys += api_keys;
        } else {
            *of_org -= 1;
            self.api_keys -= api_keys;
        }
    }

    /// Ends a credential's life.
    pub(crate) fn revoke(&mut self, id: CredentialId) {
        let Some(credential) = self.active(id).cloned() else { return };
        self.by_handle.remove(&Handle::of(&credential.spec));
        self.count(&credential, false);
        let at = usize::try_from(id.0 - 1).ok().and_then(|at| self.all.get_mut(at));
        if let Some(entry) = at {
            *entry = Arc::new(Credential { active: false, ..(*credential).clone() });
        }
    }

    pub(crate) fn has_api_keys(&self) -> bool {
        self.api_keys > 0
    }

    /// The living credential that is shown, with the secret that is still to be compared.
    pub(crate) fn find<'p>(
        &self,
        shown: Presented<'p>,
    ) -> (Option<Arc<Credential>>, Option<&'p str>) {
        let digest = CredentialSpec::bearer_digest;
        let (handle, secret) = match shown {
            Presented::WintroToken(token) => (Handle::WintroToken(digest(token)), None),
            Presented::ApiKey(key) => (Handle::ApiKey(digest(key)), None),
            Presented::KeepnetClient(id, secret) => {
                (Handle::KeepnetClient(id.into()), Some(secret))
            }
            Presented::CapillaryTill(name, md5) => (Handle::CapillaryTill(name.into()), Some(md5)),
            Presented::CapillaryClient(key, secret) => {
                (Handle::CapillaryClient(key.into()), Some(secret))
            }
        };
        let id = self.by_handle.get(&handle).map(|id| CredentialId(*id));
        (id.and_then(|id| self.active(id)).cloned(), secret)
    }

    /// Credentials as they are now.
    pub(crate) fn freeze(&self) -> Chunks<Arc<Credential>> {
        self.all.clone()
    }
}

/// Whether the secret is right; takes the same time where there is no such credential.
pub(crate) fn verify(
    found: Option<Arc<Credential>>,
    secret: Option<&str>,
) -> Option<Arc<Credential>> {
    let Some(secret) = secret else { return found };
    let nobody = SecretDigest { salt: [0; 16], digest: [0; 32] };
    let digest = found.as_ref().and_then(|credential| match &credential.spec {
        CredentialSpec::KeepnetClient { secret, .. }
        | CredentialSpec::CapillaryClient { secret, .. } => Some(secret),
        CredentialSpec::CapillaryTill { password, .. } => Some(password),
        CredentialSpec::WintroToken { .. } | CredentialSpec::ApiKey { .. } => None,
    });
    let matches = digest.unwrap_or(&nobody).matches(secret.as_bytes());
    found.filter(|_| matches)
}
