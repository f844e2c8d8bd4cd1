//! `rankd rank`: where a member stands, and who is around it.

use std::io::IsTerminal as _;

use anyhow::Result;
use rankd_client::{Client, Entry, Extras, RankStyle, Standing};

use super::top::entries_grid;
use super::{one_of, parse_name};
use crate::exit::Outcome;
use crate::output::{grouped, print, print_json, visible};
use crate::target::{ServerArgs, explained};

/// Most neighbours on either side.
const RADIUS_MAX: u64 = rankd_server::limits::RADIUS_MAX as u64;

/// The flags of `rankd rank`.
#[derive(Debug, clap::Args)]
pub(crate) struct RankArgs {
    /// The board
    #[arg(value_parser = parse_name)]
    board: String,
    /// The member
    #[arg(value_parser = parse_name)]
    member: String,
    /// How many neighbours to show on either side
    #[arg(long, default_value_t = 3,
          value_parser = clap::value_parser!(u64).range(0..=RADIUS_MAX))]
    radius: u64,
    /// How equal scores are numbered: 1 2 3 4, 1 2 2 4 or 1 2 2 3
    #[arg(long, default_value = "ordinal",
          value_parser = one_of(RankStyle::ALL, RankStyle::as_str))]
    style: RankStyle,
    /// Print JSON instead of a table: the standing and the entries around it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// What `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    #[serde(flatten)]
    standing: Standing,
    entries: Vec<Entry>,
}

pub(crate) async fn run(args: RankArgs) -> Outcome {
    let client = args.server.client()?;
    let standing =
        client.standing(&args.board, &args.member, args.style).await.map_err(explained)?;
    let radius = usize::try_from(args.radius).expect("at most 500");
    let page = client.around(&args.board, &args.member, radius, Extras::NAMES).await;
    let mut entries = page.map_err(explained)?.entries;
    restyle(&client, &args, &mut entries).await?;
    if args.json {
        print_json(&Report { standing, entries })?;
        return Ok(());
    }
    let own = |entry: &Entry| entry.member == standing.member;
    if std::io::stdout().is_terminal() {
        let name = entries.iter().find(|entry| own(entry)).and_then(|entry| entry.name.clone());
        print(&sentence(&standing, name.as_deref()))?;
    }
    entries_grid(&entries, |entry| own(entry).then_some("<")).print()?;
    Ok(())
}

/// Numbers the entries in the style that was asked for. The server numbers them 1 2 3 4; from the
/// first one's rank in the style, the others' follow.
async fn restyle(client: &Client, args: &RankArgs, entries: &mut [Entry]) -> Result<()> {
    if args.style == RankStyle::Ordinal {
        return Ok(());
    }
    let Some(first) = entries.first() else { return Ok(()) };
    let standing = client.standing(&args.board, &first.member, args.style).await;
    renumber(entries, standing.map_err(explained)?.rank, args.style);
    Ok(())
}

fn renumber(entries: &mut [Entry], first_rank: u64, style: RankStyle) {
    let mut previous = None;
    let mut rank = first_rank;
    for entry in entries {
        rank = match previous {
            None => first_rank,
            Some(score) if score == entry.score => rank,
            Some(_) if style == RankStyle::Dense => rank + 1,
            Some(_) => entry.rank,
        };
        entry.rank = rank;
        previous = Some(entry.score);
    }
}

/// The answer in words.
fn sentence(standing: &Standing, name: Option<&str>) -> String {
    let name = name.map(|name| format!(" ({})", visible(name))).unwrap_or_default();
    let since = standing.at.as_ref().map(|at| format!(", since {at}")).unwrap_or_default();
    format!(
        "{}{name}: rank {} of {}, score {}, ahead of {:.2} % of the others{since}\n",
        visible(&standing.member.to_string()),
        grouped(standing.rank),
        grouped(standing.total),
        standing.score,
        standing.percentile,
    )
}
