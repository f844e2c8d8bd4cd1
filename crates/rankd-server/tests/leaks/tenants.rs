//! Three trees of three organisations and one that is alone, with marks in everything that they
//! have, and credentials of every kind for each. Some numbers are the same in all trees.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::canary::{Index, data, identifier, personal, user_number, value};
use crate::org_support::{NOW_MS, World, activity};

/// Users of each organisation with numbers of their own.
pub(crate) const USERS: u64 = 4;
/// A user and a group that there is in every tree under the same number.
pub(crate) const SHARED_USER: u64 = 1;
pub(crate) const SHARED_GROUP: u64 = 1;
pub(crate) const TARGET: u64 = 11;
pub(crate) const PERIOD: u64 = 12;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const MD5_OF_PASSWORD: &str = "5f4dcc3b5aa765d61d8327deb882cf99";

/// One organisation, and what its people know.
#[derive(Debug)]
pub(crate) struct Org {
    pub(crate) index: Index,
    pub(crate) id: u64,
    pub(crate) parent: Option<Index>,
    pub(crate) group: u64,
    /// Numbers of all its credentials.
    pub(crate) credentials: Vec<u64>,
    pub(crate) wintro: String,
    pub(crate) keepnet: String,
    /// The `Authorization` header of its till.
    pub(crate) till: String,
    pub(crate) capillary: String,
    pub(crate) api_key: String,
}

/// Everything that there is.
pub(crate) struct Tenants {
    pub(crate) world: World,
    pub(crate) orgs: Vec<Org>,
}

/// Parents: roots are 0, 3, 6 and 9; 8 is below 7.
const PARENTS: [Option<Index>; 10] =
    [None, Some(0), Some(0), None, Some(3), Some(3), None, Some(6), Some(7), None];

impl Tenants {
    pub(crate) async fn start() -> Self {
        let world = World::start(NOW_MS);
        let mut orgs = Vec::new();
        for (index, parent) in PARENTS.into_iter().enumerate() {
            orgs.push(put_org(&world, index, parent).await);
        }
        Self { world, orgs }
    }

    pub(crate) fn root(&self, org: Index) -> Index {
        self.orgs[org].parent.map_or(org, |parent| self.root(parent))
    }

    pub(crate) fn is_within(&self, org: Index, ancestor: Index) -> bool {
        org == ancestor
            || self.orgs[org].parent.is_some_and(|parent| self.is_within(parent, ancestor))
    }

    /// The organisation and all below.
    pub(crate) fn within(&self, ancestor: Index) -> Vec<Index> {
        (0..self.orgs.len()).filter(|org| self.is_within(*org, ancestor)).collect()
    }

    /// All of its tree.
    pub(crate) fn tree(&self, org: Index) -> Vec<Index> {
        self.within(self.root(org))
    }
}

/// Number of an organisation.
pub(crate) fn org_id(index: Index) -> u64 {
    61_000 + index as u64
}

/// Number of an organisation's own group.
pub(crate) fn group_id(index: Index) -> u64 {
    2_000 + index as u64
}

async fn put_org(world: &World, index: Index, parent: Option<Index>) -> Org {
    let id = org_id(index);
    let spec = json!({
        "parent": parent.map(org_id),
        "resourceId": identifier(index, "org"),
        "name": data(index, "organisation"),
        "timeZone": "Asia/Kolkata",
        "enrichmentFields": ["tier"],
        "licence": { "industryName": data(index, "industry"), "typeName": data(index, "type"),
                     "tags": [data(index, "tag")] },
    });
    world.put_org(id, spec).await;
    let mut activities = Vec::new();
    for user in 1..=USERS {
        let number = user_number(index, user);
        let resource_id = identifier(index, &format!("u{user}"));
        world.put_named_user(id, number, &resource_id, profile(index)).await;
        activities.extend(what_was_done(index, number, user));
    }
    put_group(world, index, group_id(index)).await;
    if parent.is_none() {
        let resource_id = identifier(index, "shared");
        world.put_named_user(id, SHARED_USER, &resource_id, profile(index)).await;
        activities.extend(what_was_done(index, SHARED_USER, USERS + 1));
        put_group(world, index, SHARED_GROUP).await;
    }
    world.activities(json!(activities)).await;
    with_credentials(world, index, parent).await
}

