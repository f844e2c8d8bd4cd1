//! Scoring rules: `PUT /v1/orgs/{org}/scoring-rules`.

use hyper::StatusCode;
use rankd_orgs::catalogue::{Difficulty, Product};
use rankd_orgs::{Condition, OrgIntent, ScoringRule};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{OrgCall, rows};
use crate::body::Object;
use crate::problem::{Problem, Slug, shown};
use crate::reply::{self, Reply};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesWrite<'a> {
    #[serde(borrow)]
    rules: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleWrite<'a> {
    name: Box<str>,
    action: Box<str>,
    #[serde(borrow)]
    product: Option<&'a RawValue>,
    #[serde(borrow)]
    difficulty: Option<&'a RawValue>,
    condition: Option<ConditionWrite>,
    points: i32,
    possible: Option<i32>,
    failed: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ConditionWrite {
    ResponseSeconds(Object<Seconds>),
    Confirmed(bool),
    Attribute(Object<AttributeWrite>),
}

/// From the first on, below the second.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seconds {
    #[serde(default)]
    from: i64,
    below: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttributeWrite {
    name: Box<str>,
    value: Box<str>,
}

#[derive(Debug, Serialize)]
struct RuleCount {
    rules: usize,
}

/// `PUT /v1/orgs/{org}/scoring-rules`
pub(super) async fn put(call: &OrgCall<'_>) -> Result<Reply, Problem> {
    let org = call.org()?.id;
    let body: RulesWrite<'_> = call.json()?;
    let numbered = body.rules.iter().enumerate();
    let rules: Vec<ScoringRule> = numbered
        .map(|(index, raw)| {
            rows::row(raw)
                .and_then(rule)
                .map_err(|why| Problem::new(Slug::InvalidBody, format!("rules[{index}]: {why}")))
        })
        .collect::<Result<_, _>>()?;
    let count = rules.len();
    call.submit_one(OrgIntent::PutRules { org, rules }).await?;
    Ok(reply::json(StatusCode::OK, &RuleCount { rules: count }))
}

fn rule(write: RuleWrite<'_>) -> Result<ScoringRule, String> {
    Ok(ScoringRule {
        name: write.name,
        action: write.action,
        product: write.product.map(product).transpose()?,
        difficulty: write.difficulty.map(difficulty).transpose()?,
        condition: write.condition.map(condition).transpose()?,
        points: write.points,
        possible: write.possible,
        failed: write.failed,
    })
}

fn condition(write: ConditionWrite) -> Result<Condition, String> {
    match write {
        ConditionWrite::ResponseSeconds(Object(Seconds { from, below })) => {
            Ok(Condition::ResponseSeconds(from, below))
        }
        ConditionWrite::Confirmed(true) => Ok(Condition::Confirmed),
        ConditionWrite::Confirmed(false) => {
            Err("condition.confirmed is false; it must be true".to_owned())
        }
        ConditionWrite::Attribute(Object(AttributeWrite { name, value })) => {
            Ok(Condition::Attribute(name, value))
        }
    }
}

/// The number of a product that is given by name, or by number as text or not.
pub(super) fn product(raw: &RawValue) -> Result<u8, String> {
    word("product", raw, |text| Product::parse(text).map(Product::number))
}

/// The number of a difficulty that is given by name, or by number as text or not.
pub(super) fn difficulty(raw: &RawValue) -> Result<u8, String> {
    word("difficulty", raw, |text| Difficulty::parse(text).map(Difficulty::number))
}

fn word(what: &str, raw: &RawValue, parse: impl Fn(&str) -> Option<u8>) -> Result<u8, String> {
    let token = raw.get();
    let found = if token.starts_with('"') {
        serde_json::from_str::<std::borrow::Cow<'_, str>>(token).ok().and_then(|text| parse(&text))
    } else {
        parse(token)
    };
    found.ok_or_else(|| {
        format!("{what} is {}; it must be a name or a number of the catalogue", shown(token))
    })
}
