//! The layout of a record: head, then body (docs/storage-format.md).
//!
//! Invariant: `chain` continues the checksum of the record before; the head's own checksum
//! stands alone. Cost: one pass over the bytes.

use crate::bytes::{before, get, get_u32, get_u64, put};
use crate::error::Damage;
use crate::limits::RECORD_BYTES_MAX;

/// Length of a record's head.
pub(crate) const RECORD_HEAD_BYTES: usize = 40;
/// The kind of a record that holds the changes of one batch.
pub(crate) const KIND_CHANGES: u32 = 1;
/// Where in a head the chain is.
pub(crate) const CHAIN_AT: usize = 32;
const CHAINED_BYTES: usize = CHAIN_AT;
const CHECKSUM_AT: usize = 36;

/// A record's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHead {
    /// Length of the body in bytes.
    pub(crate) length: u32,
    pub(crate) kind: u32,
    pub(crate) sequence: u64,
    /// Everything up to here was on disk when the record was written.
    pub(crate) durable: u64,
    pub(crate) accepted_ms: i64,
    pub(crate) chain: u32,
}

impl RecordHead {
    /// The head's bytes, and its chain continued from `chain` over the head and `body`.
    pub(crate) fn seal(mut self, salt: u32, chain: u32, body: &[u8]) -> [u8; RECORD_HEAD_BYTES] {
        let mut bytes = [0; RECORD_HEAD_BYTES];
        put(&mut bytes, 0, &self.length.to_le_bytes());
        put(&mut bytes, 4, &self.kind.to_le_bytes());
        put(&mut bytes, 8, &self.sequence.to_le_bytes());
        put(&mut bytes, 16, &self.durable.to_le_bytes());
        put(&mut bytes, 24, &self.accepted_ms.to_le_bytes());
        self.chain = chain_of(chain, &bytes, body);
        put(&mut bytes, 32, &self.chain.to_le_bytes());
        let checksum = crc32c::crc32c_append(salt, before(&bytes, CHECKSUM_AT));
        put(&mut bytes, CHECKSUM_AT, &checksum.to_le_bytes());
        bytes
    }

    /// Reads a head.
    ///
    /// # Errors
    /// If its checksum is wrong.
    pub(crate) fn decode(salt: u32, bytes: &[u8]) -> Result<Self, Damage> {
        if get_u32(bytes, CHECKSUM_AT) != crc32c::crc32c_append(salt, before(bytes, CHECKSUM_AT)) {
            return Err(Damage::Head("record"));
        }
        Ok(Self {
            length: get_u32(bytes, 0),
            kind: get_u32(bytes, 4),
            sequence: get_u64(bytes, 8),
            durable: get_u64(bytes, 16),
            accepted_ms: i64::from_le_bytes(get(bytes, 24)),
            chain: get_u32(bytes, 32),
        })
    }

    /// Whether kind and length are ones that this version writes.
    ///
    /// # Errors
    /// The one that is not.
    pub(crate) fn check(&self) -> Result<(), Damage> {
        if self.kind != KIND_CHANGES {
            return Err(Damage::Unknown { what: "record kind", found: self.kind });
        }
        if !(1..=RECORD_BYTES_MAX).contains(&self.length) {
            return Err(Damage::Length {
                what: "record length in bytes",
                found: u64::from(self.length),
                min: 1,
                max: u64::from(RECORD_BYTES_MAX),
            });
        }
        Ok(())
    }
}

/// Whether these bytes are worth the checksum, where a head is searched for byte by byte.
pub(crate) fn may_be_head(bytes: &[u8]) -> bool {
    get_u32(bytes, 4) == KIND_CHANGES
}

/// The chain of a record, given that of the record before.
pub(crate) fn chain_of(chain: u32, head: &[u8], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(chain, before(head, CHAINED_BYTES)), body)
}
