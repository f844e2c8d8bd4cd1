//! Writes a snapshot from a cut: temporary name, blocks, fsync, rename, fsync of the folder.
//!
//! Invariant: the file has its final name only when it is complete and durable. Memory: one
//! block and one turn of rows, however large the store is.

use std::path::{Path, PathBuf};
use std::time::Instant;

use rankd_engine::{BoardCut, Clock, Cut, SnapshotReport};
use serde::Serialize;

use crate::body;
use crate::error::{Action, Damage, StorageError};
use crate::fs::{Fs, FsFile, write_all_at};
use crate::head::{HEAD_BYTES, Head, Kind, StoreId, checksum_of};
use crate::limits::{
    BLOCK_BYTES_MAX, BLOCK_BYTES_TARGET, CUT_ROWS_MAX, DIRECT_ALIGN_BYTES, DIRECT_BYTES,
    SNAPSHOT_SYNC_BYTES,
};
use crate::names;
use crate::snapshot::block::{BlockHead, BlockKind, Codec, Footer, Meta};

/// Payloads shorter than this are stored as they are: there is nothing to win.
const COMPRESSED_BYTES_MIN: usize = 64;

/// Where a snapshot goes.
pub(crate) struct Target<'a> {
    pub(crate) fs: &'a dyn Fs,
    pub(crate) folder: &'a Path,
    pub(crate) store: StoreId,
    /// A file that nobody needs any more, to be written over.
    pub(crate) spare: Option<String>,
    pub(crate) clock: &'a dyn Clock,
    /// Asked between blocks; true: give up.
    pub(crate) is_stopped: &'a dyn Fn() -> bool,
    /// Told now and then how many members are written.
    pub(crate) tell: &'a dyn Fn(u64),
}

impl Target<'_> {
    /// Writes the cut. A file that could not be finished is removed.
    ///
    /// # Errors
    /// What the disk says, or that it was stopped.
    pub(crate) fn write(&self, cut: Cut) -> Result<SnapshotReport, StorageError> {
        let begun = Instant::now();
        let name = names::snapshot(cut.sequence());
        let temporary = self.folder.join(names::temporary(&name));
        let written = self.write_temporary(&temporary, cut);
        let finished = written.and_then(|written| {
            self.give_name(&temporary, &name)?;
            Ok(written)
        });
        let (footer, bytes) = finished.inspect_err(|_| {
            // If this fails too, the next start removes it.
            let _left = self.fs.remove(&temporary);
        })?;
        Ok(SnapshotReport {
            sequence: footer.sequence,
            boards: footer.boards,
            members: footer.members,
            org_items: footer.org_items,
            value_items: footer.value_items,
            bytes,
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            file: name,
        })
    }

    fn give_name(&self, temporary: &Path, name: &str) -> Result<(), StorageError> {
        let renamed = self.fs.rename(temporary, &self.folder.join(name));
        renamed.map_err(StorageError::io(Action::Rename, temporary))?;
        self.fs.sync_folder(self.folder).map_err(StorageError::io(Action::Sync, self.folder))
    }

    fn write_temporary(
        &self,
        temporary: &Path,
        mut cut: Cut,
    ) -> Result<(Footer, u64), StorageError> {
        let is_over = self.take_spare(temporary);
        if !is_over {
            let made = self.fs.create(temporary);
            made.map_err(StorageError::io(Action::Create, temporary))?;
        }
        let file = self.fs.open_long(temporary);
        let file = file.map_err(StorageError::io(Action::Open, temporary))?;
        let sequence = cut.sequence();
        let head = Head::new(self.store, sequence, 0).encode(Kind::Snapshot);
        let mut blocks = Blocks::new(&*file, temporary, is_over, &head, sequence);
        blocks.item(BlockKind::Meta, &Meta { next_board_id: cut.next_board_id() })?;
        while let Some(mut board) = cut.next_board() {
            self.write_board(&mut blocks, &mut board)?;
        }
        for (member, label) in cut.labels() {
            self.go_on()?;
            blocks.item(BlockKind::Labels, &(serde_bytes::Bytes::new(member), label))?;
        }
        for (key, memory) in cut.keys() {
            self.go_on()?;
            blocks.item(BlockKind::Keys, &(serde_bytes::Bytes::new(key), memory))?;
        }
        while let Some(item) = cut.next_org_item() {
            self.go_on()?;
            blocks.item(BlockKind::Orgs, &item)?;
        }
        for change in cut.values() {
            self.go_on()?;
            blocks.item(BlockKind::Values, &change)?;
        }
        drop(cut);
        blocks.finish(self.clock.now_ms())
    }

    /// Gives the spare file the temporary name; false if there is none. Its blocks on the disk are
    /// there already, so writing them makes no work for the file system; and no space is freed,
    /// which would hold up every fsync meanwhile.
    fn take_spare(&self, temporary: &Path) -> bool {
        let spare = self.spare.as_ref().map(|name| self.folder.join(name));
        spare.is_some_and(|spare| self.fs.rename(&spare, temporary).is_ok())
    }

    fn write_board(
        &self,
        blocks: &mut Blocks<'_>,
        board: &mut BoardCut,
    ) -> Result<(), StorageError> {
        blocks.item(BlockKind::Board, board.header())?;
        let mut written = 0;
        let mut rows = Vec::new();
        while board.read(CUT_ROWS_MAX, &mut rows) > 0 {
            self.go_on()?;
            for row in &rows {
                blocks.item(BlockKind::Rows, row)?;
            }
            written += rows.len() as u64;
            rows.clear();
            (self.tell)(blocks.members());
            give_way();
        }
        let announced = board.header().members;
        if written != announced {
            let id = board.header().id.0;
            return Err(StorageError::Snapshot(format!(
                "board {id} gave {written} members and had announced {announced}"
            )));
        }
        Ok(())
    }

    /// Whether somebody still wants it.
    fn go_on(&self) -> Result<(), StorageError> {
        match (self.is_stopped)() {
            true => Err(StorageError::Snapshot("the store is being closed".to_owned())),
            false => Ok(()),
        }
    }
}

