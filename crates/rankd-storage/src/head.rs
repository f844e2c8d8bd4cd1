//! The 48 bytes that both kinds of file begin with.
//!
//! Invariant: a version that is newer is noticed before any other field is believed.

use crate::bytes::{before, get, get_u32, get_u64, put};
use crate::error::{Damage, StorageError};
use crate::limits::{FORMAT_VERSION, FORMAT_VERSION_MIN};

/// Length of a file's head.
pub(crate) const HEAD_BYTES: usize = 48;
const CHECKSUM_AT: usize = 44;

/// Identity of a store; drawn once, in every file.
pub(crate) type StoreId = [u8; 16];

/// What starts the checksums of record heads, and the chain of a store's first segment.
pub(crate) fn salt(id: &StoreId) -> u32 {
    crc32c::crc32c(id)
}

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Segment,
    Snapshot,
}

impl Kind {
    fn magic(self) -> [u8; 8] {
        match self {
            Self::Segment => *b"RANKDLOG",
            Self::Snapshot => *b"RANKDSNP",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Segment => "log segment",
            Self::Snapshot => "snapshot",
        }
    }
}

/// A file's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Between [`FORMAT_VERSION_MIN`] and [`FORMAT_VERSION`].
    pub(crate) version: u32,
    pub(crate) store: StoreId,
    /// First sequence of a segment, sequence of a snapshot.
    pub(crate) sequence: u64,
    /// Chain of a segment; 0 in a snapshot.
    pub(crate) chain: u32,
}

impl Head {
    /// The head of a new file.
    pub(crate) fn new(store: StoreId, sequence: u64, chain: u32) -> Self {
        Self { version: FORMAT_VERSION, store, sequence, chain }
    }

    /// The head's bytes; its checksum is in the last four.
    pub(crate) fn encode(&self, kind: Kind) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        put(&mut bytes, 0, &kind.magic());
        put(&mut bytes, 8, &self.version.to_le_bytes());
        put(&mut bytes, 16, &self.store);
        put(&mut bytes, 32, &self.sequence.to_le_bytes());
        put(&mut bytes, 40, &self.chain.to_le_bytes());
        let checksum = crc32c::crc32c(before(&bytes, CHECKSUM_AT));
        put(&mut bytes, CHECKSUM_AT, &checksum.to_le_bytes());
        bytes
    }

    /// Reads a head of `kind` and of `file`, which is named in errors.
    ///
    /// # Errors
    /// A newer version, or in `Ok` the damage.
    pub(crate) fn decode(
        kind: Kind,
        file: &str,
        bytes: &[u8],
    ) -> Result<Result<Self, Damage>, StorageError> {
        if get::<8>(bytes, 0) != kind.magic() {
            return Ok(Err(Damage::Magic(kind.name())));
        }
        let version = get_u32(bytes, 8);
        if version > FORMAT_VERSION {
            return Err(StorageError::newer(file, version));
        }
        Ok(Self::decode_known(kind, version, bytes))
    }

    fn decode_known(kind: Kind, version: u32, bytes: &[u8]) -> Result<Self, Damage> {
        if version < FORMAT_VERSION_MIN {
            return Err(Damage::Unknown { what: "format version", found: version });
        }
        let reserved_is_zero =
            get_u32(bytes, 12) == 0 && (kind == Kind::Segment || get_u32(bytes, 40) == 0);
        if !reserved_is_zero {
            return Err(Damage::Reserved);
        }
        if checksum_of(bytes) != crc32c::crc32c(before(bytes, CHECKSUM_AT)) {
            return Err(Damage::Head(kind.name()));
        }
        let (store, sequence) = (get(bytes, 16), get_u64(bytes, 32));
        Ok(Self { version, store, sequence, chain: get_u32(bytes, 40) })
    }
}

/// The checksum that a head carries.
pub(crate) fn checksum_of(head: &[u8]) -> u32 {
    get_u32(head, CHECKSUM_AT)
}
