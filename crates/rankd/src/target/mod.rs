//! Where a command works: a running server, or the data folder of one that does not run.
//!
//! Both ends of every call mean the same; a command is written once. The folder is worked on in
//! this process, through the same engine and store that `serve` uses.

mod convert;
mod folder;
mod server;

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use rankd_client::{Applied, Client, Definition, Operator};

use crate::exit::Failure;
use crate::rows::{Batch, Row};
use crate::store;

pub(crate) use folder::Folder;
pub(crate) use server::{Server, explained};

/// Where the server listens unless told otherwise.
pub(crate) const SERVER_DEFAULT: &str = "http://127.0.0.1:8080";

/// What names the server where no flag does.
const SERVER_VARIABLE: &str = "RANKD_SERVER";

/// Where the API key comes from. There is no flag for it: what is on a command line, everybody on
/// the machine can see.
pub(crate) const API_KEY_VARIABLE: &str = "RANKD_API_KEY";

/// The flag of the commands that ask a server.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// The server to ask [env: RANKD_SERVER] [default: http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

impl ServerArgs {
    /// A client of the server that the flag names, or else the environment, with the API key of
    /// the environment if there is one. The flag's parser does not read the variable itself:
    /// beside --data, the flag is wrong and the variable is not.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let client = match (&self.server, variable(SERVER_VARIABLE)) {
            (Some(url), _) => Client::new(url).map_err(Failure::usage)?,
            (None, None) => Client::new(SERVER_DEFAULT).map_err(Failure::usage)?,
            (None, Some(url)) => Client::new(&url)
                .with_context(|| format!("environment variable {SERVER_VARIABLE}"))
                .map_err(Failure::usage)?,
        };
        match variable(API_KEY_VARIABLE) {
            None => Ok(client),
            Some(key) => client
                .with_api_key(&key)
                .with_context(|| format!("environment variable {API_KEY_VARIABLE}"))
                .map_err(Failure::usage),
        }
    }
}

/// A variable of the environment that is set to something.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(|value| value.to_string_lossy().into_owned())
}

/// The flags of the commands that work on a server or on a data folder.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Work on this data folder instead of a server, in this process; nobody may have it open
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    data: Option<PathBuf>,
}

impl TargetArgs {
    /// A client of the server. For commands whose work a data folder has no door for.
    pub(crate) fn client(&self, what: &str) -> Result<Client, Failure> {
        if let Some(path) = &self.data {
            return Err(Failure::usage(anyhow!(
                "--data {}: {what} are imported into a running server (--server URL)",
                path.display()
            )));
        }
        self.server.client()
    }
}

/// A board, as far as commands need to know it.
#[derive(Debug, Clone)]
pub(crate) struct BoardFacts {
    pub(crate) definition: Definition,
    /// Tells this board from an earlier one of the same name.
    pub(crate) created: String,
}

/// Why a batch was not written, and what to make of it.
#[derive(Debug)]
pub(crate) struct WriteError {
    pub(crate) error: anyhow::Error,
    /// Whether it may have been written all the same.
    pub(crate) may_take_effect: bool,
    /// Whether trying again makes sense.
    pub(crate) is_passing: bool,
}

/// One line of an export.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExportRow {
    pub(crate) rank: u64,
    pub(crate) member: rankd_client::Name,
    pub(crate) score: rankd_client::Score,
    /// RFC 3339; `None` where the board keeps no times.
    pub(crate) at: Option<String>,
}

/// A server or a folder, ready for work.
pub(crate) enum Target {
    Server(Box<Server>),
    Folder(Folder),
}

impl Target {
    /// Opens what is there already, to read from it.
    pub(crate) async fn open_existing(args: &TargetArgs) -> Result<Self, Failure> {
        if let Some(path) = args.data.as_ref().filter(|path| !store::is_data_folder(path)) {
            let path = path.display();
            return Err(Failure::usage(anyhow!("--data {path}: there is no data folder there")));
        }
        Self::open(args).await
    }

    /// Opens the folder, which is created if need be, or prepares to ask the server.
    pub(crate) async fn open(args: &TargetArgs) -> Result<Self, Failure> {
        match &args.data {
            Some(path) => Ok(Self::Folder(Folder::open(path).await?)),
            None => Ok(Self::Server(Box::new(Server::new(args.server.client()?)))),
        }
    }

    /// The board, if it is there.
    pub(crate) async fn board(&self, name: &str) -> anyhow::Result<Option<BoardFacts>> {
        match self {
            Self::Server(server) => server.board(name).await,
            Self::Folder(folder) => Ok(folder.board(name)),
        }
    }

    /// Creates the board, or finds it there with the same definition.
    pub(crate) async fn create_board(
        &self,
        name: &str,
        definition: &Definition,
    ) -> anyhow::Result<BoardFacts> {
        match self {
            Self::Server(server) => server.create_board(name, definition).await,
            Self::Folder(folder) => folder.create_board(name, definition).await,
        }
    }

    /// Writes a batch under a key: the same key again has no second effect.
    pub(crate) async fn write(
        &self,
        board: &str,
        batch: &Batch<Row>,
        operator: Option<Operator>,
        key: [u8; 16],
    ) -> Result<Applied, WriteError> {
        match self {
            Self::Server(server) => server.write(board, batch, operator, key).await,
            Self::Folder(folder) => folder.write(board, batch, operator, key).await,
        }
    }

    /// Up to `limit` lines of the ranking from rank `offset + 1` on.
    pub(crate) async fn page(
        &self,
        board: &str,
        offset: u64,
        limit: usize,
    ) -> anyhow::Result<Vec<ExportRow>> {
        match self {
            Self::Server(server) => server.page(board, offset, limit).await,
            Self::Folder(folder) => folder.page(board, offset, limit),
        }
    }

    /// Makes everything durable and lets go.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Folder(folder) => folder.close().await,
        }
    }
}

/// The key of a batch as text: what `Idempotency-Key` takes.
fn key_text(key: [u8; 16]) -> String {
    format!("import-{:032x}", u128::from_be_bytes(key))
}
