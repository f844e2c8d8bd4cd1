//! Redis, the real server, by its own account of the time that commands took.
//!
//! What it is not: a measure of the network or of the protocol; the server states microseconds for
//! the execution of each command (`INFO commandstats`), and only these count. Invariant: ranks
//! count from the lowest score as everywhere here, so the server's reversed ranks are turned
//! around. Cost: deep pipelines, so that the server never waits for us.

mod resp;
mod server;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use rankd_benches::data::{Member, Score, Sum};
use rankd_benches::structures::RADIUS;

use self::resp::{Connection, Reply};
use self::server::Server;
use crate::ops::{Contender, Lot, Op, Outcome, PAGE_LEN, mix};

pub(crate) use self::server::version;

const BOARD: &[u8] = b"board";
/// Commands that one write carries.
const PIPELINE_LEN: usize = 500;

/// See the module's head.
pub(crate) struct Redis {
    server: Server,
    connection: Connection,
}

impl Redis {
    pub(crate) fn start() -> Result<Self> {
        let server = Server::start()?;
        let connection = server.connect()?;
        Ok(Self { server, connection })
    }

    /// Sends a command for each item, hundreds a write, and hands the replies over in order.
    fn pipeline<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut push: impl FnMut(&mut Connection, T),
        mut take: impl FnMut(Reply) -> Result<()>,
    ) -> Result<()> {
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let mut count = 0;
            for item in items.by_ref().take(PIPELINE_LEN) {
                push(&mut self.connection, item);
                count += 1;
            }
            self.connection.send()?;
            for _ in 0..count {
                take(self.connection.reply()?)?;
            }
        }
        Ok(())
    }

    /// The time that the server spent on these commands since its counters were reset.
    fn spent(&mut self, commands: &[&str]) -> Result<Duration> {
        let info = self.connection.ask(&[b"INFO", b"commandstats"])?;
        let info = std::str::from_utf8(info.bytes()?)?;
        let mut total_us = 0;
        for command in commands {
            let head = format!("cmdstat_{command}:");
            let line = info.lines().find_map(|line| line.strip_prefix(&head));
            let field = line.and_then(|line| line.split(',').find_map(|f| f.strip_prefix("usec=")));
            let field = field.with_context(|| format!("no time for {command} in {info}"))?;
            total_us += field.parse::<u64>()?;
        }
        Ok(Duration::from_micros(total_us))
    }

    fn ranks<M: Member>(&mut self, members: &[M], size: usize) -> Result<Vec<usize>> {
        let mut ranks = Vec::with_capacity(members.len());
        let push = |connection: &mut Connection, member: &M| {
            connection.push(&[b"ZREVRANK", BOARD, &text(member)]);
        };
        self.pipeline(members, push, |reply| {
            ranks.push(size - 1 - usize::try_from(reply.number()?)?);
            Ok(())
        })?;
        Ok(ranks)
    }

    /// The members of several ranges of ranks, each as a checksum.
    fn pages(&mut self, pages: &[(usize, usize)], size: usize) -> Result<u64> {
        let mut checksum = 0;
        let push = |connection: &mut Connection, &(start, end): &(usize, usize)| {
            let (first, last) = (size - end, size - 1 - start);
            let (first, last) = (first.to_string(), last.to_string());
            connection.push(&[b"ZREVRANGE", BOARD, first.as_bytes(), last.as_bytes()]);
        };
        self.pipeline(pages, push, |reply| {
            checksum = mix(checksum, sum(reply.list()?.iter().rev())?);
            Ok(())
        })?;
        Ok(checksum)
    }

    fn write<M: Member>(
        &mut self,
        lot: &Lot<'_, M>,
        passes: usize,
    ) -> Result<(u64, &'static [&'static str])> {
        let mut numbers = lot.numbers();
        for _ in 0..passes {
            let push = |connection: &mut Connection, member: &M| {
                let score = u64::draw(&mut numbers, lot.scores).to_string();
                connection.push(&[b"ZADD", BOARD, score.as_bytes(), &text(member)]);
            };
            self.pipeline(lot.asked, push, |reply| reply.number().map(drop))?;
        }
        Ok((0, &["zadd"]))
    }

    fn remove<M: Member>(&mut self, members: &[M]) -> Result<(u64, &'static [&'static str])> {
        let mut removed = 0;
        let push = |connection: &mut Connection, member: &M| {
            connection.push(&[b"ZREM", BOARD, &text(member)]);
        };
        self.pipeline(members, push, |reply| {
            removed += u64::try_from(reply.number()?)?;
            Ok(())
        })?;
        Ok((removed, &["zrem"]))
    }

    fn rank<M: Member>(&mut self, lot: &Lot<'_, M>) -> Result<(u64, &'static [&'static str])> {
        let mut checksum = 0;
        for _ in 0..lot.passes {
            let ranks = self.ranks(lot.asked, lot.size)?;
            checksum = ranks.iter().fold(checksum, |checksum, rank| mix(checksum, *rank as u64));
        }
        Ok((checksum, &["zrevrank"]))
    }

    fn page<M: Member>(&mut self, lot: &Lot<'_, M>) -> Result<(u64, &'static [&'static str])> {
        let mut numbers = lot.numbers();
        let pages: Vec<_> = (0..lot.asked.len() * lot.passes)
            .map(|_| lot.page_start(&mut numbers))
            .map(|start| (start, start + PAGE_LEN))
            .collect();
        Ok((self.pages(&pages, lot.size)?, &["zrevrange"]))
    }

    fn around<M: Member>(&mut self, lot: &Lot<'_, M>) -> Result<(u64, &'static [&'static str])> {
        let mut pages = Vec::new();
        for _ in 0..lot.passes {
            for rank in self.ranks(lot.asked, lot.size)? {
                pages.push((rank.saturating_sub(RADIUS), (rank + RADIUS + 1).min(lot.size)));
            }
        }
        Ok((self.pages(&pages, lot.size)?, &["zrevrank", "zrevrange"]))
    }

    fn count<M: Member>(&mut self, lot: &Lot<'_, M>) -> Result<(u64, &'static [&'static str])> {
        let mut checksum = 0;
        let mut numbers = lot.numbers();
        let push = |connection: &mut Connection, (low, high): (u64, u64)| {
            let (low, high) = (low.to_string(), high.to_string());
            connection.push(&[b"ZCOUNT", BOARD, low.as_bytes(), high.as_bytes()]);
        };
        let ranges = (0..lot.asked.len() * lot.passes).map(|_| lot.score_range(&mut numbers));
        self.pipeline(ranges, push, |reply| {
            checksum = mix(checksum, u64::try_from(reply.number()?)?);
            Ok(())
        })?;
        Ok((checksum, &["zcount"]))
    }

    fn iterate(&mut self, passes: usize) -> Result<(u64, &'static [&'static str])> {
        let mut checksum = 0;
        for _ in 0..passes {
            let reply = self.connection.ask(&[b"ZRANGE", BOARD, b"0", b"-1"])?;
            checksum = mix(checksum, sum(reply.list()?.iter())?);
        }
        Ok((checksum, &["zrange"]))
    }
}

impl<M: Member> Contender<M, u64> for Redis {
    fn name(&self) -> &'static str {
        "Redis"
    }

    fn load(&mut self, entries: &[(M, u64)]) -> Result<()> {
        for chunk in entries.chunks(PIPELINE_LEN) {
            let words: Vec<Vec<u8>> = chunk
                .iter()
                .flat_map(|(member, score)| [score.to_string().into_bytes(), text(member)])
                .collect();
            let mut command: Vec<&[u8]> = vec![b"ZADD", BOARD];
            command.extend(words.iter().map(Vec::as_slice));
            let added = self.connection.ask(&command)?.number()?;
            if usize::try_from(added)? != chunk.len() {
                bail!("{added} of {} members were new to the server", chunk.len());
            }
        }
        Ok(())
    }

    fn run(&mut self, op: Op, lot: &Lot<'_, M>) -> Result<Option<Outcome>> {
        self.connection.ask(&[b"CONFIG", b"RESETSTAT"])?;
        let (checksum, commands) = match op {
            Op::Rank => self.rank(lot)?,
            Op::Set => self.write(lot, lot.passes)?,
            Op::Insert => self.write(lot, 1)?,
            Op::Remove => self.remove(lot.asked)?,
            Op::Page => self.page(lot)?,
            Op::Around => self.around(lot)?,
            Op::Count => self.count(lot)?,
            Op::Iterate => self.iterate(lot.passes)?,
            // Between two commands the server waits for its socket, whatever they depend on.
            Op::RankDependent | Op::RankWindow => return Ok(None),
        };
        Ok(Some(Outcome { time: self.spent(commands)?, checksum }))
    }

    fn own_resident_bytes(&self) -> Result<Option<usize>> {
        self.server.resident_bytes().map(Some)
    }
}

fn text<M: Member>(member: &M) -> Vec<u8> {
    let mut text = Vec::with_capacity(24);
    member.write_text(&mut text);
    text
}

fn sum<'a>(members: impl Iterator<Item = &'a Reply>) -> Result<u64> {
    let mut sum = Sum::default();
    for member in members {
        sum.add(0, member.bytes()?);
    }
    Ok(sum.members)
}
