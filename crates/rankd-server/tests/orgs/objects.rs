//! Organisations, users, rules, groups and enrolments, put in and read back.

use serde_json::json;

use super::org_support::{ADMIN_KEY, NOW_MS, World, activity};
use super::{ask, assert_problem};

#[tokio::test]
async fn an_organisation_is_put_and_read() {
    let world = World::start(NOW_MS);
    let created = world.put_org(310, json!({ "name": "Harbor Works" })).await;
    let expected = json!({
        "org": 310, "parent": null, "resourceId": "org310", "name": "Harbor Works",
        "timeZone": "UTC", "leaderboardsEnabled": true, "enrichmentFields": [],
        "licence": {
            "industryName": null, "industryResourceId": null, "typeName": null,
            "typeResourceId": null, "isUsersLimited": false, "usersMax": 0, "endsAt": null,
            "privacyDurationId": 0, "deletedUsers": 0, "inactiveUsers": 0, "tags": [],
        },
        "createdAt": "2026-03-16T12:00:00Z", "ingestedAt": "2026-03-16T12:00:00Z",
        "users": 0, "activities": 0, "version": created["version"],
    });
    assert_eq!(created, expected);
    let spec = json!({
        "name": "Reef", "parent": 310, "resourceId": "kQ7mZp2XrT9a", "timeZone": "Asia/Kolkata",
        "leaderboardsEnabled": false, "enrichmentFields": ["birthday", "gender"],
        "licence": { "typeName": "Standard", "isUsersLimited": true, "usersMax": 250,
            "endsAt": "2027-01-31T00:00:00Z", "tags": ["a"] },
    });
    world.put_org(311, spec.clone()).await;
    let (status, read) = ask(&world, ADMIN_KEY, "GET", "/v1/orgs/311", "").await;
    assert_eq!(status, 200);
    for field in ["name", "parent", "resourceId", "timeZone", "leaderboardsEnabled"] {
        assert_eq!(read[field], spec[field], "{field}");
    }
    assert_eq!(read["enrichmentFields"], spec["enrichmentFields"]);
    assert_eq!(read["licence"]["endsAt"], "2027-01-31T00:00:00Z");
    assert_eq!(read["licence"]["usersMax"], 250);
    let (status, same) = ask(&world, ADMIN_KEY, "PUT", "/v1/orgs/311", &spec.to_string()).await;
    assert_eq!((status, same), (200, read));
}

