//! Fills a state from a snapshot: one thread reads and checks, others unpack and decode, one
//! builds.
//!
//! Invariant: whatever the number of threads, blocks are built upon in the order of the file,
//! and the first damage in that order is what is reported. Cost: O(members), by bulk builds;
//! memory beside the state: a few blocks a thread and the idempotency keys.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, scope};

use rankd_engine::{BoardHeader, BoardLoader, Change, Crew, KeyMemory, LoadError, State};
use rankd_orgs::{OrgApplyError, OrgItem};
use serde_bytes::ByteBuf;

use crate::crew::Threads;
use crate::error::{Damage, StorageError};
use crate::limits::{LOAD_BLOCKS_AHEAD, LOAD_DECODERS_MAX, LOAD_TOGETHER_BYTES_MIN};
use crate::meter::Meter;
use crate::snapshot::block::{BlockKind, Meta};
use crate::snapshot::payload::{Block, Rows, StoredBlock};
use crate::snapshot::read::SnapshotReader;

const TOO_MANY: &str = "more members than the board's header announced";

/// Loads everything into `state`, which has to be empty. Returns when the snapshot was finished,
/// in milliseconds since 1970, UTC.
///
/// # Errors
/// What the disk says; the first damage. The state is then half full, and of no use.
pub(crate) fn load(
    reader: SnapshotReader,
    state: &State,
    meter: &mut Meter<'_>,
) -> Result<i64, StorageError> {
    let is_small = reader.length() < LOAD_TOGETHER_BYTES_MIN;
    load_with(if is_small { Threads(1) } else { Threads::all() }, reader, state, meter)
}

/// [`load`] with this many threads; with one, nothing is done side by side.
fn load_with(
    crew: Threads,
    mut reader: SnapshotReader,
    state: &State,
    meter: &mut Meter<'_>,
) -> Result<i64, StorageError> {
    let (filling, finished_ms) = match crew.hands() {
        1 => fill_alone(&mut reader, Filling::new(state, crew), meter)?,
        _ => fill_together(&mut reader, Filling::new(state, crew), meter)?,
    };
    filling.end().map_err(|damage| reader.damaged(damage))?;
    Ok(finished_ms)
}

fn fill_alone<'a>(
    reader: &mut SnapshotReader,
    mut filling: Filling<'a>,
    meter: &mut Meter<'_>,
) -> Result<(Filling<'a>, i64), StorageError> {
    loop {
        let block = reader.next_block(meter)?;
        if block.kind() == BlockKind::Footer {
            let (_report, finished_ms) = reader.finish(block)?;
            return Ok((filling, finished_ms));
        }
        filling.add(Piece::decode(block)?)?;
    }
}

/// The calling thread reads, because the meter is its own.
fn fill_together<'a>(
    reader: &mut SnapshotReader,
    filling: Filling<'a>,
    meter: &mut Meter<'_>,
) -> Result<(Filling<'a>, i64), StorageError> {
    let decoders = (filling.crew.hands() - 1).clamp(1, LOAD_DECODERS_MAX);
    scope(|scope| {
        let (mut stored, mut pieces) = (Vec::new(), Vec::new());
        for _ in 0..decoders {
            let (blocks, to_decode) = sync_channel(LOAD_BLOCKS_AHEAD);
            let (decoded, to_add) = sync_channel(LOAD_BLOCKS_AHEAD);
            start(scope, move || decode_all(&to_decode, &decoded))?;
            stored.push(blocks);
            pieces.push(to_add);
        }
        let (give_back, filled) = sync_channel(1);
        start(scope, move || {
            let _read_failed = give_back.send(add_all(&pieces, filling));
        })?;
        let read = read_all(reader, &stored, meter);
        // Without senders the decoders end, and with them who builds.
        drop(stored);
        // What was built comes first: its damage lies before that of what was read.
        let filling = filled.recv().expect("a thread that does not panic answers")?;
        let finished_ms = read?.expect("who builds gave up only with an error");
        Ok((filling, finished_ms))
    })
}

fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), StorageError> {
    let started = Builder::new().name("rankd-load".to_owned()).spawn_scoped(scope, work);
    started
        .map(drop)
        .map_err(|error| StorageError::System { what: "a thread", reason: error.to_string() })
}

/// Hands each block to the next decoder. Returns when the snapshot was finished; `None`: nobody
/// wants the blocks any more.
fn read_all(
    reader: &mut SnapshotReader,
    decoders: &[SyncSender<StoredBlock>],
    meter: &mut Meter<'_>,
) -> Result<Option<i64>, StorageError> {
    for decoder in decoders.iter().cycle() {
        let block = reader.next_stored(meter)?;
        if block.head.kind == BlockKind::Footer {
            let (_report, finished_ms) = reader.finish(block.unpack()?)?;
            return Ok(Some(finished_ms));
        }
        if decoder.send(block).is_err() {
            break;
        }
    }
    Ok(None)
}

