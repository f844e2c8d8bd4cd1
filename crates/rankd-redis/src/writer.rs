//! Sending batches to one partition: what waits is sent together, one call at a time.
//!
//! Invariant: a batch is sent again only after an answer that says that it was not carried out. A
//! connection that breaks before the answer leaves the batch's outcome unknown, and its client is
//! told so. Cost: one round trip for all batches that came during the one before.

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rankd_engine::{Batch, StoreError};
use redis::{ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::limits::{CALL_BYTES_MAX, CALL_INTENTS_MAX};
use crate::partition::{Partition, Ranks};
use crate::script::{Answered, BATCH, BatchReply, Call, Nonce, Position, Refused, Target};
use crate::shared::{Shared, count};
use crate::topology::{Link, malformed};

/// A batch on its way.
pub(crate) struct Job {
    pub(crate) batch: Batch,
    pub(crate) deadline: Instant,
    pub(crate) reply: oneshot::Sender<Result<Sent, StoreError>>,
}

/// A batch that Redis has carried out.
pub(crate) struct Sent {
    pub(crate) batch: Batch,
    pub(crate) reply: BatchReply,
    /// The newest position that the reply depends on.
    pub(crate) position: Position,
    /// The ranks of the whole call, and where those of this batch begin.
    pub(crate) ranks: Option<(Ranks, usize)>,
}

/// Pause before a call that was not carried out is made again.
const RETRY_MS: u64 = 10;

/// Sends what comes until nobody can send any more.
pub(crate) async fn write(
    shared: Arc<Shared>,
    partition: Arc<Partition>,
    mut jobs: mpsc::Receiver<Job>,
) {
    let mut writer = Writer { shared, partition, link: None, suspected: None };
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(job) => job,
            None => match jobs.recv().await {
                Some(job) => job,
                None => return,
            },
        };
        let mut intents = first.batch.intents.len();
        let mut group = vec![first];
        while intents < CALL_INTENTS_MAX
            && let Ok(job) = jobs.try_recv()
        {
            intents += job.batch.intents.len();
            if intents > CALL_INTENTS_MAX {
                next = Some(job);
                break;
            }
            group.push(job);
        }
        writer.send(group).await;
    }
}

struct Writer {
    shared: Arc<Shared>,
    partition: Arc<Partition>,
    /// The connection, and the follower's session in which it was made: when the follower has lost
    /// its connection, this one is most likely lost too, and nothing should be sent into it.
    link: Option<(Link, u64)>,
    /// The position of the call that was refused last. The follower is woken once for each: woken
    /// for every attempt, it would never come to read.
    suspected: Option<Position>,
}

/// What became of one attempt.
enum Attempt {
    Done {
        batches: Vec<BatchReply>,
        position: Position,
        ranks: Option<Ranks>,
    },
    /// Not carried out; it may be if it is tried again.
    Again(String),
    /// Not carried out, and it will not be.
    Refused(StoreError),
    /// Nobody knows.
    Unknown(String),
}

impl Writer {
    /// Sends a group of batches and answers each.
    async fn send(&mut self, group: Vec<Job>) {
        let mut group = group;
        let mut reason = "the partition is being read".to_owned();
        loop {
            let now = Instant::now();
            let (live, late): (Vec<_>, Vec<_>) =
                group.into_iter().partition(|job| job.deadline > now);
            for job in late {
                let _gone = job.reply.send(Err(StoreError::ReadOnly(reason.clone())));
            }
            group = live;
            if group.is_empty() {
                return;
            }
            match self.attempt(&group).await {
                Attempt::Done { batches, position, ranks } => {
                    return answer(group, batches, position, ranks.as_ref());
                }
                Attempt::Again(why) => {
                    reason = why;
                    tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
                }
                Attempt::Refused(error) => return answer_all(group, &error),
                Attempt::Unknown(why) => {
                    count(&self.shared.counters.unknown);
                    return answer_all(group, &StoreError::OutcomeUnknown(why));
                }
            }
        }
    }

