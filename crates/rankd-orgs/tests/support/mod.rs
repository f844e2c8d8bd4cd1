//! What the tests share: short ways to intents and to a store.
//!
//! What it is not: a model. Invariant: everything that it makes is legal unless a test changes it.
//! Cost: none to speak of.

use rankd_orgs::{
    ActivityInput, Attributes, Licence, OrgChange, OrgId, OrgIntent, OrgItem, OrgOutcome, OrgSpec,
    Orgs, Profile, UserId,
};

/// 2026-03-16T12:00:00Z.
pub(crate) const NOW: i64 = 1_773_662_400_000;

pub(crate) fn spec(resource_id: &str, parent: Option<u64>) -> OrgSpec {
    OrgSpec {
        parent: parent.map(OrgId),
        resource_id: resource_id.into(),
        name: "Northwind".into(),
        time_zone: "Europe/Oslo".into(),
        leaderboards_enabled: true,
        enrichment_fields: Vec::new(),
        licence: Licence::default(),
    }
}

pub(crate) fn put_org(org: u64, parent: Option<u64>) -> OrgIntent {
    OrgIntent::PutOrg { org: OrgId(org), spec: spec(&format!("org{org}"), parent) }
}

pub(crate) fn put_user(org: u64, user: u64) -> OrgIntent {
    let (org, user, profile) = (OrgId(org), UserId(user), Profile::new());
    OrgIntent::PutUser { org, user, resource_id: None, profile }
}

pub(crate) fn activity(org: u64, user: u64, id: &str, action: &str) -> ActivityInput {
    ActivityInput {
        id: id.into(),
        org: OrgId(org),
        user: UserId(user),
        action: action.into(),
        at_ms: NOW,
        points: None,
        possible: None,
        value: None,
        attributes: Attributes::default(),
    }
}

/// Executes a batch and returns the outcomes with the changes.
pub(crate) fn execute(orgs: &Orgs, batch: &[OrgIntent]) -> (Vec<OrgOutcome>, Vec<OrgChange>) {
    let mut log = Vec::new();
    let outcomes = orgs.execute(batch, NOW, &mut |changes| log.extend(changes));
    (outcomes, log)
}

pub(crate) fn one(orgs: &Orgs, intent: OrgIntent) -> OrgOutcome {
    execute(orgs, &[intent]).0.pop().expect("one outcome an intent")
}

/// Everything in a store, as pieces of a snapshot.
pub(crate) fn items(orgs: &Orgs) -> Vec<OrgItem> {
    let mut frozen = orgs.freeze();
    std::iter::from_fn(|| frozen.next_item()).collect()
}

/// Loads pieces into a store of its own.
pub(crate) fn load(items: Vec<OrgItem>) -> Orgs {
    let orgs = Orgs::new();
    items.into_iter().for_each(|item| orgs.load(item).expect("it fits"));
    orgs.load_end().expect("it is complete");
    orgs
}
