//! What a key of the Redis protocol can hold beside a board.

use crate::ids::Name;
use crate::keyspace::bag::Bag;

/// A string, a hash or a set. It knows nothing of ranking.
#[derive(Debug, Clone)]
pub enum Value {
    /// Bytes.
    Text(Name),
    /// Fields with their values, in the order of arrival while they are few.
    Hash(Bag<Name>),
    /// Distinct elements.
    Set(Bag<()>),
}

/// Which sort of value a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A board.
    Board,
    /// A string.
    Text,
    /// A hash.
    Hash,
    /// A set.
    Set,
}

impl Value {
    /// Its sort.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Text(_) => KeyKind::Text,
            Self::Hash(_) => KeyKind::Hash,
            Self::Set(_) => KeyKind::Set,
        }
    }
}

/// The key holds another sort of value than the operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key holds another sort of value")]
pub struct WrongKind;
