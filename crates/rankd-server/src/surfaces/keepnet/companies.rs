//! `POST /api/companies/search`: the companies that a reseller manages, with their licences.
//!
//! What it is not: an answer of one moment; each company is read on its own.
//!
//! Invariant: only organisations below the reseller's own are looked at. Cost: all of them are
//! looked through; the activity of the last month is summed for the companies of the page alone.

use std::cmp::Ordering;

use jiff::tz::TimeZone;
use rankd_orgs::{OrgId, OrgView, Orgs};
use serde::Serialize;

use super::body::Fields;
use super::envelope::Problems;
use super::limits::{PAGE_NUMBER_MAX, PAGE_ROWS_MAX};
use super::page::{Page, PageOf};
use super::{auth, board, dates, window};
use crate::problem::shown;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    page: Page,
    order: Order,
    ascending: bool,
    /// Only companies with more users than are licensed.
    only_exceeded: bool,
    /// In lower case; part of the name.
    search: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    CreateTime,
    CompanyName,
    LicenseEndDate,
    TargetUserCount,
    NumberOfUsers,
}

const ORDERS: [(&str, Order); 5] = [
    ("CreateTime", Order::CreateTime),
    ("CompanyName", Order::CompanyName),
    ("LicenseEndDate", Order::LicenseEndDate),
    ("TargetUserCount", Order::TargetUserCount),
    ("NumberOfUsers", Order::NumberOfUsers),
];

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    limit_exceeded_company_count: usize,
    #[serde(flatten)]
    page: PageOf<Company>,
}

/// A company as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Company {
    company_name: String,
    company_resource_id: String,
    resource_id: String,
    reseller_name: Option<String>,
    industry_name: Option<String>,
    industry_resource_id: Option<String>,
    license_type_name: Option<String>,
    license_type_resource_id: Option<String>,
    is_number_of_users_limited: bool,
    number_of_users: String,
    privacy_duration_id: i64,
    licence_expired: bool,
    license_end_date: Option<String>,
    create_time: String,
    target_user_count: u64,
    children: [(); 0],
    tags: Vec<String>,
    deleted_target_user_count: u64,
    inactive_target_user_count: u64,
    monthly_active_user_count: u64,
}

impl Asked {
    /// Reads the body of a request.
    pub(super) fn read(fields: &Fields<'_>, problems: &mut Problems) -> Option<Self> {
        let number = fields.required(
            "pageNumber",
            |fields, problems| fields.integer("pageNumber", 1, PAGE_NUMBER_MAX, problems),
            problems,
        );
        let size = fields.required(
            "pageSize",
            |fields, problems| fields.integer("pageSize", 1, PAGE_ROWS_MAX, problems),
            problems,
        );
        let order = fields.required("orderBy", Order::read, problems);
        let ascending = fields.required(
            "ascending",
            |fields, problems| fields.boolean("ascending", problems),
            problems,
        );
        let only_exceeded = fields.boolean("isTargetUserCountExceededLimit", problems);
        let search = fields.object("filter", problems).and_then(|filter| {
            Fields::below(filter, "filter.").text("searchInputTextValue", problems)
        });
        Some(Self {
            page: Page { number: number?, size: size? },
            order: order?,
            ascending: ascending?,
            only_exceeded: only_exceeded.unwrap_or(false),
            search: search.unwrap_or_default().to_lowercase(),
        })
    }

    fn accepts(&self, org: &OrgView) -> bool {
        (!self.only_exceeded || is_exceeded(org))
            && (self.search.is_empty() || org.spec.name.to_lowercase().contains(&self.search))
    }

    /// Ties are broken by id, whichever way the companies are sorted.
    fn compare(&self, a: &OrgView, b: &OrgView) -> Ordering {
        let order = self.order.compare(a, b);
        let order = if self.ascending { order } else { order.reverse() };
        order.then(a.id.cmp(&b.id))
    }
}

