//! Activities: `POST /v1/activities`.
//!
//! Cost: one pass over a body in which every item has the right shape. Only if one has not, each is
//! read on its own, so that the others still count.

mod attributes;

use hyper::StatusCode;
use rankd_orgs::{ActivityInput, OrgId, OrgIntent, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::attributes::AttributesWrite;
use super::rows::{self, RejectedRow};
use super::{OrgCall, unknown};
use crate::body::Object;
use crate::problem::{Problem, Slug};
use crate::reply::{self, Reply};
use crate::times;

/// Items as they should be, or as any JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Activities<T> {
    activities: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Activity<'a> {
    id: Box<str>,
    org_id: u64,
    user_id: u64,
    action: Box<str>,
    #[serde(borrow)]
    occurred_at: &'a RawValue,
    points: Option<i64>,
    possible: Option<i64>,
    value: Option<i64>,
    #[serde(borrow)]
    attributes: Option<AttributesWrite<'a>>,
}

#[derive(Debug, Serialize)]
struct ActivitiesReport {
    accepted: u64,
    duplicates: u64,
    rejected: Vec<RejectedRow>,
    version: u64,
}

/// `POST /v1/activities`
pub(super) async fn post(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let mut scope = Scope { call, last: None };
    let whole = serde_json::from_slice::<Object<Activities<Object<Activity<'_>>>>>(call.body);
    let tally = match whole {
        Ok(Object(Activities { activities })) => {
            check_some(activities.len())?;
            let rows = activities.into_iter().map(|Object(item)| intent(&mut scope, item));
            rows::submit(call, rows).await?
        }
        Err(_) => {
            let Activities { activities } = call.json::<Activities<&RawValue>>()?;
            check_some(activities.len())?;
            let each = |raw| rows::row(raw).and_then(|item| intent(&mut scope, item));
            rows::submit(call, activities.into_iter().map(each)).await?
        }
    };
    let report = ActivitiesReport {
        accepted: tally.applied,
        duplicates: tally.unchanged,
        rejected: tally.rejected,
        version: call.engine.stats().sequence,
    };
    Ok(reply::json(StatusCode::OK, &report))
}

fn check_some(count: usize) -> Result<(), Problem> {
    if count > 0 {
        return Ok(());
    }
    Err(Problem::new(Slug::InvalidBody, "activities is empty; it must have at least one item"))
}

fn intent(scope: &mut Scope<'_>, item: Activity<'_>) -> Result<OrgIntent, String> {
    let org = OrgId(item.org_id);
    if !scope.covers(org) {
        return Err(unknown("organisation", org.0).to_string());
    }
    Ok(OrgIntent::Record(ActivityInput {
        id: item.id,
        org,
        user: UserId(item.user_id),
        action: item.action,
        at_ms: times::parse_field("occurredAt", item.occurred_at)?,
        points: item.points,
        possible: item.possible,
        value: item.value,
        attributes: item.attributes.unwrap_or_default().read()?,
    }))
}

/// Which organisations the key covers. Neighbouring items tend to have the same one.
struct Scope<'a> {
    call: &'a OrgCall<'a>,
    last: Option<(OrgId, bool)>,
}

impl Scope<'_> {
    fn covers(&mut self, org: OrgId) -> bool {
        match self.last {
            Some((last, covers)) if last == org => covers,
            _ => {
                let covers = self.call.access.covers(self.call.orgs(), org);
                self.last = Some((org, covers));
                covers
            }
        }
    }
}
