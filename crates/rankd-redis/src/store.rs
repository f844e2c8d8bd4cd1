//! The Redis store: batches go to Redis, and come back through the stream.
//!
//! Cancel safety: a `submit` that is dropped may still take effect, as if nobody had waited for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use rankd_engine::{
    Answer, Batch, Health, Intent, OrgBatch, Outcome, RankStyle, Receipt, SnapshotReport, State,
    Storage, StoreError, StoreFuture, StoreStats,
};
use rankd_orgs::OrgOutcome;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::copy::{self, LocalCopy};
use crate::entry::Entry;
use crate::follower;
use crate::layout::PartitionId;
use crate::limits::{COPY_MS, QUEUE_BATCHES_MAX, STALENESS_SHOWN_MS_MIN};
use crate::open::{self, OpenError};
use crate::options::RedisOptions;
use crate::partition::{Partition, Progress, Ranks, Recalled};
use crate::script::{self, BatchReply, Position};
use crate::shared::Shared;
use crate::token::{Token, packed, unpacked};
use crate::writer::{self, Job, Sent};

/// A store on Redis, for one node of several.
pub struct RedisStore {
    shared: Arc<Shared>,
    queues: Vec<mpsc::Sender<Job>>,
    copy: Option<Arc<CopyKeeper>>,
    /// Where followers and writers run, whichever runtime callers have. Taken at the end.
    runtime: Option<tokio::runtime::Runtime>,
}

/// The node's copy, and the note of the one that was kept last.
struct CopyKeeper {
    place: Box<dyn LocalCopy>,
    kept: Mutex<String>,
}

impl CopyKeeper {
    /// Keeps a copy now; blocks. A copy only saves time, so what goes wrong is told the log alone.
    fn keep(&self, shared: &Shared) {
        let mut kept = self.kept.lock();
        match copy::keep(shared, &*self.place, &kept) {
            Ok(Some(note)) => *kept = note,
            Ok(None) => {}
            Err(error) => tracing::warn!(error, "no copy of this node's memory was kept"),
        }
    }
}

/// Threads that follow the partitions.
const THREADS: usize = 2;

impl RedisStore {
    /// Opens the store, makes it if it is not there, and fills `state`, which has to be empty.
    /// Returns when everything that Redis had is in it. Blocks; not to be called on a thread that
    /// runs asynchronous tasks.
    ///
    /// # Errors
    /// If Redis cannot be reached, or has no store that this version can use.
    pub fn open(options: RedisOptions, state: Arc<State>) -> Result<Self, OpenError> {
        Self::open_with(options, state, None)
    }

