//! `GET .../leaderboards/user/{userId}`: one user's places, on the boards that the body names or on
//! all of them.
//!
//! Invariant: what is wrong with one entry costs that entry alone. Cost: one look-up of a rank for
//! each entry; without a body, one for each target of the visible groups until there are enough.

use rankd_orgs::{
    GroupId, GroupView, LiveRow, OrgId, OrgView, Orgs, PeriodId, PeriodSpec, TargetId, UserId,
    UserView,
};
use serde::Serialize;

use super::enrichment::Details;
use super::entries::{ENTRIES_MAX, Entries, Entry};
use super::fault::{Fault, Warning};
use super::scope::{self, Scope, Visible};
use super::times::{self, LocalTime};
use super::{auth, envelope, params, specs};
use crate::reply::Reply;
use crate::surfaces::steady::{Steady, steadily};
use crate::surfaces::{SurfaceCall, compute};

/// What is asked for.
#[derive(Debug)]
struct Asked {
    user: i64,
    entries: Entries,
    scope: Scope,
    now_ms: i64,
}

/// The caller's view of the data, and whose places are looked up.
struct Desk<'a> {
    orgs: &'a Orgs,
    caller: &'a OrgView,
    visible: &'a Visible,
    user: UserId,
    now_ms: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    last_sync_time: LocalTime<'a>,
    customer_id: u64,
    user_enrichment_details: Details<'a>,
    user_ranks: Vec<UserRank>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserRank {
    org_id: u64,
    target_group_id: u64,
    target_rule_id: u64,
    period_id: u64,
    achieved_value: i64,
    rank: u64,
    last_activity_time: String,
    total_users_in_target_group: u64,
}

/// The user's place on one board.
struct Place {
    /// The group's owner, as it was before the place was looked up.
    owner: OrgView,
    group: GroupId,
    target: TargetId,
    period: PeriodId,
    row: LiveRow,
    total: u64,
}

/// Answers a request for the user whom the path names, or else the query.
pub(super) async fn answer(call: &SurfaceCall<'_>, user: Option<&str>) -> Result<Reply, Fault> {
    let caller = auth::caller(call)?;
    let asked = Asked::parse(call, user)?;
    let look_up = move |orgs: &Orgs| steadily(orgs, |steady| look_up(orgs, steady, caller, &asked));
    let found = compute(call.engine, look_up).await;
    found.map(envelope::success)
}

impl Asked {
    fn parse(call: &SurfaceCall<'_>, user: Option<&str>) -> Result<Self, Fault> {
        let user = match user {
            Some(segment) => Some(params::whole("userId", segment)?),
            None => match params::number(call, "userID")? {
                Some(user) => Some(user),
                None => params::number(call, "userId")?,
            },
        };
        Ok(Self {
            user: user.ok_or_else(|| Fault::Input("userId is missing".to_owned()))?,
            entries: Entries::parse(call.body)?,
            scope: Scope::parse(call.head.headers())?,
            now_ms: call.now_ms,
        })
    }
}

/// The checks, in the API's order, and then the places.
fn look_up(
    orgs: &Orgs,
    steady: &Steady<'_>,
    caller: OrgId,
    asked: &Asked,
) -> Result<Option<Vec<u8>>, Fault> {
    let caller = orgs.org(caller).ok_or(Fault::Unauthorized)?;
    let listed = asked.scope.listed().iter().copied();
    scope::all_inside_hierarchy(orgs, &caller, listed.chain(asked.entries.orgs()))?;
    let visible = asked.scope.visible(orgs, &caller);
    check_leaderboards(orgs, &caller, &visible, &asked.entries)?;
    let user = u64::try_from(asked.user).ok().and_then(|id| orgs.user(caller.id, UserId(id)));
    let user = user.ok_or(Fault::CustomerNotFound)?;
    let desk =
        Desk { orgs, caller: &caller, visible: &visible, user: user.id, now_ms: asked.now_ms };
    let (places, warnings) = match &asked.entries {
        Entries::Enrolled => desk.enrolled(),
        Entries::Listed { first, cut } => desk.listed(first, *cut),
    };
    if !steady.holds(places.iter().map(|place| &place.owner).chain([&caller])) {
        return Ok(None);
    }
    Ok(Some(written(&caller, &user, &places, &warnings)))
}

/// Every organisation that the entries name must have leaderboards; if they name none, one of those
/// that are visible must.
fn check_leaderboards(
    orgs: &Orgs,
    caller: &OrgView,
    visible: &Visible,
    entries: &Entries,
) -> Result<(), Fault> {
    let Entries::Listed { first, .. } = entries else {
        return visible.without_leaderboards(orgs).map_or(Ok(()), Err);
    };
    let mut off = Vec::new();
    for entry in first {
        let org = entry.org_id.map_or(Some(caller.id), scope::org_id);
        let org = org.and_then(|org| orgs.org(org));
        let is_off = |org: &OrgView| !org.spec.leaderboards_enabled && !off.contains(&org.id.0);
        off.extend(org.filter(is_off).map(|org| org.id.0));
    }
    if off.is_empty() { Ok(()) } else { Err(Fault::LeaderboardsOff(off)) }
}

