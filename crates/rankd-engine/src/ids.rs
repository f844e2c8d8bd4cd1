//! What boards and members are called: by clients, and by changes.

use serde::{Deserialize, Serialize};

/// A name of a board or a member: bytes, at most [`crate::limits::NAME_BYTES_MAX`].
pub type Name = Box<[u8]>;

/// Identity of a board for its whole life; never used again after its deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BoardId(pub u64);
