//! `rankd restore`: makes a data folder of a snapshot that was copied away.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use rankd_engine::SystemClock;
use rankd_storage::{Fs, RealFs, restore};

use crate::exit::{Failure, Outcome};
use crate::output::{counted, print, print_json};

/// The flags of `rankd restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The copy of a snapshot-*.rsnap file, by whatever name
    #[arg(value_name = "SNAPSHOT")]
    file: PathBuf,
    /// The new or empty folder that becomes the data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &RestoreArgs) -> Outcome {
    if !args.file.is_file() {
        return Err(Failure::usage(anyhow!("{} is not a file", args.file.display())));
    }
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let report = restore(&args.file, &args.data, &fs, &SystemClock)
        .with_context(|| format!("cannot restore into {}", args.data.display()))?;
    if args.json {
        return Ok(print_json(&report)?);
    }
    let orgs = match report.orgs {
        0 => String::new(),
        orgs => format!(", {}", counted(orgs, "organisation")),
    };
    print(&format!(
        "restored into {}: {} on {}{orgs}, up to record {}\n",
        args.data.display(),
        counted(report.members, "member"),
        counted(report.boards, "board"),
        report.sequence,
    ))?;
    Ok(())
}
