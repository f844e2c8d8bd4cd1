//! Credentials and data scopes: who may see what.

use serde_json::{Value, json};

use crate::world::{
    BASE, CHILD, CHILD_GROUP, Loyalty, OFF_CHILD, PARENT, SIBLING, SIBLING_GROUP, STEPS, STRANGER,
    TARGET, basic, error_of, json_of, till_of,
};

/// The group that each organisation owns.
const OWNED: [(u64, u64); 3] = [(PARENT, STEPS), (CHILD, CHILD_GROUP), (SIBLING, SIBLING_GROUP)];

/// Which of the organisations' groups the headers let a caller see.
async fn seen(loyalty: &Loyalty, caller: u64, scope: &str, orgs: &str) -> Vec<u64> {
    let mut seen = Vec::new();
    for (owner, group) in OWNED {
        let path = format!("/targetGroups/{group}?targetId={TARGET}");
        let headers = [("data-scope", scope), ("DATA-SCOPE-ORG", orgs)];
        let answer = loyalty.get(caller, &path, &headers, "").await;
        if answer.0 == 200 {
            seen.push(owner);
        } else {
            assert_eq!(error_of(&json_of(400, &answer)).0, 310_017);
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_scopes() {
    let loyalty = Loyalty::start().await;
    for (caller, scope, orgs, visible) in [
        (PARENT, "", "", vec![PARENT]),
        (PARENT, "SELF", "60413,70001,x", vec![PARENT]),
        (PARENT, "OTHER", "60413", vec![CHILD]),
        (PARENT, "other", "60413, 60415", vec![CHILD, SIBLING]),
        (PARENT, "OTHER", "60412", vec![]),
        (PARENT, "ALL", "", vec![PARENT, CHILD, SIBLING]),
        (PARENT, "all", "60413", vec![PARENT, CHILD, SIBLING]),
        (CHILD, "SELF", "", vec![CHILD]),
        (CHILD, "OTHER", "60413", vec![CHILD]),
        (CHILD, "OTHER", "60415", vec![]),
        (CHILD, "OTHER", "60412", vec![]),
        (CHILD, "OTHER", "60415,60413", vec![CHILD]),
        (CHILD, "ALL", "", vec![PARENT, CHILD]),
    ] {
        let actual = seen(&loyalty, caller, scope, orgs).await;
        assert_eq!(actual, visible, "{caller} {scope} {orgs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_scopes_are_bad_input() {
    let loyalty = Loyalty::start().await;
    let path = format!("/targetGroups/{STEPS}?targetId={TARGET}");
    for (scope, orgs) in [
        ("PARENT", ""),
        ("SELF,ALL", ""),
        ("OTHER", ""),
        ("OTHER", "60413,60414,60415"),
        ("OTHER", "sixty"),
        ("ALL", "60413;60414"),
        ("ALL", "9223372036854775808"),
    ] {
        for path in [&*path, "/user/844"] {
            let headers = [("data-scope", scope), ("data-scope-orgs", orgs)];
            let (code, message) = loyalty.code(PARENT, path, &headers, "").await;
            assert_eq!(code, 400, "{scope} {orgs}");
            let words = "Input is invalid. Please check request parameters or input json: DATA-";
            assert!(message.starts_with(words), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_27_orgs_outside_the_hierarchy_are_named() {
    let loyalty = Loyalty::start().await;
    let words = "The following orgs are not part of the hierarchy:";
    let body = |org: i64| {
        json!([{ "orgId": org, "targetGroupId": STEPS, "targetRuleId": TARGET }]).to_string()
    };
    for outside in [70_001, 1, 0, -7] {
        let told = loyalty.code(PARENT, "/user/844", &[], &body(outside)).await;
        assert_eq!(told, (51_512, format!("{words} [{outside}]")));
    }
    let headers = [("data-scope", "ALL"), ("data-scope-org", "70001,60413,5,70001")];
    let told = loyalty.code(PARENT, "/user/844", &headers, &body(70_002)).await;
    assert_eq!(told, (51_512, format!("{words} [70001, 5, 70002]")));
    let told = loyalty.code(STRANGER, "/user/844", &[], &body(60_412)).await;
    assert_eq!(told, (51_512, format!("{words} [60412]")));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_27_a_sibling_is_in_the_hierarchy_but_not_visible() {
    let loyalty = Loyalty::start().await;
    let entry = json!([{ "orgId": SIBLING, "targetGroupId": SIBLING_GROUP,
                         "targetRuleId": TARGET }]);
    let headers = [("data-scope", "OTHER"), ("data-scope-org", "60415")];
    let answer = loyalty.get(CHILD, "/user/844", &headers, &entry.to_string()).await;
    let answer = json_of(200, &answer);
    assert_eq!(answer["data"]["userRanks"], json!([]));
    let message = "Target group id 903 not found or deactivated";
    assert_eq!(crate::world::warnings_of(&answer), [message]);
    let answer = json_of(200, &loyalty.get(SIBLING, "/user/844", &[], &entry.to_string()).await);
    assert_eq!(answer["data"]["userRanks"][0]["achievedValue"], json!(66));
}

/// Asserts that these headers are refused as those of nobody.
async fn is_unauthorized(loyalty: &Loyalty, headers: &[(&str, &str)]) {
    for below in ["/user/844", "/user/x", "/targetGroups/871"] {
        let path = format!("{BASE}{below}");
        let answer = loyalty.world.request("GET", &path, headers, "[").await;
        assert_eq!(error_of(&json_of(401, &answer)).0, 401, "{headers:?}");
        assert_eq!(answer.1["www-authenticate"], "Basic realm=\"leaderboards\"");
    }
}

async fn token(loyalty: &Loyalty, body: &Value) -> crate::org_support::Response {
    let path = "/v3/oauth/token/generate";
    loyalty.world.request("POST", path, &[], &body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_show_the_md5_of_their_password() {
    use base64::Engine as _;
    let loyalty = Loyalty::start().await;
    let encoded =
        |plain: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(plain));
    is_unauthorized(&loyalty, &[]).await;
    for plain in [
        "till.60412:password",
        "till.60412:5f4dcc3b5aa765d61d8327deb882cf98",
        "till.60413x:5f4dcc3b5aa765d61d8327deb882cf99",
        "till.60412",
        "",
        ":",
    ] {
        is_unauthorized(&loyalty, &[("authorization", &encoded(plain))]).await;
    }
    for header in ["Basic", "Basic !", "Bearer x", "x"] {
        is_unauthorized(&loyalty, &[("authorization", header)]).await;
    }
    let upper = encoded("till.60412:5F4DCC3B5AA765D61D8327DEB882CF99");
    let path = format!("{BASE}/user/844");
    let answer = loyalty.world.request("GET", &path, &[("authorization", &upper)], "").await;
    assert_eq!(answer.0, 200, "{}", answer.2);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_work_until_they_expire_and_count_before_basic() {
    let loyalty = Loyalty::start().await;
    let client = json!({ "kind": "capillaryClient", "key": "kCap", "ttlSeconds": 120 });
    let secret = loyalty.world.credential(CHILD, client).await;
    let answer = token(&loyalty, &json!({ "key": "kCap", "secret": secret })).await;
    assert_eq!(answer.1["cache-control"], "no-store");
    let issued = json_of(200, &answer);
    assert_eq!((&issued["errors"], &issued["data"]["ttlSeconds"]), (&json!(null), &json!(120)));
    let access = issued["data"]["accessToken"].as_str().expect("a token");
    assert!(access.starts_with("c1."));

    let parent = basic(&till_of(PARENT));
    let path = format!("{BASE}/targetGroups/{CHILD_GROUP}?targetId={TARGET}");
    let both = [("x-cap-api-oauth-token", access), ("authorization", &parent)];
    let answer = loyalty.world.request("GET", &path, &both, "").await;
    assert_eq!(json_of(200, &answer)["data"]["targetGroupId"], json!(CHILD_GROUP));
    let wrong = [("x-cap-api-oauth-token", "c1.x"), ("authorization", &*parent)];
    is_unauthorized(&loyalty, &wrong).await;
    is_unauthorized(&loyalty, &[("authorization", &format!("Bearer {access}"))]).await;

    loyalty.world.clock.advance(119_999);
    assert_eq!(loyalty.world.request("GET", &path, &both, "").await.0, 200);
    loyalty.world.clock.advance(1);
    is_unauthorized(&loyalty, &both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_only_for_those_who_know_the_secret() {
    let loyalty = Loyalty::start().await;
    let client = json!({ "kind": "capillaryClient", "key": "kCap" });
    let secret = loyalty.world.credential(PARENT, client).await;
    let answer = token(&loyalty, &json!({ "key": "kCap", "secret": secret, "x": 1 })).await;
    assert_eq!(json_of(200, &answer)["data"]["ttlSeconds"], json!(300));
    for (key, secret) in [("kCap", "x"), ("kcap", &*secret), ("", ""), ("till.60412", "password")] {
        let answer = token(&loyalty, &json!({ "key": key, "secret": secret })).await;
        assert_eq!(error_of(&json_of(401, &answer)).0, 401, "{key}");
        assert_eq!(answer.1["www-authenticate"], "Basic realm=\"leaderboards\"");
    }
    for bad in [
        json!(null),
        json!([]),
        json!(["kCap", secret]),
        json!({ "key": "kCap" }),
        json!({ "key": 1, "secret": secret }),
        json!("x"),
    ] {
        let answer = token(&loyalty, &bad).await;
        assert_eq!(error_of(&json_of(400, &answer)).0, 400, "{bad}");
    }
    let empty = loyalty.world.request("POST", "/v3/oauth/token/generate", &[], "").await;
    assert_eq!(error_of(&json_of(400, &empty)).0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn children_without_leaderboards_are_left_out_of_a_user_s_list() {
    let loyalty = Loyalty::start().await;
    loyalty
        .world
        .activities(json!([crate::world::steps(OFF_CHILD, 844, "2026-02-11T03:35:31Z", 5)]))
        .await;
    let headers = [("data-scope", "ALL")];
    let answer = json_of(200, &loyalty.get(PARENT, "/user/844", &headers, "").await);
    let ranks = answer["data"]["userRanks"].as_array().expect("ranks");
    let orgs: Vec<_> = ranks.iter().map(|place| place["orgId"].as_u64().unwrap()).collect();
    assert_eq!(orgs, [PARENT, CHILD, SIBLING]);
}
