//! Makes a store of one snapshot file, wherever that was copied to and whatever it is called.
//!
//! Invariant: all of the file is found good before anything is written, and the new store has an
//! identity of its own, so that no segment of the old one can be mistaken for its. Cost: a load and
//! a snapshot.

use std::path::Path;
use std::sync::Arc;

use rankd_engine::{Clock, State, Totals};
use serde::Serialize;

use crate::error::{LayoutError, StorageError};
use crate::fs::Fs;
use crate::meter::Meter;
use crate::salvage::{take_empty, write_store};
use crate::snapshot::load::load;
use crate::snapshot::read::SnapshotReader;

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The new store has everything up to this sequence.
    pub sequence: u64,
    /// When the snapshot was finished, in milliseconds since 1970, UTC.
    pub finished_ms: i64,
    /// Boards.
    pub boards: u64,
    /// Members.
    pub members: u64,
    /// Organisations.
    pub orgs: u64,
    /// Users of organisations.
    pub users: u64,
    /// Activities.
    pub activities: u64,
}

/// Writes what is in the snapshot `file` into `out`, a new or empty folder, as a store of its own.
///
/// # Errors
/// If the file is damaged or of a newer version; if `out` is not empty; what the disk says.
pub fn restore(
    file: &Path,
    out: &Path,
    fs: &Arc<dyn Fs>,
    clock: &dyn Clock,
) -> Result<RestoreReport, StorageError> {
    let (folder, name) = parts(file)?;
    let open = || SnapshotReader::open_file(&**fs, folder, name);
    let tell = &mut |_| {};
    let mut meter = Meter::new(0, tell);
    let found = open()?.verify(&mut meter)?;
    let _lock = take_empty(&**fs, out)?;
    let state = State::new();
    let finished_ms = load(open()?, &state, &mut meter)?;
    write_store(fs, out, clock, &state, found.sequence)?;
    let Totals { boards, members, orgs, users, activities, .. } = state.totals();
    let sequence = found.sequence;
    Ok(RestoreReport { sequence, finished_ms, boards, members, orgs, users, activities })
}

/// The file's folder and name.
fn parts(file: &Path) -> Result<(&Path, &str), LayoutError> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| LayoutError::Name(file.display().to_string()))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")), name))
}
