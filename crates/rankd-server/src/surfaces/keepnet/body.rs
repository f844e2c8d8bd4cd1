//! Request bodies: JSON objects whose property names are matched without regard to ASCII case.
//!
//! What it is not: a check of what a request means; a field reports what is wrong with its type
//! and its range, and the request goes on to its next field, so that an answer names all problems.
//!
//! Invariant: `null` is the same as absent, and of a property given twice the last one counts.
//! Cost: one tree of at most the body's size.

use std::fmt;

use hyper::StatusCode;
use hyper::header::{self, HeaderMap};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::envelope::{Problems, Refusal};
use crate::problem::shown;

/// A JSON object of a request, and where it stands in the body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// Such as `pagination.`; empty for the body itself.
    path: &'a str,
}

/// Reads the body of a request.
///
/// # Errors
/// The media type is not one of JSON, or the body is not a JSON object.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    check_media_type(headers)?;
    if body.is_empty() {
        return Err(Refusal::input("the body is empty; it must be a JSON object, such as {}"));
    }
    match serde_json::from_slice(body) {
        Ok(Folded(Value::Object(object))) => Ok(object),
        Ok(_) => Err(Refusal::input("the body must be a JSON object")),
        Err(error) => Err(Refusal::input(format!("the body is not JSON: {error}"))),
    }
}

/// Saying nothing is fine; a body that says it is something else than JSON is not.
fn check_media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = String::from_utf8_lossy(value.as_bytes());
    if is_json(text.split(';').next().unwrap_or_default().trim()) {
        return Ok(());
    }
    let detail = format!(
        "Content-Type is {:?}; it must be application/json, text/json or application/*+json",
        shown(&text)
    );
    Err(Refusal::Other(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

fn is_json(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    let suffixed = media_type.strip_prefix("application/").and_then(|of| of.strip_suffix("+json"));
    matches!(&*media_type, "application/json" | "text/json")
        || suffixed.is_some_and(|of| !of.is_empty())
}

impl<'a> Fields<'a> {
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        Self { object, path: "" }
    }

    /// The fields of an object below, whose full name is `path` (with a full stop at its end).
    pub(super) fn below(object: &'a Map<String, Value>, path: &'a str) -> Self {
        Self { object, path }
    }

    /// The value of a field, whatever its type.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(&name.to_ascii_lowercase()).filter(|value| !value.is_null())
    }

    /// A field as problems call it.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    pub(super) fn text(&self, name: &str, problems: &mut Problems) -> Option<&'a str> {
        self.typed(name, "a string", Value::as_str, problems)
    }

    pub(super) fn boolean(&self, name: &str, problems: &mut Problems) -> Option<bool> {
        self.typed(name, "true or false", Value::as_bool, problems)
    }

    pub(super) fn list(&self, name: &str, problems: &mut Problems) -> Option<&'a [Value]> {
        self.typed(name, "an array", |value| value.as_array().map(Vec::as_slice), problems)
    }

    pub(super) fn object(
        &self,
        name: &str,
        problems: &mut Problems,
    ) -> Option<&'a Map<String, Value>> {
        self.typed(name, "an object", Value::as_object, problems)
    }

    /// A whole number from `min` to `max`.
    pub(super) fn integer(
        &self,
        name: &str,
        min: u64,
        max: u64,
        problems: &mut Problems,
    ) -> Option<u64> {
        let within = |value: &Value| value.as_u64().filter(|number| (min..=max).contains(number));
        self.typed(name, &format!("an integer between {min} and {max}"), within, problems)
    }

    /// A field that must be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self, &mut Problems) -> Option<T>,
        problems: &mut Problems,
    ) -> Option<T> {
        if self.value(name).is_none() {
            problems.add(format!("{} is required", self.name(name)));
            return None;
        }
        read(self, problems)
    }

    fn typed<T>(
        &self,
        name: &str,
        must: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        problems: &mut Problems,
    ) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value);
        if read.is_none() {
            problems.add(format!("{} must be {must}", self.name(name)));
        }
        read
    }
}

