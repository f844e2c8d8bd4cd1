//! Organisations and what belongs to them: users, activities, scoring rules, target groups,
//! credentials. What is asked for is an [`OrgIntent`], what happened an [`OrgChange`].
//!
//! What it is: a deterministic state machine in memory ([`Orgs`]), and the questions that the three
//! published leaderboard APIs ask of it.
//!
//! What it is not: it opens no file and no socket, reads no clock, hashes no secret that it was not
//! given, and knows neither JSON nor HTTP. The windows themselves are the ledger's
//! (`rankd-activity`).
//!
//! Invariant: everything in it follows from the changes applied so far, in their order.
//!
//! A tree of organisations, the root and all below it, is what one lock guards, and users belong to
//! it as a whole. Windows are summed outside of the lock.
//!
//! ```
//! use rankd_orgs::{
//!     ActivityInput, Attributes, BoardRequest, Licence, Measure, OrgId, OrgIntent, OrgSpec, Orgs,
//!     UserId, Window,
//! };
//!
//! let (orgs, now_ms) = (Orgs::new(), 1_773_662_400_000);
//! let spec = OrgSpec {
//!     parent: None,
//!     resource_id: "kQ7mZp2XrT9a".into(),
//!     name: "Northwind Dental".into(),
//!     time_zone: "Europe/Oslo".into(),
//!     leaderboards_enabled: true,
//!     enrichment_fields: Vec::new(),
//!     licence: Licence::default(),
//! };
//! let referral = ActivityInput {
//!     id: "a-1".into(),
//!     org: OrgId(310),
//!     user: UserId(7041),
//!     action: "employee_refer".into(),
//!     at_ms: now_ms - 1000,
//!     points: None,
//!     possible: None,
//!     value: None,
//!     attributes: Attributes::default(),
//! };
//! let batch = [OrgIntent::PutOrg { org: OrgId(310), spec }, OrgIntent::Record(referral)];
//! let mut log = Vec::new();
//! orgs.execute(&batch, now_ms, &mut |changes| log.extend(changes));
//!
//! let board = orgs.board(OrgId(310), &BoardRequest {
//!     measure: Measure::Referrals,
//!     window: Window { from_ms: now_ms - 86_400_000, until_ms: now_ms + 1 },
//!     rolling_kind: None,
//!     vacancies: &[],
//!     now_ms,
//! });
//! let rows = board.expect("it was put").rows(0, 10);
//! assert_eq!((rows[0].user.id, rows[0].tally.score), (UserId(7041), 3));
//!
//! // The same changes lead to the same state anywhere.
//! let again = Orgs::new();
//! log.iter().try_for_each(|change| again.apply(change, now_ms))?;
//! assert_eq!(again.totals(), orgs.totals());
//! # Ok::<(), rankd_orgs::OrgApplyError>(())
//! ```

pub mod catalogue;
pub mod limits;

mod activities;
mod answers;
mod board;
mod bytes_max;
mod change;
mod check;
mod chunks;
mod credential;
mod credential_store;
mod encoded;
mod enrolments;
mod freeze;
mod frozen_kinds;
mod group;
mod hot;
mod ids;
mod intent;
mod interner;
mod kinds;
mod load;
mod maintain;
mod memory;
mod model;
mod orgs;
mod positions;
mod read;
mod recount;
mod resolve;
mod rows;
mod rules;
mod seen;
mod tree;
mod turn;
mod users;

pub use board::Board;
pub use change::{
    EnrolmentEvent, EnrolmentStep, Kind, Names, OrgChange, OrgItem, OrgState, Recorded, Rows,
    TreeChange, UserState,
};
pub use credential::{Credential, CredentialSpec, Presented, Role, SecretDigest};
pub use freeze::OrgsFrozen;
pub use ids::{CredentialId, GroupId, OrgId, PeriodId, TargetId, UserId};
pub use intent::{ActivityInput, Attributes, Campaign, OrgIntent, OrgOutcome, OrgRejection};
pub use model::{
    Aggregate, Condition, Licence, Match, OrgSpec, PeriodSpec, Profile, ScoringRule,
    TargetGroupSpec, TargetSpec,
};
pub use orgs::Orgs;
pub use read::{
    ActivityRow, BoardRequest, BoardRow, GroupView, LiveRow, Measure, MonthBoard, OrgApplyError,
    OrgMemory, OrgTotals, OrgView, ProductSum, Tally, TimelineOrder, TimelinePage, TimelineRequest,
    UserView, Window,
};
