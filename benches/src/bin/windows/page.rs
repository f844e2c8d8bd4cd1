//! The page: docs/benchmarks-windows.md, text and figures.
//!
//! Invariant: the same run gives the same page; nothing in it is written by hand.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Result;
use rankd_benches::machine;
use rankd_benches::table::{Table, number, size};

use crate::data::Shape;
use crate::timing::{Times, ms};
use crate::{hot, postgres, sums};

/// What was measured of one ledger.
pub(crate) type Ledger = (Shape, sums::Findings, hot::Findings);

const INTRODUCTION: &str = "\
# Benchmarks: windows over activities

<!-- Written by `cargo xtask bench windows`; a change by hand would be lost. -->

How long it takes to rank a window of time, and what the activities take in memory. Milliseconds
unless it says otherwise; ratios travel between machines, milliseconds do not.

";

const METHOD: &str = "\
## How it is measured

* A million users, more or less active by Zipf's law with exponent 0.6; activities spread evenly
  over 3650 days. *Referrals* have one of 500 vacancies and count three points or one; *points* are
  of 6000 kinds, and half of them have possible points. Their score is a sum.
* *Loaded* is in lots of half a million rows in the order of time, as after a restart; *appended* is
  one row after another. Bytes are what the structures count of themselves after loading.
* A window is *uncached*: from a view of the ledger to the first 50 users and the number of all,
  nothing being known from before. Windows until now end at a random millisecond of the last day,
  random ranges anywhere. A rank is then counted in the sums.
* A tag filter sums ten years of the referrals that have one of some vacancies.
* Hot boards are read by one thread while another appends ten thousand rows a second, each under
  the ledger's lock, and lets the boards catch up every ten milliseconds. Windows of 30, 90 and 365
  days move with every millisecond. The live board is another one, of values, of a million users.
* PostgreSQL has the same rows in one table with indexes on (org, time) and (org, user, time), in
  memory, after `VACUUM ANALYZE`; the median of three after a first one, by `\\timing`. All its
  answers are compared with the ledger's, row for row.

";

/// What the run was made on.
pub(crate) fn facts() -> Result<Vec<(&'static str, String)>> {
    Ok(machine::facts())
}