    /// The same for a node that keeps a copy of its memory: what the copy has is not read again.
    /// It is kept now and then, and when the store is closed.
    ///
    /// # Errors
    /// As [`RedisStore::open`]; if the copy is bad in a way that shows too late.
    pub fn open_with(
        options: RedisOptions,
        state: Arc<State>,
        place: Option<Box<dyn LocalCopy>>,
    ) -> Result<Self, OpenError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("rankd-redis")
            .enable_all()
            .build()
            .map_err(|error| OpenError::System { what: "threads", reason: error.to_string() })?;
        let shared = Arc::new(Shared::new(options, state));
        let copy = place.map(|place| resume(&shared, place)).transpose()?;
        let knows_store = copy.as_ref().is_some_and(|(_, marks)| *marks > 0);
        let copy = copy.map(|(copy, _)| Arc::new(copy));
        runtime.block_on(open::prepare(&shared, knows_store))?;
        let queues = shared.partitions.iter().map(|partition| start(&runtime, &shared, partition));
        let queues = queues.collect();
        let watched = Arc::clone(&shared);
        runtime.spawn(async move { watched.topology.watch().await });
        if let Some(copy) = &copy {
            runtime.spawn(keep_copies(Arc::clone(&shared), Arc::clone(copy)));
        }
        let store = Self { shared, queues, copy, runtime: Some(runtime) };
        store.wait_until_ready();
        Ok(store)
    }

    fn wait_until_ready(&self) {
        let Some(runtime) = &self.runtime else { return };
        runtime.block_on(async {
            for partition in &self.shared.partitions {
                let mut changes = partition.changes();
                let _open = changes.wait_for(|progress| progress.is_ready).await;
            }
        });
    }

    fn partition(&self, id: PartitionId) -> Result<&Partition, StoreError> {
        let partition = self.shared.partitions.get(usize::from(id));
        partition.map(|partition| &**partition).ok_or_else(|| {
            StoreError::BadToken(format!("a token of partition {id}, which is not there"))
        })
    }

    async fn submit_batch(&self, batch: Batch) -> Result<Receipt, StoreError> {
        if self.shared.is_closed() {
            return Err(StoreError::Closed);
        }
        check(&batch)?;
        let partition = script::partition_of(&self.shared.options.layout, &batch);
        let partition = partition.ok_or(StoreError::CrossPartition)?;
        let queue = self.queues.get(usize::from(partition)).ok_or(StoreError::Closed)?;
        let (reply, answered) = oneshot::channel();
        let deadline = Instant::now() + self.shared.options.timeout;
        queue.try_send(Job { batch, deadline, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                StoreError::ReadOnly("too many writes are waiting for Redis".to_owned())
            }
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        let ended = || StoreError::OutcomeUnknown("the store was closed meanwhile".to_owned());
        let sent = answered.await.map_err(|_| ended())??;
        self.finish(partition, sent).await
    }

    /// Waits until this node has what was written, and words the outcomes.
    async fn finish(&self, partition: PartitionId, sent: Sent) -> Result<Receipt, StoreError> {
        let token = Token { partition, position: sent.position };
        match self.wait_for(&token).await {
            Ok(()) => self.partition(partition)?.forget_answered(sent.position.sequence),
            // Redis has it, and this node will: the answer is true all the same, without ranks.
            Err(StoreError::Behind(_)) => {
                self.partition(partition)?.remember_answered(token.position);
            }
            Err(error) => return Err(error),
        }
        let sequence = packed(partition, sent.position.sequence);
        let answer = self.answer(sent)?;
        Ok(Receipt { sequence, answer })
    }

    fn answer(&self, sent: Sent) -> Result<Answer, StoreError> {
        let malformed = |error: crate::text::Malformed| {
            StoreError::OutcomeUnknown(format!("the script's answer: {error}"))
        };
        let Sent { batch, reply, ranks, .. } = sent;
        match reply {
            BatchReply::KeyReused => Err(StoreError::KeyReused),
            BatchReply::Repeated(memory) => {
                let mut kept = BatchReply::kept(&memory, &batch).map_err(malformed)?;
                if let rankd_engine::KeptOutcomes::One(outcome) = &mut kept
                    && let Some(intent) = batch.intents.first()
                    && batch.with_ranks
                {
                    self.place(intent, outcome);
                }
                Ok(Answer::Repeated(kept))
            }
            BatchReply::Fresh(replies) => {
                let mut ranks = Ranked::new(ranks);
                let mut outcomes = Vec::with_capacity(batch.intents.len());
                for (intent, reply) in batch.intents.iter().zip(replies.iter()) {
                    let mut outcome = script::outcome(&batch, intent, reply).map_err(malformed)?;
                    if batch.with_ranks && !ranks.place(&mut outcome) {
                        self.place(intent, &mut outcome);
                    }
                    outcomes.push(outcome);
                }
                Ok(Answer::Fresh(outcomes))
            }
        }
    }

    /// Puts the rank of now into an outcome that no entry of the stream speaks of.
    fn place(&self, intent: &Intent, outcome: &mut Outcome) {
        let (Intent::Write { board, member, .. }, Outcome::Written { current, previous, .. }) =
            (intent, outcome)
        else {
            return;
        };
        let board = self.shared.state.board(board);
        let standing = board.and_then(|board| board.standing(member, RankStyle::Ordinal));
        let rank = standing.map_or(0, |standing| standing.rank);
        current.rank = rank;
        if let Some(previous) = previous {
            previous.rank = rank;
        }
    }

    /// Waits until this node has what the token names, and makes sure that it is still the same.
    async fn wait_for(&self, token: &Token) -> Result<(), StoreError> {
        let partition = self.partition(token.partition)?;
        let wanted = token.position;
        let mut changes = partition.changes();
        let has_it = |progress: &Progress| {
            let at = progress.position;
            progress.is_ready
                && (at.incarnation > wanted.incarnation
                    || (at.incarnation == wanted.incarnation && at.sequence >= wanted.sequence))
        };
        let waited = tokio::time::timeout(self.shared.options.timeout, changes.wait_for(has_it));
        let progress = match waited.await {
            Ok(Ok(progress)) => *progress,
            Ok(Err(_)) => return Err(StoreError::Closed),
            Err(_) => {
                let fault = partition.fault().unwrap_or_else(|| "try again".to_owned());
                return Err(StoreError::Behind(fault));
            }
        };
        let is_same = progress.position.incarnation == wanted.incarnation;
        match partition.recall(wanted.sequence) {
            Recalled::Passed(passed) if passed.nonce == wanted.nonce => Ok(()),
            Recalled::Passed(_) => Err(lost(token)),
            // Whoever loses an entry that this node saw begins a new incarnation.
            Recalled::Forgotten if is_same => Ok(()),
            Recalled::Forgotten | Recalled::Unseen => self.look_up(partition, token, is_same).await,
        }
    }

    /// Asks the stream for the token's entry, of which this node's memory says nothing.
    async fn look_up(
        &self,
        partition: &Partition,
        token: &Token,
        is_same: bool,
    ) -> Result<(), StoreError> {
        let layout = self.shared.options.layout.clone();
        let (id, Position { sequence, nonce, .. }) = (partition.id, token.position);
        let shared = Arc::clone(&self.shared);
        let look = async move {
            // Tokens come from outside, and each costs a connection.
            let _permit = shared.lookups.acquire().await;
            let mut link = shared.topology.connect(id).await?;
            let mut command = redis::cmd("XRANGE");
            let entry = format!("{sequence}-0");
            command.arg(layout.key(id, "s")).arg(&entry).arg(&entry);
            command.query_async::<redis::Value>(&mut link.connection).await
        };
        let runtime = self.runtime.as_ref().ok_or(StoreError::Closed)?;
        let behind = |error: String| StoreError::Behind(error);
        let answer = runtime.spawn(look).await.map_err(|error| behind(error.to_string()))?;
        let answer = answer.map_err(|error| behind(error.to_string()))?;
        let entries = Entry::of_range(answer).map_err(|error| behind(error.to_string()))?;
        match entries.first() {
            Some(entry) if entry.nonce == nonce => Ok(()),
            Some(_) => Err(lost(token)),
            // Trimmed since, and nobody has noticed a loss in between.
            None if is_same => Ok(()),
            // That it survived the loss cannot be shown, so it is not claimed.
            None => Err(lost(token)),
        }
    }

    async fn close_once(&self) -> Result<(), StoreError> {
        self.shared.is_closed.store(true, Ordering::Release);
        if let (Some(copy), Some(runtime)) = (&self.copy, &self.runtime) {
            let (copy, shared) = (Arc::clone(copy), Arc::clone(&self.shared));
            let kept = runtime.spawn_blocking(move || copy.keep(&shared)).await;
            kept.map_err(|error| StoreError::Snapshot(error.to_string()))?;
        }
        Ok(())
    }
}

