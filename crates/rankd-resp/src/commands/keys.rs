//! Keys as such: what they are, how long they last, under which name.

use rankd_engine::KeyKind;

use crate::args::{is, long};
use crate::failure::{Done, Failure, NO_KEY, NO_ROOM, NOT_INTEGER, SYNTAX};
use crate::glob;
use crate::window::Cx;

/// How a time is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Seconds,
    Milliseconds,
    AtSeconds,
    AtMilliseconds,
}

impl When {
    /// What an option of SET or GETEX says.
    pub(crate) fn of_set_option(word: &[u8]) -> Option<Self> {
        let table = [
            ("ex", Self::Seconds),
            ("px", Self::Milliseconds),
            ("exat", Self::AtSeconds),
            ("pxat", Self::AtMilliseconds),
        ];
        table.into_iter().find(|(name, _)| is(word, name)).map(|(_, when)| when)
    }

    /// The time in milliseconds since 1970, UTC, if it is within what can be told.
    pub(crate) fn at_ms(self, time: i64, now_ms: i64) -> Option<i64> {
        match self {
            Self::Seconds => time.checked_mul(1000)?.checked_add(now_ms),
            Self::Milliseconds => time.checked_add(now_ms),
            Self::AtSeconds => time.checked_mul(1000),
            Self::AtMilliseconds => Some(time),
        }
    }
}

/// The end that an option of a command that sets a value asks for; it has to be positive.
pub(crate) fn end_at(time: &[u8], when: When, now_ms: i64, name: &str) -> Result<i64, Failure> {
    let time = long(time)?;
    let end_ms = (time > 0).then(|| when.at_ms(time, now_ms)).flatten();
    end_ms.ok_or_else(|| invalid_time(name))
}

pub(crate) fn invalid_time(name: &str) -> Failure {
    Failure::of(format!("ERR invalid expire time in '{name}' command"))
}

/// What TYPE says.
pub(crate) fn kind_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Board => "zset",
        KeyKind::Text => "string",
        KeyKind::Hash => "hash",
        KeyKind::Set => "set",
    }
}

pub(crate) fn del(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let mut deleted = 0;
    for key in &args[1..] {
        if cx.turn.delete(key) {
            cx.event('g', "del", key);
            deleted += 1;
        }
    }
    cx.out.integer(deleted);
    Ok(())
}

pub(crate) fn exists(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let found = args[1..].iter().filter(|key| cx.turn.kind(key).is_some()).count();
    cx.out.count(found);
    Ok(())
}

pub(crate) fn kind(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    cx.out.simple(cx.turn.kind(args[1]).map_or("none", kind_name));
    Ok(())
}

pub(crate) fn rename(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    if cx.turn.kind(args[1]).is_none() {
        return Err(NO_KEY);
    }
    move_key(cx, args[1], args[2]);
    cx.out.ok();
    Ok(())
}

pub(crate) fn renamenx(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    if cx.turn.kind(args[1]).is_none() {
        return Err(NO_KEY);
    }
    let is_free = cx.turn.kind(args[2]).is_none();
    if is_free {
        move_key(cx, args[1], args[2]);
    }
    cx.out.flag(is_free);
    Ok(())
}

fn move_key(cx: &mut Cx<'_, '_>, from: &[u8], to: &[u8]) {
    cx.turn.rename(from, to);
    if from != to {
        cx.fed(to);
        cx.event('g', "rename_from", from);
        cx.event('g', "rename_to", to);
    }
}

pub(crate) fn copy(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const SAME: Failure = Failure::new("ERR source and destination objects are the same");
    const OTHER_DB: Failure = Failure::new("ERR DB index is out of range");
    let mut replaces = false;
    let mut rest = &args[3..];
    while let [word, after @ ..] = rest {
        rest = after;
        if is(word, "replace") {
            replaces = true;
        } else if is(word, "db") && !after.is_empty() {
            if long(after[0])? != 0 {
                return Err(OTHER_DB);
            }
            rest = &after[1..];
        } else {
            return Err(SYNTAX);
        }
    }
    if args[1] == args[2] {
        return Err(SAME);
    }
    if cx.turn.kind(args[2]).is_some() && !replaces {
        cx.out.flag(false);
        return Ok(());
    }
    let is_copied = cx.turn.copy(args[1], args[2]).ok_or(NO_ROOM)?;
    if is_copied {
        cx.fed(args[2]);
        cx.event('g', "copy_to", args[2]);
    }
    cx.out.flag(is_copied);
    Ok(())
}

pub(crate) fn expire(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_end(cx, args, When::Seconds, "expire")
}

