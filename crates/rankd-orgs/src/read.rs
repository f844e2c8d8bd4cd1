//! Questions and answers of front ends, as data.
//!
//! What it is not: where the answers come from (`answers.rs`, `board.rs`). Invariant: every answer
//! is exact as of one version of the data. Cost: shared where it can be.

use std::sync::Arc;

use crate::ids::{GroupId, OrgId, UserId};
use crate::intent::Campaign;
use crate::model::{OrgSpec, Profile, TargetGroupSpec};

/// An organisation as it is now.
#[derive(Debug, Clone)]
pub struct OrgView {
    /// Its id.
    pub id: OrgId,
    /// The root of its tree.
    pub root: OrgId,
    /// What it is.
    pub spec: Arc<OrgSpec>,
    /// When it was created, in milliseconds since 1970, UTC.
    pub created_ms: i64,
    /// When its newest batch of activities was accepted; when it was created if there is none.
    pub ingested_ms: i64,
    /// Users whose home it is.
    pub users: u64,
    /// Activities stored.
    pub activities: u64,
    /// Grows with every change of it or its activities.
    pub version: u64,
}

/// A user.
#[derive(Debug, Clone)]
pub struct UserView {
    /// The id.
    pub id: UserId,
    /// The id as text.
    pub resource_id: Arc<str>,
    /// Its home.
    pub home: OrgId,
    /// The profile.
    pub profile: Arc<Profile>,
}

/// What a board ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Wintro: 3 for a referral, 1 for a recommendation.
    Referrals,
    /// Keepnet: points of the catalogue's actions.
    Points,
}

/// A half-open range of milliseconds since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First millisecond in it.
    pub from_ms: i64,
    /// First millisecond after it.
    pub until_ms: i64,
}

/// Which board.
#[derive(Debug, Clone)]
pub struct BoardRequest<'a> {
    /// What it ranks.
    pub measure: Measure,
    /// The window, resolved at `now`.
    pub window: Window,
    /// Windows of one kind move forward with the clock (such as "last 90 days"), which lets them be
    /// kept live; `None` for explicit ranges.
    pub rolling_kind: Option<u64>,
    /// Only activities of any of these vacancies; all if empty.
    pub vacancies: &'a [&'a str],
    /// The request's one reading of the clock.
    pub now_ms: i64,
}

/// Sums of one user in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// What is ranked, exact.
    pub score: i64,
    /// Possible points.
    pub possible: i64,
    /// Referrals.
    pub referrals: u64,
    /// Recommendations.
    pub recommendations: u64,
    /// The last counted activity, in milliseconds since 1970, UTC.
    pub last_ms: i64,
}

/// A row of a board.
#[derive(Debug, Clone)]
pub struct BoardRow {
    /// 1-based.
    pub rank: u64,
    /// Who.
    pub user: UserView,
    /// What.
    pub tally: Tally,
}

/// The best of one UTC month.
#[derive(Debug, Clone)]
pub struct MonthBoard {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// The best, best first.
    pub rows: Vec<BoardRow>,
}

/// Sums of a user in one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProductSum {
    /// Number of the product in the catalogue.
    pub product: u8,
    /// Points.
    pub points: i64,
    /// Possible points.
    pub possible: i64,
}

/// Order of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimelineOrder {
    /// By time.
    At,
    /// By points.
    Points,
}

/// Which activities of a timeline, by numbers of the catalogue; an empty list restricts nothing.
#[derive(Debug, Clone)]
pub struct TimelineRequest<'a> {
    /// The window.
    pub window: Window,
    /// Only this user's.
    pub user: Option<UserId>,
    /// Actions.
    pub actions: &'a [u8],
    /// Difficulties; activities without one do not match.
    pub difficulties: &'a [u8],
    /// Products.
    pub products: &'a [u8],
    /// Only failed ones.
    pub only_failed: bool,
    /// Order.
    pub order: TimelineOrder,
    /// Lowest first. Equal times are in the order of ingest, either way; equal points in that of
    /// time.
    pub ascending: bool,
    /// Rows to pass over.
    pub offset: u64,
    /// Most rows.
    pub limit: usize,
}

/// A page of a timeline.
#[derive(Debug, Clone)]
pub struct TimelinePage {
    /// All that match.
    pub total: u64,
    /// The page.
    pub rows: Vec<ActivityRow>,
}

/// An activity that counts for [`Measure::Points`].
#[derive(Debug, Clone)]
pub struct ActivityRow {
    /// Who.
    pub user: UserId,
    /// When, in milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// Number of the action in the catalogue.
    pub action: u8,
    /// Number of the product.
    pub product: u8,
    /// Number of the difficulty.
    pub difficulty: Option<u8>,
    /// Points applied.
    pub points: i64,
    /// Points of the rule, and its name.
    pub rule: Option<(i64, Arc<str>)>,
    /// The campaign.
    pub campaign: Option<Arc<Campaign>>,
}

/// A target group.
#[derive(Debug, Clone)]
pub struct GroupView {
    /// Its id.
    pub id: GroupId,
    /// Its owner.
    pub org: OrgId,
    /// What it is.
    pub spec: Arc<TargetGroupSpec>,
}

/// A row of a target's board.
#[derive(Debug, Clone)]
pub struct LiveRow {
    /// 1-based.
    pub rank: u64,
    /// Who.
    pub user: UserView,
    /// Achieved value.
    pub value: i64,
    /// Last counted activity, or the enrolment, in milliseconds since 1970, UTC.
    pub last_ms: i64,
}

/// Sizes of all organisations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrgTotals {
    /// Organisations.
    pub orgs: u64,
    /// Users.
    pub users: u64,
    /// Activities stored.
    pub activities: u64,
}

/// What organisations take in memory, in bytes, as far as the structures know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrgMemory {
    /// The activities in columns.
    pub columns_bytes: u64,
    /// The activities once more, by vacancy.
    pub postings_bytes: u64,
    /// Sums of months and years.
    pub blocks_bytes: u64,
    /// Fingerprints of activity ids.
    pub ids_bytes: u64,
    /// Kinds of activities: values of their attributes, campaigns, vacancies.
    pub kinds_bytes: u64,
    /// First activities of campaigns.
    pub campaigns_bytes: u64,
    /// Users without their profiles, here and in the ledgers.
    pub users_bytes: u64,
    /// Boards of targets, and who takes part.
    pub targets_bytes: u64,
    /// Boards and sums that are kept for windows that are asked for often.
    pub hot_bytes: u64,
}

/// Why a logged change or a snapshot's item does not fit what is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OrgApplyError(pub String);
