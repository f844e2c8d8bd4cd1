//! Marks that tell whose data a text holds, and the look-out for them.
//!
//! Four kinds: data of an organisation (`cnryD07x`), data about its users (`cnryU07x`), text
//! identifiers (`idnt07x`), and numbers in ranges of their own for users and for what they
//! achieved. Identifiers that a request named may come back in its answer; everything else of
//! somebody whom the request may not see is a leak.

use std::collections::BTreeSet;

/// Index of an organisation in the world.
pub(crate) type Index = usize;

const USERS_FROM: u64 = 8_000_000_000_000;
const VALUES_FROM: u64 = 900_000_000;
/// Numbers of one organisation.
const SPAN: u64 = 1_000;
/// Most organisations that can be told apart.
const ORGS_MAX: u64 = 100;

/// Hidden data of an organisation.
pub(crate) fn data(org: Index, what: &str) -> String {
    format!("cnryD{org:02}x {what}")
}

/// Hidden data about an organisation's user.
pub(crate) fn personal(org: Index, what: &str) -> String {
    format!("cnryU{org:02}x {what}")
}

/// A text identifier, which requests may name.
pub(crate) fn identifier(org: Index, what: &str) -> String {
    format!("idnt{org:02}x{what}")
}

/// The number of a user, which requests may name.
pub(crate) fn user_number(org: Index, user: u64) -> u64 {
    USERS_FROM + org as u64 * SPAN + user
}

/// Points or a value that only this organisation has.
pub(crate) fn value(org: Index, what: u64) -> i64 {
    i64::try_from(VALUES_FROM + org as u64 * SPAN + what).expect("a small number")
}

/// Whose marks a request may bring back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowed {
    /// Data of these organisations.
    pub(crate) data: BTreeSet<Index>,
    /// Data about these organisations' users.
    pub(crate) users: BTreeSet<Index>,
}

impl Allowed {
    /// Everything of these organisations.
    pub(crate) fn all_of(orgs: impl IntoIterator<Item = Index>) -> Self {
        let data: BTreeSet<Index> = orgs.into_iter().collect();
        Self { users: data.clone(), data }
    }
}

/// A mark that was found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) org: Index,
    pub(crate) text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data,
    Personal,
    Identifier,
}

/// Every mark in a text.
pub(crate) fn marks(text: &str) -> Vec<Mark> {
    let mut found = Vec::new();
    for (prefix, kind) in
        [("cnryD", Kind::Data), ("cnryU", Kind::Personal), ("idnt", Kind::Identifier)]
    {
        for (at, _) in text.match_indices(prefix) {
            let rest = &text[at + prefix.len()..];
            let is_word = |c: &char| c.is_ascii_alphanumeric();
            let word: String = rest.chars().take_while(is_word).collect();
            if let Some(org) = word.get(..2).and_then(|digits| digits.parse().ok()) {
                found.push(Mark { org, text: format!("{prefix}{word}"), kind });
            }
        }
    }
    found.extend(text.split(|c: char| !c.is_ascii_digit()).filter_map(number_mark));
    found
}

fn number_mark(digits: &str) -> Option<Mark> {
    let number: u64 = digits.parse().ok()?;
    let ranges = [(USERS_FROM, Kind::Identifier), (VALUES_FROM, Kind::Data)];
    ranges.into_iter().find_map(|(from, kind)| {
        let offset = number.checked_sub(from).filter(|offset| *offset < ORGS_MAX * SPAN)?;
        let org = usize::try_from(offset / SPAN).expect("few organisations");
        Some(Mark { org, text: digits.to_owned(), kind })
    })
}

/// Marks of an answer that the request must not bring back.
pub(crate) fn leaks(allowed: &Allowed, request: &str, answer: &str) -> Vec<Mark> {
    let is_leak = |mark: &Mark| match mark.kind {
        Kind::Data => !allowed.data.contains(&mark.org),
        Kind::Personal => !allowed.users.contains(&mark.org),
        Kind::Identifier => !allowed.users.contains(&mark.org) && !request.contains(&mark.text),
    };
    marks(answer).into_iter().filter(is_leak).collect()
}

#[test]
fn every_kind_of_mark_is_seen() {
    let text = format!(
        "{{\"a\":\"{}\",\"b\":\"x{}\",\"c\":\"{}\",\"d\":[{},-{}]}}",
        data(3, "name"),
        personal(4, "mail"),
        identifier(5, "u1"),
        user_number(6, 2),
        value(7, 9)
    );
    let orgs: Vec<_> = marks(&text).iter().map(|mark| mark.org).collect();
    assert_eq!(orgs, [3, 4, 5, 6, 7]);
    assert_eq!(leaks(&Allowed::all_of(3..8), "", &text), []);
    assert_eq!(leaks(&Allowed::default(), "", &text).len(), 5);
    let named = format!("GET /{}/{}", identifier(5, "u1"), user_number(6, 2));
    let leaked: Vec<_> = leaks(&Allowed::default(), &named, &text);
    assert_eq!(leaked.iter().map(|mark| mark.org).collect::<Vec<_>>(), [3, 4, 7]);
    let partial = Allowed { users: [4, 5, 6].into(), data: [3, 7].into() };
    assert_eq!(leaks(&partial, "", &text), []);
    assert_eq!(marks("1773662400 cnryDx idnt 8000000100000 899999999"), []);
}
