//! Tokens: what a client shows to any node to read what it wrote.
//!
//! A token is `<partition>-<incarnation>-<sequence>-<nonce>`. The nonce tells the write from the
//! one that has its sequence after a loss.

use crate::layout::PartitionId;
use crate::limits::PARTITIONS_MAX;
use crate::script::{Nonce, Position};

/// A place in the history of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) partition: PartitionId,
    pub(crate) position: Position,
}

impl Token {
    pub(crate) fn text(&self) -> String {
        let Position { incarnation, sequence, nonce } = self.position;
        format!("{}-{incarnation}-{sequence}-{}", self.partition, nonce.text())
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let partition = parts.next()?.parse().ok()?;
        let incarnation = parts.next()?.parse().ok()?;
        let sequence = parts.next()?.parse().ok()?;
        let nonce = Nonce::parse(parts.next()?.as_bytes())?;
        let token = Self { partition, position: Position { incarnation, sequence, nonce } };
        (parts.next().is_none() && incarnation > 0).then_some(token)
    }
}

/// One number for a sequence of a partition, as receipts have it.
pub(crate) fn packed(partition: PartitionId, sequence: u64) -> u64 {
    sequence * u64::from(PARTITIONS_MAX) + u64::from(partition)
}

/// The partition and sequence of [`packed`].
pub(crate) fn unpacked(packed: u64) -> (PartitionId, u64) {
    let partition = packed % u64::from(PARTITIONS_MAX);
    let partition = PartitionId::try_from(partition).expect("less than PARTITIONS_MAX");
    (partition, packed / u64::from(PARTITIONS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_anything_else_is_refused() {
        let position = Position { incarnation: 1_700_000_000_000, sequence: 42, nonce: Nonce(7) };
        let token = Token { partition: 63, position };
        assert_eq!(token.text(), "63-1700000000000-42-0000000000000007");
        assert_eq!(Token::parse(&token.text()), Some(token));
        for bad in
            ["", "63", "63-1-2", "63-1-2-7", "x-1-2-0000000000000007", "1-0-2-0000000000000007"]
        {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
        assert_eq!(Token::parse("1-1-1-0000000000000007-"), None);
        assert_eq!(unpacked(packed(63, 42)), (63, 42));
    }
}
