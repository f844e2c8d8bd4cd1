//! Rows that the organisations' API takes as they are: their JSON, with where it came from.

use rankd_orgs::limits::{BATCH_INTENTS_MAX, ID_MAX};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_json::value::{RawValue, to_raw_value};

use super::RowData;
use super::error::{ITEM_BYTES_MAX, ReadError, shown};
use super::jsonl::json_reason;

/// A row: an activity or a user.
#[derive(Debug)]
pub(crate) struct OrgRow {
    /// Line on which the record starts, from 1.
    pub(crate) line: u64,
    /// The organisation.
    pub(crate) org: u64,
    /// What is sent.
    pub(crate) json: Box<RawValue>,
}

impl RowData for OrgRow {
    /// What the API takes in one call.
    const BATCH_ROWS_MAX: usize = BATCH_INTENTS_MAX;
    /// Of JSON: with one more row, it is well below the 8 MiB that the API takes.
    const BATCH_WEIGHT_MAX: usize = 4 * 1024 * 1024;

    fn line(&self) -> u64 {
        self.line
    }

    fn weight(&self) -> usize {
        self.json.get().len()
    }
}

impl OrgRow {
    /// The row of an item that is sent as JSON.
    pub(super) fn new(line: u64, org: u64, item: &impl Serialize) -> Result<Self, ReadError> {
        let json = to_raw_value(item).map_err(|error| ReadError::Item {
            line,
            what: "row that JSON can carry",
            reason: error.to_string(),
        })?;
        Self::of_json(line, org, json)
    }

    /// The row of JSON that is sent as it is.
    pub(super) fn of_json(line: u64, org: u64, json: Box<RawValue>) -> Result<Self, ReadError> {
        match json.get().len() {
            0..=ITEM_BYTES_MAX => Ok(Self { line, org, json }),
            bytes => Err(ReadError::ItemTooLong { line, bytes }),
        }
    }
}

/// The object that a line is. A list is none, even if its items would fit the object's values.
pub(super) fn parse_object<'a, T: Deserialize<'a>>(
    text: &'a str,
    line: u64,
    what: &'static str,
) -> Result<T, ReadError> {
    if !text.trim_start().starts_with('{') {
        return Err(ReadError::Json { line, reason: format!("it is `{}`", shown(text)) });
    }
    serde_json::from_str(text).map_err(|error| {
        let reason = json_reason(&error);
        match error.classify() {
            Category::Data => ReadError::Item { line, what, reason },
            _ => ReadError::Json { line, reason },
        }
    })
}

/// The identifier that `text` is.
pub(super) fn parse_id(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let id = text.parse().ok().filter(|id| (1..=ID_MAX).contains(id));
    id.ok_or_else(|| format!("`{}` is not an identifier: a number from 1 to {ID_MAX}", shown(text)))
}

/// The whole number that `text` is; nothing if it is blank.
pub(super) fn parse_integer(text: &str) -> Result<Option<i64>, String> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("`{}` is not a whole number", shown(text))),
        },
    }
}

/// The truth value that `text` is; nothing if it is blank.
pub(super) fn parse_truth(text: &str) -> Result<Option<bool>, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "true" | "yes" | "1" => Ok(Some(true)),
        "false" | "no" | "0" => Ok(Some(false)),
        _ => Err(format!("`{}` is neither true nor false", shown(text))),
    }
}
