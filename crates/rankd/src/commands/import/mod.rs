//! `rankd import`: scores from a file onto a board, or activities, users and set-ups of
//! organisations into a server.
//!
//! Rows are read on a thread of their own, one batch ahead, and written batch after batch, so
//! that the order of the file is the order of the writes. Invariant: whatever ends the run, it
//! says which rows are in and where to go on, and what is in are whole batches, so that the same
//! file read again, or read on, makes the same batches. Memory: two batches.

mod input;
mod report;
mod run;
mod sink;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::anyhow;
use rankd_client::{Definition, Operator, Order, ScoreKind, Ties};
use rankd_orgs::limits::ID_MAX;

use super::{one_of, parse_name};
use crate::exit::{Failure, Outcome};
use crate::rows::{ActivityRows, Batches, ReadOptions, RowKind, SetupRows, UserRows};
use crate::target::{BoardFacts, Target, TargetArgs};

pub(crate) use input::Format;
use input::Input;
use sink::{ActivitySink, BoardSink, SetupSink, Sink, UserSink};

/// Lines that `--from-line` takes.
const FROM_LINE: RangeInclusive<u64> = 1..=u64::MAX - 1;

/// The flags that say that the rows are no scores: those for boards mean nothing beside them.
const NOT_SCORES: [&str; 3] = ["activities", "users", "setup"];

/// The flags of `rankd import`.
#[derive(Debug, clap::Args)]
#[command(group(
    clap::ArgGroup::new("what").required(true).args(["board", "activities", "users", "setup"])
))]
pub(crate) struct ImportArgs {
    /// The file: CSV with a header line, or JSON Lines; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The board; created if it does not exist, even if the file turns out to have no rows
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    board: Option<String>,
    /// The rows are activities of organisations
    #[arg(long)]
    activities: bool,
    /// The rows are users of organisations
    #[arg(long)]
    users: bool,
    /// The lines put organisations, rules, target groups, credentials and enrolments; JSON Lines
    #[arg(long)]
    setup: bool,
    /// The home of users whose row names none
    #[arg(long, value_name = "ID", value_parser = parse_org,
          conflicts_with_all = ["board", "activities", "setup"])]
    org: Option<u64>,
    /// Column, or JSON key, of the member
    #[arg(long, value_name = "C", default_value = "member", conflicts_with_all = NOT_SCORES)]
    member_column: String,
    /// Column, or JSON key, of the score
    #[arg(long, value_name = "C", default_value = "score", conflicts_with_all = NOT_SCORES)]
    score_column: String,
    /// Column, or JSON key, of the time: RFC 3339, or milliseconds since 1970 [default: at or
    /// time, if there is one]
    #[arg(long, value_name = "C", conflicts_with_all = NOT_SCORES)]
    time_column: Option<String>,
    /// What a write does to a score that is there [default: the board's operator]
    #[arg(long, conflicts_with_all = NOT_SCORES,
          value_parser = one_of(Operator::ALL, Operator::as_str))]
    operator: Option<Operator>,
    /// Order of the board, if it has to be created [default: descending]
    #[arg(long, conflicts_with_all = NOT_SCORES, value_parser = one_of(Order::ALL, Order::as_str))]
    order: Option<Order>,
    /// Kind of scores of the board, if it has to be created [default: integer]
    #[arg(long, value_name = "KIND", conflicts_with_all = NOT_SCORES,
          value_parser = one_of(ScoreKind::ALL, ScoreKind::as_str))]
    score: Option<ScoreKind>,
    /// Rule for ties of the board, if it has to be created [default: earliest]
    #[arg(long, conflicts_with_all = NOT_SCORES, value_parser = one_of(Ties::ALL, Ties::as_str))]
    ties: Option<Ties>,
    /// Format of the file [default: by the name of the file, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What separates the fields of CSV: one ASCII character, or `tab`
    #[arg(long, value_name = "C", default_value = ",", value_parser = parse_delimiter)]
    delimiter: u8,
    /// Line to begin at, the header apart; records that start earlier are passed over. Use the
    /// line that an import printed: from there on the batches are those of a full run
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = parse_from_line)]
    from_line: u64,
    /// Pass over rows that cannot be read or are refused; count them and show the first ten. To
    /// bring in the mended rows later, import them from a file of their own
    #[arg(long)]
    skip_bad: bool,
    /// Count rows that were imported within the last 24 hours once more
    #[arg(long, conflicts_with_all = NOT_SCORES)]
    again: bool,
    /// Print what was imported as JSON instead of a sentence
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetArgs,
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err("it must be one ASCII character other than a quote, or `tab`".to_owned()),
    }
}

