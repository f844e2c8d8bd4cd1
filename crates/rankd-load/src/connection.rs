//! One connection of a test: requests out as they come due, answers in, each matched with the
//! request it belongs to by its order.
//!
//! Invariant: at most `pipeline` requests are on their way; every request that was due is counted
//! exactly once, as answered, refused or unanswered. Cost: a read, a write and a wait for each
//! round of requests that fit together.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, sleep_until, timeout};

use crate::error::LoadError;
use crate::mix::Operation;
use crate::pacer::Pacer;
use crate::plan::{Pace, Plan, limits};
use crate::recorder::{Recorder, Tally, shown};
use crate::schedule::Schedule;
use crate::source::Source;
use crate::target::Target;
use crate::wire::{Reply, Wire};

/// Pause before a lost connection is made again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);
/// Room for answers that a connection begins with, in bytes.
const INPUT_BYTES: usize = 16 * 1024;

/// What all connections of a thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) target: Target,
    pub(crate) plan: Plan,
    pub(crate) wire: Wire,
    pub(crate) recorder: Arc<Recorder>,
}

/// When a test begins, begins to count, and ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) start: Instant,
    pub(crate) counted_from: Instant,
    pub(crate) end: Instant,
}

impl Times {
    pub(crate) fn new(start: Instant, plan: &Plan) -> Self {
        let counted_from = start + plan.warmup;
        Self { start, counted_from, end: counted_from + plan.duration }
    }
}

/// A request that is on its way.
#[derive(Debug, Clone, Copy)]
struct Sent {
    operation: Operation,
    /// When it was meant to start.
    due: Instant,
    answers_left: u32,
    then_around: bool,
}

/// Connects, and says what a connection begins with.
///
/// # Errors
/// The target cannot be reached, or refuses the credentials.
pub(crate) async fn open(target: &Target, wire: &Wire) -> Result<TcpStream, LoadError> {
    let connecting = timeout(limits::PATIENCE, TcpStream::connect((&*target.host, target.port)));
    let refuse = |source| LoadError::Connect { address: target.address(), source };
    let connected = connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let mut stream = connected.map_err(refuse)?;
    stream.set_nodelay(true).map_err(refuse)?;
    let mut out = Vec::new();
    for _ in 0..wire.hello(&mut out) {
        let sent = std::mem::take(&mut out);
        ask(target, wire, &mut stream, &sent, "take the credentials").await?;
    }
    Ok(stream)
}