fn profile(index: Index) -> Value {
    json!({
        "firstName": personal(index, "first"), "lastName": personal(index, "last"),
        "email": personal(index, "mail"), "phone": personal(index, "phone"),
        "department": personal(index, "department"), "tier": personal(index, "tier"),
        "preferredLanguage": personal(index, "language"),
        "profileUrl": personal(index, "url"), "profilePicture": personal(index, "picture"),
    })
}

/// What one user did: something for every surface.
fn what_was_done(index: Index, user: u64, what: u64) -> [Value; 3] {
    let done = |kind: &str, action: &str| {
        let id = identifier(index, &format!("{kind}{what}"));
        let ago = i64::try_from(what).expect("a small number") * DAY_MS;
        activity(&id, org_id(index), user, action, NOW_MS - ago)
    };
    let mut referral = done("w", "employee_refer");
    referral["attributes"] = json!({ "vacancyId": identifier(index, "v") });
    let mut reported = done("k", "Reported");
    reported["points"] = json!(value(index, what));
    reported["attributes"] = json!({
        "product": "PHISHING SIMULATOR", "difficulty": "Easy",
        "campaign": { "resourceId": identifier(index, "c"), "name": data(index, "campaign"),
                      "category": data(index, "category"), "result": data(index, "result") },
    });
    let mut steps = done("c", "steps");
    steps["value"] = json!(value(index, 100 + what));
    [referral, reported, steps]
}

async fn put_group(world: &World, index: Index, group: u64) {
    let match_steps = json!({ "actions": ["steps"] });
    let spec = json!({
        "name": data(index, "group"),
        "targets": [{ "id": TARGET, "name": data(index, "target"), "match": match_steps,
                      "aggregate": "sumValue" }],
        "periods": [{ "id": PERIOD, "refCode": data(index, "period"),
                      "start": NOW_MS - 30 * DAY_MS, "end": NOW_MS + 30 * DAY_MS }],
    });
    world.put_group(org_id(index), group, spec).await;
}

/// The organisation, with a credential of every kind.
async fn with_credentials(world: &World, index: Index, parent: Option<Index>) -> Org {
    let id = org_id(index);
    let name = |kind: &str| identifier(index, kind);
    let role = if parent.is_none() || index == 7 { "reseller" } else { "companyAdmin" };
    let mut credentials = Vec::new();
    let mut made = Vec::new();
    for spec in [
        json!({ "kind": "wintroToken" }),
        json!({ "kind": "keepnetClient", "clientId": name("client"), "role": role }),
        json!({ "kind": "capillaryTill", "username": name("till"), "secret": "password" }),
        json!({ "kind": "capillaryClient", "key": name("key"), "ttlSeconds": 86_400 }),
        json!({ "kind": "apiKey" }),
    ] {
        let credential = world.credential_json(id, spec).await;
        credentials.push(credential["credential"].as_u64().expect("a number"));
        made.push(credential["secret"].as_str().expect("a secret").to_owned());
    }
    let till = format!("{}:{MD5_OF_PASSWORD}", name("till"));
    let [wintro, keepnet_secret, _, capillary_secret, api_key] =
        <[String; 5]>::try_from(made).expect("five were made");
    Org {
        index,
        id,
        parent,
        group: group_id(index),
        credentials,
        wintro,
        keepnet: keepnet_token(world, &name("client"), &keepnet_secret).await,
        till: format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(till)),
        capillary: capillary_token(world, &name("key"), &capillary_secret).await,
        api_key,
    }
}

async fn keepnet_token(world: &World, client: &str, secret: &str) -> String {
    let form = format!(
        "grant_type=client_credentials&client_id={client}&client_secret={secret}&scope=api1"
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let (status, _, text) = world.request("POST", "/connect/token", &headers, &form).await;
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    answer["access_token"].as_str().expect("a token").to_owned()
}

async fn capillary_token(world: &World, key: &str, secret: &str) -> String {
    let body = json!({ "key": key, "secret": secret }).to_string();
    let (status, _, text) = world.request("POST", "/v3/oauth/token/generate", &[], &body).await;
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    answer["data"]["accessToken"].as_str().expect("a token").to_owned()
}
