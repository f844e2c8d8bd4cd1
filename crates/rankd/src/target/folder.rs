//! A data folder, opened in this process.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use rankd_client::{Applied, Definition, Operator, RejectedRow};
use rankd_engine::{
    Answer, Engine, IdempotencyKey, Intent, KeptOutcomes, Outcome, RankStyle, Rejection, StoreError,
};

use super::convert::{api_definition, api_score, engine_definition, engine_operator};
use super::{BoardFacts, ExportRow, WriteError, key_text};
use crate::rows::{Batch, Row};
use crate::store;

/// An open data folder.
pub(crate) struct Folder {
    engine: Arc<Engine>,
}

impl Folder {
    pub(crate) async fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { engine: store::open_folder(path).await? })
    }

    pub(super) fn board(&self, name: &str) -> Option<BoardFacts> {
        let info = self.engine.board(name.as_bytes())?.info();
        Some(BoardFacts {
            definition: api_definition(&info.definition),
            created: info.created_ms.to_string(),
        })
    }

    pub(super) async fn create_board(
        &self,
        name: &str,
        definition: &Definition,
    ) -> anyhow::Result<BoardFacts> {
        let intent = Intent::CreateBoard {
            name: name.as_bytes().into(),
            definition: engine_definition(definition),
        };
        let receipt = self.engine.submit(vec![intent], false, None).await?;
        if let Answer::Fresh(outcomes) = receipt.answer
            && let Some(Outcome::Rejected(rejection)) = outcomes.first()
        {
            return Err(anyhow!("cannot create the board `{name}`: {rejection}"));
        }
        self.board(name).with_context(|| format!("the board `{name}` was deleted at once"))
    }

    pub(super) async fn write(
        &self,
        board: &str,
        batch: &Batch<Row>,
        operator: Option<Operator>,
        key: [u8; 16],
    ) -> Result<Applied, WriteError> {
        let operator = operator.map(engine_operator);
        let intents = batch
            .rows
            .iter()
            .map(|row| Intent::Write {
                board: board.as_bytes().into(),
                member: row.member.as_bytes().into(),
                score: row.score,
                operator,
                at_ms: row.at_ms,
            })
            .collect();
        let key = IdempotencyKey { key: key_text(key).into_bytes().into(), digest: key };
        let receipt = self.engine.submit(intents, false, Some(key)).await.map_err(write_error)?;
        Ok(match receipt.answer {
            Answer::Fresh(outcomes) => count(outcomes),
            Answer::Repeated(KeptOutcomes::One(outcome)) => {
                Applied { replayed: true, ..count([*outcome]) }
            }
            Answer::Repeated(KeptOutcomes::Many { applied, unchanged, rejected }) => Applied {
                applied: applied.into(),
                unchanged: unchanged.into(),
                rejected: rejected.iter().map(|(index, why)| refused(*index, why)).collect(),
                replayed: true,
            },
        })
    }

    pub(super) fn page(
        &self,
        board: &str,
        offset: u64,
        limit: usize,
    ) -> anyhow::Result<Vec<ExportRow>> {
        let found = self.engine.board(board.as_bytes());
        let found = found.with_context(|| format!("there is no board `{board}`"))?;
        let rows = found.top(offset, limit).entries.into_iter().map(|entry| ExportRow {
            rank: entry.rank,
            score: api_score(entry.score),
            at: found
                .standing(&entry.member, RankStyle::Ordinal)
                .and_then(|standing| standing.at_ms)
                .and_then(time_text),
            member: entry.member.into_vec().into(),
        });
        Ok(rows.collect())
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.engine.close().await.context("cannot close the data folder")
    }
}

/// A time as the API writes it: RFC 3339, with milliseconds if there are any.
fn time_text(at_ms: i64) -> Option<String> {
    let time = chrono::DateTime::from_timestamp_millis(at_ms)?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

fn count(outcomes: impl IntoIterator<Item = Outcome>) -> Applied {
    let mut counts = Applied { applied: 0, unchanged: 0, rejected: Vec::new(), replayed: false };
    for (index, outcome) in (0_u32..).zip(outcomes) {
        match outcome {
            Outcome::Rejected(why) => counts.rejected.push(refused(index, &why)),
            Outcome::Written { changed: false, .. } => counts.unchanged += 1,
            _ => counts.applied += 1,
        }
    }
    counts
}

fn refused(index: u32, why: &Rejection) -> RejectedRow {
    let index = usize::try_from(index).expect("a batch has far fewer rows");
    RejectedRow { index, detail: why.to_string() }
}

fn write_error(error: StoreError) -> WriteError {
    let may_take_effect = error.may_take_effect();
    let is_passing = may_take_effect || matches!(error, StoreError::ReadOnly(_));
    WriteError { error: error.into(), may_take_effect, is_passing }
}
