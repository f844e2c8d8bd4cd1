//! What clients get wrong: paths, methods, media types, bodies, and fields of every sort.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn paths_and_methods_are_refused_in_the_envelope() {
    let harbor = Harbor::start().await;
    let unknown = ["/api/leaderboard/", "/api/leaderboard/get", "/api/companies/search/all"];
    for path in unknown {
        assert_refused(&harbor.post_text(path, &json!({})).await, 404, "NOT_FOUND");
    }
    for (method, path, allow) in [
        ("GET", ALL, "POST"),
        ("PUT", COMPANIES, "POST"),
        ("POST", "/api/leaderboard/form-details", "GET, HEAD"),
    ] {
        let answer = harbor.world.request(method, path, &[], "{}").await;
        assert_refused(&answer, 405, "INPUT_ERROR");
        assert_eq!(answer.1["allow"], allow);
    }
    let slash = format!("{ALL}/?unknown=1&unknown=2");
    harbor.data(&slash, json!({ "unknown": { "a": [] } })).await;
}

#[tokio::test]
async fn token_requests_are_refused_in_the_words_of_oauth() {
    let harbor = Harbor::start().await;
    let large = format!("{}&x={}", form(CLIENT), "x".repeat(64 * 1024));
    for (method, path, body, status, word) in [
        ("POST", "/connect/", "", 404, "not_found"),
        ("POST", "/connect/tokens", "", 404, "not_found"),
        ("GET", "/connect/token", "", 405, "invalid_request"),
        ("POST", "/connect/token", &large, 413, "invalid_request"),
    ] {
        let (got, headers, text) = harbor.world.request(method, path, &[], body).await;
        assert_eq!((got, text), (status, format!("{{\"error\":\"{word}\"}}")), "{path}");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers.get("allow").is_some(), status == 405);
    }
    let (status, ..) = connect(&harbor.world, &form(CLIENT)).await;
    assert_eq!(status, 200);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = harbor.world.request("POST", "/connect/token/", &headers, &form(CLIENT)).await;
    assert_eq!(answer.0, 200);
}

#[tokio::test]
async fn media_types_other_than_jsons_are_refused() {
    let harbor = Harbor::start().await;
    let bearer = format!("Bearer {}", harbor.token);
    for (media_type, status) in [
        ("application/json; charset=utf-8", 200),
        ("text/json", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let headers = [
            ("authorization", &*bearer),
            ("x-keepnet-company-id", COMPANY_ID),
            ("content-type", media_type),
        ];
        let answer = harbor.world.request("POST", ALL, &headers, "{}").await;
        assert_eq!(answer.0, status, "{media_type}");
        if status == 415 {
            assert!(assert_refused(&answer, 415, "INPUT_ERROR").contains(media_type));
        }
    }
}

#[tokio::test]
async fn bodies_that_are_no_objects_are_refused() {
    let harbor = Harbor::start().await;
    let deep = "{\"a\":".repeat(5000);
    for body in ["", " ", "{", "[]", "null", "7", "{\"datePeriod\":NaN}", "{}x", "\u{e4}", &deep] {
        for path in [TOP, ALL, PERFORMANCE, TIMELINE, COMPANIES] {
            let problems = input_problems(&harbor.post_raw(path, body).await);
            assert!(problems.len() == 1 && problems[0].starts_with("the body "), "{problems:?}");
        }
    }
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024));
    assert_refused(&harbor.post_raw(ALL, &large).await, 413, "INPUT_ERROR");
}

#[tokio::test]
async fn every_problem_of_a_body_has_its_line() {
    let harbor = Harbor::start().await;
    let pagination = json!({ "pageNumber": -1, "pageSize": 1001, "orderBy": "phone",
        "ascending": "yes" });
    let filter = json!({ "condition": "XOR", "filterGroups": [{ "filterItems": [
        { "fieldName": "phone", "operator": "Equals", "value": "1" },
        { "fieldName": "email", "operator": "Like", "value": "1" },
    ] }] });
    let body = json!({ "startDate": "soon", "endDate": 7, "pagination": pagination,
        "filter": filter });
    let problems = harbor.problems(ALL, &body).await;
    assert_eq!(problems.len(), 9, "{problems:#?}");
    let lists = json!({ "datePeriod": true, "actionTypes": ["Jumped"], "difficultyTypes": "Easy",
        "products": ["7"], "showOnlyFailedEvents": 1, "targetUserResourceId": [],
        "pagination": { "orderBy": "rank" } });
    let problems = harbor.problems(TIMELINE, &lists).await;
    assert_eq!(problems.len(), 7, "{problems:#?}");
    let search = json!({ "pageNumber": "1", "pageSize": 0, "orderBy": "Name", "ascending": 0,
        "filter": 1, "isTargetUserCountExceededLimit": "no" });
    assert_eq!(harbor.problems(COMPANIES, &search).await.len(), 6);
}

#[tokio::test]
async fn answers_to_hostile_lists_stay_small() {
    let harbor = Harbor::start().await;
    let body = json!({ "products": vec!["x"; 10_000] });
    assert_eq!(harbor.problems(TIMELINE, &body).await.len(), 100);
    let items: Vec<Value> = (0..51)
        .map(|rank| json!({ "fieldName": "rank", "operator": "Equals", "value": rank }))
        .collect();
    let filter = json!({ "filterGroups": [{ "condition": "OR", "filterItems": items }] });
    let problems = harbor.problems(ALL, &json!({ "filter": filter })).await;
    assert!(problems.len() == 1 && problems[0].contains("50"), "{problems:?}");
    let nested = (0..4).fold(json!({}), |inner, _| json!({ "filterGroups": [inner] }));
    let problems = harbor.problems(ALL, &json!({ "filter": nested })).await;
    assert!(problems.len() == 1 && problems[0].contains("3 deep"), "{problems:?}");
    let long = json!({ "datePeriod": "x".repeat(60_000) });
    assert!(harbor.problems(ALL, &long).await[0].len() < 300);
}
