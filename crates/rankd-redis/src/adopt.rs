//! Taking over sorted sets that a deployment has already.
//!
//! What it is: an import. Each sorted set whose key matches becomes a board of the same name, in
//! Redis' own order (ascending, doubles, ties by member). The sorted sets are read and left as they
//! are. What it is not: a mirror; what is written to them later does not follow, so writers move
//! to rankd first, or the import is run again. Cost: every member is read once and written once.

use rankd_engine::{
    Batch, Definition, Intent, Operator, Order, Outcome, Score, ScoreKind, Storage, StoreError,
    Ties,
};
use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value};

use crate::limits::SCAN_COUNT;
use crate::options::RedisOptions;
use crate::script::answer::{bytes, list};
use crate::text::{self, Malformed};
use crate::topology::Topology;

/// What was taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Sorted sets that became boards, or had become boards before.
    pub boards: u64,
    /// Their members.
    pub members: u64,
    /// Members whose scores were other than the board's, or new.
    pub changed: u64,
}

/// Why a deployment could not be taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// The deployment cannot be read.
    #[error("Redis: {0}")]
    Redis(#[from] RedisError),
    /// It answered something odd.
    #[error("Redis: {0}")]
    Answer(String),
    /// The store does not take it.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The store takes everything but this.
    #[error("board {board}: {reason}")]
    Refused {
        /// Its name.
        board: String,
        /// Why.
        reason: String,
    },
}

impl From<Malformed> for AdoptError {
    fn from(error: Malformed) -> Self {
        Self::Answer(error.to_string())
    }
}

/// What a sorted set becomes.
const DEFINITION: Definition = Definition {
    order: Order::Ascending,
    score: ScoreKind::Float,
    operator: Operator::Latest,
    ties: Ties::Member,
    keep_at: false,
};

/// Takes over the sorted sets of `source` whose keys match `pattern`, a glob as `SCAN` has it.
/// May be called again: what is there already stays as it is.
///
/// # Errors
/// If the source cannot be read or the store refuses something; what was taken over until then
/// stays.
pub async fn adopt(
    source: &RedisOptions,
    pattern: &str,
    storage: &dyn Storage,
    now_ms: i64,
) -> Result<Adopted, AdoptError> {
    let topology = Topology::new(source);
    let mut adopted = Adopted::default();
    for mut connection in topology.primaries().await? {
        let mut cursor = b"0".to_vec();
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(&cursor).arg("MATCH").arg(pattern);
            command.arg("COUNT").arg(SCAN_COUNT).arg("TYPE").arg("zset");
            let (next, keys) = step(&command, &mut connection).await?;
            for key in keys {
                adopted.boards += 1;
                sorted_set(&mut connection, &key, storage, now_ms, &mut adopted).await?;
            }
            if next == b"0" {
                break;
            }
            cursor = next;
        }
    }
    Ok(adopted)
}

async fn sorted_set(
    connection: &mut MultiplexedConnection,
    key: &[u8],
    storage: &dyn Storage,
    now_ms: i64,
    adopted: &mut Adopted,
) -> Result<(), AdoptError> {
    let create = Intent::CreateBoard { name: key.into(), definition: DEFINITION };
    submit(storage, vec![create], now_ms, key).await?;
    let mut cursor = b"0".to_vec();
    loop {
        let mut command = redis::cmd("ZSCAN");
        command.arg(key).arg(&cursor).arg("COUNT").arg(SCAN_COUNT);
        let (next, items) = step(&command, connection).await?;
        let mut writes = Vec::with_capacity(items.len() / 2);
        for pair in items.chunks_exact(2) {
            let [member, score] = pair else { continue };
            let score: Score = text::score(ScoreKind::Float, score)?;
            let (board, member) = (key.into(), member.as_slice().into());
            writes.push(Intent::Write { board, member, score, operator: None, at_ms: None });
        }
        adopted.members += writes.len() as u64;
        if !writes.is_empty() {
            adopted.changed += submit(storage, writes, now_ms, key).await?;
        }
        if next == b"0" {
            return Ok(());
        }
        cursor = next;
    }
}

/// Submits intents, all of which have to be taken. Returns how many changed something.
async fn submit(
    storage: &dyn Storage,
    intents: Vec<Intent>,
    now_ms: i64,
    board: &[u8],
) -> Result<u64, AdoptError> {
    let receipt = storage.submit(Batch::new(intents, now_ms)).await?;
    let rankd_engine::Answer::Fresh(outcomes) = receipt.answer else { return Ok(0) };
    let mut changed = 0;
    for outcome in outcomes {
        match outcome {
            Outcome::Rejected(reason) => {
                let board = String::from_utf8_lossy(board).into_owned();
                return Err(AdoptError::Refused { board, reason: reason.to_string() });
            }
            Outcome::Written { changed: true, .. } => changed += 1,
            _ => {}
        }
    }
    Ok(changed)
}

/// One step of a scan: the next cursor, and what it found.
async fn step(
    command: &redis::Cmd,
    connection: &mut MultiplexedConnection,
) -> Result<(Vec<u8>, Vec<Vec<u8>>), AdoptError> {
    let answer: Value = command.query_async(connection).await?;
    let mut parts = list(answer)?.into_iter();
    let next = bytes(parts.next().unwrap_or_default())?;
    let items = list(parts.next().unwrap_or_default())?;
    Ok((next, items.into_iter().map(bytes).collect::<Result<_, _>>()?))
}
