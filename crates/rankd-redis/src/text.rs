//! Scores, definitions and lists as Redis holds them: text that people can read there.
//!
//! Invariant: what is written here is read back as the same value, to the last bit. What is read is
//! never trusted: everything that does not parse is [`Malformed`].

use rankd_engine::{Definition, Operator, Order, Score, ScoreKind, Ties};

/// Text in Redis that this store did not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is malformed: {text:?}")]
pub(crate) struct Malformed {
    what: &'static str,
    text: String,
}

impl Malformed {
    /// An error that quotes the beginning of `bytes`.
    pub(crate) fn new(what: &'static str, bytes: &[u8]) -> Self {
        const SHOWN_BYTES_MAX: usize = 80;
        let shown = bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes);
        Self { what, text: String::from_utf8_lossy(shown).into_owned() }
    }
}

/// A number in decimal digits.
pub(crate) fn number<T: std::str::FromStr>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, Malformed> {
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Malformed::new(what, bytes))
}

/// A score as scripts and sorted sets take it.
pub(crate) fn score_text(score: Score) -> String {
    match score {
        Score::Integer(i) => i.to_string(),
        Score::Float(x) if x.is_infinite() => if x > 0.0 { "inf" } else { "-inf" }.to_owned(),
        // With an exponent: without one, the largest doubles have 309 digits.
        Score::Float(x) => format!("{x:e}"),
    }
}

/// A score of a board of this kind.
pub(crate) fn score(kind: ScoreKind, bytes: &[u8]) -> Result<Score, Malformed> {
    const WHAT: &str = "a score";
    match kind {
        ScoreKind::Integer => number(WHAT, bytes).map(Score::Integer),
        ScoreKind::Float => {
            let score = number(WHAT, bytes).map(Score::Float)?;
            score.into_kind(kind).map_err(|_| Malformed::new(WHAT, bytes))
        }
    }
}

/// `i` or `f`.
pub(crate) fn kind(letter: u8) -> Result<ScoreKind, Malformed> {
    match letter {
        b'i' => Ok(ScoreKind::Integer),
        b'f' => Ok(ScoreKind::Float),
        _ => Err(Malformed::new("a kind of score", &[letter])),
    }
}

/// The letter of an operator.
pub(crate) fn operator_text(operator: Operator) -> &'static str {
    match operator {
        Operator::Latest => "l",
        Operator::Best => "b",
        Operator::Sum => "s",
        Operator::Min => "m",
        Operator::Max => "x",
    }
}

/// A definition as five letters: order, kind, operator, ties, whether times are kept.
pub(crate) fn definition_text(definition: &Definition) -> String {
    let definition = definition.normalised();
    let order = match definition.order {
        Order::Descending => "d",
        Order::Ascending => "a",
    };
    let kind = match definition.score {
        ScoreKind::Integer => "i",
        ScoreKind::Float => "f",
    };
    let ties = match definition.ties {
        Ties::Earliest => "e",
        Ties::Latest => "l",
        Ties::Member => "m",
    };
    let keep_at = if definition.keep_at { "1" } else { "0" };
    [order, kind, operator_text(definition.operator), ties, keep_at].concat()
}

/// The definition of five letters.
pub(crate) fn definition(bytes: &[u8]) -> Result<Definition, Malformed> {
    let malformed = || Malformed::new("a definition", bytes);
    let [order, score, operator, ties, keep_at] = *bytes else { return Err(malformed()) };
    Ok(Definition {
        order: match order {
            b'd' => Order::Descending,
            b'a' => Order::Ascending,
            _ => return Err(malformed()),
        },
        score: kind(score)?,
        operator: match operator {
            b'l' => Operator::Latest,
            b'b' => Operator::Best,
            b's' => Operator::Sum,
            b'm' => Operator::Min,
            b'x' => Operator::Max,
            _ => return Err(malformed()),
        },
        ties: match ties {
            b'e' => Ties::Earliest,
            b'l' => Ties::Latest,
            b'm' => Ties::Member,
            _ => return Err(malformed()),
        },
        keep_at: match keep_at {
            b'1' => true,
            b'0' => false,
            _ => return Err(malformed()),
        },
    })
}

/// The part before the first space, and the part after it.
pub(crate) fn split<'a>(
    what: &'static str,
    bytes: &'a [u8],
) -> Result<(&'a [u8], &'a [u8]), Malformed> {
    let space = bytes.iter().position(|byte| *byte == b' ');
    let parts = space.and_then(|at| Some((bytes.get(..at)?, bytes.get(at + 1..)?)));
    parts.ok_or_else(|| Malformed::new(what, bytes))
}

/// The items of `<length>:<item><length>:<item>...`.
pub(crate) fn items(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        let malformed = || Malformed::new("a list", bytes);
        let colon = bytes.iter().position(|byte| *byte == b':').ok_or_else(malformed)?;
        let length: usize = number("a length", bytes.get(..colon).unwrap_or_default())?;
        let rest = bytes.get(colon + 1..).unwrap_or_default();
        let (item, rest) = rest.split_at_checked(length).ok_or_else(malformed)?;
        items.push(item);
        bytes = rest;
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_come_back_to_the_last_bit() {
        for i in [0, -1, i64::MAX, i64::MIN, (1 << 53) + 1] {
            let text = score_text(Score::Integer(i));
            assert_eq!(score(ScoreKind::Integer, text.as_bytes()), Ok(Score::Integer(i)));
        }
        for x in [0.0, 0.1, -1.5e-300, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, 5e-324] {
            for x in [x, -x] {
                let text = score_text(Score::Float(x));
                assert_eq!(score(ScoreKind::Float, text.as_bytes()), Ok(Score::Float(x)), "{text}");
            }
        }
        assert!(score(ScoreKind::Float, b"nan").is_err());
        assert!(score(ScoreKind::Integer, b"1.5").is_err());
        assert!(score(ScoreKind::Integer, b"9223372036854775808").is_err());
    }

    #[test]
    fn every_definition_comes_back() {
        let mut seen = std::collections::HashSet::new();
        for text in ["dilel", "dilm0", "afse1", "dibl1", "aixm1", "dfmm0"] {
            if let Ok(read) = definition(text.as_bytes()) {
                assert_eq!(definition_text(&read), text);
                assert!(seen.insert(read));
            }
        }
        assert_eq!(seen.len(), 5, "the first is no definition");
        assert!(definition(b"").is_err() && definition(b"dile10").is_err());
    }

    #[test]
    fn lists_hold_any_bytes_and_lying_lengths_are_refused() {
        assert_eq!(items(b"3:a:b0:2:\xff\x00"), Ok(vec![&b"a:b"[..], b"", b"\xff\x00"]));
        for bad in [&b"4:abc"[..], b"x", b":a", b"-1:a", b"99999999999999999999:a"] {
            assert!(items(bad).is_err(), "{bad:?}");
        }
    }
}
