//! `rankd top`: the first members of a board.

use rankd_client::{Entry, Extras};

use super::parse_name;
use crate::exit::Outcome;
use crate::output::{Column, Grid, print_json};
use crate::target::{ServerArgs, explained};

/// Most members that one read returns.
const LIMIT_MAX: u64 = rankd_engine::limits::PAGE_ENTRIES_MAX as u64;

/// The flags of `rankd top`.
#[derive(Debug, clap::Args)]
pub(crate) struct TopArgs {
    /// The board
    #[arg(value_parser = parse_name)]
    board: String,
    /// How many members
    #[arg(short = 'n', long, default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=LIMIT_MAX))]
    limit: u64,
    /// How many members to pass over first
    #[arg(long, default_value_t = 0)]
    offset: u64,
    /// Print the server's JSON instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: TopArgs) -> Outcome {
    let client = args.server.client()?;
    let limit = usize::try_from(args.limit).expect("at most 1000");
    let page =
        client.top(&args.board, args.offset, limit, Extras::NAMES).await.map_err(explained)?;
    if args.json {
        print_json(&page)?;
    } else {
        entries_grid(&page.entries, |_| None).print()?;
    }
    Ok(())
}

/// Entries as a grid, with their names if any has one, and a mark after those that `mark` marks.
pub(super) fn entries_grid(
    entries: &[Entry],
    mark: impl Fn(&Entry) -> Option<&'static str>,
) -> Grid {
    let has_names = entries.iter().any(|entry| entry.name.is_some());
    let has_marks = entries.iter().any(|entry| mark(entry).is_some());
    let mut columns = vec![
        Column { title: "rank", is_number: true },
        Column { title: "member", is_number: false },
        Column { title: "score", is_number: true },
    ];
    if has_names {
        columns.insert(2, Column { title: "name", is_number: false });
    }
    if has_marks {
        columns.push(Column { title: "mark", is_number: false });
    }
    let mut grid = Grid::new(columns);
    for entry in entries {
        let mut cells =
            vec![entry.rank.to_string(), entry.member.to_string(), entry.score.to_string()];
        if has_names {
            cells.insert(2, entry.name.clone().unwrap_or_default());
        }
        if has_marks {
            cells.push(mark(entry).unwrap_or_default().to_owned());
        }
        grid.push(cells);
    }
    grid
}
