//! Credentials, the signing key, and who is let in.
//!
//! Goal: only the right secret of a living credential of the right sort is let in. Method: one
//! credential of each sort, shown rightly and wrongly, before and after a snapshot.

#![allow(clippy::unwrap_used, dead_code, reason = "a test may panic, and shares its support")]

mod support;

use rankd_orgs::{
    CredentialId, CredentialSpec, OrgId, OrgIntent, OrgOutcome, Orgs, Presented, Role, SecretDigest,
};
use support::{NOW, execute, items, load, one, put_org};

fn store() -> Orgs {
    let secret = |secret: &str| SecretDigest::of([7; 16], secret.as_bytes());
    let specs = [
        CredentialSpec::WintroToken {
            digest: CredentialSpec::bearer_digest("wintro_1"),
            scopes: vec!["leaderboard:read".into()],
        },
        CredentialSpec::KeepnetClient {
            client_id: "client".into(),
            secret: secret("k"),
            role: Role::Reseller,
            requests_per_minute: Some(10),
        },
        CredentialSpec::CapillaryTill { username: "till".into(), password: secret("md5") },
        CredentialSpec::CapillaryClient { key: "key".into(), secret: secret("c"), ttl_s: 300 },
        CredentialSpec::ApiKey { digest: CredentialSpec::bearer_digest("api_1") },
    ];
    let add = |spec| OrgIntent::AddCredential { org: OrgId(1), spec };
    let orgs = Orgs::new();
    assert!(!orgs.has_api_keys());
    let batch: Vec<OrgIntent> = [put_org(1, None)].into_iter().chain(specs.map(add)).collect();
    let (outcomes, _) = execute(&orgs, &batch);
    assert_eq!(outcomes[5], OrgOutcome::CredentialAdded(CredentialId(5)));
    orgs
}

const RIGHT: [Presented<'_>; 5] = [
    Presented::WintroToken("wintro_1"),
    Presented::KeepnetClient("client", "k"),
    Presented::CapillaryTill("till", "md5"),
    Presented::CapillaryClient("key", "c"),
    Presented::ApiKey("api_1"),
];

fn ids(orgs: &Orgs) -> Vec<Option<u64>> {
    let found = RIGHT.iter().map(|shown| orgs.authenticate(*shown));
    found.map(|credential| credential.map(|credential| credential.id.0)).collect()
}

#[test]
fn the_right_secret_is_let_in_and_nothing_else() {
    let orgs = store();
    assert_eq!(ids(&orgs), [Some(1), Some(2), Some(3), Some(4), Some(5)]);
    let wrong = [
        Presented::WintroToken("wintro_2"),
        Presented::WintroToken("api_1"),
        Presented::ApiKey("wintro_1"),
        Presented::ApiKey(""),
        Presented::KeepnetClient("client", ""),
        Presented::KeepnetClient("key", "c"),
        Presented::CapillaryTill("till", "k"),
        Presented::CapillaryTill("nobody", "md5"),
        Presented::CapillaryClient("key", "k"),
        Presented::CapillaryClient("client", "k"),
    ];
    assert!(wrong.iter().all(|shown| orgs.authenticate(*shown).is_none()));
    let till = orgs.credential(CredentialId(3)).unwrap();
    assert_eq!((till.org, till.active, till.created_ms), (OrgId(1), true, NOW));
    assert!(orgs.credential(CredentialId(0)).is_none());
    assert!(orgs.credential(CredentialId(6)).is_none());
}

#[test]
fn the_revoked_are_unknown_also_after_a_snapshot() {
    let orgs = store();
    assert!(orgs.has_api_keys());
    for credential in [2, 5] {
        let (org, credential) = (OrgId(1), CredentialId(credential));
        let revoke = OrgIntent::RevokeCredential { org, credential };
        assert_eq!(one(&orgs, revoke), OrgOutcome::Changed);
    }
    let again = load(items(&orgs));
    for orgs in [&orgs, &again] {
        assert_eq!(ids(orgs), [Some(1), None, Some(3), Some(4), None]);
        assert!(orgs.credential(CredentialId(2)).is_none());
        assert!(!orgs.has_api_keys());
    }
    let spec = CredentialSpec::ApiKey { digest: CredentialSpec::bearer_digest("api_1") };
    let added = one(&again, OrgIntent::AddCredential { org: OrgId(1), spec });
    assert_eq!(added, OrgOutcome::CredentialAdded(CredentialId(6)), "the text is free again");
}

#[test]
fn there_is_one_signing_key() {
    let orgs = Orgs::new();
    assert_eq!(orgs.signing_key(), None);
    assert_eq!(one(&orgs, OrgIntent::OfferSigningKey { key: [1; 32] }), OrgOutcome::Created);
    assert_eq!(one(&orgs, OrgIntent::OfferSigningKey { key: [2; 32] }), OrgOutcome::Unchanged);
    assert_eq!(load(items(&orgs)).signing_key(), Some([1; 32]));
}

#[test]
fn secrets_are_digested_with_their_salt() {
    // SHA-256 of 16 bytes of zeros and then "abc", by an independent program (sha256sum).
    let expected = "277e7ff6d232b9763f4a66e8d05d210da32dac9c6dbce1026ad4cc98acb5fefe";
    let digest = SecretDigest::of([0; 16], b"abc");
    let hex: String = digest.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected);
    assert!(digest.matches(b"abc") && !digest.matches(b"abd"));
    assert_ne!(SecretDigest::of([1; 16], b"abc").digest, digest.digest);
}
