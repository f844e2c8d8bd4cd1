//! Reads the records of one segment, in order, and says where and how it ends.
//!
//! It judges nothing: whether a broken record is a torn tail is decided in `tail`. Behind damage it
//! can find its place again, for salvage. Cost: one pass; memory for one record.

use std::path::Path;

use rankd_engine::Record;

use crate::body;
use crate::bytes::{get, get_u32};
use crate::error::{Damage, StorageError};
use crate::fs::Fs;
use crate::head::{HEAD_BYTES, Head, Kind, StoreId, salt};
use crate::limits::RECORD_BYTES_MAX;
use crate::log::record::{CHAIN_AT, RECORD_HEAD_BYTES, RecordHead, chain_of, may_be_head};
use crate::names;
use crate::source::Source;

/// What comes next in a segment.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// A good record.
    Record(Record),
    /// The end, right behind a good record.
    End,
    /// A record that may have been torn in writing.
    Broken(Damage),
    /// A record that was written whole, and is wrong.
    Wrong(Damage),
}

/// Where the log stands behind a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Sequence that comes next.
    pub(crate) next: u64,
    /// Chain of the record before it.
    pub(crate) chain: u32,
}

/// A record behind damage at which reading goes on: its head is good.
pub(crate) struct Anchor {
    /// `None`: its body is damaged.
    pub(crate) record: Option<Record>,
    /// Whether its checksum was seen to continue that of the record before it.
    pub(crate) is_checked: bool,
}

/// A segment that is being read.
pub(crate) struct SegmentReader {
    source: Source,
    name: String,
    head: Head,
    salt: u32,
    position: Position,
    /// Offset of the record that the last step was about.
    offset: u64,
    /// Highest sequence that a record's `durable` has named so far.
    durable: u64,
}

impl SegmentReader {
    /// Opens the segment that begins with record `first`.
    ///
    /// # Errors
    /// What the disk says; a newer version; a head that is damaged or of another store.
    pub(crate) fn open(
        fs: &dyn Fs,
        folder: &Path,
        first: u64,
        store: Option<&StoreId>,
    ) -> Result<Self, StorageError> {
        let name = names::segment(first);
        let mut source = Source::open(fs, folder, &name)?;
        let damaged = |damage| StorageError::damaged(&name, 0, damage);
        let bytes = source.take("the file's head", HEAD_BYTES)?.map_err(damaged)?;
        let head = Head::decode(Kind::Segment, &name, bytes)?.map_err(damaged)?;
        if store.is_some_and(|store| *store != head.store) {
            return Err(damaged(Damage::Foreign));
        }
        if head.sequence != first {
            return Err(damaged(Damage::Differs {
                what: "the first sequence",
                found: head.sequence,
                expected: first,
            }));
        }
        let position = Position { next: first, chain: head.chain };
        let salt = salt(&head.store);
        let offset = source.offset();
        Ok(Self { source, name, head, salt, position, offset, durable: first.saturating_sub(1) })
    }

