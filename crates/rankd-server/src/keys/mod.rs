//! Board keys: who may read and write which boards.
//!
//! They live in a file beside the data, so that no write, no snapshot and no import can change who
//! may do what; organisations have keys of their own ([`crate::access`]). A key has scopes and
//! prefixes of board names, and its file has the SHA-256 of its secret. That is enough because a
//! secret is 256 random bits: there is nothing to guess that a slow hash would make dearer.
//!
//! Invariant: a permit says what one key of the file that was in force allowed. Cost of a request:
//! one SHA-256 of two blocks, a look-up, and a comparison with each prefix of its key.

mod file;
mod need;
mod new;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use subtle::ConstantTimeEq as _;

use crate::access::unauthorized;
use crate::options::{AdminKey, digest};
use crate::problem::{Problem, Slug, shown_name};

pub use file::KeyFileError;
pub(crate) use need::{Need, Reach, need};
pub use new::NewKey;

/// What a board key is good for. None of them includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Reading boards.
    Read,
    /// Creating boards and writing scores.
    Write,
    /// Deleting boards; snapshots and metrics.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// What files and flags call it.
    ///
    /// ```
    /// assert_eq!(rankd_server::Scope::Write.name(), "write");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// One key of the file.
#[derive(Debug)]
pub(crate) struct BoardKey {
    id: String,
    digest: [u8; 32],
    scopes: Vec<Scope>,
    /// In their order, none of them beginning with another; `None`: every board.
    boards: Option<Vec<Box<[u8]>>>,
}

/// The keys of one file, by the first bytes of their digests. That look-up takes a time that
/// depends on the digest of what was shown, which nobody can choose; the rest is compared in
/// constant time.
#[derive(Debug, Default)]
pub(crate) struct KeyRing(HashMap<[u8; 8], Arc<BoardKey>>);

impl KeyRing {
    fn find(&self, digest: &[u8; 32]) -> Option<&Arc<BoardKey>> {
        let key = self.0.get(digest.first_chunk()?)?;
        bool::from(key.digest.ct_eq(digest)).then_some(key)
    }
}

/// The keys in force, and the operator's, which opens everything.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Replaced as a whole when the file is read again; held for the time of a look-up.
    ring: RwLock<KeyRing>,
    admin_key: Option<AdminKey>,
}

/// What a request may do with boards.
#[derive(Debug, Clone)]
pub(crate) enum Permit {
    /// Everything: nobody is asked for a key, or it is the operator's.
    All,
    /// What the key says.
    Key(Arc<BoardKey>),
}

/// Reads and checks a file of keys.
pub(crate) fn load(path: &Path) -> Result<KeyRing, KeyFileError> {
    file::read(path)
}

impl Keys {
    pub(crate) fn new(ring: KeyRing, admin_key: Option<AdminKey>) -> Self {
        Self { ring: RwLock::new(ring), admin_key }
    }

    /// Puts other keys into force.
    pub(crate) fn replace(&self, ring: KeyRing) {
        *self.ring.write() = ring;
    }

    /// What the bearer of this token may do.
    pub(crate) fn admit(&self, token: &str) -> Result<Permit, Problem> {
        if self.admin_key.as_ref().is_some_and(|key| key.is(token)) {
            return Ok(Permit::All);
        }
        let found = self.ring.read().find(&digest(token)).map(Arc::clone);
        found.map(Permit::Key).ok_or_else(|| unauthorized("the key is unknown or was removed"))
    }
}

