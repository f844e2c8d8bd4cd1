//! A loyalty programme: a parent, two children, and a stranger; groups in every state.

use serde_json::{Value, json};

use crate::org_support::{NOW_MS, Response, World, activity, ms};

/// The parent, in Asia/Kolkata, with the group [`STEPS`].
pub(crate) const PARENT: u64 = 60_412;
/// A child, in Europe/Istanbul, with the group [`CHILD_GROUP`].
pub(crate) const CHILD: u64 = 60_413;
/// Another child, without leaderboards, with the group [`OFF_GROUP`].
pub(crate) const OFF_CHILD: u64 = 60_414;
/// A third child, with the group [`SIBLING_GROUP`].
pub(crate) const SIBLING: u64 = 60_415;
/// The root of another tree, with the group [`STRANGE_GROUP`].
pub(crate) const STRANGER: u64 = 70_001;
/// An organisation of its own without leaderboards.
pub(crate) const LONE_OFF: u64 = 70_002;

pub(crate) const STEPS: u64 = 871;
pub(crate) const NO_LEADERBOARD: u64 = 872;
pub(crate) const INACTIVE: u64 = 873;
pub(crate) const PAST: u64 = 874;
pub(crate) const CHILD_GROUP: u64 = 901;
pub(crate) const OFF_GROUP: u64 = 902;
pub(crate) const SIBLING_GROUP: u64 = 903;
pub(crate) const STRANGE_GROUP: u64 = 990;

pub(crate) const TARGET: u64 = 5_120;
/// Counts visits.
pub(crate) const VISITS: u64 = 5_121;
pub(crate) const INACTIVE_TARGET: u64 = 5_122;
/// From January to March 2026: current at [`NOW_MS`].
pub(crate) const CYCLE: u64 = 3_307;
pub(crate) const PAST_CYCLE: u64 = 3_306;
pub(crate) const INACTIVE_CYCLE: u64 = 3_308;

/// Users by rank on [`STEPS`], [`TARGET`], [`CYCLE`]: the first three have 21 000 each.
pub(crate) const RANKED: [u64; 7] = [844, 2_324, 3_386, 17, 16, 15, 14];

pub(crate) const BASE: &str = "/api_gateway/intouch-api-v3/v3.1/leaderboards";

/// A server with the programme, and its credentials.
pub(crate) struct Loyalty {
    pub(crate) world: World,
}

/// A till's `Authorization` header: the MD5 of the password is that of `password`.
pub(crate) fn basic(till: &str) -> String {
    use base64::Engine as _;
    let plain = format!("{till}:5f4dcc3b5aa765d61d8327deb882cf99");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(plain))
}

/// The name of an organisation's till.
pub(crate) fn till_of(org: u64) -> String {
    format!("till.{org}")
}

pub(crate) fn period(id: u64, ref_code: &str, active: bool, start: &str, end: &str) -> Value {
    let (start, end) = (ms(start), ms(end));
    json!({ "id": id, "refCode": ref_code, "active": active, "start": start, "end": end })
}

pub(crate) fn target(id: u64, name: &str, active: bool, action: &str, aggregate: &str) -> Value {
    json!({ "id": id, "name": name, "active": active, "match": { "actions": [action] },
            "aggregate": aggregate })
}

pub(crate) fn current_cycle() -> Value {
    period(CYCLE, "cycle_3", true, "2026-01-01T00:00:00Z", "2026-03-31T23:59:59.999Z")
}

fn past_cycle() -> Value {
    period(PAST_CYCLE, "cycle_2", true, "2025-10-01T00:00:00Z", "2025-12-31T23:59:59.999Z")
}

/// A group with the targets and periods of [`STEPS`].
fn group(name: &str) -> Value {
    json!({
        "name": name, "active": true, "leaderboardEnabled": true,
        "targets": [
            target(TARGET, "most steps", true, "steps", "sumValue"),
            target(VISITS, "most visits", true, "visit", "count"),
            target(INACTIVE_TARGET, "old", false, "steps", "sumValue"),
        ],
        "periods": [
            past_cycle(),
            current_cycle(),
            period(INACTIVE_CYCLE, "off", false, "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"),
        ],
    })
}

/// An activity whose identifier follows from who, when and what.
pub(crate) fn steps(org: u64, user: u64, at: &str, value: i64) -> Value {
    let mut steps = activity(&format!("{org}-{user}-{at}-{value}"), org, user, "steps", ms(at));
    steps["value"] = json!(value);
    steps
}

impl Loyalty {
    /// The programme, with users, groups and activities.
    pub(crate) async fn start() -> Self {
        let loyalty = Self { world: World::start(NOW_MS) };
        loyalty.put_orgs().await;
        loyalty.put_groups().await;
        loyalty.put_activities().await;
        loyalty
    }

    async fn put_orgs(&self) {
        let orgs: [(u64, Option<u64>, &str, bool); 6] = [
            (PARENT, None, "Asia/Kolkata", true),
            (CHILD, Some(PARENT), "Europe/Istanbul", true),
            (OFF_CHILD, Some(PARENT), "UTC", false),
            (SIBLING, Some(PARENT), "UTC", true),
            (STRANGER, None, "UTC", true),
            (LONE_OFF, None, "UTC", false),
        ];
        for (org, parent, zone, enabled) in orgs {
            let spec = json!({
                "parent": parent, "timeZone": zone, "leaderboardsEnabled": enabled,
                "enrichmentFields": ["birthday", "gender", "anniversary"],
            });
            self.world.put_org(org, spec).await;
            self.put_till(org).await;
        }
    }

