//! Boards: create, describe, list, delete.

use hyper::{Method, StatusCode};

use crate::error::ClientError;
use crate::path::{Query, encode};
use crate::transport::{Call, Client, decode};
use crate::types::{BoardInfo, BoardList, Definition};

/// The path of a board.
pub(crate) fn board_path(board: impl AsRef<[u8]>) -> String {
    format!("/v1/boards/{}", encode(board.as_ref()))
}

impl Client {
    /// Creates the board, or finds it there with the same definition. The flag says whether it
    /// is new.
    ///
    /// # Errors
    /// A 409 [`ClientError::Problem`] if it exists with another definition; any transport error.
    pub async fn create_board(
        &self,
        board: impl AsRef<[u8]>,
        definition: &Definition,
    ) -> Result<(BoardInfo, bool), ClientError> {
        let call = self.with_body(Call::new(Method::PUT, board_path(board)), definition)?;
        let url = self.url(&call.path);
        let reply = self.send(call).await?;
        Ok((decode(&url, &reply.body)?, reply.status == StatusCode::CREATED))
    }

    /// Describes a board.
    ///
    /// # Errors
    /// A 404 [`ClientError::Problem`] if there is none; any transport error.
    pub async fn board(&self, board: impl AsRef<[u8]>) -> Result<BoardInfo, ClientError> {
        self.json(Call::get(board_path(board))).await
    }

    /// A page of the boards whose names start with `prefix`, from where `cursor` says.
    ///
    /// # Errors
    /// A 400 [`ClientError::Problem`] for a bad limit or cursor; any transport error.
    pub async fn boards(
        &self,
        prefix: impl AsRef<[u8]>,
        limit: Option<usize>,
        cursor: Option<&str>,
    ) -> Result<BoardList, ClientError> {
        let mut query = Query::default();
        if !prefix.as_ref().is_empty() {
            query = query.with("prefix", prefix);
        }
        let query = query.with_some("limit", limit).with_some("cursor", cursor);
        self.json(Call::get(format!("/v1/boards{query}"))).await
    }

    /// Deletes a board and everything on it.
    ///
    /// # Errors
    /// A 404 [`ClientError::Problem`] if there is none; any transport error.
    pub async fn delete_board(&self, board: impl AsRef<[u8]>) -> Result<(), ClientError> {
        self.send(Call::new(Method::DELETE, board_path(board))).await.map(drop)
    }
}
