//! Organisations, their users, and what these did: the administration and ingest API.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::ClientError;
use crate::transport::{Call, Client};
use crate::types::{At, RejectedRow};

/// Something that a user did, as the API takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Activity<'a> {
    /// Unique in its organisation: the same one again is a duplicate and counts once.
    pub id: Cow<'a, str>,
    /// The organisation in which it happened.
    pub org_id: u64,
    /// Who did it.
    pub user_id: u64,
    /// What was done.
    pub action: Cow<'a, str>,
    /// When.
    pub occurred_at: At,
    /// Points; from the scoring rules if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<i64>,
    /// Possible points; from the scoring rules if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possible: Option<i64>,
    /// Value, for targets that sum values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// The rest.
    #[serde(default, skip_serializing_if = "ActivityAttributes::is_empty")]
    pub attributes: ActivityAttributes<'a>,
}

/// Attributes of an activity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityAttributes<'a> {
    /// The vacancy that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vacancy_id: Option<Cow<'a, str>>,
    /// Name or number of a product of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Cow<'a, str>>,
    /// Name or number of a difficulty of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<Cow<'a, str>>,
    /// How long the reaction took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_seconds: Option<i64>,
    /// Whether a report was confirmed as real phishing or malicious.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
    /// Whether it counts as failed; the catalogue's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<bool>,
    /// Test activities count nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<bool>,
    /// The campaign that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<ActivityCampaign<'a>>,
    /// Any others; targets may ask for them.
    #[serde(flatten)]
    pub others: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl ActivityAttributes<'_> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == ActivityAttributes::default()
    }
}

/// A campaign, as timelines show it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActivityCampaign<'a> {
    /// Its identifier.
    pub resource_id: Cow<'a, str>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// Its type, such as `Phishing`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Cow<'a, str>>,
    /// Performance in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<i64>,
    /// IANA name of its time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone_id: Option<Cow<'a, str>>,
    /// Description of its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Cow<'a, str>>,
    /// Type of its training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_type: Option<Cow<'a, str>>,
    /// Its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Cow<'a, str>>,
}

/// A user, as the API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User<'a> {
    /// The id; unique in its tree of organisations.
    pub user: u64,
    /// The id as text; made from the id if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Cow<'a, str>>,
    /// The whole profile: `firstName`, `lastName`, `email` and so on.
    #[serde(default)]
    pub profile: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

/// What became of a list of items; items that were refused have no effect, the others count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    /// Items that are in, and were not before.
    #[serde(alias = "applied")]
    pub accepted: u64,
    /// Items that were in already.
    #[serde(alias = "unchanged")]
    pub duplicates: u64,
    /// Items that were refused.
    #[serde(default)]
    pub rejected: Vec<RejectedRow>,
}

#[derive(Serialize)]
struct ActivitiesBody<'a> {
    activities: &'a [&'a RawValue],
}

#[derive(Serialize)]
struct UsersBody<'a> {
    users: &'a [&'a RawValue],
}

/// Something of an organisation that is put as a whole, or added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// The organisation of this id itself.
    Org(u64),
    /// The scoring rules of an organisation.
    ScoringRules(u64),
    /// A target group: organisation, group.
    TargetGroup(u64, u64),
    /// A credential of an organisation.
    Credential(u64),
    /// Users who take part in targets.
    Enrolments,
}

impl Setup {
    fn call(self) -> Call<'static> {
        let (method, path) = match self {
            Self::Org(org) => (Method::PUT, format!("/v1/orgs/{org}")),
            Self::ScoringRules(org) => (Method::PUT, format!("/v1/orgs/{org}/scoring-rules")),
            Self::TargetGroup(org, group) => {
                (Method::PUT, format!("/v1/orgs/{org}/target-groups/{group}"))
            }
            Self::Credential(org) => (Method::POST, format!("/v1/orgs/{org}/credentials")),
            Self::Enrolments => (Method::POST, "/v1/enrolments".to_owned()),
        };
        Call::new(method, path)
    }
}

impl Client {
    /// Reports up to 10 000 activities, each the JSON of an [`Activity`]. Safe to repeat: an
    /// activity whose id is known counts once.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] if the list as a whole is refused; any transport error.
    pub async fn post_activities(&self, activities: &[&RawValue]) -> Result<Accepted, ClientError> {
        let call = Call::new(Method::POST, "/v1/activities".to_owned());
        self.json_with(call, &ActivitiesBody { activities }).await
    }

    /// Puts up to 10 000 users of one organisation, each the JSON of a [`User`]. Safe to repeat.
    ///
    /// # Errors
    /// As [`Client::post_activities`].
    pub async fn post_users(&self, org: u64, users: &[&RawValue]) -> Result<Accepted, ClientError> {
        let call = Call::new(Method::POST, format!("/v1/orgs/{org}/users"));
        self.json_with(call, &UsersBody { users }).await
    }

    /// Enrols users in targets, or takes them out, as `body`, which is JSON, says.
    ///
    /// # Errors
    /// As [`Client::post_activities`].
    pub async fn post_enrolments(&self, body: &RawValue) -> Result<Accepted, ClientError> {
        self.json_with(Setup::Enrolments.call(), &body).await
    }

    /// Sends `body`, which is JSON, as what `setup` says.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] if it is refused; any transport error.
    pub async fn set_up(&self, setup: Setup, body: &RawValue) -> Result<(), ClientError> {
        self.send(self.with_body(setup.call(), &body)?).await.map(drop)
    }
}