    /// Opens a segment whose head is damaged, as if the head said `position`.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn open_headless(
        fs: &dyn Fs,
        folder: &Path,
        first: u64,
        store: StoreId,
        position: Position,
    ) -> Result<Self, StorageError> {
        let name = names::segment(first);
        let mut source = Source::open(fs, folder, &name)?;
        source.seek(HEAD_BYTES as u64);
        let head = Head::new(store, first, position.chain);
        let offset = source.offset();
        let durable = first.saturating_sub(1);
        Ok(Self { source, name, head, salt: salt(&store), position, offset, durable })
    }

    /// Checks that this segment goes on where another ended.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) fn check_follows(&self, end: Position) -> Result<(), StorageError> {
        let damaged = |damage| Err(StorageError::damaged(&self.name, 0, damage));
        if self.position.next != end.next {
            return damaged(Damage::Differs {
                what: "the first sequence",
                found: self.position.next,
                expected: end.next,
            });
        }
        if self.position.chain != end.chain {
            return damaged(Damage::Chain("segment before"));
        }
        Ok(())
    }

    /// The next record.
    ///
    /// # Errors
    /// What the disk says. Damage is a [`Step`].
    pub(crate) fn step(&mut self) -> Result<Step, StorageError> {
        self.offset = self.source.offset();
        if self.source.left() == 0 {
            return Ok(Step::End);
        }
        let mut bytes = [0; RECORD_HEAD_BYTES];
        match self.source.take("a record's head", RECORD_HEAD_BYTES)? {
            Ok(taken) => bytes.copy_from_slice(taken),
            Err(short) => return Ok(Step::Broken(short)),
        }
        let head = match RecordHead::decode(self.salt, &bytes) {
            Ok(head) => head,
            Err(damage) => return Ok(Step::Broken(damage)),
        };
        if let Err(damage) = head.check() {
            return Ok(Step::Wrong(damage));
        }
        let body = match self.source.take("a record's body", head.length as usize)? {
            Ok(body) => body,
            Err(short) => return Ok(Step::Broken(short)),
        };
        if chain_of(self.position.chain, &bytes, body) != head.chain {
            return Ok(Step::Broken(Damage::Chain("record")));
        }
        Ok(match record_of(&head, body, self.position.next) {
            Ok(record) => {
                self.position = Position { next: self.position.next + 1, chain: head.chain };
                self.durable = self.durable.max(head.durable);
                Step::Record(record)
            }
            Err(damage) => Step::Wrong(damage),
        })
    }

    /// After a step that found damage: goes on behind the next record, from the damaged one on,
    /// whose head is good, whose sequence is not below the expected one and whose body is not cut
    /// off. `None`: there is none. The rule is in `docs/storage-format.md`.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn resync(&mut self) -> Result<Option<Anchor>, StorageError> {
        let (broken_at, expected) = (self.offset, self.position.next);
        self.source.seek(broken_at);
        let Some(broken) = self.source.peek(RECORD_HEAD_BYTES)? else { return Ok(None) };
        let broken: [u8; RECORD_HEAD_BYTES] = get(broken, 0);
        let Some((bytes, head)) = self.find_head(expected)? else { return Ok(None) };
        self.offset = self.source.offset();
        let recomputed = self.recompute_chain(broken_at, &broken)?;
        let chains = [Some(get_u32(&broken, CHAIN_AT)), recomputed];
        self.source.seek(self.offset + RECORD_HEAD_BYTES as u64);
        let taken = self.source.take("a record's body", head.length as usize)?;
        let body =
            taken.map_err(|damage| StorageError::damaged(&self.name, self.offset, damage))?;
        let is_broken_one = self.offset == broken_at;
        let continues = |chain: &u32| chain_of(*chain, &bytes, body) == head.chain;
        let is_checked = !is_broken_one && chains.iter().flatten().any(continues);
        // With the expected sequence at the expected place, it is the body that is damaged.
        let is_readable = !is_broken_one || head.sequence != expected;
        let record = record_of(&head, body, head.sequence).ok().filter(|_| is_readable);
        self.position = Position { next: head.sequence + 1, chain: head.chain };
        self.durable = self.durable.max(head.durable);
        Ok(Some(Anchor { record, is_checked }))
    }

    /// What the chain of the broken record is if nothing but its checksums is damaged: then its
    /// body ends where the record of the last step begins.
    fn recompute_chain(
        &mut self,
        broken_at: u64,
        broken: &[u8; RECORD_HEAD_BYTES],
    ) -> Result<Option<u32>, StorageError> {
        let body_at = broken_at + RECORD_HEAD_BYTES as u64;
        let length = get_u32(broken, 0);
        if length > RECORD_BYTES_MAX || body_at + u64::from(length) != self.offset {
            return Ok(None);
        }
        self.source.seek(body_at);
        let body = self.source.peek(length as usize)?;
        Ok(body.map(|body| chain_of(self.position.chain, broken, body)))
    }

    /// Moves to the next good head of a record that fits into the file.
    fn find_head(
        &mut self,
        sequence_min: u64,
    ) -> Result<Option<([u8; RECORD_HEAD_BYTES], RecordHead)>, StorageError> {
        loop {
            let left = self.source.left();
            let Some(bytes) = self.source.peek(RECORD_HEAD_BYTES)? else { return Ok(None) };
            let decoded = may_be_head(bytes).then(|| RecordHead::decode(self.salt, bytes).ok());
            let fits = |head: &RecordHead| {
                head.check().is_ok()
                    && (sequence_min..u64::MAX).contains(&head.sequence)
                    && head.durable < head.sequence
                    && RECORD_HEAD_BYTES as u64 + u64::from(head.length) <= left
            };
            if let Some(head) = decoded.flatten().filter(fits) {
                return Ok(Some((get(bytes, 0), head)));
            }
            self.source.seek(self.source.offset() + 1);
        }
    }

    /// Offset of the record that the last step was about; behind [`Step::End`], the file's length.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// This damage, at the record that the last step was about.
    pub(crate) fn damaged(&self, damage: Damage) -> StorageError {
        StorageError::damaged(&self.name, self.offset, damage)
    }

    /// Where the log stands behind the last good record.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Highest sequence that the records read so far prove to be on disk.
    pub(crate) fn durable(&self) -> u64 {
        self.durable
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn length(&self) -> u64 {
        self.source.length()
    }
}

/// Decodes a record whose checksums are good.
fn record_of(head: &RecordHead, bytes: &[u8], expected: u64) -> Result<Record, Damage> {
    if head.sequence != expected {
        let what = "the record's sequence";
        return Err(Damage::Differs { what, found: head.sequence, expected });
    }
    if head.sequence == u64::MAX {
        return Err(Damage::Content("no sequence comes after this one".to_owned()));
    }
    if head.durable >= head.sequence {
        return Err(Damage::Content(format!(
            "record {} says that record {} was durable before it",
            head.sequence, head.durable
        )));
    }
    let changes = body::decode_changes(bytes)?;
    Ok(Record { sequence: head.sequence, accepted_ms: head.accepted_ms, changes })
}
