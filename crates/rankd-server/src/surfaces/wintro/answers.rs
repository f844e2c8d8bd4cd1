//! The answers' shapes. The order of the fields is that of the API's published samples.

use chrono::{DateTime, SecondsFormat, Utc};
use rankd_orgs::{BoardRow, MonthBoard};
use serde::Serialize;

use super::params::Params;

/// The ranked list.
#[derive(Serialize)]
pub(super) struct Flat<'a> {
    data: Vec<Entry<'a>>,
    meta: FlatMeta,
}

/// The best of each month.
#[derive(Serialize)]
pub(super) struct Monthly<'a> {
    data: MonthlyData<'a>,
    meta: MonthlyMeta,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    user_id: u64,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    profile_url: Option<&'a str>,
    profile_picture: Option<&'a str>,
    refer_count: u64,
    recommend_count: u64,
    total_points: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlatMeta {
    period_days: u32,
    generated_at: String,
    pagination: Pagination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MonthlyData<'a> {
    monthly: Vec<Month<'a>>,
    top_overall: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Month<'a> {
    month: String,
    entries: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MonthlyMeta {
    period_days: u32,
    limit: usize,
    group_by: &'static str,
    generated_at: String,
    pagination: Pagination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    page: u32,
    page_size: usize,
    total_items: u64,
    total_pages: u64,
}

impl<'a> Flat<'a> {
    pub(super) fn new(params: &Params, now_ms: i64, total: u64, rows: &'a [BoardRow]) -> Self {
        Self {
            data: entries(rows),
            meta: FlatMeta {
                period_days: params.period_days,
                generated_at: iso(now_ms),
                pagination: Pagination::new(params, total),
            },
        }
    }
}

impl<'a> Monthly<'a> {
    pub(super) fn new(
        params: &Params,
        now_ms: i64,
        total: u64,
        months: &'a [MonthBoard],
        top: &'a [BoardRow],
    ) -> Self {
        let monthly = months.iter().map(|board| Month {
            month: format!("{:04}-{:02}", board.year, board.month),
            entries: entries(&board.rows),
        });
        Self {
            data: MonthlyData { monthly: monthly.collect(), top_overall: entries(top) },
            meta: MonthlyMeta {
                period_days: params.period_days,
                limit: params.limit,
                group_by: "month",
                generated_at: iso(now_ms),
                pagination: Pagination::new(params, total),
            },
        }
    }
}

impl Pagination {
    fn new(params: &Params, total_items: u64) -> Self {
        let total_pages = total_items.div_ceil(params.page_size as u64);
        Self { page: params.page, page_size: params.page_size, total_items, total_pages }
    }
}

fn entries(rows: &[BoardRow]) -> Vec<Entry<'_>> {
    rows.iter().map(entry).collect()
}

fn entry(BoardRow { user, tally, .. }: &BoardRow) -> Entry<'_> {
    let text = |key: &str| user.profile.get(key).map(|text| &**text);
    Entry {
        user_id: user.id.0,
        first_name: text("firstName"),
        last_name: text("lastName"),
        profile_url: text("profileUrl"),
        profile_picture: text("profilePicture"),
        refer_count: tally.referrals,
        recommend_count: tally.recommendations,
        total_points: tally.score,
    }
}

/// ISO 8601 in UTC, always with milliseconds.
fn iso(ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_always_have_milliseconds() {
        assert_eq!(iso(1_773_662_400_000), "2026-03-16T12:00:00.000Z");
        assert_eq!(iso(1_773_662_400_007), "2026-03-16T12:00:00.007Z");
    }
}
