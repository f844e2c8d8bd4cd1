//! The kinds of moment at which a crash can come, told by what the store was about to do.

use std::fmt;
use std::str::FromStr;

/// Who calls the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Whoever opens the store: recovery.
    Opener,
    /// The thread that writes the log.
    Log,
    /// The thread that takes snapshots.
    Snapshots,
}

/// A call that changes something on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Making an empty file.
    Create,
    /// Writing.
    Write,
    /// A file's fsync.
    Sync,
    /// The folder's fsync.
    SyncFolder,
    /// Renaming.
    Rename,
    /// Removing.
    Remove,
    /// Cutting off.
    Truncate,
}

macro_rules! moments {
    ($($(#[doc = $doc:literal])* $name:ident: $text:literal,)*) => {
        /// A kind of moment.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Moment {
            $($(#[doc = $doc])* $name,)*
        }

        impl Moment {
            /// Every kind, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }

        impl fmt::Display for Moment {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

moments! {
    /// Nothing was under way.
    Idle: "between two calls",
    /// A group of records is written.
    LogWrite: "log: write",
    /// The group's fsync.
    LogSync: "log: fsync",
    /// A new segment is made and its head written.
    RotationWrite: "rotation: create and write",
    /// The new segment's fsync.
    RotationSync: "rotation: fsync",
    /// The new segment gets its name.
    RotationRename: "rotation: rename",
    /// That name becomes durable.
    RotationFolder: "rotation: fsync of the folder",
    /// A snapshot is written.
    SnapshotWrite: "snapshot: create and write",
    /// The snapshot's fsync.
    SnapshotSync: "snapshot: fsync",
    /// The snapshot gets its name.
    SnapshotRename: "snapshot: rename",
    /// That name becomes durable.
    SnapshotFolder: "snapshot: fsync of the folder",
    /// An old snapshot is removed, or set aside to be written over.
    RemoveSnapshot: "removal of a snapshot",
    /// An old segment is removed.
    RemoveSegment: "removal of a segment",
    /// The removals become durable.
    RemoveFolder: "removal: fsync of the folder",
    /// The first segment of a new store is made, up to its fsync.
    NewStore: "recovery: new store",
    /// Names are made durable by a start.
    RecoveryFolder: "recovery: fsync of the folder",
    /// An unfinished file is removed.
    RecoveryRemove: "recovery: removal of an unfinished file",
    /// A torn tail is copied aside, up to its name.
    RecoveryCopy: "recovery: copy of a torn tail",
    /// The torn tail is cut off.
    RecoveryCut: "recovery: cut of a torn tail",
    /// Doubtful records are written once more.
    RecoveryRewrite: "recovery: write of doubtful records",
    /// The fsync of a cut or of doubtful records.
    RecoverySync: "recovery: fsync of the log",
}

/// There is no kind of moment of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMoment;

impl fmt::Display for UnknownMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Moment::ALL.iter().map(Moment::to_string).collect();
        write!(f, "there is no such moment; there are: {}", names.join(", "))
    }
}

impl std::error::Error for UnknownMoment {}

impl FromStr for Moment {
    type Err = UnknownMoment;

    fn from_str(name: &str) -> Result<Self, UnknownMoment> {
        let found = Self::ALL.iter().find(|moment| moment.to_string() == name);
        found.copied().ok_or(UnknownMoment)
    }
}

impl Moment {
    /// The moment of this call; `has_removed`: the caller's last call was such a removal.
    #[must_use]
    pub fn of(caller: Caller, op: Op, name: &str, has_removed: bool) -> Self {
        match caller {
            Caller::Opener => Self::of_recovery(op, name),
            Caller::Log => Self::of_log(op, name),
            Caller::Snapshots => Self::of_snapshots(op, name, has_removed),
        }
    }

    fn of_recovery(op: Op, name: &str) -> Self {
        let is_copy = name.starts_with("damaged-");
        let is_new = name.ends_with(".rlog.tmp");
        match op {
            Op::Remove => Self::RecoveryRemove,
            Op::SyncFolder => Self::RecoveryFolder,
            _ if is_copy => Self::RecoveryCopy,
            _ if is_new => Self::NewStore,
            Op::Truncate => Self::RecoveryCut,
            Op::Sync => Self::RecoverySync,
            Op::Create | Op::Write | Op::Rename => Self::RecoveryRewrite,
        }
    }

    fn of_log(op: Op, name: &str) -> Self {
        match op {
            Op::Rename => Self::RotationRename,
            Op::SyncFolder => Self::RotationFolder,
            Op::Sync if name.ends_with(".tmp") => Self::RotationSync,
            _ if name.ends_with(".tmp") => Self::RotationWrite,
            Op::Sync => Self::LogSync,
            Op::Create | Op::Write | Op::Remove | Op::Truncate => Self::LogWrite,
        }
    }

    fn of_snapshots(op: Op, name: &str, has_removed: bool) -> Self {
        match op {
            Op::Rename if name.ends_with(".rsnap") => Self::RemoveSnapshot,
            Op::Rename => Self::SnapshotRename,
            Op::SyncFolder if has_removed => Self::RemoveFolder,
            Op::SyncFolder => Self::SnapshotFolder,
            Op::Remove if name.ends_with(".rlog") => Self::RemoveSegment,
            Op::Remove => Self::RemoveSnapshot,
            Op::Sync => Self::SnapshotSync,
            Op::Create | Op::Write | Op::Truncate => Self::SnapshotWrite,
        }
    }

    /// The number of the kind, below `ALL.len()`.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// How often each kind of moment was hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally(Vec<u64>);

impl Default for Tally {
    fn default() -> Self {
        Self(vec![0; Moment::ALL.len()])
    }
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, moment: Moment) {
        if let Some(count) = self.0.get_mut(moment.index()) {
            *count += 1;
        }
    }

    /// How often this kind was hit.
    #[must_use]
    pub fn of(&self, moment: Moment) -> u64 {
        self.0.get(moment.index()).copied().unwrap_or_default()
    }

    /// Adds what another tally has.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(count, more)| *count += more);
    }

    /// Everything.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for moment in Moment::ALL {
            writeln!(f, "  {:>9}  {moment}", self.of(*moment))?;
        }
        write!(f, "  {:>9}  in all", self.total())
    }
}
