//! Making a board key.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{KeyFileError, Scope, file};
use crate::options::digest;

/// What secrets of board keys begin with, so that scanners and people recognise them.
const SECRET_PREFIX: &str = "rkey_";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Random bytes of an id that nobody chose.
const ID_BYTES: usize = 4;

/// A key that was just made: its secret, and the lines for the key file.
#[derive(Clone)]
pub struct NewKey {
    secret: String,
    lines: String,
}

impl NewKey {
    /// A random key. Without `id` it gets a random one; without `boards` it opens every board.
    ///
    /// ```
    /// use rankd_server::{NewKey, Scope};
    ///
    /// let key = NewKey::random(Some("eu-backend"), &[Scope::Read], &["eu:".to_owned()])?;
    /// assert!(key.secret().starts_with("rkey_"));
    /// assert!(key.file_lines().contains("boards = [\"eu:\"]"));
    /// assert!(!key.file_lines().contains(key.secret()));
    /// # Ok::<(), rankd_server::KeyFileError>(())
    /// ```
    ///
    /// # Errors
    /// The lines would not be legal in a key file, or the system gives no random bytes.
    pub fn random(
        id: Option<&str>,
        scopes: &[Scope],
        boards: &[String],
    ) -> Result<Self, KeyFileError> {
        let mut random = [0; SECRET_BYTES + ID_BYTES];
        getrandom::fill(&mut random).map_err(|error| KeyFileError::Random(error.to_string()))?;
        let (secret, random_id) = random.split_at(SECRET_BYTES);
        let secret = format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
        let id = id.map_or_else(|| format!("key-{}", hex(random_id)), str::to_owned);
        let mut lines = String::from("[[key]]\n");
        let mut field = |name: &str, value: toml::Value| {
            writeln!(lines, "{name} = {value}").expect("writing to a string cannot fail");
        };
        field("id", id.into());
        field("sha256", hex(&digest(&secret)).into());
        field("scopes", scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().into());
        if !boards.is_empty() {
            field("boards", boards.to_vec().into());
        }
        // One place decides what is legal.
        file::parse(&lines)?;
        Ok(Self { secret, lines })
    }

    /// What clients show as `Authorization: Bearer ...`; kept nowhere else.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The entry of the key file, with a line break at its end.
    #[must_use]
    pub fn file_lines(&self) -> &str {
        &self.lines
    }
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("lines", &self.lines).finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_one_of_its_own_file() {
        let boards = ["eu:\"quoted\"".to_owned(), "us:".to_owned()];
        let key = NewKey::random(None, &[Scope::Read, Scope::Admin], &boards).unwrap();
        let other = NewKey::random(Some("other"), &[Scope::Write], &[]).unwrap();
        assert_ne!(key.secret(), other.secret());
        let ring = file::parse(&format!("{}\n{}", key.file_lines(), other.file_lines())).unwrap();
        let found = ring.find(&digest(key.secret())).unwrap();
        assert_eq!(found.scopes, [Scope::Read, Scope::Admin]);
        assert!(found.id.starts_with("key-"));
        assert_eq!(found.boards.as_ref().unwrap()[0][..], *b"eu:\"quoted\"");
        assert_eq!(ring.find(&digest(other.secret())).unwrap().boards, None);
        assert!(!format!("{key:?}").contains(key.secret()));
    }

    #[test]
    fn what_a_file_could_not_hold_is_refused() {
        let one = [Scope::Read];
        assert!(NewKey::random(None, &[], &[]).is_err());
        assert!(NewKey::random(Some(""), &one, &[]).is_err());
        assert!(NewKey::random(None, &one, &["x".repeat(513)]).is_err());
        assert!(NewKey::random(None, &one, &[String::new()]).is_err());
    }
}
