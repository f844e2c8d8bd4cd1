//! Boards, their policies, and the one way a write goes: an *intent* is resolved to absolute
//! *changes*, and only changes are applied. Batches about organisations go the same way; what is
//! in them is for `rankd-orgs` alone.
//!
//! What it is: a deterministic state machine over [`Change`]s in memory ([`State`]), the port
//! that stores implement ([`Storage`]), and the calls that front ends make ([`Engine`]).
//!
//! What it is not: it opens no file and no socket, starts no thread and reads no clock; the time
//! comes in with every batch.
//!
//! Locks, always taken in this order: idempotency claim, cut gate (shared), lanes of display names
//! (ascending), creation lock, boards by ascending id, directory. Under the gate a batch about
//! organisations takes their locks and none of the others. None is held across an await.

pub mod limits;

mod board;
mod change;
mod clock;
mod codec;
mod cow_map;
mod cut;
mod definition;
mod directory;
mod engine;
mod execute;
mod ids;
mod intent;
mod keys;
mod keyspace;
mod lanes;
mod layout;
mod load;
mod read;
mod resolve;
mod rows;
mod score;
mod state;
mod storage;
mod turn;

pub use board::{Board, BoardInfo};
pub use change::{Change, KeptOutcomes, KeyMemory, Record};
pub use clock::{Clock, ManualClock, SystemClock};
pub use cut::{BoardCut, Cut, CutInProgress};
pub use definition::{Definition, Operator, Order, Ties};
pub use engine::{Engine, EngineOptions};
pub use ids::{BoardId, ChangedName, Name};
pub use intent::{Batch, IdempotencyKey, Intent, OrgBatch, Outcome, Placed, Rejection};
pub use keyspace::{
    Bag, BoardView, KeyKind, KeyTurn, LexBound, Mark, Procedure, SMALL_MAX, ScoreBound, SetDone,
    SetError, Value, WrongKind, redis_definition,
};
pub use load::{ApplyError, BoardLoader, LoadError};
pub use rank_index::{Alone, Crew, Work};
pub use read::{Entry, Page, RankList, RankStyle, ScorePage, Standing};
pub use rows::{BoardHeader, MemberRow, RowRef};
pub use score::{Score, ScoreError, ScoreKind};
pub use state::{ChangeSink, State, Totals};
pub use storage::{
    Answer, Health, KeyBatch, Receipt, SnapshotReport, Storage, StoreError, StoreFuture,
    StoreStats, SyncTimes,
};