impl Permit {
    /// Refuses what the key has no scope for.
    pub(crate) fn check_scope(&self, wanted: Scope) -> Result<(), Problem> {
        match self {
            Self::Key(key) if !key.scopes.contains(&wanted) => {
                Err(key.lacks(format_args!("the scope {}", wanted.name())))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a board that the key does not open.
    pub(crate) fn check_board(&self, board: &[u8]) -> Result<(), Problem> {
        let Self::Key(key) = self else { return Ok(()) };
        match &key.boards {
            Some(prefixes) if !prefixes.iter().any(|prefix| board.starts_with(prefix)) => {
                Err(key.lacks(format_args!("board {}", shown_name(board))))
            }
            _ => Ok(()),
        }
    }

    /// Refuses what concerns all boards to a key for some.
    pub(crate) fn check_every_board(&self) -> Result<(), Problem> {
        match self {
            Self::Key(key) if key.boards.is_some() => Err(key.lacks(format_args!("every board"))),
            _ => Ok(()),
        }
    }

    /// The prefixes of the boards that may be seen, in their order; `None`: all of them.
    pub(crate) fn prefixes(&self) -> Option<&[Box<[u8]>]> {
        match self {
            Self::All => None,
            Self::Key(key) => key.boards.as_deref(),
        }
    }
}

impl BoardKey {
    fn lacks(&self, wanted: fmt::Arguments<'_>) -> Problem {
        let detail = format!("this needs {wanted}; key {:?} has {self}", self.id);
        Problem::new(Slug::Forbidden, detail)
    }
}

impl fmt::Display for BoardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.scopes.iter().map(|scope| scope.name()).collect();
        write!(f, "the scopes {} for ", names.join(", "))?;
        let Some(prefixes) = &self.boards else { return f.write_str("every board") };
        let shown: Vec<_> = prefixes.iter().map(|prefix| shown_name(prefix)).collect();
        match shown.split_at_checked(PREFIXES_SHOWN_MAX) {
            Some((first, [_, ..])) => write!(f, "boards {}, ...", first.join(", ")),
            _ => write!(f, "boards {}", shown.join(", ")),
        }
    }
}

/// Most prefixes of a key that a refusal repeats.
const PREFIXES_SHOWN_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Keys {
        let admin_key = AdminKey::new("the-operator-0123456789").unwrap();
        Keys::new(file::parse(text).unwrap(), Some(admin_key))
    }

    /// A key of the file with this secret.
    fn entry(id: &str, secret: &str, rest: &str) -> String {
        let hex: String = digest(secret).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("[[key]]\nid = '{id}'\nsha256 = '{hex}'\n{rest}\n")
    }

    #[test]
    fn a_key_has_its_scopes_and_boards() {
        let text = entry("a", "secret", "scopes = ['read', 'write']\nboards = ['eu:', 'x']");
        let keys = keys(&text);
        let permit = keys.admit("secret").unwrap();
        assert!(
            permit.check_scope(Scope::Read).is_ok() && permit.check_scope(Scope::Write).is_ok()
        );
        let refusal = permit.check_scope(Scope::Admin).unwrap_err();
        assert_eq!(
            (refusal.slug(), refusal.detail()),
            (
                Slug::Forbidden,
                "this needs the scope admin; key \"a\" has the scopes read, write for boards \
                 \"eu:\", \"x\""
            )
        );
        for board in ["eu:", "eu:1", "x", "xy"] {
            assert!(permit.check_board(board.as_bytes()).is_ok(), "{board}");
        }
        for board in ["eu", "us:1", "", "X", "e"] {
            let refusal = permit.check_board(board.as_bytes()).unwrap_err();
            assert!(refusal.detail().starts_with(&format!("this needs board {board:?}; key")));
        }
        assert!(permit.check_every_board().unwrap_err().detail().contains("needs every board"));
    }

    #[test]
    fn a_key_without_boards_opens_all_of_them() {
        let permit = keys(&entry("a", "s", "scopes = ['admin']")).admit("s").unwrap();
        assert!(permit.check_board(b"any").is_ok() && permit.check_every_board().is_ok());
        assert!(permit.prefixes().is_none());
        let detail = permit.check_scope(Scope::Read).unwrap_err().detail().to_owned();
        assert!(detail.ends_with("has the scopes admin for every board"), "{detail}");
    }

    #[test]
    fn only_the_secret_itself_is_a_key() {
        let text = entry("a", "secret", "scopes = ['read']");
        let keys = keys(&text);
        let hash: String = digest("secret").iter().map(|byte| format!("{byte:02x}")).collect();
        for wrong in ["", "secre", "secret ", "Secret", "a", &hash] {
            let refusal = keys.admit(wrong).unwrap_err();
            assert_eq!(refusal.slug(), Slug::Unauthorized, "{wrong}");
        }
        assert!(matches!(keys.admit("the-operator-0123456789"), Ok(Permit::All)));
        keys.replace(KeyRing::default());
        assert!(keys.admit("secret").is_err());
    }

    #[test]
    fn nested_prefixes_are_one() {
        let boards = "boards = ['b', 'a:x', 'a:', 'b']";
        let text = entry("a", "s", &format!("scopes = ['read']\n{boards}"));
        let permit = keys(&text).admit("s").unwrap();
        let prefixes: Vec<_> = permit.prefixes().unwrap().iter().map(|p| &p[..]).collect();
        assert_eq!(prefixes, [&b"a:"[..], b"b"]);
    }
}
