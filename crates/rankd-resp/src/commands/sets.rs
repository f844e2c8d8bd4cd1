//! Sets, for friends and the like; boards can be combined with them.

use std::collections::HashSet;

use crate::args::{is, long, positive, random_count, size};
use crate::commands::zread::places;
use crate::failure::{Done, Failure, SYNTAX};
use crate::window::Cx;

pub(crate) fn sadd(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let mut added = 0;
    for element in &args[2..] {
        added += usize::from(cx.turn.add_element(args[1], element)?);
    }
    if added > 0 {
        cx.event('s', "sadd", args[1]);
    }
    cx.out.count(added);
    Ok(())
}

pub(crate) fn srem(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let mut removed = 0;
    for element in &args[2..] {
        removed += usize::from(cx.turn.remove_element(args[1], element)?);
    }
    cx.removed('s', "srem", args[1], removed);
    cx.out.count(removed);
    Ok(())
}

pub(crate) fn smembers(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let elements = elements(cx, args[1])?;
    show(cx, &elements);
    Ok(())
}

fn show(cx: &mut Cx<'_, '_>, elements: &[Box<[u8]>]) {
    cx.out.set(elements.len());
    elements.iter().for_each(|element| cx.out.bulk(element));
}

fn elements(cx: &mut Cx<'_, '_>, key: &[u8]) -> Result<Vec<Box<[u8]>>, Failure> {
    let found = cx.turn.set(key, |set| set.iter().map(|(element, ())| element.into()).collect());
    Ok(found?.unwrap_or_default())
}

pub(crate) fn sismember(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let is_there = cx.turn.set(args[1], |set| set.contains(args[2]))?;
    cx.out.flag(is_there == Some(true));
    Ok(())
}

pub(crate) fn smismember(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let out = &mut *cx.out;
    let wanted = &args[2..];
    let found = cx.turn.set(args[1], |set| {
        out.array(wanted.len());
        wanted.iter().for_each(|element| out.flag(set.contains(element)));
    })?;
    if found.is_none() {
        out.array(wanted.len());
        wanted.iter().for_each(|_| out.flag(false));
    }
    Ok(())
}

pub(crate) fn scard(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let length = cx.turn.set(args[1], |set| set.len())?;
    cx.out.count(length.unwrap_or(0));
    Ok(())
}

pub(crate) fn smove(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let Some(is_there) = cx.turn.set(args[1], |set| set.contains(args[3]))? else {
        cx.out.flag(false);
        return Ok(());
    };
    // The other key has to be a set, or nothing, whatever becomes of it.
    cx.turn.set(args[2], |_| ())?;
    if is_there && args[1] != args[2] {
        cx.turn.remove_element(args[1], args[3])?;
        cx.removed('s', "srem", args[1], 1);
        cx.turn.add_element(args[2], args[3])?;
        cx.event('s', "sadd", args[2]);
    }
    cx.out.flag(is_there);
    Ok(())
}

pub(crate) fn srandmember(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    if args.len() > 3 {
        return Err(SYNTAX);
    }
    let Some(count) = args.get(2) else {
        match random_element(cx, args[1])? {
            Some(element) => cx.out.bulk(&element),
            None => cx.out.null(),
        }
        return Ok(());
    };
    let count = random_count(count)?;
    let all = elements(cx, args[1])?;
    let places = places(cx, count, all.len())?;
    cx.out.array(places.len());
    places.into_iter().for_each(|at| cx.out.bulk(&all[at]));
    Ok(())
}

fn random_element(cx: &mut Cx<'_, '_>, key: &[u8]) -> Result<Option<Box<[u8]>>, Failure> {
    let random = cx.random();
    let found = cx.turn.set(key, |set| set.pick(random).map(|(element, ())| element.into()))?;
    Ok(found.flatten())
}

