//! Ranges of a board: ZRANGE and its older forms, ZRANGESTORE, the ZREMRANGE family.

use std::ops::Range;

use rankd_engine::{BoardView, LexBound, Score, ScoreBound};

use crate::args::{is, lex_range, long, positions, score_range, size};
use crate::commands::zread::check_lexical;
use crate::failure::{Done, Failure, NO_ROOM, SYNTAX};
use crate::window::Cx;

/// By what a range is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// A range as it was asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    by: By,
    from_behind: bool,
    with_scores: bool,
    offset: i64,
    /// -1: all.
    limit: i64,
}

/// The bounds of a range.
#[derive(Debug, Clone, Copy)]
enum Bounds<'a> {
    Rank(i64, i64),
    Score(ScoreBound, ScoreBound),
    Lex(LexBound<'a>, LexBound<'a>),
}

/// Which options a command still leaves open.
#[derive(Debug, Clone, Copy)]
struct Form {
    by: Option<By>,
    from_behind: Option<bool>,
    stores: bool,
}

impl Form {
    /// Reads the options, which follow the bounds.
    fn read(self, options: &[&[u8]]) -> Result<Asked, Failure> {
        let (mut by, mut direction) = (self.by, self.from_behind);
        let (mut with_scores, mut offset, mut limit) = (false, 0, -1);
        let mut rest = options;
        while let [option, after @ ..] = rest {
            rest = after;
            if !self.stores && is(option, "withscores") {
                with_scores = true;
            } else if is(option, "limit") && after.len() >= 2 {
                offset = long(after[0])?;
                limit = long(after[1])?;
                rest = &after[2..];
            } else if direction.is_none() && is(option, "rev") {
                direction = Some(true);
            } else if by.is_none() && is(option, "bylex") {
                by = Some(By::Lex);
            } else if by.is_none() && is(option, "byscore") {
                by = Some(By::Score);
            } else {
                return Err(SYNTAX);
            }
        }
        let by = by.unwrap_or(By::Rank);
        check_combination(by, limit, with_scores)?;
        let from_behind = direction.unwrap_or(false);
        Ok(Asked { by, from_behind, with_scores, offset, limit })
    }
}

fn check_combination(by: By, limit: i64, with_scores: bool) -> Done {
    const LIMIT: Failure = Failure::new(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
    );
    const SCORES: Failure =
        Failure::new("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    if limit != -1 && by == By::Rank {
        return Err(LIMIT);
    }
    if with_scores && by == By::Lex { Err(SCORES) } else { Ok(()) }
}

impl Asked {
    /// Reads the bounds, the higher one first where the range is read from behind.
    fn bounds<'a>(&self, first: &'a [u8], second: &'a [u8]) -> Result<Bounds<'a>, Failure> {
        let (min, max) = if self.from_behind { (second, first) } else { (first, second) };
        match self.by {
            By::Rank => Ok(Bounds::Rank(long(first)?, long(second)?)),
            By::Score => score_range(min, max).map(|(min, max)| Bounds::Score(min, max)),
            By::Lex => lex_range(min, max).map(|(min, max)| Bounds::Lex(min, max)),
        }
    }

    /// The positions that are meant, ascending.
    fn positions(&self, view: &BoardView<'_>, bounds: Bounds<'_>) -> Result<Range<usize>, Failure> {
        let len = view.len();
        let found = match bounds {
            Bounds::Rank(start, stop) => {
                let range = positions(start, stop, len);
                return Ok(if self.from_behind {
                    len - range.end..len - range.start
                } else {
                    range
                });
            }
            Bounds::Score(min, max) => view.between(min, max),
            Bounds::Lex(min, max) => {
                check_lexical(view)?;
                view.lex_between(min, max)
            }
        };
        Ok(self.limited(found))
    }

    fn limited(&self, found: Range<usize>) -> Range<usize> {
        if self.offset < 0 {
            return found.start..found.start;
        }
        let skipped = size(self.offset).min(found.len());
        let left = found.len() - skipped;
        let taken = if self.limit < 0 { left } else { size(self.limit).min(left) };
        if self.from_behind {
            let end = found.end - skipped;
            end - taken..end
        } else {
            let start = found.start + skipped;
            start..start + taken
        }
    }
}

fn show(cx: &mut Cx<'_, '_>, key: &[u8], asked: Asked, bounds: Bounds<'_>) -> Done {
    let out = &mut *cx.out;
    let shown = cx.turn.board(key, |view| {
        let range = asked.positions(&view, bounds)?;
        out.members(range.len(), asked.with_scores);
        view.each(range, asked.from_behind, |member, score| {
            if asked.with_scores { out.scored(member, score) } else { out.bulk(member) }
        });
        Ok::<(), Failure>(())
    })?;
    match shown {
        Some(shown) => shown?,
        None => out.array(0),
    }
    Ok(())
}

