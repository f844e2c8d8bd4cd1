//! The layout of a snapshot's blocks (docs/storage-format.md).
//!
//! Invariant: a block's chain covers its head, its payload and every block before it.

use rankd_engine::BoardId;
use serde::{Deserialize, Serialize};

use crate::bytes::{before, get_u32, put};
use crate::error::Damage;
use crate::limits::{BLOCK_BYTES_MAX, FORMAT_VERSION_ORGS, FORMAT_VERSION_VALUES};

/// Length of a block's head.
pub(crate) const BLOCK_HEAD_BYTES: usize = 20;
const CHAINED_BYTES: usize = 16;

/// What a block holds. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Meta = 1,
    Board = 2,
    Rows = 3,
    Labels = 4,
    Keys = 5,
    Footer = 6,
    Orgs = 7,
    Values = 8,
}

impl BlockKind {
    /// The kind of this number in a file of this version.
    fn decode(version: u32, number: u8) -> Option<Self> {
        use BlockKind::{Board, Footer, Keys, Labels, Meta, Orgs, Rows, Values};
        let kinds = [Meta, Board, Rows, Labels, Keys, Footer, Orgs, Values];
        let known = |kind: &Self| match kind {
            Orgs => version >= FORMAT_VERSION_ORGS,
            Values => version >= FORMAT_VERSION_VALUES,
            _ => true,
        };
        kinds.into_iter().filter(known).find(|kind| *kind as u8 == number)
    }

    /// Blocks come in the order of their numbers, but for the footer: its number is older than
    /// some that stand before it.
    fn place(self) -> u8 {
        match self {
            Self::Footer => u8::MAX,
            kind => kind as u8,
        }
    }

    /// Whether a block of this kind may come right behind one of `previous`.
    pub(crate) fn may_follow(self, previous: Option<Self>) -> bool {
        let Some(previous) = previous else { return self == Self::Meta };
        match (previous, self) {
            (Self::Meta, Self::Rows) => false,
            (Self::Rows, Self::Board) => true,
            (Self::Meta | Self::Footer, _) => self.place() > previous.place(),
            _ => self.place() >= previous.place(),
        }
    }

    /// Whether such a block holds exactly one item.
    pub(crate) fn is_single(self) -> bool {
        matches!(self, Self::Meta | Self::Board | Self::Footer)
    }
}

/// How a payload is stored. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Raw = 0,
    Lz4 = 1,
}

/// A block's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockHead {
    pub(crate) kind: BlockKind,
    pub(crate) codec: Codec,
    /// Bytes of the payload in the file.
    pub(crate) stored: u32,
    /// Bytes of the payload decompressed.
    pub(crate) raw: u32,
    pub(crate) items: u32,
    pub(crate) chain: u32,
}

impl BlockHead {
    /// The head's bytes, and its chain continued from `chain` over the head and `payload`.
    pub(crate) fn seal(mut self, chain: u32, payload: &[u8]) -> ([u8; BLOCK_HEAD_BYTES], u32) {
        let mut bytes = [0; BLOCK_HEAD_BYTES];
        put(&mut bytes, 0, &[self.kind as u8, self.codec as u8]);
        put(&mut bytes, 4, &self.stored.to_le_bytes());
        put(&mut bytes, 8, &self.raw.to_le_bytes());
        put(&mut bytes, 12, &self.items.to_le_bytes());
        self.chain = chain_of(chain, &bytes, payload);
        put(&mut bytes, 16, &self.chain.to_le_bytes());
        (bytes, self.chain)
    }

    /// Reads a head in a file of this version.
    ///
    /// # Errors
    /// If a field is not one that the version has.
    pub(crate) fn decode(version: u32, bytes: &[u8]) -> Result<Self, Damage> {
        let [kind, codec, reserved @ ..] = crate::bytes::get::<4>(bytes, 0);
        let unknown = |what, found: u8| Damage::Unknown { what, found: u32::from(found) };
        let head = Self {
            kind: BlockKind::decode(version, kind).ok_or(unknown("block kind", kind))?,
            codec: match codec {
                0 => Codec::Raw,
                1 => Codec::Lz4,
                _ => return Err(unknown("block codec", codec)),
            },
            stored: get_u32(bytes, 4),
            raw: get_u32(bytes, 8),
            items: get_u32(bytes, 12),
            chain: get_u32(bytes, 16),
        };
        if reserved != [0, 0] {
            return Err(Damage::Reserved);
        }
        head.check_lengths()?;
        Ok(head)
    }

