//! What a simulated file system is told to do wrong, and what it says that it did.
//!
//! Invariant: plain data; the same plan over the same calls goes wrong in the same way.

use std::io;

use crate::moment::{Caller, Moment, Op};

/// When the power fails, or the process is killed.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// At a call of this kind, ...
    pub moment: Moment,
    /// ... the so-manieth from now on, ...
    pub nth: u64,
    /// ... or at this call, whatever it is, if that comes first.
    pub nth_call: u64,
    /// Whether that call itself still reaches the page cache.
    pub takes_effect: bool,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// An input/output error.
    Eio,
    /// No space left.
    Enospc,
    /// Half of a write is done, and there is no space for the rest.
    Short,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Eio, Self::Enospc, Self::Short];

    pub(crate) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::Eio => 5,
            Self::Enospc | Self::Short => 28,
        })
    }
}

/// Which calls go wrong. All calls count, those that only read as well.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The first, counted from 1.
    pub at: u64,
    /// How.
    pub kind: FaultKind,
    /// Whether all that follow do, too, until the disk is healed.
    pub lasts: bool,
}

/// A call that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Who called.
    pub caller: Caller,
    /// What; `None`: something that only reads.
    pub op: Option<Op>,
    /// Whether it was about a log segment, whole or unfinished.
    pub is_log: bool,
}
