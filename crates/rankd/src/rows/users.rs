//! Rows of users: CSV, where every column that is not the id is an entry of the profile, or JSON
//! Lines with what the API takes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::BufRead;

use rankd_client::User;
use serde::Deserialize;

use super::RowKind;
use super::csv::Header;
use super::error::{Column, ReadError};
use super::org_rows::{OrgRow, parse_id, parse_object};
use super::records::Records;

/// Columns whose entries of the profile are written in another way.
const PROFILE_NAMES: [(&str, &str); 5] = [
    ("first_name", "firstName"),
    ("last_name", "lastName"),
    ("preferred_language", "preferredLanguage"),
    ("profile_url", "profileUrl"),
    ("profile_picture", "profilePicture"),
];

/// How a stream of users is to be read.
#[derive(Debug, Clone)]
pub(crate) struct UserRows {
    /// The home of users whose row names none.
    pub(crate) org: Option<u64>,
    /// Records that start on an earlier line are passed over, unread.
    pub(crate) from_line: u64,
    /// Between the fields of CSV.
    pub(crate) delimiter: u8,
}

/// Where the values are.
pub(crate) struct UserColumns {
    id: usize,
    org: Option<usize>,
    resource_id: Option<usize>,
    profile: Vec<(usize, String)>,
}

/// A line of JSON: a user, and its home.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserLine<'a> {
    org: Option<u64>,
    user: u64,
    resource_id: Option<Cow<'a, str>>,
    #[serde(default)]
    profile: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl RowKind for UserRows {
    type Row = OrgRow;
    type Columns = UserColumns;

    fn first_line(&self) -> u64 {
        self.from_line
    }

    fn delimiter(&self) -> u8 {
        self.delimiter
    }

    fn columns(&self, header: &Header<'_>) -> Result<UserColumns, ReadError> {
        let id = header.find("id")?;
        let resource_id = header.find_some("resource_id")?;
        let org =
            if self.org.is_some() { header.find_some("org")? } else { Some(header.find("org")?) };
        let mut profile = Vec::new();
        for (index, name) in header.names.iter().enumerate() {
            header.find(name)?;
            if index != id && Some(index) != resource_id && Some(index) != org {
                profile.push((index, profile_name(name).to_owned()));
            }
        }
        Ok(UserColumns { id, org, resource_id, profile })
    }

    fn csv_row<R: BufRead>(
        &self,
        columns: &UserColumns,
        record: &Records<R>,
    ) -> Result<OrgRow, ReadError> {
        let named = match columns.org {
            Some(index) if !record.text(index).trim().is_empty() || self.org.is_none() => {
                Some(parse_id(record.text(index)).map_err(record.fault(index))?)
            }
            _ => None,
        };
        let id = parse_id(record.text(columns.id)).map_err(record.fault(columns.id))?;
        let resource_id = columns.resource_id.map(|index| record.text(index));
        let entries = columns.profile.iter().map(|(index, name)| {
            (Cow::Borrowed(name.as_str()), Cow::Borrowed(record.text(*index)))
        });
        let user = User {
            user: id,
            resource_id: resource_id.filter(|text| !text.is_empty()).map(Cow::Borrowed),
            profile: entries.filter(|(_, value)| !value.is_empty()).collect(),
        };
        self.row(record.line, named, &user)
    }

    fn json_row(&self, text: &str, line: u64) -> Result<OrgRow, ReadError> {
        let UserLine { org, user, resource_id, profile } = parse_object(text, line, "user")?;
        self.row(line, org, &User { user, resource_id, profile })
    }
}

impl UserRows {
    fn row(&self, line: u64, named: Option<u64>, user: &User<'_>) -> Result<OrgRow, ReadError> {
        let Some(org) = named.or(self.org) else {
            return Err(ReadError::Field {
                line,
                column: Column::Named("org".to_owned()),
                reason: "there is no such value; --org ID is for users without it".to_owned(),
            });
        };
        OrgRow::new(line, org, user)
    }
}

/// What an entry of the profile is called whose column has this name.
fn profile_name(column: &str) -> &str {
    let known = PROFILE_NAMES.iter().find(|(name, _)| *name == column);
    known.map_or(column, |(_, name)| name)
}
