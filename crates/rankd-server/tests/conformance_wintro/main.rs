//! The Wintro API over real HTTP: the conformance cases of its contract, its published samples, and
//! what else its clients can get wrong.
//!
//! Method: every world is built through `/v1`; expected answers are written out by hand, and the
//! samples are the published ones.

#[path = "../org_support/mod.rs"]
mod org_support;

mod cases;
mod samples;

use hyper::header::HeaderMap;
use org_support::{NOW_MS, World, activity};
use serde_json::{Value, json};

/// The company of most tests.
pub(crate) const ORG: u64 = 310;
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;
pub(crate) const REFER: &str = "employee_refer";
pub(crate) const RECOMMEND: &str = "employee_recommend";

/// A company, and a token that may read its leaderboard.
pub(crate) struct Company {
    pub(crate) world: World,
    pub(crate) token: String,
}

impl Company {
    pub(crate) async fn start() -> Self {
        let world = World::start(NOW_MS);
        world.put_org(ORG, json!({})).await;
        let token = world.credential(ORG, json!({ "kind": "wintroToken" })).await;
        Self { world, token }
    }

    /// Asks for the leaderboard.
    pub(crate) async fn get(&self, query: &str) -> (u16, HeaderMap, Value) {
        let (status, headers, text) = self.get_text(query).await;
        let json = serde_json::from_str(&text).expect("JSON");
        (status, headers, json)
    }

    pub(crate) async fn get_text(&self, query: &str) -> (u16, HeaderMap, String) {
        let bearer = format!("Bearer {}", self.token);
        let path = format!("/api/v1/leaderboard{query}");
        self.world.request("GET", &path, &[("authorization", &bearer)], "").await
    }

    /// Asks for the leaderboard, which must be there.
    pub(crate) async fn board(&self, query: &str) -> Value {
        let (status, headers, json) = self.get(query).await;
        assert_eq!(status, 200, "{json}");
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
        json
    }

    /// Asks for what must be refused.
    pub(crate) async fn refused(&self, query: &str, status: u16, code: &str) -> String {
        let (got, _, json) = self.get(query).await;
        assert_eq!((got, &json["error"]["code"]), (status, &json!(code)), "{query}: {json}");
        json["error"]["message"].as_str().expect("a message").to_owned()
    }

    /// Reports activities as `(user, action, when, vacancy)`; a blank vacancy is none.
    pub(crate) async fn report(&self, done: &[(u64, &str, i64, &str)]) {
        let before = self.world.engine.orgs().org(rankd_orgs::OrgId(ORG)).expect("the company");
        let items = done.iter().enumerate().map(|(index, (user, action, at_ms, vacancy))| {
            let id = format!("{}-{index}", before.activities);
            let mut item = activity(&id, ORG, *user, action, *at_ms);
            if !vacancy.is_empty() {
                item["attributes"] = json!({ "vacancyId": vacancy });
            }
            item
        });
        let report = self.world.activities(items.collect()).await;
        assert_eq!(report["accepted"], done.len(), "{report}");
    }
}

/// The user ids of a list of entries.
pub(crate) fn ids(entries: &Value) -> Vec<u64> {
    let entries = entries.as_array().expect("a list");
    entries.iter().map(|entry| entry["userId"].as_u64().expect("an id")).collect()
}
