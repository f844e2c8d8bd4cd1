//! Writing scores: one, many, and taking members off a board.

use hyper::Method;
use serde::Serialize;

use crate::boards::board_path;
use crate::error::ClientError;
use crate::path::encode;
use crate::score::Score;
use crate::transport::{Call, Client};
use crate::types::{Applied, ScoreRow, WriteOptions, Written};

/// The path of a member of a board.
pub(crate) fn member_path(board: impl AsRef<[u8]>, member: impl AsRef<[u8]>) -> String {
    format!("{}/members/{}", board_path(board), encode(member.as_ref()))
}

#[derive(Serialize)]
struct ScoreBody<'a> {
    score: &'a Score,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a crate::types::At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<crate::types::Operator>,
}

#[derive(Serialize)]
struct ScoresBody<'a> {
    scores: &'a [ScoreRow<'a>],
}

impl Client {
    /// Writes one score; durable, as the server is configured, when this returns.
    ///
    /// # Errors
    /// A 400 or 422 [`ClientError::Problem`] for a score that the board does not take; any
    /// transport error ([`ClientError::may_take_effect`] tells whether it may count all the same).
    pub async fn put_score(
        &self,
        board: impl AsRef<[u8]>,
        member: impl AsRef<[u8]>,
        score: &Score,
        options: &WriteOptions<'_>,
    ) -> Result<Written, ClientError> {
        let body = ScoreBody { score, at: options.at.as_ref(), operator: options.operator };
        let call = Call::new(Method::PUT, member_path(board, member));
        self.json_with(call.keyed(options.idempotency_key), &body).await
    }

    /// Writes a batch of at most 10 000 scores as one record. Rows that are refused have no
    /// effect and are listed; the others count.
    ///
    /// # Errors
    /// A [`ClientError::Problem`] if the batch as a whole is refused; any transport error.
    pub async fn post_scores(
        &self,
        board: impl AsRef<[u8]>,
        rows: &[ScoreRow<'_>],
        idempotency_key: Option<&str>,
    ) -> Result<Applied, ClientError> {
        let call = Call::new(Method::POST, format!("{}/scores", board_path(board)));
        self.batch(call.keyed(idempotency_key), &ScoresBody { scores: rows }).await
    }

    /// Takes a member off a board.
    ///
    /// # Errors
    /// A 404 [`ClientError::Problem`] if it is not there; any transport error.
    pub async fn delete_member(
        &self,
        board: impl AsRef<[u8]>,
        member: impl AsRef<[u8]>,
    ) -> Result<(), ClientError> {
        self.send(Call::new(Method::DELETE, member_path(board, member))).await.map(drop)
    }
}
