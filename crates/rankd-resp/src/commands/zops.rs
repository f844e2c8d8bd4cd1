//! Several boards and sets as one: ZUNION, ZINTER, ZDIFF, their STORE forms, ZINTERCARD.
//!
//! Cost: O(all members) and memory for the result, as in Redis.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rankd_engine::{KeyKind, Score};

use crate::args::{is, long, size};
use crate::commands::zrange;
use crate::failure::{Done, Failure, SYNTAX, WRONG_TYPE};
use crate::number::read_double;
use crate::window::Cx;

/// Which operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// What equal members' scores become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Sum => not_nan(a + b),
            Self::Min => a.min(b),
            Self::Max => a.max(b),
        }
    }
}

/// Opposite infinities come to nothing, as in Redis.
fn not_nan(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number }
}

type Members = HashMap<Box<[u8]>, f64, RandomState>;

/// One input: its members in order, and what their scores count for.
struct Input {
    rows: Vec<(Box<[u8]>, f64)>,
    weight: f64,
    key: usize,
}

/// What may follow the keys.
#[derive(Debug, Clone, Copy)]
struct Form {
    operation: Operation,
    stores: bool,
    counts: bool,
}

/// The options, read.
#[derive(Debug)]
struct Options {
    aggregate: Aggregate,
    with_scores: bool,
    /// 0: no limit.
    limit: usize,
}

/// The score as a double, which operations over several boards compute with.
fn double(score: Score) -> f64 {
    match score {
        #[expect(clippy::cast_precision_loss, reason = "as Redis would hold it")]
        Score::Integer(number) => number as f64,
        Score::Float(number) => number,
    }
}

fn input(cx: &mut Cx<'_, '_>, key: &[u8], at: usize) -> Result<Input, Failure> {
    let mut rows = Vec::new();
    match cx.turn.kind(key) {
        None => {}
        Some(KeyKind::Board) => {
            cx.turn.board(key, |view| {
                view.each(0..view.len(), false, |member, score| {
                    rows.push((Box::from(member), double(score)));
                });
            })?;
        }
        Some(KeyKind::Set) => {
            cx.turn.set(key, |elements| {
                rows.extend(elements.iter().map(|(element, ())| (Box::from(element), 1.0)));
            })?;
        }
        Some(_) => return Err(WRONG_TYPE),
    }
    Ok(Input { rows, weight: 1.0, key: at })
}

/// Reads `numkeys key [key ...]` with what they hold, and the options.
fn read(
    cx: &mut Cx<'_, '_>,
    name: &str,
    args: &[&[u8]],
    form: Form,
) -> Result<(Vec<Input>, Options), Failure> {
    let numkeys = long(args[0])?;
    if numkeys < 1 {
        let text = format!("ERR at least 1 input key is needed for '{name}' command");
        return Err(Failure::of(text));
    }
    let Some((keys, rest)) = args[1..].split_at_checked(size(numkeys)) else {
        return Err(SYNTAX);
    };
    let mut inputs = Vec::with_capacity(keys.len());
    for key in keys {
        // The same key again is the same input: a member is compared with itself.
        let at = keys.iter().position(|other| other == key).unwrap_or(0);
        inputs.push(input(cx, key, at)?);
    }
    let options = read_options(&mut inputs, rest, form)?;
    Ok((inputs, options))
}

