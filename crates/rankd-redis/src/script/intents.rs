//! What a call carries: boards, members and intents, packed as `batch.lua` reads them.
//!
//! Invariant: each intent is in exactly one run, in the order of its batch; a board and a member of
//! a board have one number. Cost: one look-up and one copy of each name.

use std::collections::HashMap;

use rankd_engine::{Batch, Intent, Operator, Score, ScoreKind};

use super::pack::Array;
use crate::text::{definition_text, operator_text, score_text};

/// The boards of a call and the members that its intents name.
#[derive(Default)]
pub(super) struct Names<'b> {
    pub(super) boards: Vec<&'b [u8]>,
    numbers: HashMap<&'b [u8], usize>,
    /// How many members each board has here.
    counts: Vec<usize>,
    /// Each with the number of its board.
    members: Vec<(usize, &'b [u8])>,
    places: HashMap<(usize, &'b [u8]), usize>,
}

impl<'b> Names<'b> {
    /// The number of a board, from 1 as Lua counts.
    fn board(&mut self, name: &'b [u8]) -> usize {
        // Most intents are about the board of the one before.
        if self.boards.last() == Some(&name) {
            return self.boards.len();
        }
        let (boards, counts) = (&mut self.boards, &mut self.counts);
        *self.numbers.entry(name).or_insert_with(|| {
            boards.push(name);
            counts.push(0);
            boards.len()
        })
    }

    /// The number of a member on its board, from 1.
    fn member(&mut self, board: usize, name: &'b [u8]) -> usize {
        let (members, counts) = (&mut self.members, &mut self.counts);
        *self.places.entry((board, name)).or_insert_with(|| {
            members.push((board, name));
            counts.get_mut(board - 1).map_or(0, |count| {
                *count += 1;
                *count
            })
        })
    }

    /// Boards with their numbers of members, and the members board by board.
    pub(super) fn pack(&mut self) -> [Vec<u8>; 2] {
        let (mut boards, mut members) = (Array::default(), Array::default());
        for (name, count) in self.boards.iter().zip(&self.counts) {
            boards.text(name);
            boards.number(*count);
        }
        // Stable: on each board they stay in the order of their numbers.
        self.members.sort_by_key(|(board, _)| *board);
        for (_, name) in &self.members {
            members.text(name);
        }
        [boards.finish(), members.finish()]
    }
}

/// What intents of one run have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Writes with nothing special about them.
    Write(usize, Option<Operator>),
    /// Writes with a time of their own, or a score that is not the same as integer and double.
    Special(usize, Option<Operator>),
    Remove(usize),
    Refused,
    /// A run of its own.
    Single(u8),
}

/// The runs of a batch.
#[derive(Default)]
struct Runs {
    packed: Array,
    count: usize,
    kind: Option<Kind>,
    /// Intents of the last run, and how many.
    items: Array,
    len: usize,
}

impl Runs {
    /// The items of the run that the next intent belongs to.
    fn of(&mut self, kind: Kind) -> &mut Array {
        if self.kind != Some(kind) || matches!(kind, Kind::Single(_)) {
            self.close();
            self.kind = Some(kind);
        }
        self.len += 1;
        &mut self.items
    }

    fn close(&mut self) {
        let Some(kind) = self.kind.take() else { return };
        let packed = &mut self.packed;
        let mut writes = |letter: &[u8], board: usize, operator: Option<Operator>| {
            packed.text(letter);
            packed.number(board);
            packed.text(operator.map_or("", operator_text).as_bytes());
        };
        match kind {
            Kind::Write(board, operator) => writes(b"w", board, operator),
            Kind::Special(board, operator) => writes(b"v", board, operator),
            Kind::Remove(board) => {
                packed.text(b"r");
                packed.number(board);
            }
            Kind::Refused => packed.text(b"x"),
            Kind::Single(letter) => packed.text(&[letter]),
        }
        if !matches!(kind, Kind::Single(_)) {
            packed.number(self.len);
        }
        packed.append(&mut self.items);
        self.len = 0;
        self.count += 1;
    }
}

/// Adds a batch with the digest of its request.
pub(super) fn push_batch<'b>(
    packed: &mut Array,
    digest: &str,
    batch: &'b Batch,
    names: &mut Names<'b>,
) {
    let mut runs = Runs::default();
    for intent in &batch.intents {
        push_intent(&mut runs, batch, intent, names);
    }
    runs.close();
    packed.text(digest.as_bytes());
    packed.text(batch.now_ms.to_string().as_bytes());
    packed.number(usize::from(batch.auto_create));
    packed.number(runs.count);
    packed.append(&mut runs.packed);
}

fn push_intent<'b>(runs: &mut Runs, batch: &Batch, intent: &'b Intent, names: &mut Names<'b>) {
    if intent.check_limits(batch.now_ms).is_err() {
        runs.of(Kind::Refused);
        return;
    }
    match intent {
        Intent::CreateBoard { name, definition } => {
            let items = runs.of(Kind::Single(b'c'));
            items.number(names.board(name));
            items.text(definition_text(definition).as_bytes());
        }
        Intent::DeleteBoard { name } => {
            runs.of(Kind::Single(b'd')).number(names.board(name));
        }
        Intent::Write { board, member, score, operator, at_ms } => {
            let board = names.board(board);
            let member = names.member(board, member);
            let operand = |kind| score.into_kind(kind).map(score_text).unwrap_or_default();
            if let (Some(text), None) = (plain(*score), at_ms) {
                let items = runs.of(Kind::Write(board, *operator));
                items.number(member);
                return items.text(text.as_bytes());
            }
            let items = runs.of(Kind::Special(board, *operator));
            items.number(member);
            items.text(operand(ScoreKind::Integer).as_bytes());
            items.text(operand(ScoreKind::Float).as_bytes());
            items.text(at_ms.map(|at| at.to_string()).unwrap_or_default().as_bytes());
        }
        Intent::Remove { board, member } => {
            let board = names.board(board);
            runs.of(Kind::Remove(board)).number(names.member(board, member));
        }
        Intent::Label { member, label: Some(label) } => {
            let items = runs.of(Kind::Single(b'l'));
            items.text(member);
            items.text(label.as_bytes());
        }
        Intent::Label { member, label: None } => {
            runs.of(Kind::Single(b'u')).text(member);
        }
    }
}

/// The score as one text that boards of either kind take: a double is exact up to 2^53.
fn plain(score: Score) -> Option<String> {
    const EXACT: u64 = 1 << 53;
    let Score::Integer(integer) = score else { return None };
    (integer.unsigned_abs() < EXACT).then(|| integer.to_string())
}
