//! Why a write or a snapshot was refused.

use crate::epochs::SNAPSHOTS_LIVE_MAX;

/// Why a member could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The member has too many bytes.
    #[error("the member has {bytes} bytes, the limit is {bytes_max}")]
    MemberTooLong {
        /// Bytes of the member.
        bytes: usize,
        /// Bytes that a member may have.
        bytes_max: usize,
    },
    /// The index takes members of one length only, and this is another.
    #[error("the member has {bytes} bytes, those of this index have {bytes_fixed}")]
    MemberNotFixed {
        /// Bytes of the member.
        bytes: usize,
        /// Bytes that every member of the index has.
        bytes_fixed: usize,
    },
    /// The index has no room for one more member.
    #[error("the index has {members_max} members, which is its limit")]
    Full {
        /// Members that the index may have.
        members_max: usize,
    },
}

/// Too many snapshots of the index live already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{SNAPSHOTS_LIVE_MAX} snapshots of the index live already, which is the limit")]
pub struct SnapshotsLive;
