//! Tells a torn tail from damage, and cuts a torn tail off.
//!
//! A record may be torn only if nothing proves that it had reached the disk. The proof is a
//! later record whose `durable` covers it. Cost: one checksum of 36 bytes for each byte of the
//! tail that could begin a head; memory for one read.

use std::path::Path;

use crate::error::{Action, StorageError};
use crate::fs::{Fs, FsFile, read_exact_at, write_all_at};
use crate::limits::READ_BYTES;
use crate::log::record::{RECORD_HEAD_BYTES, RecordHead};
use crate::names;

/// Offset of a record head at or behind `offset` that proves `sequence` to have been on disk.
///
/// # Errors
/// What the disk says.
pub(crate) fn find_proof(
    file: &dyn FsFile,
    path: &Path,
    salt: u32,
    offset: u64,
    sequence: u64,
) -> Result<Option<u64>, StorageError> {
    let length = file.len().map_err(StorageError::io(Action::Measure, path))?;
    let mut buffer = Vec::new();
    let mut at = offset;
    while length.saturating_sub(at) >= RECORD_HEAD_BYTES as u64 {
        read_piece(file, &mut buffer, at, length).map_err(StorageError::io(Action::Read, path))?;
        for (index, window) in buffer.windows(RECORD_HEAD_BYTES).enumerate() {
            if proves(window, salt, sequence) {
                return Ok(Some(at + index as u64));
            }
        }
        at += (buffer.len() - (RECORD_HEAD_BYTES - 1)) as u64;
    }
    Ok(None)
}

/// Fills `buffer` with what begins at `at`, up to one read.
fn read_piece(
    file: &dyn FsFile,
    buffer: &mut Vec<u8>,
    at: u64,
    length: u64,
) -> std::io::Result<()> {
    let count = (length - at).min(READ_BYTES as u64);
    buffer.resize(usize::try_from(count).expect("no more than READ_BYTES"), 0);
    read_exact_at(file, buffer, at)
}

fn proves(window: &[u8], salt: u32, sequence: u64) -> bool {
    // The cheap half of the question first: most windows fail here.
    let durable = crate::bytes::get_u64(window, 16);
    durable >= sequence
        && RecordHead::decode(salt, window)
            .is_ok_and(|head| head.check().is_ok() && head.sequence > head.durable)
}

/// Copies what is behind `offset` of segment `first` aside and returns the copy's name.
/// Doing it twice is doing it once.
///
/// # Errors
/// What the disk says.
pub(crate) fn copy_aside(
    fs: &dyn Fs,
    folder: &Path,
    first: u64,
    offset: u64,
) -> Result<String, StorageError> {
    let path = folder.join(names::segment(first));
    let file = fs.open(&path, false).map_err(StorageError::io(Action::Open, &path))?;
    let length = file.len().map_err(StorageError::io(Action::Measure, &path))?;
    let aside = folder.join(names::temporary(&format!("damaged-{first:020}")));
    let copy = fs.create(&aside).map_err(StorageError::io(Action::Create, &aside))?;
    let mut buffer = Vec::new();
    let mut checksum = 0;
    let mut at = offset;
    while at < length {
        read_piece(&*file, &mut buffer, at, length)
            .map_err(StorageError::io(Action::Read, &path))?;
        let written = write_all_at(&*copy, &buffer, at - offset);
        written.map_err(StorageError::io(Action::Write, &aside))?;
        checksum = crc32c::crc32c_append(checksum, &buffer);
        at += buffer.len() as u64;
    }
    let name = names::tail(first, offset, checksum);
    copy.sync().map_err(StorageError::io(Action::Sync, &aside))?;
    fs.rename(&aside, &folder.join(&name)).map_err(StorageError::io(Action::Rename, &aside))?;
    fs.sync_folder(folder).map_err(StorageError::io(Action::Sync, folder))?;
    Ok(name)
}
