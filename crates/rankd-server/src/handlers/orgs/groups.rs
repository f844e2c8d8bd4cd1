//! Target groups: `PUT` and `GET /v1/orgs/{org}/target-groups/{group}`.

use std::collections::BTreeMap;

use hyper::StatusCode;
use rankd_orgs::{
    Aggregate, GroupId, GroupView, Match, OrgIntent, PeriodId, PeriodSpec, TargetGroupSpec,
    TargetId, TargetSpec,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{OrgCall, status, unknown};
use crate::body::Object;
use crate::problem::{Problem, Slug};
use crate::reply::{self, Reply};
use crate::times;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GroupWrite<'a> {
    name: Box<str>,
    active: Option<bool>,
    leaderboard_enabled: Option<bool>,
    #[serde(default)]
    targets: Vec<Object<TargetWrite>>,
    #[serde(borrow, default)]
    periods: Vec<Object<PeriodWrite<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetWrite {
    id: u64,
    name: Box<str>,
    active: Option<bool>,
    #[serde(default, rename = "match")]
    matches: MatchJson,
    aggregate: AggregateJson,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MatchJson {
    actions: Vec<Box<str>>,
    attributes: BTreeMap<Box<str>, Box<str>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum AggregateJson {
    Count,
    SumPoints,
    SumValue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PeriodWrite<'a> {
    id: u64,
    ref_code: Box<str>,
    active: Option<bool>,
    #[serde(borrow)]
    start: &'a RawValue,
    #[serde(borrow)]
    end: &'a RawValue,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupJson<'a> {
    target_group: u64,
    org: u64,
    name: &'a str,
    active: bool,
    leaderboard_enabled: bool,
    targets: Vec<TargetJson<'a>>,
    periods: Vec<PeriodJson<'a>>,
}

#[derive(Debug, Serialize)]
struct TargetJson<'a> {
    id: u64,
    name: &'a str,
    active: bool,
    #[serde(rename = "match")]
    matches: MatchJson,
    aggregate: AggregateJson,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PeriodJson<'a> {
    id: u64,
    ref_code: &'a str,
    active: bool,
    start: String,
    end: String,
}

/// `PUT /v1/orgs/{org}/target-groups/{group}`
pub(super) async fn put(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let org = call.org()?.id;
    let group = GroupId(call.id("group")?);
    let write: GroupWrite<'_> = call.json()?;
    let spec = spec(write).map_err(|detail| Problem::new(Slug::InvalidTime, detail))?;
    let outcome = call.submit_one(OrgIntent::PutGroup { org, group, spec }).await?;
    let view = call.orgs().group(org, group).ok_or_else(|| Problem::internal(group))?;
    Ok(reply::json(status(&outcome), &GroupJson::of(&view)))
}

/// `GET /v1/orgs/{org}/target-groups/{group}`
pub(super) fn read(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let org = call.org()?.id;
    let group = GroupId(call.id("group")?);
    // Groups are looked for in the whole tree; this path names the owner.
    let view = call.orgs().group(org, group).filter(|view| view.org == org);
    match view {
        Some(view) => Ok(reply::json(StatusCode::OK, &GroupJson::of(&view))),
        None => Err(unknown("target group", group.0).into()),
    }
}

fn spec(write: GroupWrite<'_>) -> Result<TargetGroupSpec, String> {
    let period = |(index, Object(period)): (usize, Object<PeriodWrite<'_>>)| {
        let time = |field: &str, raw| times::parse_field(&format!("periods[{index}].{field}"), raw);
        Ok(PeriodSpec {
            id: PeriodId(period.id),
            ref_code: period.ref_code,
            active: period.active.unwrap_or(true),
            start_ms: time("start", period.start)?,
            end_ms: time("end", period.end)?,
        })
    };
    Ok(TargetGroupSpec {
        name: write.name,
        active: write.active.unwrap_or(true),
        leaderboard_enabled: write.leaderboard_enabled.unwrap_or(true),
        targets: write.targets.into_iter().map(|Object(target)| target.into()).collect(),
        periods: write
            .periods
            .into_iter()
            .enumerate()
            .map(period)
            .collect::<Result<_, String>>()?,
    })
}

impl From<TargetWrite> for TargetSpec {
    fn from(write: TargetWrite) -> Self {
        let MatchJson { actions, attributes } = write.matches;
        Self {
            id: TargetId(write.id),
            name: write.name,
            active: write.active.unwrap_or(true),
            matches: Match { actions, attributes },
            aggregate: match write.aggregate {
                AggregateJson::Count => Aggregate::Count,
                AggregateJson::SumPoints => Aggregate::SumPoints,
                AggregateJson::SumValue => Aggregate::SumValue,
            },
        }
    }
}

impl<'a> GroupJson<'a> {
    fn of(view: &'a GroupView) -> Self {
        let spec = &*view.spec;
        Self {
            target_group: view.id.0,
            org: view.org.0,
            name: &spec.name,
            active: spec.active,
            leaderboard_enabled: spec.leaderboard_enabled,
            targets: spec.targets.iter().map(TargetJson::of).collect(),
            periods: spec.periods.iter().map(PeriodJson::of).collect(),
        }
    }
}

impl<'a> TargetJson<'a> {
    fn of(target: &'a TargetSpec) -> Self {
        let Match { actions, attributes } = target.matches.clone();
        Self {
            id: target.id.0,
            name: &target.name,
            active: target.active,
            matches: MatchJson { actions, attributes },
            aggregate: match target.aggregate {
                Aggregate::Count => AggregateJson::Count,
                Aggregate::SumPoints => AggregateJson::SumPoints,
                Aggregate::SumValue => AggregateJson::SumValue,
            },
        }
    }
}

impl<'a> PeriodJson<'a> {
    fn of(period: &'a PeriodSpec) -> Self {
        Self {
            id: period.id.0,
            ref_code: &period.ref_code,
            active: period.active,
            start: times::print(period.start_ms),
            end: times::print(period.end_ms),
        }
    }
}
