//! The page: docs/benchmarks-http.md, text and figures.
//!
//! Invariant: the same run gives the same page; nothing in it is written by hand.

use std::fmt::Write as _;

use rankd_benches::machine;
use rankd_benches::table::{Table, median, number};

use crate::cases::{Case, Figure};

const INTRODUCTION: &str = "\
# Benchmarks: the HTTP front end

<!-- Written by `cargo xtask bench http`; a change by hand would be lost. -->

What a request over HTTP costs beside the least that it can cost: hyper answering every request with
one constant body of the same size. nginx with `return 200` and webdis before Redis are there for
comparison. Ratios travel between machines, requests a second do not.

";

const METHOD: &str = "\
## How it is measured

* Every server is asked in turn, a round each; a figure is the median of the rounds.
* `hyper` and rankd have the same allocator and the same runtime, and `hyper` gathers the replies to
  a pipeline. It gets the very requests that rankd gets and answers with as many bytes.
* rankd keeps its log with `durability = interval`. webdis has one thread; its processor time is its
  own, without that of Redis behind it, which runs on the same core.
* Processor time is what the system accounts for the server's process, system calls included,
  divided by the requests that were answered meanwhile.
* `rankd bench` and wrk are two clients with 64 connections and one thread each, one after the
  other. Members are random among all.

";

pub(crate) fn render(
    figures: &[Figure],
    rounds: usize,
    seconds: u64,
    members: u64,
    pinned: bool,
) -> String {
    let mut text = INTRODUCTION.to_owned();
    let place = if pinned {
        "servers on one core, the client on another"
    } else {
        "servers and client on any core"
    };
    let _ = writeln!(
        text,
        "{members} members; {rounds} rounds of {seconds} s for each client; {place}.\n"
    );
    for pipeline in [1, 16] {
        for case in Case::ALL {
            let of_case: Vec<_> =
                figures.iter().filter(|f| f.case == case && f.pipeline == pipeline).collect();
            let pipelined = if pipeline > 1 { ", 16 requests pipelined" } else { "" };
            let _ = writeln!(text, "## {}{pipelined}\n", case.title());
            text.push_str(&table(&of_case).render());
        }
    }
    text.push_str(METHOD);
    text.push_str("## The machine\n\n");
    for (what, value) in machine::facts() {
        let _ = writeln!(text, "* {what}: {value}");
    }
    text
}

fn table(figures: &[&Figure]) -> Table {
    let mut table = Table::new([
        "server",
        "requests/s",
        "to hyper",
        "by wrk",
        "to hyper, by wrk",
        "CPU us/request",
        "p99 us",
    ]);
    let rate = |figure: &Figure| median(figure.bench.iter().map(|one| one.requests_per_s));
    let wrk = |figure: &Figure| median(figure.wrk.iter().copied());
    let Some(first) = figures.first() else { return table };
    for figure in figures {
        table.push(vec![
            figure.server.to_owned(),
            number(rate(figure)),
            format!("{:.2}", rate(figure) / rate(first)),
            number(wrk(figure)),
            format!("{:.2}", wrk(figure) / wrk(first)),
            format!("{:.2}", median(figure.bench.iter().map(|one| one.cpu_us_per_request))),
            number(median(figure.bench.iter().map(|one| one.p99_us))),
        ]);
    }
    table
}
