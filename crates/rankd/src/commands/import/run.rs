//! One run of an import: batches in order, each written once, with what is certain kept in mind.

use std::io::BufRead;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use rankd_client::Applied;
use tokio::sync::mpsc;

use super::ImportArgs;
use super::sink::Sink;
use crate::rows::{Batch, Batches, RowData, RowKind, Stop};
use crate::target::WriteError;

/// How often a batch is tried before the run gives up: for some 20 seconds, so that a server may
/// be restarted meanwhile.
const ATTEMPTS_MAX: u32 = 9;
/// Pause before the second attempt, in milliseconds; it doubles with each one.
const PAUSE_MS: u64 = 250;
/// Longest pause between two attempts, in milliseconds.
const PAUSE_MS_MAX: u64 = 4_000;
/// Most refused rows that are kept to be shown.
pub(super) const REFUSED_SHOWN_MAX: usize = 10;

/// The lines that a batch was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) first: u64,
    pub(super) last: u64,
}

/// What a run has come to so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rows that were written and changed something.
    pub(super) applied: u64,
    /// Rows that were written and changed nothing.
    pub(super) unchanged: u64,
    /// Rows that an earlier run had written; they counted then, and are in neither number above.
    pub(super) replayed: u64,
    /// Rows that were refused one by one.
    pub(super) refused: u64,
    /// Line and reason of the first of them.
    pub(super) refused_shown: Vec<String>,
    /// Last line of the last batch that is in.
    pub(super) last_line: Option<u64>,
}

impl Tally {
    /// Rows that this run wrote.
    pub(super) fn rows(&self) -> u64 {
        self.applied + self.unchanged
    }
}

/// Why a run ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// There are no more rows, or no more that can be read.
    Input(Stop),
    /// Rows of this batch were refused; the others of it are in.
    Refused(Lines),
    /// This batch could not be written.
    Write { lines: Lines, error: anyhow::Error, may_take_effect: bool },
    /// The user stopped it; this batch was under way.
    Interrupted(Option<Lines>),
}

/// One run.
pub(super) struct Run<'a, S> {
    pub(super) args: &'a ImportArgs,
    pub(super) sink: S,
    progress: ProgressBar,
    pub(super) started: Instant,
    pub(super) tally: Tally,
}

impl<'a, S: Sink> Run<'a, S> {
    pub(super) fn new(args: &'a ImportArgs, sink: S, bytes: Option<u64>) -> Self {
        Self {
            args,
            sink,
            progress: progress_bar(bytes),
            started: Instant::now(),
            tally: Tally::default(),
        }
    }

    /// Writes all batches, until there is a reason to stop.
    pub(super) async fn write_all<R, K>(&mut self, batches: Batches<R, K>) -> Ending
    where
        R: BufRead + Send + 'static,
        K: RowKind<Row = S::Row>,
    {
        let (sender, mut receiver) = mpsc::channel(1);
        let reader = tokio::task::spawn_blocking(move || read(batches, &sender));
        let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
        loop {
            let batch = tokio::select! {
                batch = receiver.recv() => batch,
                _ = &mut interrupt => return Ending::Interrupted(None),
            };
            let Some(batch) = batch else { break };
            let ending = tokio::select! {
                ending = self.write(&batch) => ending,
                _ = &mut interrupt => return Ending::Interrupted(Some(lines(&batch))),
            };
            if let Some(ending) = ending {
                return ending;
            }
        }
        self.progress.finish_and_clear();
        Ending::Input(reader.await.expect("the reader has no panic in it"))
    }

    /// Writes a batch; `Some` if that ends the run.
    async fn write(&mut self, batch: &Batch<S::Row>) -> Option<Ending> {
        let lines = lines(batch);
        let applied = match self.attempt(batch).await {
            Ok(applied) => applied,
            Err(WriteError { error, may_take_effect, .. }) => {
                return Some(Ending::Write { lines, error, may_take_effect });
            }
        };
        self.count(batch, &applied);
        self.progress.set_position(batch.bytes_read);
        self.progress
            .set_message(rate(self.tally.rows() + self.tally.replayed, self.started.elapsed()));
        let stops = !applied.rejected.is_empty() && !self.args.skip_bad;
        stops.then_some(Ending::Refused(lines))
    }

    /// Tries to write a batch, again and again while there is hope.
    async fn attempt(&self, batch: &Batch<S::Row>) -> Result<Applied, WriteError> {
        let mut may_take_effect = false;
        let mut attempt = 1;
        loop {
            let mut error = match self.sink.write(batch).await {
                // An answer that was lost on the way is this run's own work all the same.
                Ok(applied) => {
                    let replayed = applied.replayed && !may_take_effect;
                    return Ok(Applied { replayed, ..applied });
                }
                Err(error) => error,
            };
            may_take_effect |= error.may_take_effect;
            if !error.is_passing || attempt == ATTEMPTS_MAX {
                error.may_take_effect = may_take_effect;
                return Err(error);
            }
            self.progress.set_message(format!("waiting: {}", error.error));
            let pause_ms = (PAUSE_MS << (attempt - 1)).min(PAUSE_MS_MAX);
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            attempt += 1;
        }
    }

    fn count(&mut self, batch: &Batch<S::Row>, applied: &Applied) {
        let tally = &mut self.tally;
        if applied.replayed {
            tally.replayed += applied.applied + applied.unchanged;
        } else {
            tally.applied += applied.applied;
            tally.unchanged += applied.unchanged;
        }
        tally.refused += applied.rejected.len() as u64;
        tally.last_line = Some(batch.last_line());
        for refused in &applied.rejected {
            if tally.refused_shown.len() < REFUSED_SHOWN_MAX {
                let line = batch.rows.get(refused.index).map_or(0, S::Row::line);
                tally.refused_shown.push(format!("line {line}: {}", refused.detail));
            }
        }
    }
}

/// Hands over batches until there are no more, or nobody wants them.
fn read<R: BufRead, K: RowKind>(
    mut batches: Batches<R, K>,
    sender: &mpsc::Sender<Batch<K::Row>>,
) -> Stop {
    while let Some(batch) = batches.next_batch() {
        if sender.blocking_send(batch).is_err() {
            break;
        }
    }
    batches.finish()
}

fn lines<T: RowData>(batch: &Batch<T>) -> Lines {
    Lines { first: batch.from_line, last: batch.last_line() }
}

/// Rows per second, in words.
pub(super) fn rate(rows: u64, elapsed: Duration) -> String {
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).max(1);
    let per_second = u128::from(rows) * 1_000_000 / u128::from(micros);
    format!("{} rows/s", crate::output::grouped(u64::try_from(per_second).unwrap_or(u64::MAX)))
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (ProgressBar::new(bytes), "{bar:30} {bytes}/{total_bytes} {msg} {eta}"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {msg}"),
    };
    let style = ProgressStyle::with_template(template).expect("a template that is well-formed");
    bar.with_style(style)
}