fn decode_all(blocks: &Receiver<StoredBlock>, pieces: &SyncSender<Result<Piece, StorageError>>) {
    for block in blocks {
        let piece = block.unpack().and_then(Piece::decode);
        if pieces.send(piece).is_err() {
            return;
        }
    }
}

/// Takes from the decoders in the order in which blocks were handed to them.
fn add_all<'a>(
    decoders: &[Receiver<Result<Piece, StorageError>>],
    mut filling: Filling<'a>,
) -> Result<Filling<'a>, StorageError> {
    for decoder in decoders.iter().cycle() {
        let Ok(piece) = decoder.recv() else { break };
        filling.add(piece?)?;
    }
    Ok(filling)
}

/// A block that is ready to be built upon.
enum Piece {
    Rows(Rows),
    Other(Block),
}

impl Piece {
    fn decode(block: Block) -> Result<Self, StorageError> {
        Ok(match block.kind() {
            BlockKind::Rows => Self::Rows(block.into_rows()?),
            _ => Self::Other(block),
        })
    }
}

/// A state that is being filled.
struct Filling<'a> {
    state: &'a State,
    crew: Threads,
    /// The board whose members are coming.
    board: Option<BoardLoader>,
    keys: Vec<(Box<[u8]>, KeyMemory)>,
}

impl<'a> Filling<'a> {
    fn new(state: &'a State, crew: Threads) -> Self {
        Self { state, crew, board: None, keys: Vec::new() }
    }

    fn add(&mut self, piece: Piece) -> Result<(), StorageError> {
        match piece {
            Piece::Rows(rows) => {
                self.add_rows(&rows).map_err(|damage| rows.block().damaged(damage))
            }
            Piece::Other(mut block) => {
                self.check_board().map_err(|damage| block.damaged(damage))?;
                self.add_items(&mut block)?;
                block.end()
            }
        }
    }

    fn add_rows(&mut self, rows: &Rows) -> Result<(), Damage> {
        let board = self.board.as_mut();
        let board = board.filter(|board| rows.len() <= board.members_left());
        let board = board.ok_or_else(|| Damage::Content(TOO_MANY.to_owned()))?;
        board.push(rows.iter()).map_err(|error| content(&error))?;
        self.end_board()
    }

    /// Takes the board over if all of its members are there.
    fn end_board(&mut self) -> Result<(), Damage> {
        match self.board.take_if(|board| board.members_left() == 0) {
            Some(board) => {
                self.state.finish_board(board, &self.crew).map_err(|error| content(&error))
            }
            None => Ok(()),
        }
    }

    fn check_board(&self) -> Result<(), Damage> {
        match &self.board {
            None => Ok(()),
            Some(board) => {
                let left = board.members_left();
                Err(Damage::Content(format!("{left} announced members are missing")))
            }
        }
    }

    fn add_items(&mut self, block: &mut Block) -> Result<(), StorageError> {
        while block.items_left() > 0 {
            match block.kind() {
                BlockKind::Meta => {
                    self.state.load_next_board_id(block.item::<Meta>()?.next_board_id);
                }
                BlockKind::Board => {
                    self.board = Some(BoardLoader::new(block.item::<BoardHeader>()?));
                    self.end_board().map_err(|damage| block.damaged(damage))?;
                }
                BlockKind::Labels => {
                    let (member, label) = block.item::<(ByteBuf, Box<str>)>()?;
                    self.state.load_label(&member.into_vec().into(), label);
                }
                BlockKind::Keys => {
                    let (key, memory) = block.item::<(ByteBuf, KeyMemory)>()?;
                    self.keys.push((key.into_vec().into(), memory));
                }
                BlockKind::Orgs => {
                    let item = block.item::<OrgItem>()?;
                    let loaded = self.state.orgs().load(item);
                    loaded.map_err(|error| block.damaged(unfit(&error)))?;
                }
                BlockKind::Values => self.state.load_value(&block.item::<Change>()?),
                BlockKind::Rows | BlockKind::Footer => unreachable!("they come another way"),
            }
        }
        Ok(())
    }

    /// Everything was read.
    fn end(self) -> Result<(), Damage> {
        self.check_board()?;
        self.state.load_keys(self.keys);
        self.state.orgs().load_end().map_err(|error| unfit(&error))
    }
}

fn content(error: &LoadError) -> Damage {
    Damage::Content(error.to_string())
}

fn unfit(error: &OrgApplyError) -> Damage {
    Damage::Content(format!("organisations: {error}"))
}

#[cfg(test)]
mod tests {
    //! Goal: any number of threads makes the same state of a file, and finds the same damage in it.

    use std::path::Path;
    use std::sync::Arc;

    use rankd_engine::{
        Answer, Batch, Change, ChangeSink, Definition, Intent, ManualClock, MemberRow, Order,
        Score, ScoreKind, Ties,
    };
    use tempfile::TempDir;

