//! An order-statistic index in memory: who is at which rank, and who is at this one.
//!
//! [`RankIndex`] keeps members (byte strings) ordered by a [`Key`] and then by their own bytes. It
//! answers *what is this member's rank* from below, without comparing keys; *who is at these ranks*
//! by counts from above; and it takes snapshots that stay readable while writes go on.
//!
//! What it is:
//! * a counted B+ tree beside a hash table from member to entry; a sorted array while it is small;
//! * exact: ranks are positions in one total order, scores are compared as integers;
//! * bounded: members, their bytes and live snapshots have named limits.
//!
//! What it is **not**: it does no I/O, reads no clock, starts no thread and takes no lock. Policies
//! (which score wins, in which direction, how ties fall) are in the keys; `score.rs` has encodings.
//!
//! ```
//! use rank_index::{Direction, RankIndex, ScoreTieKey, encode_i64, tie_earliest};
//!
//! // The highest score first; equal scores by who reached them first.
//! let key = |score, at_ms| ScoreTieKey {
//!     score: Direction::Descending.apply(encode_i64(score)),
//!     tie: tie_earliest(at_ms),
//! };
//! let mut index: RankIndex<ScoreTieKey> = RankIndex::new();
//! index.upsert(b"ada", key(4_200, 1_000))?;
//! index.upsert(b"bob", key(4_200, 2_000))?;
//! index.upsert(b"cyd", key(9_000, 3_000))?;
//! assert_eq!(index.ranks(&["cyd", "ada", "bob"]), [Some(0), Some(1), Some(2)]);
//! assert_eq!(index.competition_rank(b"bob"), Some(1));
//! # Ok::<(), rank_index::IndexError>(())
//! ```

mod ahead;
mod arena;
mod build;
mod bytes;
mod cell;
mod check;
mod crew;
mod epochs;
mod error;
mod index;
mod inner;
mod iter;
mod key;
mod leaf;
mod link;
mod names;
mod page;
mod partition;
mod pieces;
mod prefetch;
mod query;
mod reader;
mod score;
mod segment;
mod small;
mod snapshot;
mod sorted;
mod standing;
mod table;
mod tree;
mod undo;

pub use build::BuildError;
pub use cell::{AnyBytes, EightBytes, Member};
pub use crew::{Alone, Crew, Work};
pub use epochs::SNAPSHOTS_LIVE_MAX;
pub use error::{IndexError, SnapshotsLive};
pub use index::{MEMBER_BYTES_MAX, MEMBERS_MAX, RankIndex, Restructures};
pub use iter::{Entry, Iter};
pub use key::{Eight, Key, ScoreKey, ScoreNoteKey, ScoreTieKey};
pub use score::{
    Direction, decode_f64, decode_i64, earliest_ms, encode_f64, encode_i64, latest_ms,
    tie_earliest, tie_latest,
};
pub use small::SMALL_MAX;
pub use snapshot::{Snapshot, SnapshotView};
pub use sorted::SortedBuilder;
pub use standing::Standing;
