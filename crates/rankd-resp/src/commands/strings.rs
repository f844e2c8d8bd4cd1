//! Plain strings: SET, GET and what counts in them.

use crate::args::{is, long, size};
use crate::commands::keys::{When, end_at};
use crate::failure::{Done, Failure, NOT_INTEGER, OVERFLOW, SYNTAX};
use crate::frame::integer;
use crate::limits::BULK_BYTES_MAX;
use crate::number::write_integer;
use crate::window::Cx;

const TOO_LONG: Failure =
    Failure::new("ERR string exceeds maximum allowed size (proto-max-bulk-len)");

/// The options of SET.
#[derive(Debug, Default)]
struct Options {
    only_new: bool,
    only_old: bool,
    returns_old: bool,
    keeps_end: bool,
    end_ms: Option<i64>,
}

impl Options {
    fn read(args: &[&[u8]], now_ms: i64) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut end = None;
        let mut rest = args;
        while let [word, after @ ..] = rest {
            rest = after;
            if is(word, "nx") && !options.only_old {
                options.only_new = true;
            } else if is(word, "xx") && !options.only_new {
                options.only_old = true;
            } else if is(word, "get") {
                options.returns_old = true;
            } else if is(word, "keepttl") && end.is_none() {
                options.keeps_end = true;
            } else if let Some(when) = When::of_set_option(word)
                && !options.keeps_end
                && end.is_none()
                && let [time, after @ ..] = after
            {
                end = Some((time, when));
                rest = after;
            } else {
                return Err(SYNTAX);
            }
        }
        if let Some((time, when)) = end {
            options.end_ms = Some(end_at(time, when, now_ms, "set")?);
        }
        Ok(options)
    }
}

pub(crate) fn set(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let options = Options::read(&args[3..], cx.turn.now_ms())?;
    let key = args[1];
    let old = if options.returns_old { cx.turn.text(key)? } else { None };
    let is_there = cx.turn.kind(key).is_some();
    let is_done = !(options.only_new && is_there || options.only_old && !is_there);
    if is_done {
        put(cx, key, args[2], &options);
    }
    match (options.returns_old, old, is_done) {
        (true, Some(old), _) => cx.out.bulk(&old),
        (true, None, _) | (false, _, false) => cx.out.null(),
        (false, _, true) => cx.out.ok(),
    }
    Ok(())
}

fn put(cx: &mut Cx<'_, '_>, key: &[u8], text: &[u8], options: &Options) {
    cx.turn.put_text(key, text);
    if !options.keeps_end && cx.turn.end_of(key).is_some() {
        cx.turn.set_end(key, None);
    }
    cx.event('$', "set", key);
    if options.end_ms.is_some() {
        cx.turn.set_end(key, options.end_ms);
        cx.event('g', "expire", key);
    }
}

pub(crate) fn get(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match cx.turn.text(args[1])? {
        Some(text) => cx.out.bulk(&text),
        None => cx.out.null(),
    }
    Ok(())
}

pub(crate) fn getset(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    get(cx, args)?;
    put(cx, args[1], args[2], &Options::default());
    Ok(())
}

pub(crate) fn getdel(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    get(cx, args)?;
    if cx.turn.delete(args[1]) {
        cx.event('g', "del", args[1]);
    }
    Ok(())
}

pub(crate) fn setnx(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let is_new = cx.turn.kind(args[1]).is_none();
    if is_new {
        put(cx, args[1], args[2], &Options::default());
    }
    cx.out.flag(is_new);
    Ok(())
}

pub(crate) fn setex(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_with_end(cx, args, When::Seconds, "setex")
}

pub(crate) fn psetex(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_with_end(cx, args, When::Milliseconds, "psetex")
}

fn set_with_end(cx: &mut Cx<'_, '_>, args: &[&[u8]], when: When, name: &str) -> Done {
    let end_ms = Some(end_at(args[2], when, cx.turn.now_ms(), name)?);
    put(cx, args[1], args[3], &Options { end_ms, ..Options::default() });
    cx.out.ok();
    Ok(())
}

pub(crate) fn mget(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    cx.out.array(args.len() - 1);
    for key in &args[1..] {
        match cx.turn.text(key) {
            Ok(Some(text)) => cx.out.bulk(&text),
            Ok(None) | Err(_) => cx.out.null(),
        }
    }
    Ok(())
}

pub(crate) fn mset(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    put_pairs(cx, args, "mset")?;
    cx.out.ok();
    Ok(())
}

pub(crate) fn msetnx(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    check_pairs(args, "msetnx")?;
    for key in args[1..].iter().step_by(2) {
        if cx.turn.kind(key).is_some() {
            cx.out.flag(false);
            return Ok(());
        }
    }
    put_pairs(cx, args, "msetnx")?;
    cx.out.flag(true);
    Ok(())
}

fn check_pairs(args: &[&[u8]], name: &str) -> Done {
    if args.len() % 2 == 1 {
        return Ok(());
    }
    Err(Failure::of(format!("ERR wrong number of arguments for '{name}' command")))
}

fn put_pairs(cx: &mut Cx<'_, '_>, args: &[&[u8]], name: &str) -> Done {
    check_pairs(args, name)?;
    for pair in args[1..].chunks_exact(2) {
        put(cx, pair[0], pair[1], &Options::default());
    }
    Ok(())
}

pub(crate) fn incr(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    add(cx, args[1], 1)
}

pub(crate) fn decr(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    add(cx, args[1], -1)
}

pub(crate) fn incrby(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    add(cx, args[1], long(args[2])?)
}

pub(crate) fn decrby(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const TOO_LOW: Failure = Failure::new("ERR decrement would overflow");
    let by = long(args[2])?.checked_neg().ok_or(TOO_LOW)?;
    add(cx, args[1], by)
}

fn add(cx: &mut Cx<'_, '_>, key: &[u8], by: i64) -> Done {
    let stored = match cx.turn.text(key)? {
        Some(text) => integer(&text).ok_or(NOT_INTEGER)?,
        None => 0,
    };
    let sum = stored.checked_add(by).ok_or(OVERFLOW)?;
    let mut text = Vec::with_capacity(20);
    write_integer(&mut text, sum);
    cx.turn.put_text(key, &text);
    cx.event('$', "incrby", key);
    cx.out.integer(sum);
    Ok(())
}

pub(crate) fn append(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let mut text = cx.turn.text(args[1])?.map(Vec::from).unwrap_or_default();
    if text.len() + args[2].len() > BULK_BYTES_MAX {
        return Err(TOO_LONG);
    }
    text.extend_from_slice(args[2]);
    if !cx.turn.take_room(text.len() as u64) {
        return Err(crate::failure::NO_ROOM);
    }
    cx.turn.put_text(args[1], &text);
    cx.event('$', "append", args[1]);
    cx.out.count(text.len());
    Ok(())
}

pub(crate) fn strlen(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let length = cx.turn.text(args[1])?.map_or(0, |text| text.len());
    cx.out.count(length);
    Ok(())
}

pub(crate) fn getrange(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let (start, end) = (long(args[2])?, long(args[3])?);
    let text = cx.turn.text(args[1])?.unwrap_or_default();
    if start < 0 && end < 0 && start > end {
        cx.out.bulk(b"");
        return Ok(());
    }
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let from_behind = |at: i64| if at < 0 { at.saturating_add(length).max(0) } else { at };
    let (start, end) = (from_behind(start), from_behind(end).min(length - 1));
    let part = if start > end { &[][..] } else { &text[size(start)..size(end) + 1] };
    cx.out.bulk(part);
    Ok(())
}
