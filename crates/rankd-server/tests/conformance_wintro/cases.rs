//! Cases 1 to 9 of the contract.

use serde_json::{Value, json};

use super::org_support::{NOW_MS, ms};
use super::{Company, DAY_MS, ORG, RECOMMEND, REFER, ids};

#[tokio::test]
async fn case_01_who_asks_is_checked_before_what_is_asked() {
    let company = Company::start().await;
    let path = "/api/v1/leaderboard?period=0";
    let unknown = "Bearer wintro_0000000000000000";
    let shown: [&[(&str, &str)]; 4] = [
        &[],
        &[("authorization", "Basic abc")],
        &[("authorization", unknown)],
        &[("authorization", "Bearer")],
    ];
    for headers in shown {
        let (status, answered, text) = company.world.request("GET", path, headers, "").await;
        assert_eq!(status, 401, "{headers:?}");
        let message = "Missing or invalid Authorization header";
        let error = format!(r#"{{"error":{{"code":"UNAUTHORIZED","message":"{message}"}}}}"#);
        assert_eq!(text, error);
        let reset = (NOW_MS / 1000 + 60).to_string();
        assert_eq!(answered["x-ratelimit-limit"], "100");
        assert_eq!(answered["x-ratelimit-remaining"], "100");
        assert_eq!(answered["x-ratelimit-reset"], *reset);
    }
    let spec = json!({ "kind": "wintroToken", "scopes": ["vacancies:read"] });
    let token = company.world.credential(ORG, spec).await;
    let unscoped = Company { token, ..company };
    let message = unscoped.refused("?period=0", 403, "MISSING_SCOPE").await;
    assert_eq!(message, "Token lacks required scope: leaderboard:read");
}

#[tokio::test]
async fn case_01_a_revoked_token_is_unknown() {
    let company = Company::start().await;
    let made = company.world.credential_json(ORG, json!({ "kind": "wintroToken" })).await;
    let token = made["secret"].as_str().unwrap().to_owned();
    let company = Company { token, ..company };
    company.board("").await;
    let path = format!("/v1/orgs/{ORG}/credentials/{}", made["credential"]);
    assert_eq!(company.world.operator("DELETE", &path, "").await.0, 204);
    company.refused("", 401, "UNAUTHORIZED").await;
}

#[tokio::test]
async fn case_02_what_is_outside_its_range_is_refused() {
    let company = Company::start().await;
    for bad in ["0", "3651", "abc", "", "1.5", "1e2", "%205", "-1", "+1", "99999999999999999999"] {
        let message = company.refused(&format!("?period={bad}"), 400, "BAD_REQUEST").await;
        assert_eq!(message, "period must be an integer between 1 and 3650", "{bad}");
    }
    for (query, message) in [
        ("?limit=51", "limit must be an integer between 1 and 50"),
        ("?limit=0&groupBy=month", "limit must be an integer between 1 and 50"),
        ("?pageSize=51", "pageSize must be an integer between 1 and 50"),
        ("?pageSize=0", "pageSize must be an integer between 1 and 50"),
        ("?page=0", "page must be an integer between 1 and 2147483647"),
        ("?page=2147483648", "page must be an integer between 1 and 2147483647"),
        ("?groupBy=week", "groupBy must be month"),
        ("?groupBy=Month", "groupBy must be month"),
        ("?groupBy=", "groupBy must be month"),
        ("?groupBy", "groupBy must be month"),
    ] {
        assert_eq!(company.refused(query, 400, "BAD_REQUEST").await, message, "{query}");
    }
    let blank = company.refused("?vacancyIds=a%20b", 400, "BAD_REQUEST").await;
    assert!(blank.starts_with("vacancyIds must be"), "{blank}");
    for (query, days) in [("?period=1", 1), ("?period=3650", 3650), ("", 365)] {
        assert_eq!(company.board(query).await["meta"]["periodDays"], days);
    }
    // Unknown parameters are ignored, and the last of a repeated one counts.
    let last = company.board("?period=0&x=1&period=%37&pageSize=51&pageSize=50").await;
    assert_eq!(last["meta"]["periodDays"], 7);
    assert_eq!(last["meta"]["pagination"]["pageSize"], 50);
    company.board("?page=2147483647").await;
}

#[tokio::test]
async fn case_03_the_window_begins_to_the_millisecond() {
    let company = Company::start().await;
    let start = NOW_MS - 90 * DAY_MS;
    company
        .report(&[(1, REFER, start, ""), (2, REFER, start - 1, ""), (3, REFER, NOW_MS, "")])
        .await;
    assert_eq!(ids(&company.board("?period=90").await["data"]), [1, 3]);
    company.world.clock.advance(1);
    assert_eq!(ids(&company.board("?period=90").await["data"]), [3]);
}

#[tokio::test]
async fn case_03_what_lies_ahead_of_the_clock_is_not_in_the_window_yet() {
    let company = Company::start().await;
    company.report(&[(1, REFER, NOW_MS + 1, "")]).await;
    assert_eq!(company.board("").await["data"], json!([]));
    company.world.clock.advance(1);
    assert_eq!(ids(&company.board("").await["data"]), [1]);
}

#[tokio::test]
async fn case_04_on_equal_points_the_earlier_last_activity_comes_first() {
    let company = Company::start().await;
    let mut done = Vec::new();
    // Users 5 and 6 by six referrals and four recommendations, user 4 by 4 and 10: 22 points.
    for (user, refers, recommends, last_ms) in
        [(6, 6, 4, NOW_MS - 2000), (5, 6, 4, NOW_MS - 1000), (4, 4, 10, NOW_MS - 1000)]
    {
        done.extend((1..refers).map(|_| (user, REFER, NOW_MS - DAY_MS, "")));
        done.extend((0..recommends).map(|_| (user, RECOMMEND, NOW_MS - DAY_MS, "")));
        done.push((user, REFER, last_ms, ""));
    }
    company.report(&done).await;
    let board = company.board("").await;
    assert_eq!(ids(&board["data"]), [6, 4, 5]);
    let points: Vec<_> =
        board["data"].as_array().unwrap().iter().map(|e| &e["totalPoints"]).collect();
    assert_eq!(points, [22, 22, 22]);
    assert_eq!(board["data"][1]["referCount"], 4);
    assert_eq!(board["data"][1]["recommendCount"], 10);
}

#[tokio::test]
async fn case_05_pages_are_counted_and_the_one_past_the_end_is_empty() {
    let company = Company::start().await;
    let empty = company.board("").await;
    let none = json!({ "page": 1, "pageSize": 10, "totalItems": 0, "totalPages": 0 });
    assert_eq!((&empty["data"], &empty["meta"]["pagination"]), (&json!([]), &none));
    let done: Vec<_> =
        (1..=17).map(|user| (user, REFER, NOW_MS - i64::try_from(user).unwrap(), "")).collect();
    company.report(&done).await;
    // The lowest id was last.
    let expected: Vec<u64> = (1..=17).rev().collect();
    let mut read = Vec::new();
    for page in 1..=6 {
        let board = company.board(&format!("?pageSize=3&page={page}")).await;
        let pagination = json!({ "page": page, "pageSize": 3, "totalItems": 17, "totalPages": 6 });
        assert_eq!(board["meta"]["pagination"], pagination);
        read.extend(ids(&board["data"]));
    }
    assert_eq!(read, expected);
    let past = company.board("?pageSize=3&page=7").await;
    assert_eq!((&past["data"], &past["meta"]["pagination"]["page"]), (&json!([]), &json!(7)));
}

#[tokio::test]
async fn case_06_months_without_activity_are_left_out() {
    let company = Company::start().await;
    let (march, january) = (ms("2026-03-02T00:00:00Z"), ms("2026-01-15T00:00:00Z"));
    company
        .report(&[
            (1, REFER, march, ""),
            (2, RECOMMEND, march, ""),
            (2, REFER, january, ""),
            (2, REFER, january, ""),
            (3, REFER, january, ""),
            (4, RECOMMEND, january, ""),
        ])
        .await;
    let board = company.board("?groupBy=month").await;
    let months = &board["data"]["monthly"];
    assert_eq!(months.as_array().unwrap().len(), 2);
    assert_eq!((&months[0]["month"], ids(&months[0]["entries"])), (&json!("2026-03"), vec![1, 2]));
    assert_eq!(
        (&months[1]["month"], ids(&months[1]["entries"])),
        (&json!("2026-01"), vec![2, 3, 4])
    );
    assert_eq!(ids(&board["data"]["topOverall"]), [2, 3, 1]);
    let few = company.board("?groupBy=month&limit=1").await;
    assert_eq!(ids(&few["data"]["monthly"][0]["entries"]), [1]);
    assert_eq!(ids(&few["data"]["monthly"][1]["entries"]), [2]);
    assert_eq!(ids(&few["data"]["topOverall"]), [2, 3, 1]);
    assert_eq!((&few["meta"]["limit"], &few["meta"]["groupBy"]), (&json!(1), &json!("month")));
    let second = company.board("?groupBy=month&page=2&pageSize=1").await;
    assert_eq!(second["data"]["monthly"], json!([months[1]]));
    assert_eq!(second["data"]["topOverall"], board["data"]["topOverall"]);
    let pagination = json!({ "page": 2, "pageSize": 1, "totalItems": 2, "totalPages": 2 });
    assert_eq!(second["meta"]["pagination"], pagination);
    let past = company.board("?groupBy=month&page=3&pageSize=1").await;
    assert_eq!(past["data"]["monthly"], json!([]));
    assert_eq!(past["data"]["topOverall"], board["data"]["topOverall"]);
}

#[tokio::test]
async fn case_06_without_activity_there_are_no_months() {
    let company = Company::start().await;
    let board = company.board("?groupBy=month").await;
    assert_eq!(board["data"], json!({ "monthly": [], "topOverall": [] }));
    let none = json!({ "page": 1, "pageSize": 10, "totalItems": 0, "totalPages": 0 });
    assert_eq!(board["meta"]["pagination"], none);
}

#[tokio::test]
async fn case_06_the_oldest_month_is_cut_where_the_window_begins() {
    let company = Company::start().await;
    let start = NOW_MS - 20 * DAY_MS;
    company.report(&[(1, REFER, start - 1, ""), (1, RECOMMEND, start, "")]).await;
    let board = company.board("?groupBy=month&period=20").await;
    let months = &board["data"]["monthly"];
    assert_eq!((&months[0]["month"], months.as_array().unwrap().len()), (&json!("2026-02"), 1));
    assert_eq!(months[0]["entries"][0]["totalPoints"], 1);
}

#[tokio::test]
async fn case_07_months_are_those_of_utc() {
    let company = Company::start().await;
    let last = ms("2026-02-28T23:59:59.999Z");
    company.report(&[(1, REFER, last, ""), (2, REFER, last + 1, "")]).await;
    let board = company.board("?groupBy=month").await;
    let months = &board["data"]["monthly"];
    assert_eq!((&months[0]["month"], ids(&months[0]["entries"])), (&json!("2026-03"), vec![2]));
    assert_eq!((&months[1]["month"], ids(&months[1]["entries"])), (&json!("2026-02"), vec![1]));
}

#[tokio::test]
async fn case_08_vacancies_filter_everything() {
    let company = Company::start().await;
    let (march, january) = (ms("2026-03-02T00:00:00Z"), ms("2026-01-15T00:00:00Z"));
    company
        .report(&[
            (1, REFER, march, "v3"),
            (1, REFER, march, "v1"),
            (2, REFER, january, "v1"),
            (2, RECOMMEND, march, "v2"),
            (3, REFER, march, ""),
        ])
        .await;
    let both = company.board("?vacancyIds=v1,v2").await;
    let rows: Vec<(u64, &Value, &Value)> = both["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["userId"].as_u64().unwrap(), &e["referCount"], &e["totalPoints"]))
        .collect();
    assert_eq!(rows, [(2, &json!(1), &json!(4)), (1, &json!(1), &json!(3))]);
    assert_eq!(both["meta"]["pagination"]["totalItems"], 2);
    let all = company.board("").await;
    assert_eq!(ids(&all["data"]), [1, 2, 3]);
    for lenient in ["?vacancyIds=,", "?vacancyIds=", "?vacancyIds=%20,%20"] {
        assert_eq!(company.board(lenient).await["data"], all["data"], "{lenient}");
    }
    let spaced = company.board("?vacancyIds=%20v2%20,+v1,v1,").await;
    assert_eq!(spaced["data"], both["data"]);
    let unknown = company.board("?vacancyIds=nope").await;
    assert_eq!(unknown["data"], json!([]));
    assert_eq!(unknown["meta"]["pagination"]["totalPages"], 0);
    let months = company.board("?vacancyIds=v1,v2&groupBy=month").await;
    assert_eq!(months["meta"]["pagination"]["totalItems"], 2);
    assert_eq!(ids(&months["data"]["monthly"][0]["entries"]), [1, 2]);
    assert_eq!(ids(&months["data"]["monthly"][1]["entries"]), [2]);
    assert_eq!(ids(&months["data"]["topOverall"]), [2, 1]);
    let one = company.board("?vacancyIds=v2&groupBy=month").await;
    assert_eq!(one["meta"]["pagination"]["totalItems"], 1);
}

#[tokio::test]
async fn case_09_a_token_has_a_hundred_requests_a_window() {
    let company = Company::start().await;
    let reset = (NOW_MS / 1000 + 60).to_string();
    for used in 1..=100 {
        // One in ten is refused, and counts all the same.
        let (query, expected) = if used % 10 == 0 { ("?period=0", 400) } else { ("", 200) };
        let (status, headers, _) = company.get(query).await;
        assert_eq!(status, expected);
        assert_eq!(headers["x-ratelimit-limit"], "100");
        assert_eq!(headers["x-ratelimit-remaining"], *(100 - used).to_string());
        assert_eq!(headers["x-ratelimit-reset"], *reset);
    }
    company.world.clock.advance(59_999);
    for _ in 0..2 {
        let (status, headers, json) = company.get("").await;
        let error = json!({ "error": { "code": "RATE_LIMITED", "message": "Too many requests" } });
        assert_eq!((status, json), (429, error));
        assert_eq!(headers["x-ratelimit-remaining"], "0");
        assert_eq!(headers["x-ratelimit-reset"], *reset);
        assert_eq!(headers["retry-after"], "1");
    }
    // Another token of the same company has a window of its own.
    let token = company.world.credential(ORG, json!({ "kind": "wintroToken" })).await;
    let company = Company { token, ..company };
    let (_, headers, _) = company.get("").await;
    assert_eq!(headers["x-ratelimit-remaining"], "99");
}

#[tokio::test]
async fn case_09_a_new_window_opens_with_the_next_request() {
    let company = Company::start().await;
    for _ in 0..101 {
        company.get("").await;
    }
    company.world.clock.advance(60_000);
    let (status, headers, _) = company.get("").await;
    assert_eq!((status, &headers["x-ratelimit-remaining"]), (200, &"99".parse().unwrap()));
    assert_eq!(headers["x-ratelimit-reset"], *(NOW_MS / 1000 + 120).to_string());
}

#[tokio::test]
async fn a_company_sees_itself_alone() {
    let company = Company::start().await;
    company.world.put_org(311, json!({})).await;
    company.world.put_user(311, 1, json!({ "firstName": "Other" })).await;
    let other = super::org_support::activity("x", 311, 1, REFER, NOW_MS);
    company.world.activities(json!([other])).await;
    assert_eq!(company.board("").await["data"], json!([]));
}

#[tokio::test]
async fn users_who_are_deleted_are_not_listed() {
    let company = Company::start().await;
    company.report(&[(1, REFER, NOW_MS, ""), (2, REFER, NOW_MS, "")]).await;
    assert_eq!(ids(&company.board("").await["data"]), [1, 2]);
    company.world.delete_user(ORG, 1).await;
    let board = company.board("").await;
    assert_eq!(ids(&board["data"]), [2]);
    assert_eq!(board["meta"]["pagination"]["totalItems"], 1);
    assert_eq!(ids(&company.board("?groupBy=month").await["data"]["topOverall"]), [2]);
}

#[tokio::test]
async fn other_actions_and_tests_do_not_count() {
    let company = Company::start().await;
    let mut test = super::org_support::activity("t", ORG, 1, REFER, NOW_MS);
    test["attributes"] = json!({ "test": true });
    let other = super::org_support::activity("o", ORG, 1, "employee_apply", NOW_MS);
    company.world.activities(json!([test, other])).await;
    assert_eq!(company.board("").await["data"], json!([]));
}
