//! The contract's cases of top ranked users, each under its number.

use serde_json::json;

use crate::org_support::ms;
use crate::world::{
    CHILD, CHILD_GROUP, CYCLE, Loyalty, PARENT, RANKED, STEPS, TARGET, VISITS, json_of,
    rankings_of, warnings_of,
};

const OFFSET_NEGATIVE: &str =
    "Page offset can not be in negative, fetching the first page by default";
const SIZE_TOO_LARGE: &str = "Page Size can not be more than 100, capping the page size to 100";

/// The rows from one rank to another.
fn rows(from: usize, to: usize) -> Vec<(u64, u64)> {
    (1..).zip(RANKED).skip(from - 1).take(to + 1 - from).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_21_equal_values_rank_by_who_was_there_first() {
    let loyalty = Loyalty::start().await;
    let answer = loyalty.top("&pageSize=3").await;
    assert_eq!(rankings_of(&answer), [(1, 844), (2, 2_324), (3, 3_386)]);
    let rankings = &answer["data"]["rankings"];
    assert!((0..3).all(|at| rankings[at]["achievedValue"] == json!(21_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_22_pages_begin_at_zero_and_are_put_right() {
    let loyalty = Loyalty::start().await;
    for (query, first, last, offset, limit, warnings) in [
        ("&pageOffset=0&pageSize=3", 1, 3, 0, 3, vec![]),
        ("&pageOffset=1&pageSize=3", 4, 6, 1, 3, vec![]),
        ("&pageOffset=2&pageSize=3", 7, 7, 2, 3, vec![]),
        ("&pageOffset=-1&pageSize=3", 1, 3, 0, 3, vec![OFFSET_NEGATIVE]),
        ("&pageSize=101", 1, 7, 0, 100, vec![SIZE_TOO_LARGE]),
        ("&pageSize=101&pageOffset=-1", 1, 7, 0, 100, vec![OFFSET_NEGATIVE, SIZE_TOO_LARGE]),
        ("", 1, 7, 0, 10, vec![]),
    ] {
        let answer = loyalty.top(query).await;
        assert_eq!(rankings_of(&answer), rows(first, last), "{query}");
        let pagination = json!({ "limit": limit, "offset": offset, "total": 7 });
        assert_eq!(answer["pagination"], pagination, "{query}");
        assert_eq!(warnings_of(&answer), warnings, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_22_lower_bounds_and_page_limits_are_warned_of_as_well() {
    let loyalty = Loyalty::start().await;
    let answer = loyalty.top("&pageSize=0&pageLimit=0").await;
    assert_eq!((rankings_of(&answer), &answer["pagination"]["limit"]), (rows(1, 7), &json!(10)));
    assert_eq!(
        warnings_of(&answer),
        [
            "Page Size can not be less than 1, using the default page size 10",
            "Page Limit can not be less than 1, fetching one page",
        ]
    );
    let answer = loyalty.top("&pageLimit=101&pageSize=1").await;
    assert_eq!(rankings_of(&answer), rows(1, 7));
    let capped = "Page Limit can not be more than 100, capping the page limit to 100";
    assert_eq!(warnings_of(&answer), [capped]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_23_several_pages_at_once_and_none_beyond_the_end() {
    let loyalty = Loyalty::start().await;
    let answer = loyalty.top("&pageLimit=2&pageSize=3").await;
    assert_eq!((rankings_of(&answer), &answer["pagination"]["limit"]), (rows(1, 6), &json!(3)));
    let answer = loyalty.top("&pageLimit=2&pageSize=2&pageOffset=2").await;
    assert_eq!(rankings_of(&answer), rows(5, 7));
    for beyond in ["&pageOffset=3&pageSize=3", "&pageOffset=2147483647&pageSize=100"] {
        let answer = loyalty.top(beyond).await;
        assert_eq!(answer["data"]["rankings"], json!([]), "{beyond}");
        assert_eq!(answer["pagination"]["total"], json!(7), "{beyond}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_28_times_carry_the_zone_of_the_organisation() {
    let loyalty = Loyalty::start().await;
    let answer = loyalty.top("&pageSize=1").await;
    let first = &answer["data"]["rankings"][0];
    assert_eq!(first["lastActivityTime"], "2026-02-11T09:05:31.000IST");
    assert_eq!(answer["data"]["lastSyncTime"], "2026-03-16T17:30:00.000IST");
    // The caller's zone for the one, the group's owner's for the other.
    let path = format!("/targetGroups/{CHILD_GROUP}?targetId={TARGET}");
    let answer = json_of(200, &loyalty.get(PARENT, &path, &[("data-scope", "all")], "").await);
    let first = &answer["data"]["rankings"][0];
    assert_eq!(first["lastActivityTime"], "2026-02-11T06:35:31.000+03");
    assert_eq!(answer["data"]["lastSyncTime"], "2026-03-16T17:30:00.000IST");
    let answer = json_of(200, &loyalty.get(CHILD, &path, &[], "").await);
    assert_eq!(answer["data"]["lastSyncTime"], "2026-03-16T15:00:00.000+03");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_28_the_sync_time_is_that_of_the_callers_newest_batch() {
    let loyalty = Loyalty::start().await;
    let later = ms("2026-03-16T12:30:00.250Z");
    loyalty.world.clock.set(later);
    let elsewhere = crate::world::steps(CHILD, 14, "2026-03-16T12:00:00Z", 1);
    loyalty.world.activities(json!([elsewhere])).await;
    let answer = loyalty.top("").await;
    assert_eq!(answer["data"]["lastSyncTime"], "2026-03-16T17:30:00.000IST");
    let here = crate::world::steps(PARENT, 14, "2026-03-16T12:00:00Z", 1);
    loyalty.world.activities(json!([here])).await;
    let answer = loyalty.top("").await;
    assert_eq!(answer["data"]["lastSyncTime"], "2026-03-16T18:00:00.250IST");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_29_both_totals_agree_and_who_did_nothing_is_last() {
    let loyalty = Loyalty::start().await;
    let enrolment = json!({ "orgId": PARENT, "targetGroupId": STEPS, "targetId": TARGET,
                            "userId": 4_242, "at": ms("2026-01-05T06:00:00Z") });
    loyalty.world.put_user(PARENT, 4_242, json!({})).await;
    loyalty.world.enrolments(json!([enrolment])).await;
    let answer = loyalty.top("").await;
    assert_eq!(answer["pagination"]["total"], json!(8));
    assert_eq!(
        answer["data"]["rankings"][7],
        json!({
            "rank": 8, "userId": 4_242, "achievedValue": 0,
            "lastActivityTime": "2026-01-05T11:30:00.000IST",
            "userEnrichmentDetails": {
                "birthday": "NOT-CAPTURED", "gender": "NOT-CAPTURED", "mobile": "",
                "last_name": "", "first_name": "", "anniversary": "NOT-CAPTURED", "email": "",
            },
        })
    );
    let entry = json!({ "targetGroupId": STEPS, "targetRuleId": TARGET, "periodId": CYCLE });
    for user in [4_242, 844] {
        let ranks = loyalty.ranks(user, &entry).await;
        let place = &ranks["data"]["userRanks"][0];
        assert_eq!(place["totalUsersInTargetGroup"], json!(8));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_nobody_takes_part_in_has_an_empty_board() {
    let loyalty = Loyalty::start().await;
    let path = format!("/targetGroups/{STEPS}?targetId={VISITS}");
    let answer = json_of(200, &loyalty.get(PARENT, &path, &[], "").await);
    assert_eq!(answer["pagination"], json!({ "limit": 10, "offset": 0, "total": 0 }));
    assert_eq!(answer["data"]["rankings"], json!([]));
    assert_eq!(answer["data"]["targetRuleName"], "most visits");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_period_is_the_default_and_ends_with_its_last_millisecond() {
    let loyalty = Loyalty::start().await;
    let answer = loyalty.top("").await;
    assert_eq!(answer["data"]["periodId"], json!(CYCLE));
    assert_eq!(answer["data"]["periodRefCode"], "cycle_3");
    let answer = loyalty.top(&format!("&periodId={}", crate::world::PAST_CYCLE)).await;
    assert_eq!(rankings_of(&answer), [(1, 844)]);
    loyalty.world.clock.set(ms("2026-03-31T23:59:59.999Z"));
    assert_eq!(loyalty.top("").await["data"]["periodId"], json!(CYCLE));
    loyalty.world.clock.set(ms("2026-04-01T00:00:00Z"));
    let path = format!("/targetGroups/{STEPS}?targetId={TARGET}");
    assert_eq!(loyalty.code(PARENT, &path, &[], "").await.0, 310_118);
}
