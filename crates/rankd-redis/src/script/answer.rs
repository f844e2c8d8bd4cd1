//! What the script answered.

use std::borrow::Cow;

use rankd_engine::limits::BOARDS_MAX;
use rankd_engine::{Batch, BoardId, Intent, KeptOutcomes, Outcome, Placed, Rejection, ScoreError};
use redis::Value;

use super::Nonce;
use crate::text::{self, Malformed};

/// The answer to a call.
#[derive(Debug)]
pub(crate) enum Answered {
    /// It was carried out.
    Done {
        /// The newest sequence of the partition.
        sequence: u64,
        /// Of the entry with that sequence.
        nonce: Nonce,
        /// One a batch.
        batches: Vec<BatchReply>,
    },
    /// Nothing was done.
    Refused(Refused),
}

/// Why the script did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The partition is not there: Redis lost everything.
    Empty,
    /// Another node has begun a new incarnation.
    Incarnation,
    /// Redis knows less than the node, which means that it lost writes.
    Behind,
}

/// What became of one batch.
#[derive(Debug)]
pub(crate) enum BatchReply {
    /// It was carried out now.
    Fresh(Replies),
    /// What was remembered of an earlier batch with this key.
    Repeated(Vec<u8>),
    /// The key belongs to another request.
    KeyReused,
}

impl Answered {
    /// Reads the script's answer to batches of so many intents.
    pub(crate) fn parse(value: Value, counts: &[usize]) -> Result<Self, Malformed> {
        let mut parts = list(value)?.into_iter();
        let mut next = || bytes(parts.next().unwrap_or_default());
        match &*next()? {
            b"empty" => return Ok(Self::Refused(Refused::Empty)),
            b"incarnation" => return Ok(Self::Refused(Refused::Incarnation)),
            b"behind" => return Ok(Self::Refused(Refused::Behind)),
            b"ok" => {}
            other => return Err(Malformed::new("the script's answer", other)),
        }
        let sequence = text::number("a sequence", &next()?)?;
        let nonce = next()?;
        let nonce = Nonce::parse(&nonce).ok_or_else(|| Malformed::new("a nonce", &nonce))?;
        let lines = next()?;
        let mut rest = &*lines;
        let replies = counts.iter().map(|count| BatchReply::parse(&mut rest, *count));
        let batches = replies.collect::<Result<_, _>>()?;
        if !rest.is_empty() {
            return Err(Malformed::new("the end of an answer", rest));
        }
        Ok(Self::Done { sequence, nonce, batches })
    }
}

/// The replies to the intents of a batch, as lines that each begin with a line feed.
#[derive(Debug)]
pub(crate) struct Replies(Vec<u8>);

impl Replies {
    /// One reply an intent.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'\n').skip(1)
    }
}

/// Takes the first line, which begins with a line feed.
fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let text = rest.strip_prefix(b"\n").ok_or_else(|| Malformed::new("a line", rest))?;
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (line, after) = text.split_at(end);
    *rest = after;
    Ok(line)
}

impl BatchReply {
    fn parse(rest: &mut &[u8], count: usize) -> Result<Self, Malformed> {
        let status = line(rest)?;
        match status.split_first() {
            Some((b'f', [])) => {
                let lines = *rest;
                for _ in 0..count {
                    line(rest)?;
                }
                let (lines, _) = lines.split_at(lines.len() - rest.len());
                Ok(Self::Fresh(Replies(lines.to_vec())))
            }
            Some((b'r', memory)) => Ok(Self::Repeated(memory.to_vec())),
            Some((b'k', [])) => Ok(Self::KeyReused),
            _ => Err(Malformed::new("a batch's answer", status)),
        }
    }

    /// What was remembered, in the terms of the batch that repeats it.
    pub(crate) fn kept(memory: &[u8], batch: &Batch) -> Result<KeptOutcomes, Malformed> {
        let malformed = || Malformed::new("a remembered outcome", memory);
        match memory.split_first().ok_or_else(malformed)? {
            (b'1', reply) => {
                let intent = batch.intents.first().ok_or_else(malformed)?;
                Ok(KeptOutcomes::One(Box::new(outcome(batch, intent, reply)?)))
            }
            (b'm', rest) => {
                let (applied, rest) = text::split("a count", rest)?;
                let (unchanged, rest) = text::split("a count", rest)?;
                let rejected = text::items(rest)?.into_iter().map(|item| kept_one(item, batch));
                Ok(KeptOutcomes::Many {
                    applied: text::number("a count", applied)?,
                    unchanged: text::number("a count", unchanged)?,
                    rejected: rejected.collect::<Result<_, _>>()?,
                })
            }
            _ => Err(malformed()),
        }
    }
}

