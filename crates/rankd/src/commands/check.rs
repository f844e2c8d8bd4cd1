//! `rankd check`: verifies a data folder without changing it, and salvages what is intact.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use rankd_engine::SystemClock;
use rankd_storage::{
    CheckReport, FileReport, FileStatus, Fs, RealFs, SalvageReport, Verdict, check, salvage,
};
use serde::Serialize;

use crate::exit::{Failure, Outcome};
use crate::output::{Column, Grid, counted, print, print_json};

/// Exit code for a folder in which something is not as it was written.
const DAMAGED: u8 = 1;

/// The flags of `rankd check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The data folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write what is intact into this new, empty folder, which `serve --data` can then open
    #[arg(long, value_name = "OUT")]
    salvage: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    check: CheckReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    salvage: Option<SalvageReport>,
}

pub(crate) fn run(args: &CheckArgs) -> Outcome {
    if !args.folder.is_dir() {
        return Err(Failure::usage(anyhow!("{} is not a folder", args.folder.display())));
    }
    let check = check(&args.folder, &RealFs)
        .with_context(|| format!("cannot check {}", args.folder.display()))?;
    if check.files.is_empty() {
        return Err(Failure::usage(anyhow!("{} holds no data of rankd", args.folder.display())));
    }
    let salvage = args.salvage.as_deref().map(|out| salvage_into(&args.folder, out)).transpose()?;
    let is_healthy = check.verdict == Verdict::Healthy;
    if args.json {
        print_json(&Report { check, salvage })?;
    } else {
        files_grid(&check.files).print()?;
        print(&summary(&check))?;
        if let (Some(report), Some(out)) = (&salvage, &args.salvage) {
            print(&salvage_summary(report, out))?;
        }
    }
    if is_healthy { Ok(()) } else { Err(Failure::Code(DAMAGED)) }
}

fn salvage_into(folder: &Path, out: &Path) -> anyhow::Result<SalvageReport> {
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    salvage(folder, out, &fs, &SystemClock)
        .with_context(|| format!("cannot salvage into {}", out.display()))
}

/// One line a file.
fn files_grid(files: &[FileReport]) -> Grid {
    let text = |title| Column { title, is_number: false };
    let number = |title| Column { title, is_number: true };
    let columns = vec![
        text("file"),
        text("status"),
        number("bytes"),
        text("records"),
        number("members"),
        text("finding"),
    ];
    let mut grid = Grid::new(columns);
    for file in files {
        let finding = file.finding.as_ref();
        grid.push([
            file.file.clone(),
            status(file.status).to_owned(),
            file.bytes.to_string(),
            sequences(file),
            if file.boards > 0 { file.members.to_string() } else { String::new() },
            finding.map(|(offset, what)| format!("offset {offset}: {what}")).unwrap_or_default(),
        ]);
    }
    grid
}

/// The sequences that a file holds or reaches.
fn sequences(file: &FileReport) -> String {
    match file.status {
        FileStatus::Unfinished | FileStatus::Spare | FileStatus::Kept | FileStatus::Newer => {
            String::new()
        }
        _ if file.records > 0 => format!("{} to {}", file.first_sequence, file.last_sequence),
        _ if file.file.starts_with("snapshot-") => format!("up to {}", file.last_sequence),
        _ => "none".to_owned(),
    }
}

fn status(status: FileStatus) -> &'static str {
    match status {
        FileStatus::Good => "good",
        FileStatus::Torn => "torn",
        FileStatus::Damaged => "DAMAGED",
        FileStatus::Newer => "newer",
        FileStatus::Unfinished => "unfinished",
        FileStatus::Spare => "spare",
        FileStatus::Kept => "kept",
    }
}

fn summary(check: &CheckReport) -> String {
    let mut text = String::new();
    if let Some(owner) = &check.in_use_by {
        text.push_str(&format!(
            "in use by process {owner}: the newest writes may look unfinished\n"
        ));
    }
    for note in &check.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let verdict = match check.verdict {
        Verdict::Healthy => "healthy: every file is as it was written".to_owned(),
        Verdict::Startable => "not everything is good, but a start succeeds".to_owned(),
        Verdict::Damaged => {
            "damaged: a start is refused; --salvage OUT writes what is intact into a new folder"
                .to_owned()
        }
    };
    let reach = check.sequence.map(|sequence| format!(" (up to record {sequence})"));
    text.push_str(&format!("{verdict}{}\n", reach.unwrap_or_default()));
    text
}

fn salvage_summary(report: &SalvageReport, out: &Path) -> String {
    let mut text = format!(
        "salvaged into {}: {} on {}, up to record {} ({}, then {})\n",
        out.display(),
        counted(report.members, "member"),
        counted(report.boards, "board"),
        report.sequence,
        report.snapshot.as_deref().unwrap_or("from the first record"),
        counted(report.records, "record"),
    );
    for lost in &report.lost {
        text.push_str(&format!("lost: {lost}\n"));
    }
    for harmless in &report.harmless {
        text.push_str(&format!("note: {harmless}\n"));
    }
    text
}
