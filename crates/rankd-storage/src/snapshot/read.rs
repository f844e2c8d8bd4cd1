//! Reads a snapshot block by block and checks everything that can be checked on the way.
//!
//! Invariant: a block is handed out only if its chain is good. Memory: one block, stored and
//! decompressed; no length is believed before it is checked.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::SnapshotReport;

use crate::error::{Damage, StorageError};
use crate::fs::Fs;
use crate::head::{HEAD_BYTES, Head, Kind, StoreId, checksum_of};
use crate::limits::{FORMAT_VERSION_ORGS, FORMAT_VERSION_VALUES};
use crate::meter::Meter;
use crate::names;
use crate::snapshot::block::{
    BLOCK_HEAD_BYTES, BlockHead, BlockKind, Footer, FooterWithoutOrgs, FooterWithoutValues,
    chain_of,
};
use crate::snapshot::payload::{Block, StoredBlock};
use crate::source::Source;

/// A snapshot that is being read.
pub(crate) struct SnapshotReader {
    source: Source,
    name: Arc<str>,
    head: Head,
    chain: u32,
    previous: Option<BlockKind>,
    counted: Footer,
    /// Offset of the present block, for errors.
    offset: u64,
    /// Payload of the present block as it is in the file.
    stored: Vec<u8>,
}

impl SnapshotReader {
    /// Opens the snapshot of record `sequence`.
    ///
    /// # Errors
    /// What the disk says; a newer version; a head that is damaged or of another store.
    pub(crate) fn open(
        fs: &dyn Fs,
        folder: &Path,
        sequence: u64,
        store: Option<&StoreId>,
    ) -> Result<Self, StorageError> {
        let reader = Self::open_file(fs, folder, &names::snapshot(sequence))?;
        if store.is_some_and(|store| *store != reader.head.store) {
            return Err(reader.damaged_at_start(Damage::Foreign));
        }
        if reader.head.sequence != sequence {
            let what = "the snapshot's sequence";
            let (found, expected) = (reader.head.sequence, sequence);
            return Err(reader.damaged_at_start(Damage::Differs { what, found, expected }));
        }
        Ok(reader)
    }

    /// Opens a snapshot of any store, by whatever name.
    ///
    /// # Errors
    /// What the disk says; a newer version; a damaged head.
    pub(crate) fn open_file(fs: &dyn Fs, folder: &Path, name: &str) -> Result<Self, StorageError> {
        let mut source = Source::open(fs, folder, name)?;
        let damaged = |damage| StorageError::damaged(name, 0, damage);
        let bytes = source.take("the file's head", HEAD_BYTES)?.map_err(damaged)?;
        let head = Head::decode(Kind::Snapshot, name, bytes)?.map_err(damaged)?;
        let chain = checksum_of(bytes);
        Ok(Self {
            offset: source.offset(),
            source,
            name: name.into(),
            head,
            chain,
            previous: None,
            counted: Footer { sequence: head.sequence, ..Footer::default() },
            stored: Vec::new(),
        })
    }

    fn damaged_at_start(&self, damage: Damage) -> StorageError {
        StorageError::damaged(&self.name, 0, damage)
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Length of the file in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.source.length()
    }

    /// Checks the whole file, every byte of which is under a checksum, without decompressing it.
    ///
    /// # Errors
    /// What the disk says; the first damage.
    pub(crate) fn verify(mut self, meter: &mut Meter<'_>) -> Result<SnapshotReport, StorageError> {
        loop {
            let head = self.advance(meter)?;
            if head.kind == BlockKind::Footer {
                let footer = self.take_stored(head).unpack()?;
                return self.finish(footer).map(|(report, _)| report);
            }
        }
    }

    /// The next block, decompressed.
    ///
    /// # Errors
    /// What the disk says; the block's damage; that the file ends without a footer.
    pub(crate) fn next_block(&mut self, meter: &mut Meter<'_>) -> Result<Block, StorageError> {
        self.next_stored(meter)?.unpack()
    }