impl Order {
    fn read(fields: &Fields<'_>, problems: &mut Problems) -> Option<Self> {
        let text = fields.text("orderBy", problems)?;
        let known = ORDERS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        if known.is_none() {
            let names = ORDERS.map(|(name, _)| name).join(", ");
            problems.add(format!("orderBy is {:?}; it must be one of {names}", shown(text)));
        }
        known.map(|(_, order)| *order)
    }

    fn compare(self, a: &OrgView, b: &OrgView) -> Ordering {
        match self {
            Self::CreateTime => a.created_ms.cmp(&b.created_ms),
            Self::CompanyName => a.spec.name.to_lowercase().cmp(&b.spec.name.to_lowercase()),
            Self::LicenseEndDate => {
                // A licence without an end outlasts all others.
                let ends = |org: &OrgView| org.spec.licence.ends_ms.unwrap_or(i64::MAX);
                ends(a).cmp(&ends(b))
            }
            Self::TargetUserCount => a.users.cmp(&b.users),
            Self::NumberOfUsers => a.spec.licence.users_max.cmp(&b.spec.licence.users_max),
        }
    }
}

/// The page of companies below `reseller` that is asked for.
pub(super) fn search(orgs: &Orgs, reseller: OrgId, asked: &Asked, now_ms: i64) -> Answer {
    let managed = orgs.descendants(reseller);
    let managed: Vec<_> = managed.into_iter().filter_map(|org| orgs.org(org)).collect();
    let exceeded = managed.iter().filter(|org| is_exceeded(org)).count();
    let mut matching: Vec<_> = managed.into_iter().filter(|org| asked.accepts(org)).collect();
    matching.sort_unstable_by(|a, b| asked.compare(a, b));
    let total = matching.len() as u64;
    let offset = usize::try_from(asked.page.offset()).unwrap_or(usize::MAX);
    let page = matching.iter().skip(offset).take(asked.page.rows_max());
    let results = page.map(|org| Company::new(orgs, org, now_ms)).collect();
    Answer { limit_exceeded_company_count: exceeded, page: PageOf::new(asked.page, total, results) }
}

/// Whether a company has more users than it has licences.
fn is_exceeded(org: &OrgView) -> bool {
    org.spec.licence.is_users_limited && org.users > org.spec.licence.users_max
}

impl Company {
    fn new(orgs: &Orgs, org: &OrgView, now_ms: i64) -> Self {
        let (spec, licence) = (&org.spec, &org.spec.licence);
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let reseller = spec.parent.and_then(|parent| orgs.org(parent));
        Self {
            company_name: spec.name.to_string(),
            company_resource_id: spec.resource_id.to_string(),
            resource_id: spec.resource_id.to_string(),
            reseller_name: reseller.map(|reseller| reseller.spec.name.to_string()),
            industry_name: text(&licence.industry_name),
            industry_resource_id: text(&licence.industry_resource_id),
            license_type_name: text(&licence.type_name),
            license_type_resource_id: text(&licence.type_resource_id),
            is_number_of_users_limited: licence.is_users_limited,
            number_of_users: licence.users_max.to_string(),
            privacy_duration_id: licence.privacy_duration_id,
            licence_expired: licence.ends_ms.is_some_and(|ends_ms| ends_ms < now_ms),
            license_end_date: licence.ends_ms.map(dates::utc_text),
            create_time: dates::utc_text(org.created_ms),
            target_user_count: org.users,
            children: [],
            tags: licence.tags.iter().map(ToString::to_string).collect(),
            deleted_target_user_count: licence.deleted_users,
            inactive_target_user_count: licence.inactive_users,
            monthly_active_user_count: monthly_active(orgs, org, &auth::zone(org), now_ms),
        }
    }
}

