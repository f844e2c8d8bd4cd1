//! Reading a partition as a whole into the state, and writing it back from there.
//!
//! What it is: a scan that goes on while others write, so what it leaves is a mixture of several
//! moments; the stream's entries since the scan began make it one moment again (see
//! [`crate::follower`]). It brings a state that has an older or other version of the partition to
//! what Redis has, board by board. Cost: every member is read once, in steps of [`SCAN_COUNT`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rankd_engine::{
    BoardId, BoardInfo, Change, ChangeSink, Definition, Name, Record, Score, ScoreKind,
};
use redis::{RedisError, Value};

use crate::follower::FollowError;
use crate::layout::LABELS_PARTITION;
use crate::limits::{PARTITIONS_MAX, SCAN_COUNT};
use crate::partition::Partition;
use crate::script::answer::{bytes, list};
use crate::script::{self, Nonce};
use crate::shared::{Shared, now_ms};
use crate::text;
use crate::topology::Link;

/// From here on, a double does not hold every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Pause before another cut is tried, in milliseconds.
const CUT_WAIT_MS: u64 = 20;

/// How long a node has to write a partition back before another one tries, in milliseconds.
const RESEED_MS: u64 = 60_000;

/// A board as the partition lists it.
struct Listed {
    name: Name,
    id: BoardId,
    definition: Definition,
    created_ms: i64,
}

/// Makes the state what Redis has of this partition.
pub(crate) async fn read(
    shared: &Shared,
    partition: &Partition,
    link: &mut Link,
) -> Result<(), FollowError> {
    let scan = Scan { shared, partition };
    let listed = scan.listed(link).await?;
    scan.drop_unlisted(&listed)?;
    for board in &listed {
        scan.board(link, board).await?;
    }
    if partition.id == LABELS_PARTITION {
        scan.labels(link).await?;
    }
    Ok(())
}

struct Scan<'a> {
    shared: &'a Shared,
    partition: &'a Partition,
}

