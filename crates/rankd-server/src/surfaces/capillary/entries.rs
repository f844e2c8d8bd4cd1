//! Bodies: what a request asks for in JSON, checked for its types. Unknown members are ignored.
//!
//! Cost: one pass over the body. Nothing recurses over what is ignored, however deep it is.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::fault::Fault;
use crate::problem::shown;

/// Most entries of one request that are looked at.
pub(super) const ENTRIES_MAX: usize = 25;

/// One target that a user's place is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// The organisation that the group belongs to; the caller's if absent.
    pub(super) org_id: Option<i64>,
    pub(super) target_group_id: i64,
    pub(super) target_rule_id: i64,
    /// The current period if absent.
    pub(super) period_id: Option<i64>,
}

/// What a user's places are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entries {
    /// Every target that the user takes part in.
    Enrolled,
    /// These, and whether there were more than are looked at.
    Listed { first: Vec<Entry>, cut: bool },
}

impl Entries {
    /// Reads a body: nothing, `null`, one entry or an array of them.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Fault> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::Enrolled);
        }
        let body = document(body)?;
        let items: Vec<&RawValue> = match body.as_bytes().first() {
            Some(b'[') => serde_json::from_str(body).map_err(|error| not_json(&error))?,
            Some(b'{') => return Ok(Self::Listed { first: vec![object(body)?], cut: false }),
            _ if body == "null" => return Ok(Self::Enrolled),
            _ => return Err(Fault::Input(format!("the body is {}, not an array", shown(body)))),
        };
        if items.is_empty() {
            return Ok(Self::Enrolled);
        }
        let looked_at = items.iter().take(ENTRIES_MAX);
        let first = looked_at.map(|item| object(item.get())).collect::<Result<_, _>>()?;
        Ok(Self::Listed { first, cut: items.len() > ENTRIES_MAX })
    }

    /// The organisations that are named.
    pub(super) fn orgs(&self) -> impl Iterator<Item = i64> {
        let entries = match self {
            Self::Enrolled => &[][..],
            Self::Listed { first, .. } => first,
        };
        entries.iter().filter_map(|entry| entry.org_id)
    }
}

/// A body that has to be one object.
pub(super) fn object_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    object(document(body)?)
}

/// The one JSON value that the body is, without the blanks around it.
fn document(body: &[u8]) -> Result<&str, Fault> {
    let value: &RawValue = serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    Ok(value.get().trim())
}

fn object<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    // Serde would also read the members of a structure from an array, in their order.
    if !text.starts_with('{') {
        return Err(Fault::Input(format!("{} is not an object", shown(text))));
    }
    serde_json::from_str(text).map_err(|error| Fault::Input(shown(&error.to_string())))
}

fn not_json(error: &serde_json::Error) -> Fault {
    Fault::Input(format!("the body is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "{\"targetGroupId\":1,\"targetRuleId\":2}";

    fn listed(body: &str) -> (Vec<Entry>, bool) {
        match Entries::parse(body.as_bytes()) {
            Ok(Entries::Listed { first, cut }) => (first, cut),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn no_body_null_and_an_empty_array_ask_for_everything() {
        for body in ["", " \r\n", "null", " null ", "[]", " [ ] "] {
            assert_eq!(Entries::parse(body.as_bytes()), Ok(Entries::Enrolled), "{body:?}");
        }
    }

    #[test]
    fn one_object_is_an_array_of_one() {
        let full = "{\"orgId\":5,\"targetGroupId\":1,\"x\":[{}],\"targetRuleId\":2,\"periodId\":3}";
        let entry =
            Entry { org_id: Some(5), target_group_id: 1, target_rule_id: 2, period_id: Some(3) };
        assert_eq!(listed(full), (vec![entry], false));
        assert_eq!(listed(&format!(" [ {full} ] ")), (vec![entry], false));
        let nulls = "{\"orgId\":null,\"targetGroupId\":1,\"targetRuleId\":2,\"periodId\":null}";
        assert_eq!(listed(nulls), listed(ENTRY));
    }

    #[test]
    fn only_the_first_are_looked_at() {
        let array = |count: usize, tail: &str| {
            let mut items = vec![ENTRY; count];
            items.push(tail);
            format!("[{}]", items.join(","))
        };
        let (first, cut) = listed(&array(24, ENTRY));
        assert_eq!((first.len(), cut), (25, false));
        let (first, cut) = listed(&array(25, "\"not looked at\""));
        assert_eq!((first.len(), cut), (25, true));
        assert!(Entries::parse(array(24, "7").as_bytes()).is_err());
    }

    #[test]
    fn what_has_another_shape_is_bad_input() {
        let wrong = [
            "[",
            "[{}]",
            "{}",
            "7",
            "\"x\"",
            "true",
            "nul",
            "[null]",
            "[7]",
            "[[5,1,2,3]]",
            "[5,1,2,3]",
            "{\"targetGroupId\":1}",
            "{\"targetRuleId\":1}",
            "{\"targetGroupId\":\"1\",\"targetRuleId\":2}",
            "{\"targetGroupId\":1.0,\"targetRuleId\":2}",
            "{\"targetGroupId\":null,\"targetRuleId\":2}",
            "{\"targetGroupId\":9223372036854775808,\"targetRuleId\":2}",
            "{\"targetGroupId\":1,\"targetRuleId\":2,\"periodId\":\"\"}",
            "{\"targetGroupId\":1,\"targetRuleId\":2} x",
            "\u{feff}[]",
        ];
        for body in wrong {
            let parsed = Entries::parse(body.as_bytes());
            assert!(matches!(parsed, Err(Fault::Input(_))), "{body}: {parsed:?}");
        }
        assert!(Entries::parse(b"[\"\xff\"]").is_err());
    }

    #[test]
    fn depth_is_harmless() {
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        assert!(Entries::parse(deep.as_bytes()).is_err());
        let (first, _) = listed(&format!("[{{\"x\":{deep},{}]", &ENTRY[1..]));
        assert_eq!(first.len(), 1);
        assert!(Entries::parse("[".repeat(60_000).as_bytes()).is_err());
    }
}