/// The whole page.
pub(crate) fn render(
    facts: &[(&'static str, String)],
    threads: NonZeroUsize,
    ledgers: &[Ledger],
    postgres: Option<&postgres::Findings>,
) -> String {
    let mut page = INTRODUCTION.to_owned();
    let _ = write!(page, "## Windows, uncached, on {threads} threads\n\n{}", windows(ledgers));
    let _ = write!(page, "## Filters by tag\n\n{}", tags(ledgers));
    let _ = write!(page, "## Hot boards under ten thousand rows a second\n\n{}", hots(ledgers));
    let _ = write!(page, "## Rows in, and memory\n\n{}", memory(ledgers));
    if let Some(postgres) = postgres {
        let rows = size(usize::try_from(postgres.rows).unwrap_or(usize::MAX));
        let _ = write!(page, "## Beside PostgreSQL, {rows} referrals\n\n{}", beside(postgres));
    }
    page += METHOD;
    page += "## This run\n\n";
    for (name, value) in facts {
        let _ = writeln!(page, "* {name}: {value}");
    }
    if let Some(postgres) = postgres {
        let _ = writeln!(page, "* PostgreSQL: {}", postgres.version);
    }
    page
}

fn title((shape, findings, _): &Ledger) -> String {
    let rows = size(usize::try_from(findings.rows).unwrap_or(usize::MAX));
    let shape = match shape {
        Shape::Referrals => "referrals",
        Shape::Points => "points",
    };
    format!("{rows} {shape}")
}

fn table(first: &str, ledgers: &[Ledger]) -> Table {
    Table::new([first.to_owned()].into_iter().chain(ledgers.iter().map(title)))
}

fn row(table: &mut Table, what: &str, ledgers: &[Ledger], cell: impl Fn(&Ledger) -> String) {
    table.push([what.to_owned()].into_iter().chain(ledgers.iter().map(cell)).collect());
}

fn spread(times: &Times) -> String {
    format!("{} / {}", ms(times.median()), ms(times.worst()))
}

fn windows(ledgers: &[Ledger]) -> String {
    let mut table = table("median / worst", ledgers);
    let Some((_, first, _)) = ledgers.first() else { return String::new() };
    for (at, (what, _)) in first.windows.iter().enumerate() {
        row(&mut table, what, ledgers, |(_, findings, _)| spread(&findings.windows[at].1));
    }
    row(&mut table, "a rank in one of these", ledgers, |(_, findings, _)| spread(&findings.rank));
    row(&mut table, "a year's months, first 50", ledgers, |(_, findings, _)| {
        spread(&findings.months)
    });
    row(&mut table, "taking the view, us", ledgers, |(_, findings, _)| {
        format!("{} / {}", us(findings.view.median()), us(findings.view.worst()))
    });
    let asked = first.windows.first().map_or(0, |(_, times)| times.len());
    format!("{asked} windows of each length.\n\n{}", table.render())
}

fn us(time: Duration) -> String {
    number(time.as_secs_f64() * 1e6)
}

fn tags(ledgers: &[Ledger]) -> String {
    let mut table = Table::new(["ledger", "matching", "median", "worst", "per million"]);
    for ledger in ledgers {
        for (matching, times) in &ledger.1.tags {
            #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
            let millions = *matching as f64 / 1e6;
            let each = Duration::from_secs_f64(times.median().as_secs_f64() / millions.max(1e-6));
            table.push(vec![
                title(ledger),
                #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
                number(*matching as f64),
                ms(times.median()),
                ms(times.worst()),
                ms(each),
            ]);
        }
    }
    table.render()
}

fn hots(ledgers: &[Ledger]) -> String {
    let mut table = table("median / 99 % / worst", ledgers);
    let three = |times: &Times| {
        format!("{} / {} / {}", ms(times.median()), ms(times.quantile(0.99)), ms(times.worst()))
    };
    row(&mut table, "first 50", ledgers, |(_, _, hot)| three(&hot.pages));
    row(&mut table, "a rank", ledgers, |(_, _, hot)| three(&hot.ranks));
    row(&mut table, "a rank, live board", ledgers, |(_, _, hot)| three(&hot.live));
    row(&mut table, "reads", ledgers, |(_, _, hot)| {
        (hot.pages.len() + hot.ranks.len() + hot.live.len()).to_string()
    });
    row(&mut table, "of them, not by a rolling board", ledgers, |(_, _, hot)| {
        hot.summed.to_string()
    });
    row(&mut table, "rows appended a second", ledgers, |(_, _, hot)| {
        #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
        let appended = hot.appended as f64;
        number(appended / hot.seconds)
    });
    row(&mut table, "making the boards, s", ledgers, |(_, _, hot)| {
        format!("{:.1} ({})", hot.making.as_secs_f64(), hot.boards)
    });
    row(&mut table, "MiB a board", ledgers, |(_, _, hot)| (hot.board_bytes >> 20).to_string());
    table.render()
}

fn memory(ledgers: &[Ledger]) -> String {
    let mut table = table("", ledgers);
    let rate = |rows: u64, time: Duration| {
        #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
        let rows = rows as f64;
        format!("{:.1} M", rows / time.as_secs_f64() / 1e6)
    };
    row(&mut table, "loaded, rows a second", ledgers, |(_, findings, _)| {
        rate(findings.rows, findings.load)
    });
    row(&mut table, "appended, rows a second", ledgers, |(_, findings, _)| {
        rate(sums::APPENDS as u64, findings.append.sum())
    });
    row(&mut table, "100 rows appended, median / worst / 99 %, ms", ledgers, |(_, findings, _)| {
        format!("{} / {}", spread(&findings.append), ms(findings.append.quantile(0.99)))
    });
    type Part = fn(&sums::Findings) -> usize;
    let parts: [(&str, Part); 5] = [
        ("columns, bytes a row", |findings| findings.memory.columns_bytes),
        ("postings, bytes a row", |findings| findings.memory.postings_bytes),
        ("blocks, bytes a row", |findings| findings.memory.blocks_bytes),
        ("users, bytes a row", |findings| findings.memory.users_bytes),
        ("all, bytes a row", |findings| findings.memory.bytes()),
    ];
    for (what, part) in parts {
        row(&mut table, what, ledgers, |(_, findings, _)| {
            #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
            let each = part(findings) as f64 / findings.memory.rows as f64;
            format!("{each:.1}")
        });
    }
    row(&mut table, "all, MiB", ledgers, |(_, findings, _)| {
        (findings.memory.bytes() >> 20).to_string()
    });
    table.render()
}

fn beside(postgres: &postgres::Findings) -> String {
    let mut table = Table::new(["median", "rankd", "PostgreSQL", "times"]);
    for (what, own, theirs) in &postgres.questions {
        let ratio = theirs.median().as_secs_f64() / own.median().as_secs_f64();
        table.push(vec![what.clone(), ms(own.median()), ms(theirs.median()), number(ratio)]);
    }
    format!("{}{} rows of answers compared, all equal.\n\n", table.render(), postgres.compared)
}