    async fn attempt(&mut self, group: &[Job]) -> Attempt {
        let progress = self.partition.progress();
        if self.partition.is_emptied.load(Ordering::Acquire) {
            let fault = self.partition.fault().unwrap_or_default();
            return Attempt::Refused(StoreError::ReadOnly(fault));
        }
        if !progress.is_ready {
            let fault = self.partition.fault();
            return Attempt::Again(fault.unwrap_or_else(|| "the partition is being read".into()));
        }
        let nonce = match Nonce::random() {
            Ok(nonce) => nonce,
            Err(error) => return Attempt::Again(error.to_string()),
        };
        let batches: Vec<&Batch> = group.iter().map(|job| &job.batch).collect();
        let options = &self.shared.options;
        let target = Target {
            layout: &options.layout,
            partition: self.partition.id,
            known: progress.position,
            stream_entries: options.stream_entries,
            stream_bytes: options.stream_bytes,
        };
        let call = Call::new(&target, nonce, &batches);
        let bytes = call.bytes();
        if bytes > CALL_BYTES_MAX {
            return Attempt::Refused(StoreError::TooLarge {
                what: "the size of the batch in bytes",
                value: bytes as u64,
                max: CALL_BYTES_MAX as u64,
            });
        }
        let wants_ranks = batches.iter().any(|batch| batch.with_ranks);
        let ranks = wants_ranks.then(|| self.partition.expect(nonce));
        let attempt = self.call(&call, progress.position, batches.len(), ranks).await;
        // Without an entry of its own, the call's wish for ranks would stay for ever.
        let has_entry =
            matches!(&attempt, Attempt::Done { position, .. } if position.nonce == nonce);
        if !has_entry && wants_ranks {
            self.partition.take_expected(nonce);
        }
        attempt
    }

    /// One call of a node that knows the partition up to `known`.
    async fn call(
        &mut self,
        call: &Call,
        known: Position,
        batches: usize,
        ranks: Option<Ranks>,
    ) -> Attempt {
        let session = self.partition.sessions.load(Ordering::Acquire);
        let mut link = match self.link(session).await {
            Ok(link) => link,
            Err(error) => return Attempt::Again(error.to_string()),
        };
        count(&self.shared.counters.calls);
        self.shared.counters.batches.fetch_add(batches as u64, Ordering::Relaxed);
        match run(&mut link, call, &self.shared).await {
            Ok(Answered::Done { sequence, nonce, batches }) => {
                self.link = Some((link, session));
                // The script carries out nothing in another incarnation than the one it is told.
                let position = Position { incarnation: known.incarnation, sequence, nonce };
                Attempt::Done { batches, position, ranks }
            }
            Ok(Answered::Refused(refused)) => {
                self.link = Some((link, session));
                if self.suspected.replace(known) != Some(known) {
                    self.partition.suspicion.notify_one();
                }
                refusal(refused)
            }
            Err(CallError::Replicas { wanted, reached }) => {
                self.link = Some((link, session));
                Attempt::Unknown(format!("{reached} of {wanted} replicas have it in time"))
            }
            Err(CallError::Wait(error)) => {
                self.shared.topology.learn(&error);
                Attempt::Unknown(format!("nobody knows how many replicas have it: {error}"))
            }
            Err(CallError::Redis(error)) => self.classify(&error),
        }
    }

    /// What an error says about the call. An answer of the server, whatever it says, means that
    /// nothing was written: the script can fail before its first write only.
    fn classify(&self, error: &RedisError) -> Attempt {
        let text = error.to_string();
        match error.kind() {
            ErrorKind::Server(
                ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::BusyLoading
                | ServerErrorKind::ReadOnly,
            ) => {
                self.shared.topology.learn(error);
                Attempt::Again(text)
            }
            ErrorKind::Server(_) | ErrorKind::Extension => {
                Attempt::Refused(StoreError::ReadOnly(text))
            }
            _ => {
                self.shared.topology.learn(error);
                Attempt::Unknown(text)
            }
        }
    }

