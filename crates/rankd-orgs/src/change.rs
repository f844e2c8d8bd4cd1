//! What happened, in absolute terms, and the pieces of a snapshot. The order of the variants and
//! fields is part of the storage format.
//!
//! What it is: data. What it is not: any logic. Invariant: a tree numbers its changes 1, 2, 3 ...,
//! and knows how many it has applied, so that applying one again has no effect, whatever came after
//! it, and a gap is found.

use serde::{Deserialize, Serialize};

use crate::credential::{Credential, CredentialSpec};
use crate::ids::{CredentialId, GroupId, OrgId, TargetId, UserId};
use crate::intent::Campaign;
use crate::model::{OrgSpec, PeriodSpec, Profile, ScoringRule, TargetGroupSpec, TargetSpec};

/// One absolute change. Applying one twice is the same as applying it once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OrgChange {
    /// The key that access tokens are signed with.
    SigningKey([u8; 32]),
    /// Something in a tree of organisations.
    Tree {
        /// The root of the tree.
        root: OrgId,
        /// The how manieth change of the tree this is, from 1.
        number: u64,
        /// What happened.
        change: TreeChange,
    },
}

/// Something that happened in a tree of organisations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TreeChange {
    /// The organisation is this now.
    Org {
        /// Which.
        org: OrgId,
        /// What it is.
        spec: Box<OrgSpec>,
    },
    /// The user is this now.
    User {
        /// Who.
        user: UserId,
        /// The user's home.
        home: OrgId,
        /// The text identifier; made from the id if absent.
        resource_id: Option<Box<str>>,
        /// The profile.
        profile: Profile,
    },
    /// Users who are new with their first activity, with their homes.
    NewUsers(Vec<(UserId, OrgId)>),
    /// The user left everything.
    UserDeleted(UserId),
    /// The organisation's rules are these now.
    Rules {
        /// Which organisation.
        org: OrgId,
        /// The rules.
        rules: Vec<ScoringRule>,
    },
    /// The group is this now.
    Group {
        /// The owner.
        org: OrgId,
        /// Which group.
        group: GroupId,
        /// What it is.
        spec: TargetGroupSpec,
    },
    /// A user entered or left a target.
    Enrolment {
        /// The owner of the group.
        org: OrgId,
        /// The group.
        group: GroupId,
        /// The target.
        target: TargetId,
        /// What happened.
        event: EnrolmentEvent,
    },
    /// There is a new credential.
    CredentialAdded {
        /// Whose.
        org: OrgId,
        /// Its id.
        id: CredentialId,
        /// What it is.
        spec: Box<CredentialSpec>,
    },
    /// The credential is not valid any more.
    CredentialRevoked {
        /// Whose.
        org: OrgId,
        /// Which.
        id: CredentialId,
    },
    /// Activities of one organisation.
    Recorded(Box<Recorded>),
}

/// A user entered or left a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentEvent {
    /// Who.
    pub user: UserId,
    /// What.
    pub step: EnrolmentStep,
    /// Since when, in milliseconds since 1970, UTC.
    pub at_ms: i64,
}

/// What a user did to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnrolmentStep {
    /// Entered.
    Entered,
    /// Left.
    Left,
    /// Was deleted; what was before does not matter any more.
    Deleted,
}

/// Activities of one organisation, in the order of ingest, and what is new with them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Whose.
    pub org: u64,
    /// What had no number before.
    pub names: Names,
    /// The activities.
    pub rows: Rows,
    /// Fingerprints of the activities' ids, in the order of the rows.
    pub prints: Vec<u128>,
    /// Fingerprints of activities that count nowhere.
    pub uncounted: Vec<u128>,
}

/// Texts, campaigns and kinds in the order of their numbers, after those that are known already.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Names {
    /// Actions, names of rules, names and values of attributes.
    pub texts: Vec<Box<str>>,
    /// Vacancies.
    pub vacancies: Vec<Box<str>>,
    /// Campaigns.
    pub campaigns: Vec<Campaign>,
    /// Kinds of activities.
    pub kinds: Vec<Kind>,
}

