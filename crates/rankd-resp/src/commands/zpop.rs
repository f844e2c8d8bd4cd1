//! Taking members from an end: ZPOPMIN, ZPOPMAX, ZMPOP, and what their waiting forms do when there
//! is something.

use rankd_engine::Score;

use crate::args::{is, long, positive, size};
use crate::failure::{Done, Failure, NO_ROOM, SYNTAX};
use crate::window::Cx;

/// Members taken, with their scores.
type Popped = Vec<(Box<[u8]>, Score)>;

/// Takes up to `count` members from one end.
fn pop(
    cx: &mut Cx<'_, '_>,
    key: &[u8],
    from_behind: bool,
    count: usize,
) -> Result<Popped, Failure> {
    let rows = cx.turn.board(key, |view| {
        let count = count.min(view.len());
        let range = if from_behind { view.len() - count..view.len() } else { 0..count };
        let mut rows: Popped = Vec::with_capacity(count);
        view.each(range, from_behind, |member, score| rows.push((member.into(), score)));
        rows
    })?;
    let rows = rows.unwrap_or_default();
    let members: Vec<Box<[u8]>> = rows.iter().map(|(member, _)| member.clone()).collect();
    if !members.is_empty() && !cx.turn.remove_members(key, &members) {
        return Err(NO_ROOM);
    }
    cx.removed('z', if from_behind { "zpopmax" } else { "zpopmin" }, key, members.len());
    Ok(rows)
}

pub(crate) fn zpopmin(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    pop_one_key(cx, args, false)
}

pub(crate) fn zpopmax(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    pop_one_key(cx, args, true)
}

fn pop_one_key(cx: &mut Cx<'_, '_>, args: &[&[u8]], from_behind: bool) -> Done {
    if args.len() > 3 {
        return Err(SYNTAX);
    }
    let count = args.get(2).map(|arg| positive(arg)).transpose()?;
    let rows = pop(cx, args[1], from_behind, count.map_or(1, size))?;
    match count {
        Some(_) => {
            cx.out.members(rows.len(), true);
            rows.iter().for_each(|(member, score)| cx.out.scored(member, *score));
        }
        None => {
            cx.out.array(rows.len() * 2);
            for (member, score) in rows {
                cx.out.bulk(&member);
                cx.out.score(score);
            }
        }
    }
    Ok(())
}

/// What ZMPOP and BZMPOP ask for, behind the number of keys.
#[derive(Debug)]
pub(crate) struct ManyKeys<'a> {
    pub(crate) keys: &'a [&'a [u8]],
    from_behind: bool,
    count: usize,
}

impl<'a> ManyKeys<'a> {
    /// Reads `numkeys key [key ...] MIN|MAX [COUNT count]`.
    pub(crate) fn read(args: &'a [&'a [u8]]) -> Result<Self, Failure> {
        const NUMKEYS: Failure = Failure::new("ERR numkeys should be greater than 0");
        const COUNT: Failure = Failure::new("ERR count should be greater than 0");
        let numkeys = long(args[0]).ok().filter(|number| *number > 0).ok_or(NUMKEYS)?;
        let keys_end = size(numkeys).saturating_add(1);
        let Some((keys, rest)) = args.split_at_checked(keys_end) else { return Err(SYNTAX) };
        let [side, rest @ ..] = rest else { return Err(SYNTAX) };
        let from_behind = match side {
            side if is(side, "min") => false,
            side if is(side, "max") => true,
            _ => return Err(SYNTAX),
        };
        let (mut count, mut rest) = (None, rest);
        while let [word, after @ ..] = rest {
            let [number, after @ ..] = after else { return Err(SYNTAX) };
            if count.is_some() || !is(word, "count") {
                return Err(SYNTAX);
            }
            count = Some(long(number).ok().filter(|count| *count > 0).ok_or(COUNT)?);
            rest = after;
        }
        let count = count.unwrap_or(1);
        Ok(Self { keys: &keys[1..], from_behind, count: size(count) })
    }
}

/// Pops from the first key that has members; false if none has.
pub(crate) fn pop_first(cx: &mut Cx<'_, '_>, asked: &ManyKeys<'_>) -> Result<bool, Failure> {
    for key in asked.keys {
        let rows = pop(cx, key, asked.from_behind, asked.count)?;
        if rows.is_empty() {
            continue;
        }
        cx.out.array(2);
        cx.out.bulk(key);
        cx.out.array(rows.len());
        for (member, score) in rows {
            cx.out.array(2);
            cx.out.bulk(&member);
            cx.out.score(score);
        }
        return Ok(true);
    }
    Ok(false)
}

pub(crate) fn zmpop(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let asked = ManyKeys::read(&args[1..])?;
    if !pop_first(cx, &asked)? {
        cx.out.null_array();
    }
    Ok(())
}

/// Pops one member of the first key that has any, for BZPOPMIN and BZPOPMAX; false if none has.
pub(crate) fn pop_one(
    cx: &mut Cx<'_, '_>,
    keys: &[&[u8]],
    from_behind: bool,
) -> Result<bool, Failure> {
    for key in keys {
        if let Some((member, score)) = pop(cx, key, from_behind, 1)?.into_iter().next() {
            cx.out.array(3);
            cx.out.bulk(key);
            cx.out.bulk(&member);
            cx.out.score(score);
            return Ok(true);
        }
    }
    Ok(false)
}
