//! The call that carries batches to a partition: its arguments, and what its answer says.
//!
//! What it is: the Rust half of `batch.lua`. What it is not: it sends nothing. Invariant: the
//! script meets every intent in the order of its batch, and answers each once. Cost: one copy of
//! names and numbers.

pub(crate) mod answer;

use std::collections::HashMap;

use rankd_engine::limits::{BOARDS_MAX, IDEMPOTENCY_HORIZON_MS};
use rankd_engine::{Batch, Definition, Intent, Score, ScoreKind};

use crate::layout::{LABELS_PARTITION, Layout, PartitionId};
use crate::limits::PARTITIONS_MAX;
use crate::text::{definition_text, operator_text, score_text};

pub(crate) use answer::{Answered, BatchReply, Refused, outcome};

/// The script that carries out batches.
pub(crate) const BATCH: &str = include_str!("batch.lua");
/// Makes a partition that does not exist.
pub(crate) const INIT: &str = include_str!("init.lua");
/// Begins a new incarnation after a loss.
pub(crate) const RAISE: &str = include_str!("raise.lua");

/// A random number that names one call; each entry of a stream names the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Nonce(pub(crate) u64);

impl Nonce {
    /// A new one.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        getrandom::u64().map(Self)
    }

    /// As Redis holds it.
    pub(crate) fn text(self) -> String {
        format!("{:016x}", self.0)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() == 16)?;
        u64::from_str_radix(text, 16).ok().map(Self)
    }
}

/// How far a node has followed a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// Grows with every loss; 0: the node does not know the partition yet.
    pub(crate) incarnation: u64,
    /// Of the newest entry.
    pub(crate) sequence: u64,
    /// Of the newest entry.
    pub(crate) nonce: Nonce,
}

/// What all calls to one partition have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) partition: PartitionId,
    pub(crate) known: Position,
    pub(crate) stream_entries: u64,
    pub(crate) stream_bytes: u64,
}

/// Keys and arguments of one call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) args: Vec<Vec<u8>>,
}

impl Call {
    /// The call that carries out `batches`.
    pub(crate) fn new(target: &Target<'_>, nonce: Nonce, batches: &[&Batch]) -> Self {
        let mut boards = Boards::default();
        let mut intents = Self::default();
        for batch in batches {
            intents.push_batch(target, batch, &mut boards);
        }
        let Target { layout, partition, known, .. } = *target;
        let accepted_ms = batches.iter().map(|batch| batch.now_ms).max().unwrap_or(0);
        let boards_max = (BOARDS_MAX as u64).div_ceil(layout.partitions.into());
        let mut call = Self::default();
        call.keys.extend(["m", "s", "b", "l"].map(|what| layout.key(partition, what)));
        for name in &boards.names {
            call.keys.push(layout.named(partition, "z", name));
            call.keys.push(layout.named(partition, "h", name));
        }
        call.keys.append(&mut intents.keys);
        call.args.extend([known.incarnation, known.sequence].map(text));
        call.args.extend([known.nonce, nonce].map(|nonce| nonce.text().into_bytes()));
        call.args.extend([target.stream_entries, target.stream_bytes].map(text));
        call.args.extend([partition, PARTITIONS_MAX].map(text));
        call.args.extend([boards_max, rank_members_max()].map(text));
        call.args.push(text(accepted_ms));
        call.args.push(definition_text(&Definition::default()).into());
        call.args.extend([boards.names.len(), batches.len()].map(text));
        call.args.extend(boards.names.into_iter().map(<[u8]>::to_vec));
        call.args.append(&mut intents.args);
        call
    }

