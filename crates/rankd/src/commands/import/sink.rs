//! What an import writes to: a board, or one of the lists of organisations.
//!
//! Invariant: a batch that is written twice counts once, but for a board with `--again`; each sink
//! says how it makes sure of that.

use rankd_client::{Accepted, Applied, Client, ClientError, Operator, RejectedRow, Setup};
use rankd_engine::{Clock as _, SystemClock};
use serde_json::value::RawValue;

use crate::rows::{Batch, OrgRow, Row, RowData, SetupRow};
use crate::target::{BoardFacts, Target, WriteError};

/// Where rows go.
pub(super) trait Sink {
    type Row: RowData;

    /// Writes a batch: all of it, or nothing that another attempt would not make up for.
    async fn write(&self, batch: &Batch<Self::Row>) -> Result<Applied, WriteError>;

    /// How reports speak of it.
    fn words(&self) -> Words<'_>;
}

/// How reports speak of a sink.
pub(super) struct Words<'a> {
    /// After "imported 3 rows".
    pub(super) destination: String,
    /// After the number of rows that changed something.
    pub(super) changed: &'static str,
    /// After the number of the others.
    pub(super) unchanged: &'static str,
    /// Key and value that name it in JSON.
    pub(super) name: (&'static str, &'a str),
    pub(super) repeats: Repeats,
}

/// What becomes of rows that are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    /// They count once more.
    Count,
    /// They count once while the server remembers the batch's key.
    Keyed,
    /// They never count twice.
    Harmless,
}

/// A board; a batch is written under a key that follows from its rows.
pub(super) struct BoardSink<'a> {
    board: &'a str,
    target: &'a Target,
    /// Overrides the board's operator.
    operator: Option<Operator>,
    /// What makes the keys of this run's batches its own.
    context: Vec<Vec<u8>>,
    repeats: Repeats,
}

impl<'a> BoardSink<'a> {
    pub(super) fn new(
        board: &'a str,
        target: &'a Target,
        facts: &BoardFacts,
        operator: Option<Operator>,
        again: bool,
    ) -> Self {
        let operator = operator.filter(|operator| *operator != facts.definition.operator);
        let mut context = vec![
            board.as_bytes().to_vec(),
            facts.created.clone().into_bytes(),
            operator.map_or("", Operator::as_str).as_bytes().to_vec(),
        ];
        if again {
            context.push(SystemClock.now_ms().to_le_bytes().to_vec());
        }
        let repeats = if again { Repeats::Count } else { Repeats::Keyed };
        Self { board, target, operator, context, repeats }
    }
}

impl Sink for BoardSink<'_> {
    type Row = Row;

    async fn write(&self, batch: &Batch<Row>) -> Result<Applied, WriteError> {
        let context: Vec<_> = self.context.iter().map(Vec::as_slice).collect();
        let key = batch.digest(&context);
        self.target.write(self.board, batch, self.operator, key).await
    }

    fn words(&self) -> Words<'_> {
        Words {
            destination: format!(" onto `{}`", self.board),
            changed: "changed it",
            unchanged: "did not",
            name: ("board", self.board),
            repeats: self.repeats,
        }
    }
}

/// The activities of all organisations; their ids tell what is in already.
pub(super) struct ActivitySink(pub(super) Client);

impl Sink for ActivitySink {
    type Row = OrgRow;

    async fn write(&self, batch: &Batch<OrgRow>) -> Result<Applied, WriteError> {
        let activities: Vec<&RawValue> = batch.rows.iter().map(|row| &*row.json).collect();
        Ok(applied(self.0.post_activities(&activities).await?))
    }

    fn words(&self) -> Words<'_> {
        Words {
            destination: " of activities".to_owned(),
            changed: "new",
            unchanged: "in already",
            name: ("into", "activities"),
            repeats: Repeats::Harmless,
        }
    }
}