pub(crate) fn spop(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    if args.len() > 3 {
        return Err(SYNTAX);
    }
    let Some(count) = args.get(2) else {
        match random_element(cx, args[1])? {
            Some(element) => {
                cx.turn.remove_element(args[1], &element)?;
                cx.removed('s', "spop", args[1], 1);
                cx.out.bulk(&element);
            }
            None => cx.out.null(),
        }
        return Ok(());
    };
    let count = positive(count)?;
    let all = elements(cx, args[1])?;
    let places = places(cx, count, all.len())?;
    let popped: Vec<Box<[u8]>> = places.into_iter().map(|at| all[at].clone()).collect();
    let bytes = popped.iter().map(|element| (element.len() + args[1].len() + 64) as u64).sum();
    if !cx.turn.take_room(bytes) {
        return Err(crate::failure::NO_ROOM);
    }
    for element in &popped {
        cx.turn.remove_element(args[1], element)?;
    }
    cx.removed('s', "spop", args[1], popped.len());
    show(cx, &popped);
    Ok(())
}

/// Which operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

fn combine(
    cx: &mut Cx<'_, '_>,
    keys: &[&[u8]],
    operation: Operation,
) -> Result<Vec<Box<[u8]>>, Failure> {
    let mut inputs = Vec::with_capacity(keys.len());
    for key in keys {
        inputs.push(elements(cx, key)?);
    }
    let mut inputs = inputs.into_iter();
    let mut result = inputs.next().unwrap_or_default();
    for other in inputs {
        if operation == Operation::Union {
            let known: HashSet<&[u8]> = result.iter().map(|element| &**element).collect();
            let new: Vec<_> =
                other.into_iter().filter(|element| !known.contains(&**element)).collect();
            result.extend(new);
        } else {
            let other: HashSet<Box<[u8]>> = other.into_iter().collect();
            result.retain(|element| other.contains(element) == (operation == Operation::Inter));
        }
    }
    Ok(result)
}

fn show_combined(cx: &mut Cx<'_, '_>, args: &[&[u8]], operation: Operation) -> Done {
    let result = combine(cx, &args[1..], operation)?;
    show(cx, &result);
    Ok(())
}

fn store_combined(
    cx: &mut Cx<'_, '_>,
    args: &[&[u8]],
    operation: Operation,
    event: &'static str,
) -> Done {
    let result = combine(cx, &args[2..], operation)?;
    let was_there = cx.turn.kind(args[1]).is_some();
    let count = result.len();
    cx.turn.fill_set(args[1], result)?;
    if count > 0 {
        cx.event('s', event, args[1]);
    } else if was_there {
        cx.event('g', "del", args[1]);
    }
    cx.out.count(count);
    Ok(())
}

pub(crate) fn sunion(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_combined(cx, args, Operation::Union)
}

pub(crate) fn sinter(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_combined(cx, args, Operation::Inter)
}

pub(crate) fn sdiff(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show_combined(cx, args, Operation::Diff)
}

pub(crate) fn sunionstore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    store_combined(cx, args, Operation::Union, "sunionstore")
}

pub(crate) fn sinterstore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    store_combined(cx, args, Operation::Inter, "sinterstore")
}

pub(crate) fn sdiffstore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    store_combined(cx, args, Operation::Diff, "sdiffstore")
}

pub(crate) fn sintercard(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NUMKEYS: Failure = Failure::new("ERR numkeys should be greater than 0");
    const TOO_MANY: Failure =
        Failure::new("ERR Number of keys can't be greater than number of args");
    const LIMIT: Failure = Failure::new("ERR LIMIT can't be negative");
    let numkeys = long(args[1]).ok().filter(|number| *number > 0).ok_or(NUMKEYS)?;
    let Some((keys, rest)) = args[2..].split_at_checked(size(numkeys)) else {
        return Err(TOO_MANY);
    };
    let (mut limit, mut rest) = (0, rest);
    while let [word, after @ ..] = rest {
        let [number, after @ ..] = after else { return Err(SYNTAX) };
        if !is(word, "limit") {
            return Err(SYNTAX);
        }
        limit = long(number).ok().filter(|limit| *limit >= 0).map(size).ok_or(LIMIT)?;
        rest = after;
    }
    let count = combine(cx, keys, Operation::Inter)?.len();
    cx.out.count(if limit == 0 { count } else { count.min(limit) });
    Ok(())
}