/// Lets whoever waits for this processor have it. Left to itself, the system would let the
/// snapshot go on until its slice of some milliseconds is over, and requests wait as long.
fn give_way() {
    std::thread::yield_now();
}

/// A snapshot file that is being written.
struct Blocks<'a> {
    file: &'a dyn FsFile,
    path: PathBuf,
    /// Whether the file is not a new one.
    is_over: bool,
    /// Encoded, not yet handed to the file.
    out: Vec<u8>,
    offset: u64,
    synced: u64,
    chain: u32,
    kind: BlockKind,
    raw: Vec<u8>,
    items: u32,
    compressed: Vec<u8>,
    footer: Footer,
}

impl<'a> Blocks<'a> {
    fn new(
        file: &'a dyn FsFile,
        path: &Path,
        is_over: bool,
        head: &[u8; HEAD_BYTES],
        sequence: u64,
    ) -> Self {
        Self {
            file,
            path: path.to_path_buf(),
            is_over,
            out: head.to_vec(),
            offset: 0,
            synced: 0,
            chain: checksum_of(head),
            kind: BlockKind::Meta,
            raw: Vec::new(),
            items: 0,
            compressed: Vec::new(),
            footer: Footer { sequence, ..Footer::default() },
        }
    }

    /// Members in the blocks that are finished.
    fn members(&self) -> u64 {
        self.footer.members
    }

    /// Adds an item to the block of its kind, beginning one if need be.
    fn item<T: Serialize>(&mut self, kind: BlockKind, item: &T) -> Result<(), StorageError> {
        if kind != self.kind || kind.is_single() || self.raw.len() >= BLOCK_BYTES_TARGET {
            self.end_block()?;
            self.kind = kind;
        }
        body::encode_item(item, &mut self.raw).map_err(|damage| self.unfit(&damage))?;
        self.items += 1;
        Ok(())
    }

    fn unfit(&self, damage: &Damage) -> StorageError {
        StorageError::Snapshot(format!("an item of kind {}: {damage}", self.kind as u8))
    }

    fn end_block(&mut self) -> Result<(), StorageError> {
        if self.items == 0 {
            return Ok(());
        }
        let codec = self.compress();
        let payload = if codec == Codec::Lz4 { &self.compressed } else { &self.raw };
        let length = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len()).ok().filter(|n| *n <= BLOCK_BYTES_MAX);
            length.expect("a block is its target plus one item at most")
        };
        let (stored, raw) = (length(payload), length(&self.raw));
        let head = BlockHead { kind: self.kind, codec, stored, raw, items: self.items, chain: 0 };
        let (bytes, chain) = head.seal(self.chain, payload);
        self.out.extend_from_slice(&bytes);
        self.out.extend_from_slice(payload);
        self.chain = chain;
        self.footer.count(self.kind, u64::from(self.items));
        self.raw.clear();
        self.items = 0;
        give_way();
        self.write_ready()
    }

    /// Hands over what is worth a call.
    fn write_ready(&mut self) -> Result<(), StorageError> {
        if self.file.is_direct() {
            let whole = self.out.len() - self.out.len() % DIRECT_ALIGN_BYTES;
            return if whole >= DIRECT_BYTES { self.write_out(whole) } else { Ok(()) };
        }
        if self.out.len() >= BLOCK_BYTES_TARGET {
            self.write_out(self.out.len())?;
        }
        // In steps: one fsync of it all would hold up the log's for as long as it takes.
        if self.offset - self.synced >= SNAPSHOT_SYNC_BYTES {
            self.sync()?;
        }
        Ok(())
    }

    /// Compresses `raw` if that makes it shorter.
    fn compress(&mut self) -> Codec {
        if self.kind == BlockKind::Footer || self.raw.len() < COMPRESSED_BYTES_MIN {
            return Codec::Raw;
        }
        self.compressed.resize(lz4_flex::block::get_maximum_output_size(self.raw.len()), 0);
        match lz4_flex::block::compress_into(&self.raw, &mut self.compressed) {
            Ok(length) if length < self.raw.len() => {
                self.compressed.truncate(length);
                Codec::Lz4
            }
            _ => Codec::Raw,
        }
    }

    /// Hands the first `length` encoded bytes to the file.
    fn write_out(&mut self, length: usize) -> Result<(), StorageError> {
        let written = write_all_at(self.file, &self.out[..length], self.offset);
        written.map_err(StorageError::io(Action::Write, &self.path))?;
        self.offset += length as u64;
        self.out.drain(..length);
        Ok(())
    }

    /// Cuts off what the file that is written over had behind the end of this one.
    fn cut_off(&self) -> Result<(), StorageError> {
        let cut = self.file.truncate(self.offset);
        cut.map_err(StorageError::io(Action::Truncate, &self.path))
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.file.sync().map_err(StorageError::io(Action::Sync, &self.path))?;
        self.synced = self.offset;
        Ok(())
    }

    /// Writes the footer and makes the file durable. Returns the footer and the file's length.
    fn finish(mut self, finished_ms: i64) -> Result<(Footer, u64), StorageError> {
        self.end_block()?;
        let footer = Footer { finished_ms, ..self.footer };
        self.item(BlockKind::Footer, &footer)?;
        self.end_block()?;
        self.write_out(self.out.len())?;
        if self.is_over {
            self.cut_off()?;
        }
        self.sync()?;
        Ok((footer, self.offset))
    }
}
