//! Where things are in Redis: partitions and the names of keys.
//!
//! Invariant: all keys of one partition carry the same hash tag `{<prefix>:NN}`, so a script may
//! touch any of them together, on a cluster too. A board's partition follows from its name alone.
//! Cost: one checksum of the name.
//!
//! | key | type | what |
//! |---|---|---|
//! | `{p:NN}:m` | hash | incarnation, sequence, nonce, counter of board ids |
//! | `{p:NN}:s` | stream | the changes, one entry a call, id `<sequence>-0` |
//! | `{p:NN}:b` | hash | name of a board to its id, definition and time of creation |
//! | `{p:NN}:l` | hash | member to display name (partition 0 only) |
//! | `{p:NN}:z:<board>` | sorted set | member to score |
//! | `{p:NN}:h:<board>` | hash | member to what the score alone does not say |
//! | `{p:NN}:i:<key>` | string | what a batch with this idempotency key came to; expires |
//! | `{p:NN}:r` | string | an operator wants this partition filled from a node's memory |

#[cfg(test)]
use rankd_engine::BoardId;

#[cfg(test)]
use crate::limits::PARTITIONS_MAX;

/// Number of a partition, from 0.
pub(crate) type PartitionId = u16;

/// Display names are global, so they have one place.
pub(crate) const LABELS_PARTITION: PartitionId = 0;

/// The keys of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) prefix: String,
    pub(crate) partitions: u16,
}

impl Layout {
    /// The partition of the board of this name: that of the text between its first braces if there
    /// is any, so that boards which are changed together can be kept together.
    pub(crate) fn partition_of(&self, board: &[u8]) -> PartitionId {
        checksum(tag_of(board)) % self.partitions
    }

    /// The hash slot that all keys of the partition have on a cluster.
    pub(crate) fn slot_of(&self, partition: PartitionId) -> u16 {
        checksum(format!("{}:{partition:02}", self.prefix).as_bytes()) % CLUSTER_SLOTS
    }

    /// A key that exists once in each partition.
    pub(crate) fn key(&self, partition: PartitionId, what: &str) -> Vec<u8> {
        format!("{{{}:{partition:02}}}:{what}", self.prefix).into_bytes()
    }

    /// A key that exists for each board or idempotency key.
    pub(crate) fn named(&self, partition: PartitionId, what: &str, name: &[u8]) -> Vec<u8> {
        let mut key = self.key(partition, what);
        key.push(b':');
        key.extend_from_slice(name);
        key
    }
}

/// Hash slots of every Redis Cluster.
pub(crate) const CLUSTER_SLOTS: u16 = 16_384;

/// The id of the board with this number in its partition, as the script makes it.
#[cfg(test)]
pub(crate) fn board_id(number: u64, partition: PartitionId) -> BoardId {
    BoardId(number * u64::from(PARTITIONS_MAX) + u64::from(partition))
}

/// The partition that a board's id was given out by.
#[cfg(test)]
pub(crate) fn partition_of_id(id: BoardId) -> PartitionId {
    PartitionId::try_from(id.0 % u64::from(PARTITIONS_MAX)).expect("less than PARTITIONS_MAX")
}

/// What decides about a name's partition: as for keys on a cluster.
fn tag_of(name: &[u8]) -> &[u8] {
    let Some(open) = name.iter().position(|byte| *byte == b'{') else { return name };
    let rest = name.get(open + 1..).unwrap_or_default();
    match rest.iter().position(|byte| *byte == b'}') {
        Some(end) if end > 0 => rest.get(..end).unwrap_or(name),
        _ => name,
    }
}

/// CRC-16 as clusters compute it: polynomial 0x1021, initial value 0, no reflection.
fn checksum(bytes: &[u8]) -> u16 {
    let mut crc = 0_u16;
    for byte in bytes {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
        }
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_cluster_specification() {
        // The check value that the specification gives.
        assert_eq!(checksum(b"123456789"), 0x31c3);
    }

    #[test]
    fn braces_keep_boards_together_as_they_keep_keys_together() {
        let layout = Layout { prefix: "rankd".to_owned(), partitions: 64 };
        let of = |name: &str| layout.partition_of(name.as_bytes());
        assert_eq!(of("{acme}:daily"), of("{acme}:weekly"));
        assert_eq!(of("x{acme}"), of("acme"));
        assert_eq!(tag_of(b"{}a"), b"{}a", "nothing between the braces");
        assert_eq!(tag_of(b"a{b"), b"a{b", "no end");
        assert_eq!(tag_of(b""), b"");
    }

    #[test]
    fn keys_carry_the_partition_in_their_tag_and_ids_in_their_remainder() {
        let layout = Layout { prefix: "rankd".to_owned(), partitions: 64 };
        assert_eq!(layout.key(7, "m"), b"{rankd:07}:m");
        assert_eq!(layout.named(63, "z", b"weekly"), b"{rankd:63}:z:weekly");
        assert_eq!(layout.slot_of(7), checksum(b"rankd:07") % CLUSTER_SLOTS);
        assert_eq!(partition_of_id(board_id(12, 63)), 63);
    }
}
