//! Scans: SCAN, ZSCAN, HSCAN, SSCAN.

use crate::args::{is, long, size};
use crate::failure::{Done, Failure, SYNTAX};
use crate::glob;
use crate::limits::SCAN_WHOLE_MAX;
use crate::window::Cx;

/// Entries that a scan shows in one turn at most, whatever it is asked for.
const COUNT_MAX: usize = 100_000;

/// The options of a scan.
#[derive(Debug)]
struct Options<'a> {
    cursor: u64,
    count: usize,
    pattern: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn read(cursor: &[u8], args: &[&'a [u8]], has_kind: bool) -> Result<Self, Failure> {
        let cursor = read_cursor(cursor)?;
        let mut options = Self { cursor, count: 10, pattern: None, kind: None };
        for pair in args.chunks(2) {
            match pair {
                [word, count] if is(word, "count") => {
                    let count = long(count)?;
                    if count < 1 {
                        return Err(SYNTAX);
                    }
                    options.count = size(count).min(COUNT_MAX);
                }
                [word, pattern] if is(word, "match") => options.pattern = Some(pattern),
                [word, kind] if has_kind && is(word, "type") => options.kind = Some(kind),
                _ => return Err(SYNTAX),
            }
        }
        Ok(options)
    }

    fn takes(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

fn read_cursor(text: &[u8]) -> Result<u64, Failure> {
    const INVALID: Failure = Failure::new("ERR invalid cursor");
    let text = std::str::from_utf8(text).map_err(|_| INVALID)?;
    text.parse().map_err(|_| INVALID)
}

fn head(cx: &mut Cx<'_, '_>, cursor: u64) {
    cx.out.array(2);
    cx.out.bulk(cursor.to_string().as_bytes());
}

/// The end of a scan of a key that is not there, whatever the options.
fn nothing(cx: &mut Cx<'_, '_>) -> Done {
    head(cx, 0);
    cx.out.array(0);
    Ok(())
}

pub(crate) fn scan(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let options = Options::read(args[1], &args[2..], true)?;
    let (next, mut names) = cx.turn.scan(options.cursor, options.count);
    names.retain(|name| options.takes(name));
    if let Some(kind) = options.kind {
        let is_it = |cx: &mut Cx<'_, '_>, name: &[u8]| {
            cx.turn.kind(name).is_some_and(|found| is(kind, super::keys::kind_name(found)))
        };
        names.retain(|name| is_it(cx, name));
    }
    head(cx, next);
    cx.out.array(names.len());
    names.iter().for_each(|name| cx.out.bulk(name));
    Ok(())
}

pub(crate) fn zscan(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    read_cursor(args[2])?;
    if cx.turn.board(args[1], |_| ())?.is_none() {
        return nothing(cx);
    }
    let options = Options::read(args[2], &args[3..], false)?;
    let mut rows = Vec::new();
    let next = cx.turn.board(args[1], |view| {
        let len = view.len();
        let (start, end) = if len <= SCAN_WHOLE_MAX {
            (0, len)
        } else {
            let start = usize::try_from(options.cursor).unwrap_or(len).min(len);
            (start, start.saturating_add(options.count).min(len))
        };
        view.each(start..end, false, |member, score| {
            if options.takes(member) {
                rows.push((Box::<[u8]>::from(member), score));
            }
        });
        if end == len { 0 } else { end as u64 }
    })?;
    head(cx, next.unwrap_or(0));
    cx.out.array(rows.len() * 2);
    for (member, score) in rows {
        cx.out.bulk(&member);
        cx.out.score_text(score);
    }
    Ok(())
}

pub(crate) fn hscan(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    read_cursor(args[2])?;
    if cx.turn.hash(args[1], |_| ())?.is_none() {
        return nothing(cx);
    }
    let options = Options::read(args[2], &args[3..], false)?;
    let mut pairs: Vec<Box<[u8]>> = Vec::new();
    let next = cx.turn.hash(args[1], |fields| {
        fields.scan(options.cursor, options.count, |field, value| {
            if options.takes(field) {
                pairs.extend([field.into(), value.clone()]);
            }
        })
    })?;
    head(cx, next.unwrap_or(0));
    cx.out.array(pairs.len());
    pairs.iter().for_each(|part| cx.out.bulk(part));
    Ok(())
}

pub(crate) fn sscan(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    read_cursor(args[2])?;
    if cx.turn.set(args[1], |_| ())?.is_none() {
        return nothing(cx);
    }
    let options = Options::read(args[2], &args[3..], false)?;
    let mut elements: Vec<Box<[u8]>> = Vec::new();
    let next = cx.turn.set(args[1], |set| {
        set.scan(options.cursor, options.count, |element, ()| {
            if options.takes(element) {
                elements.push(element.into());
            }
        })
    })?;
    head(cx, next.unwrap_or(0));
    cx.out.array(elements.len());
    elements.iter().for_each(|element| cx.out.bulk(element));
    Ok(())
}