/// Sends a request and waits for its one answer; `None` if that says that nothing is there.
///
/// # Errors
/// The connection breaks, the answer is none, or it is a refusal to `step`.
pub(crate) async fn ask(
    target: &Target,
    wire: &Wire,
    stream: &mut TcpStream,
    request: &[u8],
    step: &'static str,
) -> Result<Option<u64>, LoadError> {
    let address = || target.address();
    let broken = |source| LoadError::Broken { address: address(), source };
    let mut input = Vec::with_capacity(INPUT_BYTES);
    let exchange = async {
        stream.write_all(request).await?;
        loop {
            match wire.decode(&input) {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return Ok(()),
            }
            if stream.read_buf(&mut input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    };
    let exchanged = timeout(limits::PATIENCE, exchange).await;
    exchanged.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(broken)?;
    match wire.decode(&input) {
        Ok(Some(answer)) => match answer.reply {
            Reply::Refused(text) => {
                Err(LoadError::Refused { address: address(), step, answer: shown(text) })
            }
            reply => Ok(wire.count(&reply)),
        },
        Ok(None) => Err(broken(io::ErrorKind::UnexpectedEof.into())),
        Err(reason) => Err(LoadError::Protocol { address: address(), reason: reason.to_owned() }),
    }
}

/// Runs one connection to the end of the test.
pub(crate) async fn run(shared: &Shared, number: u64, stream: TcpStream, times: Times) {
    let mut lane = match Lane::new(shared, number, times) {
        Ok(lane) => lane,
        Err(error) => {
            shared.recorder.tally().error(|| format!("no timer: {error}"));
            return;
        }
    };
    let mut stream = Some(stream);
    loop {
        let ended = match &mut stream {
            Some(stream) => lane.drive(stream).await,
            None => Ok(Ended::Closed),
        };
        let lost = match ended {
            Ok(Ended::Finished) => break,
            Ok(Ended::Closed) => None,
            Err(error) => Some(error.to_string()),
        };
        lane.forget(lost);
        if Instant::now() >= times.end {
            break;
        }
        stream = open(&shared.target, &shared.wire).await.ok();
        match stream {
            Some(_) => shared.recorder.tally().reconnects += 1,
            None => sleep(RECONNECT_PAUSE).await,
        }
    }
    lane.count_unanswered();
}

/// Why a connection is no longer driven.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// The test is over.
    Finished,
    /// The server closed it.
    Closed,
}

/// The state of one connection; it outlives a socket that breaks.
struct Lane<'a> {
    shared: &'a Shared,
    times: Times,
    source: Source,
    schedule: Option<Schedule>,
    pacer: Option<Pacer>,
    /// The number of the next request of the schedule.
    next: u64,
    sent: VecDeque<Sent>,
    out: Vec<u8>,
    out_from: usize,
    input: Vec<u8>,
    /// Wakes the connection at the end, and once more when the last answers are given up.
    alarm: Pin<Box<Sleep>>,
    /// The server said that it closes after this answer.
    is_closing: bool,
}

impl<'a> Lane<'a> {
    fn new(shared: &'a Shared, number: u64, times: Times) -> io::Result<Self> {
        let connections = u64::try_from(shared.plan.connections).unwrap_or(u64::MAX);
        let (schedule, pacer) = match shared.plan.pace {
            Pace::Closed => (None, None),
            Pace::Open { rate_per_s } => {
                let schedule = Schedule::new(rate_per_s, connections, number);
                (Some(schedule), Some(Pacer::new()?))
            }
        };
        Ok(Self {
            shared,
            times,
            source: Source::new(&shared.plan, number),
            schedule,
            pacer,
            next: 0,
            sent: VecDeque::new(),
            out: Vec::new(),
            out_from: 0,
            input: Vec::with_capacity(INPUT_BYTES),
            alarm: Box::pin(sleep_until(times.end.into())),
            is_closing: false,
        })
    }

