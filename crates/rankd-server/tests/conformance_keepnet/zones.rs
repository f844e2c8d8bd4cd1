//! Windows in company time: the first millisecond that belongs to a window and the last that does
//! not, in zones with and without changes of the clocks.
//!
//! The moments are written in UTC by hand from the zones' published rules.

use serde_json::{Value, json};

use super::org_support::ms;
use super::*;

/// Puts one activity on either side of both ends of a window, and checks who is in it.
async fn assert_window(zone: &str, now: &str, body: Value, first: &str, last: &str) {
    let harbor = Harbor::start_in(zone, ms(now)).await;
    let moments = [ms(first) - 1, ms(first), ms(last), ms(last) + 1];
    for ((user, points), at_ms) in [(1, 99), (2, 98), (3, 97), (4, 96)].into_iter().zip(moments) {
        // What lies beyond the clock by little is taken, and shown when its time has come.
        harbor.points(user, at_ms, points, 100).await;
    }
    let data = harbor.data(ALL, body.clone()).await;
    assert_eq!(column(&data, "points"), [98, 97], "{zone} {now} {body}");
}

#[tokio::test]
async fn named_periods_begin_at_local_midnight_and_end_now() {
    for (zone, period, now, first) in [
        ("Asia/Kolkata", "LastMonth", "2026-03-16T12:00:00Z", "2026-02-15T18:30:00Z"),
        // Half past midnight on the 17th in Kolkata.
        ("Asia/Kolkata", "LastMonth", "2026-03-16T19:00:00Z", "2026-02-16T18:30:00Z"),
        // Clocks went forward on 29 March in Oslo and on 8 March in New York.
        ("Europe/Oslo", "LastMonth", "2026-04-16T12:00:00Z", "2026-03-15T23:00:00Z"),
        ("Europe/Oslo", "Last3Months", "2026-04-16T12:00:00Z", "2026-01-15T23:00:00Z"),
        ("America/New_York", "LastMonth", "2026-03-16T12:00:00Z", "2026-02-16T05:00:00Z"),
        ("America/New_York", "Last6Months", "2026-03-16T12:00:00Z", "2025-09-16T04:00:00Z"),
        ("America/New_York", "LastYear", "2026-03-16T02:00:00Z", "2025-03-15T04:00:00Z"),
        ("America/New_York", "ThisYear", "2026-01-01T03:00:00Z", "2025-01-01T05:00:00Z"),
        ("Asia/Kolkata", "ThisYear", "2025-12-31T19:00:00Z", "2025-12-31T18:30:00Z"),
        // Days that a month lacks, and leap days.
        ("America/New_York", "LastMonth", "2026-03-31T12:00:00Z", "2026-02-28T05:00:00Z"),
        ("Europe/Oslo", "LastMonth", "2024-03-30T12:00:00Z", "2024-02-28T23:00:00Z"),
        ("Europe/Oslo", "LastYear", "2024-02-29T12:00:00Z", "2023-02-27T23:00:00Z"),
        ("Asia/Kolkata", "Last6Months", "2026-08-31T12:00:00Z", "2026-02-27T18:30:00Z"),
    ] {
        assert_window(zone, now, json!({ "datePeriod": period }), first, now).await;
    }
}

#[tokio::test]
async fn explicit_dates_are_local_and_both_their_ends_count() {
    let dates = |start: &str, end: &str| json!({ "startDate": start, "endDate": end });
    for (zone, body, first, last) in [
        (
            "Asia/Kolkata",
            dates("2026-02-28", "2026-03-01"),
            "2026-02-27T18:30:00Z",
            "2026-03-01T18:29:59.999Z",
        ),
        // Days of 23 and of 25 hours.
        (
            "Europe/Oslo",
            dates("2026-03-29", "2026-03-29"),
            "2026-03-28T23:00:00Z",
            "2026-03-29T21:59:59.999Z",
        ),
        (
            "America/New_York",
            dates("2025-11-02", "2025-11-02"),
            "2025-11-02T04:00:00Z",
            "2025-11-03T04:59:59.999Z",
        ),
        (
            "America/New_York",
            dates("2026-03-08T01:30:00", "2026-03-08T03:30:00.250"),
            "2026-03-08T06:30:00Z",
            "2026-03-08T07:30:00.250Z",
        ),
        (
            "Europe/Oslo",
            dates("2024-02-29", "2024-02-29T23:59:59"),
            "2024-02-28T23:00:00Z",
            "2024-02-29T22:59:59Z",
        ),
        (
            "Europe/Oslo",
            dates("2026-03-01T00:00:00Z", "2026-03-02T00:00:00+05:30"),
            "2026-03-01T00:00:00Z",
            "2026-03-01T18:30:00Z",
        ),
    ] {
        assert_window(zone, "2026-06-01T12:00:00Z", body, first, last).await;
    }
}

