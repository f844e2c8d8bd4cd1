//! Who may see and change what.

use rankd_server::ServerOptions;
use serde_json::{Value, json};

use super::org_support::{ADMIN_KEY, NOW_MS, World, activity, options};
use super::{ask, assert_problem};

/// Two trees: 1 above 2 and 3, 2 above 4; and 9, alone. A key of organisation 2.
async fn trees() -> (World, String) {
    let world = World::start(NOW_MS);
    for (org, parent) in [(1, None), (2, Some(1)), (3, Some(1)), (4, Some(2)), (9, None)] {
        world.put_org(org, json!({ "parent": parent })).await;
        world.put_user(org, 100 + org, json!({ "firstName": "Canary" })).await;
    }
    let key = world.credential(2, json!({ "kind": "apiKey" })).await;
    (world, key)
}

#[tokio::test]
async fn without_a_key_nothing_is_let_in() {
    let world = World::start(NOW_MS);
    let (put, path) = (r#"{"name": "x"}"#, "/v1/orgs/1");
    assert_problem(&ask(&world, "", "PUT", path, put).await, 401, "unauthorized", &["missing"]);
    let wrong = ask(&world, "0123456789abcdef", "PUT", path, put).await;
    assert_problem(&wrong, 401, "unauthorized", &["unknown"]);
    let basic = [("authorization", "Basic abc")];
    let (status, headers, _) = world.request("GET", path, &basic, "").await;
    assert_eq!((status, &headers["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
    assert_eq!(ask(&world, ADMIN_KEY, "PUT", path, put).await.0, 201);
}

#[tokio::test]
async fn a_loopback_server_is_open_until_there_is_a_key() {
    let world = World::start_with(NOW_MS, ServerOptions { admin_key: None, ..options() });
    assert_eq!(ask(&world, "", "PUT", "/v1/orgs/1", r#"{"name": "x"}"#).await.0, 201);
    let wintro = r#"{"kind": "wintroToken"}"#;
    assert_eq!(ask(&world, "", "POST", "/v1/orgs/1/credentials", wintro).await.0, 201);
    assert_eq!(ask(&world, "", "GET", "/v1/orgs/1", "").await.0, 200);
    let api_key = r#"{"kind": "apiKey"}"#;
    let (status, made) = ask(&world, "", "POST", "/v1/orgs/1/credentials", api_key).await;
    assert_eq!(status, 201);
    assert_eq!(ask(&world, "", "GET", "/v1/orgs/1", "").await.0, 401);
    let key = made["secret"].as_str().unwrap();
    assert_eq!(ask(&world, key, "GET", "/v1/orgs/1", "").await.0, 200);
    // Revoking the only key opens the server again.
    let path = format!("/v1/orgs/1/credentials/{}", made["credential"]);
    assert_eq!(ask(&world, key, "DELETE", &path, "").await.0, 204);
    assert_eq!(ask(&world, "", "GET", "/v1/orgs/1", "").await.0, 200);
    // The Host check still holds for this API.
    let foreign = [("host", "evil.example")];
    assert_eq!(world.request("GET", "/v1/orgs/1", &foreign, "").await.0, 403);
}

#[tokio::test]
async fn a_key_covers_its_organisation_and_those_below() {
    let (world, key) = trees().await;
    for org in [2, 4] {
        let (status, json) = ask(&world, &key, "GET", &format!("/v1/orgs/{org}"), "").await;
        assert_eq!((status, &json["org"]), (200, &json!(org)));
        let path = format!("/v1/orgs/{org}/users/{}", 100 + org);
        assert_eq!(ask(&world, &key, "GET", &path, "").await.0, 200);
        assert_eq!(ask(&world, &key, "PUT", &path, r#"{"profile": {}}"#).await.0, 200);
    }
    // Users are seen by their home, from above.
    assert_eq!(ask(&world, &key, "GET", "/v1/orgs/2/users/104", "").await.0, 200);
    let from_below = ask(&world, &key, "GET", "/v1/orgs/4/users/102", "").await;
    assert_problem(&from_below, 404, "unknown-user", &["102"]);
    let child = r#"{"name": "New", "parent": 4}"#;
    assert_eq!(ask(&world, &key, "PUT", "/v1/orgs/5", child).await.0, 201);
    let root = ask(&world, &key, "PUT", "/v1/orgs/6", r#"{"name": "New"}"#).await;
    assert_problem(&root, 403, "forbidden", &["operator"]);
}

/// Every call, aimed at an organisation and a user.
fn calls(org: u64, user: u64) -> Vec<(&'static str, String, Value)> {
    let group = json!({ "name": "g" });
    vec![
        ("GET", format!("/v1/orgs/{org}"), json!({})),
        ("PUT", format!("/v1/orgs/{org}"), json!({ "name": "x" })),
        ("GET", format!("/v1/orgs/{org}/users/{user}"), json!({})),
        ("PUT", format!("/v1/orgs/{org}/users/{user}"), json!({ "profile": {} })),
        ("DELETE", format!("/v1/orgs/{org}/users/{user}"), json!({})),
        ("POST", format!("/v1/orgs/{org}/users"), json!({ "users": [{ "user": user }] })),
        ("PUT", format!("/v1/orgs/{org}/scoring-rules"), json!({ "rules": [] })),
        ("PUT", format!("/v1/orgs/{org}/target-groups/1"), group),
        ("GET", format!("/v1/orgs/{org}/target-groups/1"), json!({})),
        ("POST", format!("/v1/orgs/{org}/credentials"), json!({ "kind": "apiKey" })),
        ("DELETE", format!("/v1/orgs/{org}/credentials/1"), json!({})),
    ]
}

#[tokio::test]
async fn what_a_key_does_not_cover_is_as_if_it_did_not_exist() {
    let (world, key) = trees().await;
    for (org, user) in [(1, 101), (3, 103), (9, 109)] {
        for (hidden, unknown) in calls(org, user).into_iter().zip(calls(777, user)) {
            let (method, path, body) = hidden;
            let seen = ask(&world, &key, method, &path, &body.to_string()).await;
            let (method, path, body) = unknown;
            let expected = ask(&world, &key, method, &path, &body.to_string()).await;
            assert!(matches!(expected.0, 403 | 404), "{method} {path}: {expected:?}");
            let seen = (seen.0, seen.1.to_string().replace(&format!(" {org}\""), " 777\""));
            assert_eq!(seen, (expected.0, expected.1.to_string()), "{method} {path}");
        }
    }
    for org in [1, 3, 9] {
        let path = format!("/v1/orgs/{org}/users/{}", 100 + org);
        let (_, user) = ask(&world, ADMIN_KEY, "GET", &path, "").await;
        assert_eq!(user["profile"]["firstName"], "Canary");
    }
}

#[tokio::test]
async fn what_a_key_does_not_cover_cannot_be_taken_over() {
    let (world, key) = trees().await;
    let put = |org, body: &'static str| {
        let (world, key) = (&world, &key);
        async move { ask(world, key, "PUT", &format!("/v1/orgs/{org}"), body).await }
    };
    for org in [3, 9] {
        let taken = put(org, r#"{"name": "Mine", "parent": 2}"#).await;
        assert_problem(&taken, 409, "taken", &[&org.to_string()]);
    }
    let hidden = put(5, r#"{"name": "Mine", "parent": 9}"#).await;
    assert_problem(&hidden, 404, "unknown-organisation", &["9"]);
    // A user of the same tree, but of a part that the key does not cover.
    let body = r#"{"profile": {"firstName": "Stolen"}}"#;
    let stolen = ask(&world, &key, "PUT", "/v1/orgs/2/users/103", body).await;
    assert_problem(&stolen, 409, "taken", &["103"]);
    let rows = json!({ "users": [{ "user": 103 }, { "user": 200 }] }).to_string();
    let (_, report) = ask(&world, &key, "POST", "/v1/orgs/2/users", &rows).await;
    assert_eq!((&report["applied"], &report["rejected"][0]["index"]), (&json!(1), &json!(0)));
    let (_, user) = ask(&world, ADMIN_KEY, "GET", "/v1/orgs/3/users/103", "").await;
    assert_eq!((&user["org"], &user["profile"]["firstName"]), (&json!(3), &json!("Canary")));
    // An id of another tree is a user of its own in this one.
    assert_eq!(ask(&world, &key, "PUT", "/v1/orgs/2/users/109", body).await.0, 201);
}

#[tokio::test]
async fn rows_for_others_are_rejected_like_rows_for_nobody() {
    let (world, key) = trees().await;
    let ids = [4, 3, 9, 777];
    let items: Vec<_> = ids.map(|org| activity(&format!("a{org}"), org, 1, "x", NOW_MS)).into();
    let body = json!({ "activities": items }).to_string();
    let (status, report) = ask(&world, &key, "POST", "/v1/activities", &body).await;
    assert_eq!((status, &report["accepted"]), (200, &json!(1)));
    let hidden = |index: usize, org: u64| {
        let detail = format!("there is no organisation {org}");
        json!({ "index": index, "detail": detail })
    };
    assert_eq!(report["rejected"], json!([hidden(1, 3), hidden(2, 9), hidden(3, 777)]));
    let rows: Vec<_> = [3, 777]
        .map(|org| json!({ "orgId": org, "targetGroupId": 1, "targetId": 1, "userId": 1 }))
        .into();
    let body = json!({ "enrolments": rows }).to_string();
    let (_, report) = ask(&world, &key, "POST", "/v1/enrolments", &body).await;
    assert_eq!(report["rejected"], json!([hidden(0, 3), hidden(1, 777)]));
}

#[tokio::test]
async fn a_revoked_key_is_unknown() {
    let (world, _) = trees().await;
    let made = world.credential_json(2, json!({ "kind": "apiKey" })).await;
    let key = made["secret"].as_str().unwrap();
    assert_eq!(ask(&world, key, "GET", "/v1/orgs/2", "").await.0, 200);
    let path = format!("/v1/orgs/2/credentials/{}", made["credential"]);
    assert_eq!(ask(&world, key, "DELETE", &path, "").await.0, 204);
    assert_problem(&ask(&world, key, "GET", "/v1/orgs/2", "").await, 401, "unauthorized", &[]);
    let again = ask(&world, ADMIN_KEY, "DELETE", &path, "").await;
    assert_problem(&again, 404, "unknown-credential", &[]);
}

#[tokio::test]
async fn boards_stay_open_whatever_keys_there_are() {
    let (world, _) = trees().await;
    assert_eq!(ask(&world, "", "PUT", "/v1/boards/b", "").await.0, 201);
    assert_eq!(ask(&world, "", "GET", "/v1/boards/b/top", "").await.0, 200);
}
