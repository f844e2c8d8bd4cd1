//! Organisations: `PUT` and `GET /v1/orgs/{org}`.

use rankd_orgs::{Licence, OrgId, OrgIntent, OrgSpec, OrgView};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{OrgCall, status, taken, unknown};
use crate::access::Access;
use crate::body::Object;
use crate::problem::{Problem, Slug};
use crate::reply::{self, Reply};
use crate::times;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct OrgWrite<'a> {
    parent: Option<u64>,
    resource_id: Option<Box<str>>,
    name: Box<str>,
    time_zone: Option<Box<str>>,
    leaderboards_enabled: Option<bool>,
    #[serde(default)]
    enrichment_fields: Vec<Box<str>>,
    #[serde(borrow)]
    licence: Option<Object<LicenceWrite<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct LicenceWrite<'a> {
    industry_name: Option<Box<str>>,
    industry_resource_id: Option<Box<str>>,
    type_name: Option<Box<str>>,
    type_resource_id: Option<Box<str>>,
    is_users_limited: bool,
    users_max: u64,
    #[serde(borrow)]
    ends_at: Option<&'a RawValue>,
    privacy_duration_id: i64,
    deleted_users: u64,
    inactive_users: u64,
    tags: Vec<Box<str>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OrgJson<'a> {
    org: u64,
    parent: Option<u64>,
    resource_id: &'a str,
    name: &'a str,
    time_zone: &'a str,
    leaderboards_enabled: bool,
    enrichment_fields: &'a [Box<str>],
    licence: LicenceJson<'a>,
    created_at: String,
    ingested_at: String,
    users: u64,
    activities: u64,
    version: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LicenceJson<'a> {
    industry_name: Option<&'a str>,
    industry_resource_id: Option<&'a str>,
    type_name: Option<&'a str>,
    type_resource_id: Option<&'a str>,
    is_users_limited: bool,
    users_max: u64,
    ends_at: Option<String>,
    privacy_duration_id: i64,
    deleted_users: u64,
    inactive_users: u64,
    tags: &'a [Box<str>],
}

/// `PUT /v1/orgs/{org}`
pub(super) async fn put(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let org = OrgId(call.id("org")?);
    let write: OrgWrite<'_> = call.json()?;
    may_put(call, org, write.parent.map(OrgId))?;
    let spec = spec(org, write).map_err(|detail| Problem::new(Slug::InvalidTime, detail))?;
    let outcome = call.submit_one(OrgIntent::PutOrg { org, spec }).await?;
    let view = call.orgs().org(org).ok_or_else(|| Problem::internal(org))?;
    Ok(reply::json(status(&outcome), &OrgJson::of(&view)))
}

/// `GET /v1/orgs/{org}`
pub(super) fn read(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    Ok(reply::json(hyper::StatusCode::OK, &OrgJson::of(&call.org()?)))
}

/// An API key may change what is within its own organisation, and create below it. Only the
/// operator has a use for trees of their own.
fn may_put(call: &OrgCall<'_>, org: OrgId, parent: Option<OrgId>) -> Result<(), Problem> {
    if call.access == Access::All || call.covered(org).is_some() {
        return Ok(());
    }
    let Some(parent) = parent else {
        let detail = "only the operator's key creates organisations without a parent";
        return Err(Problem::new(Slug::Forbidden, detail));
    };
    if call.covered(parent).is_none() {
        return Err(unknown("organisation", parent.0).into());
    }
    match call.orgs().org(org) {
        Some(_) => Err(taken("organisation", org.0).into()),
        None => Ok(()),
    }
}

fn spec(org: OrgId, write: OrgWrite<'_>) -> Result<OrgSpec, String> {
    let licence = write.licence.map(|Object(licence)| licence).unwrap_or_default();
    Ok(OrgSpec {
        parent: write.parent.map(OrgId),
        resource_id: write.resource_id.unwrap_or_else(|| format!("org{}", org.0).into()),
        name: write.name,
        time_zone: write.time_zone.unwrap_or_else(|| "UTC".into()),
        leaderboards_enabled: write.leaderboards_enabled.unwrap_or(true),
        enrichment_fields: write.enrichment_fields,
        licence: Licence {
            industry_name: licence.industry_name,
            industry_resource_id: licence.industry_resource_id,
            type_name: licence.type_name,
            type_resource_id: licence.type_resource_id,
            is_users_limited: licence.is_users_limited,
            users_max: licence.users_max,
            ends_ms: licence
                .ends_at
                .map(|raw| times::parse_field("licence.endsAt", raw))
                .transpose()?,
            privacy_duration_id: licence.privacy_duration_id,
            deleted_users: licence.deleted_users,
            inactive_users: licence.inactive_users,
            tags: licence.tags,
        },
    })
}

impl<'a> OrgJson<'a> {
    fn of(view: &'a OrgView) -> Self {
        let spec = &*view.spec;
        Self {
            org: view.id.0,
            parent: spec.parent.map(|parent| parent.0),
            resource_id: &spec.resource_id,
            name: &spec.name,
            time_zone: &spec.time_zone,
            leaderboards_enabled: spec.leaderboards_enabled,
            enrichment_fields: &spec.enrichment_fields,
            licence: LicenceJson::of(&spec.licence),
            created_at: times::print(view.created_ms),
            ingested_at: times::print(view.ingested_ms),
            users: view.users,
            activities: view.activities,
            version: view.version,
        }
    }
}

impl<'a> LicenceJson<'a> {
    fn of(licence: &'a Licence) -> Self {
        Self {
            industry_name: licence.industry_name.as_deref(),
            industry_resource_id: licence.industry_resource_id.as_deref(),
            type_name: licence.type_name.as_deref(),
            type_resource_id: licence.type_resource_id.as_deref(),
            is_users_limited: licence.is_users_limited,
            users_max: licence.users_max,
            ends_at: licence.ends_ms.map(times::print),
            privacy_duration_id: licence.privacy_duration_id,
            deleted_users: licence.deleted_users,
            inactive_users: licence.inactive_users,
            tags: &licence.tags,
        }
    }
}
