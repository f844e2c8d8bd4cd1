//! Cases 13 to 20 of the contract.

use serde_json::{Value, json};

use super::org_support::ms;
use super::*;

#[tokio::test]
async fn case_13_every_spelling_of_a_period_gives_the_same_board() {
    let harbor = Harbor::start().await;
    harbor.points(1, ms("2026-02-16T00:00:00Z"), 10, 10).await;
    harbor.points(2, ms("2026-02-15T23:59:59.999Z"), 20, 20).await;
    harbor.points(3, NOW_MS, 30, 40).await;
    let expected = harbor.data(ALL, json!({ "datePeriod": "LastMonth" })).await;
    assert_eq!(column(&expected, "points"), [30, 10]);
    for period in [json!(0), json!("0"), json!("last_month"), json!("LAST MONTH"), json!(null)] {
        let data = harbor.data(ALL, json!({ "DatePeriod": period })).await;
        assert_eq!(data, expected);
    }
    assert_eq!(harbor.data(ALL, json!({})).await, expected);
    for (body, what) in [
        (json!({ "datePeriod": "Nope" }), "datePeriod is \"Nope\""),
        (json!({ "datePeriod": "Custom" }), "datePeriod Custom needs"),
        (
            json!({ "startDate": "2026-03-02", "endDate": "2026-03-01" }),
            "startDate must not be after endDate",
        ),
    ] {
        for path in [TOP, ALL, PERFORMANCE, TIMELINE] {
            let problems = harbor.problems(path, &body).await;
            assert!(problems.len() == 1 && problems[0].contains(what), "{problems:?}");
        }
    }
}

#[tokio::test]
async fn case_14_last_month_of_31_march_begins_with_the_last_day_of_february() {
    for (now, first, before) in [
        ("2026-03-31T12:00:00Z", "2026-02-27T23:00:00Z", "2026-02-27T22:59:59.999Z"),
        ("2024-03-31T12:00:00Z", "2024-02-28T23:00:00Z", "2024-02-28T22:59:59.999Z"),
    ] {
        let harbor = Harbor::start_in("Europe/Oslo", ms(now)).await;
        harbor.points(1, ms(first), 5, 5).await;
        harbor.points(2, ms(before), 9, 9).await;
        let data = harbor.data(ALL, json!({ "datePeriod": "LastMonth" })).await;
        assert_eq!(column(&data, "points"), [5], "{now}");
    }
}

#[tokio::test]
async fn case_15_there_are_at_most_three_top_performers() {
    let harbor = Harbor::start().await;
    for (user, points) in [(1, -150), (2, 0)] {
        harbor.points(user, NOW_MS - HOUR_MS, points, 200).await;
    }
    let data = harbor.data(TOP, json!({})).await;
    assert_eq!(column(&data, "points"), [0, -150]);
    assert_eq!(column(&data, "performance"), [0, 0]);
    assert_eq!((&data["totalNumberOfRecords"], &data["pageSize"]), (&json!(2), &json!(3)));
    for user in 3..8 {
        harbor.points(user, NOW_MS - HOUR_MS, 100, 200).await;
    }
    let ignored = json!({ "filter": { "searchInputTextValue": "nobody" }, "pagination": 7 });
    let data = harbor.data(TOP, ignored).await;
    assert_eq!(column(&data, "rank"), [1, 2, 3]);
    assert_eq!(column(&data, "totalRowCount"), [7, 7, 7]);
    assert_eq!(data["totalNumberOfRecords"], 3);
}

#[tokio::test]
async fn case_16_searching_and_sorting_change_no_rank() {
    let harbor = Harbor::start().await;
    let people = [(1, "Ines", 50), (2, "Rao", 90), (3, "Lia", 70), (4, "Per", 60), (5, "Abe", 10)];
    for (user, first, points) in people {
        harbor.person(user, first, "Barto").await;
        harbor.points(user, NOW_MS - HOUR_MS, points, 100).await;
    }
    let board = harbor.data(ALL, json!({})).await;
    let ranked = standings(&board);
    let user = |user: u64, rank: u64, points: i64| (format!("u{user}"), rank, points);
    let all = [user(2, 1, 90), user(3, 2, 70), user(4, 3, 60), user(1, 4, 50), user(5, 5, 10)];
    assert_eq!(ranked, all);
    assert_eq!(
        (&board["pageNumber"], &board["pageSize"], &board["totalNumberOfPages"]),
        (&json!(1), &json!(5), &json!(1))
    );
    let found = json!({ "filter": { "searchInputTextValue": "ines" } });
    assert_eq!(standings(&harbor.data(ALL, found).await), [user(1, 4, 50)]);
    let sorted = json!({ "pagination": { "orderBy": "EMAIL", "ascending": true } });
    let data = harbor.data(ALL, sorted).await;
    let by_email = [5, 1, 3, 4, 2].map(|user| all.iter().find(|row| row.0 == format!("u{user}")));
    assert_eq!(standings(&data).iter().map(Some).collect::<Vec<_>>(), by_email);
    assert_eq!(data["pageSize"], 10);
}

