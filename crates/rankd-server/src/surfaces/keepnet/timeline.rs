//! `POST /api/leaderboard/get-user-timeline`: activities one by one.
//!
//! Invariant: names and numbers of actions, difficulties and products are those of the catalogue;
//! all times are the company's.

use jiff::tz::TimeZone;
use rankd_orgs::catalogue::{Action, Difficulty, Product};
use rankd_orgs::{ActivityRow, Orgs, TimelineOrder, TimelinePage, TimelineRequest};
use serde::Serialize;
use serde_json::Value;

use super::auth::Company;
use super::board::{gone, points};
use super::body::Fields;
use super::envelope::{Problems, Refusal};
use super::limits::{TIMELINE_PAGE_ROWS, UNPAGED_ROWS_MAX};
use super::page::{Page, PageOf};
use super::{dates, performance, window};
use crate::problem::shown;

/// What a request asks for, but its window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// Everybody's activities if there is none.
    user: Option<String>,
    actions: Vec<u8>,
    difficulties: Vec<u8>,
    products: Vec<u8>,
    only_failed: bool,
    order: TimelineOrder,
    ascending: bool,
    page: Page,
}

impl Asked {
    /// Reads the body of a request.
    pub(super) fn read(fields: &Fields<'_>, problems: &mut Problems) -> Self {
        let user = fields.text("targetUserResourceId", problems).filter(|id| !id.is_empty());
        let action = |text: &str| Action::parse(text).map(Action::number);
        let difficulty = |text: &str| Difficulty::parse(text).map(Difficulty::number);
        let product = |text: &str| Product::parse(text).map(Product::number);
        let (order, ascending, page) = pagination(fields, problems);
        Self {
            user: user.map(str::to_owned),
            actions: numbers(fields, "actionTypes", action, problems),
            difficulties: numbers(fields, "difficultyTypes", difficulty, problems),
            products: numbers(fields, "products", product, problems),
            only_failed: fields.boolean("showOnlyFailedEvents", problems).unwrap_or(false),
            order,
            ascending,
            page,
        }
    }

    /// The same activities, up to [`UNPAGED_ROWS_MAX`] of them on one page.
    pub(super) fn all_pages(self) -> Self {
        Self { page: Page { number: 1, size: UNPAGED_ROWS_MAX as u64 }, ..self }
    }

    /// Picks the activities.
    ///
    /// # Errors
    /// The user or the company is unknown.
    pub(super) fn pick(
        &self,
        orgs: &Orgs,
        company: &Company,
        asked: window::Asked,
    ) -> Result<TimelinePage, Refusal> {
        let user = self.user.as_deref().map(|id| performance::user(orgs, company, id));
        let request = TimelineRequest {
            window: asked.window,
            user: user.transpose()?.map(|user| user.id),
            actions: &self.actions,
            difficulties: &self.difficulties,
            products: &self.products,
            only_failed: self.only_failed,
            order: self.order,
            ascending: self.ascending,
            offset: self.page.offset(),
            limit: self.page.rows_max(),
        };
        orgs.timeline(company.id, &request).ok_or_else(gone)
    }

    /// Picked activities as a page.
    pub(super) fn page<'a>(&self, picked: &'a TimelinePage, zone: &TimeZone) -> PageOf<Row<'a>> {
        PageOf::new(self.page, picked.total, rows(picked, zone))
    }
}

/// Activities as they are shown.
pub(super) fn rows<'a>(picked: &'a TimelinePage, zone: &TimeZone) -> Vec<Row<'a>> {
    picked.rows.iter().map(|row| Row::new(row, zone)).collect()
}

fn pagination(fields: &Fields<'_>, problems: &mut Problems) -> (TimelineOrder, bool, Page) {
    let Some(pagination) = fields.object("pagination", problems) else {
        return (TimelineOrder::At, false, Page { number: 1, size: TIMELINE_PAGE_ROWS });
    };
    let pagination = Fields::below(pagination, "pagination.");
    let page = Page::read(&pagination, TIMELINE_PAGE_ROWS, problems);
    let order = match pagination.text("orderBy", problems).unwrap_or_default() {
        "" => TimelineOrder::At,
        text if text.eq_ignore_ascii_case("ActionTime") => TimelineOrder::At,
        text if text.eq_ignore_ascii_case("Points") => TimelineOrder::Points,
        text => {
            let text = shown(text);
            let problem =
                format!("pagination.orderBy is {text:?}; it must be ActionTime or Points");
            problems.add(problem);
            TimelineOrder::At
        }
    };
    (order, pagination.boolean("ascending", problems).unwrap_or(false), page)
}