/// Fills the state from the copy, and tells the partitions where it ended. Returns how many.
fn resume(shared: &Shared, place: Box<dyn LocalCopy>) -> Result<(CopyKeeper, usize), OpenError> {
    let note = place.load(&shared.state).map_err(OpenError::Copy)?.unwrap_or_default();
    let marks = copy::marks(&shared.options.layout, &note);
    for &(id, mark) in &marks {
        if let Some(partition) = shared.partitions.get(usize::from(id)) {
            partition.set_resumed(mark);
        }
    }
    Ok((CopyKeeper { place, kept: Mutex::new(note) }, marks.len()))
}

/// Keeps a copy now and then.
async fn keep_copies(shared: Arc<Shared>, copy: Arc<CopyKeeper>) {
    loop {
        tokio::time::sleep(Duration::from_millis(COPY_MS)).await;
        let (copy, shared) = (Arc::clone(&copy), Arc::clone(&shared));
        let kept = tokio::task::spawn_blocking(move || copy.keep(&shared)).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "no copy of this node's memory was kept");
        }
    }
}

/// Starts a partition's tasks.
fn start(
    runtime: &tokio::runtime::Runtime,
    shared: &Arc<Shared>,
    partition: &Arc<Partition>,
) -> mpsc::Sender<Job> {
    let (queue, jobs) = mpsc::channel(QUEUE_BATCHES_MAX);
    runtime.spawn(follower::follow(Arc::clone(shared), Arc::clone(partition)));
    runtime.spawn(writer::write(Arc::clone(shared), Arc::clone(partition), jobs));
    queue
}

fn lost(token: &Token) -> StoreError {
    let Position { incarnation, sequence, .. } = token.position;
    StoreError::WriteLost(format!(
        "Redis does not have entry {sequence} of partition {} any more, as it was in incarnation \
         {incarnation}",
        token.partition
    ))
}

fn check(batch: &Batch) -> Result<(), StoreError> {
    use rankd_engine::limits::{BATCH_INTENTS_MAX, IDEMPOTENCY_KEY_BYTES_MAX};
    let within = |what, value: usize, max: usize| {
        let error = StoreError::TooLarge { what, value: value as u64, max: max as u64 };
        if value <= max { Ok(()) } else { Err(error) }
    };
    within("the number of intents", batch.intents.len(), BATCH_INTENTS_MAX)?;
    let key_bytes = batch.idempotency.as_ref().map_or(0, |key| key.key.len());
    let what = "the length of the idempotency key in bytes";
    within(what, key_bytes, IDEMPOTENCY_KEY_BYTES_MAX)?;
    if batch.intents.iter().all(script::is_carried_out) {
        return Ok(());
    }
    Err(StoreError::Unsupported("what this batch changes"))
}

