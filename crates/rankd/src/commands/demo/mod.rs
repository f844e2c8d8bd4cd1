//! `rankd demo`: a server with a real data set in it, synthetic organisations for the published
//! surfaces, and what to try on it.

mod data;
mod load;
mod organisations;

use anyhow::Context as _;
use rankd_engine::Engine;

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
    let place = match (&settings.data, &settings.store) {
        (_, Store::Memory) => "in memory, nothing survives".to_owned(),
        (_, Store::Redis(_)) => "data in Redis".to_owned(),
        (Some(folder), _) => format!("data in {}", folder.display()),
        (None, _) => "data in a temporary folder that goes when it stops".to_owned(),
    };
    warn_of_unused_folder(&settings);
    host::serve(flags, &settings, &folder, load_all, |ready| announcement(ready, &place))
}

async fn load_all(engine: &Engine) -> anyhow::Result<()> {
    load::load(engine).await?;
    organisations::load(engine).await
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
home-runs-1871 to home-runs-2020.
{surfaces}
Ctrl-C stops it.
Data: Baseball Databank (Chadwick Baseball Bureau, Sean Lahman), CC BY-SA 3.0; the
organisations are made up.\n",
        boards = counted(totals.boards, "board"),
        members = counted(totals.members, "member"),
        surfaces = surfaces(url),
    )
}

/// One command for each published surface, with credentials that everybody knows.
fn surfaces(url: &str) -> String {
    format!(
        r#"
Three organisations and a year of what they did, for the published APIs. Wintro:

  curl '{url}api/v1/leaderboard?period=90&pageSize=3' \
       -H 'Authorization: Bearer wintro_demo_rowanlarch'

Keepnet, with a fresh access token:

  curl '{url}api/leaderboard/get-top-performers' -H 'Content-Type: application/json' \
       -d '{{"datePeriod":"Last3Months"}}' -H "Authorization: Bearer $(curl -s \
       '{url}connect/token' -d 'grant_type=client_credentials&scope=api1' \
       -d 'client_id=demo-company&client_secret=demo-company-secret' |
       sed 's/.*"access_token":"\([^"]*\)".*/\1/')"

Capillary:

  curl -u till.demo:fe01ce2a7fbac8fafaed7c982a04e229 \
       '{url}api_gateway/intouch-api-v3/v3.1/leaderboards/targetGroups/871?targetId=5710&pageSize=3'
"#
    )
}
