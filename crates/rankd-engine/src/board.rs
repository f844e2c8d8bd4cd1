//! One board: its fixed part, and the part behind its lock.

use std::sync::Arc;

use rankd_lock::BoardLock;

use crate::codec::Codec;
use crate::definition::Definition;
use crate::ids::{BoardId, Name};
use crate::layout::BoardIndex;

/// A board. The name, id and definition never change; the rest is behind one lock. A board that is
/// renamed is another one of these over the same body.
#[derive(Debug)]
pub struct Board {
    pub(crate) id: BoardId,
    pub(crate) name: Name,
    pub(crate) definition: Definition,
    pub(crate) created_ms: i64,
    /// What `renames` of the body was when the board got this name: whoever finds another number
    /// there has to look for the name again.
    pub(crate) renames: u64,
    /// Written by whoever executes a batch or replays the log, read by everybody else. A blocking
    /// lock is right here: it is held for microseconds and never across an await.
    pub(crate) body: Arc<BoardLock<Body>>,
}

/// What changes in a board.
#[derive(Debug)]
pub(crate) struct Body {
    /// The members in order.
    pub(crate) index: BoardIndex,
    /// When a batch last changed the board, in milliseconds since 1970, UTC.
    pub(crate) changed_ms: i64,
    /// The board is out of the directory; whoever still found it there has to look again.
    pub(crate) deleted: bool,
    /// The newest cut that has its snapshot of this board; 0 for none.
    pub(crate) cut_seen: u64,
    /// Counts the changes of members since the start.
    pub(crate) version: u64,
    /// How often the board was renamed since the start.
    pub(crate) renames: u64,
}

/// What there is to know of a board without its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardInfo {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub definition: Definition,
    /// Number of members.
    pub members: u64,
    /// When it was created, in milliseconds since 1970, UTC.
    pub created_ms: i64,
    /// When a write last changed it, in milliseconds since 1970, UTC.
    pub changed_ms: i64,
}

impl Board {
    pub(crate) fn new(
        id: BoardId,
        name: Name,
        definition: Definition,
        index: BoardIndex,
        created_ms: i64,
        changed_ms: i64,
    ) -> Arc<Self> {
        let body = Body { index, changed_ms, deleted: false, cut_seen: 0, version: 0, renames: 0 };
        let renames = 0;
        Arc::new(Self {
            id,
            name,
            definition,
            created_ms,
            renames,
            body: Arc::new(BoardLock::new(body)),
        })
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> BoardId {
        self.id
    }

    /// What it is.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Name, definition, size and times. O(1).
    #[must_use]
    pub fn info(&self) -> BoardInfo {
        let body = self.body.read();
        BoardInfo {
            name: self.name.clone(),
            definition: self.definition,
            members: body.index.len() as u64,
            created_ms: self.created_ms,
            changed_ms: body.changed_ms,
        }
    }

    /// The same board under another name. The body's count of renames moves on by one.
    pub(crate) fn renamed(&self, name: Name) -> Arc<Self> {
        let mut body = self.body.write();
        body.renames += 1;
        self.with_name(name, body.renames)
    }

    /// The same body, as of a number of renames, under another name.
    pub(crate) fn with_name(&self, name: Name, renames: u64) -> Arc<Self> {
        let body = Arc::clone(&self.body);
        let Self { id, definition, created_ms, .. } = *self;
        Arc::new(Self { id, name, definition, created_ms, renames, body })
    }

    pub(crate) fn codec(&self) -> Codec {
        Codec(self.definition)
    }
}