/// The ranks of a call, handed out in the order of its changes.
struct Ranked {
    ranks: Option<(Ranks, usize)>,
}

impl Ranked {
    fn new(ranks: Option<(Ranks, usize)>) -> Self {
        Self { ranks }
    }

    /// Puts the next ranks into the outcome of a write that changed something. `false` if the
    /// outcome is of another kind, or the entry has not come back.
    fn place(&mut self, outcome: &mut Outcome) -> bool {
        let Outcome::Written { current, previous, changed: true } = outcome else { return false };
        let Some((ranks, next)) = &mut self.ranks else { return false };
        let Some((before, after)) = ranks.lock().get(*next).copied() else { return false };
        *next += 1;
        current.rank = after;
        if let Some(previous) = previous {
            previous.rank = before;
        }
        true
    }
}

impl Storage for RedisStore {
    fn submit(&self, batch: Batch) -> StoreFuture<'_, Receipt> {
        Box::pin(self.submit_batch(batch))
    }

    fn submit_orgs(&self, _batch: OrgBatch) -> StoreFuture<'_, Receipt<Vec<OrgOutcome>>> {
        let error = StoreError::Unsupported("organisations");
        Box::pin(std::future::ready(Err(error)))
    }

    fn snapshot(&self) -> StoreFuture<'_, SnapshotReport> {
        let error = StoreError::Unsupported("snapshots: Redis keeps the data, and its own backups");
        Box::pin(std::future::ready(Err(error)))
    }

    fn health(&self) -> Health {
        if self.shared.is_closed() {
            return Health::Closed;
        }
        let staleness = self.shared.options.staleness;
        let is_old = Duration::from_millis(self.shared.age_ms()) > staleness;
        for partition in &self.shared.partitions {
            let is_emptied = partition.is_emptied.load(Ordering::Acquire);
            let age = Duration::from_millis(if is_old { partition.age_ms() } else { 0 });
            if !partition.progress().is_ready || is_emptied || age > staleness {
                let age_ms = partition.age_ms();
                let fault = partition.fault().unwrap_or_else(|| "it is being read".to_owned());
                let id = partition.id;
                let reason = format!("partition {id} is {age_ms} ms behind Redis: {fault}");
                return Health::ReadOnly { reason, ahead_of_disk: false };
            }
        }
        Health::Ready
    }

    fn stats(&self) -> StoreStats {
        let sequences = self.shared.partitions.iter().map(|p| p.progress().position.sequence);
        let sequence = sequences.sum();
        let records = self.shared.counters.entries.load(Ordering::Relaxed);
        StoreStats { sequence, durable_sequence: sequence, records, ..StoreStats::default() }
    }

    fn token(&self, sequence: u64) -> Option<String> {
        let (id, sequence) = unpacked(sequence);
        let partition = self.shared.partitions.get(usize::from(id))?;
        let position = match (partition.answered(sequence), partition.recall(sequence)) {
            (Some(position), _) | (None, Recalled::Passed(position)) => position,
            (None, _) => return None,
        };
        Some(Token { partition: id, position }.text())
    }

    fn reached<'a>(&'a self, token: &'a str) -> StoreFuture<'a, ()> {
        let parsed = Token::parse(token);
        Box::pin(async move {
            let token = parsed.ok_or_else(|| StoreError::BadToken(token.to_owned()))?;
            self.wait_for(&token).await
        })
    }

    fn staleness_ms(&self) -> u64 {
        let oldest = self.shared.age_ms();
        if oldest < STALENESS_SHOWN_MS_MIN { 0 } else { oldest }
    }

    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        let c = &self.shared.counters;
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        vec![
            ("redis_losses", "Times that Redis was found to have lost writes", of(&c.losses)),
            ("redis_lost_entries", "Stream entries that Redis lost", of(&c.lost_entries)),
            ("redis_gaps", "Times that the stream was trimmed too early", of(&c.gaps)),
            ("redis_scans", "Times that a partition was read as a whole", of(&c.scans)),
            ("redis_resumes", "Partitions that a start found in its copy", of(&c.resumes)),
            ("redis_disconnects", "Connections of followers that broke", of(&c.disconnects)),
            ("redis_calls", "Calls to the script", of(&c.calls)),
            ("redis_batches", "Batches in these calls", of(&c.batches)),
            ("redis_unknown", "Calls whose outcome is not known", of(&c.unknown)),
        ]
    }

    fn close(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.close_once())
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::Release);
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where the last owner may be a task.
            runtime.shutdown_background();
        }
    }
}