/// The users of all organisations; a row says what a user is to be.
pub(super) struct UserSink(pub(super) Client);

impl Sink for UserSink {
    type Row = OrgRow;

    /// One request for each organisation that the batch has users of.
    async fn write(&self, batch: &Batch<OrgRow>) -> Result<Applied, WriteError> {
        let mut total = Applied { applied: 0, unchanged: 0, rejected: Vec::new(), replayed: false };
        for (org, places) in by_org(&batch.rows) {
            let rows = places.iter().filter_map(|place| batch.rows.get(*place));
            let users: Vec<&RawValue> = rows.map(|row| &*row.json).collect();
            let done = self.0.post_users(org, &users).await?;
            total.applied += done.accepted;
            total.unchanged += done.duplicates;
            total.rejected.extend(done.rejected.into_iter().map(|row| RejectedRow {
                index: places.get(row.index).copied().unwrap_or_default(),
                ..row
            }));
        }
        total.rejected.sort_by_key(|row| row.index);
        Ok(total)
    }

    fn words(&self) -> Words<'_> {
        Words {
            destination: " of users".to_owned(),
            changed: "new or changed",
            unchanged: "as they were",
            name: ("into", "users"),
            repeats: Repeats::Harmless,
        }
    }
}

/// The organisations in the order in which they occur, each with the places of its rows.
fn by_org(rows: &[OrgRow]) -> Vec<(u64, Vec<usize>)> {
    let mut places: Vec<(u64, Vec<usize>)> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        match places.iter_mut().find(|(org, _)| *org == row.org) {
            Some((_, found)) => found.push(place),
            None => places.push((row.org, vec![place])),
        }
    }
    places
}

/// Whatever sets organisations up; a line says what something is to be.
pub(super) struct SetupSink(pub(super) Client);

impl Sink for SetupSink {
    type Row = SetupRow;

    async fn write(&self, batch: &Batch<SetupRow>) -> Result<Applied, WriteError> {
        let mut total = Applied { applied: 0, unchanged: 0, rejected: Vec::new(), replayed: false };
        for (index, row) in batch.rows.iter().enumerate() {
            match row.setup {
                Setup::Enrolments => {
                    let refused = self.0.post_enrolments(&row.body).await?.rejected;
                    let first = refused.into_iter().next();
                    total.rejected.extend(first.map(|first| RejectedRow {
                        index,
                        detail: format!("enrolment {}: {}", first.index, first.detail),
                    }));
                }
                setup => match self.0.set_up(setup, &row.body).await {
                    Err(error) if is_there_already(setup, &error) => {
                        eprintln!("line {}: {error}; it stays as it is", row.line);
                        total.unchanged += 1;
                    }
                    done => done?,
                },
            }
        }
        total.applied = (batch.rows.len() - total.rejected.len()) as u64 - total.unchanged;
        Ok(total)
    }

    fn words(&self) -> Words<'_> {
        Words {
            destination: " of a set-up".to_owned(),
            changed: "carried out",
            unchanged: "without effect",
            name: ("into", "setup"),
            repeats: Repeats::Harmless,
        }
    }
}

/// Whether there is a credential of that name or secret: a set-up that is run again makes none.
fn is_there_already(setup: Setup, error: &ClientError) -> bool {
    let slug = error.problem().map(|problem| problem.slug.as_str());
    matches!(setup, Setup::Credential(_)) && slug == Some("taken")
}

fn applied(done: Accepted) -> Applied {
    Applied {
        applied: done.accepted,
        unchanged: done.duplicates,
        rejected: done.rejected,
        replayed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_sent_by_organisation_in_the_order_of_the_rows() {
        let row = |org| OrgRow { line: 1, org, json: RawValue::NULL.to_owned() };
        let rows = [3, 1, 3, 2, 1].map(row);
        assert_eq!(by_org(&rows), [(3, vec![0, 2]), (1, vec![1, 4]), (2, vec![3])]);
    }
}
