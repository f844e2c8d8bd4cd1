//! Whether what clients give keeps to the limits.
//!
//! What it is: checks of one thing at a time, without a look at what is there. What it is not: a
//! place where anything is corrected. Invariant: what passes here can be stored, encoded within
//! [`crate::limits::ITEM_BYTES_MAX`] a piece, and shown. Cost: one look at every byte.

use std::collections::HashSet;
use std::fmt::Display;

use jiff::tz::TimeZoneDatabase;

use crate::catalogue::{Difficulty, Product};
use crate::credential::CredentialSpec;
use crate::ids::UserId;
use crate::intent::{ActivityInput, Attributes, Campaign, OrgRejection};
use crate::limits::{
    ACTIVITY_ID_BYTES_MAX, AGE_MS_MAX, AHEAD_MS_MAX, ATTRIBUTES_MAX, ENRICHMENT_FIELDS_MAX, ID_MAX,
    LICENCE_TAGS_MAX, MATCH_ACTIONS_MAX, PERIODS_MAX, POINTS_MAX, PROFILE_KEYS_MAX,
    RESOURCE_ID_BYTES_MAX, RESPONSE_SECONDS_MAX, RULES_MAX, SCOPES_MAX, TARGETS_MAX,
    TEXT_BYTES_MAX, TIME_MS_MAX, TIME_MS_MIN,
};
use crate::model::{
    Condition, Licence, Match, OrgSpec, PeriodSpec, Profile, ScoringRule, TargetGroupSpec,
    TargetSpec,
};
use crate::users::{made_resource_id, user_of_made};

type Checked = Result<(), OrgRejection>;

pub(crate) fn invalid(what: impl Into<Box<str>>) -> OrgRejection {
    OrgRejection::Invalid(what.into())
}

pub(crate) fn unknown(what: &str, id: impl Display) -> OrgRejection {
    OrgRejection::Unknown { what: what.into(), id: id.to_string().into() }
}

pub(crate) fn taken(what: &str, id: impl Display) -> OrgRejection {
    OrgRejection::Taken { what: what.into(), id: id.to_string().into() }
}

fn within(what: &str, value: i64, min: i64, max: i64) -> Checked {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(OrgRejection::OutOfLimits { what: what.into(), value, min, max })
}

fn as_i64(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

fn at_most(what: &str, count: usize, max: usize) -> Checked {
    within(what, as_i64(count), 0, as_i64(max))
}

/// An identifier that clients see as a number.
pub(crate) fn id(what: &str, id: u64) -> Checked {
    within(what, as_i64(id), 1, as_i64(ID_MAX))
}

fn time(what: &str, at_ms: i64) -> Checked {
    within(what, at_ms, TIME_MS_MIN, TIME_MS_MAX)
}

/// When a user enters or leaves a target.
pub(crate) fn enrolment_time(at_ms: i64) -> Checked {
    time("the enrolment's time in milliseconds", at_ms)
}

fn text(what: &str, text: &str, min: usize, max: usize) -> Checked {
    if !(min..=max).contains(&text.len()) {
        let length = format!("the length of {what} in bytes");
        return within(&length, as_i64(text.len()), as_i64(min), as_i64(max));
    }
    if has_controls(text) {
        return Err(invalid(format!("{what} has control characters")));
    }
    Ok(())
}

fn has_controls(text: &str) -> bool {
    if text.is_ascii() {
        return text.bytes().any(|byte| byte.is_ascii_control());
    }
    text.chars().any(char::is_control)
}

fn optional<'t>(what: &str, given: impl IntoIterator<Item = &'t Box<str>>) -> Checked {
    given.into_iter().try_for_each(|given| text(what, given, 0, TEXT_BYTES_MAX))
}

fn time_zone(what: &str, name: &str) -> Checked {
    text(what, name, 1, TEXT_BYTES_MAX)?;
    match TimeZoneDatabase::bundled().get(name) {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid(format!("{what} is {name:?}, which is no IANA time zone"))),
    }
}

/// No text twice.
fn distinct<T: Eq + std::hash::Hash + Copy>(
    what: &str,
    ids: impl IntoIterator<Item = T>,
    show: impl Fn(T) -> String,
) -> Checked {
    let mut seen = HashSet::new();
    let again = ids.into_iter().find(|id| !seen.insert(*id));
    again.map_or(Ok(()), |id| Err(invalid(format!("{what} {} is there twice", show(id)))))
}

