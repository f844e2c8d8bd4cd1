//! Hashes, for what an application knows of its members.

use crate::args::{is, long, random_count};
use crate::commands::zread::{below, places};
use crate::failure::{Done, Failure, SYNTAX};
use crate::frame::integer;
use crate::number::write_integer;
use crate::window::Cx;

fn check_pairs(args: &[&[u8]], name: &str) -> Done {
    if args.len().is_multiple_of(2) {
        return Ok(());
    }
    Err(Failure::of(format!("ERR wrong number of arguments for '{name}' command")))
}

fn put_pairs(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Result<usize, Failure> {
    let mut added = 0;
    for pair in args[2..].chunks_exact(2) {
        added += usize::from(cx.turn.put_field(args[1], pair[0], pair[1])?);
    }
    cx.event('h', "hset", args[1]);
    Ok(added)
}

pub(crate) fn hset(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    check_pairs(args, "hset")?;
    let added = put_pairs(cx, args)?;
    cx.out.count(added);
    Ok(())
}

pub(crate) fn hmset(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    check_pairs(args, "hmset")?;
    put_pairs(cx, args)?;
    cx.out.ok();
    Ok(())
}

pub(crate) fn hsetnx(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let is_there = cx.turn.hash(args[1], |fields| fields.contains(args[2]))? == Some(true);
    if !is_there {
        cx.turn.put_field(args[1], args[2], args[3])?;
        cx.event('h', "hset", args[1]);
    }
    cx.out.flag(!is_there);
    Ok(())
}

pub(crate) fn hget(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let out = &mut *cx.out;
    let found = cx.turn.hash(args[1], |fields| {
        let value = fields.get(args[2])?;
        out.bulk(value);
        Some(())
    })?;
    if found.flatten().is_none() {
        out.null();
    }
    Ok(())
}

pub(crate) fn hmget(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let out = &mut *cx.out;
    let wanted = &args[2..];
    let found = cx.turn.hash(args[1], |fields| {
        out.array(wanted.len());
        for field in wanted {
            match fields.get(field) {
                Some(value) => out.bulk(value),
                None => out.null(),
            }
        }
    })?;
    if found.is_none() {
        out.array(wanted.len());
        wanted.iter().for_each(|_| out.null());
    }
    Ok(())
}

pub(crate) fn hgetall(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let out = &mut *cx.out;
    let found = cx.turn.hash(args[1], |fields| {
        out.map(fields.len());
        for (field, value) in fields.iter() {
            out.bulk(field);
            out.bulk(value);
        }
    })?;
    if found.is_none() {
        out.map(0);
    }
    Ok(())
}

pub(crate) fn hkeys(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    list(cx, args[1], true)
}

pub(crate) fn hvals(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    list(cx, args[1], false)
}

fn list(cx: &mut Cx<'_, '_>, key: &[u8], names: bool) -> Done {
    let out = &mut *cx.out;
    let found = cx.turn.hash(key, |fields| {
        out.array(fields.len());
        fields.iter().for_each(|(field, value)| out.bulk(if names { field } else { value }));
    })?;
    if found.is_none() {
        out.array(0);
    }
    Ok(())
}

pub(crate) fn hdel(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let mut removed = 0;
    for field in &args[2..] {
        removed += usize::from(cx.turn.remove_field(args[1], field)?);
    }
    cx.removed('h', "hdel", args[1], removed);
    cx.out.count(removed);
    Ok(())
}

pub(crate) fn hexists(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let is_there = cx.turn.hash(args[1], |fields| fields.contains(args[2]))?;
    cx.out.flag(is_there == Some(true));
    Ok(())
}

pub(crate) fn hlen(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let length = cx.turn.hash(args[1], |fields| fields.len())?;
    cx.out.count(length.unwrap_or(0));
    Ok(())
}

pub(crate) fn hstrlen(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let length = cx.turn.hash(args[1], |fields| fields.get(args[2]).map(|value| value.len()))?;
    cx.out.count(length.flatten().unwrap_or(0));
    Ok(())
}

pub(crate) fn hincrby(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NOT_INTEGER: Failure = Failure::new("ERR hash value is not an integer");
    let by = long(args[3])?;
    let stored = cx.turn.hash(args[1], |fields| {
        fields.get(args[2]).map(|value| integer(value).ok_or(NOT_INTEGER))
    })?;
    let stored = stored.flatten().transpose()?.unwrap_or(0);
    let sum = stored.checked_add(by).ok_or(crate::failure::OVERFLOW)?;
    let mut text = Vec::with_capacity(20);
    write_integer(&mut text, sum);
    cx.turn.put_field(args[1], args[2], &text)?;
    cx.event('h', "hincrby", args[1]);
    cx.out.integer(sum);
    Ok(())
}

pub(crate) fn hrandfield(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NOT_IN_RANGE: Failure = Failure::new("ERR value is out of range");
    let Some(count) = args.get(2) else { return one_random(cx, args[1]) };
    let count = random_count(count)?;
    let with_values = match args.get(3) {
        None => false,
        Some(arg) if args.len() == 4 && is(arg, "withvalues") => true,
        Some(_) => return Err(SYNTAX),
    };
    if with_values && !(-i64::MAX / 2..=i64::MAX / 2).contains(&count) {
        return Err(NOT_IN_RANGE);
    }
    let len = cx.turn.hash(args[1], |fields| fields.len())?.unwrap_or(0);
    let places = places(cx, count, len)?;
    let is_3 = cx.out.version == crate::reply::Version::Resp3;
    cx.out.members(places.len(), with_values);
    let out = &mut *cx.out;
    cx.turn.hash(args[1], |fields| {
        let all: Vec<_> = fields.iter().collect();
        for at in places {
            let (field, value) = all[at];
            if with_values && is_3 {
                out.array(2);
            }
            out.bulk(field);
            if with_values {
                out.bulk(value);
            }
        }
    })?;
    Ok(())
}

fn one_random(cx: &mut Cx<'_, '_>, key: &[u8]) -> Done {
    let random = cx.random();
    let out = &mut *cx.out;
    let found = cx.turn.hash(key, |fields| {
        let all = fields.iter().nth(below(random, fields.len()));
        all.map(|(field, _)| out.bulk(field))
    })?;
    if found.flatten().is_none() {
        out.null();
    }
    Ok(())
}