fn range(cx: &mut Cx<'_, '_>, args: &[&[u8]], by: Option<By>, behind: Option<bool>) -> Done {
    let form = Form { by, from_behind: behind, stores: false };
    let asked = form.read(&args[4..])?;
    let bounds = asked.bounds(args[2], args[3])?;
    show(cx, args[1], asked, bounds)
}

pub(crate) fn zrange(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    range(cx, args, None, None)
}

pub(crate) fn zrevrange(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    range(cx, args, Some(By::Rank), Some(true))
}

pub(crate) fn zrangebyscore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    range(cx, args, Some(By::Score), Some(false))
}

pub(crate) fn zrevrangebyscore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    range(cx, args, Some(By::Score), Some(true))
}

pub(crate) fn zrangebylex(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    range(cx, args, Some(By::Lex), Some(false))
}

pub(crate) fn zrevrangebylex(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    range(cx, args, Some(By::Lex), Some(true))
}

pub(crate) fn zrangestore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let form = Form { by: None, from_behind: None, stores: true };
    let asked = form.read(&args[5..])?;
    let bounds = asked.bounds(args[3], args[4])?;
    let rows = cx.turn.board(args[2], |view| {
        let range = asked.positions(&view, bounds)?;
        let mut rows = Vec::with_capacity(range.len());
        view.each(range, false, |member, score| rows.push((Box::from(member), score)));
        Ok::<_, Failure>(rows)
    })?;
    let rows = rows.transpose()?.unwrap_or_default();
    store(cx, args[1], rows, "zrangestore")
}

/// Puts a result into a key and answers how many members it has.
pub(crate) fn store(
    cx: &mut Cx<'_, '_>,
    key: &[u8],
    rows: Vec<(Box<[u8]>, Score)>,
    event: &'static str,
) -> Done {
    let count = rows.len();
    let was_there = cx.turn.kind(key).is_some();
    cx.turn.fill(key, rankd_engine::redis_definition(), rows)?;
    if count > 0 {
        cx.fed(key);
        cx.event('z', event, key);
    } else if was_there {
        cx.event('g', "del", key);
    }
    cx.out.count(count);
    Ok(())
}

fn remove(
    cx: &mut Cx<'_, '_>,
    key: &[u8],
    event: &'static str,
    find: impl FnOnce(&BoardView<'_>) -> Result<Range<usize>, Failure>,
) -> Done {
    let members = cx.turn.board(key, |view| {
        let range = find(&view)?;
        let mut members: Vec<Box<[u8]>> = Vec::with_capacity(range.len());
        view.each(range, false, |member, _| members.push(member.into()));
        Ok::<_, Failure>(members)
    })?;
    let members = members.transpose()?.unwrap_or_default();
    remove_all(cx, key, event, &members)?;
    cx.out.count(members.len());
    Ok(())
}

/// Removes the lowest members: as many as `surplus` says of their number.
pub(crate) fn remove_lowest(
    cx: &mut Cx<'_, '_>,
    key: &[u8],
    surplus: impl FnOnce(usize) -> usize,
) -> Done {
    let members = cx.turn.board(key, |view| {
        let mut members: Vec<Box<[u8]>> = Vec::new();
        view.each(0..surplus(view.len()), false, |member, _| members.push(member.into()));
        members
    })?;
    remove_all(cx, key, "zremrangebyrank", &members.unwrap_or_default())
}

fn remove_all(cx: &mut Cx<'_, '_>, key: &[u8], event: &'static str, members: &[Box<[u8]>]) -> Done {
    if !members.is_empty() && !cx.turn.remove_members(key, members) {
        return Err(NO_ROOM);
    }
    cx.removed('z', event, key, members.len());
    Ok(())
}

pub(crate) fn zremrangebyrank(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let (start, stop) = (long(args[2])?, long(args[3])?);
    remove(cx, args[1], "zremrangebyrank", |view| Ok(positions(start, stop, view.len())))
}

pub(crate) fn zremrangebyscore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let (min, max) = score_range(args[2], args[3])?;
    remove(cx, args[1], "zremrangebyscore", |view| Ok(view.between(min, max)))
}

pub(crate) fn zremrangebylex(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let (min, max) = lex_range(args[2], args[3])?;
    remove(cx, args[1], "zremrangebylex", |view| {
        check_lexical(view)?;
        Ok(view.lex_between(min, max))
    })
}
