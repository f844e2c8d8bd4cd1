//! One connection: reads commands, has them carried out, writes the replies, all in turn.
//!
//! Invariant: nothing is read while replies wait to be written, so what a connection holds is
//! bounded by one reading and its replies. Cost: one read and one write a pipeline.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use rankd_engine::StoreError;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::args::is;
use crate::commands::pubsub;
use crate::ends::end_members;
use crate::failure::{Done, Failure, SYNTAX};
use crate::hub::Message;
use crate::limits::{
    AUTH_MS_MAX, INPUT_BYTES_MAX, OUTPUT_BYTES_TARGET, OUTPUT_BYTES_TOTAL_MAX, READ_BYTES,
    WATCHES_MAX, WRITE_MS_MAX,
};
use crate::session::{Card, Queue, Session};
use crate::shared::Shared;
use crate::table::Special;
use crate::window::{Core, Job, Step, Window};

/// The connection is over.
#[derive(Debug)]
pub(crate) struct Closed;

/// A connection that is served.
pub(crate) struct Connection {
    stream: TcpStream,
    pub(crate) core: Arc<Mutex<Core>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) card: Arc<Card>,
    inbox: mpsc::Receiver<Arc<Message>>,
    stop: watch::Receiver<bool>,
}

/// Bytes of replies that wait, counted as long as they do.
struct Waiting<'s>(&'s Shared, usize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting_bytes.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Connection {
    pub(crate) fn new(
        stream: TcpStream,
        session: Session,
        shared: Arc<Shared>,
        inbox: mpsc::Receiver<Arc<Message>>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let card = Arc::clone(&session.card);
        let core = Arc::new(Mutex::new(Core::new(session, Arc::clone(&shared))));
        Self { stream, core, shared, card, inbox, stop }
    }

    /// Serves the connection to its end.
    pub(crate) async fn serve(mut self) {
        let Closed = match self.go_on().await {
            Ok(()) => Closed,
            Err(closed) => closed,
        };
        pubsub::leave(&mut self.core.lock().session, &self.shared);
    }

    async fn go_on(&mut self) -> Result<(), Closed> {
        loop {
            self.carry_out_all().await?;
            self.flush().await?;
            let is_over = self.core.lock().session.is_closing || self.card.is_killed();
            if is_over {
                return Ok(());
            }
            self.wait_for_more().await?;
        }
    }

    /// Waits for bytes, for a message, or for the end.
    async fn wait_for_more(&mut self) -> Result<(), Closed> {
        let card = Arc::clone(&self.card);
        let patience = self.patience();
        let mut stop = self.stop.clone();
        let has_stopped = async move {
            // The sender lives as long as the server; without one there is nothing to serve.
            let _gone = stop.wait_for(|is_stopped| *is_stopped).await;
        };
        let over = async {
            match patience {
                Some(patience) => sleep(patience).await,
                None => pending().await,
            }
        };
        let Self { stream, inbox, core, .. } = self;
        core.lock().rest();
        let message = tokio::select! {
            read = read_some(stream) => return self.took(read),
            message = inbox.recv() => message.ok_or(Closed)?,
            () = card.kill.notified() => return Err(Closed),
            () = has_stopped => return Err(Closed),
            () = over => return Err(Closed),
        };
        let mut core = core.lock();
        message.write(&mut core.out);
        while core.out.bytes.len() < OUTPUT_BYTES_TARGET
            && let Ok(message) = inbox.try_recv()
        {
            message.write(&mut core.out);
        }
        Ok(())
    }

    /// How long the client may be silent.
    fn patience(&self) -> Option<Duration> {
        let core = self.core.lock();
        if !core.session.is_known {
            return Some(Duration::from_millis(AUTH_MS_MAX));
        }
        let idle_ms = self.shared.idle_ms.load(Ordering::Relaxed);
        let is_subscriber = core.session.subscriptions() > 0;
        (idle_ms > 0 && !is_subscriber).then(|| Duration::from_millis(idle_ms))
    }

