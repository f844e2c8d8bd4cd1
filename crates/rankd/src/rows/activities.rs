//! Rows of activities: CSV by named columns, or JSON Lines with what the API takes.
//!
//! Invariant: a column that means nothing is refused, so that a misspelt one is not lost. An empty
//! field is a value that is not there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::BufRead;

use rankd_client::{Activity, ActivityAttributes, ActivityCampaign, At};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::RowKind;
use super::csv::Header;
use super::error::{Column, ReadError};
use super::fields::parse_time;
use super::org_rows::{OrgRow, parse_id, parse_integer, parse_object, parse_truth};
use super::records::Records;

/// Before the name of an attribute that has no column of its own.
const OTHER_PREFIX: &str = "attr.";

/// Columns that every file has.
const REQUIRED: [&str; 5] = ["id", "org", "user", "action", "at"];

/// Columns that a file may have, beside `attr.NAME`.
const OPTIONAL: [&str; 18] = [
    "points",
    "possible",
    "value",
    "vacancy_id",
    "product",
    "difficulty",
    "response_seconds",
    "confirmed",
    "failed",
    "test",
    "campaign_id",
    "campaign_name",
    "campaign_type",
    "campaign_performance",
    "campaign_time_zone",
    "campaign_category",
    "campaign_training_type",
    "campaign_result",
];

/// How a stream of activities is to be read.
#[derive(Debug, Clone)]
pub(crate) struct ActivityRows {
    /// Records that start on an earlier line are passed over, unread.
    pub(crate) from_line: u64,
    /// Between the fields of CSV.
    pub(crate) delimiter: u8,
}

/// Where the values are.
pub(crate) struct ActivityColumns {
    named: BTreeMap<&'static str, usize>,
    /// Index and name of every other attribute.
    others: Vec<(usize, String)>,
}

impl RowKind for ActivityRows {
    type Row = OrgRow;
    type Columns = ActivityColumns;

    fn first_line(&self) -> u64 {
        self.from_line
    }

    fn delimiter(&self) -> u8 {
        self.delimiter
    }

    fn columns(&self, header: &Header<'_>) -> Result<ActivityColumns, ReadError> {
        let mut named = BTreeMap::new();
        for column in REQUIRED {
            named.insert(column, header.find(column)?);
        }
        for column in OPTIONAL {
            if let Some(index) = header.find_some(column)? {
                named.insert(column, index);
            }
        }
        let mut others = Vec::new();
        for (index, name) in header.names.iter().enumerate() {
            match name.strip_prefix(OTHER_PREFIX) {
                Some(other) if !other.is_empty() => {
                    header.find(name)?;
                    others.push((index, other.to_owned()));
                }
                _ if named.values().any(|known| *known == index) => {}
                _ => return Err(unknown(header, name)),
            }
        }
        Ok(ActivityColumns { named, others })
    }

    fn csv_row<R: BufRead>(
        &self,
        columns: &ActivityColumns,
        record: &Records<R>,
    ) -> Result<OrgRow, ReadError> {
        let fields = Fields { columns, record };
        let org_id = fields.required("org", parse_id)?;
        let activity = Activity {
            id: fields.required("id", text)?.into(),
            org_id,
            user_id: fields.required("user", parse_id)?,
            action: fields.required("action", text)?.into(),
            occurred_at: At::Ms(fields.required("at", time)?),
            points: fields.optional("points", parse_integer)?,
            possible: fields.optional("possible", parse_integer)?,
            value: fields.optional("value", parse_integer)?,
            attributes: fields.attributes()?,
        };
        OrgRow::new(record.line, org_id, &activity)
    }

    fn json_row(&self, text: &str, line: u64) -> Result<OrgRow, ReadError> {
        let checked: ActivityLine<'_> = parse_object(text, line, "activity")?;
        checked.occurred_at().map_err(|reason| {
            let column = Column::Named("occurredAt".to_owned());
            ReadError::Field { line, column, reason }
        })?;
        let json = RawValue::from_string(text.trim().to_owned()).expect("it was read as JSON");
        OrgRow::of_json(line, checked.org_id, json)
    }
}