#[tokio::test]
async fn bad_organisations_are_refused() {
    let world = World::start(NOW_MS);
    world.put_org(1, json!({ "resourceId": "abc" })).await;
    let put = |path: &'static str, body: &'static str| {
        let world = &world;
        async move { ask(world, ADMIN_KEY, "PUT", path, body).await }
    };
    for path in ["/v1/orgs/0", "/v1/orgs/x", "/v1/orgs/9007199254740992", "/v1/orgs/+1"] {
        assert_problem(&put(path, r#"{"name": "n"}"#).await, 400, "invalid-parameter", &["org"]);
    }
    for (body, slug, mentions) in [
        ("{}", "invalid-body", "name"),
        (r#"{"name": "n", "colour": 1}"#, "invalid-body", "colour"),
        (r#"{"name": 1}"#, "invalid-body", "string"),
        (r#"{"name": "n""#, "malformed-json", "line 1"),
        (r#"{"name": "n", "timeZone": "Mars/Olympus"}"#, "invalid-value", "Mars/Olympus"),
        (r#"{"name": "n", "resourceId": "a b"}"#, "invalid-value", "letters and digits"),
        (r#"{"name": "n", "licence": {"endsAt": "soon"}}"#, "invalid-time", "licence.endsAt"),
        (r#"{"name": "n", "enrichmentFields": ["a", "b", "c", "d"]}"#, "invalid-value", "3"),
    ] {
        assert_problem(&put("/v1/orgs/2", body).await, 400, slug, &[mentions]);
    }
    let orphan = put("/v1/orgs/2", r#"{"name": "n", "parent": 77}"#).await;
    assert_problem(&orphan, 404, "unknown-organisation", &["77"]);
    let twin = put("/v1/orgs/2", r#"{"name": "n", "resourceId": "abc"}"#).await;
    assert_problem(&twin, 409, "taken", &["abc"]);
    let none = ask(&world, ADMIN_KEY, "GET", "/v1/orgs/2", "").await;
    assert_problem(&none, 404, "unknown-organisation", &["2"]);
    let keyed = [("authorization", &*format!("Bearer {ADMIN_KEY}")), ("idempotency-key", "k")];
    let (status, _, text) = world.request("PUT", "/v1/orgs/2", &keyed, r#"{"name": "n"}"#).await;
    assert!(status == 400 && text.contains("Idempotency-Key"), "{text}");
}

#[tokio::test]
async fn users_are_put_read_and_deleted() {
    let world = World::start(NOW_MS);
    world.put_org(1, json!({})).await;
    world.put_org(2, json!({ "parent": 1 })).await;
    let profile = json!({ "firstName": "Mina", "shoe": "38" });
    let user = world.put_named_user(2, 7, "u7Rk", profile.clone()).await;
    let expected = json!({ "user": 7, "org": 2, "resourceId": "u7Rk", "profile": profile });
    assert_eq!(user, expected);
    for org in [1, 2] {
        let path = format!("/v1/orgs/{org}/users/7");
        assert_eq!(ask(&world, ADMIN_KEY, "GET", &path, "").await, (200, expected.clone()));
    }
    let rows = json!({ "users": [
        { "user": 7, "resourceId": "u7Rk", "profile": profile },
        { "user": 8 }, { "user": 0 }, { "user": "9" }, { "user": 9, "profile": { "firstName": 1 } },
        { "user": 10, "resourceId": "u7Rk" }, { "user": 11, "name": "x" },
    ] });
    let (status, report) =
        ask(&world, ADMIN_KEY, "POST", "/v1/orgs/2/users", &rows.to_string()).await;
    assert_eq!(status, 200);
    assert_eq!((&report["applied"], &report["unchanged"]), (&json!(1), &json!(1)));
    let rejected: Vec<_> =
        report["rejected"].as_array().unwrap().iter().map(|row| &row["index"]).collect();
    assert_eq!(rejected, [2, 3, 4, 5, 6], "{report}");
    assert_eq!(ask(&world, ADMIN_KEY, "GET", "/v1/orgs/2", "").await.1["users"], 2);
    world.delete_user(2, 7).await;
    for method in ["GET", "DELETE"] {
        let gone = ask(&world, ADMIN_KEY, method, "/v1/orgs/2/users/7", "").await;
        assert_problem(&gone, 404, "unknown-user", &["7"]);
    }
}

#[tokio::test]
async fn rules_fill_in_what_an_activity_is_worth() {
    let world = World::start(NOW_MS);
    world.put_org(1, json!({})).await;
    let rules = json!([
        { "name": "Quick", "action": "Reported", "product": "phishing simulator",
          "difficulty": "Hard", "condition": { "responseSeconds": { "below": 60 } },
          "points": 500, "possible": 500, "failed": false },
        { "name": "Real", "action": "Reported", "product": 6, "condition": { "confirmed": true },
          "points": 700 },
        { "name": "Desk", "action": "x", "condition":
          { "attribute": { "name": "place", "value": "desk" } }, "points": -3 },
    ]);
    assert_eq!(world.put_rules(1, rules).await, json!({ "rules": 3 }));
    let path = "/v1/orgs/1/scoring-rules";
    for (rule, mention) in [
        (r#"{"name": "n", "action": "a"}"#, "points"),
        (r#"{"name": "n", "action": "a", "points": 1, "product": "x"}"#, "product is \"x\""),
        (r#"{"name": "n", "action": "a", "points": 1, "difficulty": 3}"#, "difficulty is 3"),
        (r#"{"name": "n", "action": "a", "points": 1, "condition": {"confirmed": false}}"#, "true"),
        (r#"{"name": "n", "action": "a", "points": 1, "condition": {"x": 1}}"#, "x"),
    ] {
        let body = format!("{{\"rules\": [{rule}]}}");
        let refused = ask(&world, ADMIN_KEY, "PUT", path, &body).await;
        assert_problem(&refused, 400, "invalid-body", &["rules[0]", mention]);
    }
}

#[tokio::test]
async fn groups_are_put_and_read_and_users_enrolled() {
    let world = World::start(NOW_MS);
    world.put_org(1, json!({})).await;
    let spec = json!({
        "name": "Spring steps", "active": true, "leaderboardEnabled": true,
        "targets": [{ "id": 5120, "name": "most steps", "active": true,
            "match": { "actions": ["steps"], "attributes": { "device": "band" } },
            "aggregate": "sumValue" }],
        "periods": [{ "id": 3307, "refCode": "cycle_3", "active": true,
            "start": "2026-02-01T00:00:00Z", "end": "2026-03-31T23:59:59.999Z" }],
    });
    let mut expected = spec.clone();
    (expected["targetGroup"], expected["org"]) = (json!(871), json!(1));
    assert_eq!(world.put_group(1, 871, spec).await, expected);
    let path = "/v1/orgs/1/target-groups/871";
    assert_eq!(ask(&world, ADMIN_KEY, "GET", path, "").await, (200, expected));
    let short = json!({ "name": "Empty" });
    assert_eq!(world.put_group(1, 872, short).await["leaderboardEnabled"], true);
    let none = ask(&world, ADMIN_KEY, "GET", "/v1/orgs/1/target-groups/9", "").await;
    assert_problem(&none, 404, "unknown-target-group", &["9"]);
    for (body, slug, mention) in [
        (
            r#"{"name": "n", "targets": [{"id": 1, "name": "t", "aggregate": "max"}]}"#,
            "invalid-body",
            "max",
        ),
        (
            r#"{"name": "n", "periods": [{"id": 1, "refCode": "p", "start": 1, "end": "x"}]}"#,
            "invalid-time",
            "periods[0].end",
        ),
    ] {
        let refused = ask(&world, ADMIN_KEY, "PUT", path, body).await;
        assert_problem(&refused, 400, slug, &[mention]);
    }
    world.put_user(1, 7, json!({})).await;
    let row = |user: u64, enrolled: bool| {
        json!({ "orgId": 1, "targetGroupId": 871, "targetId": 5120, "userId": user,
            "enrolled": enrolled })
    };
    assert_eq!(world.enrolments(json!([row(7, true)])).await["applied"], 1);
    let mut bad = row(7, true);
    bad["at"] = json!("later");
    let mut other = row(7, true);
    other["targetId"] = json!(5121);
    let body = json!({ "enrolments": [row(7, false), bad, other, { "orgId": 1 }] }).to_string();
    let (_, report) = ask(&world, ADMIN_KEY, "POST", "/v1/enrolments", &body).await;
    assert_eq!(report["applied"], 1, "{report}");
    let rejected: Vec<_> =
        report["rejected"].as_array().unwrap().iter().map(|row| &row["index"]).collect();
    assert_eq!(rejected, [1, 2, 3], "{report}");
}

#[tokio::test]
async fn an_organisation_tells_how_much_it_holds() {
    let world = World::start(NOW_MS);
    world.put_org(1, json!({})).await;
    let before = ask(&world, ADMIN_KEY, "GET", "/v1/orgs/1", "").await.1;
    world.clock.advance(1000);
    world.activities(json!([activity("a", 1, 5, "x", NOW_MS)])).await;
    let after = ask(&world, ADMIN_KEY, "GET", "/v1/orgs/1", "").await.1;
    assert_eq!((&after["users"], &after["activities"]), (&json!(1), &json!(1)));
    assert_eq!(after["ingestedAt"], "2026-03-16T12:00:01Z");
    assert!(after["version"].as_u64() > before["version"].as_u64());
}