impl Desk<'_> {
    /// One place, one warning or nothing for each entry.
    fn listed(&self, entries: &[Entry], cut: bool) -> (Vec<Place>, Vec<Warning>) {
        let mut places = Vec::new();
        let mut warnings = Vec::new();
        if cut {
            warnings.push(Warning::TooManyRules);
        }
        for entry in entries {
            match self.entry(entry) {
                Ok(place) => places.extend(place),
                Err(warning) => warnings.push(warning),
            }
        }
        (places, warnings)
    }

    fn entry(&self, entry: &Entry) -> Result<Option<Place>, Warning> {
        let (group_id, target_id) = (entry.target_group_id, entry.target_rule_id);
        let (owner, group) = self.visible_group(entry).ok_or(Warning::GroupNotFound(group_id))?;
        if !group.spec.leaderboard_enabled {
            return Err(Warning::GroupWithoutLeaderboard(group_id));
        }
        let target = specs::target(&group.spec, target_id)
            .ok_or(Warning::TargetNotInGroup { group: group_id, target: target_id })?;
        let period = match entry.period_id {
            Some(period) => specs::period(&group.spec, period)
                .ok_or(Warning::PeriodNotFound { period, target: target_id }),
            None => specs::current_period(&group.spec, self.now_ms)
                .ok_or(Warning::NoCurrentPeriod(target_id)),
        }?;
        Ok(self.place(&owner, &group, target.id, period))
    }

    /// The active group that an entry names with its owner, if it belongs to the organisation that
    /// the entry names, and the request may see that.
    fn visible_group(&self, entry: &Entry) -> Option<(OrgView, GroupView)> {
        let org = entry.org_id.map_or(Some(self.caller.id), scope::org_id)?;
        let owner = self.orgs.org(org).filter(|owner| self.visible.holds(self.orgs, owner.id))?;
        let id = u64::try_from(entry.target_group_id).ok()?;
        let group = self.orgs.group(self.caller.id, GroupId(id))?;
        (group.spec.active && group.org == org).then_some((owner, group))
    }

    /// The user's places in the current periods of all visible groups, by organisation, group and
    /// target.
    fn enrolled(&self) -> (Vec<Place>, Vec<Warning>) {
        let mut places = Vec::new();
        for org in self.visible.ids(self.orgs) {
            let Some(owner) = self.orgs.org(org).filter(|org| org.spec.leaderboards_enabled) else {
                continue;
            };
            for group in self.orgs.groups_of(org) {
                self.enrolled_in(&owner, &group, &mut places);
                if places.len() > ENTRIES_MAX {
                    places.truncate(ENTRIES_MAX);
                    return (places, vec![Warning::TooManyRules]);
                }
            }
        }
        (places, Vec::new())
    }

    fn enrolled_in(&self, owner: &OrgView, group: &GroupView, places: &mut Vec<Place>) {
        if !group.spec.active || !group.spec.leaderboard_enabled {
            return;
        }
        let Some(period) = specs::current_period(&group.spec, self.now_ms) else { return };
        let active = group.spec.targets.iter().filter(|target| target.active);
        let mut targets: Vec<_> = active.map(|target| target.id).collect();
        targets.sort_unstable();
        places.extend(targets.into_iter().filter_map(|id| self.place(owner, group, id, period)));
    }

    /// The user's place on one board; none for who is not enrolled.
    fn place(
        &self,
        owner: &OrgView,
        group: &GroupView,
        target: TargetId,
        period: &PeriodSpec,
    ) -> Option<Place> {
        let (row, total) = self.orgs.target_rank(group, target, period.id, self.user)?;
        let owner = owner.clone();
        Some(Place { owner, group: group.id, target, period: period.id, row, total })
    }
}

impl Place {
    fn to_json(&self) -> UserRank {
        let zone = times::zone(&self.owner.spec.time_zone);
        UserRank {
            org_id: self.owner.id.0,
            target_group_id: self.group.0,
            target_rule_id: self.target.0,
            period_id: self.period.0,
            achieved_value: self.row.value,
            rank: self.row.rank,
            last_activity_time: LocalTime { at_ms: self.row.last_ms, zone: &zone }.to_string(),
            total_users_in_target_group: self.total,
        }
    }
}

fn written(caller: &OrgView, user: &UserView, places: &[Place], warnings: &[Warning]) -> Vec<u8> {
    let zone = times::zone(&caller.spec.time_zone);
    let data = Data {
        last_sync_time: LocalTime { at_ms: caller.ingested_ms, zone: &zone },
        customer_id: user.id.0,
        user_enrichment_details: Details { profile: &user.profile, extras: &[] },
        user_ranks: places.iter().map(Place::to_json).collect(),
    };
    envelope::body(None::<()>, data, warnings)
}
