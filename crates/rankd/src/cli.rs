//! The command line: which commands there are. Each command's own flags are beside it.

use clap::{Parser, Subcommand};

use crate::commands::adopt::AdoptArgs;
use crate::commands::bench::BenchArgs;
use crate::commands::check::CheckArgs;
use crate::commands::export::ExportArgs;
use crate::commands::generate::GenerateArgs;
use crate::commands::import::ImportArgs;
use crate::commands::key::KeyArgs;
use crate::commands::rank::RankArgs;
use crate::commands::redis::RedisArgs;
use crate::commands::restore::RestoreArgs;
use crate::commands::snapshot::SnapshotArgs;
use crate::commands::top::TopArgs;
use crate::exit::EXIT_CODES;
use crate::settings::SettingFlags;

/// What `--version` says beyond the number.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("RANKD_BUILD_COMMIT"),
    ", ",
    env!("RANKD_BUILD_TARGET"),
    ", ",
    env!("RANKD_BUILD_PROFILE"),
    ", ",
    env!("RANKD_BUILD_RUSTC"),
    ")"
);

/// Leaderboards in memory: ranks in microseconds, every acknowledged score on disk.
#[derive(Debug, Parser)]
#[command(name = "rankd", version, long_version = LONG_VERSION, after_help = EXIT_CODES)]
#[command(propagate_version = false)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the HTTP API and the web console
    ///
    /// Every setting has a flag, an environment variable and a key of the config file. The flag
    /// wins over the variable, the variable over the file, the file over the default. SIGINT or
    /// SIGTERM: finish the running requests, write a snapshot, exit with 0; a second one exits at
    /// once. SIGHUP: read keys, TLS files and limits again. Without --data, the data is in
    /// ./rankd-data.
    Serve(SettingFlags),
    /// Serve with a real data set: 150 years of baseball
    ///
    /// Takes the settings of `serve`. Without --data, the data is in a temporary folder that is
    /// removed at the end.
    Demo(SettingFlags),
    /// Read scores from a CSV or JSON Lines file onto a board, or what organisations consist of
    ///
    /// Rows are written in batches of up to 10000 lines. A batch with a row that cannot be read is
    /// not written at all: the import stops there and prints the command that goes on. A row that
    /// is refused does not keep the others of its batch out.
    ///
    /// --activities, --users and --setup read into a running server, with the API key of the
    /// environment (RANKD_API_KEY) where it asks for one. Running the same command again never
    /// counts anything twice: an activity has an id, and the others say what something is to be.
    ///
    /// With --board, running the same command again is safe: within 24 hours a batch with the same
    /// rows under the same line numbers counts once (--again makes it count once more). That holds
    /// for unchanged batches. If rows within a batch that is in are edited, or rows are added after
    /// the last one, that batch is another one and all its rows count again: on a board that sums,
    /// put such rows into a file of their own, or begin after what is in with --from-line.
    Import(ImportArgs),
    /// Write a board's ranking as CSV or JSON Lines
    Export(ExportArgs),
    /// Show the top of a board
    Top(TopArgs),
    /// Show where a member stands, with its neighbours
    Rank(RankArgs),
    /// Have the server write a snapshot now
    Snapshot(SnapshotArgs),
    /// Make a board key for the file that `serve --keys` reads
    ///
    /// Standard output has the lines for the file, standard error the secret that clients show,
    /// which is kept nowhere: `rankd key --scopes read,write --boards eu: >> keys.toml`. A running
    /// server reads the file again at SIGHUP. Scopes: read (boards, ranks), write (scores, new
    /// boards), admin (deleting boards; with all boards: snapshots and metrics). Display names
    /// belong to members and not to boards: a key for some boards only cannot ask for them alone.
    Key(KeyArgs),
    /// Verify the files of a data folder, and salvage what is intact
    ///
    /// Reads every file of the folder and changes none. A server may be running on it; what it is
    /// writing at the moment then looks unfinished. Exit code 0 if everything is as it was written,
    /// 1 if anything is damaged, 2 for wrong usage.
    Check(CheckArgs),
    /// Make a data folder of a snapshot that was copied away
    ///
    /// The copy is checked from end to end before anything is written. The new folder holds
    /// everything up to the moment at which the snapshot was begun, and nothing after it; `serve
    /// --data DIR` opens it.
    Restore(RestoreArgs),
    /// Write synthetic data of organisations as files that `import` reads
    ///
    /// Organisations, users and what they did over the years, for one of the three surfaces: some
    /// do much and most do little, more on working days than on others, more this year than last,
    /// a few reports come late. All of it is made up. The same flags make the same bytes, on every
    /// machine (with --until; its default moves with the calendar).
    Generate(GenerateArgs),
    /// Test a server under load: rankd, or anything that speaks the Redis protocol
    ///
    /// With --rate, an open loop: requests are due at fixed times whatever the server does, and
    /// each latency counts from when its request was due, so that a server which stalls shows it.
    /// Without, a closed loop: as many requests as the connections can carry. An empty board is
    /// filled with --members first; one with another number of members is left alone. Over the
    /// Redis protocol the same questions are ZREVRANK, ZREVRANGE, ZADD and ZINCRBY; `around` is two
    /// of them in turn. The server's processor time and memory are shown if it runs on this
    /// machine. RANKD_API_KEY is sent over HTTP if it is set.
    Bench(BenchArgs),
    /// Make boards of the sorted sets that a Redis deployment has already
    ///
    /// The sorted sets are read and stay as they are. Each becomes a board of its name in Redis'
    /// own order. Running it again brings in what has changed since, but removes nothing.
    Adopt(AdoptArgs),
    /// Look after a Redis store whose servers have lost data
    ///
    /// A node that finds its partition gone refuses writes and serves what it remembers until
    /// somebody decides: `accept` the loss, or `reseed` Redis from a node's memory.
    Redis(RedisArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
