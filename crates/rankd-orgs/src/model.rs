//! What organisations consist of, as it is given, stored and read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{OrgId, PeriodId, TargetId};

/// What an organisation is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrgSpec {
    /// The organisation above; fixed once the organisation exists.
    pub parent: Option<OrgId>,
    /// Its identifier as text, 1 to 64 ASCII letters and digits; unique in the store.
    pub resource_id: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// IANA name of its time zone.
    pub time_zone: Box<str>,
    /// Whether leaderboards are on.
    pub leaderboards_enabled: bool,
    /// Profile keys that top-ranked answers add, at most three.
    pub enrichment_fields: Vec<Box<str>>,
    /// What the list of companies shows.
    pub licence: Licence,
}

/// Licence and counters of a company; shown, never computed with but where said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Licence {
    /// Name of the industry.
    pub industry_name: Option<Box<str>>,
    /// Identifier of the industry.
    pub industry_resource_id: Option<Box<str>>,
    /// Name of the licence's type.
    pub type_name: Option<Box<str>>,
    /// Identifier of the licence's type.
    pub type_resource_id: Option<Box<str>>,
    /// Whether the number of users is limited.
    pub is_users_limited: bool,
    /// Licensed users.
    pub users_max: u64,
    /// End of the licence in milliseconds since 1970, UTC.
    pub ends_ms: Option<i64>,
    /// Privacy duration's number.
    pub privacy_duration_id: i64,
    /// Deleted target users.
    pub deleted_users: u64,
    /// Inactive target users.
    pub inactive_users: u64,
    /// Tags.
    pub tags: Vec<Box<str>>,
}

/// A user's profile: `firstName`, `lastName`, `email`, `phone`, `department`,
/// `preferredLanguage`, `profileUrl`, `profilePicture`, and any other key.
pub type Profile = BTreeMap<Box<str>, Box<str>>;

/// What an activity is worth if it does not say so itself. The first rule that matches counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoringRule {
    /// Name of the rule.
    pub name: Box<str>,
    /// The action, as in the catalogue or any other text.
    pub action: Box<str>,
    /// Only this product (number of the catalogue).
    pub product: Option<u8>,
    /// Only this difficulty (number of the catalogue).
    pub difficulty: Option<u8>,
    /// Only under this condition.
    pub condition: Option<Condition>,
    /// Points.
    pub points: i32,
    /// Possible points of the campaign; the catalogue's if absent.
    pub possible: Option<i32>,
    /// Whether the action counts as failed; the catalogue's if absent.
    pub failed: Option<bool>,
}

/// A condition of a rule, on the attributes of an activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Condition {
    /// `responseSeconds` is at least the first and less than the second.
    ResponseSeconds(i64, Option<i64>),
    /// The report was confirmed as real phishing or malicious.
    Confirmed,
    /// This attribute has this value.
    Attribute(Box<str>, Box<str>),
}

/// What a target group is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetGroupSpec {
    /// Its name.
    pub name: Box<str>,
    /// Inactive groups are as if unknown.
    pub active: bool,
    /// Whether it has a leaderboard.
    pub leaderboard_enabled: bool,
    /// At most [`crate::limits::TARGETS_MAX`].
    pub targets: Vec<TargetSpec>,
    /// At most [`crate::limits::PERIODS_MAX`].
    pub periods: Vec<PeriodSpec>,
}

/// One target of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetSpec {
    /// Its id.
    pub id: TargetId,
    /// Its name.
    pub name: Box<str>,
    /// Inactive targets are as if unknown.
    pub active: bool,
    /// Which activities count.
    pub matches: Match,
    /// What is counted of them.
    pub aggregate: Aggregate,
}

/// Which activities count for a target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// Any of these actions; every action if empty.
    pub actions: Vec<Box<str>>,
    /// All of these attributes, with these values.
    pub attributes: BTreeMap<Box<str>, Box<str>>,
}

/// What of matching activities makes the achieved value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// The sum of their points.
    SumPoints,
    /// The sum of their values.
    SumValue,
}

/// One period of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeriodSpec {
    /// Its id.
    pub id: PeriodId,
    /// Its reference code.
    pub ref_code: Box<str>,
    /// Inactive periods are as if unknown.
    pub active: bool,
    /// First millisecond, since 1970, UTC.
    pub start_ms: i64,
    /// Last millisecond, since 1970, UTC.
    pub end_ms: i64,
}
