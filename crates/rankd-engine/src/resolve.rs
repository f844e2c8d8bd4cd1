//! Operators: what a write comes to, given what is there. Pure functions, the one place where
//! the semantics of `latest`, `best`, `sum`, `min` and `max` live.

use std::cmp::Ordering;

use crate::definition::{Definition, Operator, Order};
use crate::score::{Score, ScoreError};

/// A score and since when the member has it (where the board keeps that).
pub(crate) type Stored = (Score, Option<i64>);

/// One write, before it is resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write {
    /// The operand, of any kind.
    pub(crate) operand: Score,
    /// Overrides the board's operator.
    pub(crate) operator: Option<Operator>,
    /// Time of the event, in milliseconds since 1970, UTC; the time of acceptance if absent.
    pub(crate) at_ms: Option<i64>,
    /// Time of acceptance.
    pub(crate) now_ms: i64,
}

/// The score and time that the member has after the write; `None` if nothing changes.
///
/// # Errors
/// If the operand does not fit the board, or a sum leaves the range of its scores.
pub(crate) fn resolve_write(
    definition: &Definition,
    stored: Option<Stored>,
    write: Write,
) -> Result<Option<(Score, i64)>, ScoreError> {
    let operand = write.operand.into_kind(definition.score)?;
    let Some((old, old_at_ms)) = stored else {
        return Ok(Some((operand, write.at_ms.unwrap_or(write.now_ms))));
    };
    // A write without a time of its own is never stale, also when the clock has stepped back.
    let at_ms =
        write.at_ms.unwrap_or_else(|| old_at_ms.map_or(write.now_ms, |at| at.max(write.now_ms)));
    let operator = write.operator.unwrap_or(definition.operator);
    let is_stale = operator == Operator::Latest && old_at_ms.is_some_and(|at| at > at_ms);
    let (new, at_ms) = match operator {
        Operator::Latest => (operand, at_ms),
        Operator::Best => (better(definition.order, old, operand), at_ms),
        Operator::Min => (better(Order::Ascending, old, operand), at_ms),
        Operator::Max => (better(Order::Descending, old, operand), at_ms),
        // A sum is reached when the newest of its parts happened, in whatever order they arrive.
        Operator::Sum => (old.plus(operand)?, old_at_ms.map_or(at_ms, |at| at.max(at_ms))),
    };
    let is_same = new.compare(&old) == Ordering::Equal;
    Ok((!is_stale && !is_same).then_some((new, at_ms)))
}

