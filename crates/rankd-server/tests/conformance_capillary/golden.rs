//! The documents' sample requests, answered in the documents' own shape: every member, in its
//! order, with its type and value. The world is built so that the samples are true in it.

use serde_json::{Value, json};

use crate::org_support::{World, activity, compact, ms};
use crate::world::{BASE, basic, json_of, period, target};

const ORG: u64 = 50_711;
const GROUP: u64 = 232;
const PERIOD: u64 = 243;
/// Users in the samples' target.
const USERS: u64 = 4_527;
/// Place of the user whose ranks are asked for.
const RANK: u64 = 1_771;
/// When the samples were answered.
const SYNC: &str = "2024-06-24T17:37:00+05:30";

fn achievement(user: u64, value: i64, at: &str) -> Value {
    let mut points = activity(&format!("a{user}"), ORG, user, "purchase", ms(at));
    points["value"] = json!(value);
    points
}

/// Everybody's achievements, such that the named users have the samples' places.
fn achievements() -> Vec<Value> {
    let mut all = vec![
        achievement(381_329_844, 21_000, "2022-11-25T21:44:40+05:30"),
        achievement(381_332_324, 21_000, "2022-11-29T00:14:48+05:30"),
        achievement(381_333_386, 21_000, "2022-11-29T13:48:28+05:30"),
        achievement(381_329_847, 3_000, "2022-11-25T21:45:05+05:30"),
    ];
    let at = "2022-11-20T10:00:00+05:30";
    let better = (4..RANK).map(|user| achievement(user, 20_000, at));
    all.extend(better);
    let worse = (RANK + 1..=USERS).map(|user| achievement(user, 2_000, at));
    all.extend(worse);
    assert_eq!(all.len() as u64, USERS);
    all
}

async fn put_profiles(world: &World) {
    for (user, mobile, email) in [
        (381_329_844, "918828069049", "tomswayer@auto.com"),
        (381_332_324, "918969294257", "tomswayer2@auto.com"),
        (381_333_386, "918424528743", "tomswayer3@auto.com"),
    ] {
        let profile = json!({
            "gender": "Male", "phone": mobile, "email": email,
            "lastName": format!("Emf_lname_{mobile}"), "firstName": format!("Emf_fname_{mobile}"),
        });
        world.put_user(ORG, user, profile).await;
    }
    let profile = json!({ "phone": "918781885773", "lastName": "", "firstName": "",
                          "email": "[email protected]" });
    world.put_user(ORG, 381_329_847, profile).await;
}

/// The organisation of the samples.
async fn start() -> World {
    let world = World::start(ms(SYNC));
    let org = json!({ "timeZone": "Asia/Kolkata", "leaderboardsEnabled": true,
                      "enrichmentFields": ["birthday", "gender", "anniversary"] });
    world.put_org(ORG, org).await;
    let till = json!({ "kind": "capillaryTill", "username": "till.main", "secret": "password" });
    world.credential(ORG, till).await;
    let (from, to) = ("2022-11-01T00:00:00+05:30", "2022-11-30T23:59:59.999+05:30");
    let group = json!({
        "name": "Target", "active": true, "leaderboardEnabled": true,
        "targets": [target(366, "target1", true, "purchase", "sumValue"),
                    target(365, "target0", true, "visit", "count")],
        "periods": [period(PERIOD, "target_period", true, from, to)],
    });
    world.put_group(ORG, GROUP, group).await;
    put_profiles(&world).await;
    world.activities(json!(achievements())).await;
    world
}

/// The text of a `GET` that must succeed.
async fn get(world: &World, below: &str, body: &str) -> String {
    let authorization = basic("till.main");
    let headers =
        [("authorization", &*authorization), ("data-scope", "SELF"), ("data-scope-org", "50711")];
    let answer = world.request("GET", &format!("{BASE}{below}"), &headers, body).await;
    json_of(200, &answer);
    answer.2
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_are_answered_as_the_documents_show() {
    let world = start().await;
    let below = format!("/targetGroups/{GROUP}?targetId=366&periodId=243&pageOffset=0&pageSize=3");
    let sample = include_str!("golden/top_ranked_users.json");
    assert_eq!(get(&world, &below, "").await, compact(sample));

    let body = include_str!("golden/user_ranks_request.json");
    let sample = include_str!("golden/user_ranks.json");
    assert_eq!(get(&world, "/user/381329847", body).await, compact(sample));

    // The example of the endpoint: the fifth page of ten.
    let below = format!("/targetGroups/{GROUP}?targetId=366&periodId=243&pageOffset=4&pageSize=10");
    let page: Value = serde_json::from_str(&get(&world, &below, "").await).expect("JSON");
    assert_eq!(page["pagination"], json!({ "limit": 10, "offset": 4, "total": USERS }));
    let ranks: Vec<_> = page["data"]["rankings"].as_array().expect("rows").iter().collect();
    let ranks: Vec<_> = ranks.iter().map(|row| row["rank"].as_u64().expect("a rank")).collect();
    assert_eq!(ranks, (41..=50).collect::<Vec<_>>());
}

#[test]
fn compacting_touches_no_text() {
    assert_eq!(compact("{ \"a b\" : \"c \\\" d\\\\\" ,\n 1 }"), "{\"a b\":\"c \\\" d\\\\\",1}");
}
