//! Following one partition: read it as a whole once, then apply its stream entry by entry.
//!
//! Invariant: every entry that is applied names the nonce of the one applied before it, so the
//! state is what the partition's history says, and a history that was rewritten is noticed at its
//! first entry. What Redis knows is compared with what the node knows whenever nothing new came,
//! and after every new connection.
//!
//! Cost: one connection a partition; one read a [`BLOCK_MS`] while nothing happens.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rankd_engine::{ApplyError, Change, RankStyle, Record};
use redis::{RedisError, Value};

use crate::copy::Mark;
use crate::entry::Entry;
use crate::limits::{BLOCK_MS, READ_BYTES, READ_ENTRIES_FIRST, READ_ENTRIES_MAX};
use crate::partition::{Partition, Ranks};
use crate::scan;
use crate::script::{self, Nonce, Position};
use crate::shared::{Shared, count, now_ms};
use crate::text::{self, Malformed};
use crate::topology::{Link, malformed};

/// Why a partition is not followed at the moment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("{0}")]
    Apply(#[from] ApplyError),
    /// Redis is there, the partition is not.
    #[error("Redis has lost the partition; `rankd redis` says what can be done")]
    Emptied,
    /// The stream does not go on where the node is.
    #[error("the stream was trimmed before this node had read it")]
    Gap,
    #[error("the system has no random bytes: {0}")]
    Random(getrandom::Error),
}

/// What entries are applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The state is that of the position: every change fits.
    Steady,
    /// The state was read while writes went on: changes of boards that are gone do not fit.
    CatchUp,
}

/// First and longest pause before the next attempt, in milliseconds.
const PAUSE_MS: (u64, u64) = (20, 500);

/// Follows one partition for as long as the store is open.
pub(crate) async fn follow(shared: Arc<Shared>, partition: Arc<Partition>) {
    let mut follower =
        Follower { shared: &shared, partition: &partition, read_entries: READ_ENTRIES_FIRST };
    let mut pause_ms = PAUSE_MS.0;
    while !shared.is_closed() {
        let before = partition.progress().position;
        let Err(error) = follower.session().await;
        if let FollowError::Redis(error) = &error {
            shared.topology.learn(error);
            count(&shared.counters.disconnects);
        }
        let is_emptied = matches!(error, FollowError::Emptied);
        if partition.fault().is_none() {
            tracing::warn!(partition = partition.id, %error, "the partition is not followed");
        }
        partition.is_emptied.store(is_emptied, Ordering::Release);
        partition.set_fault(Some(error.to_string()));
        if partition.progress().position != before {
            pause_ms = PAUSE_MS.0;
        }
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(PAUSE_MS.1);
    }
}

struct Follower<'a> {
    shared: &'a Arc<Shared>,
    partition: &'a Arc<Partition>,
    /// Entries that the next read asks for: fewer where they are large.
    read_entries: usize,
}

/// A stream has no end.
enum Never {}

