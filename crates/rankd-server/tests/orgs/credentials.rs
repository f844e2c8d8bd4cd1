//! Credentials: what is made, what is shown, and what clients may keep.

use serde_json::{Value, json};

use super::org_support::{ADMIN_KEY, NOW_MS, World};
use super::{ask, assert_problem, header};

async fn world() -> World {
    let world = World::start(NOW_MS);
    world.put_org(1, json!({})).await;
    world
}

#[tokio::test]
async fn every_kind_is_made_and_its_secret_shown_once() {
    let world = world().await;
    for (spec, shown) in [
        (json!({ "kind": "wintroToken" }), None),
        (json!({ "kind": "apiKey" }), None),
        (json!({ "kind": "keepnetClient", "role": "reseller" }), Some("clientId")),
        (
            json!({ "kind": "keepnetClient", "role": "companyAdmin", "clientId": "c",
                "requestsPerMinute": 60 }),
            Some("clientId"),
        ),
        (json!({ "kind": "capillaryTill", "username": "till.main" }), Some("username")),
        (json!({ "kind": "capillaryClient", "ttlSeconds": 60 }), Some("key")),
    ] {
        let made = world.credential_json(1, spec.clone()).await;
        assert_eq!((&made["org"], &made["kind"]), (&json!(1), &spec["kind"]));
        assert!(made["credential"].as_u64() > Some(0), "{made}");
        assert!(made["secret"].as_str().unwrap().len() >= 40, "{made}");
        let names: Vec<_> = made.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), 4 + usize::from(shown.is_some()), "{made}");
        if let Some(name) = shown {
            assert!(!made[name].as_str().unwrap().is_empty(), "{made}");
        }
    }
    let first = world.credential(1, json!({ "kind": "wintroToken" })).await;
    assert!(first.starts_with("wintro_"), "{first}");
    assert_ne!(first, world.credential(1, json!({ "kind": "wintroToken" })).await);
    let bearer = format!("Bearer {ADMIN_KEY}");
    let body = r#"{"kind": "apiKey"}"#;
    let sent = [("authorization", &*bearer)];
    let (_, headers, _) = world.request("POST", "/v1/orgs/1/credentials", &sent, body).await;
    assert_eq!(header(&headers, "cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_client_may_keep_its_secret() {
    let world = world().await;
    let spec = json!({ "kind": "apiKey", "secret": "kept-from-the-days-before" });
    assert_eq!(world.credential(1, spec).await, "kept-from-the-days-before");
    assert_eq!(ask(&world, "kept-from-the-days-before", "GET", "/v1/orgs/1", "").await.0, 200);
    assert_eq!(ask(&world, "kept-from-the-days-beforf", "GET", "/v1/orgs/1", "").await.0, 401);
    let till = json!({ "kind": "capillaryTill", "username": "t", "secret": "pw" });
    assert_eq!(world.credential(1, till).await, "pw");
    // The MD5 of "pw" is what a till shows.
    let shown = rankd_orgs::Presented::CapillaryTill("t", "8fe4c11451281c094a6578e6ddbf5eed");
    assert!(world.engine.orgs().authenticate(shown).is_some());
}

#[tokio::test]
async fn bad_credentials_are_refused() {
    let world = world().await;
    world.credential(1, json!({ "kind": "capillaryTill", "username": "taken" })).await;
    let path = "/v1/orgs/1/credentials";
    let post = |body: Value| {
        let world = &world;
        async move { ask(world, ADMIN_KEY, "POST", path, &body.to_string()).await }
    };
    for (body, slug, mention) in [
        (json!({}), "invalid-body", "kind"),
        (json!({ "kind": "password" }), "invalid-body", "password"),
        (json!({ "kind": "keepnetClient" }), "invalid-body", "role"),
        (json!({ "kind": "keepnetClient", "role": "root" }), "invalid-body", "root"),
        (json!({ "kind": "capillaryTill" }), "invalid-body", "username"),
        (json!({ "kind": "apiKey", "scopes": [] }), "invalid-body", "scopes"),
        (json!({ "kind": "apiKey", "secret": "short" }), "invalid-value", "16"),
        (
            json!({ "kind": "wintroToken", "secret": "with blanks in it" }),
            "invalid-value",
            "blanks",
        ),
        (json!({ "kind": "capillaryTill", "username": "t", "secret": "" }), "invalid-value", "512"),
        (
            json!({ "kind": "capillaryTill", "username": "t", "secret": "s".repeat(513) }),
            "invalid-value",
            "513",
        ),
    ] {
        let refused = post(body.clone()).await;
        assert_problem(&refused, 400, slug, &[mention]);
        let secret = body["secret"].as_str().filter(|secret| !secret.is_empty());
        assert!(
            !secret.is_some_and(|secret| refused.1.to_string().contains(secret)),
            "{refused:?}"
        );
    }
    let twin = post(json!({ "kind": "capillaryTill", "username": "taken" })).await;
    assert_problem(&twin, 409, "taken", &["taken"]);
    let none =
        ask(&world, ADMIN_KEY, "POST", "/v1/orgs/2/credentials", r#"{"kind":"apiKey"}"#).await;
    assert_problem(&none, 404, "unknown-organisation", &["2"]);
}
