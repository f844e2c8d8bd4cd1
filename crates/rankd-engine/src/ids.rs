//! What boards and members are called: by clients, and by changes.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

/// A name of a board or a member: bytes, at most [`crate::limits::NAME_BYTES_MAX`].
pub type Name = Box<[u8]>;

/// A member's name in a change. Changes are made by one thread and dropped by another, at which
/// allocators are slow: names of up to 24 bytes live in the change itself.
pub type ChangedName = SmallVec<[u8; 24]>;

/// How a [`ChangedName`] is written: as any bytes.
pub(crate) mod changed_name {
    use super::{BytesVisitor, ChangedName, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(name: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(name)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ChangedName, D::Error> {
        from.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = ChangedName;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<ChangedName, E> {
        Ok(ChangedName::from_slice(bytes))
    }
}

/// Identity of a board for its whole life; never used again after its deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BoardId(pub u64);