    /// Reads more while a command waits; does not return without reason.
    pub(crate) async fn read_more(&mut self) -> Result<(), Closed> {
        let card = Arc::clone(&self.card);
        let is_full = self.core.lock().input.len() >= INPUT_BYTES_MAX;
        let Self { stream, stop, .. } = self;
        let read = tokio::select! {
            read = read_some(stream), if !is_full => read,
            () = card.kill.notified() => return Err(Closed),
            _ = stop.wait_for(|is_stopped| *is_stopped) => return Err(Closed),
        };
        self.took(read)
    }

    fn took(&self, read: std::io::Result<Vec<u8>>) -> Result<(), Closed> {
        let mut incoming = read.map_err(|_gone| Closed)?;
        if incoming.is_empty() {
            return Err(Closed);
        }
        self.shared.counters.input_bytes.fetch_add(incoming.len() as u64, Ordering::Relaxed);
        let mut core = self.core.lock();
        if core.input.is_empty() {
            core.input = incoming;
        } else {
            core.input.append(&mut incoming);
        }
        Ok(())
    }

    /// Carries out all commands that are complete.
    async fn carry_out_all(&mut self) -> Result<(), Closed> {
        let parsed = {
            let mut core = self.core.lock();
            let parsed = core.take_frames();
            if core.is_http() {
                tracing::debug!(client = self.card.address, "somebody speaks HTTP");
                return Err(Closed);
            }
            parsed
        };
        loop {
            let step = self.core.lock().step();
            match step {
                Step::Rest => break,
                Step::Queue => self.core.lock().queue(),
                Step::Special(special) => self.special(special).await?,
                Step::Turn { until, writes: false, .. } => {
                    end_members(&self.shared).await;
                    let Self { shared, core, .. } = &*self;
                    let core = Arc::clone(core);
                    shared.engine.read_keys(|turn| core.lock().run(turn, until));
                    self.core.lock().tell();
                }
                Step::Turn { until, bytes, .. } => {
                    let commands = until - self.core.lock().next;
                    self.transact(Job::Frames(until), bytes, commands).await;
                }
            }
            let (has_much, is_closing) = {
                let core = self.core.lock();
                (core.out.bytes.len() >= OUTPUT_BYTES_TARGET, core.session.is_closing)
            };
            if is_closing {
                return Ok(());
            }
            if has_much {
                self.flush().await?;
            }
        }
        if let Err(error) = parsed {
            let mut core = self.core.lock();
            core.out.error(format!("ERR {error}").as_bytes());
            core.session.is_closing = true;
        }
        Ok(())
    }

    /// Has the store carry out a job; false if it had nothing to answer with. What cannot be made
    /// durable is answered with an error for each of its commands.
    pub(crate) async fn transact(&mut self, job: Job, bytes: u64, commands: usize) -> bool {
        end_members(&self.shared).await;
        let (mark, first) = {
            let core = self.core.lock();
            (core.out.mark(), core.next)
        };
        let is_frames = matches!(job, Job::Frames(_));
        let window = Window { core: Arc::clone(&self.core), job, bytes, is_served: false };
        let done = self.shared.engine.transact(window).await;
        let mut core = self.core.lock();
        match done {
            Ok(window) => {
                core.tell();
                window.is_served
            }
            Err(error) => {
                let has_run = core.next > first;
                let count = if has_run { core.next - first } else { commands };
                core.refuse(mark, count, &refusal(&error));
                if is_frames && !has_run {
                    core.next = first + commands;
                }
                true
            }
        }
    }

    /// Answers the next frame with this.
    pub(crate) fn answer_next(&mut self, answer: Done) {
        let mut core = self.core.lock();
        core.next += 1;
        match answer {
            Ok(()) => core.out.ok(),
            Err(Failure(text)) => core.out.error(&text),
        }
    }