fn parse_org(text: &str) -> Result<u64, String> {
    let id = text.parse().ok().filter(|id| (1..=ID_MAX).contains(id));
    id.ok_or_else(|| format!("it must be a number from 1 to {ID_MAX}"))
}

fn parse_from_line(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|line| FROM_LINE.contains(line))
        .ok_or_else(|| "it must be a line number, counted from 1".to_owned())
}

pub(crate) async fn run(args: ImportArgs) -> Outcome {
    if let Some(board) = &args.board {
        return onto_board(&args, board).await;
    }
    let what = "activities, users and set-ups of organisations";
    let client = args.target.client(what)?;
    let ImportArgs { from_line, delimiter, org, .. } = args;
    if args.activities {
        import(&args, ActivityRows { from_line, delimiter }, ActivitySink(client)).await
    } else if args.users {
        import(&args, UserRows { org, from_line, delimiter }, UserSink(client)).await
    } else {
        import(&args, SetupRows { from_line }, SetupSink(client)).await
    }
}

/// Reads rows of a kind into a sink that is ready.
async fn import<K, S>(args: &ImportArgs, kind: K, sink: S) -> Outcome
where
    K: RowKind<Row = S::Row>,
    S: Sink,
{
    let input = Input::open(&args.file)?;
    let bytes = input.bytes();
    let rows =
        args.format().rows(input, kind).map_err(|error| report::unreadable(&args.file, &error))?;
    let mut run = run::Run::new(args, sink, bytes);
    let ending = run.write_all(Batches::new(rows, args.skip_bad)).await;
    run.report(ending)
}

async fn onto_board(args: &ImportArgs, board: &str) -> Outcome {
    let input = Input::open(&args.file)?;
    let target = Target::open(&args.target).await?;
    let ending = scores(args, board, &target, input).await;
    let closed = target.close().await;
    ending?;
    Ok(closed?)
}

/// Reads scores onto a board, which is created if the file can be one of scores.
async fn scores(args: &ImportArgs, board: &str, target: &Target, input: Input) -> Outcome {
    let found = target.board(board).await?;
    if let Some(facts) = &found {
        check_definition(args, board, facts)?;
    }
    let kind = found.as_ref().map_or(args.score, |facts| Some(facts.definition.score));
    let bytes = input.bytes();
    let rows = args
        .format()
        .rows(input, read_options(args, kind.unwrap_or(ScoreKind::Integer)))
        .map_err(|error| report::unreadable(&args.file, &error))?;
    let facts = match found {
        Some(facts) => facts,
        None => target.create_board(board, &definition(args)).await?,
    };
    let sink = BoardSink::new(board, target, &facts, args.operator, args.again);
    let mut run = run::Run::new(args, sink, bytes);
    let ending = run.write_all(Batches::new(rows, args.skip_bad)).await;
    run.report(ending)
}

impl ImportArgs {
    /// The format that was asked for, or else what the name of the file suggests.
    fn format(&self) -> Format {
        let suggested = || if self.setup { Format::Jsonl } else { Format::of(&self.file) };
        self.format.unwrap_or_else(suggested)
    }
}

/// The definition of a board that has to be created.
fn definition(args: &ImportArgs) -> Definition {
    let default = Definition::default();
    Definition {
        order: args.order.unwrap_or(default.order),
        score: args.score.unwrap_or(default.score),
        operator: args.operator.unwrap_or(default.operator),
        ties: args.ties.unwrap_or(default.ties),
        keep_at: None,
    }
}

/// Refuses flags that say otherwise than the board that is there. The operator may differ: it
/// then holds for these writes alone.
fn check_definition(args: &ImportArgs, board: &str, facts: &BoardFacts) -> Result<(), Failure> {
    let is = &facts.definition;
    let pairs = [
        ("order", args.order.map(Order::as_str), is.order.as_str()),
        ("score", args.score.map(ScoreKind::as_str), is.score.as_str()),
        ("ties", args.ties.map(Ties::as_str), is.ties.as_str()),
    ];
    for (flag, asked, is) in pairs {
        if let Some(asked) = asked.filter(|asked| *asked != is) {
            return Err(Failure::usage(anyhow!(
                "--{flag} {asked}: the board `{board}` exists with {flag} {is}"
            )));
        }
    }
    Ok(())
}

fn read_options(args: &ImportArgs, kind: ScoreKind) -> ReadOptions {
    ReadOptions {
        member_column: args.member_column.clone(),
        score_column: args.score_column.clone(),
        time_column: args.time_column.clone(),
        from_line: args.from_line,
        kind: match kind {
            ScoreKind::Integer => rankd_engine::ScoreKind::Integer,
            ScoreKind::Float => rankd_engine::ScoreKind::Float,
        },
        delimiter: args.delimiter,
    }
}