pub(crate) fn org(spec: &OrgSpec) -> Checked {
    let OrgSpec { resource_id, name, enrichment_fields, licence, .. } = spec;
    text("resourceId", resource_id, 1, RESOURCE_ID_BYTES_MAX)?;
    if !resource_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(invalid("resourceId may have ASCII letters and digits only"));
    }
    text("the organisation's name", name, 1, TEXT_BYTES_MAX)?;
    time_zone("timeZone", &spec.time_zone)?;
    at_most("enrichment fields", enrichment_fields.len(), ENRICHMENT_FIELDS_MAX)?;
    for field in enrichment_fields {
        text("an enrichment field", field, 1, TEXT_BYTES_MAX)?;
    }
    distinct("the enrichment field", enrichment_fields, |field| format!("{field:?}"))?;
    check_licence(licence)
}

fn check_licence(licence: &Licence) -> Checked {
    optional("industryName", &licence.industry_name)?;
    optional("industryResourceId", &licence.industry_resource_id)?;
    optional("licenseTypeName", &licence.type_name)?;
    optional("licenseTypeResourceId", &licence.type_resource_id)?;
    optional("a tag", &licence.tags)?;
    at_most("tags", licence.tags.len(), LICENCE_TAGS_MAX)?;
    let numbers = [licence.users_max, licence.deleted_users, licence.inactive_users];
    for number in numbers {
        within("a number of the licence", as_i64(number), 0, as_i64(ID_MAX))?;
    }
    let privacy = licence.privacy_duration_id;
    within("privacyDurationId", privacy, -as_i64(ID_MAX), as_i64(ID_MAX))?;
    licence.ends_ms.map_or(Ok(()), |ends_ms| time("the licence's end in milliseconds", ends_ms))
}

/// A user's text identifier, as it will be stored: none where it is the one made from the id.
pub(crate) fn user_resource_id(
    user: UserId,
    given: Option<&str>,
) -> Result<Option<&str>, OrgRejection> {
    let Some(given) = given.filter(|given| *given != made_resource_id(user)) else {
        return Ok(None);
    };
    text("resourceId", given, 1, TEXT_BYTES_MAX)?;
    match user_of_made(given) {
        Some(_) => Err(taken("user's resourceId", given)),
        None => Ok(Some(given)),
    }
}

pub(crate) fn profile(profile: &Profile) -> Checked {
    at_most("profile keys", profile.len(), PROFILE_KEYS_MAX)?;
    for (key, value) in profile {
        text("a profile key", key, 1, TEXT_BYTES_MAX)?;
        text("a profile value", value, 0, TEXT_BYTES_MAX)?;
    }
    Ok(())
}

pub(crate) fn rules(rules: &[ScoringRule]) -> Checked {
    at_most("scoring rules", rules.len(), RULES_MAX)?;
    for (number, rule) in (1..).zip(rules) {
        check_rule(rule).map_err(|why| invalid(format!("rule {number}: {why}")))?;
    }
    Ok(())
}

fn check_rule(rule: &ScoringRule) -> Checked {
    text("name", &rule.name, 1, TEXT_BYTES_MAX)?;
    text("action", &rule.action, 1, ACTIVITY_ID_BYTES_MAX)?;
    catalogued(rule.product, rule.difficulty)?;
    within("points", rule.points.into(), -POINTS_MAX, POINTS_MAX)?;
    within("possible points", rule.possible.unwrap_or(0).into(), 0, POINTS_MAX)?;
    match &rule.condition {
        Some(Condition::ResponseSeconds(from, until)) => {
            let until = until.unwrap_or(RESPONSE_SECONDS_MAX);
            within("responseSeconds from", *from, 0, RESPONSE_SECONDS_MAX)?;
            within("responseSeconds until", until, *from, RESPONSE_SECONDS_MAX)
        }
        Some(Condition::Attribute(name, value)) => attribute(name, value),
        Some(Condition::Confirmed) | None => Ok(()),
    }
}

fn catalogued(product: Option<u8>, difficulty: Option<u8>) -> Checked {
    if let Some(product) = product.filter(|number| Product::from_number(*number).is_none()) {
        within("the product's number", product.into(), 0, as_i64(Product::ALL.len() - 1))?;
    }
    let unknown = difficulty.filter(|number| Difficulty::from_number(*number).is_none());
    unknown.map_or(Ok(()), |number| {
        within("the difficulty's number", number.into(), 0, as_i64(Difficulty::ALL.len() - 1))
    })
}

fn attribute(name: &str, value: &str) -> Checked {
    text("an attribute's name", name, 1, TEXT_BYTES_MAX)?;
    text("an attribute's value", value, 0, TEXT_BYTES_MAX)
}