    /// Bytes of all keys and arguments.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.iter().chain(&self.args).map(Vec::len).sum()
    }

    fn push_batch<'b>(&mut self, target: &Target<'_>, batch: &'b Batch, boards: &mut Boards<'b>) {
        let digest = match &batch.idempotency {
            Some(key) => {
                self.keys.push(target.layout.named(target.partition, "i", &key.key));
                key.digest.iter().map(|byte| format!("{byte:02x}")).collect()
            }
            None => String::new(),
        };
        self.args.push(digest.into_bytes());
        self.args.extend([IDEMPOTENCY_HORIZON_MS, batch.now_ms].map(text));
        self.args.push(text(u8::from(batch.auto_create)));
        self.args.push(text(batch.intents.len()));
        for intent in &batch.intents {
            self.push_intent(batch, intent, boards);
        }
    }

    fn push_intent<'b>(&mut self, batch: &Batch, intent: &'b Intent, boards: &mut Boards<'b>) {
        let args = &mut self.args;
        if intent.check_limits(batch.now_ms).is_err() {
            return args.push(b"x".to_vec());
        }
        match intent {
            Intent::CreateBoard { name, definition } => {
                args.extend([b"c".to_vec(), boards.number(name)]);
                args.push(definition_text(definition).into());
            }
            Intent::DeleteBoard { name } => args.extend([b"d".to_vec(), boards.number(name)]),
            Intent::Write { board, member, score, operator, at_ms } => {
                args.extend([b"w".to_vec(), boards.number(board), member.to_vec()]);
                let kinds = [ScoreKind::Integer, ScoreKind::Float];
                args.extend(kinds.map(|kind| operand(*score, kind)));
                args.push(operator.map_or("", operator_text).into());
                args.push(at_ms.map(text).unwrap_or_default());
            }
            Intent::Remove { board, member } => {
                args.extend([b"r".to_vec(), boards.number(board), member.to_vec()]);
            }
            Intent::Label { member, label: Some(label) } => {
                args.extend([b"l".to_vec(), member.to_vec(), label.as_bytes().to_vec()]);
            }
            // Everything else that is carried out is a display name that goes ([`is_carried_out`]).
            other => {
                let member = match other {
                    Intent::Label { member, .. } => member.to_vec(),
                    _ => unreachable!("refused before it came here"),
                };
                args.extend([b"u".to_vec(), member]);
            }
        }
    }
}

/// The partition that all intents of a batch belong to; `None` if there is not one.
pub(crate) fn partition_of(layout: &Layout, batch: &Batch) -> Option<PartitionId> {
    let mut partitions = batch.intents.iter().map(|intent| match intent {
        Intent::CreateBoard { name, .. } | Intent::DeleteBoard { name } => {
            layout.partition_of(name)
        }
        Intent::Write { board, .. } | Intent::Remove { board, .. } => layout.partition_of(board),
        _ => LABELS_PARTITION,
    });
    let first = partitions.next().unwrap_or(LABELS_PARTITION);
    partitions.all(|partition| partition == first).then_some(first)
}

/// Whether the script knows this kind of intent.
pub(crate) fn is_carried_out(intent: &Intent) -> bool {
    matches!(
        intent,
        Intent::CreateBoard { .. }
            | Intent::DeleteBoard { .. }
            | Intent::Write { .. }
            | Intent::Remove { .. }
            | Intent::Label { .. }
    )
}

/// The boards of a call, numbered from 1 as Lua counts.
#[derive(Default)]
struct Boards<'b> {
    names: Vec<&'b [u8]>,
    numbers: HashMap<&'b [u8], usize>,
}

impl<'b> Boards<'b> {
    fn number(&mut self, name: &'b [u8]) -> Vec<u8> {
        let names = &mut self.names;
        let number = self.numbers.entry(name).or_insert_with(|| {
            names.push(name);
            names.len()
        });
        text(*number)
    }
}

/// The operand as a board of this kind takes it; empty if it does not.
fn operand(score: Score, kind: ScoreKind) -> Vec<u8> {
    score.into_kind(kind).map(score_text).unwrap_or_default().into_bytes()
}

fn rank_members_max() -> u64 {
    rank_index::MEMBERS_MAX as u64
}

fn text(number: impl ToString + Copy) -> Vec<u8> {
    number.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