    /// Sends and receives until the test ends or the connection does.
    async fn drive(&mut self, stream: &mut TcpStream) -> io::Result<Ended> {
        let (mut reader, mut writer) = stream.split();
        loop {
            let now = Instant::now();
            self.fill(now);
            if self.is_finished(now) {
                return Ok(Ended::Finished);
            }
            let due = self.next_due().filter(|_| self.has_room());
            let Self { out, out_from, input, pacer, alarm, .. } = self;
            let has_output = *out_from < out.len();
            let paced = async {
                match (pacer, due) {
                    (Some(pacer), Some(due)) => pacer.until(due).await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                written = writer.write(&out[*out_from..]), if has_output => *out_from += written?,
                read = reader.read_buf(input) => {
                    if read? == 0 {
                        return Ok(Ended::Closed);
                    }
                    self.take_answers()?;
                    if self.is_closing {
                        return Ok(Ended::Closed);
                    }
                }
                paced = paced => paced?,
                () = alarm.as_mut() => {
                    let until = self.times.end + limits::LAST_ANSWER_WAIT;
                    self.alarm.as_mut().reset(until.into());
                }
            }
        }
    }

    /// When the next request is due, if that is before the end.
    fn next_due(&self) -> Option<Instant> {
        let schedule = self.schedule?;
        let due = self.times.start.checked_add(schedule.start(self.next))?;
        (due < self.times.end).then_some(due)
    }

    fn has_room(&self) -> bool {
        self.sent.len() < self.shared.plan.pipeline
    }

    /// Writes out what is due and fits.
    fn fill(&mut self, now: Instant) {
        if self.out_from == self.out.len() {
            self.out.clear();
            self.out_from = 0;
        }
        while self.has_room() {
            let due = match (&self.schedule, self.next_due()) {
                (None, _) if now < self.times.end => now,
                (Some(_), Some(due)) if due <= now => due,
                _ => return,
            };
            self.next += 1;
            let operation = self.source.operation();
            let encoded = self.shared.wire.encode(operation, &mut self.source, &mut self.out);
            let (answers_left, then_around) = (encoded.answers, encoded.then_around);
            self.sent.push_back(Sent { operation, due, answers_left, then_around });
        }
    }

    /// Nothing is left to send or to wait for.
    fn is_finished(&self, now: Instant) -> bool {
        let is_over = now >= self.times.end;
        let gives_up = now >= self.times.end + limits::LAST_ANSWER_WAIT;
        is_over && (gives_up || (self.sent.is_empty() && self.next_due().is_none()))
    }

    /// Matches what has arrived with what was sent.
    fn take_answers(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let mut at = 0;
        let Self { shared, times, sent, input, out, is_closing, .. } = self;
        let mut tally = shared.recorder.tally();
        while let Some(answer) = shared.wire.decode(&input[at..]).map_err(io::Error::other)? {
            at += answer.bytes;
            *is_closing = answer.is_last;
            let Some(first) = sent.front_mut() else {
                return Err(io::Error::other("an answer came without a request"));
            };
            first.answers_left -= 1;
            if first.answers_left > 0 {
                continue;
            }
            let request = *first;
            sent.pop_front();
            match answer.reply {
                Reply::Integer(rank) if request.then_around => {
                    shared.wire.encode_around(rank, out);
                    sent.push_back(Sent { answers_left: 1, then_around: false, ..request });
                }
                reply => count(&mut tally, times, now, &request, &reply),
            }
        }
        drop(tally);
        self.input.drain(..at);
        Ok(())
    }

    /// A connection is gone: what was on its way gets no answer, nor does what follows it.
    fn forget(&mut self, lost: Option<String>) {
        let now = Instant::now();
        let mut tally = self.shared.recorder.tally();
        if let Some(error) = lost {
            tally.error(|| error);
        }
        for request in self.sent.drain(..) {
            if request.due >= self.times.counted_from {
                tally.unanswered += 1;
                tally.latency(request.operation, now.saturating_duration_since(request.due));
            }
        }
        drop(tally);
        self.out.clear();
        self.out_from = 0;
        self.input.clear();
        self.is_closing = false;
    }

    /// The test is over: what was due and could not be sent had waited until now.
    fn count_unanswered(&mut self) {
        self.forget(None);
        let now = Instant::now();
        while let Some(due) = self.next_due() {
            self.next += 1;
            let operation = self.source.operation();
            if due >= self.times.counted_from {
                let mut tally = self.shared.recorder.tally();
                tally.unanswered += 1;
                tally.latency(operation, now.saturating_duration_since(due));
            }
        }
    }
}

/// Counts an answered request.
fn count(tally: &mut Tally, times: &Times, now: Instant, request: &Sent, reply: &Reply<'_>) {
    let is_counted = now >= times.counted_from && now <= times.end;
    match reply {
        Reply::Refused(text) if is_counted => tally.error(|| shown(text)),
        Reply::Nil if is_counted => tally.error(|| "what was asked for is not there".to_owned()),
        Reply::Refused(_) | Reply::Nil => return,
        Reply::Body(_) | Reply::Integer(_) => tally.answered += u64::from(is_counted),
    }
    if request.due >= times.counted_from {
        tally.latency(request.operation, now.saturating_duration_since(request.due));
    }
}