    async fn put_till(&self, org: u64) {
        let till = json!({ "kind": "capillaryTill", "username": till_of(org),
                           "secret": "password" });
        self.world.credential(org, till).await;
    }

    async fn put_groups(&self) {
        let world = &self.world;
        world.put_group(PARENT, STEPS, group("Spring steps")).await;
        let mut off = group("No leaderboard");
        off["leaderboardEnabled"] = json!(false);
        world.put_group(PARENT, NO_LEADERBOARD, off).await;
        let mut inactive = group("Inactive");
        inactive["active"] = json!(false);
        world.put_group(PARENT, INACTIVE, inactive).await;
        let mut past = group("Past");
        past["periods"] = json!([past_cycle()]);
        world.put_group(PARENT, PAST, past).await;
        world.put_group(CHILD, CHILD_GROUP, group("Of the child")).await;
        world.put_group(OFF_CHILD, OFF_GROUP, group("Off")).await;
        world.put_group(SIBLING, SIBLING_GROUP, group("Of the sibling")).await;
        world.put_group(STRANGER, STRANGE_GROUP, group("Of the stranger")).await;
    }

    async fn put_activities(&self) {
        let profile = json!({ "firstName": "Asha", "lastName": "Rao", "phone": "910000000301",
                              "email": "asha@mail.example", "gender": "Female" });
        self.world.put_user(PARENT, RANKED[0], profile).await;
        let activities = json!([
            steps(PARENT, 3_386, "2026-02-13T13:48:28Z", 21_000),
            steps(PARENT, 844, "2026-02-11T03:35:31Z", 21_000),
            steps(PARENT, 2_324, "2026-02-12T00:14:48Z", 21_000),
            steps(PARENT, 14, "2026-02-01T00:00:00Z", 100),
            steps(PARENT, 15, "2026-02-01T00:00:00Z", 200),
            steps(PARENT, 16, "2026-02-01T00:00:00Z", 300),
            steps(PARENT, 17, "2026-02-01T00:00:00Z", 400),
            steps(PARENT, 844, "2025-11-11T11:11:11Z", 7),
            steps(CHILD, 844, "2026-02-11T03:35:31Z", 55),
            steps(SIBLING, 844, "2026-02-11T03:35:31Z", 66),
            steps(STRANGER, 844, "2026-02-11T03:35:31Z", 77),
        ]);
        self.world.activities(activities).await;
    }

    /// A `GET` with an organisation's till, and headers.
    pub(crate) async fn get(
        &self,
        org: u64,
        below: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let authorization = basic(&till_of(org));
        let mut all = vec![("authorization", &*authorization)];
        all.extend_from_slice(headers);
        self.world.request("GET", &format!("{BASE}{below}"), &all, body).await
    }

    /// The JSON of a top-ranked call of the parent that must succeed; `query` follows `targetId`.
    pub(crate) async fn top(&self, query: &str) -> Value {
        let path = format!("/targetGroups/{STEPS}?targetId={TARGET}{query}");
        json_of(200, &self.get(PARENT, &path, &[], "").await)
    }

    /// The JSON of a call for a user's ranks that must succeed.
    pub(crate) async fn ranks(&self, user: u64, body: &Value) -> Value {
        let answer = self.get(PARENT, &format!("/user/{user}"), &[], &body.to_string()).await;
        json_of(200, &answer)
    }

    /// The code of a call that must fail with 400.
    pub(crate) async fn code(
        &self,
        org: u64,
        below: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u64, String) {
        let answer = self.get(org, below, headers, body).await;
        let failed = json_of(400, &answer);
        error_of(&failed)
    }
}

/// The JSON of an answer with this status.
#[track_caller]
pub(crate) fn json_of(status: u16, (actual, headers, text): &Response) -> Value {
    assert_eq!(*actual, status, "{text}");
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    serde_json::from_str(text).expect("JSON")
}

/// Code and message of the only error; there must be no data beside it.
#[track_caller]
pub(crate) fn error_of(failed: &Value) -> (u64, String) {
    assert_eq!(failed["data"], Value::Null);
    assert_eq!(failed["warnings"], json!([]));
    assert!(failed.get("pagination").is_none(), "{failed}");
    let errors = failed["errors"].as_array().expect("errors");
    assert_eq!((errors.len(), &errors[0]["status"]), (1, &json!(false)), "{failed}");
    let message = errors[0]["message"].as_str().expect("a message");
    (errors[0]["code"].as_u64().expect("a code"), message.to_owned())
}

/// The messages of the warnings, whose codes must be `null`.
#[track_caller]
pub(crate) fn warnings_of(answer: &Value) -> Vec<&str> {
    let warnings = answer["warnings"].as_array().expect("warnings");
    assert!(warnings.iter().all(|w| w["code"].is_null() && w["status"] == json!(false)));
    warnings.iter().map(|warning| warning["message"].as_str().expect("a message")).collect()
}

/// Ranks and users of a top-ranked answer.
pub(crate) fn rankings_of(answer: &Value) -> Vec<(u64, u64)> {
    let rows = answer["data"]["rankings"].as_array().expect("rankings");
    let number = |row: &Value, name: &str| row[name].as_u64().expect("a number");
    rows.iter().map(|row| (number(row, "rank"), number(row, "userId"))).collect()
}
