//! The commands: what they are called, how many arguments they take, what they touch, and who
//! carries them out.
//!
//! Cost of a look-up: one hash.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

use crate::commands::{
    beyond as b, connection as c, hashes as h, keys as k, member_ends as me, pubsub as p, scan,
    server as s, sets, strings as t, zadd as za, zops as zo, zpop as zp, zrange as zr, zread as z,
};
use crate::failure::Done;
use crate::window::Cx;

/// Carries out a command.
pub(crate) type Handler = fn(&mut Cx<'_, '_>, &[&[u8]]) -> Done;

/// What a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Keys, to read.
    Read,
    /// Keys, to write.
    Write,
    /// No keys.
    Plain,
    /// More than a turn.
    Special(Special),
}

/// Commands that are no part of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    Multi,
    Exec,
    Discard,
    Watch,
    PopMin,
    PopMax,
    PopMany,
    Save,
    BackgroundSave,
    Sleep,
    Shutdown,
    Reset,
    Quit,
}

impl Special {
    /// Whether it is carried out at once although a transaction is under way.
    pub(crate) fn is_of_transactions(self) -> bool {
        use Special::{Discard, Exec, Multi, Quit, Reset, Watch};
        matches!(self, Multi | Exec | Discard | Watch | Quit | Reset)
    }
}

/// Which look-ups are done together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hot {
    No,
    /// Ranks, which are answered together.
    Rank,
    /// The same from behind.
    RevRank,
    /// One member each, which is the argument at this place, to look at.
    Member(usize),
    /// The same, whose score changes a little.
    Change(usize),
    /// The same, which gets the score that is the argument before it.
    Put(usize),
}

/// One command.
#[derive(Clone, Copy)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// Number of arguments with the name; negative: at least that many.
    pub(crate) arity: i64,
    pub(crate) class: Class,
    /// First and last argument that is a key, and the step between keys.
    pub(crate) keys: (i64, i64, i64),
    pub(crate) run: Handler,
    pub(crate) hot: Hot,
    pub(crate) is_for_unknown: bool,
    pub(crate) is_for_subscribers: bool,
    pub(crate) is_outside_transactions: bool,
}

impl Command {
    /// Whether it takes so many arguments.
    pub(crate) fn takes(&self, count: usize) -> bool {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if self.arity < 0 { count >= -self.arity } else { count == self.arity }
    }
}

const NONE: (i64, i64, i64) = (0, 0, 0);
const ONE: (i64, i64, i64) = (1, 1, 1);
const TWO: (i64, i64, i64) = (1, 2, 1);
const ALL: (i64, i64, i64) = (1, -1, 1);

const fn command(
    name: &'static str,
    arity: i64,
    class: Class,
    keys: (i64, i64, i64),
    run: Handler,
) -> Command {
    Command {
        name,
        arity,
        class,
        keys,
        run,
        hot: Hot::No,
        is_for_unknown: false,
        is_for_subscribers: false,
        is_outside_transactions: false,
    }
}

const fn read(name: &'static str, arity: i64, keys: (i64, i64, i64), run: Handler) -> Command {
    command(name, arity, Class::Read, keys, run)
}

const fn write(name: &'static str, arity: i64, keys: (i64, i64, i64), run: Handler) -> Command {
    command(name, arity, Class::Write, keys, run)
}

const fn plain(name: &'static str, arity: i64, run: Handler) -> Command {
    command(name, arity, Class::Plain, NONE, run)
}

const fn special(name: &'static str, arity: i64, what: Special) -> Command {
    command(name, arity, Class::Special(what), NONE, never)
}

/// Specials are not carried out through the table.
fn never(_: &mut Cx<'_, '_>, _: &[&[u8]]) -> Done {
    Ok(())
}

/// For clients that have not shown who they are.
const fn open(command: Command) -> Command {
    Command { is_for_unknown: true, ..command }
}

/// For clients that have subscribed to something.
const fn heard(command: Command) -> Command {
    Command { is_for_subscribers: true, ..command }
}

/// Not for transactions.
const fn alone(command: Command) -> Command {
    Command { is_outside_transactions: true, ..command }
}

const fn hot(command: Command, hot: Hot) -> Command {
    Command { hot, ..command }
}

