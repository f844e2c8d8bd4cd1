//! Entries of a partition's stream: what happened, in the order in which it did.
//!
//! An entry has six fields: `i` incarnation, `n` nonce, `p` nonce of the entry before, `t` time of
//! acceptance, `w` bytes of all changes before it, `c` changes. Each change is an item of a list
//! and begins with a letter:
//!
//! | item | change |
//! |---|---|
//! | `b<id> <definition> <name>` | the board exists, empty |
//! | `d<id>` | the board does not exist |
//! | `s<id> <at> <kind><score> <member>` | the member has this score since then |
//! | `r<id> <member>` | the member is not on the board |
//! | `l<length> <member><name>` | the member has this display name |
//! | `u<member>` | the member has no display name |
//!
//! An entry without changes begins an incarnation.

use rankd_engine::{BoardId, Change};
use redis::Value;

use crate::script::Nonce;
use crate::script::answer::{bytes, list};
use crate::text::{self, Malformed};

/// One entry.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) sequence: u64,
    pub(crate) incarnation: u64,
    pub(crate) nonce: Nonce,
    pub(crate) previous: Nonce,
    pub(crate) accepted_ms: i64,
    /// Of its changes as they came.
    pub(crate) bytes: usize,
    pub(crate) changes: Vec<Change>,
}

impl Entry {
    /// The entries of an answer to `XREAD` of one stream; none if there was nothing new.
    pub(crate) fn of_read(value: Value) -> Result<Vec<Self>, Malformed> {
        if value == Value::Nil {
            return Ok(Vec::new());
        }
        let stream = list(value)?.into_iter().next().unwrap_or(Value::Array(Vec::new()));
        let entries = list(stream)?.into_iter().nth(1).unwrap_or(Value::Array(Vec::new()));
        Self::of_range(entries)
    }

    /// The entries of an answer to `XRANGE`.
    pub(crate) fn of_range(value: Value) -> Result<Vec<Self>, Malformed> {
        list(value)?.into_iter().map(Self::parse).collect()
    }

    fn parse(value: Value) -> Result<Self, Malformed> {
        let mut parts = list(value)?.into_iter();
        let id = bytes(parts.next().unwrap_or_default())?;
        let fields = list(parts.next().unwrap_or_default())?;
        let sequence = id.strip_suffix(b"-0").ok_or_else(|| Malformed::new("an id", &id))?;
        let mut entry = Self {
            sequence: text::number("a sequence", sequence)?,
            incarnation: 0,
            nonce: Nonce::default(),
            previous: Nonce::default(),
            accepted_ms: 0,
            bytes: 0,
            changes: Vec::new(),
        };
        let mut fields = fields.into_iter().map(bytes);
        while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
            entry.set(&name?, &value?)?;
        }
        if entry.incarnation == 0 {
            return Err(Malformed::new("an entry", &id));
        }
        Ok(entry)
    }

    /// Fields of newer versions are passed over.
    fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let nonce = || Nonce::parse(value).ok_or_else(|| Malformed::new("a nonce", value));
        match name {
            b"i" => self.incarnation = text::number("an incarnation", value)?,
            b"n" => self.nonce = nonce()?,
            b"p" => self.previous = nonce()?,
            b"t" => self.accepted_ms = text::number("a time", value)?,
            b"c" => {
                self.bytes = value.len();
                let changes = text::items(value)?.into_iter().map(change);
                self.changes = changes.collect::<Result<_, _>>()?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn change(item: &[u8]) -> Result<Change, Malformed> {
    let malformed = || Malformed::new("a change", item);
    let (letter, rest) = item.split_first().ok_or_else(malformed)?;
    let id = |bytes: &[u8]| text::number("a board's id", bytes).map(BoardId);
    Ok(match letter {
        b'b' => {
            let (board, rest) = text::split("a board", rest)?;
            let (definition, name) = text::split("a board", rest)?;
            let definition = text::definition(definition)?;
            Change::BoardCreated { board: id(board)?, name: name.into(), definition }
        }
        b'd' => Change::BoardDeleted { board: id(rest)? },
        b's' => set(rest)?,
        b'r' => {
            let (board, member) = text::split("a removal", rest)?;
            Change::MemberRemoved { board: id(board)?, member: member.into() }
        }
        b'l' => {
            let (length, rest) = text::split("a display name", rest)?;
            let length = text::number("a length", length)?;
            let (member, label) = rest.split_at_checked(length).ok_or_else(malformed)?;
            let label = std::str::from_utf8(label).map_err(|_| malformed())?;
            Change::MemberLabelled { member: member.into(), label: Some(label.into()) }
        }
        b'u' => Change::MemberLabelled { member: rest.into(), label: None },
        _ => return Err(malformed()),
    })
}

fn set(rest: &[u8]) -> Result<Change, Malformed> {
    let malformed = || Malformed::new("a score's change", rest);
    let (board, rest) = text::split("a score's change", rest)?;
    let (at_ms, rest) = text::split("a score's change", rest)?;
    let (score, member) = text::split("a score's change", rest)?;
    let (kind, score) = score.split_first().ok_or_else(malformed)?;
    Ok(Change::MemberSet {
        board: BoardId(text::number("a board's id", board)?),
        member: member.into(),
        score: text::score(text::kind(*kind)?, score)?,
        at_ms: text::number("a time", at_ms)?,
    })
}

#[cfg(test)]
mod tests {
    use rankd_engine::Score;

    use super::*;

    #[test]
    fn names_may_hold_what_separates_fields() {
        let set = change(b"s9 -5 i7 a b:c").expect("a change");
        let member = b"a b:c".as_slice().into();
        let expected =
            Change::MemberSet { board: BoardId(9), member, score: Score::Integer(7), at_ms: -5 };
        assert_eq!(set, expected);
        let labelled = change("l3 a bx \u{e4}".as_bytes()).expect("a change");
        let expected = Change::MemberLabelled {
            member: b"a b".as_slice().into(),
            label: Some("x \u{e4}".into()),
        };
        assert_eq!(labelled, expected);
        let empty = change(b"r1 ").expect("a change");
        assert_eq!(empty, Change::MemberRemoved { board: BoardId(1), member: Box::default() });
    }

    #[test]
    fn what_is_not_a_change_is_refused() {
        for bad in [&b""[..], b"s", b"s1 2 x3 m", b"l9 ab", b"b1 dile", b"z1", b"l1 a\xff"] {
            assert!(change(bad).is_err(), "{bad:?}");
        }
    }
}