    async fn special(&mut self, special: Special) -> Result<(), Closed> {
        let checked = self.core.lock().check_next();
        if let Err(failure) = checked {
            self.refuse_special(special, failure);
            return Ok(());
        }
        match special {
            Special::Multi => self.multi(),
            Special::Exec => self.exec().await,
            Special::Discard => self.discard(),
            Special::Watch => self.watch(),
            Special::PopMin | Special::PopMax | Special::PopMany => return self.pop(special).await,
            Special::Save => self.save().await,
            Special::BackgroundSave => self.save_in_background(),
            Special::Sleep => self.debug().await,
            Special::Shutdown => {
                tracing::info!(client = self.card.address, "asked to shut down");
                self.shared.stop.notify_one();
                return Err(Closed);
            }
            Special::Reset => self.reset(),
            Special::Quit => {
                self.answer_next(Ok(()));
                self.core.lock().session.is_closing = true;
            }
        }
        Ok(())
    }

    /// Answers a command that cannot be carried out, and voids the transaction under way.
    fn refuse_special(&mut self, special: Special, Failure(text): Failure) {
        let mut core = self.core.lock();
        let mut failure = Failure(text.clone());
        if special == Special::Exec {
            core.session.queue = None;
            core.session.watched.clear();
            let why = text.strip_prefix(b"ERR ").unwrap_or(&text);
            let why = String::from_utf8_lossy(why);
            let text = format!("EXECABORT Transaction discarded because of: {why}");
            failure = Failure::of(text);
        } else if let Some(queue) = &mut core.session.queue {
            queue.is_aborted = true;
        }
        drop(core);
        self.answer_next(Err(failure));
    }

    fn multi(&mut self) {
        const NESTED: Failure = Failure::new("ERR MULTI calls can not be nested");
        let is_nested = self.core.lock().session.queue.is_some();
        if !is_nested {
            self.core.lock().session.queue = Some(Queue::default());
        }
        self.answer_next(if is_nested { Err(NESTED) } else { Ok(()) });
    }

    fn discard(&mut self) {
        const NONE: Failure = Failure::new("ERR DISCARD without MULTI");
        let queue = self.core.lock().session.queue.take();
        if queue.is_some() {
            self.core.lock().session.watched.clear();
        }
        self.answer_next(queue.map(|_| ()).ok_or(NONE));
    }

    async fn exec(&mut self) {
        const NONE: Failure = Failure::new("ERR EXEC without MULTI");
        const ABORTED: Failure =
            Failure::new("EXECABORT Transaction discarded because of previous errors.");
        let queue = self.core.lock().session.queue.take();
        let queue = match queue {
            None => return self.answer_next(Err(NONE)),
            Some(queue) if queue.is_aborted => {
                self.core.lock().session.watched.clear();
                return self.answer_next(Err(ABORTED));
            }
            Some(queue) => queue,
        };
        self.core.lock().next += 1;
        let bytes = queue.bytes;
        self.transact(Job::Exec(queue), bytes, 1).await;
    }

    fn watch(&mut self) {
        const NOT_HERE: Failure = Failure::new("ERR WATCH inside MULTI is not allowed");
        const TOO_MANY: Failure = Failure::new("ERR too many watched keys");
        let core = self.core.lock();
        let keys: Vec<Box<[u8]>> = core.args()[1..].iter().map(|key| Box::from(*key)).collect();
        let refusal = if core.session.queue.is_some() {
            Some(NOT_HERE)
        } else if core.session.watched.len() + keys.len() > WATCHES_MAX {
            Some(TOO_MANY)
        } else {
            None
        };
        drop(core);
        if let Some(refusal) = refusal {
            return self.answer_next(Err(refusal));
        }
        let marks = self.shared.engine.read_keys(|turn| {
            keys.into_iter().map(|key| (key.clone(), turn.mark(&key))).collect::<Vec<_>>()
        });
        self.core.lock().session.watched.extend(marks);
        self.answer_next(Ok(()));
    }