#[tokio::test]
async fn case_17_performance_is_by_product_and_in_total() {
    let harbor = Harbor::start().await;
    harbor.person(1, "Ines", "Barto").await;
    harbor.person(2, "Rao", "Mehta").await;
    let elsewhere = json!({ "name": "Sister", "parent": RESELLER });
    harbor.world.put_org(43, elsewhere).await;
    harbor.world.put_named_user(43, 3, "u3", json!({})).await;
    let more = |points: i64, possible: i64| json!({ "points": points, "possible": possible });
    let product = |name: &str| json!({ "product": name });
    let at_ms = NOW_MS - HOUR_MS;
    harbor
        .report(&[
            (1, "Reported", at_ms, product("PHISHING SIMULATOR"), more(900, 400)),
            (1, "Clicked Link", at_ms, product("PHISHING SIMULATOR"), more(-200, 400)),
            (1, "Exam Passed", at_ms, product("Awareness Educator"), more(450, 600)),
            (1, "Exam Passed", NOW_MS - 40 * DAY_MS, product("5"), more(450, 450)),
        ])
        .await;
    let asked = json!({ "targetUserResourceId": "u1" });
    let data = harbor.data(PERFORMANCE, asked).await;
    let expected = json!([
        { "rank": 1, "phishingTypeId": 0, "phishingType": "PHISHING SIMULATOR",
          "performance": 87.5, "totalPerformance": 82.14, "totalPoints": 1150 },
        { "rank": 1, "phishingTypeId": 5, "phishingType": "SECURITY AWARENESS",
          "performance": 75, "totalPerformance": 82.14, "totalPoints": 1150 },
    ]);
    assert_eq!(data, expected);
    for nobody in
        [json!({}), json!({ "targetUserResourceId": null }), json!({ "targetUserResourceId": "" })]
    {
        assert_eq!(harbor.data(PERFORMANCE, nobody).await, json!([]));
    }
    // Known, but without activity in the window.
    let idle = json!({ "targetUserResourceId": "u2" });
    assert_eq!(harbor.data(PERFORMANCE, idle).await, json!([]));
    for unknown in ["u3", "u4", "1"] {
        for path in [PERFORMANCE, TIMELINE] {
            let body = json!({ "targetUserResourceId": unknown });
            let answer = harbor.post_text(path, &body).await;
            assert!(assert_refused(&answer, 404, "NOT_FOUND").contains(unknown));
        }
    }
}

/// A company with one user's activities, one an hour, oldest first.
async fn busy() -> Harbor {
    let harbor = Harbor::start().await;
    harbor.person(1, "Ines", "Barto").await;
    let phishing = |difficulty: &str| json!({ "product": 0, "difficulty": difficulty });
    let vishing = json!({ "product": "VISHING SIMULATOR", "difficulty": "Hard" });
    let exam = json!({ "product": "SECURITY AWARENESS" });
    let hour = |hours: i64| NOW_MS - hours * HOUR_MS;
    harbor
        .report(&[
            (1, "Reported", hour(5), phishing("Easy"), json!({})),
            (1, "Clicked Link", hour(4), phishing("Medium"), json!({})),
            (1, "Answered", hour(3), vishing, json!({})),
            (1, "Exam Failed", hour(2), exam, json!({})),
            (2, "Clicked Link", hour(1), phishing("Hard"), json!({})),
        ])
        .await;
    harbor
}

