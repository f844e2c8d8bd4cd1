//! `rankd snapshot`: has the server write one now.

use crate::exit::Outcome;
use crate::output::{counted, print, print_json};
use crate::target::{ServerArgs, explained};

/// Longest wait for the snapshot, in milliseconds; large boards and slow disks take their time.
const TIMEOUT_MS: u64 = 10 * 60 * 1000;

/// The flags of `rankd snapshot`.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotArgs {
    /// Print the server's JSON instead of a sentence
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: SnapshotArgs) -> Outcome {
    let client = args.server.client()?.with_timeout_ms(TIMEOUT_MS);
    let report = client.snapshot().await.map_err(explained)?;
    if args.json {
        print_json(&report)?;
    } else {
        print(&format!(
            "{}: {} on {} up to record {}, {}, {} ms\n",
            report.file,
            counted(report.members, "member"),
            counted(report.boards, "board"),
            report.sequence,
            counted(report.bytes, "byte"),
            report.duration_ms,
        ))?;
    }
    Ok(())
}