/// A line of JSON, looked at closely enough that a mistake is found on its line; it is sent as it
/// is. What the attributes mean is the server's to know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the types of these fields are what is checked")]
struct ActivityLine<'a> {
    id: Cow<'a, str>,
    org_id: u64,
    user_id: u64,
    action: Cow<'a, str>,
    #[serde(borrow)]
    occurred_at: &'a RawValue,
    points: Option<i64>,
    possible: Option<i64>,
    value: Option<i64>,
    attributes: Option<BTreeMap<Cow<'a, str>, serde_json::Value>>,
}

impl ActivityLine<'_> {
    fn occurred_at(&self) -> Result<i64, String> {
        let text = self.occurred_at.get();
        match serde_json::from_str::<String>(text) {
            Ok(text) => time(&text),
            Err(_) => time(text),
        }
    }
}

fn unknown(header: &Header<'_>, name: &str) -> ReadError {
    let known: Vec<_> = REQUIRED.iter().chain(&OPTIONAL).map(|name| format!("`{name}`")).collect();
    ReadError::UnknownColumn {
        line: header.line,
        column: name.to_owned(),
        known: format!("{}, and `{OTHER_PREFIX}NAME` for any other attribute", known.join(", ")),
    }
}

fn text(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("the field is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn time(text: &str) -> Result<i64, String> {
    parse_time(text)?.ok_or_else(|| "the time is empty".to_owned())
}

/// The fields of a record, by the names of their columns.
struct Fields<'a, R> {
    columns: &'a ActivityColumns,
    record: &'a Records<R>,
}

impl<'a, R: BufRead> Fields<'a, R> {
    fn required<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ReadError> {
        let index = self.columns.named.get(column).copied();
        let index = index.expect("the header was checked for every required column");
        parse(self.record.text(index)).map_err(self.record.fault(index))
    }

    fn optional<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<Option<T>, String>,
    ) -> Result<Option<T>, ReadError> {
        match self.columns.named.get(column) {
            Some(&index) => parse(self.record.text(index)).map_err(self.record.fault(index)),
            None => Ok(None),
        }
    }

    fn text(&self, column: &'static str) -> Option<Cow<'a, str>> {
        let text = self.columns.named.get(column).map(|index| self.record.text(*index));
        text.filter(|text| !text.is_empty()).map(Cow::Borrowed)
    }

    fn attributes(&self) -> Result<ActivityAttributes<'a>, ReadError> {
        let others = self.columns.others.iter().map(|(index, name)| {
            (Cow::Borrowed(name.as_str()), Cow::Borrowed(self.record.text(*index)))
        });
        Ok(ActivityAttributes {
            vacancy_id: self.text("vacancy_id"),
            product: self.text("product"),
            difficulty: self.text("difficulty"),
            response_seconds: self.optional("response_seconds", parse_integer)?,
            confirmed: self.optional("confirmed", parse_truth)?,
            failed: self.optional("failed", parse_truth)?,
            test: self.optional("test", parse_truth)?,
            campaign: self.campaign()?,
            others: others.filter(|(_, value)| !value.is_empty()).collect(),
        })
    }

    /// The campaign, which there is if it has an identifier; without one, nothing else may be said
    /// of it.
    fn campaign(&self) -> Result<Option<ActivityCampaign<'a>>, ReadError> {
        let campaign = ActivityCampaign {
            resource_id: self.text("campaign_id").unwrap_or_default(),
            name: self.text("campaign_name"),
            kind: self.text("campaign_type"),
            performance: self.optional("campaign_performance", parse_integer)?,
            time_zone_id: self.text("campaign_time_zone"),
            category: self.text("campaign_category"),
            training_type: self.text("campaign_training_type"),
            result: self.text("campaign_result"),
        };
        if !campaign.resource_id.is_empty() {
            return Ok(Some(campaign));
        }
        if campaign == ActivityCampaign::default() {
            return Ok(None);
        }
        Err(ReadError::Field {
            line: self.record.line,
            column: Column::Named("campaign_id".to_owned()),
            reason: "the field is empty, and there is more about the campaign".to_owned(),
        })
    }
}
