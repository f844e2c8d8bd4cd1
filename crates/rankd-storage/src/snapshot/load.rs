//! Fills a state from a snapshot. Cost: O(members), by bulk builds; memory beside the state: one
//! block and the idempotency keys.

use rankd_engine::{BoardHeader, KeyMemory, LoadError, MemberRow, State};
use rankd_orgs::{OrgApplyError, OrgItem};
use serde_bytes::ByteBuf;

use crate::error::{Damage, StorageError};
use crate::meter::Meter;
use crate::snapshot::block::{BlockKind, Meta};
use crate::snapshot::read::SnapshotReader;

/// Loads everything into `state`, which has to be empty. Returns when the snapshot was finished,
/// in milliseconds since 1970, UTC.
///
/// # Errors
/// What the disk says; the first damage. The state is then half full, and of no use.
pub(crate) fn load(
    mut reader: SnapshotReader,
    state: &State,
    meter: &mut Meter<'_>,
) -> Result<i64, StorageError> {
    let mut keys = Vec::new();
    loop {
        match reader.next_block(meter)? {
            BlockKind::Meta => state.load_next_board_id(reader.item::<Meta>()?.next_board_id),
            BlockKind::Board => load_board(&mut reader, state, meter)?,
            BlockKind::Rows => {
                let what = "more members than the board's header announced".to_owned();
                return Err(reader.damaged(Damage::Content(what)));
            }
            BlockKind::Labels => load_labels(&mut reader, state)?,
            BlockKind::Keys => load_keys(&mut reader, &mut keys)?,
            BlockKind::Orgs => load_orgs(&mut reader, state)?,
            BlockKind::Footer => {
                let (_report, finished_ms) = reader.finish()?;
                state.load_keys(keys);
                state.orgs().load_end().map_err(|error| unfit(&reader, &error))?;
                return Ok(finished_ms);
            }
        }
    }
}

fn load_labels(reader: &mut SnapshotReader, state: &State) -> Result<(), StorageError> {
    while reader.items_left() > 0 {
        let (member, label) = reader.item::<(ByteBuf, Box<str>)>()?;
        state.load_label(&member.into_vec().into(), label);
    }
    Ok(())
}

fn load_keys(
    reader: &mut SnapshotReader,
    keys: &mut Vec<(Box<[u8]>, KeyMemory)>,
) -> Result<(), StorageError> {
    while reader.items_left() > 0 {
        let (key, memory) = reader.item::<(ByteBuf, KeyMemory)>()?;
        keys.push((key.into_vec().into(), memory));
    }
    Ok(())
}

fn load_orgs(reader: &mut SnapshotReader, state: &State) -> Result<(), StorageError> {
    while reader.items_left() > 0 {
        let item = reader.item::<OrgItem>()?;
        state.orgs().load(item).map_err(|error| unfit(reader, &error))?;
    }
    Ok(())
}

fn unfit(reader: &SnapshotReader, error: &OrgApplyError) -> StorageError {
    reader.damaged(Damage::Content(format!("organisations: {error}")))
}

fn load_board(
    reader: &mut SnapshotReader,
    state: &State,
    meter: &mut Meter<'_>,
) -> Result<(), StorageError> {
    let header = reader.item::<BoardHeader>()?;
    let left = header.members;
    let mut rows = Rows { reader, meter, left };
    state.load_board(header, &mut rows).map_err(|error| match error {
        LoadError::Read(error) => error,
        other => rows.reader.damaged(Damage::Content(other.to_string())),
    })
}

/// The members of one board, over as many blocks as they take.
struct Rows<'a, 'm> {
    reader: &'a mut SnapshotReader,
    meter: &'a mut Meter<'m>,
    left: u64,
}

impl Rows<'_, '_> {
    fn read(&mut self) -> Result<MemberRow, StorageError> {
        if self.reader.items_left() == 0 {
            let kind = self.reader.next_block(self.meter)?;
            if kind != BlockKind::Rows {
                let what = format!("{} announced members are missing", self.left);
                return Err(self.reader.damaged(Damage::Content(what)));
            }
        }
        self.left -= 1;
        self.reader.item()
    }
}

impl Iterator for Rows<'_, '_> {
    type Item = Result<MemberRow, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        (self.left > 0).then(|| self.read())
    }
}
