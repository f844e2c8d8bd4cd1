//! A running server, over HTTP.

use anyhow::Context as _;
use rankd_client::{Applied, At, Client, ClientError, Definition, Names, Operator, ScoreRow};
use tokio::task::JoinSet;

use super::convert::api_score;
use super::{BoardFacts, ExportRow, WriteError, key_text};
use crate::rows::Batch;

/// Most requests for single members that an export has in flight.
const LOOK_UPS_MAX: usize = 16;

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
        batch: &Batch,
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
        self.client.post_scores(board, &rows, Some(&key_text(key))).await.map_err(|error| {
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
            WriteError { error: explained(error), may_take_effect, is_passing }
        })
    }

    pub(super) async fn page(
        &self,
        board: &str,
        offset: u64,
        limit: usize,
    ) -> anyhow::Result<Vec<ExportRow>> {
        let page = self.client.top(board, offset, limit, Names::Without).await;
        let entries = page.map_err(explained)?.entries;
        let mut rows: Vec<_> = entries
            .into_iter()
            .map(|entry| ExportRow {
                rank: entry.rank,
                member: entry.member,
                score: entry.score,
                at: None,
            })
            .collect();
        for chunk in rows.chunks_mut(LOOK_UPS_MAX) {
            self.look_up(board, chunk).await?;
        }
        Ok(rows)
    }

    /// Fills in the times of `rows`, which a page does not carry, all at once. A member that has
    /// moved meanwhile gets the score that belongs to the time.
    async fn look_up(&self, board: &str, rows: &mut [ExportRow]) -> anyhow::Result<()> {
        let mut running = JoinSet::new();
        for (index, row) in rows.iter().enumerate() {
            let (client, board, member) =
                (self.client.clone(), board.to_owned(), row.member.clone());
            running.spawn(async move {
                (index, client.standing(board, member, Default::default()).await)
            });
        }
        while let Some(joined) = running.join_next().await {
            let (index, standing) = joined.context("a look-up was cut short")?;
            let row = rows.get_mut(index).expect("an index of these rows");
            match standing {
                Ok(standing) => (row.score, row.at) = (standing.score, standing.at),
                // It left the board since the page was read; the page's word stands.
                Err(error) if error.is_unknown() => {}
                Err(error) => return Err(explained(error)),
            }
        }
        Ok(())
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