    fn check_lengths(&self) -> Result<(), Damage> {
        let items_max = if self.kind.is_single() { 1 } else { self.raw };
        let raw_min = if self.codec == Codec::Raw { self.stored } else { 1 };
        let raw_max = if self.codec == Codec::Raw { self.stored } else { BLOCK_BYTES_MAX };
        within("stored length in bytes", self.stored, 1, BLOCK_BYTES_MAX)?;
        within("raw length in bytes", self.raw, raw_min, raw_max)?;
        within("number of items", self.items, 1, items_max)
    }
}

fn within(what: &'static str, found: u32, min: u32, max: u32) -> Result<(), Damage> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    let (found, min, max) = (u64::from(found), u64::from(min), u64::from(max));
    Err(Damage::Length { what, found, min, max })
}

/// The chain of a block, given that of the block before.
pub(crate) fn chain_of(chain: u32, head: &[u8], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(chain, before(head, CHAINED_BYTES)), payload)
}

/// The first item of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) next_board_id: BoardId,
}

/// The last item of a snapshot. The order of the fields is part of the format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Footer {
    pub(crate) sequence: u64,
    pub(crate) boards: u64,
    pub(crate) members: u64,
    pub(crate) labels: u64,
    pub(crate) keys: u64,
    pub(crate) org_items: u64,
    /// Pieces of strings, hashes and sets, and ends of keys.
    pub(crate) value_items: u64,
    /// Blocks before the footer.
    pub(crate) blocks: u64,
    /// Milliseconds since 1970, UTC.
    pub(crate) finished_ms: i64,
}

/// The last item of a snapshot from before there were organisations.
#[derive(Deserialize)]
pub(crate) struct FooterWithoutOrgs {
    sequence: u64,
    boards: u64,
    members: u64,
    labels: u64,
    keys: u64,
    blocks: u64,
    finished_ms: i64,
}

impl From<FooterWithoutOrgs> for Footer {
    fn from(footer: FooterWithoutOrgs) -> Self {
        let FooterWithoutOrgs { sequence, boards, members, labels, keys, blocks, finished_ms } =
            footer;
        let (org_items, value_items) = (0, 0);
        Self {
            sequence,
            boards,
            members,
            labels,
            keys,
            org_items,
            value_items,
            blocks,
            finished_ms,
        }
    }
}

/// The last item of a snapshot from before there were values beside boards.
#[derive(Deserialize)]
pub(crate) struct FooterWithoutValues {
    sequence: u64,
    boards: u64,
    members: u64,
    labels: u64,
    keys: u64,
    org_items: u64,
    blocks: u64,
    finished_ms: i64,
}

impl From<FooterWithoutValues> for Footer {
    fn from(footer: FooterWithoutValues) -> Self {
        let FooterWithoutValues {
            sequence,
            boards,
            members,
            labels,
            keys,
            org_items,
            blocks,
            finished_ms,
        } = footer;
        let value_items = 0;
        Self {
            sequence,
            boards,
            members,
            labels,
            keys,
            org_items,
            value_items,
            blocks,
            finished_ms,
        }
    }
}

impl Footer {
    /// Counts a block.
    pub(crate) fn count(&mut self, kind: BlockKind, items: u64) {
        match kind {
            BlockKind::Meta => {}
            BlockKind::Board => self.boards += items,
            BlockKind::Rows => self.members += items,
            BlockKind::Labels => self.labels += items,
            BlockKind::Keys => self.keys += items,
            BlockKind::Orgs => self.org_items += items,
            BlockKind::Values => self.value_items += items,
            BlockKind::Footer => return,
        }
        self.blocks += 1;
    }
}
