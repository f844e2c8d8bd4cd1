//! Loading the data set: once, whatever happens in between.
//!
//! The work is cut into numbered batches, and each batch also writes its number down as the
//! display name of a reserved member. A batch is one log record, so the number and the scores
//! are there together or not at all: a demo that was killed goes on where it was, and one that
//! was complete does nothing.

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rankd_engine::limits::BATCH_INTENTS_MAX;
use rankd_engine::{Answer, Engine, Intent, Outcome};

use super::data::{self, VERSION, WRITES_PER_ROW};

/// The member whose display name says how far the loading is. It is on no board.
const MARK: &str = "rankd-demo/loaded";
/// Rows of batting in a batch, so that their writes and the mark are within the limit.
const ROWS_PER_BATCH: usize = (BATCH_INTENTS_MAX - 1) / WRITES_PER_ROW;
/// Names in a batch.
const LABELS_PER_BATCH: usize = BATCH_INTENTS_MAX - 1;

/// Loads what is not there yet.
pub(super) async fn load(engine: &Engine) -> anyhow::Result<()> {
    let done = batches_done(engine)?;
    let seasons = data::seasons()?;
    let labels = data::labels()?;
    let total = 1 + seasons.chunks(ROWS_PER_BATCH).len() + labels.chunks(LABELS_PER_BATCH).len();
    let progress = progress_bar(total, done);
    let creation = std::iter::once(Ok(data::boards().collect()));
    let writes = seasons.chunks(ROWS_PER_BATCH).map(|rows| {
        let writes: Result<Vec<_>, _> = rows.iter().map(data::Season::writes).collect();
        writes.map(|writes| writes.into_iter().flatten().collect::<Vec<_>>())
    });
    let names = labels.chunks(LABELS_PER_BATCH).map(|labels| Ok(labels.to_vec()));
    let batches = creation.chain(writes).chain(names);
    for (index, batch) in batches.enumerate().skip(done) {
        submit(engine, batch?, index + 1).await?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

/// How many batches are in already.
fn batches_done(engine: &Engine) -> anyhow::Result<usize> {
    let Some(mark) = engine.label(MARK.as_bytes()) else { return Ok(0) };
    let number = mark.strip_prefix(VERSION).and_then(|rest| rest.trim().parse().ok());
    number.with_context(|| {
        format!("this folder holds other demo data (`{mark}`); choose another with --data DIR")
    })
}

/// Carries out one batch together with its mark; any refusal ends the demo.
async fn submit(engine: &Engine, mut intents: Vec<Intent>, number: usize) -> anyhow::Result<()> {
    let label = Some(format!("{VERSION} {number}").into());
    intents.push(Intent::Label { member: MARK.as_bytes().into(), label });
    let names: Vec<_> = intents.iter().map(board_of).collect();
    let receipt = engine.submit(intents, false, None).await.context("cannot load the demo")?;
    let Answer::Fresh(outcomes) = receipt.answer else { return Ok(()) };
    for (name, outcome) in names.iter().zip(outcomes) {
        if let Outcome::Rejected(reason) = outcome {
            bail!(
                "cannot load the demo onto the board `{}`: {reason}",
                name.as_deref().unwrap_or("-")
            );
        }
    }
    Ok(())
}

/// The board that an intent is about.
fn board_of(intent: &Intent) -> Option<String> {
    match intent {
        Intent::CreateBoard { name, .. } | Intent::Write { board: name, .. } => {
            Some(String::from_utf8_lossy(name).into_owned())
        }
        _ => None,
    }
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(total: usize, done: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("loading baseball {bar:30} {percent} %")
        .expect("a template that is well-formed");
    ProgressBar::new(total as u64).with_style(style).with_position(done as u64)
}
