//! From the start of the process until a large board is served, beside Redis with its RDB.

use std::time::Duration;

use anyhow::Result;
use rankd_benches::table::{Table, size};

use crate::Arguments;
use crate::data::Data;
use crate::redis::{NEVER, Redis, version};
use crate::server::Server;

pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let members = arguments.thousands * 1_000;
    let data = Data::of(members, arguments.folder.as_deref())?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // Once for nothing, so that all files are in memory.
    for round in 0..=arguments.rounds {
        let rankd = Server::start(&data.rankd, "always")?.ready_after;
        let redis = Redis::start(&data.redis, &NEVER)?.ready_after;
        if round > 0 {
            ours.push(rankd);
            theirs.push(redis);
        }
    }
    let mut table = Table::new(["ready after a restart", "median s", "least s", "most s"]);
    table.push(row("rankd, snapshot".to_owned(), &mut ours));
    table.push(row(format!("Redis {}, RDB", version()?), &mut theirs));
    let ratio = median(&mut ours).as_secs_f64() / median(&mut theirs).as_secs_f64();
    Ok(format!(
        "{} members, {} starts each, in turns.\n\n{}rankd takes {ratio:.2} of the time that Redis \
         takes.\n",
        size(members),
        arguments.rounds,
        table.render()
    ))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn row(name: String, times: &mut [Duration]) -> Vec<String> {
    let middle = median(times);
    let (least, most) = (times[0], times[times.len() - 1]);
    let shown = [middle, least, most].map(|time| format!("{:.2}", time.as_secs_f64()));
    std::iter::once(name).chain(shown).collect()
}