/// Users with activity in the last month.
fn monthly_active(orgs: &Orgs, org: &OrgView, zone: &TimeZone, now_ms: i64) -> u64 {
    let month = window::last_month(zone, now_ms);
    board::of(orgs, org.id, month, now_ms).map_or(0, |board| board.total())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rankd_orgs::{Licence, OrgSpec};
    use serde_json::{Value, json};

    use super::*;
    use crate::surfaces::keepnet::envelope::Refusal;

    fn read(body: Value) -> Result<Asked, Vec<String>> {
        let Value::Object(body) = body else { panic!("no object") };
        let body = body.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        let mut problems = Problems::default();
        let asked = Asked::read(&Fields::new(&body), &mut problems);
        match problems.check() {
            Ok(()) => Ok(asked.unwrap()),
            Err(Refusal::Input(lines)) => Err(lines),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_missing_or_wrong_field_has_its_line() {
        let lines = read(json!({})).unwrap_err();
        let names = ["pageNumber", "pageSize", "orderBy", "ascending"];
        assert_eq!(lines, names.map(|name| format!("{name} is required")));
        let wrong = json!({"pageNumber": 0, "pageSize": 1001, "orderBy": "Name", "ascending": "no",
            "isTargetUserCountExceededLimit": 1, "filter": []});
        let lines = read(wrong).unwrap_err();
        assert_eq!(lines.len(), 6, "{lines:?}");
        assert!(lines[2].contains("CompanyName"), "{lines:?}");
    }

    fn org(id: u64, name: &str, users: u64, users_max: u64, ends_ms: Option<i64>) -> OrgView {
        let licence = Licence { is_users_limited: true, users_max, ends_ms, ..Licence::default() };
        let spec = OrgSpec {
            parent: Some(OrgId(1)),
            resource_id: format!("c{id}").into(),
            name: name.into(),
            time_zone: "UTC".into(),
            leaderboards_enabled: true,
            enrichment_fields: Vec::new(),
            licence,
        };
        OrgView {
            id: OrgId(id),
            root: OrgId(1),
            spec: Arc::new(spec),
            created_ms: 100 - i64::try_from(id).unwrap(),
            ingested_ms: 0,
            users,
            activities: 0,
            version: 0,
        }
    }

    #[test]
    fn companies_are_sorted_by_any_column_and_ties_by_id() {
        let orgs = [
            org(2, "beta", 5, 9, Some(7)),
            org(3, "Alpha", 9, 9, None),
            org(4, "alpha", 10, 9, Some(6)),
        ];
        let sorted = |order: &str, ascending: bool| {
            let body = json!({"pageNumber": 1, "pageSize": 9, "orderBy": order,
                "ascending": ascending});
            let asked = read(body).unwrap();
            let mut orgs = orgs.to_vec();
            orgs.sort_unstable_by(|a, b| asked.compare(a, b));
            orgs.iter().map(|org| org.id.0).collect::<Vec<_>>()
        };
        assert_eq!(sorted("createtime", true), [4, 3, 2]);
        assert_eq!(sorted("CompanyName", true), [3, 4, 2]);
        assert_eq!(sorted("CompanyName", false), [2, 3, 4]);
        assert_eq!(sorted("LicenseEndDate", true), [4, 2, 3]);
        assert_eq!(sorted("TargetUserCount", false), [4, 3, 2]);
        assert_eq!(sorted("NumberOfUsers", false), [2, 3, 4]);
    }

    #[test]
    fn companies_are_found_by_name_and_by_exceeded_licence() {
        let mut body = json!({"pageNumber": 1, "pageSize": 9, "orderBy": "CreateTime",
            "ascending": true, "filter": {"searchinputtextvalue": "WIND"}});
        let asked = read(body.clone()).unwrap();
        assert!(asked.accepts(&org(2, "Northwind Dental", 1, 9, None)));
        assert!(!asked.accepts(&org(2, "Southwest", 1, 9, None)));
        body["isTargetUserCountExceededLimit"] = true.into();
        let asked = read(body).unwrap();
        assert!(!asked.accepts(&org(2, "Northwind", 9, 9, None)));
        assert!(asked.accepts(&org(2, "Northwind", 10, 9, None)));
    }
}
