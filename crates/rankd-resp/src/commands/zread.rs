//! Reading scores and ranks: ZSCORE, ZMSCORE, ZCARD, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT,
//! ZRANDMEMBER.

use rankd_engine::BoardView;

use crate::args::{is, lex_range, random_count, score_range, size};
use crate::failure::{Done, Failure, SYNTAX};
use crate::reply::Reply;
use crate::window::Cx;

pub(crate) fn zscore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    match cx.turn.board(args[1], |view| view.score(args[2]))?.flatten() {
        Some(score) => cx.out.score(score),
        None => cx.out.null(),
    }
    Ok(())
}

pub(crate) fn zmscore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    each(cx, args, |view, members, out| {
        for member in members {
            match view.score(member) {
                Some(score) => out.score(score),
                None => out.null(),
            }
        }
    })
}

/// A list with one reply for each of the members that `args` names after the key: those of `write`,
/// or nulls if there is no board.
pub(crate) fn each(
    cx: &mut Cx<'_, '_>,
    args: &[&[u8]],
    write: impl FnOnce(BoardView<'_>, &[&[u8]], &mut Reply),
) -> Done {
    let out = &mut *cx.out;
    let members = &args[2..];
    let found = cx.turn.board(args[1], |view| {
        out.array(members.len());
        write(view, members, out);
    })?;
    if found.is_none() {
        out.array(members.len());
        members.iter().for_each(|_| out.null());
    }
    Ok(())
}

pub(crate) fn zcard(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let len = cx.turn.board(args[1], |view| view.len())?;
    cx.out.count(len.unwrap_or(0));
    Ok(())
}

pub(crate) fn zrank(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    rank(cx, args, "zrank", false)
}

pub(crate) fn zrevrank(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    rank(cx, args, "zrevrank", true)
}

fn rank(cx: &mut Cx<'_, '_>, args: &[&[u8]], name: &str, from_behind: bool) -> Done {
    if args.len() > 4 {
        return Err(Failure::of(format!("ERR wrong number of arguments for '{name}' command")));
    }
    let with_score = match args.get(3) {
        None => false,
        Some(arg) if is(arg, "withscore") => true,
        Some(_) => return Err(SYNTAX),
    };
    let member = args[2];
    let found = cx.turn.board(args[1], |view| {
        let position = view.position(member)?;
        let position = if from_behind { view.len() - 1 - position } else { position };
        Some((position, view.score(member)?))
    })?;
    match (found.flatten(), with_score) {
        (Some((position, _)), false) => cx.out.count(position),
        (Some((position, score)), true) => {
            cx.out.array(2);
            cx.out.count(position);
            cx.out.score(score);
        }
        (None, false) => cx.out.null(),
        (None, true) => cx.out.null_array(),
    }
    Ok(())
}

pub(crate) fn zcount(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let (min, max) = score_range(args[2], args[3])?;
    let count = cx.turn.board(args[1], |view| view.between(min, max).len())?;
    cx.out.count(count.unwrap_or(0));
    Ok(())
}

pub(crate) fn zlexcount(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let (min, max) = lex_range(args[2], args[3])?;
    let count = cx.turn.board(args[1], |view| {
        check_lexical(&view)?;
        Ok::<_, Failure>(view.lex_between(min, max).len())
    })?;
    cx.out.count(count.transpose()?.unwrap_or(0));
    Ok(())
}

/// Refuses ranges of members on boards that have another order among equal scores.
pub(crate) fn check_lexical(view: &BoardView<'_>) -> Done {
    const OTHER_ORDER: Failure =
        Failure::new("ERR this board does not order equal scores by their members");
    if view.is_lexical() { Ok(()) } else { Err(OTHER_ORDER) }
}

pub(crate) fn zrandmember(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NOT_IN_RANGE: Failure = Failure::new("ERR value is out of range");
    let Some(count) = args.get(2) else { return one_random(cx, args[1]) };
    let count = random_count(count)?;
    let with_scores = match args.get(3) {
        None => false,
        Some(arg) if args.len() == 4 && is(arg, "withscores") => true,
        Some(_) => return Err(SYNTAX),
    };
    if with_scores && !(-i64::MAX / 2..=i64::MAX / 2).contains(&count) {
        return Err(NOT_IN_RANGE);
    }
    many_random(cx, args[1], count, with_scores)
}

fn one_random(cx: &mut Cx<'_, '_>, key: &[u8]) -> Done {
    let random = cx.random();
    let out = &mut *cx.out;
    let found = cx.turn.board(key, |view| {
        let at = below(random, view.len());
        view.each(at..at + 1, false, |member, _| out.bulk(member));
    })?;
    if found.is_none() {
        out.null();
    }
    Ok(())
}

/// A number below `len` out of a random one.
pub(crate) fn below(random: u64, len: usize) -> usize {
    usize::try_from(random % (len.max(1) as u64)).unwrap_or(0)
}

fn many_random(cx: &mut Cx<'_, '_>, key: &[u8], count: i64, with_scores: bool) -> Done {
    let len = cx.turn.board(key, |view| view.len())?.unwrap_or(0);
    let places = places(cx, count, len)?;
    cx.out.members(places.len(), with_scores);
    let out = &mut *cx.out;
    cx.turn.board(key, |view| {
        for at in places {
            view.each(at..at + 1, false, |member, score| {
                if with_scores { out.scored(member, score) } else { out.bulk(member) }
            });
        }
    })?;
    Ok(())
}

/// Random places below `len`: that many, the same one perhaps twice, if `count` is negative;
/// otherwise different ones, at most all.
pub(crate) fn places(cx: &mut Cx<'_, '_>, count: i64, len: usize) -> Result<Vec<usize>, Failure> {
    const TOO_MANY: Failure = Failure::new("ERR value is out of range");
    /// More than anybody reads, and little enough to be held.
    const REPEATS_MAX: usize = 10_000_000;
    if len == 0 || count == 0 {
        return Ok(Vec::new());
    }
    if count < 0 {
        let wanted = size(count.saturating_neg());
        if wanted > REPEATS_MAX {
            return Err(TOO_MANY);
        }
        return Ok((0..wanted).map(|_| below(cx.random(), len)).collect());
    }
    let wanted = size(count).min(len);
    if wanted == len {
        return Ok((0..len).collect());
    }
    // Floyd's sampling: different places, each as likely as any other.
    let mut chosen = std::collections::HashSet::with_capacity(wanted);
    for top in len - wanted..len {
        let at = below(cx.random(), top + 1);
        if !chosen.insert(at) {
            chosen.insert(top);
        }
    }
    Ok(chosen.into_iter().collect())
}