/// A refused intent of a remembered batch.
fn kept_one(item: &[u8], batch: &Batch) -> Result<(u32, Rejection), Malformed> {
    let malformed = || Malformed::new("a remembered rejection", item);
    let (position, reply) = text::split("a position", item)?;
    let position: u32 = text::number("a position", position)?;
    let index = usize::try_from(position).map_err(|_| malformed())?;
    let intent = batch.intents.get(index).ok_or_else(malformed)?;
    match outcome(batch, intent, reply)? {
        Outcome::Rejected(rejection) => Ok((position, rejection)),
        _ => Err(malformed()),
    }
}

/// The outcome that a reply stands for. Ranks are 0: Redis does not know them.
pub(crate) fn outcome(batch: &Batch, intent: &Intent, reply: &[u8]) -> Result<Outcome, Malformed> {
    let malformed = || Malformed::new("a reply", reply);
    let (letter, rest) = reply.split_first().ok_or_else(malformed)?;
    let id = || text::number("a board's id", rest).map(BoardId);
    Ok(match letter {
        b'w' | b'u' => written(*letter == b'w', rest)?,
        b'C' => Outcome::Created { board: id()? },
        b'E' => Outcome::Existed { board: id()? },
        b'D' => Outcome::Deleted,
        b'R' => Outcome::Removed,
        b'L' => Outcome::Labelled,
        b'K' => Outcome::LabelKept,
        b'x' => Outcome::Rejected(rejection(batch, intent, rest)?),
        _ => return Err(malformed()),
    })
}

fn written(changed: bool, rest: &[u8]) -> Result<Outcome, Malformed> {
    let malformed = || Malformed::new("a written score", rest);
    let (kind, rest) = rest.split_first().ok_or_else(malformed)?;
    let kind = text::kind(*kind)?;
    let placed = |bytes| text::score(kind, bytes).map(|score| Placed { score, rank: 0 });
    if !changed {
        let (_, score) = text::split("a written score", rest)?;
        let current = placed(score)?;
        return Ok(Outcome::Written { current, previous: Some(current), changed });
    }
    let (_, rest) = text::split("a written score", rest)?;
    let (new, old) = text::split("a written score", rest)?;
    let previous = if old == b"-" { None } else { Some(placed(old)?) };
    Ok(Outcome::Written { current: placed(new)?, previous, changed })
}

fn rejection(batch: &Batch, intent: &Intent, rest: &[u8]) -> Result<Rejection, Malformed> {
    let malformed = || Malformed::new("a rejection", rest);
    let (letter, rest) = rest.split_first().ok_or_else(malformed)?;
    Ok(match letter {
        b'B' => Rejection::UnknownBoard,
        b'M' => Rejection::UnknownMember,
        b'D' => Rejection::DefinitionDiffers(text::definition(rest)?),
        b'T' => Rejection::TooManyBoards(BOARDS_MAX as u64),
        b'F' => members_full(text::number("a count", rest)?),
        b'X' => intent.check_limits(batch.now_ms).err().ok_or_else(malformed)?,
        b'n' => Rejection::Score(ScoreError::NotANumber),
        b'k' => {
            let [kind] = rest else { return Err(malformed()) };
            let refused = operand(intent)?.into_kind(text::kind(*kind)?);
            Rejection::Score(refused.err().ok_or_else(malformed)?)
        }
        b'o' => {
            let (kind, old) = text::split("an overflow", rest)?;
            let [kind] = kind else { return Err(malformed()) };
            let kind = text::kind(*kind)?;
            let added = operand(intent)?.into_kind(kind).map_err(|_| malformed())?;
            Rejection::Score(ScoreError::Overflow(text::score(kind, old)?, added))
        }
        _ => return Err(malformed()),
    })
}

fn members_full(after: i64) -> Rejection {
    let max = i64::try_from(rank_index::MEMBERS_MAX).unwrap_or(i64::MAX);
    let what = Cow::Borrowed("the number of members of the board");
    Rejection::OutOfLimits { what, value: after, min: 0, max }
}

fn operand(intent: &Intent) -> Result<rankd_engine::Score, Malformed> {
    match intent {
        Intent::Write { score, .. } => Ok(*score),
        _ => Err(Malformed::new("a reply", b"about a score, to an intent without one")),
    }
}

/// The parts of a list.
pub(crate) fn list(value: Value) -> Result<Vec<Value>, Malformed> {
    match value {
        Value::Array(values) => Ok(values),
        other => Err(Malformed::new("a list", format!("{other:?}").as_bytes())),
    }
}

/// The bytes of a text or number.
pub(crate) fn bytes(value: Value) -> Result<Vec<u8>, Malformed> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        Value::Int(number) => Ok(number.to_string().into_bytes()),
        other => Err(Malformed::new("a text", format!("{other:?}").as_bytes())),
    }
}