static SORTED_SETS: &[Command] = &[
    hot(write("zadd", -4, ONE, za::zadd), Hot::Put(3)),
    hot(write("zincrby", 4, ONE, za::zincrby), Hot::Change(3)),
    write("zrem", -3, ONE, za::zrem),
    read("zcard", 2, ONE, z::zcard),
    read("zcount", 4, ONE, z::zcount),
    read("zlexcount", 4, ONE, z::zlexcount),
    hot(read("zscore", 3, ONE, z::zscore), Hot::Member(2)),
    read("zmscore", -3, ONE, z::zmscore),
    hot(read("zrank", -3, ONE, z::zrank), Hot::Rank),
    hot(read("zrevrank", -3, ONE, z::zrevrank), Hot::RevRank),
    read("zrange", -4, ONE, zr::zrange),
    read("zrevrange", -4, ONE, zr::zrevrange),
    read("zrangebyscore", -4, ONE, zr::zrangebyscore),
    read("zrevrangebyscore", -4, ONE, zr::zrevrangebyscore),
    read("zrangebylex", -4, ONE, zr::zrangebylex),
    read("zrevrangebylex", -4, ONE, zr::zrevrangebylex),
    write("zrangestore", -5, TWO, zr::zrangestore),
    write("zremrangebyrank", 4, ONE, zr::zremrangebyrank),
    write("zremrangebyscore", 4, ONE, zr::zremrangebyscore),
    write("zremrangebylex", 4, ONE, zr::zremrangebylex),
    write("zpopmin", -2, ONE, zp::zpopmin),
    write("zpopmax", -2, ONE, zp::zpopmax),
    write("zmpop", -4, NONE, zp::zmpop),
    special("bzpopmin", -3, Special::PopMin),
    special("bzpopmax", -3, Special::PopMax),
    special("bzmpop", -5, Special::PopMany),
    read("zrandmember", -2, ONE, z::zrandmember),
    read("zscan", -3, ONE, scan::zscan),
    read("zunion", -3, NONE, zo::zunion),
    read("zinter", -3, NONE, zo::zinter),
    read("zdiff", -3, NONE, zo::zdiff),
    read("zintercard", -3, NONE, zo::zintercard),
    write("zunionstore", -4, ONE, zo::zunionstore),
    write("zinterstore", -4, ONE, zo::zinterstore),
    write("zdiffstore", -4, ONE, zo::zdiffstore),
    read("zmrank", -3, ONE, b::zmrank),
    read("zaround", -4, ONE, b::zaround),
    read("zrankstyle", 4, ONE, b::zrankstyle),
    write("zaddmax", -5, ONE, b::zaddmax),
    write("zcreate", -2, ONE, b::zcreate),
    write("zexpire", -6, ONE, me::zexpire),
    write("zpexpire", -6, ONE, me::zpexpire),
    write("zexpireat", -6, ONE, me::zexpireat),
    write("zpexpireat", -6, ONE, me::zpexpireat),
    write("zpersist", -5, ONE, me::zpersist),
    read("zttl", -5, ONE, me::zttl),
    read("zpttl", -5, ONE, me::zpttl),
    read("zexpiretime", -5, ONE, me::zexpiretime),
    read("zpexpiretime", -5, ONE, me::zpexpiretime),
];

static VALUES: &[Command] = &[
    read("get", 2, ONE, t::get),
    write("set", -3, ONE, t::set),
    write("getset", 3, ONE, t::getset),
    write("getdel", 2, ONE, t::getdel),
    write("getex", -2, ONE, k::getex),
    write("setnx", 3, ONE, t::setnx),
    write("setex", 4, ONE, t::setex),
    write("psetex", 4, ONE, t::psetex),
    read("mget", -2, ALL, t::mget),
    write("mset", -3, (1, -1, 2), t::mset),
    write("msetnx", -3, (1, -1, 2), t::msetnx),
    write("incr", 2, ONE, t::incr),
    write("decr", 2, ONE, t::decr),
    write("incrby", 3, ONE, t::incrby),
    write("decrby", 3, ONE, t::decrby),
    write("append", 3, ONE, t::append),
    read("strlen", 2, ONE, t::strlen),
    read("getrange", 4, ONE, t::getrange),
    write("hset", -4, ONE, h::hset),
    write("hmset", -4, ONE, h::hmset),
    write("hsetnx", 4, ONE, h::hsetnx),
    read("hget", 3, ONE, h::hget),
    read("hmget", -3, ONE, h::hmget),
    read("hgetall", 2, ONE, h::hgetall),
    read("hkeys", 2, ONE, h::hkeys),
    read("hvals", 2, ONE, h::hvals),
    write("hdel", -3, ONE, h::hdel),
    read("hexists", 3, ONE, h::hexists),
    read("hlen", 2, ONE, h::hlen),
    read("hstrlen", 3, ONE, h::hstrlen),
    write("hincrby", 4, ONE, h::hincrby),
    read("hrandfield", -2, ONE, h::hrandfield),
    read("hscan", -3, ONE, scan::hscan),
    write("sadd", -3, ONE, sets::sadd),
    write("srem", -3, ONE, sets::srem),
    read("smembers", 2, ONE, sets::smembers),
    read("sismember", 3, ONE, sets::sismember),
    read("smismember", -3, ONE, sets::smismember),
    read("scard", 2, ONE, sets::scard),
    write("smove", 4, TWO, sets::smove),
    read("srandmember", -2, ONE, sets::srandmember),
    write("spop", -2, ONE, sets::spop),
    read("sscan", -3, ONE, scan::sscan),
    read("sunion", -2, ALL, sets::sunion),
    read("sinter", -2, ALL, sets::sinter),
    read("sdiff", -2, ALL, sets::sdiff),
    read("sintercard", -3, NONE, sets::sintercard),
    write("sunionstore", -3, ALL, sets::sunionstore),
    write("sinterstore", -3, ALL, sets::sinterstore),
    write("sdiffstore", -3, ALL, sets::sdiffstore),
];