    /// A connection to the primary. It is taken out: whoever uses it puts it back if it is good.
    async fn link(&mut self, session: u64) -> Result<Link, RedisError> {
        if let Some((link, made_in)) = self.link.take()
            && made_in == session
            && !self.shared.topology.is_outdated(&link)
        {
            return Ok(link);
        }
        let connected = self.shared.topology.connect(self.partition.id).await;
        if let Err(error) = &connected {
            self.shared.topology.learn(error);
        }
        connected
    }
}

/// What a call comes to that the script did not carry out.
fn refusal(refused: Refused) -> Attempt {
    match refused {
        Refused::Empty => {
            let what = "Redis has lost the partition; `rankd redis` says what can be done";
            Attempt::Refused(StoreError::ReadOnly(what.to_owned()))
        }
        Refused::Incarnation => Attempt::Again("the partition was begun anew".into()),
        Refused::Behind => Attempt::Again("Redis has lost acknowledged writes".into()),
    }
}

enum CallError {
    /// Of the script.
    Redis(RedisError),
    /// Of what came after it: whatever it says, the script was carried out.
    Wait(RedisError),
    Replicas {
        wanted: u32,
        reached: u32,
    },
}

impl From<RedisError> for CallError {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

/// Runs the script by its digest, or by its text where the server does not know it yet.
async fn run(link: &mut Link, call: &Call, shared: &Shared) -> Result<Answered, CallError> {
    let waited = tokio::time::timeout(shared.options.timeout, evaluate(link, call)).await;
    let answer = waited.map_err(|_| timed_out())??;
    let answered = Answered::parse(answer, &call.counts).map_err(malformed)?;
    let wanted = shared.options.wait_replicas;
    if wanted > 0 && matches!(answered, Answered::Done { .. }) {
        let timeout_ms = u64::try_from(shared.options.timeout.as_millis()).unwrap_or(u64::MAX);
        let mut wait = redis::cmd("WAIT");
        wait.arg(wanted).arg(timeout_ms);
        let reached = wait.query_async(&mut link.connection).await;
        let reached: u32 = reached.map_err(CallError::Wait)?;
        if reached < wanted {
            return Err(CallError::Replicas { wanted, reached });
        }
    }
    Ok(answered)
}

/// The script, with the digest that servers know it by.
static SCRIPT: LazyLock<redis::Script> = LazyLock::new(|| redis::Script::new(BATCH));

async fn evaluate(link: &mut Link, call: &Call) -> Result<Value, RedisError> {
    let with = |command: &str, script: &str| {
        let mut command = redis::cmd(command);
        command.arg(script).arg(call.keys.len()).arg(&call.keys).arg(&call.args);
        command
    };
    match with("EVALSHA", SCRIPT.get_hash()).query_async(&mut link.connection).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            with("EVAL", BATCH).query_async(&mut link.connection).await
        }
        answered => answered,
    }
}

fn timed_out() -> RedisError {
    (ErrorKind::Io, "Redis did not answer in time").into()
}

fn answer(group: Vec<Job>, replies: Vec<BatchReply>, position: Position, ranks: Option<&Ranks>) {
    let mut begin = 0;
    for (job, reply) in group.into_iter().zip(replies) {
        let Job { batch, reply: sender, .. } = job;
        let written = match &reply {
            BatchReply::Fresh(replies) => replies.iter().filter(|r| r.starts_with(b"w")).count(),
            _ => 0,
        };
        let ranks = ranks.filter(|_| batch.with_ranks).map(|ranks| (Arc::clone(ranks), begin));
        begin += written;
        let _gone = sender.send(Ok(Sent { batch, reply, position, ranks }));
    }
}

fn answer_all(group: Vec<Job>, error: &StoreError) {
    for job in group {
        let _gone = job.reply.send(Err(error.clone()));
    }
}
