//! Tokens, roles, companies, and the way a request is taken apart before its meaning.

use serde_json::{Value, json};

use super::*;

/// A reseller, two companies of which one belongs to another tree, and an admin of the first.
struct Roles {
    harbor: Harbor,
    admin: String,
}

impl Roles {
    async fn start() -> Self {
        let harbor = Harbor::start().await;
        let world = &harbor.world;
        let other = json!({ "name": "Elsewhere", "resourceId": "elsewhere1" });
        world.put_org(9, other).await;
        let sister = json!({ "name": "Sister", "parent": RESELLER, "resourceId": "sister1" });
        world.put_org(43, sister).await;
        let admin = token(world, ORG, "companyAdmin", ["northwind", "its-own-secret"]).await;
        Self { harbor, admin }
    }

    /// The status of a request with the reseller's or the admin's token.
    async fn status(&self, admin: bool, path: &str, headers: &[(&str, &str)]) -> u16 {
        let token = if admin { &self.admin } else { &self.harbor.token };
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", &*bearer), ("content-type", "application/json")];
        all.extend(headers);
        let body = r#"{"pageNumber":1,"pageSize":9,"orderBy":"CreateTime","ascending":true}"#;
        let answer = self.harbor.world.request("POST", path, &all, body).await;
        match answer.0 {
            400 => assert!(!input_problems(&answer).is_empty()),
            403 => assert!(!assert_refused(&answer, 403, "FORBIDDEN").is_empty()),
            404 => assert!(!assert_refused(&answer, 404, "NOT_FOUND").is_empty()),
            status => assert_eq!(status, 200, "{}", answer.2),
        }
        answer.0
    }
}

