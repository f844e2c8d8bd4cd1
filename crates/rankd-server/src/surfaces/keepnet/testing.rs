//! What tests of several modules are made of.

use std::sync::Arc;

use rankd_orgs::{BoardRow, OrgId, Tally, UserId, UserView};

/// A row of a board; its rank is its user's number, too.
pub(super) fn row(
    resource_id: &str,
    rank: u64,
    score: i64,
    possible: i64,
    profile: &[(&str, &str)],
) -> BoardRow {
    let text = |(key, value): &(&str, &str)| (Box::from(*key), Box::from(*value));
    BoardRow {
        rank,
        user: UserView {
            id: UserId(rank),
            resource_id: resource_id.into(),
            home: OrgId(1),
            profile: Arc::new(profile.iter().map(text).collect()),
        },
        tally: Tally { score, possible, referrals: 0, recommendations: 0, last_ms: 0 },
    }
}