    async fn save(&mut self) {
        let saved = self.shared.engine.snapshot().await;
        if saved.is_ok() {
            self.shared.last_save_ms.store(self.shared.engine.now_ms(), Ordering::Relaxed);
        }
        self.answer_next(saved.map(|_| ()).map_err(|error| Failure::of(format!("ERR {error}"))));
    }

    fn save_in_background(&mut self) {
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            match shared.engine.snapshot().await {
                Ok(_) => shared.last_save_ms.store(shared.engine.now_ms(), Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "a snapshot that a client asked for failed"),
            }
        });
        let mut core = self.core.lock();
        core.next += 1;
        core.out.simple("Background saving started");
    }

    /// What test suites of clients need of DEBUG.
    async fn debug(&mut self) {
        let asked: Result<Option<f64>, Failure> = {
            let core = self.core.lock();
            match &*core.args() {
                [_, word, seconds] if is(word, "sleep") => crate::number::read_double(seconds)
                    .filter(|seconds| (0.0..=60.0).contains(seconds))
                    .map(Some)
                    .ok_or(SYNTAX),
                [_, word, _] if is(word, "set-active-expire") || is(word, "jmap") => Ok(None),
                [_, word] if is(word, "jmap") => Ok(None),
                [_, word, ..] => Err(crate::commands::unknown_subcommand("DEBUG", word)),
                _ => Err(SYNTAX),
            }
        };
        if let Ok(Some(seconds)) = asked {
            sleep(Duration::from_secs_f64(seconds)).await;
        }
        self.answer_next(asked.map(|_| ()));
    }

    fn reset(&mut self) {
        let mut core = self.core.lock();
        let core = &mut *core;
        pubsub::leave(&mut core.session, &self.shared);
        crate::commands::connection::reset(&mut core.out, &mut core.session);
        core.session.is_known = !self.shared.has_password();
        core.next += 1;
        core.out.simple("RESET");
    }

    /// Writes what there is.
    pub(crate) async fn flush(&mut self) -> Result<(), Closed> {
        let mut bytes = std::mem::take(&mut self.core.lock().out.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let waiting = self.shared.waiting_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        let _waiting = Waiting(&self.shared, bytes.len());
        if waiting + bytes.len() > OUTPUT_BYTES_TOTAL_MAX {
            return Err(Closed);
        }
        let mut written = 0;
        while written < bytes.len() {
            match self.stream.try_write(&bytes[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let patience = Duration::from_millis(WRITE_MS_MAX);
                    let ready = timeout(patience, self.stream.writable()).await;
                    ready.map_err(|_late| Closed)?.map_err(|_gone| Closed)?;
                }
                Err(_gone) => return Err(Closed),
            }
            if self.card.is_killed() {
                return Err(Closed);
            }
        }
        self.shared.counters.output_bytes.fetch_add(written as u64, Ordering::Relaxed);
        bytes.clear();
        bytes.shrink_to(OUTPUT_BYTES_TARGET);
        self.core.lock().out.bytes = bytes;
        Ok(())
    }
}

/// Reads what has come; nothing at the end. Room for it is made only then: most connections are
/// silent at most times. Given up, it has read nothing.
async fn read_some(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    stream.readable().await?;
    let mut incoming = Vec::with_capacity(READ_BYTES);
    stream.read_buf(&mut incoming).await?;
    Ok(incoming)
}

/// What a client is told of a store that does not take writes; the first word is Redis'.
fn refusal(error: &StoreError) -> String {
    match error {
        StoreError::ReadOnly(_) | StoreError::NotDurable(_) => format!("MISCONF {error}"),
        StoreError::Closed => "ERR the server is shutting down".to_owned(),
        error => format!("ERR {error}"),
    }
}