pub(crate) fn pexpire(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_end(cx, args, When::Milliseconds, "pexpire")
}

pub(crate) fn expireat(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_end(cx, args, When::AtSeconds, "expireat")
}

pub(crate) fn pexpireat(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    set_end(cx, args, When::AtMilliseconds, "pexpireat")
}

/// When an end is changed at all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Conditions {
    only_without: bool,
    only_with: bool,
    only_later: bool,
    only_earlier: bool,
}

impl Conditions {
    pub(crate) fn read(args: &[&[u8]]) -> Result<Self, Failure> {
        const NOT_BOTH: Failure =
            Failure::new("ERR NX and XX, GT or LT options at the same time are not compatible");
        const DIRECTIONS: Failure =
            Failure::new("ERR GT and LT options at the same time are not compatible");
        let mut read = Self::default();
        for word in args {
            let flag = match () {
                () if is(word, "nx") => &mut read.only_without,
                () if is(word, "xx") => &mut read.only_with,
                () if is(word, "gt") => &mut read.only_later,
                () if is(word, "lt") => &mut read.only_earlier,
                () => {
                    return Err(Failure::about("ERR Unsupported option ", word, ""));
                }
            };
            *flag = true;
        }
        if read.only_without && (read.only_with || read.only_later || read.only_earlier) {
            return Err(NOT_BOTH);
        }
        if read.only_later && read.only_earlier { Err(DIRECTIONS) } else { Ok(read) }
    }

    /// What has no end ends later than any other.
    pub(crate) fn allow(self, old_ms: Option<i64>, new_ms: i64) -> bool {
        !(self.only_without && old_ms.is_some()
            || self.only_with && old_ms.is_none()
            || self.only_later && old_ms.is_none_or(|old_ms| new_ms <= old_ms)
            || self.only_earlier && old_ms.is_some_and(|old_ms| new_ms >= old_ms))
    }
}

fn set_end(cx: &mut Cx<'_, '_>, args: &[&[u8]], when: When, name: &str) -> Done {
    let conditions = Conditions::read(&args[3..])?;
    let time = long(args[2])?;
    let end_ms = when.at_ms(time, cx.turn.now_ms()).ok_or_else(|| invalid_time(name))?;
    let key = args[1];
    if cx.turn.kind(key).is_none() || !conditions.allow(cx.turn.end_of(key), end_ms) {
        cx.out.flag(false);
        return Ok(());
    }
    let is_over = end_ms <= cx.turn.now_ms();
    cx.turn.set_end(key, Some(end_ms));
    cx.event('g', if is_over { "del" } else { "expire" }, key);
    cx.out.flag(true);
    Ok(())
}

pub(crate) fn persist(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let has_end = cx.turn.end_of(args[1]).is_some();
    if has_end {
        cx.turn.set_end(args[1], None);
        cx.event('g', "persist", args[1]);
    }
    cx.out.flag(has_end);
    Ok(())
}

fn show_end(cx: &mut Cx<'_, '_>, key: &[u8], show: impl FnOnce(i64, i64) -> i64) -> Done {
    let end_ms = cx.turn.end_of(key);
    let number = match end_ms {
        Some(end_ms) => show(end_ms, cx.turn.now_ms()),
        None if cx.turn.kind(key).is_some() => -1,
        None => -2,
    };
    cx.out.integer(number);
    Ok(())
}

pub(crate) fn ttl(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_end(cx, args[1], |end_ms, now_ms| (end_ms - now_ms + 500) / 1000)
}

pub(crate) fn pttl(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_end(cx, args[1], |end_ms, now_ms| end_ms - now_ms)
}

pub(crate) fn expiretime(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_end(cx, args[1], |end_ms, _| (end_ms + 500) / 1000)
}

pub(crate) fn pexpiretime(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_end(cx, args[1], |end_ms, _| end_ms)
}

pub(crate) fn getex(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let end = match &args[2..] {
        [] => None,
        [word] if is(word, "persist") => Some(None),
        [word, time] => {
            let when = When::of_set_option(word).ok_or(SYNTAX)?;
            Some(Some(end_at(time, when, cx.turn.now_ms(), "getex")?))
        }
        _ => return Err(SYNTAX),
    };
    super::strings::get(cx, args)?;
    if let Some(end_ms) = end
        && cx.turn.kind(args[1]).is_some()
        && (end_ms.is_some() || cx.turn.end_of(args[1]).is_some())
    {
        cx.turn.set_end(args[1], end_ms);
        cx.event('g', if end_ms.is_some() { "expire" } else { "persist" }, args[1]);
    }
    Ok(())
}