#[tokio::test]
async fn case_18_timelines_are_newest_first_and_filtered() {
    let harbor = busy().await;
    let actions = async |mut body: Value, everybody: bool| {
        if !everybody {
            body["targetUserResourceId"] = json!("u1");
        }
        column(&harbor.data(TIMELINE, body).await, "ActionType")
    };
    let all = ["Exam Failed", "Answered", "Clicked Link", "Reported"];
    assert_eq!(actions(json!({}), false).await, all);
    assert_eq!(actions(json!({}), true).await.len(), 5);
    let failed = json!({ "showOnlyFailedEvents": true });
    assert_eq!(actions(failed, false).await, ["Exam Failed", "Clicked Link"]);
    let products = json!({ "products": ["phishing_simulator"] });
    assert_eq!(actions(products, false).await, ["Clicked Link", "Reported"]);
    let easy = json!({ "products": ["0", "2"], "difficultyTypes": ["EASY", "Hard"] });
    assert_eq!(actions(easy.clone(), false).await, ["Answered", "Reported"]);
    assert_eq!(actions(easy, true).await, ["Clicked Link", "Answered", "Reported"]);
    // What has no difficulty matches none.
    let any = json!({ "difficultyTypes": ["0", "1", "2"] });
    assert_eq!(actions(any, false).await, ["Answered", "Clicked Link", "Reported"]);
    let named = json!({ "actionTypes": ["clicked link", "12", "13"] });
    assert_eq!(actions(named, false).await, ["Exam Failed", "Clicked Link"]);
    let oldest = json!({ "pagination": { "ascending": true, "pageSize": 2 } });
    assert_eq!(actions(oldest, false).await, ["Reported", "Clicked Link"]);
    let by_points = json!({ "pagination": { "orderBy": "Points", "pageSize": 1 } });
    assert_eq!(actions(by_points, false).await, ["Reported"]);
}

#[tokio::test]
async fn case_18_pages_and_names_of_timelines_are_the_published_ones() {
    let harbor = busy().await;
    let body =
        json!({ "targetUserResourceId": "u1", "pagination": { "pageNumber": 2, "pageSize": 3 } });
    let data = harbor.data(TIMELINE, body).await;
    assert_eq!(
        (&data["pageNumber"], &data["pageSize"], &data["totalNumberOfPages"]),
        (&json!(2), &json!(3), &json!(2))
    );
    assert_eq!(data["totalNumberOfRecords"], 4);
    let row = data["results"][0].as_object().unwrap();
    for name in ["ActionTime", "ActionTimeWithDay", "ActionType"] {
        assert!(row[name].is_string(), "{row:?}");
    }
    assert_eq!(row["ActionTime"], "16/03/2026 07:00");
    assert_eq!(row["ActionTimeWithDay"], "Monday, 16/03/2026");
    assert_eq!((&row["points"], &row["difficultyType"]), (&json!(50), &json!("Easy")));
    let default = harbor.data(TIMELINE, json!({})).await;
    assert_eq!((&default["pageNumber"], &default["pageSize"]), (&json!(1), &json!(25)));
}

#[tokio::test]
async fn case_19_test_activities_appear_nowhere() {
    let harbor = busy().await;
    let paths = [TOP, ALL, PERFORMANCE, TIMELINE];
    let body = json!({ "targetUserResourceId": "u1" });
    let mut before = Vec::new();
    for path in paths {
        before.push(harbor.data(path, body.clone()).await);
    }
    let test = json!({ "product": 0, "difficulty": "Hard", "test": true });
    harbor.report(&[(1, "Reported", NOW_MS, test.clone(), json!({ "points": 9000 }))]).await;
    harbor.report(&[(8, "Reported", NOW_MS, test, json!({}))]).await;
    let silent = json!({ "product": 0, "difficulty": "Hard" });
    harbor.report(&[(9, "No Response", NOW_MS, silent, json!({}))]).await;
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(harbor.data(path, body.clone()).await, before, "{path}");
    }
    assert_eq!(harbor.data(TIMELINE, json!({})).await["totalNumberOfRecords"], 5);
}

#[tokio::test]
async fn case_20_an_empty_filter_is_no_filter() {
    let harbor = busy().await;
    let unfiltered = harbor.data(ALL, json!({})).await;
    for filter in [
        json!({ "Condition": "AND", "SearchInputTextValue": "" }),
        json!({ "Condition": "AND", "FilterGroups": [] }),
        json!(null),
    ] {
        assert_eq!(harbor.data(ALL, json!({ "Filter": filter })).await, unfiltered);
    }
    assert_eq!(column(&unfiltered, "rank"), [1, 2]);
}