impl Follower<'_> {
    /// One connection's life.
    async fn session(&mut self) -> Result<Never, FollowError> {
        let mut link = self.shared.topology.connect(self.partition.id).await?;
        // What was suspected before is looked into now.
        tokio::select! {
            biased;
            () = self.partition.suspicion.notified() => {}
            () = std::future::ready(()) => {}
        }
        self.partition.sessions.fetch_add(1, Ordering::AcqRel);
        let mut is_known = self.partition.progress().is_ready;
        loop {
            let head = match self.head(&mut link).await? {
                Some(head) => head,
                None => {
                    scan::reseed(self.shared, self.partition, &mut link).await?;
                    return Err(FollowError::Emptied);
                }
            };
            if is_known && self.is_lost(&head) {
                self.report_loss(&mut link, &head).await?;
                is_known = false;
                continue;
            }
            if !is_known {
                if !self.resume(&mut link, &head).await? {
                    self.read_anew(&mut link, head).await?;
                }
                is_known = true;
            }
            self.partition.is_emptied.store(false, Ordering::Release);
            self.partition.set_fault(None);
            match self.tail(&mut link).await {
                Ok(Turn::Compare) => {}
                Ok(Turn::Lost) => {
                    let head = self.head(&mut link).await?.ok_or(FollowError::Emptied)?;
                    self.report_loss(&mut link, &head).await?;
                    is_known = false;
                }
                Err(FollowError::Gap) => {
                    count(&self.shared.counters.gaps);
                    tracing::warn!(
                        partition = self.partition.id,
                        "the stream was trimmed before this node had read it: reading anew"
                    );
                    is_known = false;
                }
                Err(error @ (FollowError::Apply(_) | FollowError::Malformed(_))) => {
                    self.partition.set_unready();
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What Redis knows of the partition; `None` if it is not there.
    async fn head(&self, link: &mut Link) -> Result<Option<Position>, FollowError> {
        Ok(head(self.shared, self.partition.id, link).await?)
    }

    /// Whether Redis knows less than this node, or something else.
    fn is_lost(&self, head: &Position) -> bool {
        let known = self.partition.progress().position;
        head.incarnation < known.incarnation
            || head.sequence < known.sequence
            || (head.sequence == known.sequence && head.nonce != known.nonce)
    }

    /// Begins a new incarnation, so that every node looks at what it has.
    async fn report_loss(&self, link: &mut Link, head: &Position) -> Result<(), FollowError> {
        let (shared, partition) = (self.shared, self.partition);
        let known = partition.progress().position;
        partition.set_unready();
        let entries = known.sequence.saturating_sub(head.sequence).max(1);
        count(&shared.counters.losses);
        shared.counters.lost_entries.fetch_add(entries, Ordering::Relaxed);
        tracing::error!(
            partition = partition.id,
            known_sequence = known.sequence,
            found_sequence = head.sequence,
            "Redis has lost acknowledged writes; the partition is read anew"
        );
        if head.incarnation > known.incarnation {
            return Ok(());
        }
        let nonce = Nonce::random().map_err(FollowError::Random)?;
        let least = now_ms().max(known.incarnation + 1);
        let layout = &shared.options.layout;
        let mut command = redis::cmd("EVAL");
        command.arg(script::RAISE).arg(2);
        command.arg(layout.key(partition.id, "m")).arg(layout.key(partition.id, "s"));
        command.arg(head.incarnation).arg(least).arg(nonce.text()).arg(now_ms());
        command.arg(shared.options.stream_entries);
        let _begun: i64 = command.query_async(&mut link.connection).await?;
        Ok(())
    }

    /// Reads the partition as a whole, then the stream from where it was before.
    async fn read_anew(&mut self, link: &mut Link, head: Position) -> Result<(), FollowError> {
        let (shared, partition) = (self.shared, self.partition);
        partition.begin_again(head);
        partition.set_origin(self.origin(link).await?);
        let permit = shared.scans.acquire().await;
        scan::read(shared, partition, link).await?;
        drop(permit);
        count(&shared.counters.scans);
        if self.catch_up(link).await? { Ok(()) } else { Err(FollowError::Gap) }
    }

    /// Goes on where the node's copy ended; `false` if there is none, or it does not lead here.
    async fn resume(&mut self, link: &mut Link, head: &Position) -> Result<bool, FollowError> {
        let (shared, partition) = (self.shared, self.partition);
        let Some(mark) = partition.take_resumed() else { return Ok(false) };
        // Made anew by an operator, or another store: nothing of it was lost here.
        if self.origin(link).await? != Some(mark.origin) {
            return Ok(false);
        }
        partition.begin_again(mark.position);
        partition.set_origin(Some(mark.origin));
        let caught_up = if self.is_lost(head) { Ok(false) } else { self.catch_up(link).await };
        match caught_up {
            Ok(true) => {
                count(&shared.counters.resumes);
                Ok(true)
            }
            Ok(false) => {
                let head = self.head(link).await?.ok_or(FollowError::Emptied)?;
                self.report_loss(link, &head).await?;
                Ok(false)
            }
            Err(FollowError::Gap) => {
                count(&shared.counters.gaps);
                Ok(false)
            }
            Err(error @ (FollowError::Apply(_) | FollowError::Malformed(_))) => {
                tracing::warn!(partition = partition.id, %error, "the copy does not fit");
                Ok(false)
            }
            Err(error) => {
                let position = partition.progress().position;
                partition.set_resumed(Mark { origin: mark.origin, position });
                Err(error)
            }
        }
    }

    /// Applies the stream up to what is its end now. `false`: it does not go on where the node is.
    async fn catch_up(&mut self, link: &mut Link) -> Result<bool, FollowError> {
        let end = self.head(link).await?.ok_or(FollowError::Emptied)?;
        while self.partition.progress().position.sequence < end.sequence {
            if let ControlFlow::Break(_) = self.step(link, Mode::CatchUp).await? {
                return Ok(false);
            }
        }
        self.partition.heard();
        self.partition.set_ready();
        Ok(true)
    }

    /// Which making of the partition this is.
    async fn origin(&self, link: &mut Link) -> Result<Option<Nonce>, FollowError> {
        let mut command = redis::cmd("HGET");
        command.arg(self.shared.options.layout.key(self.partition.id, "m")).arg("origin");
        let origin: Option<Vec<u8>> = command.query_async(&mut link.connection).await?;
        Ok(origin.and_then(|origin| Nonce::parse(&origin)))
    }

    /// Applies the stream until the node should compare itself with Redis.
    async fn tail(&mut self, link: &mut Link) -> Result<Turn, FollowError> {
        loop {
            if self.shared.topology.is_outdated(link) {
                return Err(RedisError::from((redis::ErrorKind::Io, "another primary")).into());
            }
            if let ControlFlow::Break(turn) = self.step(link, Mode::Steady).await? {
                return Ok(turn);
            }
        }
    }

    /// Reads once and applies what came.
    async fn step(
        &mut self,
        link: &mut Link,
        mode: Mode,
    ) -> Result<ControlFlow<Turn>, FollowError> {
        let known = self.partition.progress().position;
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(self.read_entries).arg("BLOCK").arg(BLOCK_MS).arg("STREAMS");
        command.arg(self.shared.options.layout.key(self.partition.id, "s"));
        command.arg(format!("{}-0", known.sequence));
        let answer: Value = tokio::select! {
            answer = command.query_async(&mut link.connection) => answer?,
            // The answer to the read is lost with the connection, and read again.
            () = self.partition.suspicion.notified() => {
                return Err(RedisError::from((redis::ErrorKind::Io, "a call was refused")).into());
            }
        };
        let entries = Entry::of_read(answer)?;
        if entries.is_empty() {
            return self.compare(link, known).await;
        }
        self.read_entries = next_read(&entries);
        for entry in entries {
            let known = self.partition.progress().position;
            if entry.sequence != known.sequence + 1 {
                return Err(FollowError::Gap);
            }
            if entry.previous != known.nonce {
                return Ok(ControlFlow::Break(Turn::Lost));
            }
            self.apply(entry, mode)?;
        }
        self.partition.heard();
        Ok(ControlFlow::Continue(()))
    }

    /// Nothing came: either nothing happened, or Redis is not what it was.
    async fn compare(
        &self,
        link: &mut Link,
        known: Position,
    ) -> Result<ControlFlow<Turn>, FollowError> {
        let head = self.head(link).await?.ok_or(FollowError::Emptied)?;
        if self.is_lost(&head) {
            return Ok(ControlFlow::Break(Turn::Compare));
        }
        if head.sequence == known.sequence {
            self.partition.heard();
        } else if !self.goes_on(link).await? {
            return Err(FollowError::Gap);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the stream has anything after the node's position.
    async fn goes_on(&self, link: &mut Link) -> Result<bool, FollowError> {
        let mut command = redis::cmd("XRANGE");
        command.arg(self.shared.options.layout.key(self.partition.id, "s"));
        command.arg(format!("{}-1", self.partition.progress().position.sequence));
        command.arg("+").arg("COUNT").arg(1);
        let answer = command.query_async(&mut link.connection).await?;
        Ok(!Entry::of_range(answer)?.is_empty())
    }

    fn apply(&self, entry: Entry, mode: Mode) -> Result<(), FollowError> {
        let (shared, partition) = (self.shared, self.partition);
        let Entry { sequence, incarnation, nonce, accepted_ms, changes, .. } = entry;
        let expected = partition.take_expected(nonce);
        let mut record = Record { sequence, accepted_ms, changes: Vec::new() };
        match (&expected, mode) {
            (None, Mode::Steady) => {
                record.changes = changes;
                shared.state.apply(&record)?;
            }
            _ => {
                for change in changes {
                    record.changes = vec![change];
                    self.apply_one(&record, expected.as_ref(), mode)?;
                }
            }
        }
        count(&shared.counters.entries);
        partition.advance(Position { incarnation, sequence, nonce });
        Ok(())
    }

    /// Applies a record of one change, and tells the ranks that it brought if they are asked for.
    fn apply_one(
        &self,
        record: &Record,
        expected: Option<&Ranks>,
        mode: Mode,
    ) -> Result<(), FollowError> {
        let before = expected.map(|_| self.rank(record));
        match self.shared.state.apply(record) {
            // The board was made, renewed or deleted after the position that the scan began at.
            Err(ApplyError::UnknownBoard { .. } | ApplyError::BoardExists { .. })
                if mode == Mode::CatchUp => {}
            applied => applied?,
        }
        if let (Some(ranks), Some(Some(before))) = (expected, before) {
            ranks.lock().push((before, self.rank(record).unwrap_or(0)));
        }
        Ok(())
    }

    /// The rank of the member whose score a record sets; `None` if it sets none.
    fn rank(&self, record: &Record) -> Option<u64> {
        let Some(Change::MemberSet { board, member, .. }) = record.changes.first() else {
            return None;
        };
        let board = self.shared.state.board_by_id(*board)?;
        Some(board.standing(member, RankStyle::Ordinal).map_or(0, |standing| standing.rank))
    }
}

/// How many entries to ask for, by the size of those that came.
fn next_read(entries: &[Entry]) -> usize {
    let bytes: usize = entries.iter().map(|entry| entry.bytes).sum();
    let each = bytes.div_ceil(entries.len().max(1)).max(1);
    (READ_BYTES / each).clamp(1, READ_ENTRIES_MAX)
}

/// What ends a tail.
enum Turn {
    /// Redis may know less than the node.
    Compare,
    /// The entry that came does not follow the one before.
    Lost,
}

/// What Redis knows of a partition; `None` if it is not there.
pub(crate) async fn head(
    shared: &Shared,
    partition: crate::layout::PartitionId,
    link: &mut Link,
) -> Result<Option<Position>, RedisError> {
    let mut command = redis::cmd("HMGET");
    command.arg(shared.options.layout.key(partition, "m")).arg(&["inc", "seq", "nonce"]);
    type Fields = (Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);
    let fields: Fields = command.query_async(&mut link.connection).await?;
    let (Some(incarnation), Some(sequence), Some(nonce)) = fields else { return Ok(None) };
    Ok(Some(Position {
        incarnation: text::number("an incarnation", &incarnation).map_err(malformed)?,
        sequence: text::number("a sequence", &sequence).map_err(malformed)?,
        nonce: Nonce::parse(&nonce).ok_or_else(|| malformed("a nonce"))?,
    }))
}