fn read_options(inputs: &mut [Input], args: &[&[u8]], form: Form) -> Result<Options, Failure> {
    const WEIGHT: Failure = Failure::new("ERR weight value is not a float");
    const LIMIT: Failure = Failure::new("ERR LIMIT can't be negative");
    let mut options = Options { aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
    let weighs = form.operation != Operation::Diff && !form.counts;
    let mut rest = args;
    while let [word, after @ ..] = rest {
        rest = after;
        if weighs && is(word, "weights") && after.len() >= inputs.len() {
            let (weights, after) = after.split_at(inputs.len());
            for (input, weight) in inputs.iter_mut().zip(weights) {
                input.weight = read_double(weight).ok_or(WEIGHT)?;
            }
            rest = after;
        } else if weighs && is(word, "aggregate") && !after.is_empty() {
            options.aggregate = match after[0] {
                word if is(word, "sum") => Aggregate::Sum,
                word if is(word, "min") => Aggregate::Min,
                word if is(word, "max") => Aggregate::Max,
                _ => return Err(SYNTAX),
            };
            rest = &after[1..];
        } else if !form.stores && !form.counts && is(word, "withscores") {
            options.with_scores = true;
        } else if form.counts && is(word, "limit") && !after.is_empty() {
            options.limit = long(after[0]).ok().filter(|n| *n >= 0).map(size).ok_or(LIMIT)?;
            rest = &after[1..];
        } else {
            return Err(SYNTAX);
        }
    }
    Ok(options)
}

fn as_map(input: Input) -> (Members, f64) {
    (input.rows.into_iter().collect(), input.weight)
}

fn union(inputs: Vec<Input>, aggregate: Aggregate) -> Members {
    let mut result = Members::default();
    for Input { rows, weight, .. } in inputs {
        for (member, score) in rows {
            let score = not_nan(score * weight);
            result
                .entry(member)
                .and_modify(|sum| *sum = aggregate.of(*sum, score))
                .or_insert(score);
        }
    }
    result
}

/// The members of all inputs. `limit`: enough for who only counts; 0 for all.
fn inter(mut inputs: Vec<Input>, aggregate: Aggregate, limit: usize) -> Members {
    let mut result = Members::default();
    if inputs.iter().any(|input| input.rows.is_empty()) {
        return result;
    }
    let others = inputs.split_off(1);
    let Some(first) = inputs.pop() else { return result };
    let others: Vec<(bool, Members, f64)> = others
        .into_iter()
        .map(|other| {
            let is_first = other.key == first.key;
            let (members, weight) = as_map(other);
            (is_first, members, weight)
        })
        .collect();
    for (member, own) in first.rows {
        let mut score = Some(not_nan(own * first.weight));
        for (is_first, members, weight) in &others {
            let found = if *is_first { Some(own) } else { members.get(&member).copied() };
            // Not made a number here: only sums of opposite infinities are, as in Redis.
            score = score.zip(found).map(|(sum, found)| aggregate.of(sum, found * weight));
        }
        if let Some(score) = score {
            result.insert(member, score);
            if result.len() == limit {
                break;
            }
        }
    }
    result
}

fn diff(mut inputs: Vec<Input>) -> Members {
    let others = inputs.split_off(1);
    let mut result: Members = inputs.into_iter().flat_map(|input| input.rows).collect();
    for (member, _) in others.into_iter().flat_map(|input| input.rows) {
        result.remove(&member);
    }
    result
}

/// The result in the order of a board.
fn combine(mut inputs: Vec<Input>, form: Form, options: &Options) -> Vec<(Box<[u8]>, Score)> {
    if form.operation != Operation::Diff {
        // Sums of doubles depend on their order, and this is Redis': the smallest input first.
        inputs.sort_by_key(|input| input.rows.len());
    }
    let members = match form.operation {
        Operation::Union => union(inputs, options.aggregate),
        Operation::Inter => inter(inputs, options.aggregate, options.limit),
        Operation::Diff => diff(inputs),
    };
    // Minus zero is zero, also for the order.
    let mut rows: Vec<_> =
        members.into_iter().map(|(member, score)| (member, not_nan(score) + 0.0)).collect();
    rows.sort_unstable_by(|(a, a_score), (b, b_score)| {
        a_score.total_cmp(b_score).then_with(|| a.cmp(b))
    });
    rows.into_iter().map(|(member, score)| (member, Score::Float(score))).collect()
}

fn show(cx: &mut Cx<'_, '_>, args: &[&[u8]], name: &str, operation: Operation) -> Done {
    let form = Form { operation, stores: false, counts: false };
    let (inputs, options) = read(cx, name, &args[1..], form)?;
    let rows = combine(inputs, form, &options);
    cx.out.members(rows.len(), options.with_scores);
    for (member, score) in rows {
        if options.with_scores { cx.out.scored(&member, score) } else { cx.out.bulk(&member) }
    }
    Ok(())
}

fn store(cx: &mut Cx<'_, '_>, args: &[&[u8]], name: &'static str, operation: Operation) -> Done {
    let form = Form { operation, stores: true, counts: false };
    let (inputs, options) = read(cx, name, &args[2..], form)?;
    let rows = combine(inputs, form, &options);
    zrange::store(cx, args[1], rows, name)
}

pub(crate) fn zunion(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show(cx, args, "zunion", Operation::Union)
}

pub(crate) fn zinter(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show(cx, args, "zinter", Operation::Inter)
}

pub(crate) fn zdiff(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    show(cx, args, "zdiff", Operation::Diff)
}

pub(crate) fn zunionstore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    store(cx, args, "zunionstore", Operation::Union)
}

pub(crate) fn zinterstore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    store(cx, args, "zinterstore", Operation::Inter)
}

pub(crate) fn zdiffstore(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    store(cx, args, "zdiffstore", Operation::Diff)
}

pub(crate) fn zintercard(cx: &mut Cx<'_, '_>, args: &[&[u8]]) -> Done {
    let form = Form { operation: Operation::Inter, stores: false, counts: true };
    let (inputs, options) = read(cx, "zintercard", &args[1..], form)?;
    let count = combine(inputs, form, &options).len();
    cx.out.count(count);
    Ok(())
}
