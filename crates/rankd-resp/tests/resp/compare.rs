//! Whether two replies say the same: byte for byte, but for what is told here.
//!
//! * Doubles are compared as numbers: Redis 7.0 prints 17 digits.
//! * Minus zero is zero.
//! * Lists that have no order are compared as sets.

use crate::wire::Value;

/// How replies to a command are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Exact,
    /// The order of a list's values means nothing; `pairs`: of pairs of them.
    Unordered {
        pairs: bool,
    },
    /// Times that pass between the servers may differ.
    Time,
    /// A reply for each command.
    Transaction,
}

/// Whether the replies are the same under the rule.
pub(crate) fn same(rule: Rule, a: &Value, b: &Value) -> bool {
    match (rule, a, b) {
        (Rule::Unordered { pairs }, Value::List(a_kind, a), Value::List(b_kind, b)) => {
            let size = if pairs { 2 } else { 1 };
            let sorted = |values: &[Value]| {
                let mut chunks: Vec<String> =
                    values.chunks(size).map(|chunk| format!("{chunk:?}")).collect();
                chunks.sort();
                chunks
            };
            a_kind == b_kind && sorted(a) == sorted(b)
        }
        (Rule::Time, Value::Integer(a), Value::Integer(b)) => {
            let number = |text: &[u8]| String::from_utf8_lossy(text).parse::<i64>().unwrap();
            let (a, b) = (number(a), number(b));
            // Signs tell apart "no such key" and "does not end".
            a.signum() == b.signum() && (a - b).abs() < 60_000
        }
        _ => equal(a, b),
    }
}

/// Whether a reply is that of one of two others. The replies of a transaction are looked at one by
/// one: those two may differ in several of its commands.
pub(crate) fn same_as_either(rule: Rule, mine: &Value, theirs: [&Value; 2]) -> bool {
    if theirs.iter().any(|other| same(rule, mine, other)) {
        return true;
    }
    let (Value::List(b'*', mine), [Value::List(b'*', one), Value::List(b'*', two)]) =
        (mine, theirs)
    else {
        return false;
    };
    let is_in_step = rule == Rule::Transaction && mine.len() == one.len() && one.len() == two.len();
    let mut replies = mine.iter().zip(one.iter().zip(two));
    is_in_step && replies.all(|(mine, (one, two))| equal(mine, one) || equal(mine, two))
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a_kind, a), Value::List(b_kind, b)) => {
            a_kind == b_kind && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Double(a), Value::Double(b)) | (Value::Bulk(a), Value::Bulk(b)) => {
            a == b || is_same_number(a, b)
        }
        _ => a == b,
    }
}

/// Doubles in different notations; nothing that is as long as it was given.
fn is_same_number(a: &[u8], b: &[u8]) -> bool {
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<f64>().ok();
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.to_bits() == y.to_bits() || x == 0.0 && y == 0.0,
        _ => false,
    }
}
