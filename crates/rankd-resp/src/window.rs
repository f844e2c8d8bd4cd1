//! Commands on their way through a turn: a run of those that a client sent together, a
//! transaction, or one that waits for members.
//!
//! Invariant: replies are in the order of the commands, one each; what a command wrote before it
//! failed is taken back. Cost: a look-up a command, then that of the command.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use rankd_engine::{KeyTurn, Name, Procedure};

use crate::commands::zpop;
use crate::failure::{Done, Failure};
use crate::fast;
use crate::frame::Frames;
use crate::limits::{
    OUTPUT_BYTES_TARGET, READ_BYTES, REPLY_BYTES_MAX, RESTING_ARGS_MAX, RESTING_OUTPUT_BYTES_MAX,
    TURN_BYTES_MAX, TURN_COMMANDS_MAX,
};
use crate::reply::Reply;
use crate::session::{Queue, Replies, Session};
use crate::shared::Shared;
use crate::table::{Class, Command, Special, find};

/// What commands bring about beside replies and changes, once those are durable.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Channel and payload.
    events: Vec<(Vec<u8>, Name)>,
    /// Keys that may have members for those who wait.
    fed: Vec<Name>,
}

/// What a handler works with.
pub(crate) struct Cx<'c, 't> {
    pub(crate) turn: &'c mut KeyTurn<'t>,
    pub(crate) out: &'c mut Reply,
    pub(crate) session: &'c mut Session,
    pub(crate) shared: &'c Shared,
    pub(crate) effects: &'c mut Effects,
}

impl Cx<'_, '_> {
    pub(crate) fn random(&mut self) -> u64 {
        self.session.random()
    }

    /// The key may have members for those who wait.
    pub(crate) fn fed(&mut self, key: &[u8]) {
        if self.shared.hub.waiting() > 0 {
            self.effects.fed.push(key.into());
        }
    }

    /// Something happened to the key.
    pub(crate) fn event(&mut self, class: char, event: &str, key: &[u8]) {
        let events = &mut self.effects.events;
        self.shared.event(class, event, key, |channel, payload| {
            events.push((channel, payload.into()));
        });
    }

    /// So many things were removed from the key, which may be gone with them.
    pub(crate) fn removed(&mut self, class: char, event: &str, key: &[u8], count: usize) {
        if count == 0 || self.shared.publishes(class) == self.shared.publishes('?') {
            return;
        }
        self.event(class, event, key);
        if self.turn.kind(key).is_none() {
            self.event('g', "del", key);
        }
    }
}

/// Everything of a connection but its socket.
pub(crate) struct Core {
    pub(crate) input: Vec<u8>,
    pub(crate) frames: Frames,
    /// The command of each frame, as far as they were looked up.
    plan: Vec<Option<&'static Command>>,
    /// The next frame to be carried out.
    pub(crate) next: usize,
    pub(crate) out: Reply,
    pub(crate) session: Session,
    pub(crate) shared: Arc<Shared>,
    pub(crate) effects: Effects,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: all frames are done.
    Rest,
    /// The frames before this one, in one turn.
    Turn { until: usize, writes: bool, bytes: u64 },
    /// One command that is no part of a turn.
    Special(Special),
    /// One command that a transaction takes, or that is refused.
    Queue,
}

impl Core {
    pub(crate) fn new(session: Session, shared: Arc<Shared>) -> Self {
        Self {
            input: Vec::new(),
            frames: Frames::default(),
            plan: Vec::new(),
            next: 0,
            out: Reply::default(),
            session,
            shared,
            effects: Effects::default(),
        }
    }

