//! The page: docs/benchmarks-frontend.md, text and figures.
//!
//! Invariant: the same run gives the same page; nothing in it is written by hand.

use std::fmt::Write as _;

use rankd_benches::machine;
use rankd_benches::table::{Table, bytes, median, number};
use rankd_load::Latency;

use crate::crowd::{Beside, Kind, PIECE_BYTES, RATE_PER_S, Round};
use crate::overload::Way;
use crate::paced::MIX;
use crate::{Arguments, Found, churn};

const INTRODUCTION: &str = "\
# Benchmarks: a busy front end

<!-- Written by `cargo xtask bench frontend`; a change by hand would be lost. -->

What clients notice of a server that has much to do: writes and a snapshot beside their reads, ten
thousand connections that are idle or slow, three times the load that it can take, and clients that
connect for each request. Beside other servers it is measured in
[benchmarks-http.md](benchmarks-http.md).

";

const METHOD: &str = "\
## How it is measured

* The load is that of `rankd bench` ([load-test.md](load-test.md)), with one thread and, unless it
  says otherwise, 64 connections. In open loops latency counts from the intended start of a request.
* rankd keeps its log with `durability = interval`, and has `connections_max` raised to make room
  for the crowd.
* Memory of a connection is what the server's resident memory has grown by since before the first
  crowd came, divided by the number of a crowd; the most of all rounds. Memory that the server holds
  on to after an earlier crowd is in it, so it is rather too much.
* Busy is the processor time that a side used, divided by the time that passed; what the system does
  for a connection on loopback is partly accounted to the other side.

";

pub(crate) fn render(found: &[Found], arguments: &Arguments) -> String {
    let mut text = INTRODUCTION.to_owned();
    let Arguments { rounds, seconds, members, crowd, .. } = arguments;
    let _ = writeln!(
        text,
        "{members} members; medians of {rounds} rounds of {seconds} s for each measurement. \
         Pinned: \
         the server has one core and the clients another; otherwise both have all cores.\n"
    );
    let _ = writeln!(text, "## Half of the highest rate, with writes and a snapshot\n");
    let _ = writeln!(
        text,
        "`{MIX}`; the highest rate is that of a closed loop, and the open loop at half of it lasts \
         {} s. The longest is that of all rounds. Aims: p99 of reads at most 2 ms, p99.9 at most \
         5 ms.\n",
        3 * seconds
    );
    text.push_str(&paced(found).render());
    let _ = writeln!(text, "## {crowd} connections that do nothing, or next to it\n");
    let _ = writeln!(
        text,
        "64 working clients ask for ranks, {RATE_PER_S} a second together. Idle connections have \
         asked once; slow ones send their request {PIECE_BYTES} bytes a second and never read. \
         Aims: p99 of the working clients at most twice that without the others, at most 20 KiB a \
         connection.\n"
    );
    text.push_str(&crowded(found).render());
    let _ = writeln!(text, "## Three times the highest rate\n");
    let _ = writeln!(
        text,
        "The highest rate is that of a closed loop; goodput is what is answered of three times as \
         much. Aim: at least 0.90 of the highest rate.\n"
    );
    text.push_str(&overload(found).render());
    let _ = writeln!(text, "## A connection for each request\n");
    let _ = writeln!(
        text,
        "{} clients connect, ask for a rank, read it and close; times are from before connecting \
         to the answer.\n",
        churn::CLIENTS
    );
    text.push_str(&churned(found).render());
    text.push_str(METHOD);
    text.push_str("## The machine\n\n");
    for (what, value) in machine::facts() {
        let _ = writeln!(text, "* {what}: {value}");
    }
    text
}

fn place(found: &Found) -> String {
    if found.place.server.is_some() { "pinned".to_owned() } else { "not pinned".to_owned() }
}

fn paced(found: &[Found]) -> Table {
    let mut table = Table::new([
        "where",
        "highest/s",
        "open loop/s",
        "what",
        "p50 us",
        "p99 us",
        "p99.9 us",
        "longest us",
        "snapshot ms",
        "unanswered",
    ]);
    for found in found.iter().filter(|found| !found.paced.is_empty()) {
        let of = |value: &dyn Fn(&crate::paced::Paced) -> f64| {
            number(median(found.paced.iter().map(value)))
        };
        for (what, is_read) in [("reads", true), ("writes", false)] {
            let latency = |one: &crate::paced::Paced| if is_read { one.reads } else { one.writes };
            let longest = found.paced.iter().map(|one| latency(one).max_us).fold(0.0, f64::max);
            let unanswered: u64 = found.paced.iter().map(|one| one.unanswered).sum();
            table.push(vec![
                place(found),
                of(&|one| one.peak_per_s),
                of(&|one| one.rate_per_s),
                what.to_owned(),
                of(&|one| latency(one).p50_us),
                of(&|one| latency(one).p99_us),
                of(&|one| latency(one).p999_us),
                number(longest),
                of(&|one| one.snapshot.as_secs_f64() * 1e3),
                unanswered.to_string(),
            ]);
        }
    }
    table
}