static KEYS: &[Command] = &[
    write("del", -2, ALL, k::del),
    write("unlink", -2, ALL, k::del),
    read("exists", -2, ALL, k::exists),
    read("touch", -2, ALL, k::exists),
    read("type", 2, ONE, k::kind),
    write("rename", 3, TWO, k::rename),
    write("renamenx", 3, TWO, k::renamenx),
    write("copy", -3, TWO, k::copy),
    write("expire", -3, ONE, k::expire),
    write("pexpire", -3, ONE, k::pexpire),
    write("expireat", -3, ONE, k::expireat),
    write("pexpireat", -3, ONE, k::pexpireat),
    write("persist", 2, ONE, k::persist),
    read("ttl", 2, ONE, k::ttl),
    read("pttl", 2, ONE, k::pttl),
    read("expiretime", 2, ONE, k::expiretime),
    read("pexpiretime", 2, ONE, k::pexpiretime),
    read("scan", -2, NONE, scan::scan),
    read("keys", 2, NONE, k::keys),
    read("randomkey", 1, NONE, k::randomkey),
    read("dbsize", 1, NONE, k::dbsize),
    read("object", -2, (2, 2, 1), k::object),
    read("memory", -2, (2, 2, 1), k::memory),
    write("flushdb", -1, NONE, k::flush),
    write("flushall", -1, NONE, k::flush),
];

static OTHERS: &[Command] = &[
    heard(plain("ping", -1, c::ping)),
    plain("echo", 2, c::echo),
    open(plain("auth", -2, c::auth)),
    open(plain("hello", -1, c::hello)),
    plain("select", 2, c::select),
    plain("client", -2, c::client),
    open(heard(special("reset", 1, Special::Reset))),
    open(heard(special("quit", -1, Special::Quit))),
    plain("command", -1, s::command),
    plain("info", -1, s::info),
    plain("config", -2, s::config),
    plain("slowlog", -2, s::slowlog),
    plain("latency", -2, s::latency),
    plain("time", 1, s::time),
    plain("wait", 3, s::wait),
    plain("lastsave", 1, s::lastsave),
    plain("role", 1, s::role),
    plain("script", -2, s::script),
    plain("function", -2, s::script),
    plain("cluster", -2, s::cluster),
    plain("readonly", 1, s::cluster_mode),
    plain("readwrite", 1, s::cluster_mode),
    alone(special("save", 1, Special::Save)),
    special("bgsave", -1, Special::BackgroundSave),
    alone(special("shutdown", -1, Special::Shutdown)),
    alone(special("debug", -2, Special::Sleep)),
    special("multi", 1, Special::Multi),
    special("exec", 1, Special::Exec),
    special("discard", 1, Special::Discard),
    special("watch", -2, Special::Watch),
    plain("unwatch", 1, c::unwatch),
    plain("publish", 3, p::publish),
    plain("pubsub", -2, p::pubsub),
    alone(heard(plain("subscribe", -2, p::subscribe))),
    alone(heard(plain("unsubscribe", -1, p::unsubscribe))),
    alone(heard(plain("psubscribe", -2, p::psubscribe))),
    alone(heard(plain("punsubscribe", -1, p::punsubscribe))),
];

/// All commands.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    [SORTED_SETS, VALUES, KEYS, OTHERS].into_iter().flatten()
}

static TABLE: LazyLock<HashMap<&'static [u8], &'static Command, RandomState>> =
    LazyLock::new(|| all().map(|command| (command.name.as_bytes(), command)).collect());

/// The command of this name, in whatever case.
pub(crate) fn find(name: &[u8]) -> Option<&'static Command> {
    const NAME_BYTES_MAX: usize = 24;
    let mut lower = [0; NAME_BYTES_MAX];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    TABLE.get(&*lower).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_in_any_case_and_none_is_there_twice() {
        let mut names: Vec<_> = all().map(|command| command.name).collect();
        for name in &names {
            let found = find(name.to_uppercase().as_bytes()).map(|command| command.name);
            assert_eq!(found, Some(*name));
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(find(b"").is_none() && find(&[b'z'; 100]).is_none());
    }
}