impl Scan<'_> {
    async fn listed(&self, link: &mut Link) -> Result<Vec<Listed>, FollowError> {
        let key = self.shared.options.layout.key(self.partition.id, "b");
        let mut listed = Vec::new();
        let mut seen = HashSet::new();
        let mut cursor = Cursor::new("HSCAN", key);
        while let Some(pairs) = cursor.next(link).await? {
            for (name, value) in pairs {
                let (id, rest) = text::split("a board", &value)?;
                let (definition, created) = text::split("a board", rest)?;
                if seen.insert(name.clone()) {
                    listed.push(Listed {
                        id: BoardId(text::number("a board's id", id)?),
                        definition: text::definition(definition)?,
                        created_ms: text::number("a time", created)?,
                        name: name.into(),
                    });
                }
            }
        }
        Ok(listed)
    }

    /// Takes boards out of the state that are not in Redis any more, or are others there.
    fn drop_unlisted(&self, listed: &[Listed]) -> Result<(), FollowError> {
        const PAGE: usize = 1_000;
        // After a loss, ids are given out again, to others.
        let known: HashMap<BoardId, &Listed> = listed.iter().map(|it| (it.id, it)).collect();
        let is_same = |info: &BoardInfo, id: BoardId| {
            known.get(&id).is_some_and(|l| l.name == info.name && l.definition == info.definition)
        };
        let state = &self.shared.state;
        let mut after: Option<Name> = None;
        loop {
            let page = state.boards(b"", after.as_deref(), PAGE);
            for board in &page {
                let info = board.info();
                let layout = &self.shared.options.layout;
                let is_ours = layout.partition_of(&info.name) == self.partition.id;
                if is_ours && !is_same(&info, board.id()) {
                    self.apply(0, vec![Change::BoardDeleted { board: board.id() }])?;
                }
                after = Some(info.name);
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn apply(&self, accepted_ms: i64, changes: Vec<Change>) -> Result<(), FollowError> {
        let sequence = self.partition.progress().position.sequence;
        Ok(self.shared.state.apply(&Record { sequence, accepted_ms, changes })?)
    }

    async fn board(&self, link: &mut Link, board: &Listed) -> Result<(), FollowError> {
        let created = Change::BoardCreated {
            board: board.id,
            name: board.name.clone(),
            definition: board.definition,
        };
        self.apply(board.created_ms, vec![created])?;
        let layout = &self.shared.options.layout;
        let zset = layout.named(self.partition.id, "z", &board.name);
        let hash = layout.named(self.partition.id, "h", &board.name);
        let was_empty = self.shared.state.board(&board.name).is_none_or(|b| b.info().members == 0);
        let timed = board.definition.stores_at();
        let mut cursor = match timed {
            true => Cursor::new("HSCAN", hash.clone()),
            false => Cursor::new("ZSCAN", zset.clone()),
        };
        while let Some(mut pairs) = cursor.next(link).await? {
            if !timed && board.definition.score == ScoreKind::Integer {
                make_exact(link, &hash, &mut pairs).await?;
            }
            let mut changes = Vec::with_capacity(pairs.len());
            for (member, value) in pairs {
                let (score, at_ms) = row(&board.definition, &value)?;
                let member = member.into();
                changes.push(Change::MemberSet { board: board.id, member, score, at_ms });
            }
            self.apply(board.created_ms, changes)?;
            tokio::task::yield_now().await;
        }
        if was_empty { Ok(()) } else { self.drop_gone(link, board, &zset).await }
    }

    /// Takes members out that Redis does not have, page by page.
    async fn drop_gone(
        &self,
        link: &mut Link,
        listed: &Listed,
        zset: &[u8],
    ) -> Result<(), FollowError> {
        let mut offset = 0_usize;
        loop {
            let Some(board) = self.shared.state.board(&listed.name) else { return Ok(()) };
            let page = board.top(offset as u64, SCAN_COUNT).entries;
            if page.is_empty() {
                return Ok(());
            }
            let mut command = redis::cmd("ZMSCORE");
            command.arg(zset);
            for entry in &page {
                command.arg(&*entry.member);
            }
            let scores: Vec<Value> = command.query_async(&mut link.connection).await?;
            let both = page.iter().zip(scores);
            let gone: Vec<_> = both
                .filter(|(_, score)| *score == Value::Nil)
                .map(|(entry, _)| entry.member.clone())
                .map(|member| Change::MemberRemoved { board: listed.id, member })
                .collect();
            // What follows moves up by as many places as were taken out.
            offset += page.len() - gone.len();
            self.apply(listed.created_ms, gone)?;
        }
    }

    async fn labels(&self, link: &mut Link) -> Result<(), FollowError> {
        let mut left = self.labelled().await;
        let key = self.shared.options.layout.key(self.partition.id, "l");
        let mut cursor = Cursor::new("HSCAN", key);
        while let Some(pairs) = cursor.next(link).await? {
            let mut changes = Vec::with_capacity(pairs.len());
            for (member, label) in pairs {
                let label = std::str::from_utf8(&label)
                    .map_err(|_| text::Malformed::new("a display name", &label))?;
                let member: Name = member.into();
                left.remove(&member);
                changes.push(Change::MemberLabelled { member, label: Some(label.into()) });
            }
            self.apply(0, changes)?;
        }
        let gone = left.into_iter().map(|member| Change::MemberLabelled { member, label: None });
        self.apply(0, gone.collect())
    }

    /// Members that have a display name in the state.
    async fn labelled(&self) -> HashSet<Name> {
        struct Nowhere;
        impl ChangeSink for Nowhere {
            fn append(&self, _: i64, _: Vec<Change>) -> u64 {
                unreachable!("a cut appends nothing")
            }
            fn last_sequence(&self) -> u64 {
                0
            }
        }
        if self.shared.state.totals().labels == 0 {
            return HashSet::new();
        }
        loop {
            if let Ok(cut) = self.shared.state.begin_cut(&Nowhere) {
                return cut.labels().map(|(member, _)| member.clone()).collect();
            }
            // The node's copy is being kept.
            tokio::time::sleep(Duration::from_millis(CUT_WAIT_MS)).await;
        }
    }
}

/// Puts the exact integers in the place of scores that a double does not hold. A member whose exact
/// score is gone was changed meanwhile, and the stream says how.
async fn make_exact(link: &mut Link, hash: &[u8], pairs: &mut Pairs) -> Result<(), FollowError> {
    let is_large = |score: &[u8]| {
        let near = text::score(ScoreKind::Float, score);
        matches!(near, Ok(Score::Float(near)) if near.abs() >= EXACT)
    };
    let (large, mut rest): (Pairs, Pairs) =
        std::mem::take(pairs).into_iter().partition(|(_, score)| is_large(score));
    if !large.is_empty() {
        let mut command = redis::cmd("HMGET");
        command.arg(hash);
        for (member, _) in &large {
            command.arg(member);
        }
        let exact: Vec<Option<Vec<u8>>> = command.query_async(&mut link.connection).await?;
        let both = large.into_iter().zip(exact);
        rest.extend(both.filter_map(|((member, _), exact)| Some((member, exact?))));
    }
    *pairs = rest;
    Ok(())
}

/// Score and time from what a hash or a sorted set holds of a member.
fn row(definition: &Definition, value: &[u8]) -> Result<(Score, i64), FollowError> {
    if definition.stores_at() {
        let (score, at_ms) = text::split("a member", value)?;
        let at_ms = text::number("a time", at_ms)?;
        return Ok((text::score(definition.score, score)?, at_ms));
    }
    let score = match text::score(definition.score, value) {
        Ok(score) => score,
        // A sorted set may say 1e+15 where it means an integer.
        Err(error) => {
            let near = text::score(ScoreKind::Float, value)?;
            near.into_kind(definition.score).map_err(|_| error)?
        }
    };
    Ok((score, 0))
}

/// A scan of one key, in pairs.
struct Cursor {
    command: &'static str,
    key: Vec<u8>,
    at: Option<Vec<u8>>,
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

impl Cursor {
    fn new(command: &'static str, key: Vec<u8>) -> Self {
        Self { command, key, at: Some(b"0".to_vec()) }
    }

    /// The next pairs; some may come twice. `None` after the last.
    async fn next(&mut self, link: &mut Link) -> Result<Option<Pairs>, FollowError> {
        let Some(at) = self.at.take() else { return Ok(None) };
        let mut command = redis::cmd(self.command);
        command.arg(&self.key).arg(at).arg("COUNT").arg(SCAN_COUNT);
        let answer: Value = command.query_async(&mut link.connection).await?;
        let mut parts = list(answer)?.into_iter();
        let next = bytes(parts.next().unwrap_or_default())?;
        let mut items = list(parts.next().unwrap_or_default())?.into_iter().map(bytes);
        let mut pairs = Vec::with_capacity(items.len() / 2);
        while let (Some(name), Some(value)) = (items.next(), items.next()) {
            pairs.push((name?, value?));
        }
        self.at = (next != b"0").then_some(next);
        Ok(Some(pairs))
    }
}

/// Writes the partition back from the state, if an operator wants that and no other node does it.
/// The partition's meta key comes last, so a partition is there as a whole or not at all.
pub(crate) async fn reseed(
    shared: &Arc<Shared>,
    partition: &Partition,
    link: &mut Link,
) -> Result<(), FollowError> {
    let layout = &shared.options.layout;
    let wish = layout.key(partition.id, "r");
    if !partition.progress().is_ready {
        return Ok(());
    }
    let mine = Nonce::random().map_err(FollowError::Random)?.text();
    let mut claim = redis::cmd("SET");
    claim.arg(&wish).arg(&mine).arg(&["XX", "GET", "PX"]).arg(RESEED_MS);
    // Without the wish, nothing is set. A wish that another node has claimed is not `wanted`.
    let mut look = redis::cmd("GET");
    let wanted: Option<String> = look.arg(&wish).query_async(&mut link.connection).await?;
    if wanted.as_deref() != Some("wanted") {
        return Ok(());
    }
    let found: Option<String> = claim.query_async(&mut link.connection).await?;
    if found.as_deref() != Some("wanted") {
        return Ok(());
    }
    tracing::warn!(partition = partition.id, "writing the partition back from memory");
    // What an attempt before this one may have left.
    let mut rest = redis::cmd("UNLINK");
    rest.arg(&["b", "l"].map(|what| layout.key(partition.id, what)));
    rest.exec_async(&mut link.connection).await?;
    let number_max = write_back(shared, partition, link).await?;
    let known = partition.progress().position;
    let nonce = Nonce::random().map_err(FollowError::Random)?;
    let mut command = redis::cmd("EVAL");
    command.arg(script::INIT).arg(3);
    command.arg(layout.key(partition.id, "m")).arg(layout.key(partition.id, "s")).arg(&wish);
    command.arg(now_ms().max(known.incarnation + 1)).arg(nonce.text());
    command.arg(layout.partitions).arg(known.sequence).arg(number_max);
    let _made: i64 = command.query_async(&mut link.connection).await?;
    Ok(())
}

/// Writes boards and display names. Returns the highest number of a board.
async fn write_back(
    shared: &Shared,
    partition: &Partition,
    link: &mut Link,
) -> Result<u64, RedisError> {
    const PAGE: usize = 1_000;
    let layout = &shared.options.layout;
    let mut number_max = 0;
    let mut after: Option<Name> = None;
    loop {
        let page = shared.state.boards(b"", after.as_deref(), PAGE);
        for board in &page {
            let info = board.info();
            after = Some(info.name.clone());
            if layout.partition_of(&info.name) != partition.id {
                continue;
            }
            number_max = number_max.max(board.id().0 / u64::from(PARTITIONS_MAX));
            write_board(shared, partition, link, board).await?;
        }
        if page.len() < PAGE {
            break;
        }
    }
    if partition.id == LABELS_PARTITION {
        let members = Scan { shared, partition }.labelled().await;
        for member in members {
            let Some(label) = shared.state.label(&member) else { continue };
            let mut command = redis::cmd("HSET");
            command.arg(layout.key(partition.id, "l")).arg(&*member).arg(&*label);
            command.exec_async(&mut link.connection).await?;
        }
    }
    Ok(number_max)
}

async fn write_board(
    shared: &Shared,
    partition: &Partition,
    link: &mut Link,
    board: &rankd_engine::Board,
) -> Result<(), RedisError> {
    const PAGE: usize = 1_000;
    let layout = &shared.options.layout;
    let info = board.info();
    let (zset, hash) =
        (layout.named(partition.id, "z", &info.name), layout.named(partition.id, "h", &info.name));
    redis::cmd("UNLINK").arg(&zset).arg(&hash).exec_async(&mut link.connection).await?;
    let mut offset = 0;
    loop {
        let page = board.top(offset, PAGE).entries;
        let (mut zadd, mut hset) = (redis::cmd("ZADD"), redis::cmd("HSET"));
        zadd.arg(&zset);
        hset.arg(&hash);
        let mut extras = 0;
        for entry in &page {
            let score = text::score_text(entry.score);
            zadd.arg(&score).arg(&*entry.member);
            if let Some(at_ms) = entry.at_ms {
                hset.arg(&*entry.member).arg(format!("{score} {at_ms}"));
                extras += 1;
            } else if matches!(entry.score, Score::Integer(i) if i.unsigned_abs() >= 1 << 53) {
                hset.arg(&*entry.member).arg(score);
                extras += 1;
            }
        }
        if !page.is_empty() {
            zadd.exec_async(&mut link.connection).await?;
        }
        if extras > 0 {
            hset.exec_async(&mut link.connection).await?;
        }
        if page.len() < PAGE {
            break;
        }
        offset += PAGE as u64;
    }
    let definition = text::definition_text(&info.definition);
    let value = format!("{} {definition} {}", board.id().0, info.created_ms);
    let mut command = redis::cmd("HSET");
    command.arg(layout.key(partition.id, "b")).arg(&*info.name).arg(value);
    command.exec_async(&mut link.connection).await
}