/// JSON with the names of all properties in ASCII lower case.
struct Folded(Value);

impl<'de> Deserialize<'de> for Folded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Folding).map(Self)
    }
}

struct Folding;

impl<'de> Visitor<'de> for Folding {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Folded(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Folded(value))) = entries.next_entry::<String, Folded>()? {
            object.insert(name.to_ascii_lowercase(), value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn parsed(body: &str) -> Result<Map<String, Value>, Refusal> {
        parse(&HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn names_are_matched_without_regard_to_case_at_every_depth() {
        let body = parsed(r#"{"Filter":{"CONDITION":"AND","filterGroups":[{"FilterItems":[]}]}}"#);
        let expected = json!({"filter":{"condition":"AND","filtergroups":[{"filteritems":[]}]}});
        assert_eq!(Value::Object(body.unwrap()), expected);
    }

    #[test]
    fn the_last_of_two_counts_and_null_is_absent() {
        let body = parsed(r#"{"PageSize":1,"pagesize":2,"a":1,"A":null}"#).unwrap();
        let fields = Fields::new(&body);
        let mut problems = Problems::default();
        assert_eq!(fields.integer("pageSize", 1, 9, &mut problems), Some(2));
        assert_eq!(fields.value("a"), None);
        assert_eq!(problems.check(), Ok(()));
    }

    #[test]
    fn numbers_keep_their_type() {
        let body = parsed(r#"{"a":1,"b":-1,"c":1.5,"d":1e2,"e":18446744073709551615}"#).unwrap();
        let fields = Fields::new(&body);
        let mut problems = Problems::default();
        let mut integer = |name| fields.integer(name, 0, u64::MAX, &mut problems);
        assert_eq!((integer("a"), integer("e")), (Some(1), Some(u64::MAX)));
        assert_eq!((integer("b"), integer("c"), integer("d")), (None, None, None));
        let Err(Refusal::Input(lines)) = problems.check() else { panic!("no problems") };
        assert!(lines[0].starts_with("b must be an integer between 0 and "), "{lines:?}");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn problems_name_the_field_and_where_it_stands() {
        let body = parsed(r#"{"pagination":{"ascending":1}}"#).unwrap();
        let fields = Fields::new(&body);
        let mut problems = Problems::default();
        let inner = fields.object("pagination", &mut problems).unwrap();
        let inner = Fields::below(inner, "pagination.");
        assert_eq!(inner.boolean("ascending", &mut problems), None);
        assert_eq!(inner.required("pageSize", |_, _| Some(1), &mut problems), None);
        let lines =
            ["pagination.ascending must be true or false", "pagination.pageSize is required"];
        assert_eq!(problems.check(), Err(Refusal::Input(lines.map(str::to_owned).to_vec())));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = "[".repeat(100_000);
        for bad in ["", " ", "{", "[]", "null", "1", "\"a\"", "{} {}", "{\"a\":NaN}", &deep] {
            let refusal = parsed(bad).unwrap_err();
            let Refusal::Input(lines) = refusal else { panic!("{bad}: {refusal:?}") };
            assert_eq!(lines.len(), 1);
            assert!(lines[0].starts_with("the body ") && lines[0].len() < 200, "{lines:?}");
        }
    }

    #[test]
    fn only_media_types_of_json_are_taken() {
        let with = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            parse(&headers, b"{}")
        };
        for good in ["application/json", "Text/JSON; charset=utf-8", "application/problem+json"] {
            assert_eq!(with(good), Ok(Map::new()), "{good}");
        }
        for bad in ["text/plain", "", "application/+json", "text/a+json", "application/jsonx"] {
            let refusal = with(bad).unwrap_err();
            assert!(
                matches!(refusal, Refusal::Other(status, _) if status.as_u16() == 415),
                "{bad}"
            );
        }
    }
}
