//! The whole board: pages, orders and filters against the activities that the test put in, files,
//! and the lists of choices.

use serde_json::{Value, json};

use super::*;

/// First names, with repeats in another case and one that is missing.
const FIRST: [&str; 5] = ["rao", "Ines", "RAO", "", "lia"];

/// Sixty users: `(user, points)`, and the board that follows from it.
async fn sixty() -> (Harbor, Vec<(u64, i64)>) {
    let harbor = Harbor::start().await;
    let mut users: Vec<(u64, i64)> = Vec::new();
    for (user, first) in (1..=60).zip(FIRST.iter().cycle()) {
        let department = if user % 2 == 1 { "Lab" } else { "Front desk" };
        let mut profile = json!({ "department": department });
        if !first.is_empty() {
            profile["firstName"] = json!(first);
        }
        harbor.world.put_named_user(ORG, user, &format!("u{user}"), profile).await;
        let points = (user * 37 % 11) * 10;
        users.push((user, points.cast_signed()));
    }
    let done = users.iter().map(|(user, points)| {
        let more = json!({ "points": points, "possible": 100 });
        (*user, "Reported", NOW_MS - HOUR_MS, json!({ "product": 0 }), more)
    });
    harbor.report(&done.collect::<Vec<_>>()).await;
    // All have the same last activity, so equal points fall back to the id.
    users.sort_by_key(|(user, points)| (-points, *user));
    (harbor, users)
}

/// Users of the results, in their order.
fn users(data: &Value) -> Vec<u64> {
    let ids = column(data, "targetUserResourceId");
    let number = |id: &Value| id.as_str().and_then(|id| id.strip_prefix('u')?.parse().ok());
    ids.iter().map(|id| number(id).expect("u and a number")).collect()
}

#[tokio::test]
async fn pages_by_rank_are_slices_of_the_board_both_ways() {
    let (harbor, ranked) = sixty().await;
    let mut expected: Vec<u64> = ranked.iter().map(|(user, _)| *user).collect();
    for ascending in [true, false] {
        for size in [1, 7, 59, 60, 61, 1000] {
            for number in [1, 2, 9, 61] {
                let pagination = json!({ "pageNumber": number, "pageSize": size,
                    "ascending": ascending });
                let data = harbor.data(ALL, json!({ "pagination": pagination })).await;
                let slice = expected.chunks(size).nth(number - 1).unwrap_or_default();
                assert_eq!(users(&data), slice, "{number} {size} {ascending}");
                assert_eq!(data["totalNumberOfRecords"], 60);
                assert_eq!(data["totalNumberOfPages"], 60_usize.div_ceil(size));
                assert_eq!(data["pageNumber"], number);
            }
        }
        expected.reverse();
    }
}

