//! A running server, over HTTP.

use rankd_client::{Applied, At, Client, ClientError, Definition, Extras, Operator, ScoreRow};

use super::convert::api_score;
use super::{BoardFacts, ExportRow, WriteError, key_text};
use crate::rows::{Batch, Row};

/// A running server.
pub(crate) struct Server {
    client: Client,
}

impl Server {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(super) async fn board(&self, name: &str) -> anyhow::Result<Option<BoardFacts>> {
        match self.client.board(name).await {
            Ok(info) => Ok(Some(facts(info))),
            Err(error) if error.is_unknown() => Ok(None),
            Err(error) => Err(explained(error)),
        }
    }

    pub(super) async fn create_board(
        &self,
        name: &str,
        definition: &Definition,
    ) -> anyhow::Result<BoardFacts> {
        let created = self.client.create_board(name, definition).await;
        created.map(|(info, _)| facts(info)).map_err(explained)
    }

    pub(super) async fn write(
        &self,
        board: &str,
        batch: &Batch<Row>,
        operator: Option<Operator>,
        key: [u8; 16],
    ) -> Result<Applied, WriteError> {
        let rows: Vec<_> = batch
            .rows
            .iter()
            .map(|row| ScoreRow {
                member: &row.member,
                score: api_score(row.score),
                at: row.at_ms.map(At::Ms),
                operator,
            })
            .collect();
        let written = self.client.post_scores(board, &rows, Some(&key_text(key))).await;
        written.map_err(WriteError::from)
    }

    pub(super) async fn page(
        &self,
        board: &str,
        offset: u64,
        limit: usize,
    ) -> anyhow::Result<Vec<ExportRow>> {
        let page = self.client.top(board, offset, limit, Extras::TIMES).await;
        let row = |entry: rankd_client::Entry| ExportRow {
            rank: entry.rank,
            member: entry.member,
            score: entry.score,
            at: entry.at,
        };
        Ok(page.map_err(explained)?.entries.into_iter().map(row).collect())
    }
}

impl From<ClientError> for WriteError {
    fn from(error: ClientError) -> Self {
        let is_passing = match error.problem() {
            Some(problem) => problem.status == 503,
            None => matches!(
                error,
                ClientError::Connect { .. }
                    | ClientError::Lost { .. }
                    | ClientError::Timeout { .. }
            ),
        };
        let may_take_effect = error.may_take_effect();
        Self { error: explained(error), may_take_effect, is_passing }
    }
}

fn facts(info: rankd_client::BoardInfo) -> BoardFacts {
    BoardFacts { definition: info.definition, created: info.created_at.unwrap_or_default() }
}

/// The error with what users can do about it. Of the layers below a broken connection only the
/// last one, the system's reason, says anything.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(crate) fn explained(error: ClientError) -> anyhow::Error {
    let root = {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        cause.to_string()
    };
    match &error {
        ClientError::Connect { .. } => anyhow::anyhow!(
            "{error}: {root} (is `rankd serve` running there? --server URL names another)"
        ),
        ClientError::Lost { .. } => anyhow::anyhow!("{error}: {root}"),
        _ => anyhow::anyhow!("{error}"),
    }
}
