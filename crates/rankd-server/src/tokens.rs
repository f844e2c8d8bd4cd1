//! Access tokens of the surfaces that hand them out: a credential's id and an expiry, signed.
//!
//! They are stateless: nothing is kept of a token, any number of them may be valid, and they
//! outlive restarts because the signing key is part of the store. What ends one early is that its
//! credential is revoked.
//!
//! Invariant: a token is accepted for the purpose that it was made for, up to its expiry, and only
//! while its credential is active. Cost: one HMAC-SHA256 over less than a block.
//!
//! A token is `k1.` or `c1.` and then the unpadded URL-safe base64 of 8 bytes of credential id,
//! 8 bytes of expiry (milliseconds since 1970), both big-endian, and 32 bytes of HMAC-SHA256 over
//! prefix, id and expiry.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rankd_engine::{Engine, StoreError};
use rankd_orgs::{Credential, CredentialId, OrgIntent};
use sha2::Sha256;

/// Length of what is signed beside the prefix, in bytes.
const CLAIMS_BYTES: usize = 16;
/// Length of the signature, in bytes.
const SIGNATURE_BYTES: usize = 32;
/// Length of a token's text behind its prefix: 48 bytes in base64.
const TEXT_BYTES: usize = (CLAIMS_BYTES + SIGNATURE_BYTES) / 3 * 4;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Keepnet,
    Capillary,
}

impl Purpose {
    /// What its tokens begin with; part of what is signed.
    fn prefix(self) -> &'static str {
        match self {
            Self::Keepnet => "k1.",
            Self::Capillary => "c1.",
        }
    }
}

/// A token for a credential, valid for `ttl_s` seconds from `now_ms` on. The first token of a
/// store makes the key that all are signed with.
///
/// # Errors
/// The key is not there yet and cannot be made durable.
pub(crate) async fn issue(
    engine: &Arc<Engine>,
    purpose: Purpose,
    credential: CredentialId,
    ttl_s: u32,
    now_ms: i64,
) -> Result<String, StoreError> {
    let key = signing_key(engine).await?;
    let expires_ms = now_ms.saturating_add(i64::from(ttl_s) * 1000);
    Ok(signed(&key, purpose, credential, expires_ms))
}

/// The active credential that a token was issued to, if the token is genuine and still valid.
pub(crate) fn verify(
    engine: &Engine,
    purpose: Purpose,
    token: &str,
    now_ms: i64,
) -> Option<Arc<Credential>> {
    let key = engine.orgs().signing_key()?;
    engine.orgs().credential(claimed(&key, purpose, token, now_ms)?)
}

/// The store's signing key, made now if there is none. Of several that are offered at a time, the
/// store keeps the first, and everybody gets that one.
async fn signing_key(engine: &Engine) -> Result<[u8; 32], StoreError> {
    if let Some(key) = engine.orgs().signing_key() {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| {
        StoreError::ReadOnly(format!("the system gave no random bytes for a key: {error}"))
    })?;
    engine.submit_orgs(vec![OrgIntent::OfferSigningKey { key }]).await?;
    // An offer is either taken or there was a key before it.
    Ok(engine.orgs().signing_key().unwrap_or(key))
}

fn signed(key: &[u8; 32], purpose: Purpose, credential: CredentialId, expires_ms: i64) -> String {
    let mut claims = [0; CLAIMS_BYTES];
    claims[..8].copy_from_slice(&credential.0.to_be_bytes());
    claims[8..].copy_from_slice(&expires_ms.to_be_bytes());
    let signature = hmac(key, purpose, &claims).finalize().into_bytes();
    let mut token = String::with_capacity(purpose.prefix().len() + TEXT_BYTES);
    token.push_str(purpose.prefix());
    URL_SAFE_NO_PAD.encode_string([&claims[..], &signature[..]].concat(), &mut token);
    token
}

/// The credential that a genuine and valid token names. The signature is compared in constant
/// time, and before anything else is looked at.
fn claimed(key: &[u8; 32], purpose: Purpose, token: &str, now_ms: i64) -> Option<CredentialId> {
    let text = token.strip_prefix(purpose.prefix()).filter(|text| text.len() == TEXT_BYTES)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (claims, signature) = bytes.split_first_chunk::<CLAIMS_BYTES>()?;
    hmac(key, purpose, claims).verify_slice(signature).ok()?;
    let (id, expires_ms) = claims.split_first_chunk::<8>()?;
    let expires_ms = i64::from_be_bytes(expires_ms.try_into().ok()?);
    (now_ms < expires_ms).then(|| CredentialId(u64::from_be_bytes(*id)))
}

fn hmac(key: &[u8; 32], purpose: Purpose, claims: &[u8; CLAIMS_BYTES]) -> Hmac<Sha256> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    hmac.update(purpose.prefix().as_bytes());
    hmac.update(claims);
    hmac
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const ID: CredentialId = CredentialId(0x0102_0304_0506_0708);

    fn claimed_at(token: &str, now_ms: i64) -> Option<CredentialId> {
        claimed(&KEY, Purpose::Keepnet, token, now_ms)
    }

    #[test]
    fn a_token_is_valid_up_to_its_expiry() {
        let token = signed(&KEY, Purpose::Keepnet, ID, 5_000);
        assert_eq!(claimed_at(&token, i64::MIN), Some(ID));
        assert_eq!(claimed_at(&token, 4_999), Some(ID));
        assert_eq!(claimed_at(&token, 5_000), None);
    }

    #[test]
    fn other_purposes_and_keys_do_not_accept_it() {
        let token = signed(&KEY, Purpose::Keepnet, ID, 5_000);
        assert_eq!(claimed(&KEY, Purpose::Capillary, &token, 0), None);
        let disguised = token.replace("k1.", "c1.");
        assert_eq!(claimed(&KEY, Purpose::Capillary, &disguised, 0), None);
        assert_eq!(claimed(&[8; 32], Purpose::Keepnet, &token, 0), None);
    }

    #[test]
    fn every_changed_character_breaks_it() {
        let token = signed(&KEY, Purpose::Keepnet, ID, 5_000);
        for at in 0..token.len() {
            for other in ["A", "B", "_", "=", " "] {
                if token[at..=at] != *other {
                    let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                    assert_eq!(claimed_at(&changed, 0), None, "{changed}");
                }
            }
        }
        for wrong in ["", "k1.", &token[..token.len() - 1], &format!("{token}A"), &token[3..]] {
            assert_eq!(claimed_at(wrong, 0), None, "{wrong}");
        }
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        // Python's hmac and base64 modules, fed by hand.
        let token = signed(&KEY, Purpose::Keepnet, ID, 5_000);
        assert_eq!(token, "k1.AQIDBAUGBwgAAAAAAAATiKIu1oJlMgm6F-WpawRhZoISUrIna-q_4aOdva7Bo1iX");
    }
}
