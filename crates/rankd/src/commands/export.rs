//! `rankd export`: a board's ranking as a file that `rankd import` reads back.
//!
//! It is not one snapshot of a board that is being written to: each page is true at the moment
//! it is read, so that a member that moves meanwhile may appear twice or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde::Serialize;

use super::import::Format;
use super::parse_name;
use crate::exit::Outcome;
use crate::output::stdout_error;
use crate::target::{ExportRow, Target, TargetArgs};

/// Rows that are read at a time.
const PAGE_ROWS: usize = rankd_engine::limits::PAGE_ENTRIES_MAX;
/// The columns, in order; import knows the last three.
const COLUMNS: [&str; 4] = ["rank", "member", "score", "at"];

/// The flags of `rankd export`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The board
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    board: String,
    /// Format to write [default: by the name of the file, else csv]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// File to write; it appears, or is replaced, when it is complete. Into a device or a pipe the
    /// rows are written at once; - is standard output [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) async fn run(args: ExportArgs) -> Outcome {
    let target = Target::open_existing(&args.target).await?;
    let written = export(&args, &target).await;
    let closed = target.close().await;
    written?;
    Ok(closed?)
}

async fn export(args: &ExportArgs, target: &Target) -> anyhow::Result<()> {
    if target.board(&args.board).await?.is_none() {
        return Err(anyhow!("there is no board `{}`", args.board));
    }
    let Some(path) = args.output.as_deref().filter(|path| *path != Path::new("-")) else {
        let format = args.format.unwrap_or(Format::Csv);
        return write_rows(args, target, format, io::stdout(), stdout_error).await;
    };
    let format = args.format.unwrap_or_else(|| Format::of(path));
    let place = Place::of(path).with_context(|| format!("cannot write {}", path.display()))?;
    match place {
        Place::Direct => write_into(args, target, format, path).await,
        Place::File(file) => replace(args, target, format, &file).await,
    }
}

/// What is at the path that is to be written.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// A regular file, or nothing yet, where a complete file can be put. Links are resolved, so
    /// that the file is replaced and not the link.
    File(PathBuf),
    /// Something that has to stay what it is: a device, a pipe, a link to what is not there.
    Direct,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        match std::fs::metadata(path) {
            // What has been removed while it is open, as /dev/stdout can be, has no path.
            Ok(found) if found.is_file() => {
                Ok(path.canonicalize().map_or(Self::Direct, Self::File))
            }
            Ok(_) => Ok(Self::Direct),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Err(_) if path.is_symlink() => Ok(Self::Direct),
            Err(_) => Ok(Self::File(path.to_owned())),
        }
    }
}

/// Writes the rows straight to what is at `path`.
async fn write_into(
    args: &ExportArgs,
    target: &Target,
    format: Format,
    path: &Path,
) -> anyhow::Result<()> {
    let error = |error| anyhow!("cannot write {}: {error}", path.display());
    let file = File::create(path).map_err(error)?;
    write_rows(args, target, format, file, error).await
}

/// Writes the rows to a file of their own, which takes the place of the one at `path` at the end.
async fn replace(
    args: &ExportArgs,
    target: &Target,
    format: Format,
    path: &Path,
) -> anyhow::Result<()> {
    let partial = partial_name(path);
    let error = |error| anyhow!("cannot write {}: {error}", partial.display());
    let file = File::create(&partial).map_err(error)?;
    if let Ok(old) = std::fs::metadata(path) {
        file.set_permissions(old.permissions()).map_err(error)?;
    }
    let written = write_rows(args, target, format, file, error).await;
    if written.is_err() {
        // The reason for the failure is what matters; the remains do not.
        let _ = std::fs::remove_file(&partial);
        return written;
    }
    std::fs::rename(&partial, path)
        .with_context(|| format!("cannot rename {} to its name", partial.display()))
}

/// The name of the file until it is complete.
fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

async fn write_rows<W: Write>(
    args: &ExportArgs,
    target: &Target,
    format: Format,
    out: W,
    error: impl Fn(io::Error) -> anyhow::Error,
) -> anyhow::Result<()> {
    let mut writer = RowWriter::new(format, out).map_err(&error)?;
    let mut offset = 0;
    loop {
        let rows = target.page(&args.board, offset, PAGE_ROWS).await?;
        for row in &rows {
            writer.write(row).map_err(&error)?;
        }
        offset += rows.len() as u64;
        if rows.len() < PAGE_ROWS {
            return writer.finish().map_err(&error);
        }
    }
}

/// Rows in one of the formats.
enum RowWriter<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(BufWriter<W>),
}

/// A row as JSON Lines has it.
#[derive(Serialize)]
struct Line<'a> {
    rank: u64,
    member: &'a rankd_client::Name,
    score: &'a rankd_client::Score,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
}

impl<W: Write> RowWriter<W> {
    fn new(format: Format, out: W) -> io::Result<Self> {
        match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(COLUMNS).map_err(io_error)?;
                Ok(Self::Csv(Box::new(writer)))
            }
            Format::Jsonl => Ok(Self::Jsonl(BufWriter::new(out))),
        }
    }

    fn write(&mut self, row: &ExportRow) -> io::Result<()> {
        let at = row.at.as_deref();
        match self {
            Self::Csv(writer) => {
                let (rank, score) = (row.rank.to_string(), row.score.to_string());
                let at = at.unwrap_or_default();
                let fields =
                    [rank.as_bytes(), row.member.as_bytes(), score.as_bytes(), at.as_bytes()];
                writer.write_record(fields).map_err(io_error)
            }
            Self::Jsonl(out) => {
                let line = Line { rank: row.rank, member: &row.member, score: &row.score, at };
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush(),
            Self::Jsonl(mut out) => out.flush(),
        }
    }
}

/// The I/O error in an error of the CSV writer, with its kind.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