/// The score that ranks better in `order`.
fn better(order: Order, a: Score, b: Score) -> Score {
    let keeps_a = match order {
        Order::Descending => a.compare(&b) != Ordering::Less,
        Order::Ascending => a.compare(&b) != Ordering::Greater,
    };
    if keeps_a { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::ScoreKind;
    use Operator::{Best, Latest, Max, Min, Sum};

    fn run(
        definition: Definition,
        stored: Option<(i64, i64)>,
        operator: Operator,
        operand: i64,
        at_ms: i64,
    ) -> Option<(i64, i64)> {
        let stored = stored.map(|(score, at)| (Score::Integer(score), Some(at)));
        let write = Write {
            operand: Score::Integer(operand),
            operator: Some(operator),
            at_ms: Some(at_ms),
            now_ms: 0,
        };
        match resolve_write(&definition, stored, write).expect("in range") {
            Some((Score::Integer(score), at)) => Some((score, at)),
            Some((Score::Float(_), _)) => unreachable!("the board holds integers"),
            None => None,
        }
    }

    #[test]
    fn every_operator_on_an_absent_a_lower_an_equal_and_a_higher_score() {
        let descending = Definition::default();
        let table = [
            // operator, stored, operand, expected
            (Latest, None, 5, Some((5, 9))),
            (Latest, Some((7, 1)), 5, Some((5, 9))),
            (Latest, Some((5, 1)), 5, None),
            (Best, Some((7, 1)), 5, None),
            (Best, Some((5, 1)), 5, None),
            (Best, Some((3, 1)), 5, Some((5, 9))),
            (Min, Some((7, 1)), 5, Some((5, 9))),
            (Min, Some((3, 1)), 5, None),
            (Max, Some((7, 1)), 5, None),
            (Max, Some((3, 1)), 5, Some((5, 9))),
            (Sum, None, 5, Some((5, 9))),
            (Sum, Some((7, 1)), 5, Some((12, 9))),
            (Sum, Some((7, 1)), 0, None),
            (Sum, Some((7, 1)), -7, Some((0, 9))),
        ];
        for (operator, stored, operand, expected) in table {
            let got = run(descending, stored, operator, operand, 9);
            assert_eq!(got, expected, "{operator:?} of {operand} on {stored:?}");
        }
    }

    #[test]
    fn best_follows_the_order_of_the_board() {
        let ascending = Definition { order: Order::Ascending, ..Definition::default() };
        assert_eq!(run(ascending, Some((7, 1)), Best, 5, 9), Some((5, 9)));
        assert_eq!(run(ascending, Some((3, 1)), Best, 5, 9), None);
    }

    #[test]
    fn only_latest_refuses_an_older_event_and_a_late_part_of_a_sum_keeps_the_newer_time() {
        let board = Definition::default();
        assert_eq!(run(board, Some((7, 10)), Latest, 5, 9), None, "stale");
        assert_eq!(run(board, Some((7, 9)), Latest, 5, 9), Some((5, 9)), "same time is not stale");
        assert_eq!(run(board, Some((7, 10)), Sum, 5, 9), Some((12, 10)));
        assert_eq!(run(board, Some((3, 10)), Best, 5, 9), Some((5, 9)));
    }

    #[test]
    fn a_write_without_a_time_is_never_stale() {
        let stored = Some((Score::Integer(7), Some(1_000)));
        let write =
            Write { operand: Score::Integer(5), operator: Some(Latest), at_ms: None, now_ms: 400 };
        let resolved = resolve_write(&Definition::default(), stored, write);
        assert_eq!(resolved, Ok(Some((Score::Integer(5), 1_000))));
        let resolved = resolve_write(&Definition::default(), None, write);
        assert_eq!(resolved, Ok(Some((Score::Integer(5), 400))));
    }

    #[test]
    fn integer_sums_are_exact_and_overflow_is_an_error() {
        let board = Definition { operator: Sum, ..Definition::default() };
        let big = (1_i64 << 53) + 1;
        assert_eq!(run(board, Some((big, 0)), Sum, 2, 1), Some((big + 2, 1)));
        let stored = Some((Score::Integer(i64::MAX), Some(0)));
        let write = Write { operand: Score::Integer(1), operator: None, at_ms: Some(1), now_ms: 0 };
        assert_eq!(
            resolve_write(&board, stored, write),
            Err(ScoreError::Overflow(Score::Integer(i64::MAX), Score::Integer(1)))
        );
    }

    #[test]
    fn operands_are_converted_to_the_boards_kind_or_refused() {
        let integers = Definition::default();
        let floats = Definition { score: ScoreKind::Float, ..integers };
        let of = |x| Write { operand: Score::Float(x), operator: None, at_ms: Some(0), now_ms: 0 };
        let set = |score| Ok(Some((score, 0)));
        assert_eq!(resolve_write(&integers, None, of(3.0)), set(Score::Integer(3)));
        assert_eq!(resolve_write(&integers, None, of(3.5)), Err(ScoreError::NotAnInteger(3.5)));
        assert_eq!(resolve_write(&integers, None, of(1e19)), Err(ScoreError::OutOfRange(1e19)));
        let two_to_63 = 9_223_372_036_854_775_808.0;
        assert_eq!(
            resolve_write(&integers, None, of(two_to_63)),
            Err(ScoreError::OutOfRange(two_to_63))
        );
        assert_eq!(resolve_write(&integers, None, of(-two_to_63)), set(Score::Integer(i64::MIN)));
        assert_eq!(resolve_write(&floats, None, of(f64::NAN)), Err(ScoreError::NotANumber));
        assert_eq!(
            resolve_write(&floats, None, of(f64::INFINITY)),
            set(Score::Float(f64::INFINITY))
        );
        let whole = Write { operand: Score::Integer(2), operator: None, at_ms: Some(0), now_ms: 0 };
        assert_eq!(resolve_write(&floats, None, whole), set(Score::Float(2.0)));
        let opposite = Some((Score::Float(f64::INFINITY), Some(0)));
        let minus = Write { operator: Some(Sum), ..of(f64::NEG_INFINITY) };
        assert_eq!(resolve_write(&floats, opposite, minus), Err(ScoreError::NotANumber));
    }

    #[test]
    fn minus_zero_is_zero() {
        let floats = Definition { score: ScoreKind::Float, ..Definition::default() };
        let write =
            Write { operand: Score::Float(-0.0), operator: None, at_ms: Some(0), now_ms: 0 };
        let Ok(Some((Score::Float(zero), _))) = resolve_write(&floats, None, write) else {
            unreachable!("a float was written")
        };
        assert!(zero.is_sign_positive());
        let stored = Some((Score::Float(0.0), Some(0)));
        assert_eq!(resolve_write(&floats, stored, write), Ok(None));
    }
}
