//! The data set that ships within the program, and the writes that it stands for.
//!
//! `data/README.md` says where it comes from and what the columns mean.

use std::io::Read;

use anyhow::Context as _;
use chrono::NaiveDate;
use flate2::read::GzDecoder;
use rankd_engine::{Definition, Intent, Operator, Score};
use serde::Deserialize;

static BATTING: &[u8] = include_bytes!("../../../../../data/baseball/batting.csv.gz");
static PEOPLE: &[u8] = include_bytes!("../../../../../data/baseball/people.csv.gz");

/// Which release this is; part of the mark that says how far it has been loaded.
pub(super) const VERSION: &str = "baseball 2021.2";
/// The seasons that have a board of their own.
pub(super) const SEASONS: std::ops::RangeInclusive<i32> = 1871..=2020;
/// Writes that one row of batting stands for.
pub(super) const WRITES_PER_ROW: usize = 5;

/// A player's season.
#[derive(Debug, Deserialize)]
pub(super) struct Season {
    player: String,
    season: i32,
    home_runs: i64,
    hits: i64,
    stolen_bases: i64,
}

/// A player's name.
#[derive(Debug, Deserialize)]
struct Person {
    player: String,
    name: String,
}

/// The creation of every board.
pub(super) fn boards() -> impl Iterator<Item = Intent> {
    let over_seasons = [
        ("career-home-runs".to_owned(), Operator::Sum),
        ("season-home-runs".to_owned(), Operator::Best),
        ("career-hits".to_owned(), Operator::Sum),
        ("career-stolen-bases".to_owned(), Operator::Sum),
    ];
    let one_season = SEASONS.map(|season| (season_board(season), Operator::Latest));
    over_seasons.into_iter().chain(one_season).map(|(name, operator)| Intent::CreateBoard {
        name: name.into_bytes().into(),
        definition: Definition { operator, ..Definition::default() },
    })
}

/// Every player's seasons, in the order of the file.
pub(super) fn seasons() -> anyhow::Result<Vec<Season>> {
    rows(BATTING).collect::<Result<_, _>>().context("the built-in batting data is damaged")
}

/// The display name of every player.
pub(super) fn labels() -> anyhow::Result<Vec<Intent>> {
    let people = rows::<Person>(PEOPLE).map(|person| {
        person.map(|person| Intent::Label {
            member: person.player.into_bytes().into(),
            label: Some(person.name.into()),
        })
    });
    people.collect::<Result<_, _>>().context("the built-in people data is damaged")
}

impl Season {
    /// What this season adds to the boards.
    pub(super) fn writes(&self) -> anyhow::Result<[Intent; WRITES_PER_ROW]> {
        let end =
            NaiveDate::from_ymd_opt(self.season, 12, 31).context("a season that is no year")?;
        let at_ms = end.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
        let season_board = season_board(self.season);
        let write = |board: &str, score: i64| Intent::Write {
            board: board.as_bytes().into(),
            member: self.player.as_bytes().into(),
            score: Score::Integer(score),
            operator: None,
            at_ms: Some(at_ms),
        };
        Ok([
            write("career-home-runs", self.home_runs),
            write("season-home-runs", self.home_runs),
            write("career-hits", self.hits),
            write("career-stolen-bases", self.stolen_bases),
            write(&season_board, self.home_runs),
        ])
    }
}

fn season_board(season: i32) -> String {
    format!("home-runs-{season}")
}

/// The rows of a gzipped CSV file.
fn rows<T: for<'de> Deserialize<'de>>(gzip: &[u8]) -> impl Iterator<Item = csv::Result<T>> {
    let text: Box<dyn Read + '_> = Box::new(GzDecoder::new(gzip));
    csv::Reader::from_reader(text).into_deserialize()
}
