//! What bulk writes have in common: rows that are wrong in themselves are set aside with their
//! index, the others become one batch, and the report puts both together.
//!
//! Which rows are set aside depends on the body alone (but for one corner: see
//! [`crate::numbers::Operand::check`]), so the report of a repeated request is the first one.

use hyper::StatusCode;
use rankd_engine::{Answer, Intent, KeptOutcomes, Outcome, Rejection};
use serde::Serialize;

use crate::limits::BATCH_ROWS_MAX;
use crate::problem::{Problem, Slug};
use crate::reply::{self, Reply};

/// A row without effect.
#[derive(Debug, Serialize)]
pub(super) struct RejectedRow {
    /// 0-based place in the request.
    index: usize,
    detail: String,
}

/// The answer to a bulk write.
#[derive(Debug, Serialize)]
struct Report {
    applied: u64,
    unchanged: u64,
    rejected: Vec<RejectedRow>,
}

/// Intents, each with the index of its row, and the rows that did not become one.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) intents: Vec<Intent>,
    indexes: Vec<usize>,
    rejected: Vec<RejectedRow>,
}

impl Batch {
    /// Makes an intent of each row, or keeps why that cannot be.
    pub(super) fn of<T>(
        rows: &[T],
        mut intent: impl FnMut(&T) -> Result<Intent, String>,
    ) -> Result<Self, Problem> {
        check_count(rows.len())?;
        let mut batch = Self { intents: Vec::with_capacity(rows.len()), ..Self::default() };
        for (index, row) in rows.iter().enumerate() {
            match intent(row) {
                Ok(intent) => {
                    batch.intents.push(intent);
                    batch.indexes.push(index);
                }
                Err(detail) => batch.rejected.push(RejectedRow { index, detail }),
            }
        }
        Ok(batch)
    }

    /// Takes the intents, for submission.
    pub(super) fn take_intents(&mut self) -> Vec<Intent> {
        std::mem::take(&mut self.intents)
    }

    /// The reply; `explain` words the rejection of the row with that index.
    pub(super) fn report(
        self,
        answer: Answer,
        explain: impl Fn(usize, Rejection) -> String,
    ) -> Result<Reply, Problem> {
        let repeated = matches!(answer, Answer::Repeated(_));
        let tally = Tally::of(answer)?;
        reply::replayed(self.tell(tally, explain), repeated)
    }

    fn tell(
        mut self,
        tally: Tally,
        explain: impl Fn(usize, Rejection) -> String,
    ) -> Result<Reply, Problem> {
        for (position, rejection) in tally.rejected {
            if concerns_all(&rejection) {
                return Err(rejection.into());
            }
            let Some(&index) = self.indexes.get(position) else {
                return Err(Problem::internal((position, rejection)));
            };
            let detail = explain(index, rejection);
            self.rejected.push(RejectedRow { index, detail });
        }
        self.rejected.sort_by_key(|row| row.index);
        let Tally { applied, unchanged, .. } = tally;
        let report = Report { applied, unchanged, rejected: self.rejected };
        Ok(reply::json(StatusCode::OK, &report))
    }
}

/// Outcomes, counted.
#[derive(Debug, Default)]
struct Tally {
    applied: u64,
    unchanged: u64,
    rejected: Vec<(usize, Rejection)>,
}

impl Tally {
    fn of(answer: Answer) -> Result<Self, Problem> {
        match answer {
            Answer::Fresh(outcomes) => Ok(Self::count(outcomes)),
            Answer::Repeated(KeptOutcomes::One(outcome)) => Ok(Self::count(vec![*outcome])),
            Answer::Repeated(KeptOutcomes::Many { applied, unchanged, rejected }) => Ok(Self {
                applied: applied.into(),
                unchanged: unchanged.into(),
                rejected: rejected
                    .into_iter()
                    .map(|(position, why)| Ok((usize::try_from(position)?, why)))
                    .collect::<Result<_, std::num::TryFromIntError>>()
                    .map_err(Problem::internal)?,
            }),
        }
    }

    fn count(outcomes: Vec<Outcome>) -> Self {
        let mut tally = Self::default();
        for (position, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Outcome::Rejected(why) => tally.rejected.push((position, why)),
                Outcome::Written { changed: false, .. } | Outcome::LabelKept => {
                    tally.unchanged += 1;
                }
                _ => tally.applied += 1,
            }
        }
        tally
    }
}

/// Whether a rejection is about the board of the whole request, and not about its row.
fn concerns_all(rejection: &Rejection) -> bool {
    use Rejection::{NameTaken, TooManyBoards, UnknownBoard};
    matches!(rejection, UnknownBoard | TooManyBoards(_) | NameTaken)
}

fn check_count(rows: usize) -> Result<(), Problem> {
    if rows <= BATCH_ROWS_MAX {
        return Ok(());
    }
    let detail = format!("the request has {rows} rows; the limit is {BATCH_ROWS_MAX}");
    Err(Problem::new(Slug::TooManyItems, detail))
}
