//! The requests of the published documents and the contract's samples: data is made so that the
//! answer is the sample, byte for byte but for blanks between tokens (`golden/`).

use serde_json::{Value, json};

use super::org_support::{compact, ms};
use super::*;

#[track_caller]
fn assert_golden((status, headers, text): (u16, HeaderMap, String), golden: &str) {
    assert_eq!((status, text), (200, compact(golden)));
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
}

/// A company of 148 ranked users in Oslo, the first four of them known by name.
async fn northwind() -> Harbor {
    let harbor = Harbor::start_in("Europe/Oslo", NOW_MS).await;
    let people = [
        (
            9001,
            "u7Rk2LmQx0Pd",
            "Ines",
            "Barto",
            Some("Front desk"),
            Some("English (United Kingdom)"),
        ),
        (9002, "u1Zc9VbTt4Ws", "Rao", "Mehta", Some("Lab"), None),
        (9003, "u5Hh3NqYe8Aj", "Lia", "Dorn", None, None),
        (9004, "u9Bd6GsKm2Vx", "Per", "Aune", Some("Lab"), None),
    ];
    for (user, id, first, last, department, language) in people {
        let email = format!("{}@nw.example", first.to_lowercase());
        let mut profile = json!({ "firstName": first, "lastName": last, "email": email });
        for (key, value) in [("department", department), ("preferredLanguage", language)] {
            if let Some(value) = value {
                profile[key] = json!(value);
            }
        }
        harbor.world.put_named_user(ORG, user, id, profile).await;
    }
    let day = |days: i64| NOW_MS - days * DAY_MS;
    let done = |user, at_ms, product: &str, points: i64, possible: i64| {
        let more = json!({ "points": points, "possible": possible });
        (user, "Reported", at_ms, json!({ "product": product }), more)
    };
    let mut all = vec![
        done(9001, day(2), "PHISHING SIMULATOR", 700, 800),
        done(9001, day(1), "SECURITY AWARENESS", 450, 600),
        // As many points; who had them first is first.
        done(9002, day(4), "PHISHING SIMULATOR", 900, 1400),
        done(9003, day(3), "PHISHING SIMULATOR", 900, 1000),
        done(9004, day(3), "PHISHING SIMULATOR", 850, 1400),
    ];
    all.extend((1..=144).map(|user| done(user, day(5), "QUISHING SIMULATOR", 10, 100)));
    harbor.report(&all).await;
    harbor
}

#[tokio::test]
async fn the_three_best_are_shown_as_in_the_sample() {
    let harbor = northwind().await;
    let body = json!({ "datePeriod": "LastMonth", "startDate": null, "endDate": null });
    let answer = harbor.post_text(TOP, &body).await;
    assert_golden(answer, include_str!("golden/top-performers.json"));
}

#[tokio::test]
async fn a_page_of_the_board_is_shown_as_in_the_sample() {
    let harbor = northwind().await;
    let body = r#"{"datePeriod":"Custom","startDate":"2026-01-01T00:00:00Z",
 "endDate":"2026-03-31T23:59:59Z",
 "pagination":{"pageNumber":2,"pageSize":2,"orderBy":"rank","ascending":true}}"#;
    let answer = harbor.post_raw(ALL, body).await;
    assert_golden(answer, include_str!("golden/get-all.json"));
}

#[tokio::test]
async fn a_users_performance_is_shown_as_in_the_sample() {
    let harbor = northwind().await;
    let body = json!({ "targetUserResourceId": "u7Rk2LmQx0Pd", "datePeriod": "LastMonth",
        "startDate": null, "endDate": null });
    let answer = harbor.post_text(PERFORMANCE, &body).await;
    assert_golden(answer, include_str!("golden/user-performance.json"));
}

#[tokio::test]
async fn an_activity_is_shown_as_in_the_sample() {
    let harbor = Harbor::start_in("Europe/Oslo", NOW_MS).await;
    harbor.person(9001, "Ines", "Barto").await;
    let campaign = json!({ "resourceId": "cM4tYq8Nw1Lb", "name": "Parcel notice, spring",
        "type": "Phishing", "timeZoneId": "Europe/Oslo", "performance": 100 });
    let attributes = json!({ "product": "PHISHING SIMULATOR", "difficulty": "Medium",
        "responseSeconds": 140, "campaign": campaign });
    let at_ms = ms("2026-03-16T08:41:00Z");
    harbor.report(&[(9001, "Reported", at_ms, attributes, json!({}))]).await;
    let body = json!({ "targetUserResourceId": "u9001", "actionTypes": null,
        "difficultyTypes": null, "products": null, "datePeriod": "LastMonth", "startDate": null,
        "endDate": null, "showOnlyFailedEvents": false });
    let answer = harbor.post_text(TIMELINE, &body).await;
    assert_golden(answer, include_str!("golden/timeline.json"));
}

#[tokio::test]
async fn a_company_is_shown_as_in_the_sample() {
    let harbor = Harbor::start_in("Europe/Oslo", ms("2025-02-03T08:15:00Z")).await;
    let licence = json!({ "typeName": "Standard", "isUsersLimited": true, "usersMax": 250,
        "endsAt": "2027-01-31T00:00:00Z", "inactiveUsers": 4 });
    let spec = json!({ "name": "Northwind Dental", "parent": RESELLER, "resourceId": COMPANY_ID,
        "timeZone": "Europe/Oslo", "licence": licence });
    harbor.world.put_org(ORG, spec).await;
    harbor.world.clock.set(NOW_MS);
    for user in 1..=212 {
        harbor.world.put_user(ORG, user, json!({})).await;
    }
    let product = json!({ "product": 0 });
    let done = |user, at_ms| (user, "Opened Email", at_ms, product.clone(), json!({}));
    let within = (1..=190).map(|user| done(user, NOW_MS - DAY_MS));
    let before = (191..=212).map(|user| done(user, NOW_MS - 60 * DAY_MS));
    harbor.report(&within.chain(before).collect::<Vec<_>>()).await;
    let (_, _, text) = connect(&harbor.world, &form(CLIENT)).await;
    let granted: Value = serde_json::from_str(&text).expect("JSON");
    let bearer = format!("Bearer {}", granted["access_token"].as_str().expect("a token"));
    // As the public document gives it.
    let body = r#"{"pageNumber": 1, "pageSize": 10, "orderBy": "CreateTime", "ascending": false,
                   "isTargetUserCountExceededLimit": false}"#;
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    let answer = harbor.world.request("POST", COMPANIES, &headers, body).await;
    assert_golden(answer, include_str!("golden/companies.json"));
}
