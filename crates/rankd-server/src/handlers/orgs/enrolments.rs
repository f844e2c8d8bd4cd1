//! Enrolments: `POST /v1/enrolments`.

use hyper::StatusCode;
use rankd_orgs::{GroupId, OrgId, OrgIntent, TargetId, UserId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::rows::{self, Report};
use super::{OrgCall, unknown};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::times;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Enrolments<'a> {
    #[serde(borrow)]
    enrolments: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Enrolment<'a> {
    org_id: u64,
    target_group_id: u64,
    target_id: u64,
    user_id: u64,
    enrolled: Option<bool>,
    #[serde(borrow)]
    at: Option<&'a RawValue>,
}

/// `POST /v1/enrolments`
pub(super) async fn post(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let body: Enrolments<'_> = call.json()?;
    let now_ms = call.engine.now_ms();
    let rows = body.enrolments.iter().map(|raw| intent(call, raw, now_ms));
    let tally = rows::submit(call, rows).await?;
    Ok(reply::json(StatusCode::OK, &Report::from(tally)))
}

fn intent(call: &OrgCall<'_>, raw: &RawValue, now_ms: i64) -> Result<OrgIntent, String> {
    let row: Enrolment<'_> = rows::row(raw)?;
    let at_ms = row.at.map_or(Ok(now_ms), times::parse)?;
    let org = OrgId(row.org_id);
    if !call.access.covers(call.orgs(), org) {
        return Err(unknown("organisation", org.0).to_string());
    }
    let (group, target) = (GroupId(row.target_group_id), TargetId(row.target_id));
    let user = UserId(row.user_id);
    Ok(if row.enrolled.unwrap_or(true) {
        OrgIntent::Enrol { org, group, target, user, from_ms: at_ms }
    } else {
        OrgIntent::Unenrol { org, group, target, user, until_ms: at_ms }
    })
}
