//! The names of a data folder's files, and what a folder holds by them.
//!
//! Invariant: a name that ends like one of ours is ours or an error, never skipped.

use std::path::Path;

use crate::error::{Action, LayoutError, StorageError};
use crate::fs::Fs;

/// The lock file's name.
pub(crate) const LOCK: &str = "LOCK";
const TEMPORARY: &str = ".tmp";
const SPARE: &str = ".spare.tmp";
const DIGITS: usize = 20;

/// Name of the log segment that begins with this record.
pub(crate) fn segment(first_sequence: u64) -> String {
    format!("log-{first_sequence:020}.rlog")
}

/// Name of the snapshot of everything up to this record.
pub(crate) fn snapshot(sequence: u64) -> String {
    format!("snapshot-{sequence:020}.rsnap")
}

/// Name of the copy of a torn tail. The same cut gives the same name.
pub(crate) fn tail(first_sequence: u64, offset: u64, checksum: u32) -> String {
    format!("damaged-{first_sequence:020}-{offset}-{checksum:08x}.tail")
}

/// The name under which a file is made.
pub(crate) fn temporary(name: &str) -> String {
    format!("{name}{TEMPORARY}")
}

/// The name of a superseded snapshot that the next one is written over. It is a temporary one: a
/// start removes it.
pub(crate) fn spare(snapshot: &str) -> String {
    format!("{snapshot}{SPARE}")
}

/// Whether this temporary name is one of those.
pub(crate) fn is_spare(name: &str) -> bool {
    name.ends_with(SPARE)
}

/// What the lock file says of the process that holds it.
pub(crate) fn lock_owner(fs: &dyn Fs, folder: &Path) -> String {
    let mut text = [0; 20];
    let file = fs.open(&folder.join(LOCK), false);
    let read = file.and_then(|file| file.read_at(&mut text, 0)).unwrap_or(0);
    let digits = text.iter().take(read).take_while(|byte| byte.is_ascii_digit());
    let owner: String = digits.map(|byte| char::from(*byte)).collect();
    if owner.is_empty() { "of unknown number".to_owned() } else { owner }
}

/// The store's files in a folder. Ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// First sequences of the segments.
    pub(crate) segments: Vec<u64>,
    /// Sequences of the snapshots.
    pub(crate) snapshots: Vec<u64>,
    /// Names of files that were not finished.
    pub(crate) temporaries: Vec<String>,
    /// Names of torn tails that were cut off earlier.
    pub(crate) tails: Vec<String>,
}

impl Listing {
    /// Lists `folder`.
    ///
    /// # Errors
    /// What the disk says, and names that are almost ours.
    pub(crate) fn read(fs: &dyn Fs, folder: &Path) -> Result<Self, StorageError> {
        let names = fs.list(folder).map_err(StorageError::io(Action::List, folder))?;
        Ok(Self::parse(&names)?)
    }

    fn parse(names: &[String]) -> Result<Self, LayoutError> {
        let mut listing = Self::default();
        for name in names {
            if is_temporary(name) {
                listing.temporaries.push(name.clone());
            } else if name.ends_with(".rlog") {
                listing.segments.push(number(name, "log-", ".rlog")?);
            } else if name.ends_with(".rsnap") {
                listing.snapshots.push(number(name, "snapshot-", ".rsnap")?);
            } else if name.starts_with("damaged-") && name.ends_with(".tail") {
                listing.tails.push(name.clone());
            }
        }
        listing.segments.sort_unstable();
        listing.snapshots.sort_unstable();
        listing.temporaries.sort_unstable();
        listing.tails.sort_unstable();
        Ok(listing)
    }
}

/// Only what rankd itself makes under a temporary name; a stranger's `*.tmp` is not ours to remove.
fn is_temporary(name: &str) -> bool {
    name.ends_with(TEMPORARY)
        && ["log-", "snapshot-", "damaged-"].iter().any(|start| name.starts_with(start))
}

fn number(name: &str, start: &str, end: &str) -> Result<u64, LayoutError> {
    name.strip_prefix(start)
        .and_then(|rest| rest.strip_suffix(end))
        .filter(|digits| digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| LayoutError::Name(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(names: &[&str]) -> Result<Listing, LayoutError> {
        Listing::parse(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn names_read_back() {
        let listing = parse(&[
            &segment(u64::MAX),
            &segment(1),
            &snapshot(7),
            &temporary(&snapshot(8)),
            &spare(&snapshot(6)),
            &tail(1, 48, 0xab),
            "LOCK",
            "notes.txt",
            "someone-elses.tmp",
        ])
        .expect("all legal");
        assert_eq!(listing.segments, [1, u64::MAX]);
        assert_eq!(listing.snapshots, [7]);
        assert_eq!(
            listing.temporaries,
            [
                "snapshot-00000000000000000006.rsnap.spare.tmp",
                "snapshot-00000000000000000008.rsnap.tmp"
            ]
        );
        assert_eq!(listing.tails, ["damaged-00000000000000000001-48-000000ab.tail"]);
    }

    #[test]
    fn stray_names_are_errors() {
        for name in [
            "log-1.rlog",
            "x.rlog",
            "log-99999999999999999999.rlog",
            "log-+0000000000000000001.rlog",
            "snapshot-.rsnap",
            "log-00000000000000000001.rsnap",
        ] {
            assert_eq!(parse(&[name]), Err(LayoutError::Name(name.to_owned())));
        }
    }
}
