//! What is asked for, and what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::credential::CredentialSpec;
use crate::ids::{CredentialId, GroupId, OrgId, TargetId, UserId};
use crate::model::{OrgSpec, Profile, ScoringRule, TargetGroupSpec};

/// One wish of a client.
#[derive(Debug, Clone, PartialEq)]
pub enum OrgIntent {
    /// The organisation is to be this.
    PutOrg {
        /// The organisation.
        org: OrgId,
        /// What it is to be.
        spec: OrgSpec,
    },
    /// The user is to have this profile. Users belong to the tree; their home is `org`.
    PutUser {
        /// The user's home.
        org: OrgId,
        /// The user.
        user: UserId,
        /// Text identifier; unique in the tree; made from the id if absent.
        resource_id: Option<Box<str>>,
        /// The whole profile.
        profile: Profile,
    },
    /// The user leaves all boards.
    DeleteUser {
        /// The user's home, or an organisation above.
        org: OrgId,
        /// The user.
        user: UserId,
    },
    /// The organisation's own scoring rules; they come before the catalogue's.
    PutRules {
        /// The organisation.
        org: OrgId,
        /// At most [`crate::limits::RULES_MAX`].
        rules: Vec<ScoringRule>,
    },
    /// The group is to be this. Boards of targets that stay, stay; a new or changed target, or a
    /// new or changed period, counts the activities that are stored.
    PutGroup {
        /// The owner.
        org: OrgId,
        /// The group.
        group: GroupId,
        /// What it is to be.
        spec: TargetGroupSpec,
    },
    /// The user takes part in the target from then on.
    Enrol {
        /// The owner of the group.
        org: OrgId,
        /// The group.
        group: GroupId,
        /// The target.
        target: TargetId,
        /// The user.
        user: UserId,
        /// Since when, in milliseconds since 1970, UTC.
        from_ms: i64,
    },
    /// The user leaves the current and later periods of the target.
    Unenrol {
        /// The owner of the group.
        org: OrgId,
        /// The group.
        group: GroupId,
        /// The target.
        target: TargetId,
        /// The user.
        user: UserId,
        /// Since when, in milliseconds since 1970, UTC.
        until_ms: i64,
    },
    /// A new credential.
    AddCredential {
        /// Whose it is.
        org: OrgId,
        /// What it is.
        spec: CredentialSpec,
    },
    /// The credential is not valid any more.
    RevokeCredential {
        /// Whose it is.
        org: OrgId,
        /// Which.
        credential: CredentialId,
    },
    /// The key that access tokens are signed with, unless there is one already.
    OfferSigningKey {
        /// Random.
        key: [u8; 32],
    },
    /// Something that a user did.
    Record(ActivityInput),
}

/// An activity as it is reported.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityInput {
    /// Unique in its organisation; the same id again is a duplicate.
    pub id: Box<str>,
    /// Where it happened; decides the boards.
    pub org: OrgId,
    /// Who did it; created with an empty profile if unknown.
    pub user: UserId,
    /// What was done.
    pub action: Box<str>,
    /// When, in milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// Points; from the scoring rules if absent.
    pub points: Option<i64>,
    /// Possible points; from the scoring rules if absent.
    pub possible: Option<i64>,
    /// Value, for targets that sum values.
    pub value: Option<i64>,
    /// The rest.
    pub attributes: Attributes,
}

/// Attributes of an activity.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    /// `vacancyId`: 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    pub vacancy_id: Option<Box<str>>,
    /// Product by its number in the catalogue.
    pub product: Option<u8>,
    /// Difficulty by its number in the catalogue.
    pub difficulty: Option<u8>,
    /// How long the reaction took.
    pub response_seconds: Option<i64>,
    /// Whether a report was confirmed as real phishing or malicious.
    pub confirmed: bool,
    /// The campaign.
    pub campaign: Option<Campaign>,
    /// Whether it counts as failed; the catalogue's if absent.
    pub failed: Option<bool>,
    /// Test activities count nowhere.
    pub test: bool,
    /// Any others; targets may match them.
    pub others: BTreeMap<Box<str>, Box<str>>,
}

/// A campaign, as shown in timelines.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Campaign {
    /// Its identifier; two activities with the same one belong to the same campaign.
    pub resource_id: Box<str>,
    /// Its name.
    pub name: Option<Box<str>>,
    /// Its type, such as `Phishing`.
    pub kind: Option<Box<str>>,
    /// Performance in percent.
    pub performance: Option<i32>,
    /// IANA name of a time zone.
    pub time_zone: Option<Box<str>>,
    /// Description of its category.
    pub category: Option<Box<str>>,
    /// Type of training.
    pub training_type: Option<Box<str>>,
    /// Result.
    pub result: Option<Box<str>>,
}

/// What became of one intent. The order of the variants is part of the storage format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OrgOutcome {
    /// It was done, and there was no such thing before.
    Created,
    /// It was done.
    Changed,
    /// It was so already.
    Unchanged,
    /// The credential was made.
    CredentialAdded(CredentialId),
    /// The activity is a duplicate of an earlier one.
    Duplicate,
    /// Nothing was done, for this reason.
    Rejected(OrgRejection),
}

/// Why an intent had no effect. The order of the variants is part of the storage format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum OrgRejection {
    /// There is no such thing (`what`: "organisation", "user", "target group" ...), or it belongs
    /// to others.
    #[error("there is no {what} {id}")]
    Unknown {
        /// The sort of thing.
        what: Box<str>,
        /// Its identifier as text.
        id: Box<str>,
    },
    /// The identifier is taken by another.
    #[error("the {what} {id:?} is taken")]
    Taken {
        /// The sort of thing.
        what: Box<str>,
        /// The identifier.
        id: Box<str>,
    },
    /// A number is outside its limits.
    #[error("{what} is {value}; allowed are {min} to {max}")]
    OutOfLimits {
        /// Which quantity, with its unit.
        what: Box<str>,
        /// What was given.
        value: i64,
        /// Smallest legal value.
        min: i64,
        /// Largest legal value.
        max: i64,
    },
    /// Anything else; `what` is a sentence for humans.
    #[error("{0}")]
    Invalid(Box<str>),
}