fn crowded(found: &[Found]) -> Table {
    let mut table = Table::new([
        "where",
        "beside",
        "p50 us",
        "p99 us",
        "p99 to that without",
        "p99.9 us",
        "longest us",
        "memory of a connection",
        "closed by the server",
    ]);
    for found in found.iter().filter(|found| !found.crowd.is_empty()) {
        let alone = |of: &dyn Fn(&Latency) -> f64| median(found.crowd.iter().map(|r| of(&r.alone)));
        let p99_alone = alone(&|latency| latency.p99_us);
        table.push(vec![
            place(found),
            "nobody".to_owned(),
            number(alone(&|latency| latency.p50_us)),
            number(p99_alone),
            "1.00".to_owned(),
            number(alone(&|latency| latency.p999_us)),
            number(alone(&|latency| latency.max_us)),
            "-".to_owned(),
            "-".to_owned(),
        ]);
        for kind in Kind::ALL {
            table.push(beside(found, kind, p99_alone));
        }
    }
    table
}

/// The line of one kind of crowd.
fn beside(found: &Found, kind: Kind, p99_alone: f64) -> Vec<String> {
    let of_kind = |round: &Round| round.beside.iter().find(|(k, _)| *k == kind).map(|(_, b)| *b);
    let of = |value: &dyn Fn(Beside) -> f64| {
        median(found.crowd.iter().filter_map(|round| of_kind(round).map(value)))
    };
    let closed: u64 = found.crowd.iter().filter_map(of_kind).map(|beside| beside.closed).sum();
    let grown = found.crowd.iter().filter_map(of_kind).map(|beside| beside.bytes_per_connection);
    // Later rounds use the memory of the first again.
    let grown = grown.fold(f64::NEG_INFINITY, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes")]
    let memory = bytes(grown.max(0.0) as usize);
    let p99 = of(&|beside| beside.latency.p99_us);
    vec![
        place(found),
        kind.title().to_owned(),
        number(of(&|beside| beside.latency.p50_us)),
        number(p99),
        format!("{:.2}", p99 / p99_alone),
        number(of(&|beside| beside.latency.p999_us)),
        number(of(&|beside| beside.latency.max_us)),
        memory,
        closed.to_string(),
    ]
}

fn overload(found: &[Found]) -> Table {
    let mut table = Table::new([
        "where",
        "what",
        "highest/s",
        "asked for/s",
        "goodput/s",
        "to the highest",
        "server busy",
        "clients busy",
        "p99 ms",
    ]);
    for found in found.iter().filter(|found| !found.overload.is_empty()) {
        for way in Way::ALL {
            let of = |value: &dyn Fn(&crate::overload::Overloaded) -> f64| {
                let of_way = found.overload.iter().flatten().filter(|one| one.way == way);
                median(of_way.map(value))
            };
            let (peak, goodput) = (
                of(&|one| one.peak.report.requests_per_s),
                of(&|one| one.overload.report.requests_per_s),
            );
            table.push(vec![
                place(found),
                way.title().to_owned(),
                number(peak),
                number(of(&|one| one.offered_per_s)),
                number(goodput),
                format!("{:.2}", goodput / peak),
                format!("{:.2}", of(&|one| one.overload.server_share())),
                format!("{:.2}", of(&|one| one.overload.client_share)),
                number(of(&|one| one.overload.report.latency.p99_us / 1e3)),
            ]);
        }
    }
    table
}

fn churned(found: &[Found]) -> Table {
    let mut table = Table::new(["where", "requests/s", "p50 us", "p99 us"]);
    for found in found.iter().filter(|found| !found.churn.is_empty()) {
        let of =
            |value: &dyn Fn(&churn::Round) -> f64| number(median(found.churn.iter().map(value)));
        table.push(vec![
            place(found),
            of(&|round| round.requests_per_s),
            of(&|round| round.p50_us),
            of(&|round| round.p99_us),
        ]);
    }
    table
}
