//! The call that carries batches to a partition: its arguments, and what its answer says.
//!
//! What it is: the Rust half of `batch.lua`. What it is not: it sends nothing. Invariant: the
//! script meets every intent in the order of its batch, and answers each once. Cost: one copy of
//! names and numbers.

pub(crate) mod answer;
mod intents;
mod pack;

use rankd_engine::limits::{BOARDS_MAX, IDEMPOTENCY_HORIZON_MS};
use rankd_engine::{Batch, Definition, Intent};

use crate::layout::{LABELS_PARTITION, Layout, PartitionId};
use crate::limits::PARTITIONS_MAX;
use crate::text::definition_text;
use intents::{Names, push_batch};
use pack::Array;

pub(crate) use answer::{Answered, BatchReply, Refused, outcome};

/// The script that carries out batches.
pub(crate) const BATCH: &str = concat!(
    include_str!("batch.lua"),
    include_str!("general.lua"),
    include_str!("plain.lua"),
    include_str!("store.lua")
);
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
    /// How many intents each batch has.
    pub(crate) counts: Vec<usize>,
}

impl Call {
    /// The call that carries out `batches`.
    pub(crate) fn new(target: &Target<'_>, nonce: Nonce, batches: &[&Batch]) -> Self {
        let Target { layout, partition, known, .. } = *target;
        let (mut names, mut intents) = (Names::default(), Array::default());
        let mut remembered = Vec::new();
        for batch in batches {
            let digest = match &batch.idempotency {
                Some(key) => {
                    remembered.push(layout.named(partition, "i", &key.key));
                    key.digest.iter().map(|byte| format!("{byte:02x}")).collect()
                }
                None => String::new(),
            };
            push_batch(&mut intents, &digest, batch, &mut names);
        }
        let accepted_ms = batches.iter().map(|batch| batch.now_ms).max().unwrap_or(0);
        let boards_max = (BOARDS_MAX as u64).div_ceil(layout.partitions.into());
        let mut call = Self::default();
        call.keys.extend(["m", "s", "b", "l"].map(|what| layout.key(partition, what)));
        for name in &names.boards {
            call.keys.push(layout.named(partition, "z", name));
            call.keys.push(layout.named(partition, "h", name));
        }
        call.keys.append(&mut remembered);
        call.args.extend([known.incarnation, known.sequence].map(text));
        call.args.extend([known.nonce, nonce].map(|nonce| nonce.text().into_bytes()));
        call.args.extend([target.stream_entries, target.stream_bytes].map(text));
        call.args.extend([partition, PARTITIONS_MAX].map(text));
        call.args.extend([boards_max, rank_members_max()].map(text));
        call.args.push(text(accepted_ms));
        call.args.push(definition_text(&Definition::default()).into());
        call.args.push(text(IDEMPOTENCY_HORIZON_MS));
        call.args.push(text(batches.len()));
        call.args.extend(names.pack());
        call.args.push(intents.finish());
        call.counts.extend(batches.iter().map(|batch| batch.intents.len()));
        call
    }

    /// Bytes of all keys and arguments.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.iter().chain(&self.args).map(Vec::len).sum()
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

fn rank_members_max() -> u64 {
    rank_index::MEMBERS_MAX as u64
}

fn text(number: impl ToString + Copy) -> Vec<u8> {
    number.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
