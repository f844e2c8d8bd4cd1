//! `userEnrichmentDetails`: what an answer tells about a user beside the rank.
//!
//! Invariant: a member occurs once, and each value is a text. Cost: one look-up in the profile for
//! each member.

use rankd_orgs::Profile;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// What an extra field says of a user who has none.
const NOT_CAPTURED: &str = "NOT-CAPTURED";
/// Members that are always there, and the keys of the profile that they come from.
const FIXED: [(&str, &str); 4] = [
    ("mobile", "phone"),
    ("last_name", "lastName"),
    ("first_name", "firstName"),
    ("email", "email"),
];
/// Where in the published sample the extra fields stand: the number of fixed members before each.
const FIXED_BEFORE_EXTRA: [usize; rankd_orgs::limits::ENRICHMENT_FIELDS_MAX] = [0, 0, 3];

/// Details of one user, with the extra fields of an organisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Details<'a> {
    pub(super) profile: &'a Profile,
    pub(super) extras: &'a [Box<str>],
}

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for before in 0..=FIXED.len() {
            for extra in self.extras_after(before) {
                map.serialize_entry(extra, self.value(extra).unwrap_or(NOT_CAPTURED))?;
            }
            if let Some((name, key)) = FIXED.get(before) {
                map.serialize_entry(name, self.value(key).unwrap_or(""))?;
            }
        }
        map.end()
    }
}

impl Details<'_> {
    /// Extra fields that stand after so many fixed members.
    fn extras_after(&self, before: usize) -> impl Iterator<Item = &str> {
        let placed = self.extras.iter().zip(FIXED_BEFORE_EXTRA);
        let here = placed.filter(move |(_, place)| *place == before);
        here.map(|(extra, _)| &**extra).filter(|extra| FIXED.iter().all(|(name, _)| name != extra))
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.profile.get(key).map(|value| &**value).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(profile: &[(&str, &str)], extras: &[&str]) -> String {
        let profile: Profile =
            profile.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let extras: Vec<Box<str>> = extras.iter().map(|extra| (*extra).into()).collect();
        serde_json::to_string(&Details { profile: &profile, extras: &extras }).unwrap()
    }

    #[test]
    fn members_come_in_the_order_of_the_samples() {
        let profile = [("phone", "91"), ("firstName", "A\"b"), ("gender", "Male"), ("email", "")];
        assert_eq!(
            written(&profile, &["birthday", "gender", "anniversary"]),
            "{\"birthday\":\"NOT-CAPTURED\",\"gender\":\"Male\",\"mobile\":\"91\",\
             \"last_name\":\"\",\"first_name\":\"A\\\"b\",\"anniversary\":\"NOT-CAPTURED\",\
             \"email\":\"\"}"
        );
        assert_eq!(
            written(&[], &[]),
            "{\"mobile\":\"\",\"last_name\":\"\",\"first_name\":\"\",\"email\":\"\"}"
        );
    }

    #[test]
    fn no_member_occurs_twice() {
        let text = written(&[("email", "a@b")], &["email", "tier"]);
        assert_eq!(text.matches("\"email\"").count(), 1);
        assert!(text.starts_with("{\"tier\":\"NOT-CAPTURED\",\"mobile\""), "{text}");
    }
}
