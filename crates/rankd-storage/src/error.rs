//! What can go wrong with a data folder. One enum per family: the disk, one file's content,
//! and how the files fit together. Messages name file, offset, value and limit.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::limits;

/// Why a store could not be opened, checked or salvaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The disk did not do as told.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: Action,
        /// With which file or folder.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Another process has the folder.
    #[error("{} is in use by process {owner}; one process per data folder", folder.display())]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// What the lock file says of its owner.
        owner: String,
    },
    /// A file was written by a newer rankd.
    #[error("{file} has format version {found}; this build reads up to version {known}")]
    Newer {
        /// File name within the folder.
        file: String,
        /// Its version.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// A file's content is not what was written.
    #[error("{file} is damaged at offset {offset}: {damage}")]
    Damaged {
        /// File name within the folder.
        file: String,
        /// Where in the file, in bytes.
        offset: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// The files are good, each by itself, but do not make up a store.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// An option is outside its limits.
    #[error("{what} is {value}; allowed are {min} to {max}")]
    Option {
        /// Which option, with its unit.
        what: &'static str,
        /// What was given.
        value: u64,
        /// Smallest legal value.
        min: u64,
        /// Largest legal value.
        max: u64,
    },
    /// A thread could not be started, or no random bytes could be had.
    #[error("the operating system refused {what}: {reason}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// The reason it gave.
        reason: String,
    },
    /// A snapshot could not be written for another reason than the disk.
    #[error("the snapshot was given up: {0}")]
    Snapshot(String),
}

/// What was tried with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Listing a folder.
    List,
    /// Opening a file.
    Open,
    /// Making a file or a folder.
    Create,
    /// Asking for a length.
    Measure,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Cutting a file off.
    Truncate,
    /// Making something durable.
    Sync,
    /// Renaming.
    Rename,
    /// Removing.
    Remove,
    /// Locking.
    Lock,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::Open => "open",
            Self::Create => "create",
            Self::Measure => "read the length of",
            Self::Read => "read",
            Self::Write => "write",
            Self::Truncate => "truncate",
            Self::Sync => "fsync",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::Lock => "lock",
        })
    }
}

/// What is wrong at one place in one file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file ends too early.
    #[error("{what} needs {need} bytes, {left} are left")]
    Short {
        /// What begins there.
        what: &'static str,
        /// Bytes that it needs.
        need: u64,
        /// Bytes that are left.
        left: u64,
    },
    /// The first bytes say that it is something else.
    #[error("this is not a {0} file of rankd")]
    Magic(&'static str),
    /// Bytes that have to be zero are not.
    #[error("reserved bytes are not zero")]
    Reserved,
    /// The checksum of a head is not that of its bytes.
    #[error("the checksum of the {0}'s head is wrong")]
    Head(&'static str),
    /// The checksum over content and everything before it is wrong.
    #[error("the checksum of the {0} is wrong")]
    Chain(&'static str),
    /// The file is from another store.
    #[error("the file belongs to another store")]
    Foreign,
    /// A number is not the one that has to be there.
    #[error("{what} is {found}, expected {expected}")]
    Differs {
        /// Which number.
        what: &'static str,
        /// What is there.
        found: u64,
        /// What has to be there.
        expected: u64,
    },
    /// A length is outside its limits.
    #[error("{what} is {found}; allowed are {min} to {max}")]
    Length {
        /// Which length, with its unit.
        what: &'static str,
        /// What is there.
        found: u64,
        /// Smallest legal value.
        min: u64,
        /// Largest legal value.
        max: u64,
    },
    /// A kind, codec or place that this build does not know.
    #[error("the {what} {found} is unknown here; it may be from a newer version")]
    Unknown {
        /// Kind of what.
        what: &'static str,
        /// The number that is there.
        found: u32,
    },
    /// A broken record that is no torn write.
    #[error("{damage}; record {sequence} had been on disk, as the record at {proof} shows")]
    Proven {
        /// What is broken.
        damage: Box<Damage>,
        /// The sequence that has to be there.
        sequence: u64,
        /// Offset of the later record that shows it.
        proof: u64,
    },
    /// A body does not decode.
    #[error("the body cannot be read: {0}")]
    Body(String),
    /// A body decodes, but does not fit what came before it.
    #[error("the content does not fit: {0}")]
    Content(String),
}

/// How the files of a folder do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A name that looks like ours and is not.
    #[error(
        "{0}: the name does not have the form log-<20 digits>.rlog or snapshot-<20 digits>.rsnap"
    )]
    Name(String),
    /// The log does not begin early enough.
    #[error("records {first} to {last} are missing: {why}")]
    Missing {
        /// First missing sequence.
        first: u64,
        /// Last missing sequence, as far as the files tell.
        last: u64,
        /// How it shows.
        why: String,
    },
    /// There are snapshots, but no log.
    #[error("there is {0} but no log segment")]
    NoLog(String),
    /// There is nothing to salvage.
    #[error("there is no log segment and no good snapshot")]
    Nothing,
    /// No snapshot can be used.
    #[error("no snapshot is good and the log begins with record {first}; the newest: {newest}")]
    NoSnapshot {
        /// First sequence of the oldest segment.
        first: u64,
        /// What is wrong with the newest snapshot.
        newest: String,
    },
    /// The target of a salvage is in use.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
}

impl StorageError {
    pub(crate) fn io(action: Action, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn damaged(file: &str, offset: u64, damage: Damage) -> Self {
        Self::Damaged { file: file.to_owned(), offset, damage }
    }

    pub(crate) fn newer(file: &str, found: u32) -> Self {
        Self::Newer { file: file.to_owned(), found, known: limits::FORMAT_VERSION }
    }

    /// The message and its causes in one line.
    #[must_use]
    pub fn one_line(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}
