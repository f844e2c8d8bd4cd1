//! Reads a snapshot block by block and checks everything that can be checked on the way.
//!
//! Invariant: an item is handed out only of a block whose chain is good. Memory: one block,
//! stored and decompressed; no length is believed before it is checked.

use std::path::Path;

use rankd_engine::SnapshotReport;
use serde::de::DeserializeOwned;

use crate::body;
use crate::error::{Damage, StorageError};
use crate::fs::Fs;
use crate::head::{HEAD_BYTES, Head, Kind, StoreId, checksum_of};
use crate::limits::FORMAT_VERSION_ORGS;
use crate::meter::Meter;
use crate::names;
use crate::snapshot::block::{
    BLOCK_HEAD_BYTES, BlockHead, BlockKind, Codec, Footer, FooterWithoutOrgs, Meta, chain_of,
};
use crate::source::Source;

/// A snapshot that is being read.
pub(crate) struct SnapshotReader {
    source: Source,
    name: String,
    head: Head,
    chain: u32,
    previous: Option<BlockKind>,
    counted: Footer,
    /// Offset of the present block, for errors.
    offset: u64,
    /// Payload of the present block, decompressed, and how much of it was handed out.
    raw: Vec<u8>,
    taken: usize,
    items_left: u32,
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
        let name = names::snapshot(sequence);
        let mut source = Source::open(fs, folder, &name)?;
        let damaged = |damage| StorageError::damaged(&name, 0, damage);
        let bytes = source.take("the file's head", HEAD_BYTES)?.map_err(damaged)?;
        let head = Head::decode(Kind::Snapshot, &name, bytes)?.map_err(damaged)?;
        let chain = checksum_of(bytes);
        if store.is_some_and(|store| *store != head.store) {
            return Err(damaged(Damage::Foreign));
        }
        if head.sequence != sequence {
            let what = "the snapshot's sequence";
            let (found, expected) = (head.sequence, sequence);
            return Err(damaged(Damage::Differs { what, found, expected }));
        }
        Ok(Self {
            offset: source.offset(),
            source,
            name,
            head,
            chain,
            previous: None,
            counted: Footer { sequence, ..Footer::default() },
            raw: Vec::new(),
            taken: 0,
            items_left: 0,
        })
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Checks the whole file without decoding rows.
    ///
    /// # Errors
    /// What the disk says; the first damage.
    pub(crate) fn verify(mut self, meter: &mut Meter<'_>) -> Result<SnapshotReport, StorageError> {
        loop {
            match self.next_block(meter)? {
                BlockKind::Meta => drop(self.item::<Meta>()?),
                BlockKind::Footer => return self.finish().map(|(report, _)| report),
                _ => self.skip_items(),
            }
        }
    }

    /// Goes to the next block. What was not taken of the present one is damage.
    ///
    /// # Errors
    /// What the disk says; the block's damage; that the file ends without a footer.
    pub(crate) fn next_block(&mut self, meter: &mut Meter<'_>) -> Result<BlockKind, StorageError> {
        if self.taken != self.raw.len() || self.items_left != 0 {
            return Err(self.damaged(Damage::Content(format!(
                "the block has {} bytes and {} items too many",
                self.raw.len() - self.taken,
                self.items_left
            ))));
        }
        self.offset = self.source.offset();
        let read = self.read_block()?;
        let head = read.map_err(|damage| self.damaged(damage))?;
        meter.add(self.source.offset() - self.offset);
        self.previous = Some(head.kind);
        self.chain = head.chain;
        self.taken = 0;
        self.items_left = head.items;
        self.counted.count(head.kind, u64::from(head.items));
        Ok(head.kind)
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
        Ok(unpack(&head, stored, &mut self.raw).map(|()| head))
    }

    /// The next item of the present block.
    ///
    /// # Errors
    /// If there is none, or it does not decode.
    pub(crate) fn item<T: DeserializeOwned>(&mut self) -> Result<T, StorageError> {
        let Some(items_left) = self.items_left.checked_sub(1) else {
            return Err(self.damaged(Damage::Content("an item is missing".to_owned())));
        };
        let mut rest = self.raw.get(self.taken..).unwrap_or_default();
        let before = rest.len();
        let item = body::decode_item(&mut rest);
        self.taken += before - rest.len();
        self.items_left = items_left;
        item.map_err(|damage| self.damaged(damage))
    }

    /// Items of the present block that were not taken.
    pub(crate) fn items_left(&self) -> u32 {
        self.items_left
    }

    fn skip_items(&mut self) {
        self.taken = self.raw.len();
        self.items_left = 0;
    }

    /// Checks the footer, which is the present block. Returns when the snapshot was finished, too.
    ///
    /// # Errors
    /// If it does not agree with what was read, or something follows it.
    pub(crate) fn finish(&mut self) -> Result<(SnapshotReport, i64), StorageError> {
        let footer = self.footer()?;
        let expected = Footer { finished_ms: footer.finished_ms, ..self.counted };
        if footer != expected {
            return Err(self.damaged(Damage::Content(format!(
                "the footer says {footer:?}, the file has {expected:?}"
            ))));
        }
        if self.taken != self.raw.len() || self.source.left() != 0 {
            let more = self.source.left() + (self.raw.len() - self.taken) as u64;
            return Err(self.damaged(Damage::Content(format!("{more} bytes behind the footer"))));
        }
        let report = SnapshotReport {
            sequence: footer.sequence,
            boards: footer.boards,
            members: footer.members,
            org_items: footer.org_items,
            bytes: self.source.length(),
            duration_ms: 0,
            file: self.name.clone(),
        };
        Ok((report, footer.finished_ms))
    }

    fn footer(&mut self) -> Result<Footer, StorageError> {
        if self.head.version < FORMAT_VERSION_ORGS {
            return self.item::<FooterWithoutOrgs>().map(Into::into);
        }
        self.item()
    }

    /// This damage, in the present block.
    pub(crate) fn damaged(&self, damage: Damage) -> StorageError {
        StorageError::damaged(&self.name, self.offset, damage)
    }
}

/// Puts the payload into `raw`, decompressed.
fn unpack(head: &BlockHead, stored: &[u8], raw: &mut Vec<u8>) -> Result<(), Damage> {
    raw.clear();
    if head.codec == Codec::Raw {
        raw.extend_from_slice(stored);
        return Ok(());
    }
    raw.resize(head.raw as usize, 0);
    match lz4_flex::block::decompress_into(stored, raw) {
        Ok(length) if length == raw.len() => Ok(()),
        Ok(length) => Err(Damage::Differs {
            what: "the decompressed length in bytes",
            found: length as u64,
            expected: u64::from(head.raw),
        }),
        Err(error) => Err(Damage::Body(error.to_string())),
    }
}