    /// Forgets the frames that are done, and takes those that have come.
    ///
    /// # Errors
    /// [`crate::frame::ProtocolError`]; the frames before it are there.
    pub(crate) fn take_frames(&mut self) -> Result<(), crate::frame::ProtocolError> {
        self.forget_frames();
        let parsed = self.frames.parse(&self.input, self.session.is_known);
        let mut args = Vec::new();
        // Pipelines are made of the same few commands: most are called as the one before them.
        let mut before: (&[u8], Option<&'static Command>) = (&[], None);
        for frame in 0..self.frames.len() {
            self.frames.args(frame, &self.input, &mut args);
            if before.0 != args[0] {
                before = (args[0], find(args[0]));
            }
            self.plan.push(before.1);
        }
        parsed
    }

    fn forget_frames(&mut self) {
        debug_assert_eq!(self.next, self.frames.len(), "all frames are done");
        let consumed = self.frames.consumed();
        self.input.drain(..consumed);
        self.frames.clear();
        self.plan.clear();
        self.next = 0;
    }

    /// Gives memory back that is not needed while the client is silent, but for what the next
    /// small command would ask for again. All frames are done.
    pub(crate) fn rest(&mut self) {
        self.forget_frames();
        // Of a large command that comes in pieces, each piece would copy all others.
        if self.input.len() < READ_BYTES {
            self.input.shrink_to_fit();
        }
        self.frames.shrink_to(RESTING_ARGS_MAX);
        self.plan.shrink_to(RESTING_ARGS_MAX);
        self.out.bytes.shrink_to(RESTING_OUTPUT_BYTES_MAX);
    }

    /// Whether these are the lines of an HTTP request, which a web page may have made somebody's
    /// browser send.
    pub(crate) fn is_http(&self) -> bool {
        let mut args = Vec::new();
        (self.next..self.frames.len()).any(|frame| {
            if self.plan[frame].is_some() {
                return false;
            }
            self.frames.args(frame, &self.input, &mut args);
            args[0].eq_ignore_ascii_case(b"post") || args[0].eq_ignore_ascii_case(b"host:")
        })
    }

    /// What is to be done next.
    pub(crate) fn step(&self) -> Step {
        let Some(command) = self.plan.get(self.next) else { return Step::Rest };
        if let Some(command) = command
            && let Class::Special(special) = command.class
            && (self.session.queue.is_none() || special.is_of_transactions())
        {
            return Step::Special(special);
        }
        if self.session.queue.is_some() {
            return Step::Queue;
        }
        let (mut until, mut writes, mut bytes) = (self.next, false, 0);
        let mut args = Vec::new();
        while let Some(command) = self.plan.get(until) {
            let class = command.map_or(Class::Plain, |command| command.class);
            if matches!(class, Class::Special(_)) || until - self.next >= TURN_COMMANDS_MAX {
                break;
            }
            if class == Class::Write {
                self.frames.args(until, &self.input, &mut args);
                let more = log_bytes(&args);
                if bytes > 0 && bytes + more > TURN_BYTES_MAX {
                    break;
                }
                (writes, bytes) = (true, bytes + more);
            }
            until += 1;
        }
        Step::Turn { until, writes, bytes }
    }

    /// The arguments of the next frame.
    pub(crate) fn args(&self) -> Vec<&[u8]> {
        let mut args = Vec::new();
        self.frames.args(self.next, &self.input, &mut args);
        args
    }

    /// Whether the next frame may be carried out at all.
    pub(crate) fn check_next(&self) -> Done {
        let args = self.args();
        check(&self.session, &self.shared, self.plan[self.next], &args).map(|_| ())
    }

    /// Carries out frames before `until`, unless the replies become too many before that.
    pub(crate) fn run(&mut self, turn: &mut KeyTurn<'_>, until: usize) {
        let Self { input, frames, plan, next, out, session, shared, effects } = self;
        let mut args = Vec::new();
        let mut cx = Cx { turn, out, session, shared, effects };
        let (first, mut prefetched) = (*next, *next);
        let mut clock = Instant::now();
        while *next < until && cx.out.bytes.len() < OUTPUT_BYTES_TARGET && !cx.session.is_closing {
            let frames = fast::Frames { frames, input, plan, until };
            if let Some(done) = fast::run(&mut cx, &frames, *next) {
                *next += done;
                prefetched = *next;
                continue;
            }
            if prefetched == *next {
                prefetched += fast::prefetch(&mut cx, &frames, *next);
            }
            frames.frames.args(*next, input, &mut args);
            carry_out(&mut cx, plan[*next], &args, &mut clock);
            *next += 1;
        }
        cx.shared
            .counters
            .commands
            .fetch_add((*next - first) as u64, std::sync::atomic::Ordering::Relaxed);
    }

    /// Adds the next frame to the transaction, or refuses it.
    pub(crate) fn queue(&mut self) {
        let mut args = Vec::new();
        self.frames.args(self.next, &self.input, &mut args);
        let command = self.plan[self.next];
        self.next += 1;
        let refusal = check(&self.session, &self.shared, command, &args)
            .and_then(|command| {
                const NOT_HERE: Failure =
                    Failure::new("ERR Command not allowed inside a transaction");
                if command.is_outside_transactions { Err(NOT_HERE) } else { Ok(()) }
            })
            .err();
        let Some(queue) = &mut self.session.queue else { return };
        let bytes = log_bytes(&args);
        if let Some(Failure(text)) = refusal {
            queue.is_aborted = true;
            self.out.error(&text);
        } else if queue.bytes + bytes > TURN_BYTES_MAX {
            queue.is_aborted = true;
            self.out.error(b"ERR the transaction is too large");
        } else {
            queue.bytes += bytes;
            queue.commands.push(args.iter().map(|arg| Box::from(*arg)).collect());
            self.out.simple("QUEUED");
        }
    }

    /// Carries out a transaction, unless a watched key was changed.
    pub(crate) fn exec(&mut self, turn: &mut KeyTurn<'_>, queue: &Queue) {
        let watched = std::mem::take(&mut self.session.watched);
        if watched.iter().any(|(key, mark)| turn.mark(key) != *mark) {
            self.out.null_array();
            return;
        }
        let mut clock = Instant::now();
        self.out.array(queue.commands.len());
        let Self { out, session, shared, effects, .. } = self;
        let mut cx = Cx { turn, out, session, shared, effects };
        for command in &queue.commands {
            let args: Vec<&[u8]> = command.iter().map(|arg| &**arg).collect();
            carry_out(&mut cx, find(args[0]), &args, &mut clock);
        }
    }

    /// Tells those who wait and those who subscribed what has become durable.
    pub(crate) fn tell(&mut self) {
        for (channel, payload) in self.effects.events.drain(..) {
            self.shared.hub.publish(&channel, &payload);
        }
        for key in self.effects.fed.drain(..) {
            self.shared.hub.fed(&key);
        }
    }

    /// Replaces what was said since `mark` by an error for each of `commands`.
    pub(crate) fn refuse(&mut self, mark: usize, commands: usize, text: &str) {
        self.out.bytes.truncate(mark);
        self.effects.events.clear();
        for _ in 0..commands {
            self.out.error(text.as_bytes());
        }
    }
}

/// An upper bound of what a command becomes in the log, but for what the engine bounds itself: what
/// it says, and with each of its arguments the key again.
pub(crate) fn log_bytes(args: &[&[u8]]) -> u64 {
    const CHANGE_BYTES: usize = 64;
    let sent: usize = args.iter().map(|arg| arg.len()).sum();
    let key = args.get(1).map_or(0, |key| key.len());
    (sent + args.len() * (CHANGE_BYTES + key)) as u64
}

/// Whether the command may be carried out at all, whatever it does.
fn check(
    session: &Session,
    shared: &Shared,
    command: Option<&'static Command>,
    args: &[&[u8]],
) -> Result<&'static Command, Failure> {
    const UNKNOWN_CLIENT: Failure = Failure::new("NOAUTH Authentication required.");
    let command = command.ok_or_else(|| unknown(args))?;
    if !command.takes(args.len()) {
        let name = command.name;
        return Err(Failure::of(format!("ERR wrong number of arguments for '{name}' command")));
    }
    if !session.is_known && !command.is_for_unknown {
        return Err(UNKNOWN_CLIENT);
    }
    debug_assert!(session.is_known || shared.has_password(), "only a password keeps them out");
    Ok(command)
}

