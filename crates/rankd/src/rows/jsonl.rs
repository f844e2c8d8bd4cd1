//! JSON Lines: one object a line, with the values under the names of the columns.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{Column, ReadError, check_utf8, shown};
use super::fields::{check_member, parse_score, parse_time};
use super::lines::{Lines, without_newline};
use super::{ReadOptions, Row, TIME_COLUMNS};

/// Rows of a JSON Lines stream.
pub(crate) struct JsonlRows<R> {
    lines: Lines<R>,
    options: ReadOptions,
    raw: Vec<u8>,
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

impl<R: BufRead> JsonlRows<R> {
    pub(crate) fn new(input: R, options: ReadOptions) -> Self {
        Self { lines: Lines::new(input), options, raw: Vec::new() }
    }

    pub(super) fn asked_line(&self) -> u64 {
        self.options.from_line
    }

    pub(super) fn last_line(&self) -> u64 {
        self.lines.count
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.lines.bytes
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        loop {
            self.raw.clear();
            let offset = self.lines.bytes;
            match self.lines.append_next(&mut self.raw) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => return Some(Err(error)),
            }
            if self.lines.count >= self.options.from_line
                && !without_newline(&self.raw).trim_ascii().is_empty()
            {
                return Some(self.row(offset));
            }
        }
    }

    fn row(&self, offset: u64) -> Result<Row, ReadError> {
        let line = self.lines.count;
        let text = check_utf8(without_newline(&self.raw), line, offset)?;
        let text = if line == 1 { text.trim_start_matches('\u{FEFF}') } else { text };
        let object: Object<'_> = serde_json::from_str(text)
            .map_err(|error| ReadError::Json { line, reason: json_reason(&error) })?;
        let fault = |column: &str| {
            let column = Column::Named(column.to_owned());
            move |reason| ReadError::Field { line, column, reason }
        };
        if let Some(key) = &object.repeated_key {
            return Err(fault(key)("the object has this key twice".to_owned()));
        }
        let options = &self.options;
        let member =
            member(&object, &options.member_column).map_err(fault(&options.member_column))?;
        let score = required(&object, &options.score_column)
            .and_then(number_text)
            .and_then(|text| parse_score(&text, options.kind))
            .map_err(fault(&options.score_column))?;
        let (column, at) = self.time(&object);
        let at_ms = match at {
            Some(value) => time(value).map_err(fault(column))?,
            None => None,
        };
        Ok(Row { line, member, score, at_ms })
    }

    /// The value that holds the time, and its name. A column that was asked for may be absent,
    /// since JSON has no other way to leave a value out.
    fn time<'a>(&'a self, object: &Object<'a>) -> (&'a str, Option<&'a RawValue>) {
        let get = |column: &'a str| (column, object.get(column));
        match &self.options.time_column {
            Some(column) => get(column),
            None => {
                let mut found = TIME_COLUMNS.into_iter().map(get);
                found.find(|(_, value)| value.is_some()).unwrap_or(("at", None))
            }
        }
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

/// The message of a JSON error without its line, which is always 1 here.
fn json_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    format!("{reason} (column {})", error.column())
}
