//! When something ends: keys, and members of boards.
//!
//! What it is not: who ends it. Invariant: `due` and `count` say what the map says. Its locks are
//! taken one after the other, never one under the other. Cost: a hash and O(log n) a change; an
//! empty one is read with one load.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::cow_map::{CowMap, Frozen};
use crate::ids::{BoardId, Name};

/// Names and when each of them ends, in milliseconds since 1970, UTC.
#[derive(Debug)]
pub(crate) struct Ends {
    ends: CowMap<i64>,
    due: Mutex<BTreeSet<(i64, Name)>>,
    /// Length of `due`.
    count: AtomicUsize,
}

impl Ends {
    pub(crate) fn new() -> Self {
        Self { ends: CowMap::new(), due: Mutex::default(), count: AtomicUsize::new(0) }
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<i64> {
        if self.count() == 0 {
            return None;
        }
        self.ends.get(name)
    }

    /// Sets or takes away an end. Returns the one that was there.
    pub(crate) fn set(&self, name: &[u8], at_ms: Option<i64>) -> Option<i64> {
        if at_ms.is_none() && self.count() == 0 {
            return None;
        }
        let before = self.ends.set(name, at_ms);
        let mut due = self.due.lock();
        if let Some(before_ms) = before {
            due.remove(&(before_ms, name.into()));
        }
        if let Some(at_ms) = at_ms {
            due.insert((at_ms, name.into()));
        }
        self.count.store(due.len(), Ordering::Release);
        before
    }

    /// Whether any end has come.
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        self.count() > 0 && self.due.lock().first().is_some_and(|(at_ms, _)| *at_ms <= now_ms)
    }

    /// Names whose end has come, the earliest first.
    pub(crate) fn due(&self, now_ms: i64, names_max: usize) -> Vec<Name> {
        let due = self.due.lock();
        due.iter()
            .take_while(|(at_ms, _)| *at_ms <= now_ms)
            .take(names_max)
            .map(|(_, name)| name.clone())
            .collect()
    }

    /// Everything as it is now. The caller makes sure that nobody writes meanwhile.
    pub(crate) fn freeze(&self) -> Frozen<i64> {
        self.ends.freeze()
    }
}

/// When members leave their boards. A board's id is never used again, so members are named by it.
#[derive(Debug)]
pub(crate) struct MemberEnds {
    ends: Ends,
    /// How many members of a board have an end; boards with none are not in it.
    boards: Mutex<HashMap<BoardId, usize, RandomState>>,
}

/// Bytes of a board's id in front of a member's name.
const ID_BYTES: usize = size_of::<u64>();

fn name_of(board: BoardId, member: &[u8]) -> Name {
    [&board.0.to_be_bytes(), member].concat().into()
}

/// The board and the member that such a name names.
pub(crate) fn member_of(name: &[u8]) -> (BoardId, &[u8]) {
    let (id, member) = name.split_first_chunk::<ID_BYTES>().expect("names begin with an id");
    (BoardId(u64::from_be_bytes(*id)), member)
}

impl MemberEnds {
    pub(crate) fn new() -> Self {
        Self { ends: Ends::new(), boards: Mutex::default() }
    }

    pub(crate) fn get(&self, board: BoardId, member: &[u8]) -> Option<i64> {
        if self.ends.count() == 0 {
            return None;
        }
        self.ends.get(&name_of(board, member))
    }

    /// Sets or takes away the end of a member; also when the member itself is gone.
    pub(crate) fn set(&self, board: BoardId, member: &[u8], at_ms: Option<i64>) {
        if at_ms.is_none() && self.ends.count() == 0 {
            return;
        }
        let before = self.ends.set(&name_of(board, member), at_ms);
        let mut boards = self.boards.lock();
        match (before, at_ms) {
            (None, Some(_)) => *boards.entry(board).or_default() += 1,
            (Some(_), None) => {
                let count = boards.entry(board).or_default();
                *count = count.saturating_sub(1);
                if *count == 0 {
                    boards.remove(&board);
                }
            }
            _ => {}
        }
    }

    /// Whether any member of the board has an end.
    pub(crate) fn has_some(&self, board: BoardId) -> bool {
        self.ends.count() > 0 && self.boards.lock().contains_key(&board)
    }

    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        self.ends.is_due(now_ms)
    }

    /// Names of members, for [`member_of`], whose end has come.
    pub(crate) fn due(&self, now_ms: i64, members_max: usize) -> Vec<Name> {
        self.ends.due(now_ms, members_max)
    }

    pub(crate) fn freeze(&self) -> Frozen<i64> {
        self.ends.freeze()
    }
}