pub(crate) fn group(group: &TargetGroupSpec) -> Checked {
    text("the group's name", &group.name, 0, TEXT_BYTES_MAX)?;
    at_most("targets", group.targets.len(), TARGETS_MAX)?;
    at_most("periods", group.periods.len(), PERIODS_MAX)?;
    group.targets.iter().try_for_each(check_target)?;
    group.periods.iter().try_for_each(check_period)?;
    let targets = group.targets.iter().map(|target| target.id.0);
    distinct("the target", targets, |id| id.to_string())?;
    let periods = group.periods.iter().map(|period| period.id.0);
    distinct("the period", periods, |id| id.to_string())
}

fn check_target(target: &TargetSpec) -> Checked {
    id("the target's id", target.id.0)?;
    text("the target's name", &target.name, 0, TEXT_BYTES_MAX)?;
    let Match { actions, attributes } = &target.matches;
    at_most("actions of a target", actions.len(), MATCH_ACTIONS_MAX)?;
    for action in actions {
        text("an action of a target", action, 1, ACTIVITY_ID_BYTES_MAX)?;
    }
    at_most("attributes of a target", attributes.len(), ATTRIBUTES_MAX)?;
    attributes.iter().try_for_each(|(name, value)| attribute(name, value))
}

fn check_period(period: &PeriodSpec) -> Checked {
    id("the period's id", period.id.0)?;
    text("the period's refCode", &period.ref_code, 0, TEXT_BYTES_MAX)?;
    time("the period's start in milliseconds", period.start_ms)?;
    within("the period's end in milliseconds", period.end_ms, period.start_ms, TIME_MS_MAX)
}

pub(crate) fn credential(spec: &CredentialSpec) -> Checked {
    let name = |what: &str, name: &str| text(what, name, 1, TEXT_BYTES_MAX);
    match spec {
        CredentialSpec::WintroToken { scopes, .. } => {
            at_most("scopes", scopes.len(), SCOPES_MAX)?;
            scopes.iter().try_for_each(|scope| name("a scope", scope))
        }
        CredentialSpec::KeepnetClient { client_id, .. } => name("the client id", client_id),
        CredentialSpec::CapillaryTill { username, .. } => name("the user name", username),
        CredentialSpec::CapillaryClient { key, .. } => name("the key", key),
        CredentialSpec::ApiKey { .. } => Ok(()),
    }
}

pub(crate) fn activity(input: &ActivityInput, now_ms: i64) -> Checked {
    text("the activity's id", &input.id, 1, ACTIVITY_ID_BYTES_MAX)?;
    text("the action", &input.action, 1, ACTIVITY_ID_BYTES_MAX)?;
    id("userId", input.user.0)?;
    let (oldest, newest) = (now_ms - AGE_MS_MAX, now_ms + AHEAD_MS_MAX);
    within("occurredAt in milliseconds", input.at_ms, oldest, newest)?;
    within("points", input.points.unwrap_or(0), -POINTS_MAX, POINTS_MAX)?;
    within("possible points", input.possible.unwrap_or(0), 0, POINTS_MAX)?;
    within("value", input.value.unwrap_or(0), -POINTS_MAX, POINTS_MAX)?;
    attributes(&input.attributes)
}

fn attributes(given: &Attributes) -> Checked {
    if let Some(vacancy) = &given.vacancy_id {
        text("vacancyId", vacancy, 1, RESOURCE_ID_BYTES_MAX)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !vacancy.bytes().all(plain) {
            return Err(invalid("vacancyId may have ASCII letters, digits, _ and - only"));
        }
    }
    catalogued(given.product, given.difficulty)?;
    let took = given.response_seconds.unwrap_or(0);
    within("responseSeconds", took, 0, RESPONSE_SECONDS_MAX)?;
    given.campaign.as_ref().map_or(Ok(()), campaign)?;
    at_most("attributes", given.others.len(), ATTRIBUTES_MAX)?;
    given.others.iter().try_for_each(|(name, value)| attribute(name, value))
}

fn campaign(campaign: &Campaign) -> Checked {
    text("the campaign's resourceId", &campaign.resource_id, 1, TEXT_BYTES_MAX)?;
    optional("the campaign's name", &campaign.name)?;
    optional("the campaign's type", &campaign.kind)?;
    optional("the campaign's category", &campaign.category)?;
    optional("the campaign's trainingType", &campaign.training_type)?;
    optional("the campaign's result", &campaign.result)?;
    let zone = campaign.time_zone.as_ref();
    zone.map_or(Ok(()), |name| text("the campaign's timeZoneId", name, 1, TEXT_BYTES_MAX))
}