fn unknown(args: &[&[u8]]) -> Failure {
    const SHOWN_MAX: usize = 128;
    let shown = |arg: &[u8], max: usize| {
        let end = arg.iter().position(|byte| *byte == 0).unwrap_or(arg.len());
        arg[..end.min(max)].to_vec()
    };
    let mut beginning = Vec::new();
    for arg in &args[1..] {
        if beginning.len() >= SHOWN_MAX {
            break;
        }
        let arg = shown(arg, SHOWN_MAX - beginning.len());
        beginning.push(b'\'');
        beginning.extend(arg);
        beginning.extend_from_slice(b"' ");
    }
    let name = shown(args[0], SHOWN_MAX);
    let text =
        [b"ERR unknown command '", &*name, b"', with args beginning with: ", &*beginning].concat();
    Failure(text.into())
}

/// Carries out one command and writes its reply. `clock` is when the one before it ended.
fn carry_out(
    cx: &mut Cx<'_, '_>,
    command: Option<&'static Command>,
    args: &[&[u8]],
    clock: &mut Instant,
) {
    let mark = cx.out.mark();
    let slower_than_us = cx.shared.slower_than_us.load(std::sync::atomic::Ordering::Relaxed);
    if let Err(Failure(text)) = answer(cx, command, args) {
        cx.out.bytes.truncate(mark);
        cx.out.error(&text);
    }
    if cx.out.bytes.len() - mark > REPLY_BYTES_MAX {
        cx.out.bytes.truncate(mark);
        cx.out.error(b"ERR the reply is too large");
    }
    match cx.session.replies {
        Replies::On => {}
        Replies::Off => cx.out.bytes.truncate(mark),
        Replies::Skip(is_next) => {
            cx.out.bytes.truncate(mark);
            cx.session.replies = if is_next { Replies::Skip(false) } else { Replies::On };
        }
    }
    if slower_than_us < 0 {
        return;
    }
    let ended = Instant::now();
    let took_us = u64::try_from((ended - *clock).as_micros()).unwrap_or(u64::MAX);
    *clock = ended;
    if took_us >= slower_than_us.unsigned_abs() {
        cx.shared.slow(took_us, args, &cx.session.card);
    }
}

