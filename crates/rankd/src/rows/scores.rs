//! Rows of scores: member, score and time, by the names of their columns or keys.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::io::BufRead;

use rankd_engine::limits::BATCH_INTENTS_MAX;
use rankd_engine::{Score, ScoreKind};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::csv::Header;
use super::error::{Column, ReadError, shown};
use super::fields::{check_member, parse_score, parse_time};
use super::jsonl::json_reason;
use super::records::Records;
use super::{RowData, RowKind};

/// The columns that hold the time if nobody says which does.
const TIME_COLUMNS: [&str; 2] = ["at", "time"];

/// One row, checked against the limits of names, times and the board's kind of score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Line on which the record starts, from 1.
    pub(crate) line: u64,
    pub(crate) member: String,
    pub(crate) score: Score,
    /// Milliseconds since 1970, UTC.
    pub(crate) at_ms: Option<i64>,
}

impl RowData for Row {
    /// What the API takes in one call.
    const BATCH_ROWS_MAX: usize = BATCH_INTENTS_MAX;
    /// Of member names. Escaped as JSON they grow sixfold at worst, which leaves the body below
    /// the 16 MiB that the API takes.
    const BATCH_WEIGHT_MAX: usize = 2 * 1024 * 1024;

    fn line(&self) -> u64 {
        self.line
    }

    fn weight(&self) -> usize {
        self.member.len()
    }
}

/// How a stream of scores is to be read.
#[derive(Debug, Clone)]
pub(crate) struct ReadOptions {
    pub(crate) member_column: String,
    pub(crate) score_column: String,
    /// `None`: `at` or `time`, if there is such a column.
    pub(crate) time_column: Option<String>,
    /// Records that start on an earlier line are passed over, unread.
    pub(crate) from_line: u64,
    /// The board's kind of score.
    pub(crate) kind: ScoreKind,
    /// Between the fields of CSV.
    pub(crate) delimiter: u8,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            member_column: "member".to_owned(),
            score_column: "score".to_owned(),
            time_column: None,
            from_line: 1,
            kind: ScoreKind::Integer,
            delimiter: b',',
        }
    }
}

/// Where the values are.
pub(crate) struct ScoreColumns {
    member: usize,
    score: usize,
    time: Option<usize>,
}

impl RowKind for ReadOptions {
    type Row = Row;
    type Columns = ScoreColumns;

    fn first_line(&self) -> u64 {
        self.from_line
    }

    fn delimiter(&self) -> u8 {
        self.delimiter
    }

    fn columns(&self, header: &Header<'_>) -> Result<ScoreColumns, ReadError> {
        Ok(ScoreColumns {
            member: header.find(&self.member_column)?,
            score: header.find(&self.score_column)?,
            time: match &self.time_column {
                Some(column) => Some(header.find(column)?),
                None => header.find_first(&TIME_COLUMNS)?,
            },
        })
    }

    fn csv_row<R: BufRead>(
        &self,
        columns: &ScoreColumns,
        record: &Records<R>,
    ) -> Result<Row, ReadError> {
        let member = record.text(columns.member);
        check_member(member).map_err(record.fault(columns.member))?;
        let score = parse_score(record.text(columns.score), self.kind)
            .map_err(record.fault(columns.score))?;
        let at_ms = match columns.time {
            Some(index) => parse_time(record.text(index)).map_err(record.fault(index))?,
            None => None,
        };
        Ok(Row { line: record.line, member: member.to_owned(), score, at_ms })
    }

    fn json_row(&self, text: &str, line: u64) -> Result<Row, ReadError> {
        let object: Object<'_> = serde_json::from_str(text)
            .map_err(|error| ReadError::Json { line, reason: json_reason(&error) })?;
        let fault = |column: &str| {
            let column = Column::Named(column.to_owned());
            move |reason| ReadError::Field { line, column, reason }
        };
        if let Some(key) = &object.repeated_key {
            return Err(fault(key)("the object has this key twice".to_owned()));
        }
        let member = member(&object, &self.member_column).map_err(fault(&self.member_column))?;
        let score = required(&object, &self.score_column)
            .and_then(number_text)
            .and_then(|text| parse_score(&text, self.kind))
            .map_err(fault(&self.score_column))?;
        let (column, at) = self.time(&object);
        let at_ms = match at {
            Some(value) => time(value).map_err(fault(column))?,
            None => None,
        };
        Ok(Row { line, member, score, at_ms })
    }
}

impl ReadOptions {
    /// The value that holds the time, and its name. A column that was asked for may be absent,
    /// since JSON has no other way to leave a value out.
    fn time<'a>(&'a self, object: &Object<'a>) -> (&'a str, Option<&'a RawValue>) {
        let get = |column: &'a str| (column, object.get(column));
        match &self.time_column {
            Some(column) => get(column),
            None => {
                let mut found = TIME_COLUMNS.into_iter().map(get);
                found.find(|(_, value)| value.is_some()).unwrap_or(("at", None))
            }
        }
    }
}

/// The values of an object as they were written.
#[derive(Default)]
struct Object<'a> {
    values: HashMap<String, &'a RawValue>,
    /// The first key that is there twice: which of its values is meant, nobody can tell.
    repeated_key: Option<String>,
}

impl<'a> Object<'a> {
    fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.values.get(key).copied()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut object = Object::default();
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            match object.values.entry(key) {
                Entry::Vacant(vacant) => {
                    vacant.insert(value);
                }
                Entry::Occupied(first) => {
                    object.repeated_key.get_or_insert_with(|| first.key().clone());
                }
            }
        }
        Ok(object)
    }
}

fn required<'a>(object: &Object<'a>, column: &str) -> Result<&'a RawValue, String> {
    object.get(column).ok_or_else(|| {
        let mut names: Vec<_> =
            object.values.keys().map(|name| format!("`{}`", shown(name))).collect();
        names.sort_unstable();
        match names.as_slice() {
            [] => "there is no such value; the object is empty".to_owned(),
            names => format!("there is no such value; the object has {}", names.join(", ")),
        }
    })
}

fn member(object: &Object<'_>, column: &str) -> Result<String, String> {
    let value = required(object, column)?;
    let member: String = serde_json::from_str(value.get())
        .map_err(|_| format!("`{}` is not a JSON string", shown(value.get())))?;
    check_member(&member)?;
    Ok(member)
}

/// The text of a JSON number, or of the strings that stand for the infinities.
fn number_text(value: &RawValue) -> Result<String, String> {
    match value.get() {
        "\"inf\"" => Ok("inf".to_owned()),
        "\"-inf\"" => Ok("-inf".to_owned()),
        text if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => Ok(text.to_owned()),
        text => Err(format!("`{}` is not a JSON number", shown(text))),
    }
}

/// The time in a JSON string, a JSON number or `null`.
fn time(value: &RawValue) -> Result<Option<i64>, String> {
    if value.get() == "null" {
        return Ok(None);
    }
    match serde_json::from_str::<String>(value.get()) {
        Ok(text) => parse_time(&text),
        Err(_) => parse_time(value.get()),
    }
}
