//! `GET .../leaderboards/targetGroups/{targetGroupId}`: pages of a target's board.
//!
//! Invariant: the first check that fails, in the API's order, is the only error. Cost: one look-up
//! of the board, then the rows, of which there are at most [`PAGE_SIZE_MAX`] times
//! [`PAGE_LIMIT_MAX`].

use rankd_orgs::{GroupId, GroupView, LiveRow, OrgId, OrgView, Orgs, PeriodSpec, TargetSpec};
use serde::Serialize;

use super::enrichment::Details;
use super::fault::{Fault, Warning};
use super::scope::{self, Scope, Visible};
use super::times::{self, LocalTime};
use super::{auth, envelope, params, specs};
use crate::reply::Reply;
use crate::surfaces::steady::{Steady, steadily};
use crate::surfaces::{SurfaceCall, compute};

const PAGE_SIZE_DEFAULT: u32 = 10;
/// Most rows of a page.
const PAGE_SIZE_MAX: u32 = 100;
/// Most pages of an answer.
const PAGE_LIMIT_MAX: u32 = 100;

/// What is asked for.
#[derive(Debug)]
struct Asked {
    group: i64,
    target: i64,
    period: Option<i64>,
    page: Page,
    scope: Scope,
}

/// Which rows, after what was out of bounds was put right.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    size: u32,
    /// Pages before the first one.
    offset: u32,
    /// Pages.
    limit: u32,
    warnings: Vec<Warning>,
}

/// What a number may be, and what is told if it is not.
struct Bounds {
    default: u32,
    max: u32,
    too_small: Warning,
    too_large: Warning,
}

const SIZE: Bounds = Bounds {
    default: PAGE_SIZE_DEFAULT,
    max: PAGE_SIZE_MAX,
    too_small: Warning::SizeTooSmall,
    too_large: Warning::SizeTooLarge,
};
const LIMIT: Bounds = Bounds {
    default: 1,
    max: PAGE_LIMIT_MAX,
    too_small: Warning::LimitTooSmall,
    too_large: Warning::LimitTooLarge,
};

/// Everything that an answer is made of, found and allowed.
struct Found<'a> {
    caller: &'a OrgView,
    owner: &'a OrgView,
    group: &'a GroupView,
    target: &'a TargetSpec,
    period: &'a PeriodSpec,
}

#[derive(Debug, Serialize)]
struct Pagination {
    limit: u32,
    offset: u32,
    total: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    last_sync_time: LocalTime<'a>,
    target_group_id: u64,
    target_group_name: &'a str,
    period_id: u64,
    period_ref_code: &'a str,
    target_rule_id: u64,
    target_rule_name: &'a str,
    rankings: Vec<Ranking<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ranking<'a> {
    rank: u64,
    user_id: u64,
    achieved_value: i64,
    last_activity_time: LocalTime<'a>,
    user_enrichment_details: Details<'a>,
}

/// Answers a request for the group of this identifier.
pub(super) async fn answer(call: &SurfaceCall<'_>, group: &str) -> Result<Reply, Fault> {
    let caller = auth::caller(call)?;
    let asked = Asked::parse(call, group)?;
    let now_ms = call.now_ms;
    let look_up =
        move |orgs: &Orgs| steadily(orgs, |steady| look_up(orgs, steady, caller, &asked, now_ms));
    let found = compute(call.engine, look_up).await;
    found.map(envelope::success)
}

impl Asked {
    fn parse(call: &SurfaceCall<'_>, group: &str) -> Result<Self, Fault> {
        let target = params::number(call, "targetId")?;
        let offset = params::number(call, "pageOffset")?;
        let size = params::number(call, "pageSize")?;
        let limit = params::number(call, "pageLimit")?;
        Ok(Self {
            group: params::whole("targetGroupId", group)?,
            target: target.ok_or_else(|| Fault::Input("targetId is missing".to_owned()))?,
            period: params::number(call, "periodId")?,
            page: Page::new(offset, size, limit),
            scope: Scope::parse(call.head.headers())?,
        })
    }
}

impl Page {
    fn new(offset: Option<i32>, size: Option<i32>, limit: Option<i32>) -> Self {
        let mut warnings = Vec::new();
        let offset = u32::try_from(offset.unwrap_or(0)).unwrap_or_else(|_| {
            warnings.push(Warning::OffsetNegative);
            0
        });
        let size = SIZE.bounded(size, &mut warnings);
        let limit = LIMIT.bounded(limit, &mut warnings);
        Self { size, offset, limit, warnings }
    }

    /// Rows before the first one.
    fn rows_before(&self) -> u64 {
        u64::from(self.offset) * u64::from(self.size)
    }

    /// Most rows.
    fn rows_max(&self) -> usize {
        let rows = self.limit * self.size;
        usize::try_from(rows).expect("at most 10 000 rows are asked for")
    }
}

impl Bounds {
    fn bounded(&self, given: Option<i32>, warnings: &mut Vec<Warning>) -> u32 {
        let Some(given) = given else { return self.default };
        let (value, warning) = match u32::try_from(given) {
            Ok(value @ 1..) if value <= self.max => return value,
            Ok(1..) => (self.max, self.too_large),
            _ => (self.default, self.too_small),
        };
        warnings.push(warning);
        value
    }
}