#[tokio::test]
async fn columns_sort_the_rows_and_ties_stay_by_rank() {
    let (harbor, ranked) = sixty().await;
    let first = |user: u64| FIRST[usize::try_from((user - 1) % 5).unwrap()].to_lowercase();
    let mut by_name: Vec<u64> = ranked.iter().map(|(user, _)| *user).collect();
    by_name.sort_by_key(|user| first(*user));
    for number in 1..=4 {
        let pagination = json!({ "pageNumber": number, "pageSize": 17, "orderBy": "firstName",
            "ascending": true });
        let data = harbor.data(ALL, json!({ "pagination": pagination })).await;
        assert_eq!(users(&data), by_name.chunks(17).nth(number - 1).unwrap());
    }
    for order in ["points", "performance"] {
        let pagination = json!({ "pageSize": 100, "orderBy": order });
        let data = harbor.data(ALL, json!({ "pagination": pagination })).await;
        assert_eq!(users(&data), ranked.iter().map(|(user, _)| *user).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn filters_hide_rows_and_count_what_is_left() {
    let (harbor, ranked) = sixty().await;
    let item = |field: &str, operator: &str, value: Value| {
        json!({ "FieldName": field,
        "Operator": operator, "Value": value })
    };
    let group = json!({ "condition": "AND", "filterItems": [
        item("department", "Contains", json!("desk")), item("points", "Equals", json!(50))] });
    let filter = json!({ "condition": "OR", "filterGroups": [group,
        { "filterItems": [item("rank", "Equals", json!("1"))] }] });
    let body = json!({ "filter": filter, "pagination": { "pageSize": 2 } });
    let data = harbor.data(ALL, body).await;
    let odd_desk = |user: u64| user.is_multiple_of(2);
    let expected: Vec<u64> = (1..)
        .zip(&ranked)
        .filter(|(rank, (user, points))| *rank == 1 || (odd_desk(*user) && *points == 50))
        .map(|(_, (user, _))| *user)
        .collect();
    assert!(expected.len() > 2);
    assert_eq!(users(&data), expected[..2]);
    assert_eq!(data["totalNumberOfRecords"], expected.len());
    assert_eq!(data["totalNumberOfPages"], expected.len().div_ceil(2));
    assert_eq!(column(&data, "totalRowCount"), [60, 60]);
    let none = json!({ "filter": { "searchInputTextValue": "nobody" } });
    let data = harbor.data(ALL, none).await;
    assert_eq!(
        (&data["results"], &data["totalNumberOfRecords"], &data["totalNumberOfPages"]),
        (&json!([]), &json!(0), &json!(0))
    );
}

/// The cap of lists that nobody pages.
const UNPAGED_ROWS_MAX: u64 = 100_000;

#[tokio::test]
async fn a_board_that_nobody_pages_is_cut_visibly() {
    let harbor = Harbor::start().await;
    let users: Vec<u64> = (1..=UNPAGED_ROWS_MAX + 1).collect();
    for batch in users.chunks(10_000) {
        let done = batch.iter().map(|user| {
            let at_ms = NOW_MS - HOUR_MS;
            (*user, "Opened Email", at_ms, json!({ "product": 0 }), json!({}))
        });
        harbor.report(&done.collect::<Vec<_>>()).await;
    }
    let (status, _, text) = harbor.post_text(ALL, &json!({})).await;
    assert_eq!(status, 200);
    let head = "{\"data\":{\"pageNumber\":1,\"pageSize\":100000,\"totalNumberOfPages\":2,\
                \"totalNumberOfRecords\":100001,\"results\":[{\"rank\":1,";
    assert!(text.starts_with(head), "{}", &text[..200]);
    assert_eq!(text.matches("\"rank\":").count() as u64, UNPAGED_ROWS_MAX);
    assert!(text.contains("{\"rank\":100000,") && !text.contains("{\"rank\":100001,"));
    let last = json!({ "pagination": { "pageNumber": 101, "pageSize": 1000 } });
    assert_eq!(column(&harbor.data(ALL, last).await, "rank"), [UNPAGED_ROWS_MAX + 1]);
}

#[tokio::test]
async fn boards_are_exported_as_pages_or_whole() {
    let (harbor, ranked) = sixty().await;
    let export = format!("{ALL}/export");
    let body = json!({ "exportType": "csv", "pagination": { "pageNumber": 2, "pageSize": 2 } });
    let (status, headers, text) = harbor.post_text(&export, &body).await;
    assert_eq!(
        (status, &headers["content-type"]),
        (200, &"text/csv; charset=utf-8".parse().unwrap())
    );
    assert_eq!(headers["content-disposition"], "attachment; filename=\"leaderboard.csv\"");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "rank,targetUserResourceId,firstName,email,lastName,department,preferredLanguage,\
         phoneNumber,points,performance,totalRowCount"
    );
    let (user, points) = ranked[2];
    assert!(lines[1].starts_with(&format!("3,u{user},")), "{text}");
    assert!(lines[1].ends_with(&format!(",{points},{points},60")), "{text}");
    assert_eq!(lines.len(), 3);
    let mut all = body;
    all["reportAllPages"] = json!(true);
    let (_, _, text) = harbor.post_text(&export, &all).await;
    assert_eq!(text.lines().count(), 61);
    let (_, _, text) = harbor.post_text(&export, &json!({})).await;
    assert_eq!(text.lines().count(), 61);
    let problems = harbor.problems(&export, &json!({ "exportType": "XLS", "datePeriod": 9 })).await;
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[tokio::test]
async fn timelines_are_exported_as_pages_or_whole() {
    let (harbor, _) = sixty().await;
    let export = format!("{TIMELINE}/export");
    let (status, headers, text) = harbor.post_text(&export, &json!({})).await;
    assert_eq!((status, text.lines().count()), (200, 26));
    assert_eq!(headers["content-disposition"], "attachment; filename=\"timeline.csv\"");
    assert!(
        text.starts_with("resourceId,name,timeZoneId,campaignPerformance,difficultyType,points,")
    );
    let all = json!({ "reportAllPages": true, "pagination": { "pageNumber": 9, "pageSize": 1 } });
    assert_eq!(harbor.post_text(&export, &all).await.2.lines().count(), 61);
    let one = json!({ "reportAllPages": true, "targetUserResourceId": "u7" });
    assert_eq!(harbor.post_text(&export, &one).await.2.lines().count(), 2);
}

#[tokio::test]
async fn forms_are_given_the_catalogue() {
    let harbor = Harbor::start().await;
    let bearer = format!("Bearer {}", harbor.token);
    let headers = [("authorization", &*bearer), ("x-keepnet-company-id", COMPANY_ID)];
    let path = "/api/leaderboard/form-details";
    let (status, _, text) = harbor.world.request("GET", path, &headers, "").await;
    let data = serde_json::from_str::<Value>(&text).unwrap()["data"].take();
    assert_eq!(status, 200);
    let last = |list: &str| data[list].as_array().unwrap().last().unwrap().clone();
    let choice =
        |text: &str, value: &str| json!({ "text": text, "value": value, "extraDatas": null });
    assert_eq!(last("gamificationActionTypes"), choice("Joined Training", "18"));
    assert_eq!(last("gamificationProductTypes"), choice("INCIDENT RESPONDER", "6"));
    assert_eq!(last("gamificationScenarioDifficultyTypes"), choice("Hard", "2"));
    assert_eq!(data["gamificationTrainingCategories"], json!([]));
    let (status, _, body) = harbor.world.request("HEAD", path, &headers, "").await;
    assert_eq!((status, &*body), (200, ""));
    assert_eq!(harbor.world.request("GET", path, &headers[..1], "").await.0, 400);
}
