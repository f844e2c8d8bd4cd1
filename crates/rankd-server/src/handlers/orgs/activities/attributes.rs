//! An activity's attributes: a few with a meaning, and any others that targets may match.
//!
//! Cost: one pass; the texts that are kept are copied once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use rankd_orgs::{Attributes, Campaign};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::rules::{difficulty, product};
use crate::body::Object;
use crate::problem::shown;

/// Attributes as they are given; `null` is as if absent.
#[derive(Debug, Default)]
pub(super) struct AttributesWrite<'a> {
    product: Option<&'a RawValue>,
    difficulty: Option<&'a RawValue>,
    rest: Attributes,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CampaignWrite {
    resource_id: Box<str>,
    name: Option<Box<str>>,
    #[serde(rename = "type")]
    kind: Option<Box<str>>,
    performance: Option<i32>,
    time_zone_id: Option<Box<str>>,
    category: Option<Box<str>>,
    training_type: Option<Box<str>>,
    result: Option<Box<str>>,
}

impl AttributesWrite<'_> {
    /// The attributes; the error says which is wrong.
    pub(super) fn read(self) -> Result<Attributes, String> {
        Ok(Attributes {
            product: self.product.map(product).transpose()?,
            difficulty: self.difficulty.map(difficulty).transpose()?,
            ..self.rest
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for AttributesWrite<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = AttributesWrite<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attributes as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = AttributesWrite::default();
        let mut seen = Seen::default();
        while let Some(Key(key)) = map.next_key()? {
            let rest = &mut found.rest;
            match &*key {
                "vacancyId" => rest.vacancy_id = seen.once(0, &key, map.next_value()?)?,
                "product" => found.product = seen.once(1, &key, map.next_value()?)?,
                "difficulty" => found.difficulty = seen.once(2, &key, map.next_value()?)?,
                "responseSeconds" => {
                    rest.response_seconds = seen.once(3, &key, map.next_value()?)?;
                }
                "confirmed" => {
                    rest.confirmed =
                        seen.once(4, &key, map.next_value::<Option<_>>()?)?.unwrap_or_default();
                }
                "campaign" => {
                    let given: Option<Object<CampaignWrite>> = map.next_value()?;
                    rest.campaign = seen.once(5, &key, given)?.map(Campaign::from);
                }
                "failed" => rest.failed = seen.once(6, &key, map.next_value()?)?,
                "test" => {
                    rest.test =
                        seen.once(7, &key, map.next_value::<Option<_>>()?)?.unwrap_or_default();
                }
                _ => other(&mut rest.others, &key, map.next_value()?)?,
            }
        }
        Ok(found)
    }
}

/// Which of the attributes with a meaning were there.
#[derive(Default)]
struct Seen(u8);

impl Seen {
    /// Passes the value of the attribute on, the first time.
    fn once<T, E: de::Error>(&mut self, bit: u8, key: &str, value: T) -> Result<T, E> {
        let mask = 1 << bit;
        if self.0 & mask != 0 {
            return Err(twice(key));
        }
        self.0 |= mask;
        Ok(value)
    }
}

fn twice<E: de::Error>(key: &str) -> E {
    E::custom(format_args!("attributes: `{}` is given twice", shown(key)))
}

fn other<E: de::Error>(
    others: &mut BTreeMap<Box<str>, Box<str>>,
    key: &str,
    value: Option<Text>,
) -> Result<(), E> {
    let Some(Text(text)) = value else { return Ok(()) };
    if others.insert(key.into(), text).is_some() { Err(twice(key)) } else { Ok(()) }
}

impl From<Object<CampaignWrite>> for Campaign {
    fn from(Object(write): Object<CampaignWrite>) -> Self {
        Self {
            resource_id: write.resource_id,
            name: write.name,
            kind: write.kind,
            performance: write.performance,
            time_zone: write.time_zone_id,
            category: write.category,
            training_type: write.training_type,
            result: write.result,
        }
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// A string, or the text of a number or of a truth value.
struct Text(Box<str>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, true or false")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.into()))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string().into()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(value.to_string().into()))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(value.to_string().into()))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Text, E> {
                Ok(Text(value.to_string().into()))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}
