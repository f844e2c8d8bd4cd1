//! What bulk calls about organisations have in common: rows that are wrong in themselves are set
//! aside with their index, the others become one batch, and the report puts both together.

use rankd_orgs::{OrgIntent, OrgOutcome};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::OrgCall;
use crate::body::Object;
use crate::limits::ORG_ROWS_MAX;
use crate::problem::{Problem, Slug, shown};

/// A row without effect.
#[derive(Debug, Serialize)]
pub(super) struct RejectedRow {
    /// 0-based place in the request.
    index: usize,
    detail: String,
}

/// What became of the rows.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rows with an effect.
    pub(super) applied: u64,
    /// Rows that were so already.
    pub(super) unchanged: u64,
    pub(super) rejected: Vec<RejectedRow>,
}

/// The usual answer to a bulk call.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    applied: u64,
    unchanged: u64,
    rejected: Vec<RejectedRow>,
}

impl From<Tally> for Report {
    fn from(Tally { applied, unchanged, rejected }: Tally) -> Self {
        Self { applied, unchanged, rejected }
    }
}

/// Makes an intent of each row, submits them as one batch, and counts what became of them.
pub(super) async fn submit(
    call: &OrgCall<'_>,
    rows: impl ExactSizeIterator<Item = Result<OrgIntent, String>>,
) -> Result<Tally, Problem> {
    let count = rows.len();
    if count > ORG_ROWS_MAX {
        let detail = format!("the request has {count} rows; the limit is {ORG_ROWS_MAX}");
        return Err(Problem::new(Slug::TooManyItems, detail));
    }
    let mut tally = Tally::default();
    let mut intents = Vec::with_capacity(count);
    let mut indexes = Vec::with_capacity(count);
    for (index, row) in rows.enumerate() {
        match row {
            Ok(intent) => {
                intents.push(intent);
                indexes.push(index);
            }
            Err(detail) => tally.rejected.push(RejectedRow { index, detail }),
        }
    }
    if intents.is_empty() {
        return Ok(tally);
    }
    let outcomes = call.engine.submit_orgs(intents).await?;
    for (index, outcome) in indexes.into_iter().zip(outcomes) {
        tally.count(index, &outcome);
    }
    tally.rejected.sort_by_key(|row| row.index);
    Ok(tally)
}

impl Tally {
    fn count(&mut self, index: usize, outcome: &OrgOutcome) {
        match outcome {
            OrgOutcome::Rejected(why) => {
                self.rejected.push(RejectedRow { index, detail: why.to_string() });
            }
            OrgOutcome::Unchanged | OrgOutcome::Duplicate => self.unchanged += 1,
            OrgOutcome::Created | OrgOutcome::Changed | OrgOutcome::CredentialAdded(_) => {
                self.applied += 1;
            }
        }
    }
}

/// Reads one row; the error says what is wrong with it.
pub(super) fn row<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get()).map(|Object(row)| row).map_err(|error| {
        // Line and column would be those within the row, which the client does not see.
        let text = error.to_string();
        let end = text.rfind(" at line ").unwrap_or(text.len());
        shown(&text[..end])
    })
}
