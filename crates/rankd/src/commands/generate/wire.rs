//! Synthetic data as the lines that `rankd import` reads: what the API takes, a line each.

use std::borrow::Cow;

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat};
use rankd_client as api;
use rankd_orgs::catalogue::{Difficulty, Product};
use rankd_orgs::{
    ActivityInput, Aggregate, Campaign, Licence, OrgIntent, OrgSpec, PeriodSpec, Role, TargetSpec,
};
use serde_json::{Value, json};

use super::synthetic::{DemoCredential, Enrolment, Secret, User};

/// A time as the API takes it.
pub(super) fn time_text(at_ms: i64) -> anyhow::Result<String> {
    let time = DateTime::from_timestamp_millis(at_ms).context("a time beyond the calendar")?;
    Ok(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// A line of the activities.
pub(super) fn activity(activity: &ActivityInput) -> anyhow::Result<api::Activity<'_>> {
    let attributes = &activity.attributes;
    let product = attributes.product.and_then(Product::from_number);
    let difficulty = attributes.difficulty.and_then(Difficulty::from_number);
    Ok(api::Activity {
        id: Cow::from(&*activity.id),
        org_id: activity.org.0,
        user_id: activity.user.0,
        action: Cow::from(&*activity.action),
        occurred_at: api::At::Text(time_text(activity.at_ms)?),
        points: activity.points,
        possible: activity.possible,
        value: activity.value,
        attributes: api::ActivityAttributes {
            vacancy_id: attributes.vacancy_id.as_deref().map(Cow::from),
            product: product.map(|product| Cow::from(product.name())),
            difficulty: difficulty.map(|difficulty| Cow::from(difficulty.name())),
            response_seconds: attributes.response_seconds,
            confirmed: attributes.confirmed.then_some(true),
            failed: attributes.failed,
            test: attributes.test.then_some(true),
            campaign: attributes.campaign.as_ref().map(campaign),
            others: attributes
                .others
                .iter()
                .map(|(key, value)| (Cow::from(&**key), Cow::from(&**value)))
                .collect(),
        },
    })
}

fn campaign(campaign: &Campaign) -> api::ActivityCampaign<'_> {
    api::ActivityCampaign {
        resource_id: Cow::from(&*campaign.resource_id),
        name: campaign.name.as_deref().map(Cow::from),
        kind: campaign.kind.as_deref().map(Cow::from),
        performance: campaign.performance.map(i64::from),
        time_zone_id: campaign.time_zone.as_deref().map(Cow::from),
        category: campaign.category.as_deref().map(Cow::from),
        training_type: campaign.training_type.as_deref().map(Cow::from),
        result: campaign.result.as_deref().map(Cow::from),
    }
}

/// A line of the users: what the API takes, and the user's home.
pub(super) fn user(user: &User) -> Value {
    json!({
        "org": user.org,
        "user": user.id,
        "resourceId": user.resource_id,
        "profile": user.profile,
    })
}

/// Lines of the set-up.
pub(super) fn setup(intent: &OrgIntent) -> anyhow::Result<Value> {
    Ok(match intent {
        OrgIntent::PutOrg { org, spec } => {
            json!({ "kind": "org", "org": org, "body": org_body(spec)? })
        }
        OrgIntent::PutGroup { org, group, spec } => {
            let periods: Result<Vec<_>, _> = spec.periods.iter().map(period).collect();
            let body = json!({
                "name": spec.name,
                "active": spec.active,
                "leaderboardEnabled": spec.leaderboard_enabled,
                "targets": spec.targets.iter().map(target).collect::<Vec<_>>(),
                "periods": periods?,
            });
            json!({ "kind": "target-group", "org": org, "group": group, "body": body })
        }
        other => anyhow::bail!("{other:?} is no set-up of a data set"),
    })
}

fn org_body(spec: &OrgSpec) -> anyhow::Result<Value> {
    Ok(json!({
        "parent": spec.parent,
        "resourceId": spec.resource_id,
        "name": spec.name,
        "timeZone": spec.time_zone,
        "leaderboardsEnabled": spec.leaderboards_enabled,
        "enrichmentFields": spec.enrichment_fields,
        "licence": licence(&spec.licence)?,
    }))
}

fn licence(licence: &Licence) -> anyhow::Result<Value> {
    Ok(json!({
        "typeName": licence.type_name,
        "isUsersLimited": licence.is_users_limited,
        "usersMax": licence.users_max,
        "endsAt": licence.ends_ms.map(time_text).transpose()?,
        "inactiveUsers": licence.inactive_users,
    }))
}

fn target(target: &TargetSpec) -> Value {
    let aggregate = match target.aggregate {
        Aggregate::Count => "count",
        Aggregate::SumPoints => "sumPoints",
        Aggregate::SumValue => "sumValue",
    };
    json!({
        "id": target.id,
        "name": target.name,
        "active": target.active,
        "match": { "actions": target.matches.actions, "attributes": target.matches.attributes },
        "aggregate": aggregate,
    })
}

fn period(period: &PeriodSpec) -> anyhow::Result<Value> {
    Ok(json!({
        "id": period.id,
        "refCode": period.ref_code,
        "active": period.active,
        "start": time_text(period.start_ms)?,
        "end": time_text(period.end_ms)?,
    }))
}

/// The line of a credential.
pub(super) fn credential(credential: &DemoCredential) -> Value {
    let body = match credential.secret {
        Secret::WintroToken { token, scope } => {
            json!({ "kind": "wintroToken", "secret": token, "scopes": [scope] })
        }
        Secret::KeepnetClient { client_id, secret, role } => {
            let role = match role {
                Role::Reseller => "reseller",
                Role::CompanyAdmin => "companyAdmin",
            };
            let kind = "keepnetClient";
            json!({ "kind": kind, "clientId": client_id, "secret": secret, "role": role })
        }
        Secret::CapillaryTill { username, password, .. } => {
            json!({ "kind": "capillaryTill", "username": username, "secret": password })
        }
    };
    json!({ "kind": "credential", "org": credential.org, "body": body })
}

/// The line of some enrolments.
pub(super) fn enrolments(enrolments: &[Enrolment]) -> anyhow::Result<Value> {
    let items: anyhow::Result<Vec<_>> = enrolments
        .iter()
        .map(|enrolment| {
            Ok(json!({
                "orgId": enrolment.org,
                "targetGroupId": enrolment.group,
                "targetId": enrolment.target,
                "userId": enrolment.user,
                "at": time_text(enrolment.from_ms)?,
            }))
        })
        .collect();
    Ok(json!({ "kind": "enrolments", "body": { "enrolments": items? } }))
}
