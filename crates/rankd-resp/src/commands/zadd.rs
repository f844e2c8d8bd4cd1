//! Writing scores: ZADD, ZINCRBY, ZREM.

use rankd_engine::{Score, ScoreKind, SetDone};

use crate::args::{is, score};
use crate::failure::{Done, Failure, NAN_SCORE, SYNTAX};
use crate::number::read_score;
use crate::window::Cx;

/// The options of ZADD.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    only_new: bool,
    only_old: bool,
    only_greater: bool,
    only_less: bool,
    counts_changes: bool,
    increments: bool,
}

impl Options {
    /// The options, and where the scores begin.
    fn read(args: &[&[u8]]) -> (Self, usize) {
        let mut options = Self::default();
        let mut at = 2;
        while let Some(arg) = args.get(at) {
            let flag = match () {
                () if is(arg, "nx") => &mut options.only_new,
                () if is(arg, "xx") => &mut options.only_old,
                () if is(arg, "gt") => &mut options.only_greater,
                () if is(arg, "lt") => &mut options.only_less,
                () if is(arg, "ch") => &mut options.counts_changes,
                () if is(arg, "incr") => &mut options.increments,
                () => break,
            };
            *flag = true;
            at += 1;
        }
        (options, at)
    }

    fn check(self, pairs: usize) -> Done {
        const BOTH: Failure =
            Failure::new("ERR XX and NX options at the same time are not compatible");
        const DIRECTIONS: Failure =
            Failure::new("ERR GT, LT, and/or NX options at the same time are not compatible");
        const SINGLE: Failure =
            Failure::new("ERR INCR option supports a single increment-element pair");
        if self.only_new && self.only_old {
            return Err(BOTH);
        }
        let directions = [self.only_greater, self.only_less, self.only_new];
        if directions.into_iter().filter(|is_set| *is_set).count() > 1 {
            return Err(DIRECTIONS);
        }
        if self.increments && pairs > 1 { Err(SINGLE) } else { Ok(()) }
    }

    /// Whether what is written depends on what is there.
    fn looks(self) -> bool {
        self.only_new || self.only_old || self.only_greater || self.only_less || self.increments
    }
}

/// What one pair came to: the score that the member has now, unless an option forbade it.
type Step = Option<(Score, SetDone)>;

pub(crate) fn zadd(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    // What pipelines are full of: one member and no options, none of which is a number.
    if let [_, key, given, member] = args
        && let Some(given) = read_score(given)
    {
        let done = cx.turn.set_member(key, member, given)?;
        if done != SetDone::Same {
            cx.fed(key);
            cx.event('z', "zadd", key);
        }
        cx.out.flag(done == SetDone::Added);
        return Ok(());
    }
    let (options, first) = Options::read(args);
    let pairs = args.get(first..).unwrap_or_default();
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return Err(SYNTAX);
    }
    options.check(pairs.len() / 2)?;
    let scores: Vec<Score> =
        pairs.iter().step_by(2).map(|arg| score(arg)).collect::<Result<_, _>>()?;
    let is_there = cx.turn.board(args[1], |_| ())?.is_some();
    if !is_there && options.only_old {
        return reply(cx, options, None, 0, 0);
    }
    let (mut added, mut moved, mut last) = (0, 0, None);
    let members = pairs.iter().skip(1).step_by(2);
    let mut failed = None;
    for (member, score) in members.zip(scores) {
        match step(cx, args[1], member, score, options) {
            Ok(step) => {
                added += usize::from(matches!(step, Some((_, SetDone::Added))));
                moved += usize::from(matches!(step, Some((_, SetDone::Moved))));
                last = step.map(|(score, _)| score);
            }
            Err(failure) => {
                failed = Some(failure);
                break;
            }
        }
    }
    if added + moved > 0 {
        cx.fed(args[1]);
        cx.event('z', if options.increments { "zincr" } else { "zadd" }, args[1]);
    }
    match failed {
        Some(failure) => Err(failure),
        None => reply(cx, options, last, added, moved),
    }
}

fn reply(
    cx: &mut Cx<'_, '_>,
    options: Options,
    last: Option<Score>,
    added: usize,
    moved: usize,
) -> Done {
    match (options.increments, last) {
        (true, Some(score)) => cx.out.score(score),
        (true, None) => cx.out.null(),
        (false, _) => cx.out.count(if options.counts_changes { added + moved } else { added }),
    }
    Ok(())
}

/// One pair.
fn step(
    cx: &mut Cx<'_, '_>,
    key: &[u8],
    member: &[u8],
    given: Score,
    options: Options,
) -> Result<Step, Failure> {
    if !options.looks() {
        return Ok(Some((given, cx.turn.set_member(key, member, given)?)));
    }
    cx.turn.update_member(key, member, |stored| {
        let Some(stored) = stored else { return Ok((!options.only_old).then_some(given)) };
        if options.only_new {
            return Ok(None);
        }
        let new = if options.increments { plus(stored, given)? } else { fitting(stored, given)? };
        let order = new.compare(&stored);
        let is_unwanted =
            (options.only_greater && order.is_le()) || (options.only_less && order.is_ge());
        Ok((!is_unwanted).then_some(new))
    })
}

/// The given number as one of the stored one's kind.
fn fitting(stored: Score, given: Score) -> Result<Score, Failure> {
    let kind = match stored {
        Score::Integer(_) => ScoreKind::Integer,
        Score::Float(_) => ScoreKind::Float,
    };
    given.into_kind(kind).map_err(|error| Failure::of(format!("ERR {error}")))
}

fn plus(stored: Score, given: Score) -> Result<Score, Failure> {
    let given = fitting(stored, given)?;
    stored.plus(given).map_err(|error| match error {
        rankd_engine::ScoreError::NotANumber => NAN_SCORE,
        other => Failure::of(format!("ERR {other}")),
    })
}

pub(crate) fn zincrby(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let given = score(args[2])?;
    let options = Options { increments: true, ..Options::default() };
    let step = step(cx, args[1], args[3], given, options)?;
    let Some((score, done)) = step else { return Err(SYNTAX) };
    if done != SetDone::Same {
        cx.fed(args[1]);
        cx.event('z', "zincr", args[1]);
    }
    cx.out.score(score);
    Ok(())
}

pub(crate) fn zrem(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let mut removed = 0;
    for member in &args[2..] {
        removed += usize::from(cx.turn.remove_member(args[1], member)?);
    }
    cx.removed('z', "zrem", args[1], removed);
    cx.out.count(removed);
    Ok(())
}