    /// The next block, its payload as it is in the file.
    ///
    /// # Errors
    /// As [`SnapshotReader::next_block`].
    pub(crate) fn next_stored(
        &mut self,
        meter: &mut Meter<'_>,
    ) -> Result<StoredBlock, StorageError> {
        let head = self.advance(meter)?;
        Ok(self.take_stored(head))
    }

    fn take_stored(&mut self, head: BlockHead) -> StoredBlock {
        let (name, payload) = (Arc::clone(&self.name), std::mem::take(&mut self.stored));
        StoredBlock { name, offset: self.offset, head, payload }
    }

    fn advance(&mut self, meter: &mut Meter<'_>) -> Result<BlockHead, StorageError> {
        self.offset = self.source.offset();
        let read = self.read_block()?;
        let head = read.map_err(|damage| self.damaged(damage))?;
        meter.add(self.source.offset() - self.offset);
        self.previous = Some(head.kind);
        self.chain = head.chain;
        self.counted.count(head.kind, u64::from(head.items));
        Ok(head)
    }

    fn read_block(&mut self) -> Result<Result<BlockHead, Damage>, StorageError> {
        let mut bytes = [0; BLOCK_HEAD_BYTES];
        match self.source.take("a block's head (the footer is missing)", BLOCK_HEAD_BYTES)? {
            Ok(taken) => bytes.copy_from_slice(taken),
            Err(short) => return Ok(Err(short)),
        }
        let head = match BlockHead::decode(self.head.version, &bytes) {
            Ok(head) => head,
            Err(damage) => return Ok(Err(damage)),
        };
        let stored = match self.source.take("a block's payload", head.stored as usize)? {
            Ok(stored) => stored,
            Err(short) => return Ok(Err(short)),
        };
        if chain_of(self.chain, &bytes, stored) != head.chain {
            return Ok(Err(Damage::Chain("block")));
        }
        if !head.kind.may_follow(self.previous) {
            let found = head.kind as u32;
            return Ok(Err(Damage::Unknown { what: "order of blocks: kind", found }));
        }
        self.stored.clear();
        self.stored.extend_from_slice(stored);
        Ok(Ok(head))
    }

    /// Checks the footer, which is the present block. Returns when the snapshot was finished, too.
    ///
    /// # Errors
    /// If it does not agree with what was read, or something follows it.
    pub(crate) fn finish(
        &mut self,
        mut block: Block,
    ) -> Result<(SnapshotReport, i64), StorageError> {
        let footer = self.footer(&mut block)?;
        let expected = Footer { finished_ms: footer.finished_ms, ..self.counted };
        if footer != expected {
            return Err(self.damaged(Damage::Content(format!(
                "the footer says {footer:?}, the file has {expected:?}"
            ))));
        }
        let more = self.source.left() + block.bytes_left() as u64;
        if more != 0 {
            return Err(self.damaged(Damage::Content(format!("{more} bytes behind the footer"))));
        }
        let report = SnapshotReport {
            sequence: footer.sequence,
            boards: footer.boards,
            members: footer.members,
            org_items: footer.org_items,
            value_items: footer.value_items,
            bytes: self.source.length(),
            duration_ms: 0,
            file: self.name.to_string(),
        };
        Ok((report, footer.finished_ms))
    }

    fn footer(&self, block: &mut Block) -> Result<Footer, StorageError> {
        if self.head.version < FORMAT_VERSION_ORGS {
            return block.item::<FooterWithoutOrgs>().map(Into::into);
        }
        if self.head.version < FORMAT_VERSION_VALUES {
            return block.item::<FooterWithoutValues>().map(Into::into);
        }
        block.item()
    }

    /// This damage, in the present block.
    pub(crate) fn damaged(&self, damage: Damage) -> StorageError {
        StorageError::damaged(&self.name, self.offset, damage)
    }
}