#[tokio::test]
async fn case_10_tokens_are_handed_out_and_expire() {
    let harbor = Harbor::start().await;
    let (status, headers, text) = connect(&harbor.world, &form(CLIENT)).await;
    assert_eq!((status, &headers["cache-control"]), (200, &"no-store".parse().unwrap()));
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    let granted: Value = serde_json::from_str(&text).unwrap();
    let token = granted["access_token"].as_str().unwrap();
    assert!(token.starts_with("k1."));
    assert_eq!(
        text,
        format!(
            "{{\"access_token\":\"{token}\",\"expires_in\":3600,\"token_type\":\"Bearer\",\
             \"scope\":\"api1\",\"permissions\":[\"companies/search|POST\",\
             \"leaderboard/get-all|POST\",\"leaderboard/get-top-performers|POST\",\
             \"leaderboard/user-performance|POST\",\"leaderboard/get-user-timeline|POST\"]}}"
        )
    );
    harbor.data(ALL, json!({})).await;
    harbor.world.clock.set(NOW_MS + 3_599_999);
    harbor.data(ALL, json!({})).await;
    harbor.world.clock.set(NOW_MS + 3_601_000);
    let answer = harbor.post_text(ALL, &json!({})).await;
    assert_eq!(assert_refused(&answer, 401, "UNAUTHORIZED"), "Missing or invalid token");
    assert_eq!(answer.1["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn case_10_bad_token_requests_have_their_words() {
    let harbor = Harbor::start().await;
    let good = form(CLIENT);
    let form_type = "application/x-www-form-urlencoded";
    let json_body = json!({ "grant_type": "client_credentials", "client_id": CLIENT[0],
        "client_secret": CLIENT[1], "scope": "api1" });
    for (media_type, body, word) in [
        ("application/json", json_body.to_string(), "invalid_request"),
        (form_type, String::new(), "invalid_request"),
        (form_type, good.replace("&scope=api1", ""), "invalid_request"),
        (form_type, good.replace("scope=api1", "scope="), "invalid_request"),
        (form_type, good.replace("client_id=harbor&", ""), "invalid_request"),
        (form_type, format!("{good}&scope=api1"), "invalid_request"),
        (form_type, good.replace("client_credentials", "password"), "unsupported_grant_type"),
        (form_type, good.replace("api1", "api2"), "invalid_scope"),
        (form_type, good.replace("a-secret", "no-secret"), "invalid_client"),
        (form_type, good.replace("id=harbor", "id=nobody"), "invalid_client"),
    ] {
        let headers = [("content-type", media_type)];
        let answer = harbor.world.request("POST", "/connect/token", &headers, &body).await;
        let (status, headers, text) = answer;
        assert_eq!((status, &*text), (400, &*format!("{{\"error\":\"{word}\"}}")), "{body}");
        assert_eq!(headers["cache-control"], "no-store");
    }
    let (status, _, text) = harbor.world.request("POST", "/connect/token", &[], &good).await;
    assert_eq!((status, &*text), (400, "{\"error\":\"invalid_request\"}"));
}

#[tokio::test]
async fn case_10_revoked_clients_and_foreign_tokens_are_refused() {
    let harbor = Harbor::start().await;
    let spec = json!({ "kind": "keepnetClient", "role": "reseller", "clientId": "b",
        "secret": "second" });
    let made = harbor.world.credential_json(RESELLER, spec).await;
    let (_, _, text) = connect(&harbor.world, &form(["b", "second"])).await;
    let granted: Value = serde_json::from_str(&text).unwrap();
    let till = json!({ "kind": "capillaryClient", "key": "till", "secret": "third" });
    harbor.world.credential(RESELLER, till).await;
    let forged = harbor.token.replace("k1.", "c1.");
    let path = format!("/v1/orgs/{RESELLER}/credentials/{}", made["credential"]);
    assert_eq!(harbor.world.operator("DELETE", &path, "").await.0, 204);
    for token in [granted["access_token"].as_str().unwrap(), &forged, "k1.", "", "till"] {
        let bearer = format!("Bearer {token}");
        let answer = harbor.world.request("POST", ALL, &[("authorization", &bearer)], "{}").await;
        assert_refused(&answer, 401, "UNAUTHORIZED");
    }
    for client in [["b", "second"], ["till", "third"]] {
        let (status, _, text) = connect(&harbor.world, &form(client)).await;
        assert_eq!((status, &*text), (400, "{\"error\":\"invalid_client\"}"));
    }
    assert_refused(&harbor.world.request("POST", ALL, &[], "{}").await, 401, "UNAUTHORIZED");
    let form_details = "/api/leaderboard/form-details";
    assert_eq!(harbor.world.request("GET", form_details, &[], "").await.0, 401);
}

#[tokio::test]
async fn case_11_company_admins_see_their_own_company() {
    let roles = Roles::start().await;
    const HEADER: &str = "X-KEEPNET-Company-Id";
    assert_eq!(roles.status(true, COMPANIES, &[]).await, 403);
    for path in [TOP, ALL, PERFORMANCE, TIMELINE] {
        assert_eq!(roles.status(true, path, &[]).await, 200);
        assert_eq!(roles.status(true, path, &[(HEADER, COMPANY_ID)]).await, 200);
        assert_eq!(roles.status(true, path, &[(HEADER, "sister1")]).await, 403);
        assert_eq!(roles.status(true, path, &[(HEADER, "nowhere")]).await, 403);
        assert_eq!(roles.status(true, path, &[(HEADER, "!!")]).await, 400);
    }
    let (_, _, text) = connect(&roles.harbor.world, &form(["northwind", "its-own-secret"])).await;
    assert!(!text.contains("companies/search"), "{text}");
}

#[tokio::test]
async fn case_11_resellers_name_a_company_that_they_manage() {
    let roles = Roles::start().await;
    const HEADER: &str = "X-KEEPNET-Company-Id";
    assert_eq!(roles.status(false, COMPANIES, &[]).await, 200);
    assert_eq!(roles.status(false, COMPANIES, &[(HEADER, "!!")]).await, 200);
    let own = format!("org{RESELLER}");
    for path in [TOP, ALL, PERFORMANCE, TIMELINE] {
        for (headers, status) in [
            (&[][..], 400),
            (&[(HEADER, "!!")], 400),
            (&[(HEADER, "")], 400),
            (&[(HEADER, "unknown1")], 404),
            (&[(HEADER, "elsewhere1")], 403),
            (&[(HEADER, &*own)], 403),
            (&[(HEADER, "sister1")], 200),
            (&[("x-ir-company-id", COMPANY_ID)], 200),
            (&[("x-ir-company-id", "elsewhere1"), (HEADER, COMPANY_ID)], 200),
        ] {
            assert_eq!(roles.status(false, path, headers).await, status, "{path} {headers:?}");
        }
    }
    let other = [("x-ir-company-id", "elsewhere1")];
    let named = format!("{ALL}?companyId=unknown1&x=1&companyId={COMPANY_ID}");
    assert_eq!(roles.status(false, &named, &other).await, 200);
    let both = format!("{ALL}?companyId={COMPANY_ID}");
    assert_eq!(roles.status(false, &both, &[(HEADER, "elsewhere1")]).await, 403);
}

#[tokio::test]
async fn case_12_companies_search_names_what_is_missing_and_finds_ids() {
    let harbor = Harbor::start().await;
    let body = json!({ "pageNumber": 1, "pageSize": 10, "ascending": false });
    assert_eq!(harbor.problems(COMPANIES, &body).await, ["orderBy is required"]);
    let body = json!({ "PageNumber": 1, "PAGESIZE": 10, "orderby": "createtime",
        "Ascending": false, "isTargetUserCountExceededLimit": null });
    let data = harbor.data(COMPANIES, body).await;
    let company = &data["results"][0];
    assert_eq!(company["resourceId"], company["companyResourceId"]);
    assert_eq!(company["resourceId"], COMPANY_ID);
    assert_eq!(company["resellerName"], "Harbor MSSP");
    harbor.data(ALL, json!({})).await;
}

#[tokio::test]
async fn companies_are_filtered_sorted_and_paged() {
    let harbor = Harbor::start().await;
    for (org, name, users_max) in [(50, "Aspen Dental", 1), (51, "Birch", 0), (52, "Cedar", 9)] {
        harbor.world.clock.advance(1000);
        let licence = json!({ "isUsersLimited": users_max > 0, "usersMax": users_max });
        let spec = json!({ "name": name, "parent": RESELLER, "resourceId": format!("c{org}"),
            "licence": licence });
        harbor.world.put_org(org, spec).await;
        for user in 0..2 {
            harbor.world.put_user(org, org * 10 + user, json!({})).await;
        }
    }
    // A company below a company is managed too; its reseller is the one above it.
    let spec = json!({ "name": "Dune", "parent": 52, "resourceId": "c53" });
    harbor.world.put_org(53, spec).await;
    let search = async |more: Value| {
        let mut body =
            json!({ "pageNumber": 1, "pageSize": 10, "orderBy": "CompanyName", "ascending": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        harbor.data(COMPANIES, body).await
    };
    let names = |data: &Value| column(data, "companyName");
    let all = search(json!({})).await;
    assert_eq!(names(&all), ["Aspen Dental", "Birch", "Cedar", "Dune", "Northwind Dental"]);
    assert_eq!(all["limitExceededCompanyCount"], 1);
    assert_eq!(all["results"][3]["resellerName"], "Cedar");
    let newest = search(json!({ "orderBy": "CreateTime", "ascending": false })).await;
    assert_eq!(names(&newest), ["Cedar", "Dune", "Birch", "Aspen Dental", "Northwind Dental"]);
    let dental = search(json!({ "filter": { "SearchInputTextValue": "DENTAL" } })).await;
    assert_eq!(names(&dental), ["Aspen Dental", "Northwind Dental"]);
    let exceeded = search(json!({ "isTargetUserCountExceededLimit": true })).await;
    assert_eq!(names(&exceeded), ["Aspen Dental"]);
    let page = search(json!({ "pageNumber": 2, "pageSize": 3 })).await;
    assert_eq!(names(&page), ["Dune", "Northwind Dental"]);
    assert_eq!(
        (&page["totalNumberOfPages"], &page["totalNumberOfRecords"]),
        (&json!(2), &json!(5))
    );
    let past = search(json!({ "pageNumber": 3, "pageSize": 3 })).await;
    assert_eq!((names(&past).len(), &past["pageNumber"]), (0, &json!(3)));
}

#[tokio::test]
async fn clients_with_a_limit_are_told_to_wait() {
    let harbor = Harbor::start().await;
    let spec = json!({ "kind": "keepnetClient", "role": "companyAdmin", "clientId": "slow",
        "secret": "slowly", "requestsPerMinute": 2 });
    harbor.world.credential(ORG, spec).await;
    let (_, _, text) = connect(&harbor.world, &form(["slow", "slowly"])).await;
    let granted: Value = serde_json::from_str(&text).unwrap();
    let bearer = format!("Bearer {}", granted["access_token"].as_str().unwrap());
    let ask = async || {
        let headers = [("authorization", &*bearer)];
        harbor.world.request("POST", ALL, &headers, "{}").await
    };
    assert_eq!((ask().await.0, ask().await.0), (200, 200));
    harbor.world.clock.advance(1000);
    let answer = ask().await;
    assert_refused(&answer, 429, "TOO_MANY_REQUESTS");
    assert_eq!(answer.1["retry-after"], "59");
    harbor.data(ALL, json!({})).await;
    harbor.world.clock.advance(59_000);
    assert_eq!(ask().await.0, 200);
}
