//! What Redis does not have, under names of its own: ZMRANK, ZAROUND, ZRANKSTYLE, ZADDMAX, ZCREATE.
//!
//! The best is who has the highest score, as in ZREVRANK; ranks count from 0.

use rankd_engine::{Definition, Order, ScoreKind, Ties, redis_definition};

use crate::args::{is, positive, size};
use crate::commands::{zadd, zrange, zread};
use crate::failure::{Done, Failure, SYNTAX};
use crate::window::Cx;

/// Members that ZAROUND shows on either side at most.
const AROUND_MAX: i64 = 1000;

/// Members that ZADDMAX removes at a time at most.
const SURPLUS_MAX: usize = 10_000;

/// `ZMRANK key member [member ...]`: for each member its rank from the best, as ZREVRANK gives it.
pub(crate) fn zmrank(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    zread::each(cx, args, |view, members, out| {
        for position in view.positions(members) {
            match position {
                Some(position) => out.count(view.len() - 1 - position),
                None => out.null(),
            }
        }
    })
}

/// `ZAROUND key member radius [WITHSCORES]`: the rank from the best of the first member shown,
/// then the member and its neighbours, the best first.
pub(crate) fn zaround(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let radius = size(positive(args[3])?.min(AROUND_MAX));
    let with_scores = match args.get(4) {
        None => false,
        Some(arg) if args.len() == 5 && is(arg, "withscores") => true,
        Some(_) => return Err(SYNTAX),
    };
    let member = args[2];
    let out = &mut *cx.out;
    let found = cx.turn.board(args[1], |view| {
        let position = view.position(member)?;
        let range = position.saturating_sub(radius)..(position + radius + 1).min(view.len());
        out.array(2);
        out.count(view.len() - range.end);
        out.members(range.len(), with_scores);
        view.each(range, true, |member, score| {
            if with_scores { out.scored(member, score) } else { out.bulk(member) }
        });
        Some(())
    })?;
    if found.flatten().is_none() {
        out.null_array();
    }
    Ok(())
}

/// `ZRANKSTYLE key member COMPETITION|DENSE`: the rank from the best, counted from 0, where equal
/// scores share a rank.
pub(crate) fn zrankstyle(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let is_dense = match args[3] {
        arg if is(arg, "dense") => true,
        arg if is(arg, "competition") => false,
        _ => return Err(SYNTAX),
    };
    let member = args[2];
    match cx.turn.board(args[1], |view| view.higher(member))?.flatten() {
        Some((members, scores)) => cx.out.count(if is_dense { scores } else { members }),
        None => cx.out.null(),
    }
    Ok(())
}

/// `ZADDMAX key count [ZADD's options] score member [score member ...]`: ZADD, after which the
/// lowest members are removed until `count` are left. The reply is ZADD's.
pub(crate) fn zaddmax(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const NO_COUNT: Failure = Failure::new("ERR count must be at least 1");
    let kept = size(positive(args[2])?);
    if kept == 0 {
        return Err(NO_COUNT);
    }
    let added: Vec<&[u8]> = [args[0], args[1]].iter().chain(&args[3..]).copied().collect();
    zadd::zadd(cx, &added)?;
    let surplus = |len: usize| len.saturating_sub(kept).min(SURPLUS_MAX);
    // What the turn has no room for is left to the next one.
    let _ = zrange::remove_lowest(cx, args[1], surplus);
    Ok(())
}

/// `ZCREATE key [FLOAT|INTEGER] [ASC|DESC] [TIES MEMBER|EARLIEST|LATEST]`: makes a board, which
/// stays when it is empty unless it is as ZADD makes it. It may be there already, if it is the
/// same.
pub(crate) fn zcreate(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    const IS_OTHER: Failure = Failure::new("ERR the key holds a board of another kind");
    let definition = definition(&args[2..])?.normalised();
    if cx.turn.create(args[1], definition)? != definition {
        return Err(IS_OTHER);
    }
    cx.out.ok();
    Ok(())
}

fn definition(words: &[&[u8]]) -> Result<Definition, Failure> {
    let mut definition = redis_definition();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match () {
            () if is(word, "float") => definition.score = ScoreKind::Float,
            () if is(word, "integer") => definition.score = ScoreKind::Integer,
            () if is(word, "asc") => definition.order = Order::Ascending,
            () if is(word, "desc") => definition.order = Order::Descending,
            () if is(word, "ties") => definition.ties = ties(words.next())?,
            () => return Err(SYNTAX),
        }
    }
    Ok(definition)
}

fn ties(word: Option<&&[u8]>) -> Result<Ties, Failure> {
    match word {
        Some(word) if is(word, "member") => Ok(Ties::Member),
        Some(word) if is(word, "earliest") => Ok(Ties::Earliest),
        Some(word) if is(word, "latest") => Ok(Ties::Latest),
        _ => Err(SYNTAX),
    }
}
