//! Errors of top ranked users: each reachable, and in the API's order; and the envelope of what
//! goes wrong before.

use serde_json::{Value, json};

use crate::world::{
    BASE, CHILD, CHILD_GROUP, INACTIVE, INACTIVE_CYCLE, INACTIVE_TARGET, LONE_OFF, Loyalty,
    NO_LEADERBOARD, OFF_CHILD, OFF_GROUP, PARENT, PAST, STEPS, STRANGE_GROUP, STRANGER, TARGET,
    error_of, json_of,
};

fn path(group: u64, target: u64, more: &str) -> String {
    format!("/targetGroups/{group}?targetId={target}{more}")
}

#[tokio::test(flavor = "multi_thread")]
async fn case_24_every_error_is_reachable() {
    let loyalty = Loyalty::start().await;
    let off = format!("Leaderboards are not enabled for the following orgs: [{OFF_CHILD}]");
    let lone_off = format!("Leaderboards are not enabled for the following orgs: [{LONE_OFF}]");
    let not_found = "Target group not found or deactivated";
    let no_board = "Leaderboard is not enabled for the target group";
    let no_target = "target rule id doesn't belong to target group";
    let no_period = "Target Period not found for the target";
    for (org, path, code, message) in [
        (OFF_CHILD, path(OFF_GROUP, TARGET, ""), 310_133, &*off),
        (LONE_OFF, path(STEPS, TARGET, ""), 310_133, &lone_off),
        (PARENT, path(999, TARGET, ""), 310_017, not_found),
        (PARENT, path(INACTIVE, TARGET, ""), 310_017, not_found),
        (PARENT, path(CHILD_GROUP, TARGET, ""), 310_017, not_found),
        (PARENT, path(OFF_GROUP, TARGET, ""), 310_017, not_found),
        (PARENT, path(STRANGE_GROUP, TARGET, ""), 310_017, not_found),
        (PARENT, path(NO_LEADERBOARD, TARGET, ""), 310_134, no_board),
        (PARENT, path(STEPS, 999, ""), 310_079, no_target),
        (PARENT, path(STEPS, INACTIVE_TARGET, ""), 310_079, no_target),
        (PARENT, path(STEPS, TARGET, "&periodId=999"), 310_118, no_period),
        (PARENT, path(STEPS, TARGET, &format!("&periodId={INACTIVE_CYCLE}")), 310_118, no_period),
        (PARENT, path(PAST, TARGET, ""), 310_118, no_period),
    ] {
        let told = loyalty.code(org, &path, &[], "").await;
        assert_eq!((told.0, &*told.1), (code, message), "{org} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_24_the_earliest_fault_is_the_one_that_is_told() {
    let loyalty = Loyalty::start().await;
    let other = |orgs: &'static str| [("data-scope", "OTHER"), ("data-scope-org", orgs)];
    let all = |orgs: &'static str| [("data-scope", "ALL"), ("data-scope-org", orgs)];
    // Each request has the fault of its line and those of all lines below.
    let bad = path(OFF_GROUP, 999, "&periodId=x");
    assert_eq!(loyalty.code(PARENT, &bad, &other("70001"), "").await.0, 400);
    let off = path(OFF_GROUP, 999, "&periodId=999");
    let (code, message) = loyalty.code(PARENT, &off, &other("70001,60414"), "").await;
    assert_eq!(code, 51_512);
    assert_eq!(message, "The following orgs are not part of the hierarchy: [70001]");
    assert_eq!(loyalty.code(PARENT, &off, &other("60414"), "").await.0, 310_133);
    assert_eq!(loyalty.code(PARENT, &off, &all("60414"), "").await.0, 310_133);
    let gone = path(INACTIVE, 999, "&periodId=999");
    assert_eq!(loyalty.code(PARENT, &gone, &[], "").await.0, 310_017);
    let no_board = path(NO_LEADERBOARD, 999, "&periodId=999");
    assert_eq!(loyalty.code(PARENT, &no_board, &[], "").await.0, 310_134);
    let no_target = path(STEPS, 999, "&periodId=999");
    assert_eq!(loyalty.code(PARENT, &no_target, &[], "").await.0, 310_079);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_group_is_told_as_leaderboards_off_only_if_they_are_off_everywhere() {
    let loyalty = Loyalty::start().await;
    let unknown = path(999, TARGET, "");
    let both = [("data-scope", "OTHER"), ("data-scope-org", "60413,60414")];
    assert_eq!(loyalty.code(PARENT, &unknown, &both, "").await.0, 310_017);
    let off = [("data-scope", "OTHER"), ("data-scope-org", "60414")];
    assert_eq!(loyalty.code(PARENT, &unknown, &off, "").await.0, 310_133);
    // A visible set that is empty has nothing switched off.
    assert_eq!(loyalty.code(CHILD, &unknown, &off, "").await.0, 310_017);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_group_number_in_another_tree_is_another_group() {
    let loyalty = Loyalty::start().await;
    for (org, group) in [(STRANGER, STEPS), (PARENT, STRANGE_GROUP)] {
        for scope in ["SELF", "ALL"] {
            let headers = [("data-scope", scope)];
            let told = loyalty.code(org, &path(group, TARGET, ""), &headers, "").await;
            assert_eq!(told.0, 310_017, "{org} {group} {scope}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_paths_and_methods_come_in_the_same_envelope() {
    let loyalty = Loyalty::start().await;
    let world = &loyalty.world;
    for path in [
        "/api_gateway/",
        "/api_gateway/intouch-api-v3/v3.1/leaderboards",
        "/api_gateway/intouch-api-v3/v3.1/leaderboards/targetGroups",
        "/api_gateway/intouch-api-v3/v3.1/leaderboards/user/1/2",
        "/v3/oauth/token",
    ] {
        let answer = world.request("GET", path, &[], "").await;
        assert_eq!(error_of(&json_of(404, &answer)).0, 404, "{path}");
    }
    let post = world.request("POST", &format!("{BASE}/user/1"), &[], "").await;
    assert_eq!(error_of(&json_of(405, &post)).0, 405);
    assert_eq!(post.1["allow"], "GET, HEAD");
    let get = world.request("GET", "/v3/oauth/token/generate", &[], "").await;
    assert_eq!(error_of(&json_of(405, &get)).0, 405);
    assert_eq!(get.1["allow"], "POST");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_has_the_headers_of_get_and_a_trailing_slash_changes_nothing() {
    let loyalty = Loyalty::start().await;
    let authorization = crate::world::basic(&crate::world::till_of(PARENT));
    let headers = [("authorization", &*authorization)];
    let target = |slash: &str| format!("{BASE}/targetGroups/{STEPS}{slash}?targetId={TARGET}");
    let get = loyalty.world.request("GET", &target(""), &headers, "").await;
    let slashed = loyalty.world.request("GET", &target("/"), &headers, "").await;
    let head = loyalty.world.request("HEAD", &target(""), &headers, "").await;
    assert_eq!((get.0, &get.2), (200, &slashed.2));
    assert_eq!((head.0, &*head.2), (200, ""));
    assert_eq!(head.1["content-length"], get.2.len().to_string());
    assert_eq!(head.1["content-type"], get.1["content-type"]);
    let envelope: Value = serde_json::from_str(&get.2).unwrap();
    assert_eq!(envelope["errors"], json!([]));
}
