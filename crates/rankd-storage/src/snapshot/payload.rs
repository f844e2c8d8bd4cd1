//! A block of a snapshot, decompressed, and the items in it.
//!
//! Invariant: it is made only of a payload whose chain was good. It needs nothing of the file it
//! came from, so that blocks can be unpacked side by side. Memory: the payload; rows beside it.

use std::sync::Arc;

use rankd_engine::{RowRef, Score};
use serde::de::DeserializeOwned;

use crate::body;
use crate::error::{Damage, StorageError};
use crate::snapshot::block::{BlockHead, BlockKind, Codec};

/// A block as it is in the file.
pub(crate) struct StoredBlock {
    /// Of the file, for errors.
    pub(crate) name: Arc<str>,
    pub(crate) offset: u64,
    pub(crate) head: BlockHead,
    pub(crate) payload: Vec<u8>,
}

/// A block whose items are taken one by one.
pub(crate) struct Block {
    name: Arc<str>,
    offset: u64,
    kind: BlockKind,
    raw: Vec<u8>,
    taken: usize,
    items_left: u32,
}

/// The rows of one block, decoded.
pub(crate) struct Rows {
    block: Block,
    rows: Vec<Row>,
}

/// A row, its member where it lies in the payload.
struct Row {
    start: usize,
    end: usize,
    score: Score,
    at_ms: Option<i64>,
}

impl StoredBlock {
    /// Decompresses the payload.
    ///
    /// # Errors
    /// The block's damage.
    pub(crate) fn unpack(self) -> Result<Block, StorageError> {
        let Self { name, offset, head, payload } = self;
        let raw = decompress(&head, payload);
        let raw = raw.map_err(|damage| StorageError::damaged(&name, offset, damage))?;
        Ok(Block { name, offset, kind: head.kind, raw, taken: 0, items_left: head.items })
    }
}

fn decompress(head: &BlockHead, payload: Vec<u8>) -> Result<Vec<u8>, Damage> {
    if head.codec == Codec::Raw {
        return Ok(payload);
    }
    let mut raw = vec![0; head.raw as usize];
    match lz4_flex::block::decompress_into(&payload, &mut raw) {
        Ok(length) if length == raw.len() => Ok(raw),
        Ok(length) => Err(Damage::Differs {
            what: "the decompressed length in bytes",
            found: length as u64,
            expected: u64::from(head.raw),
        }),
        Err(error) => Err(Damage::Body(error.to_string())),
    }
}

impl Block {
    pub(crate) fn kind(&self) -> BlockKind {
        self.kind
    }

    /// Items that were not taken.
    pub(crate) fn items_left(&self) -> u32 {
        self.items_left
    }

    /// Bytes that were not taken.
    pub(crate) fn bytes_left(&self) -> usize {
        self.raw.len() - self.taken
    }

    /// The next item.
    ///
    /// # Errors
    /// If there is none, or it does not decode.
    pub(crate) fn item<T: DeserializeOwned>(&mut self) -> Result<T, StorageError> {
        self.count_item()?;
        let mut rest = self.raw.get(self.taken..).unwrap_or_default();
        let before = rest.len();
        let item = body::decode_item(&mut rest);
        self.taken += before - rest.len();
        item.map_err(|damage| self.damaged(damage))
    }

    fn count_item(&mut self) -> Result<(), StorageError> {
        let Some(items_left) = self.items_left.checked_sub(1) else {
            return Err(self.damaged(Damage::Content("an item is missing".to_owned())));
        };
        self.items_left = items_left;
        Ok(())
    }

    /// Nothing is to be left.
    ///
    /// # Errors
    /// If something is.
    pub(crate) fn end(&self) -> Result<(), StorageError> {
        if self.bytes_left() == 0 && self.items_left == 0 {
            return Ok(());
        }
        Err(self.damaged(Damage::Content(format!(
            "the block has {} bytes and {} items too many",
            self.bytes_left(),
            self.items_left
        ))))
    }

    /// All of its items, which are members' rows.
    ///
    /// # Errors
    /// If one does not decode, or something is left over.
    pub(crate) fn into_rows(mut self) -> Result<Rows, StorageError> {
        // No more is reserved than the payload can hold.
        let rows_max = self.bytes_left() / body::ROW_BYTES_MIN;
        let mut rows = Vec::with_capacity(rows_max.min(self.items_left as usize));
        while self.items_left > 0 {
            rows.push(self.row()?);
        }
        self.end()?;
        Ok(Rows { block: self, rows })
    }

    fn row(&mut self) -> Result<Row, StorageError> {
        self.count_item()?;
        let rest = self.raw.get(self.taken..).unwrap_or_default();
        let (row, member, bytes) = body::decode_row(rest).map_err(|damage| self.damaged(damage))?;
        let start = self.taken + member.start;
        let end = self.taken + member.end;
        let row = Row { start, end, score: row.score, at_ms: row.at_ms };
        self.taken += bytes;
        Ok(row)
    }

    /// This damage, in this block.
    pub(crate) fn damaged(&self, damage: Damage) -> StorageError {
        StorageError::damaged(&self.name, self.offset, damage)
    }
}

impl Rows {
    /// How many they are.
    pub(crate) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The block that they came in.
    pub(crate) fn block(&self) -> &Block {
        &self.block
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.rows.iter().map(|row| RowRef {
            member: self.block.raw.get(row.start..row.end).expect("it was decoded from there"),
            score: row.score,
            at_ms: row.at_ms,
        })
    }
}