/// What many activities have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kind {
    /// The action, as a text's number.
    pub action: u32,
    /// The vacancy's number.
    pub vacancy: Option<u32>,
    /// The campaign's number.
    pub campaign: Option<u32>,
    /// The rule's name, as a text's number, and its points.
    pub rule: Option<(u32, i32)>,
    /// Number of the product.
    pub product: Option<u8>,
    /// Number of the difficulty.
    pub difficulty: Option<u8>,
    /// Whether it counts as failed.
    pub failed: bool,
    /// Whether a report was confirmed.
    pub confirmed: bool,
    /// Other attributes, names and values as texts' numbers.
    pub others: Vec<(u32, u32)>,
}

/// Activities in columns. The last three are left out (empty) where all their values are 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Who.
    pub users: Vec<u64>,
    /// When, in milliseconds since 1970, UTC.
    pub at_ms: Vec<i64>,
    /// Numbers of the kinds.
    pub kinds: Vec<u32>,
    /// Points.
    pub points: Vec<i32>,
    /// Possible points.
    pub possible: Vec<i32>,
    /// Values.
    pub values: Vec<i32>,
}

/// One piece of a snapshot: at most [`crate::limits::ITEM_BYTES_MAX`] bytes when encoded with
/// fixed-width integers. The order of the variants is part of the storage format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OrgItem {
    /// The key that access tokens are signed with.
    SigningKey([u8; 32]),
    /// A tree; what follows up to the next one belongs to it.
    Tree {
        /// Its root.
        root: OrgId,
        /// Changes applied so far.
        changes: u64,
    },
    /// An organisation; parents come first.
    Org(Box<OrgState>),
    /// Rules of an organisation, after those of the items before.
    Rules {
        /// Which organisation.
        org: OrgId,
        /// The rules.
        rules: Vec<ScoringRule>,
    },
    /// Users.
    Users(Vec<UserState>),
    /// A target group, without targets and periods.
    Group {
        /// The owner.
        org: OrgId,
        /// Which.
        group: GroupId,
        /// Its name.
        name: Box<str>,
        /// Whether it is active.
        active: bool,
        /// Whether it has a leaderboard.
        leaderboard_enabled: bool,
    },
    /// Targets of a group, after those of the items before.
    Targets {
        /// The group.
        group: GroupId,
        /// The targets.
        targets: Vec<TargetSpec>,
    },
    /// Periods of a group, after those of the items before.
    Periods {
        /// The group.
        group: GroupId,
        /// The periods.
        periods: Vec<PeriodSpec>,
    },
    /// Who entered and left a target, after the items before.
    Enrolments {
        /// The group.
        group: GroupId,
        /// The target.
        target: TargetId,
        /// What happened, oldest first.
        events: Vec<EnrolmentEvent>,
    },
    /// What activities of an organisation are made of, after the items before.
    Names {
        /// Which organisation.
        org: OrgId,
        /// What has numbers.
        names: Names,
    },
    /// Fingerprints of activity ids, after the items before.
    Prints {
        /// Which organisation.
        org: OrgId,
        /// The fingerprints.
        prints: Vec<u128>,
    },
    /// Activities by time, and within a millisecond in the order of ingest.
    Rows {
        /// Which organisation.
        org: OrgId,
        /// The activities.
        rows: Rows,
        /// Positions in `rows` of those that only correct possible points.
        corrections: Vec<u32>,
    },
    /// Credentials by id, after those of the items before.
    Credentials(Vec<Credential>),
}

/// An organisation in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrgState {
    /// Its id.
    pub id: OrgId,
    /// What it is.
    pub spec: OrgSpec,
    /// When it was created, in milliseconds since 1970, UTC.
    pub created_ms: i64,
    /// When its newest batch of activities was accepted.
    pub ingested_ms: i64,
    /// Its version.
    pub version: u64,
}

/// A user in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserState {
    /// Who.
    pub id: UserId,
    /// The user's home.
    pub home: OrgId,
    /// The text identifier; made from the id if absent.
    pub resource_id: Option<Box<str>>,
    /// The profile.
    pub profile: Profile,
}
