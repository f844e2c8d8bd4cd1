//! What others have is answered exactly like what nobody has.
//!
//! Only where a contract says otherwise may the two differ: the Keepnet surface tells a reseller
//! "not yours" (403) from "unknown" (404), and what is unique in the store (numbers and text
//! identifiers of organisations, names of credentials) can be found out to be taken.

use serde_json::json;

use crate::canary::user_number;
use crate::tenants::{Org, SHARED_GROUP, TARGET, Tenants, group_id, org_id};

const NOBODY: u64 = 77_777_777;

/// A request to be sent with two identifiers.
struct Probe {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Probe {
    /// The answer, with the identifier blanked out.
    async fn answer(&self, tenants: &Tenants, id: u64) -> (u16, String) {
        let id = id.to_string();
        let put = |text: &str| text.replace("{}", &id);
        let headers: Vec<_> = self.headers.iter().map(|(name, text)| (*name, put(text))).collect();
        let headers: Vec<_> = headers.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let (path, body) = (put(&self.path), put(&self.body));
        let (status, _, text) = tenants.world.request(self.method, &path, &headers, &body).await;
        (status, text.replace(&id, "{}"))
    }
}

/// Requests of our own API in which a number stands for another's thing: the sort of number, the
/// request.
fn own_probes(caller: &Org, other: &Org) -> Vec<(u64, Probe)> {
    let key = || vec![("authorization", format!("Bearer {}", caller.api_key))];
    let own = format!("/v1/orgs/{}", caller.id);
    let probe = |id: u64, method, path: &str, body: &str| {
        let (path, body) = (path.to_owned(), body.to_owned());
        (id, Probe { method, path, headers: key(), body })
    };
    let user = user_number(other.index, 1);
    let activity = json!({ "activities": [{ "id": "a", "orgId": "{}", "userId": 5,
                           "action": "steps", "occurredAt": 0 }] })
    .to_string()
    .replace("\"{}\"", "{}");
    let enrolment = |org: &str, group: &str| {
        format!(
            "{{\"enrolments\":[{{\"orgId\":{org},\"targetGroupId\":{group},\
             \"targetId\":{TARGET},\"userId\":{user}}}]}}"
        )
    };
    let own_id = caller.id.to_string();
    vec![
        probe(other.id, "GET", "/v1/orgs/{}", ""),
        probe(other.id, "GET", "/v1/orgs/{}/users/5", ""),
        probe(other.id, "DELETE", "/v1/orgs/{}/users/5", ""),
        probe(other.id, "PUT", "/v1/orgs/{}/users/5", "{ }"),
        probe(other.id, "GET", "/v1/orgs/{}/target-groups/5", ""),
        probe(other.id, "PUT", "/v1/orgs/{}/scoring-rules", "{\"rules\":[]}"),
        probe(other.id, "POST", "/v1/orgs/{}/credentials", "{\"kind\":\"apiKey\"}"),
        probe(other.id, "POST", "/v1/activities", &activity),
        probe(other.id, "POST", "/v1/enrolments", &enrolment("{}", "5")),
        probe(group_id(other.index), "POST", "/v1/enrolments", &enrolment(&own_id, "{}")),
        probe(user, "GET", &format!("{own}/users/{{}}"), ""),
        probe(group_id(other.index), "GET", &format!("{own}/target-groups/{{}}"), ""),
        probe(other.credentials[0], "DELETE", &format!("{own}/credentials/{{}}"), ""),
    ]
}

fn capillary_probes(caller: &Org, other: &Org) -> Vec<(u64, Probe)> {
    let base = "/api_gateway/intouch-api-v3/v3.1/leaderboards";
    let headers = |scope: &str, orgs: &str| {
        vec![
            ("authorization", caller.till.clone()),
            ("data-scope", scope.to_owned()),
            ("data-scope-org", orgs.to_owned()),
        ]
    };
    let probe = |id, scope: &str, orgs: &str, below: &str, body: &str| {
        let (path, body) = (format!("{base}{below}"), body.to_owned());
        (id, Probe { method: "GET", path, headers: headers(scope, orgs), body })
    };
    let board = format!("/targetGroups/{SHARED_GROUP}?targetId={TARGET}");
    let group = format!("/targetGroups/{{}}?targetId={TARGET}");
    let entry = format!("[{{\"targetGroupId\":{{}},\"targetRuleId\":{TARGET}}}]");
    let user = format!("/user/{}", user_number(caller.index, 1));
    let org_entry = "[{\"orgId\":{},\"targetGroupId\":1,\"targetRuleId\":1}]";
    vec![
        probe(other.id, "OTHER", "{}", &board, ""),
        probe(other.id, "ALL", "{}", &board, ""),
        probe(group_id(other.index), "ALL", "", &group, ""),
        probe(group_id(other.index), "ALL", "", &user, &entry),
        probe(other.id, "ALL", "", &user, org_entry),
        probe(user_number(other.index, 1), "ALL", "", "/user/{}", ""),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_looks_like_what_nobody_has() {
    let tenants = Tenants::start().await;
    let mut compared = 0;
    for caller in &tenants.orgs {
        for other in &tenants.orgs {
            if tenants.root(caller.index) == tenants.root(other.index) {
                continue;
            }
            assert_eq!(other.id, org_id(other.index));
            let own = own_probes(caller, other);
            for (id, probe) in own.into_iter().chain(capillary_probes(caller, other)) {
                let theirs = probe.answer(&tenants, id).await;
                let nobodys = probe.answer(&tenants, NOBODY).await;
                assert_eq!(theirs, nobodys, "{} {} {}", probe.method, probe.path, probe.body);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 72 * 19);
}
