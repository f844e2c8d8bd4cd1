//! The Keepnet API over real HTTP: the conformance cases of its contract, its samples, windows in
//! company time, and what its clients can get wrong.
//!
//! Method: every world is built through `/v1`; expected answers are written out by hand, or follow
//! from a recount of the activities in the test.

#[path = "../org_support/mod.rs"]
mod org_support;

mod bad_input;
mod boards;
mod cases;
mod samples;
mod scope;
mod zones;

use hyper::header::HeaderMap;
use org_support::{NOW_MS, World, activity};
use serde_json::{Value, json};

/// The reseller above the company.
pub(crate) const RESELLER: u64 = 7;
/// The company of most tests.
pub(crate) const ORG: u64 = 42;
pub(crate) const COMPANY_ID: &str = "kQ7mZp2XrT9a";
pub(crate) const CLIENT: [&str; 2] = ["harbor", "a-secret-of-harbor"];
pub(crate) const HOUR_MS: i64 = 60 * 60 * 1000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

pub(crate) const TOP: &str = "/api/leaderboard/get-top-performers";
pub(crate) const ALL: &str = "/api/leaderboard/get-all";
pub(crate) const PERFORMANCE: &str = "/api/leaderboard/user-performance";
pub(crate) const TIMELINE: &str = "/api/leaderboard/get-user-timeline";
pub(crate) const COMPANIES: &str = "/api/companies/search";

/// A reseller with one company, and a token of the reseller.
pub(crate) struct Harbor {
    pub(crate) world: World,
    pub(crate) token: String,
}

impl Harbor {
    pub(crate) async fn start() -> Self {
        Self::start_in("UTC", NOW_MS).await
    }

    /// A company in this time zone, asked at `now_ms`.
    pub(crate) async fn start_in(time_zone: &str, now_ms: i64) -> Self {
        let world = World::start(now_ms);
        world.put_org(RESELLER, json!({ "name": "Harbor MSSP" })).await;
        let company = json!({ "name": "Northwind Dental", "parent": RESELLER,
            "resourceId": COMPANY_ID, "timeZone": time_zone });
        world.put_org(ORG, company).await;
        let token = token(&world, RESELLER, "reseller", CLIENT).await;
        Self { world, token }
    }

    /// Posts JSON with the reseller's token, for the company.
    pub(crate) async fn post_text(&self, path: &str, body: &Value) -> (u16, HeaderMap, String) {
        self.post_raw(path, &body.to_string()).await
    }

    pub(crate) async fn post_raw(&self, path: &str, body: &str) -> (u16, HeaderMap, String) {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", &*bearer),
            ("x-keepnet-company-id", COMPANY_ID),
            ("content-type", "application/json"),
        ];
        self.world.request("POST", path, &headers, body).await
    }

    /// The data of an answer, which must be there.
    pub(crate) async fn data(&self, path: &str, body: Value) -> Value {
        let (status, headers, text) = self.post_text(path, &body).await;
        assert_eq!(status, 200, "{path} {body}: {text}");
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
        let mut json: Value = serde_json::from_str(&text).expect("JSON");
        let data = json["data"].take();
        let rest = json!({ "data": null, "status": "SUCCESS", "message": null,
            "validationMessages": null });
        assert_eq!(json, rest);
        data
    }

    /// Asks for what must be refused as bad input: the problems.
    pub(crate) async fn problems(&self, path: &str, body: &Value) -> Vec<String> {
        input_problems(&self.post_text(path, body).await)
    }

    /// Reports activities as `(user, action, when, attributes, further fields)`.
    pub(crate) async fn report(&self, done: &[(u64, &str, i64, Value, Value)]) {
        let before = self.world.engine.orgs().org(rankd_orgs::OrgId(ORG)).expect("the company");
        let items =
            done.iter().enumerate().map(|(index, (user, action, at_ms, attributes, more))| {
                let id = format!("{}-{index}", before.activities);
                let mut item = activity(&id, ORG, *user, action, *at_ms);
                item["attributes"] = attributes.clone();
                for (name, value) in more.as_object().into_iter().flatten() {
                    item[name] = value.clone();
                }
                item
            });
        let report = self.world.activities(items.collect()).await;
        assert_eq!(report["accepted"], done.len(), "{report}");
    }

    /// Reports one activity of this many points, of as many possible.
    pub(crate) async fn points(&self, user: u64, at_ms: i64, points: i64, possible: i64) {
        let attributes = json!({ "product": "PHISHING SIMULATOR" });
        let more = json!({ "points": points, "possible": possible });
        self.report(&[(user, "Reported", at_ms, attributes, more)]).await;
    }

    /// Puts a user whose text identifier is `u` and the id.
    pub(crate) async fn person(&self, user: u64, first: &str, last: &str) {
        let email = format!("{}@nw.example", first.to_lowercase());
        let profile = json!({ "firstName": first, "lastName": last, "email": email });
        self.world.put_named_user(ORG, user, &format!("u{user}"), profile).await;
    }
}

/// Makes a client, and gets a token for it.
pub(crate) async fn token(world: &World, org: u64, role: &str, client: [&str; 2]) -> String {
    let [id, secret] = client;
    let spec = json!({ "kind": "keepnetClient", "role": role, "clientId": id, "secret": secret });
    world.credential(org, spec).await;
    let (status, _, text) = connect(world, &form(client)).await;
    assert_eq!(status, 200, "{text}");
    let granted: Value = serde_json::from_str(&text).expect("JSON");
    granted["access_token"].as_str().expect("a token").to_owned()
}

/// A good token request.
pub(crate) fn form([id, secret]: [&str; 2]) -> String {
    format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=api1")
}

pub(crate) async fn connect(world: &World, form: &str) -> (u16, HeaderMap, String) {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    world.request("POST", "/connect/token", &headers, form).await
}

/// The problems of an answer 400.
#[track_caller]
pub(crate) fn input_problems((status, _, text): &(u16, HeaderMap, String)) -> Vec<String> {
    assert_eq!(*status, 400, "{text}");
    let json: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(json["status"], "INPUT_ERROR");
    assert_eq!((&json["data"], &json["message"]), (&json!(null), &json!("Invalid request")));
    serde_json::from_value(json["validationMessages"].clone()).expect("a list of texts")
}

/// Checks an answer that has a message and no list of problems.
#[track_caller]
pub(crate) fn assert_refused(answer: &(u16, HeaderMap, String), status: u16, word: &str) -> String {
    let (got, _, text) = answer;
    let json: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!((*got, &json["status"]), (status, &json!(word)), "{text}");
    assert_eq!((&json["data"], &json["validationMessages"]), (&json!(null), &json!(null)));
    json["message"].as_str().expect("a message").to_owned()
}

/// One column of the results of a page.
pub(crate) fn column(data: &Value, name: &str) -> Vec<Value> {
    let results = data["results"].as_array().expect("results");
    results.iter().map(|row| row[name].clone()).collect()
}

/// Users of a board as `(user, rank, points)`, best first.
pub(crate) fn standings(data: &Value) -> Vec<(String, u64, i64)> {
    let results = data["results"].as_array().expect("results");
    let row = |row: &Value| {
        let user = row["targetUserResourceId"].as_str().expect("a text").to_owned();
        (user, row["rank"].as_u64().expect("a rank"), row["points"].as_i64().expect("points"))
    };
    results.iter().map(row).collect()
}
