//! The organisation of the run and its activities.
//!
//! Invariant: the same number gives the same activity. Cost: a few allocations each.

use rankd_orgs::{
    ActivityInput, Aggregate, Attributes, Campaign, GroupId, Licence, Match, OrgId, OrgIntent,
    OrgSpec, PeriodId, PeriodSpec, TargetGroupSpec, TargetId, TargetSpec, UserId,
};

/// 2026-03-16T12:00:00Z, where the clock of the run begins.
pub(crate) const NOW_MS: i64 = 1_773_662_400_000;
pub(crate) const DAY_MS: i64 = 86_400_000;
pub(crate) const ORG: OrgId = OrgId(310);
pub(crate) const GROUP: GroupId = GroupId(1);
pub(crate) const TARGET: TargetId = TargetId(1);
pub(crate) const PERIOD: PeriodId = PeriodId(1);
/// Users who take part in the target: those with the lowest ids.
pub(crate) const ENROLLED: u64 = 10_000;
const VACANCIES: u64 = 500;
const CAMPAIGNS: u64 = 1_000;

/// What the activities are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Referrals and recommendations, each with a vacancy.
    Referrals,
    /// Actions of the catalogue in campaigns, points by the rules.
    Points,
}

pub(crate) fn activity(shape: Shape, nth: u64, users: u64, at_ms: i64) -> ActivityInput {
    let random = nth.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let (action, attributes) = match shape {
        Shape::Referrals => {
            let vacancy_id = Some(format!("v-{}", random % VACANCIES).into());
            let action = if random & 4 == 0 { "employee_refer" } else { "employee_recommend" };
            (action, Attributes { vacancy_id, ..Attributes::default() })
        }
        Shape::Points => {
            let resource_id = format!("campaign{}", random % CAMPAIGNS).into();
            let campaign = Some(Campaign { resource_id, ..Campaign::default() });
            let attributes = Attributes {
                product: Some(0),
                difficulty: Some(1),
                campaign,
                ..Default::default()
            };
            (if random & 4 == 0 { "Reported" } else { "Clicked Link" }, attributes)
        }
    };
    ActivityInput {
        id: format!("a-{nth}").into(),
        org: ORG,
        user: UserId(1 + (random >> 20) % users),
        action: action.into(),
        at_ms,
        points: None,
        possible: None,
        value: None,
        attributes,
    }
}

pub(crate) fn company() -> OrgSpec {
    OrgSpec {
        parent: None,
        resource_id: "company310".into(),
        name: "Northwind".into(),
        time_zone: "UTC".into(),
        leaderboards_enabled: true,
        enrichment_fields: Vec::new(),
        licence: Licence::default(),
    }
}

/// A group with one target, which every activity of its users counts for.
pub(crate) fn group() -> OrgIntent {
    let target = TargetSpec {
        id: TARGET,
        name: "Take part".into(),
        active: true,
        matches: Match::default(),
        aggregate: Aggregate::Count,
    };
    let period = PeriodSpec {
        id: PERIOD,
        ref_code: "spring".into(),
        active: true,
        start_ms: NOW_MS - 365 * DAY_MS,
        end_ms: NOW_MS + 365 * DAY_MS,
    };
    let spec = TargetGroupSpec {
        name: "Northwind".into(),
        active: true,
        leaderboard_enabled: true,
        targets: vec![target],
        periods: vec![period],
    };
    OrgIntent::PutGroup { org: ORG, group: GROUP, spec }
}

/// A user takes part in the target from its beginning.
pub(crate) fn enrolment(user: u64) -> OrgIntent {
    let (user, from_ms) = (UserId(user), NOW_MS - 365 * DAY_MS);
    OrgIntent::Enrol { org: ORG, group: GROUP, target: TARGET, user, from_ms }
}