fn answer(cx: &mut Cx<'_, '_>, command: Option<&'static Command>, args: &[&[u8]]) -> Done {
    const TOO_LARGE: Failure = Failure::new("ERR the command is larger than one turn can write");
    let command = check(cx.session, cx.shared, command, args)?;
    let is_subscriber = cx.session.subscriptions() > 0;
    if is_subscriber
        && cx.out.version == crate::reply::Version::Resp2
        && !command.is_for_subscribers
    {
        let name = command.name;
        return Err(Failure::of(format!(
            "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
             RESET are allowed in this context"
        )));
    }
    match command.class {
        Class::Write if log_bytes(args) > TURN_BYTES_MAX => Err(TOO_LARGE),
        Class::Special(special) => in_transaction(cx, special, args),
        Class::Read | Class::Write | Class::Plain => (command.run)(cx, args),
    }
}

/// What commands that are no part of a turn do in a transaction: nothing that waits.
fn in_transaction(cx: &mut Cx<'_, '_>, special: Special, args: &[&[u8]]) -> Done {
    const NOT_HERE: Failure = Failure::new("ERR Command not allowed inside a transaction");
    let is_served = match special {
        Special::PopMin | Special::PopMax => {
            let (keys, _) = crate::blocking::keys_and_timeout(args)?;
            zpop::pop_one(cx, keys, special == Special::PopMax)?
        }
        Special::PopMany => {
            crate::blocking::timeout(args[1])?;
            zpop::pop_first(cx, &zpop::ManyKeys::read(&args[2..])?)?
        }
        _ => return Err(NOT_HERE),
    };
    if !is_served {
        cx.out.null_array();
    }
    Ok(())
}

/// What a turn is for.
pub(crate) enum Job {
    /// The frames before this one.
    Frames(usize),
    /// A transaction.
    Exec(Queue),
    /// One try of a command that waits for members.
    Pop(Special),
}

/// A job of a connection, as the store carries it.
pub(crate) struct Window {
    pub(crate) core: Arc<Mutex<Core>>,
    pub(crate) job: Job,
    pub(crate) bytes: u64,
    /// Whether there were members for a command that waits for them.
    pub(crate) is_served: bool,
}

impl Procedure for Window {
    fn bytes_max(&self) -> u64 {
        self.bytes
    }

    fn run(&mut self, turn: &mut KeyTurn<'_>) {
        let core = &mut *self.core.lock();
        match &self.job {
            Job::Frames(until) => core.run(turn, *until),
            Job::Exec(queue) => core.exec(turn, queue),
            Job::Pop(special) => self.is_served = core.pop(turn, *special),
        }
    }
}

impl Core {
    /// One try of a command that waits. True if it has its answer, which may be an error.
    fn pop(&mut self, turn: &mut KeyTurn<'_>, special: Special) -> bool {
        let Self { input, frames, next, out, session, shared, effects, .. } = self;
        let mut args = Vec::new();
        frames.args(*next, input, &mut args);
        let mut cx = Cx { turn, out, session, shared, effects };
        let mark = cx.out.mark();
        let popped = match special {
            Special::PopMany => {
                zpop::ManyKeys::read(&args[2..]).and_then(|asked| zpop::pop_first(&mut cx, &asked))
            }
            _ => zpop::pop_one(&mut cx, &args[1..args.len() - 1], special == Special::PopMax),
        };
        popped.unwrap_or_else(|Failure(text)| {
            cx.out.bytes.truncate(mark);
            cx.out.error(&text);
            true
        })
    }
}