/// A list of names or numbers of the catalogue, as numbers; empty if it restricts nothing.
fn numbers(
    fields: &Fields<'_>,
    name: &str,
    parse: impl Fn(&str) -> Option<u8>,
    problems: &mut Problems,
) -> Vec<u8> {
    let mut numbers = Vec::new();
    for value in fields.list(name, problems).unwrap_or_default() {
        match value.as_str().and_then(&parse) {
            Some(number) if numbers.contains(&number) => {}
            Some(number) => numbers.push(number),
            None => problems.add(unknown(name, value)),
        }
    }
    numbers
}

fn unknown(name: &str, value: &Value) -> String {
    let value = shown(&value.to_string());
    format!("{name} holds {value}, which is neither a name nor the number of one, as a string")
}

/// An activity as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    resource_id: Option<&'a str>,
    name: Option<&'a str>,
    time_zone_id: Option<&'a str>,
    campaign_performance: Option<i32>,
    difficulty_type: Option<&'static str>,
    points: i32,
    #[serde(rename = "ActionTime")]
    action_time: String,
    #[serde(rename = "ActionTimeWithDay")]
    action_time_with_day: String,
    training_type: Option<&'a str>,
    category_description: Option<&'a str>,
    result: Option<&'a str>,
    campaign_type: Option<&'a str>,
    product_type: Option<&'static str>,
    #[serde(rename = "ActionType")]
    action_type: Option<&'static str>,
    point_rule: PointRule<'a>,
}

/// Where an activity's points come from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PointRule<'a> {
    /// None if the points came with the activity.
    rule_name: Option<&'a str>,
    earned: bool,
    lost_points: u32,
    rule_point: Option<i32>,
    last_point: i32,
}

/// The names of a row's columns, those of the rule at the end.
pub(super) const ROW_COLUMNS: [&str; 19] = [
    "resourceId",
    "name",
    "timeZoneId",
    "campaignPerformance",
    "difficultyType",
    "points",
    "ActionTime",
    "ActionTimeWithDay",
    "trainingType",
    "categoryDescription",
    "result",
    "campaignType",
    "productType",
    "ActionType",
    "pointRule.ruleName",
    "pointRule.earned",
    "pointRule.lostPoints",
    "pointRule.rulePoint",
    "pointRule.lastPoint",
];

impl<'a> Row<'a> {
    fn new(row: &'a ActivityRow, zone: &TimeZone) -> Self {
        let campaign = row.campaign.as_deref();
        let text = |text: &'a Option<Box<str>>| text.as_deref();
        Self {
            resource_id: campaign.map(|campaign| &*campaign.resource_id),
            name: campaign.and_then(|campaign| text(&campaign.name)),
            time_zone_id: campaign.and_then(|campaign| text(&campaign.time_zone)),
            campaign_performance: campaign.and_then(|campaign| campaign.performance),
            difficulty_type: row.difficulty.and_then(Difficulty::from_number).map(Difficulty::name),
            points: points(row.points),
            action_time: dates::minute_text(row.at_ms, zone),
            action_time_with_day: dates::day_text(row.at_ms, zone),
            training_type: campaign.and_then(|campaign| text(&campaign.training_type)),
            category_description: campaign.and_then(|campaign| text(&campaign.category)),
            result: campaign.and_then(|campaign| text(&campaign.result)),
            campaign_type: campaign.and_then(|campaign| text(&campaign.kind)),
            product_type: Product::from_number(row.product).map(Product::name),
            action_type: Action::from_number(row.action).map(Action::name),
            point_rule: PointRule::new(row),
        }
    }
}

impl<'a> PointRule<'a> {
    fn new(row: &'a ActivityRow) -> Self {
        let last_point = points(row.points);
        let rule = row.rule.as_ref();
        Self {
            rule_name: rule.map(|(_, name)| &**name),
            earned: last_point >= 0,
            lost_points: last_point.min(0).unsigned_abs(),
            rule_point: rule.map(|(rule_points, _)| points(*rule_points)),
            last_point,
        }
    }
}

#[cfg(test)]
mod tests;
