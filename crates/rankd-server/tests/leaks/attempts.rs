//! Requests with a valid credential of one organisation, aimed at what others have.
//!
//! What each may bring back follows from the contract's rules, worked out here a second time from
//! the tree alone. Requests that would rightly change something of the caller's are not made, so
//! that after all of them the data must be what it was.

use serde_json::{Value, json};

use crate::canary::{Allowed, Index, identifier, user_number};
use crate::tenants::{
    Org, PERIOD, SHARED_GROUP, SHARED_USER, TARGET, Tenants, USERS, group_id, org_id,
};

/// The splitmix64 generator: the same numbers in every run.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.roll() % count as u64).expect("below a count")
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// A surface, or our own API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Door {
    Wintro,
    Keepnet,
    Capillary,
    Own,
}

/// One request, and what it may bring back.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) door: Door,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) allowed: Allowed,
}

impl Attempt {
    /// Everything that the server is sent, for the look-out.
    pub(crate) fn text(&self) -> String {
        format!("{} {:?} {}", self.path, self.headers, self.body)
    }
}

/// Draws attempts.
pub(crate) struct Attacker<'a> {
    pub(crate) tenants: &'a Tenants,
    pub(crate) dice: Dice,
}

impl Attacker<'_> {
    pub(crate) fn attempt(&mut self) -> Attempt {
        let caller = self.any_org();
        let mut attempt = match self.dice.below(16) {
            0..3 => self.wintro(caller),
            3..8 => self.keepnet(caller),
            8..12 => self.capillary(caller),
            _ => self.own(caller),
        };
        if self.dice.below(20) == 0 {
            self.use_wrong_key(caller, &mut attempt);
        }
        attempt
    }

    /// The same request with a credential that is good at another door: nobody at this one.
    fn use_wrong_key(&mut self, caller: Index, attempt: &mut Attempt) {
        let org = &self.tenants.orgs[caller];
        let mut bearers = vec![
            (Door::Wintro, &org.wintro),
            (Door::Keepnet, &org.keepnet),
            (Door::Own, &org.api_key),
            (Door::Capillary, &org.capillary),
        ];
        bearers.retain(|(door, _)| *door != attempt.door);
        let wrong = self.dice.of(&bearers).1;
        let is_key = |name: &str| matches!(name, "authorization" | "x-cap-api-oauth-token");
        attempt.headers.retain(|(name, _)| !is_key(name));
        attempt.headers.push(("authorization", format!("Bearer {wrong}")));
        attempt.headers.push(("x-cap-api-oauth-token", wrong.clone()));
        attempt.allowed = Allowed::default();
    }

    fn org(&self, index: Index) -> &Org {
        &self.tenants.orgs[index]
    }

    fn any_org(&mut self) -> Index {
        self.dice.below(self.tenants.orgs.len())
    }

    /// An organisation of another tree.
    fn stranger(&mut self, caller: Index) -> Index {
        let tree = self.tenants.root(caller);
        loop {
            let org = self.any_org();
            if self.tenants.root(org) != tree {
                return org;
            }
        }
    }

    /// Mostly another's, at times the caller's own: what is allowed must work, too.
    fn aim(&mut self, caller: Index) -> Index {
        match self.dice.below(8) {
            0 => caller,
            1..4 => *self.dice.of(&self.tenants.tree(caller)),
            _ => self.stranger(caller),
        }
    }

    fn user_number(&mut self, org: Index) -> u64 {
        match self.dice.below(6) {
            0 => SHARED_USER,
            _ => user_number(org, 1 + self.dice.roll() % USERS),
        }
    }

    fn user_text(&mut self, org: Index) -> String {
        match self.dice.below(6) {
            0 => identifier(org, "shared"),
            _ => identifier(org, &format!("u{}", 1 + self.dice.roll() % USERS)),
        }
    }

    fn group(&mut self, org: Index) -> u64 {
        if self.dice.below(5) == 0 { SHARED_GROUP } else { group_id(org) }
    }

    fn wintro(&mut self, caller: Index) -> Attempt {
        let aim = self.aim(caller);
        let vacancy = identifier(aim, "v");
        let query = *self.dice.of(&["", "?groupBy=month", "?pageSize=50", "?period=3650&page=1"]);
        let joint = if query.is_empty() { '?' } else { '&' };
        let path = match self.dice.below(3) {
            0 => format!("/api/v1/leaderboard{query}"),
            1 => format!("/api/v1/leaderboard{query}{joint}vacancyIds={vacancy}"),
            _ => format!(
                "/api/v1/leaderboard{query}{joint}orgId={}&companyId={}",
                org_id(aim),
                identifier(aim, "org")
            ),
        };
        Attempt {
            door: Door::Wintro,
            method: "GET",
            path,
            headers: vec![
                ("authorization", format!("Bearer {}", self.org(caller).wintro)),
                ("x-keepnet-company-id", identifier(aim, "org")),
                ("data-scope-org", org_id(aim).to_string()),
            ],
            body: String::new(),
            allowed: Allowed::all_of([caller]),
        }
    }

    fn keepnet(&mut self, caller: Index) -> Attempt {
        let aim = self.aim(caller);
        let company = identifier(aim, "org");
        let call = *self.dice.of(&[
            "companies/search",
            "leaderboard/get-top-performers",
            "leaderboard/get-all",
            "leaderboard/user-performance",
            "leaderboard/get-user-timeline",
            "leaderboard/get-all/export",
            "leaderboard/get-user-timeline/export",
        ]);
        let mut headers = vec![("authorization", format!("Bearer {}", self.org(caller).keepnet))];
        let mut path = format!("/api/{call}");
        match self.dice.below(5) {
            0 => {}
            1 => path.push_str(&format!("?companyId={company}")),
            2 => headers.push(("x-ir-company-id", company)),
            _ => headers.push(("x-keepnet-company-id", company)),
        }
        headers.push(("content-type", "application/json".to_owned()));
        let body = self.keepnet_body(call, aim);
        let allowed = Allowed::all_of(self.tenants.within(caller));
        Attempt { door: Door::Keepnet, method: "POST", path, headers, body, allowed }
    }

    fn keepnet_body(&mut self, call: &str, aim: Index) -> String {
        let mut body =
            json!({ "datePeriod": *self.dice.of(&["LastYear", "LastMonth", "ThisYear"]) });
        if call == "companies/search" {
            body = json!({ "pageNumber": 1, "pageSize": 1000, "orderBy": "CompanyName",
                           "ascending": true });
        }
        if call.contains("user") && self.dice.below(4) > 0 {
            body["targetUserResourceId"] = json!(self.user_text(aim));
        }
        if call.starts_with("leaderboard/get-all") && self.dice.below(3) == 0 {
            let item = json!({ "fieldName": "targetUserResourceId", "operator": "Equals",
                               "value": self.user_text(aim) });
            body["filter"] = json!({ "filterGroups": [{ "filterItems": [item] }] });
        }
        body["companyId"] = json!(identifier(aim, "org"));
        body.to_string()
    }

    fn capillary(&mut self, caller: Index) -> Attempt {
        let aim = self.aim(caller);
        let other = self.aim(caller);
        let scope = *self.dice.of(&["SELF", "OTHER", "OTHER", "ALL", ""]);
        let listed = match self.dice.below(3) {
            0 => vec![],
            1 => vec![aim],
            _ => vec![aim, other],
        };
        let mut headers = vec![];
        if self.dice.below(2) == 0 {
            headers.push(("authorization", self.org(caller).till.clone()));
        } else {
            headers.push(("x-cap-api-oauth-token", self.org(caller).capillary.clone()));
        }
        if !scope.is_empty() {
            headers.push(("data-scope", scope.to_owned()));
        }
        let ids: Vec<_> = listed.iter().map(|org| org_id(*org).to_string()).collect();
        headers.push(("data-scope-org", ids.join(",")));
        let (path, body) = self.capillary_question(aim, other);
        // Users belong to the tree, boards to those whom the scope shows.
        let users = self.tenants.tree(caller).into_iter().collect();
        let data = self.visible(caller, scope, &listed).into_iter().collect();
        let allowed = Allowed { data, users };
        Attempt { door: Door::Capillary, method: "GET", path, headers, body, allowed }
    }

    fn capillary_question(&mut self, aim: Index, other: Index) -> (String, String) {
        let base = "/api_gateway/intouch-api-v3/v3.1/leaderboards";
        let group = self.group(aim);
        if self.dice.below(2) == 0 {
            let period =
                if self.dice.below(2) == 0 { format!("&periodId={PERIOD}") } else { String::new() };
            let path =
                format!("{base}/targetGroups/{group}?targetId={TARGET}{period}&pageSize=100");
            return (path, String::new());
        }
        let user = self.user_number(aim);
        let entry = |org: Option<Index>, group: u64| {
            let org = org.map(org_id);
            json!({ "orgId": org, "targetGroupId": group, "targetRuleId": TARGET })
        };
        let body = match self.dice.below(4) {
            0 => String::new(),
            1 => json!([entry(None, group)]).to_string(),
            2 => json!([entry(Some(aim), group), entry(None, group_id(other))]).to_string(),
            _ => json!([entry(Some(other), group_id(other)), entry(Some(aim), group)]).to_string(),
        };
        (format!("{base}/user/{user}"), body)
    }

    /// What a scope shows.
    fn visible(&self, caller: Index, scope: &str, listed: &[Index]) -> Vec<Index> {
        let parent = self.org(caller).parent;
        let below = |org: &Index| *org != caller && self.tenants.is_within(*org, caller);
        match scope {
            "OTHER" => {
                let shown = |org: &Index| below(org) || (*org == caller && parent.is_some());
                listed.iter().copied().filter(shown).collect()
            }
            "ALL" => self.tenants.within(caller).into_iter().chain(parent).collect(),
            _ => vec![caller],
        }
    }

    fn own(&mut self, caller: Index) -> Attempt {
        let (method, path, body) =
            if self.dice.below(2) == 0 { self.own_read(caller) } else { self.own_write(caller) };
        let bearer = format!("Bearer {}", self.org(caller).api_key);
        let allowed = Allowed::all_of(self.tenants.within(caller));
        let headers = vec![("authorization", bearer)];
        Attempt { door: Door::Own, method, path, headers, body, allowed }
    }

    fn own_read(&mut self, caller: Index) -> (&'static str, String, String) {
        let (aim, other) = (self.aim(caller), self.aim(caller));
        let org = format!("/v1/orgs/{}", org_id(aim));
        let path = match self.dice.below(3) {
            0 => org,
            1 => format!("{org}/users/{}", self.user_number(other)),
            _ => format!("{org}/target-groups/{}", self.group(other)),
        };
        ("GET", path, String::new())
    }

    /// Somebody outside of what the caller's key covers: another tree, above, or beside.
    fn uncovered(&mut self, caller: Index) -> Index {
        loop {
            let org = self.any_org();
            if !self.tenants.is_within(org, caller) {
                return org;
            }
        }
    }

    /// Writes that must all be without effect.
    fn own_write(&mut self, caller: Index) -> (&'static str, String, String) {
        let aim = self.uncovered(caller);
        let org = format!("/v1/orgs/{}", org_id(aim));
        let own = format!("/v1/orgs/{}", org_id(caller));
        let user = self.user_number(aim);
        let group = self.group(aim);
        let spec = json!({ "parent": org_id(caller), "name": "taken over" });
        let credential = *self.dice.of(&self.tenants.orgs[aim].credentials);
        let (method, path, body): (_, _, Value) = match self.dice.below(12) {
            0 => ("PUT", org, json!({ "name": "renamed" })),
            1 => ("PUT", org, spec),
            2 => ("PUT", format!("{org}/users/{user}"), json!({ "profile": {} })),
            3 => ("DELETE", format!("{org}/users/{user}"), Value::Null),
            4 => ("POST", format!("{org}/users"), json!({ "users": [{ "user": user }] })),
            5 => ("PUT", format!("{org}/scoring-rules"), json!({ "rules": [] })),
            6 => ("PUT", format!("{org}/target-groups/{group}"), json!({ "name": "x" })),
            7 => ("POST", format!("{org}/credentials"), json!({ "kind": "apiKey" })),
            8 => ("DELETE", format!("{org}/credentials/{credential}"), Value::Null),
            9 => ("DELETE", format!("{own}/credentials/{credential}"), Value::Null),
            10 => ("POST", "/v1/enrolments".to_owned(), self.enrolments(caller, aim)),
            _ => ("POST", "/v1/activities".to_owned(), self.activities(aim)),
        };
        (method, path, if body.is_null() { String::new() } else { body.to_string() })
    }

    /// Into others' groups, and into others' groups as if they were the caller's.
    fn enrolments(&mut self, caller: Index, aim: Index) -> Value {
        let row = |org: Index, enrolled: bool| {
            json!({ "orgId": org_id(org), "targetGroupId": group_id(aim), "targetId": TARGET,
                    "userId": user_number(aim, 1), "enrolled": enrolled })
        };
        let enrolled = self.dice.below(2) == 0;
        json!({ "enrolments": [row(aim, enrolled), row(caller, enrolled)] })
    }

    fn activities(&mut self, aim: Index) -> Value {
        let user = self.user_number(aim);
        // One with an identifier that the other organisation has used, and one that is new.
        let row = |id: String| {
            json!({ "id": id, "orgId": org_id(aim), "userId": user, "action": "steps",
                    "occurredAt": "2026-03-15T00:00:00Z", "value": 1 })
        };
        let new = format!("new{}", self.dice.roll());
        json!({ "activities": [row(identifier(aim, "c1")), row(new)] })
    }
}
