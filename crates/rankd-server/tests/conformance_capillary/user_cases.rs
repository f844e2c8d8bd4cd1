//! The contract's cases of a user's ranks, each under its number.

use serde_json::{Value, json};

use crate::org_support::ms;
use crate::world::{
    CYCLE, INACTIVE, INACTIVE_CYCLE, INACTIVE_TARGET, LONE_OFF, Loyalty, NO_LEADERBOARD, OFF_CHILD,
    PARENT, PAST, PAST_CYCLE, STEPS, STRANGER, TARGET, VISITS, current_cycle, json_of, steps,
    target, warnings_of,
};

const TOO_MANY: &str = "Maximum number of target rules allowed is 25, only first 25 target rules \
                        will be considered";

fn entry(group: u64, rule: u64, period: Option<u64>) -> Value {
    let mut entry = json!({ "targetGroupId": group, "targetRuleId": rule });
    if let Some(period) = period {
        entry["periodId"] = json!(period);
    }
    entry
}

/// Group, target and period of each rank.
fn places(answer: &Value) -> Vec<(u64, u64, u64)> {
    let ranks = answer["data"]["userRanks"].as_array().expect("ranks");
    let id = |place: &Value, name: &str| place[name].as_u64().expect("a number");
    let of = |place| (id(place, "targetGroupId"), id(place, "targetRuleId"), id(place, "periodId"));
    ranks.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_only_twenty_five_entries_are_looked_at() {
    let loyalty = Loyalty::start().await;
    let mut entries = vec![entry(STEPS, TARGET, Some(CYCLE)); 24];
    entries.push(entry(999, 1, None));
    let answer = loyalty.ranks(844, &json!(entries)).await;
    assert_eq!(places(&answer).len(), 24);
    assert_eq!(warnings_of(&answer), ["Target group id 999 not found or deactivated"]);
    entries.push(json!({ "orgId": STRANGER, "targetGroupId": 998, "targetRuleId": 1 }));
    let answer = loyalty.ranks(844, &json!(entries)).await;
    assert_eq!(places(&answer).len(), 24);
    let not_found = "Target group id 999 not found or deactivated";
    assert_eq!(warnings_of(&answer), [TOO_MANY, not_found]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_what_is_wrong_with_an_entry_is_a_warning() {
    let loyalty = Loyalty::start().await;
    let entries = json!([
        entry(999, 998, Some(997)),
        entry(INACTIVE, TARGET, None),
        { "orgId": PARENT, "targetGroupId": -1, "targetRuleId": TARGET },
        entry(NO_LEADERBOARD, 998, Some(997)),
        entry(STEPS, 998, Some(997)),
        entry(STEPS, INACTIVE_TARGET, None),
        entry(STEPS, TARGET, Some(997)),
        entry(STEPS, TARGET, Some(INACTIVE_CYCLE)),
        entry(PAST, TARGET, None),
        entry(STEPS, TARGET, Some(PAST_CYCLE)),
    ]);
    let answer = loyalty.ranks(844, &entries).await;
    assert_eq!(places(&answer), [(STEPS, TARGET, PAST_CYCLE)]);
    assert_eq!(
        warnings_of(&answer),
        [
            "Target group id 999 not found or deactivated",
            "Target group id 873 not found or deactivated",
            "Target group id -1 not found or deactivated",
            "Leaderboard is not enabled for the target group id 872",
            "Target rule id 998 does not belong to target group id 871",
            "Target rule id 5122 does not belong to target group id 871",
            "Target period id 997 not found for the target id 5120",
            "Target period id 3308 not found for the target id 5120",
            "No active target period found for the target id 5120",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_who_is_not_enrolled_gets_no_row_and_no_warning() {
    let loyalty = Loyalty::start().await;
    let entries = json!([
        entry(STEPS, VISITS, None),
        entry(STEPS, TARGET, None),
        entry(STEPS, TARGET, None),
        entry(STEPS, VISITS, Some(PAST_CYCLE)),
    ]);
    let answer = loyalty.ranks(844, &entries).await;
    assert_eq!(places(&answer), [(STEPS, TARGET, CYCLE); 2]);
    assert_eq!(warnings_of(&answer), [""; 0]);
    assert_eq!(
        answer["data"]["userRanks"][0],
        json!({
            "orgId": PARENT, "targetGroupId": STEPS, "targetRuleId": TARGET, "periodId": CYCLE,
            "achievedValue": 21_000, "rank": 1, "lastActivityTime": "2026-02-11T09:05:31.000IST",
            "totalUsersInTargetGroup": 7,
        })
    );
    assert_eq!(answer["data"]["customerId"], json!(844));
    let details = json!({ "mobile": "910000000301", "last_name": "Rao", "first_name": "Asha",
                          "email": "asha@mail.example" });
    assert_eq!(answer["data"]["userEnrichmentDetails"], details);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_25_a_group_is_only_found_under_its_own_org() {
    let loyalty = Loyalty::start().await;
    let mut other = entry(STEPS, TARGET, None);
    other["orgId"] = json!(crate::world::CHILD);
    let headers = [("data-scope", "ALL")];
    let answer = loyalty.get(PARENT, "/user/844", &headers, &other.to_string()).await;
    let answer = json_of(200, &answer);
    assert_eq!(places(&answer), []);
    assert_eq!(warnings_of(&answer), ["Target group id 871 not found or deactivated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_26_without_a_body_all_enrolled_targets_are_answered() {
    let loyalty = Loyalty::start().await;
    let visit =
        crate::org_support::activity("v1", PARENT, 844, "visit", ms("2026-03-01T00:00:00Z"));
    loyalty.world.activities(json!([visit])).await;
    let expected = [(STEPS, TARGET, CYCLE), (STEPS, VISITS, CYCLE)];
    for body in ["", "null", "[]", " \n"] {
        let answer = json_of(200, &loyalty.get(PARENT, "/user/844", &[], body).await);
        assert_eq!(places(&answer), expected, "{body:?}");
        assert_eq!(warnings_of(&answer), [""; 0]);
    }
    let answer = json_of(200, &loyalty.get(PARENT, "/user/14", &[], "").await);
    assert_eq!(places(&answer), [(STEPS, TARGET, CYCLE)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_26_the_list_without_a_body_is_cut_as_well() {
    let loyalty = Loyalty::start().await;
    let targets: Vec<_> =
        (1..=30).rev().map(|id| target(id, &format!("t{id}"), true, "steps", "sumValue")).collect();
    let group = json!({ "name": "Many", "active": true, "leaderboardEnabled": true,
                        "targets": targets, "periods": [current_cycle()] });
    loyalty.world.put_group(PARENT, 5, group).await;
    let answer = json_of(200, &loyalty.get(PARENT, "/user/844", &[], "").await);
    let expected: Vec<_> = (1..=25).map(|target| (5, target, CYCLE)).collect();
    assert_eq!(places(&answer), expected);
    assert_eq!(warnings_of(&answer), [TOO_MANY]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_is_in_the_path_or_else_in_the_query() {
    let loyalty = Loyalty::start().await;
    for below in
        ["/user?userID=14", "/user/?userId=14", "/user/14?userID=15", "/user?userID=15&userID=14"]
    {
        let answer = json_of(200, &loyalty.get(PARENT, below, &[], "").await);
        assert_eq!(answer["data"]["customerId"], json!(14), "{below}");
    }
    for below in ["/user", "/user/", "/user/abc", "/user/1.5", "/user?userID=", "/user/%20"] {
        assert_eq!(loyalty.code(PARENT, below, &[], "").await.0, 400, "{below}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_other_trees_are_unknown() {
    let loyalty = Loyalty::start().await;
    loyalty.world.put_user(STRANGER, 31_337, json!({ "firstName": "Eve" })).await;
    let not_found = (816, "Customer not found for organization".to_owned());
    for user in ["31337", "0", "-844", "9223372036854775807"] {
        let told = loyalty.code(PARENT, &format!("/user/{user}"), &[], "").await;
        assert_eq!(told, not_found, "{user}");
    }
    let answer = json_of(200, &loyalty.get(STRANGER, "/user/31337", &[], "").await);
    assert_eq!(answer["data"]["userEnrichmentDetails"]["first_name"], "Eve");
    assert_eq!(answer["data"]["userRanks"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_a_user_s_ranks_come_in_order() {
    let loyalty = Loyalty::start().await;
    let off = json!([{ "orgId": OFF_CHILD, "targetGroupId": 1, "targetRuleId": 1 },
                     { "orgId": OFF_CHILD, "targetGroupId": 2, "targetRuleId": 1 }]);
    let told = loyalty.code(PARENT, "/user/999999", &[], &off.to_string()).await;
    let message = format!("Leaderboards are not enabled for the following orgs: [{OFF_CHILD}]");
    assert_eq!(told, (310_133, message));
    assert_eq!(loyalty.code(LONE_OFF, "/user/999999", &[], "").await.0, 310_133);
    let outside = json!([{ "orgId": OFF_CHILD, "targetGroupId": 1, "targetRuleId": 1 },
                         { "orgId": STRANGER, "targetGroupId": 1, "targetRuleId": 1 }]);
    assert_eq!(loyalty.code(PARENT, "/user/9", &[], &outside.to_string()).await.0, 51_512);
    let outside = json!([{ "orgId": STRANGER, "targetGroupId": 1 }]);
    assert_eq!(loyalty.code(PARENT, "/user/9", &[], &outside.to_string()).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_on_no_board() {
    let loyalty = Loyalty::start().await;
    loyalty.world.delete_user(PARENT, 844).await;
    assert_eq!(loyalty.code(PARENT, "/user/844", &[], "").await.0, 816);
    let answer = loyalty.top("").await;
    assert_eq!(answer["pagination"]["total"], json!(6));
    assert_eq!(answer["data"]["rankings"][0]["userId"], json!(2_324));
    // Whoever comes back under the same number begins anew.
    loyalty.world.activities(json!([steps(PARENT, 844, "2026-03-02T00:00:00Z", 1)])).await;
    let answer = loyalty.ranks(844, &entry(STEPS, TARGET, None)).await;
    let place = &answer["data"]["userRanks"][0];
    assert_eq!((&place["achievedValue"], &place["rank"]), (&json!(1), &json!(7)));
}
