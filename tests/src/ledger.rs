//! Clients that write over HTTP, and what they were told: the oracle of kills.
//!
//! Each client has a board of its own. A batch sets every row of it to the batch's number, so that
//! a batch that is there in part shows. Invariant: after any restart, a client's rows have one
//! number, between the last that was acknowledged and the last that was sent.

use rankd_client::{Client, Extras, ScoreRow};

/// Rows of one batch.
const ROWS: usize = 30;

/// One client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    board: String,
    sent: i64,
    acknowledged: i64,
}

impl Writer {
    /// The client of this number, who has written nothing yet.
    #[must_use]
    pub fn new(number: usize) -> Self {
        Self { board: format!("client-{number}"), sent: 0, acknowledged: 0 }
    }

    /// Batches that were acknowledged, counted from the first.
    #[must_use]
    pub fn acknowledged(&self) -> i64 {
        self.acknowledged
    }

    /// Sends the next batch. Whether it was acknowledged.
    pub async fn write(&mut self, client: &Client) -> bool {
        self.sent += 1;
        let names: Vec<_> = (0..ROWS).map(|row| format!("row-{row}")).collect();
        let score = || self.sent.into();
        let rows: Vec<_> = names
            .iter()
            .map(|member| ScoreRow { member, score: score(), at: None, operator: None })
            .collect();
        let is_acknowledged = client.post_scores(&self.board, &rows, None).await.is_ok();
        if is_acknowledged {
            self.acknowledged = self.sent;
        }
        is_acknowledged
    }

    /// Compares the board with what was told. What is found is what the client goes on from.
    ///
    /// # Panics
    /// If something acknowledged is lost, or a batch is there in part.
    pub async fn verify(&mut self, client: &Client) {
        let top = client.top(&self.board, 0, 1000, Extras::NONE).await;
        let found = match top {
            Ok(page) => {
                let scores: Vec<_> = page.entries.iter().map(|e| e.score.to_string()).collect();
                assert_eq!(scores.len(), ROWS, "{self:?}: a batch is there in part: {scores:?}");
                let first = scores.first().expect("there are rows");
                assert!(scores.iter().all(|score| score == first), "{self:?}: {scores:?}");
                first.parse().expect("an integer")
            }
            Err(error) => {
                assert!(error.is_unknown(), "{self:?}: {error}");
                0
            }
        };
        let expected = self.acknowledged..=self.sent;
        assert!(expected.contains(&found), "{}: {found}, expected {expected:?}", self.board);
        (self.sent, self.acknowledged) = (found, found);
    }
}

/// Verifies every client's board.
///
/// # Panics
/// As [`Writer::verify`].
pub async fn verify_all(writers: &mut [Writer], client: &Client) {
    for writer in writers {
        writer.verify(client).await;
    }
}
