//! What can be wrong with a request, with the numbers and words that clients of the API know, and
//! what is worth a warning.
//!
//! Invariant: a fault alone decides status, code and message; of several faults the earliest in
//! the order of the API's checks is the one that is told.

use std::fmt;

use hyper::StatusCode;

/// Most identifiers that a message lists.
const LISTED_IDS_MAX: usize = 100;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("Authentication failed")]
    Unauthorized,
    #[error("Input is invalid. Please check request parameters or input json: {0}")]
    Input(String),
    #[error("The following orgs are not part of the hierarchy: {}", Ids(.0))]
    OutsideHierarchy(Vec<i64>),
    #[error("Leaderboards are not enabled for the following orgs: {}", Ids(.0))]
    LeaderboardsOff(Vec<u64>),
    #[error("Target group not found or deactivated")]
    GroupNotFound,
    #[error("Leaderboard is not enabled for the target group")]
    GroupWithoutLeaderboard,
    #[error("target rule id doesn't belong to target group")]
    TargetNotInGroup,
    #[error("Target Period not found for the target")]
    PeriodNotFound,
    #[error("Customer not found for organization")]
    CustomerNotFound,
}

impl Fault {
    /// The code in the envelope.
    pub(super) fn code(&self) -> u32 {
        match self {
            Self::Unauthorized => 401,
            Self::Input(_) => 400,
            Self::OutsideHierarchy(_) => 51_512,
            Self::LeaderboardsOff(_) => 310_133,
            Self::GroupNotFound => 310_017,
            Self::GroupWithoutLeaderboard => 310_134,
            Self::TargetNotInGroup => 310_079,
            Self::PeriodNotFound => 310_118,
            Self::CustomerNotFound => 816,
        }
    }

    /// The status of the response: the API knows 400 alone, but for credentials.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// What was put right, or left out, on the way to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Warning {
    #[error("Page offset can not be in negative, fetching the first page by default")]
    OffsetNegative,
    #[error("Page Size can not be more than 100, capping the page size to 100")]
    SizeTooLarge,
    #[error("Page Size can not be less than 1, using the default page size 10")]
    SizeTooSmall,
    #[error("Page Limit can not be more than 100, capping the page limit to 100")]
    LimitTooLarge,
    #[error("Page Limit can not be less than 1, fetching one page")]
    LimitTooSmall,
    #[error(
        "Maximum number of target rules allowed is 25, \
         only first 25 target rules will be considered"
    )]
    TooManyRules,
    #[error("Target group id {0} not found or deactivated")]
    GroupNotFound(i64),
    #[error("Leaderboard is not enabled for the target group id {0}")]
    GroupWithoutLeaderboard(i64),
    #[error("Target rule id {target} does not belong to target group id {group}")]
    TargetNotInGroup { group: i64, target: i64 },
    #[error("Target period id {period} not found for the target id {target}")]
    PeriodNotFound { period: i64, target: i64 },
    #[error("No active target period found for the target id {0}")]
    NoCurrentPeriod(i64),
}

/// Identifiers in brackets; a list that only a hostile client would send is cut short.
struct Ids<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Ids<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, id) in self.0.iter().take(LISTED_IDS_MAX).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{id}")?;
        }
        let cut = if self.0.len() > LISTED_IDS_MAX { ", ...]" } else { "]" };
        f.write_str(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_identifiers_are_bounded() {
        let two = Fault::OutsideHierarchy(vec![7, -1]);
        assert_eq!(two.to_string(), "The following orgs are not part of the hierarchy: [7, -1]");
        let many = Fault::LeaderboardsOff((1..=101).collect()).to_string();
        assert!(many.ends_with(", 99, 100, ...]"), "{many}");
    }

    #[test]
    fn the_warnings_have_the_words_of_the_reference() {
        let told = [
            Warning::TooManyRules,
            Warning::GroupNotFound(999),
            Warning::GroupWithoutLeaderboard(43_879),
            Warning::TargetNotInGroup { target: 999, group: 232 },
            Warning::PeriodNotFound { period: 999, target: 366 },
            Warning::NoCurrentPeriod(366),
        ];
        let reference = [
            "Maximum number of target rules allowed is 25, only first 25 target rules will be \
             considered",
            "Target group id 999 not found or deactivated",
            "Leaderboard is not enabled for the target group id 43879",
            "Target rule id 999 does not belong to target group id 232",
            "Target period id 999 not found for the target id 366",
            "No active target period found for the target id 366",
        ];
        assert_eq!(told.map(|warning| warning.to_string()), reference);
    }
}
