//! `rankd demo`: a server with a real data set in it, and what to try on it.

mod data;
mod load;

use anyhow::Context as _;

use super::serve::{settings, warn_of_unused_folder};
use crate::exit::Outcome;
use crate::host::{self, Ready};
use crate::logging;
use crate::output::{counted, program};
use crate::settings::{SettingFlags, Store};
use crate::target::SERVER_DEFAULT;

pub(crate) fn run(flags: &SettingFlags) -> Outcome {
    let settings = settings(flags)?;
    logging::start(&settings);
    // Removed when it is dropped, after the store is closed.
    let temporary =
        tempfile::Builder::new().prefix("rankd-demo-").tempdir().context("no temporary folder")?;
    let folder = settings.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let place = match (&settings.data, settings.store) {
        (_, Store::Memory) => "in memory, nothing survives".to_owned(),
        (Some(folder), _) => format!("data in {}", folder.display()),
        (None, _) => "data in a temporary folder that goes when it stops".to_owned(),
    };
    warn_of_unused_folder(&settings);
    host::serve(&settings, &folder, load::load, |ready| announcement(ready, &place))
}

/// What is up, and what to do with it.
fn announcement(ready: &Ready<'_>, place: &str) -> String {
    let url = &ready.url;
    let (totals, rankd) = (ready.engine.totals(), program());
    let server = url.trim_end_matches('/');
    let flag = if server == SERVER_DEFAULT { String::new() } else { format!(" --server {server}") };
    format!(
        "\nrankd is ready: {url}  ({place}; {boards}, {members})

Baseball, 1871 to 2020. Open {url} in a browser, or type in another terminal:

  {rankd} top career-home-runs{flag}
  {rankd} rank career-hits rosepe01{flag}
  curl '{url}v1/boards/season-home-runs/top?limit=5&names=true'
  curl '{url}v1/boards/career-home-runs/members/ruthba01/around?radius=2&names=true'
  curl -X PUT '{url}v1/boards/my-board/members/me' -H 'Content-Type: application/json' \\
       -d '{{\"score\": 42}}'

Boards: career-home-runs, season-home-runs, career-hits, career-stolen-bases, and
home-runs-1871 to home-runs-2020. Ctrl-C stops it.
Data: Baseball Databank (Chadwick Baseball Bureau, Sean Lahman), CC BY-SA 3.0.\n",
        boards = counted(totals.boards, "board"),
        members = counted(totals.members, "member"),
    )
}