#[tokio::test]
async fn open_ends_reach_to_the_beginning_and_to_now() {
    let harbor = Harbor::start().await;
    harbor.points(1, ms("2017-01-01T00:00:00Z"), 10, 10).await;
    harbor.points(2, NOW_MS, 20, 20).await;
    harbor.points(3, NOW_MS + 1, 30, 30).await;
    let points = async |body: Value| column(&harbor.data(ALL, body).await, "points");
    assert_eq!(points(json!({ "endDate": "2026-03-15" })).await, [10]);
    assert_eq!(points(json!({ "startDate": "2017-01-02" })).await, [20]);
    assert_eq!(points(json!({ "startDate": "2016-01-01T00:00:00Z" })).await, [20, 10]);
    // A named end may lie ahead.
    assert_eq!(points(json!({ "endDate": "2026-03-17" })).await, [30, 20, 10]);
    let far =
        json!({ "startDate": "0001-01-01T00:00:00", "endDate": "9999-12-31T23:59:59.9999999Z" });
    assert_eq!(points(far).await, [30, 20, 10]);
    assert_eq!(harbor.problems(ALL, &json!({ "startDate": "2026-03-17" })).await.len(), 1);
}

#[tokio::test]
async fn boards_follow_the_clock_across_midnight_and_a_change_of_the_clocks() {
    // 28 March 2026, 23:00 in Oslo; the clocks change that night.
    let start = ms("2026-03-28T22:00:00Z");
    let harbor = Harbor::start_in("Europe/Oslo", start).await;
    for (user, at) in [
        (1, "2026-02-27T22:59:00Z"),
        (2, "2026-02-27T23:00:00Z"),
        (3, "2026-02-28T22:59:59.999Z"),
        (4, "2026-02-28T23:00:00Z"),
        (5, "2026-03-28T22:03:00Z"),
    ] {
        harbor.points(user, ms(at), 10 + i64::try_from(user).unwrap(), 50).await;
    }
    for (now, expected) in [
        ("2026-03-28T22:00:00Z", &[14, 13, 12][..]),
        ("2026-03-28T22:03:00Z", &[15, 14, 13, 12]),
        ("2026-03-28T22:59:59.999Z", &[15, 14, 13, 12]),
        // The 29th: 29 February is missing, so the window still begins on the 28th.
        ("2026-03-28T23:00:00Z", &[15, 14, 13, 12]),
        ("2026-03-31T21:59:59.999Z", &[15, 14, 13, 12]),
        // 1 April, in summer time.
        ("2026-03-31T22:00:00Z", &[15, 14]),
    ] {
        harbor.world.clock.set(ms(now));
        // Often enough for the window to be kept live.
        for _ in 0..6 {
            let token = token_again(&harbor).await;
            let harbor = &harbor.world;
            let headers = [("authorization", &*token), ("x-keepnet-company-id", COMPANY_ID)];
            let (_, _, text) = harbor.request("POST", ALL, &headers, "{}").await;
            let json: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(column(&json["data"], "points"), expected, "{now}");
        }
    }
}

/// The value of `Authorization` with a token that is valid now.
async fn token_again(harbor: &Harbor) -> String {
    let (_, _, text) = connect(&harbor.world, &form(CLIENT)).await;
    let granted: Value = serde_json::from_str(&text).expect("JSON");
    format!("Bearer {}", granted["access_token"].as_str().expect("a token"))
}
