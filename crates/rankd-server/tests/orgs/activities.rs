//! `POST /v1/activities`: what is taken, what is rejected, and that one bad item harms no other.

use serde_json::{Value, json};

use super::org_support::{ADMIN_KEY, NOW_MS, World, activity};
use super::{ask, assert_problem};

async fn world() -> World {
    let world = World::start(NOW_MS);
    world.put_org(310, json!({})).await;
    world
}

async fn post(world: &World, body: &str) -> (u16, Value) {
    ask(world, ADMIN_KEY, "POST", "/v1/activities", body).await
}

#[tokio::test]
async fn the_contracts_document_is_taken() {
    let world = world().await;
    world.put_org(42, json!({})).await;
    world.put_org(60412, json!({})).await;
    let body = r#"{ "activities": [
      { "id": "a-90211", "orgId": 310, "userId": 7041, "action": "employee_refer",
        "occurredAt": "2026-03-16T09:41:12.250Z", "attributes": { "vacancyId": "v-77" } },
      { "id": "k-55102", "orgId": 42, "userId": 9001, "action": "Reported",
        "occurredAt": "2026-03-16T08:41:00Z",
        "attributes": { "product": "PHISHING SIMULATOR", "difficulty": "Medium",
                        "responseSeconds": 140,
                        "campaign": { "resourceId": "cM4tYq8Nw1Lb",
                                      "name": "Parcel notice, spring", "type": "Phishing" } } },
      { "id": "c-3", "orgId": 60412, "userId": 52003911, "action": "steps", "value": 3000,
        "occurredAt": "2026-02-11T03:35:31Z" } ] }"#;
    let (status, report) = post(&world, body).await;
    let version = report["version"].clone();
    let expected = json!({ "accepted": 3, "duplicates": 0, "rejected": [], "version": version });
    assert_eq!((status, report), (200, expected));
    let (_, again) = post(&world, body).await;
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(3)));
    assert!(version.as_u64() > Some(0));
}

#[tokio::test]
async fn bad_items_are_rejected_one_by_one() {
    let world = world().await;
    let with = |id: &str, field: &str, value: Value| {
        let mut item = activity(id, 310, 1, "x", NOW_MS);
        item[field] = value;
        item
    };
    let attributes = |id: &str, attributes: Value| with(id, "attributes", attributes);
    let cases = [
        (json!(5), "object"),
        (json!({ "id": "a" }), "orgId"),
        (with("a", "id", json!(5)), "string"),
        (with("a", "id", json!("")), "id"),
        (with("a", "id", json!("i".repeat(129))), "128"),
        (with("a", "orgId", json!(-1)), "-1"),
        (with("a", "orgId", json!(311)), "there is no organisation 311"),
        (with("a", "userId", json!(0)), "user"),
        (with("a", "userId", json!(1_u64 << 53)), "9007199254740991"),
        (with("a", "action", json!("")), "action"),
        (with("a", "action", Value::Null), "null"),
        (with("a", "occurredAt", json!("today")), "occurredAt is \"today\""),
        (with("a", "occurredAt", Value::Null), "occurredAt"),
        (with("a", "occurredAt", json!(NOW_MS + 300_001)), "1773662700001"),
        (with("a", "occurredAt", json!(NOW_MS - 3650 * 86_400_000 - 1)), "1458302399999"),
        (with("a", "points", json!(1.5)), "1.5"),
        (with("a", "points", json!(1_000_000_001)), "1000000000"),
        (with("a", "value", json!(-1_000_000_001)), "1000000000"),
        (with("a", "colour", json!("red")), "colour"),
        (attributes("a", json!([])), "attributes"),
        (attributes("a", json!({ "vacancyId": "a b" })), "vacancy"),
        (attributes("a", json!({ "product": "x" })), "product is \"x\""),
        (attributes("a", json!({ "product": 7 })), "product is 7"),
        (attributes("a", json!({ "test": "yes" })), "yes"),
        (attributes("a", json!({ "campaign": { "name": "x" } })), "resourceId"),
        (attributes("a", json!({ "other": {} })), "string"),
    ];
    for (number, (bad, mention)) in cases.iter().enumerate() {
        let good = activity(&format!("good-{number}"), 310, 1, "x", NOW_MS);
        let items = json!({ "activities": [bad, good] });
        let (status, report) = post(&world, &items.to_string()).await;
        assert_eq!(status, 200, "{bad}: {report}");
        assert_eq!(report["accepted"], 1, "{bad}: {report}");
        assert_eq!(report["rejected"][0]["index"], 0, "{bad}: {report}");
        let detail = report["rejected"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(mention), "{bad}: {detail}");
    }
    // At the limits.
    let items = json!({ "activities": [
        with(&"i".repeat(128), "points", json!(1_000_000_000)),
        with("ahead", "occurredAt", json!(NOW_MS + 300_000)),
        with("old", "occurredAt", json!(NOW_MS - 3650 * 86_400_000)),
        attributes("others", json!({ "a": 1, "b": true, "c": "text", "d": null, "e": -1.5,
            "test": null, "campaign": null, "product": "6", "difficulty": 0 })),
    ] });
    assert_eq!(post(&world, &items.to_string()).await.1["accepted"], 4);
}

#[tokio::test]
async fn documents_of_another_shape_are_refused_as_a_whole() {
    let world = world().await;
    for (body, status, slug, mention) in [
        ("", 400, "malformed-json", "EOF"),
        ("{}", 400, "invalid-body", "activities"),
        ("[]", 400, "invalid-body", "object"),
        (r#"{"activities": {}}"#, 400, "invalid-body", "sequence"),
        (r#"{"activities": []}"#, 400, "invalid-body", "at least one"),
        (r#"{"activities": [1], "x": 1}"#, 400, "invalid-body", "x"),
        (r#"{"activities": [1"#, 400, "malformed-json", "EOF"),
    ] {
        assert_problem(&post(&world, body).await, status, slug, &[mention]);
    }
    let deep = format!("{{\"activities\": [{}", "[".repeat(200_000));
    assert_eq!(post(&world, &deep).await.0, 400);
    let many: Vec<_> =
        (0..10_001).map(|id| activity(&id.to_string(), 310, 1, "x", NOW_MS)).collect();
    let all = json!({ "activities": many }).to_string();
    assert_problem(&post(&world, &all).await, 413, "too-many-items", &["10001", "10000"]);
    let most = json!({ "activities": many[1..] }).to_string();
    assert_eq!(post(&world, &most).await.1["accepted"], 10_000);
    let large = " ".repeat(8 * 1024 * 1024 + 1);
    assert_problem(&post(&world, &large).await, 413, "body-too-large", &["8388608"]);
}

#[tokio::test]
async fn the_same_id_twice_in_a_document_is_a_duplicate() {
    let world = world().await;
    let items: Vec<_> = ["a", "b", "a"].map(|id| activity(id, 310, 1, "x", NOW_MS)).into();
    let report = world.activities(json!(items)).await;
    assert_eq!((&report["accepted"], &report["duplicates"]), (&json!(2), &json!(1)));
    let twice = r#"{"activities": [{"id": "z", "orgId": 310, "userId": 1, "action": "x",
        "occurredAt": 1773662400000, "attributes": {"test": true, "test": false}}]}"#;
    let (_, report) = post(&world, twice).await;
    assert!(report["rejected"][0]["detail"].as_str().unwrap().contains("twice"), "{report}");
}