    use super::*;
    use crate::fs::{Fs, RealFs};
    use crate::names;
    use crate::snapshot::write::Target;

    struct Sink;

    impl ChangeSink for Sink {
        fn append(&self, _accepted_ms: i64, _changes: Vec<Change>) -> u64 {
            1
        }

        fn last_sequence(&self) -> u64 {
            1
        }
    }

    /// Boards of every layout; one has many blocks, one has no members.
    fn state() -> Arc<State> {
        let state = State::new();
        let plain = Definition { ties: Ties::Member, keep_at: false, ..Definition::default() };
        let noted = Definition { ties: Ties::Member, keep_at: true, ..Definition::default() };
        let float = Definition {
            score: ScoreKind::Float,
            order: Order::Ascending,
            ties: Ties::Latest,
            ..Definition::default()
        };
        let boards = [
            ("large", Definition::default(), 40_000),
            ("none", Definition::default(), 0),
            ("plain", plain, 9_000),
            ("noted", noted, 700),
            ("float", float, 70),
        ];
        for (board, definition, members) in boards {
            let name = || board.as_bytes().into();
            let mut intents = vec![Intent::CreateBoard { name: name(), definition }];
            intents.extend((0..members).map(|number: i32| Intent::Write {
                board: name(),
                member: format!("member {number}").into_bytes().into(),
                score: match definition.score {
                    ScoreKind::Integer => Score::Integer(i64::from(number % 1_000)),
                    ScoreKind::Float => Score::Float(f64::from(number) / 3.0),
                },
                operator: None,
                at_ms: Some(i64::from(number)),
            }));
            let label = |number| Intent::Label {
                member: format!("member {number}").into_bytes().into(),
                label: Some(format!("Member {number}").into()),
            };
            intents.extend((0..members / 10).map(label));
            for chunk in intents.chunks(1_000) {
                let batch = Batch { auto_create: false, ..Batch::new(chunk.to_vec(), 1) };
                let receipt = state.execute(&batch, &Sink).expect("no key, no limit");
                let Answer::Fresh(_) = receipt.answer else { panic!("there is no key") };
            }
        }
        state
    }

    fn written() -> (TempDir, Arc<State>) {
        let (folder, state) = (tempfile::tempdir().expect("a folder"), state());
        let target = Target {
            fs: &RealFs,
            folder: folder.path(),
            store: *b"0123456789abcdef",
            spare: None,
            clock: &ManualClock::at(5),
            is_stopped: &|| false,
            tell: &|_| {},
        };
        target.write(state.begin_cut(&Sink).expect("no other cut")).expect("written");
        (folder, state)
    }

    fn load_by(hands: usize, folder: &Path) -> Result<Arc<State>, StorageError> {
        let (fs, state) = (&RealFs as &dyn Fs, State::new());
        let reader = SnapshotReader::open_file(fs, folder, &names::snapshot(1))?;
        let tell = &mut |_| {};
        let finished_ms = load_with(Threads(hands), reader, &state, &mut Meter::new(0, tell))?;
        assert_eq!(finished_ms, 5);
        Ok(state)
    }

    /// Boards in order, and labels in order.
    fn contents(state: &Arc<State>) -> (Vec<(BoardHeader, Vec<MemberRow>)>, Vec<String>) {
        let mut cut = state.begin_cut(&Sink).expect("no other cut");
        let mut boards = Vec::new();
        while let Some(mut board) = cut.next_board() {
            let mut rows = Vec::new();
            while board.read(1_000, &mut rows) > 0 {}
            boards.push((board.header().clone(), rows));
        }
        boards.sort_by_key(|(header, _)| header.id);
        let mut labels: Vec<_> =
            cut.labels().map(|(member, label)| format!("{member:?} {label}")).collect();
        labels.sort_unstable();
        (boards, labels)
    }

    #[test]
    fn any_number_of_threads_makes_the_same_state() {
        let (folder, state) = written();
        let expected = contents(&state);
        for hands in [1, 2, 3, 6] {
            let loaded = load_by(hands, folder.path()).expect("a good file");
            assert_eq!(contents(&loaded), expected, "{hands} threads");
            assert_eq!(loaded.totals(), state.totals(), "{hands} threads");
        }
    }

    #[test]
    fn any_number_of_threads_finds_the_same_damage() {
        let (folder, _) = written();
        let path = folder.path().join(names::snapshot(1));
        let good = std::fs::read(&path).expect("it was written");
        for at in (48..good.len()).step_by(good.len() / 40) {
            let mut bad = good.clone();
            if let Some(byte) = bad.get_mut(at) {
                *byte ^= 4;
            }
            std::fs::write(&path, bad).expect("written");
            let alone = load_by(1, folder.path()).map(drop).expect_err("damaged").to_string();
            for hands in [2, 5] {
                let found =
                    load_by(hands, folder.path()).map(drop).expect_err("damaged").to_string();
                assert_eq!(found, alone, "{hands} threads, byte {at}");
            }
        }
    }
}