pub(crate) fn keys(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let (_, mut names) = cx.turn.scan(0, usize::MAX - 1);
    names.retain(|name| glob::matches(args[1], name));
    cx.out.array(names.len());
    names.iter().for_each(|name| cx.out.bulk(name));
    Ok(())
}

pub(crate) fn randomkey(cx: &mut Cx<'_, '_>, _args: &[&[u8]]) -> Done {
    let (_, names) = cx.turn.scan(0, usize::MAX - 1);
    let at = super::zread::below(cx.random(), names.len());
    match names.get(at) {
        Some(name) => cx.out.bulk(name),
        None => cx.out.null(),
    }
    Ok(())
}

pub(crate) fn dbsize(cx: &mut Cx<'_, '_>, _args: &[&[u8]]) -> Done {
    let count = cx.turn.keys_count();
    cx.out.count(count);
    Ok(())
}

pub(crate) fn flush(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match &args[1..] {
        [] => {}
        [mode] if is(mode, "async") || is(mode, "sync") => {}
        _ => return Err(SYNTAX),
    }
    if !cx.turn.take_room(cx.turn.keys_count() as u64 * 16) {
        return Err(NO_ROOM);
    }
    cx.turn.delete_all();
    cx.out.ok();
    Ok(())
}

pub(crate) fn object(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match args[1] {
        word if is(word, "help") => {
            cx.out.array(1);
            cx.out.simple("OBJECT ENCODING|FREQ|IDLETIME|REFCOUNT <key>");
        }
        word if args.len() == 3 && is(word, "encoding") => match encoding(cx, args[2])? {
            Some(name) => cx.out.bulk(name.as_bytes()),
            None => cx.out.null(),
        },
        word if args.len() == 3 && (is(word, "refcount") || is(word, "idletime")) => {
            let number = i64::from(is(word, "refcount"));
            match cx.turn.kind(args[2]) {
                Some(_) => cx.out.integer(number),
                None => cx.out.null(),
            }
        }
        word if args.len() == 3 && is(word, "freq") => {
            return Err(Failure::new(
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. \
                 Please note that when switching between policies at runtime LRU and LFU data \
                 will take some time to adjust.",
            ));
        }
        _ => return Err(super::unknown_subcommand("OBJECT", args[1])),
    }
    Ok(())
}

/// What Redis would keep such a value as, by its present size.
fn encoding(cx: &mut Cx<'_, '_>, key: &[u8]) -> Result<Option<&'static str>, Failure> {
    const SMALL: usize = 128;
    const SHORT: usize = 64;
    Ok(match cx.turn.kind(key) {
        None => None,
        Some(KeyKind::Text) => cx.turn.text(key)?.map(|text| match &*text {
            text if crate::frame::integer(text).is_some() => "int",
            text if text.len() <= 44 => "embstr",
            _ => "raw",
        }),
        Some(KeyKind::Board) => cx.turn.board(key, |view| {
            let mut is_small = view.len() <= SMALL;
            if is_small {
                view.each(0..view.len(), false, |m, _| is_small &= m.len() <= SHORT);
            }
            if is_small { "listpack" } else { "skiplist" }
        })?,
        Some(KeyKind::Hash) => cx.turn.hash(key, |fields| {
            let is_small = fields.len() <= SMALL
                && fields.iter().all(|(f, v)| f.len() <= SHORT && v.len() <= SHORT);
            if is_small { "listpack" } else { "hashtable" }
        })?,
        Some(KeyKind::Set) => cx.turn.set(key, |set| {
            let is_int = |(e, ()): (&[u8], &())| crate::frame::integer(e).is_some();
            match () {
                () if set.len() <= 512 && set.iter().all(is_int) => "intset",
                () if set.len() <= SMALL && set.iter().all(|(e, ())| e.len() <= SHORT) => {
                    "listpack"
                }
                () => "hashtable",
            }
        })?,
    })
}

pub(crate) fn memory(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    if !is(args[1], "usage") {
        return Err(super::unknown_subcommand("MEMORY", args[1]));
    }
    let Some(key) = args.get(2) else { return Err(SYNTAX) };
    match &args[3..] {
        [] => {}
        [word, samples] if is(word, "samples") => {
            long(samples).ok().filter(|n| *n >= 0).ok_or(NOT_INTEGER)?;
        }
        _ => return Err(SYNTAX),
    }
    match cx.turn.memory_bytes(key) {
        Some(bytes) => cx.out.count(bytes),
        None => cx.out.null(),
    }
    Ok(())
}