/// The checks, in the API's order, and then the page.
fn look_up(
    orgs: &Orgs,
    steady: &Steady<'_>,
    caller: OrgId,
    asked: &Asked,
    now_ms: i64,
) -> Result<Option<Vec<u8>>, Fault> {
    let caller = orgs.org(caller).ok_or(Fault::Unauthorized)?;
    scope::all_inside_hierarchy(orgs, &caller, asked.scope.listed().iter().copied())?;
    let visible = asked.scope.visible(orgs, &caller);
    let (owner, group) = visible_group(orgs, &caller, &visible, asked.group)?;
    if !owner.spec.leaderboards_enabled {
        return Err(Fault::LeaderboardsOff(vec![owner.id.0]));
    }
    if !group.spec.active {
        return Err(Fault::GroupNotFound);
    }
    if !group.spec.leaderboard_enabled {
        return Err(Fault::GroupWithoutLeaderboard);
    }
    let target = specs::target(&group.spec, asked.target).ok_or(Fault::TargetNotInGroup)?;
    let period = match asked.period {
        Some(id) => specs::period(&group.spec, id),
        None => specs::current_period(&group.spec, now_ms),
    };
    let period = period.ok_or(Fault::PeriodNotFound)?;
    let found = Found { caller: &caller, owner: &owner, group: &group, target, period };
    let (from, most) = (asked.page.rows_before(), asked.page.rows_max());
    let (total, rows) = orgs.target_page(&group, target.id, period.id, from, most);
    if !steady.holds([&caller, &owner]) {
        return Ok(None);
    }
    Ok(Some(written(&found, &asked.page, total, &rows)))
}

/// The group with its owner, if it is in the visible set. If it is not, and no organisation of the
/// set has leaderboards at all, that is what the caller has to know first.
fn visible_group(
    orgs: &Orgs,
    caller: &OrgView,
    visible: &Visible,
    id: i64,
) -> Result<(OrgView, GroupView), Fault> {
    let group = u64::try_from(id).ok().and_then(|id| orgs.group(caller.id, GroupId(id)));
    let group = group.filter(|group| visible.holds(orgs, group.org));
    // The owner is looked at before what is used of the group, so that changes in between show.
    let owned = group.and_then(|group| {
        let owner = orgs.org(group.org)?;
        Some((owner, orgs.group(caller.id, group.id)?))
    });
    owned.ok_or_else(|| visible.without_leaderboards(orgs).unwrap_or(Fault::GroupNotFound))
}

fn written(found: &Found<'_>, page: &Page, total: u64, rows: &[LiveRow]) -> Vec<u8> {
    let (target, period) = (found.target, found.period);
    let zone = times::zone(&found.caller.spec.time_zone);
    let owner_zone = times::zone(&found.owner.spec.time_zone);
    let rankings = rows.iter().map(|row| Ranking {
        rank: row.rank,
        user_id: row.user.id.0,
        achieved_value: row.value,
        last_activity_time: LocalTime { at_ms: row.last_ms, zone: &owner_zone },
        user_enrichment_details: Details {
            profile: &row.user.profile,
            extras: &found.owner.spec.enrichment_fields,
        },
    });
    let data = Data {
        last_sync_time: LocalTime { at_ms: found.caller.ingested_ms, zone: &zone },
        target_group_id: found.group.id.0,
        target_group_name: &found.group.spec.name,
        period_id: period.id.0,
        period_ref_code: &period.ref_code,
        target_rule_id: target.id.0,
        target_rule_name: &target.name,
        rankings: rankings.collect(),
    };
    let pagination = Pagination { limit: page.size, offset: page.offset, total };
    envelope::body(Some(pagination), data, &page.warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(offset: i32, size: i32, limit: i32) -> (u32, u32, u32, Vec<Warning>) {
        let page = Page::new(Some(offset), Some(size), Some(limit));
        (page.offset, page.size, page.limit, page.warnings)
    }

    #[test]
    fn the_first_page_of_ten_is_the_default() {
        let default = Page { size: 10, offset: 0, limit: 1, warnings: vec![] };
        assert_eq!(Page::new(None, None, None), default);
        assert_eq!(page(4, 100, 100), (4, 100, 100, vec![]));
    }

    #[test]
    fn what_is_out_of_bounds_is_put_right_and_told_in_order() {
        use Warning::{LimitTooLarge, LimitTooSmall, OffsetNegative, SizeTooLarge, SizeTooSmall};
        let told = vec![OffsetNegative, SizeTooLarge, LimitTooLarge];
        assert_eq!(page(-1, 101, 101), (0, 100, 100, told));
        let told = vec![OffsetNegative, SizeTooSmall, LimitTooSmall];
        assert_eq!(page(i32::MIN, -7, 0), (0, 10, 1, told));
    }

    #[test]
    fn the_furthest_page_does_not_overflow() {
        let page = Page::new(Some(i32::MAX), Some(100), Some(100));
        assert_eq!((page.rows_before(), page.rows_max()), (214_748_364_700, 10_000));
    }
}
