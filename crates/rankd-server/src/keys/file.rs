//! The key file: TOML, one `[[key]]` a key.
//!
//! Invariant: a file that is read is legal as a whole; one wrong key refuses all of it, so that
//! nobody believes in a key that is not there. Errors name the file and the key, never a hash.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::{BoardKey, KeyRing, Scope};
use crate::limits::{
    KEY_BOARDS_MAX, KEY_FILE_BYTES_MAX, KEY_ID_BYTES_MAX, KEYS_MAX, NAME_BYTES_MAX,
};
use crate::problem::shown;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read the keys in {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said, or that it is too large.
        reason: String,
    },
    /// It is not what a key file must be.
    #[error("the keys in {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// A key is not what it must be.
    #[error("{0}")]
    Key(String),
    /// The system gives no random bytes.
    #[error("the system gave no random bytes for a key: {0}")]
    Random(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(default)]
    key: Vec<KeyForm>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    id: String,
    sha256: String,
    scopes: Vec<String>,
    boards: Option<Vec<String>>,
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<KeyRing, KeyFileError> {
    let unreadable = |reason: String| KeyFileError::Read { path: path.to_owned(), reason };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(KEY_FILE_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > KEY_FILE_BYTES_MAX {
        return Err(unreadable(format!("it has more than {KEY_FILE_BYTES_MAX} bytes")));
    }
    parse(&text).map_err(|error| match error {
        KeyFileError::Key(reason) => KeyFileError::File { path: path.to_owned(), reason },
        other => other,
    })
}

/// The keys of this text.
pub(super) fn parse(text: &str) -> Result<KeyRing, KeyFileError> {
    let form: FileForm = toml::from_str(text).map_err(|error| syntax(text, &error))?;
    if form.key.len() > KEYS_MAX {
        let count = form.key.len();
        return Err(KeyFileError::Key(format!("it has {count} keys; the limit is {KEYS_MAX}")));
    }
    let mut ring = KeyRing::default();
    let mut ids = HashSet::new();
    for (place, form) in (1..).zip(form.key) {
        let name = format!("key {place} ({:?})", shown(&form.id));
        let fault = |reason: String| KeyFileError::Key(format!("{name}: {reason}"));
        if !ids.insert(form.id.clone()) {
            return Err(fault("another key has this id".to_owned()));
        }
        let key = form.check().map_err(fault)?;
        let start = *key.digest.first_chunk().expect("a digest has 32 bytes");
        if ring.0.insert(start, Arc::new(key)).is_some() {
            return Err(fault("another key has this sha256".to_owned()));
        }
    }
    Ok(ring)
}

/// Where the text stops being a key file. The message alone: the quoted line may hold a hash.
fn syntax(text: &str, error: &toml::de::Error) -> KeyFileError {
    let at = error.span().map_or(0, |span| span.start);
    let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    KeyFileError::Key(format!("line {line}: {}", shown(error.message())))
}

impl KeyForm {
    fn check(self) -> Result<BoardKey, String> {
        let is_legal = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if !(1..=KEY_ID_BYTES_MAX).contains(&self.id.len()) || !self.id.bytes().all(is_legal) {
            return Err(format!("an id has 1 to {KEY_ID_BYTES_MAX} printable ASCII characters"));
        }
        let digest = unhex(&self.sha256)
            .ok_or("sha256 must be 64 hexadecimal digits, the SHA-256 of the secret")?;
        let scopes = self.scopes.iter().map(|name| {
            Scope::of(name).ok_or_else(|| {
                format!("{:?} is not a scope; scopes are read, write and admin", shown(name))
            })
        });
        let scopes: Vec<Scope> = scopes.collect::<Result<_, _>>()?;
        if scopes.is_empty() {
            return Err("scopes is empty; it must have read, write or admin".to_owned());
        }
        let boards = self.boards.map(prefixes).transpose()?;
        Ok(BoardKey { id: self.id, digest, scopes, boards })
    }
}

/// The prefixes in their order, without those that begin with another.
fn prefixes(given: Vec<String>) -> Result<Vec<Box<[u8]>>, String> {
    if !(1..=KEY_BOARDS_MAX).contains(&given.len()) {
        let count = given.len();
        return Err(format!(
            "boards has {count} prefixes; it must have 1 to {KEY_BOARDS_MAX}, or be left out for \
             every board"
        ));
    }
    let mut sorted = given;
    sorted.sort_unstable();
    let mut kept: Vec<Box<[u8]>> = Vec::with_capacity(sorted.len());
    for prefix in sorted {
        if !(1..=NAME_BYTES_MAX).contains(&prefix.len()) {
            let bytes = prefix.len();
            return Err(format!("a prefix has 1 to {NAME_BYTES_MAX} bytes, and one has {bytes}"));
        }
        if !kept.last().is_some_and(|last| prefix.as_bytes().starts_with(last)) {
            kept.push(prefix.into_bytes().into());
        }
    }
    Ok(kept)
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

    fn fault(text: &str) -> String {
        parse(text).map(|_| ()).unwrap_err().to_string()
    }

    fn key(id: &str, hash: &str, rest: &str) -> String {
        format!("[[key]]\nid = \"{id}\"\nsha256 = \"{hash}\"\n{rest}\n")
    }

    #[test]
    fn an_empty_file_has_no_keys() {
        assert!(parse("").unwrap().0.is_empty());
        assert!(parse("# nothing yet\n").unwrap().0.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_and_no_hash_is_repeated() {
        let read = "scopes = [\"read\"]";
        let other = HASH.replace("00112233", "11112233");
        for (text, message) in [
            (key("a", "00", read), "key 1 (\"a\"): sha256 must be 64 hexadecimal digits"),
            (key("a", &HASH.replace('0', "+"), read), "key 1 (\"a\"): sha256 must be"),
            (key("", HASH, read), "key 1 (\"\"): an id has 1 to 64"),
            (key(&"x".repeat(65), HASH, read), "an id has 1 to 64"),
            (key("a", HASH, "scopes = []"), "key 1 (\"a\"): scopes is empty"),
            (key("a", HASH, "scopes = [\"root\"]"), "key 1 (\"a\"): \"root\" is not a scope"),
            (key("a", HASH, &format!("{read}\nboards = []")), "boards has 0 prefixes"),
            (key("a", HASH, &format!("{read}\nboards = [\"\"]")), "a prefix has 1 to 512 bytes"),
            (key("a", HASH, &format!("{read}\nbords = [\"x\"]")), "line 5: unknown field `bords`"),
            (key("a", HASH, ""), "line 1: missing field `scopes`"),
            (
                format!("{}{}", key("a", HASH, read), key("a", &other, read)),
                "another key has this id",
            ),
            (
                format!("{}{}", key("a", HASH, read), key("b", HASH, read)),
                "key 2 (\"b\"): another key has this sha256",
            ),
            ("[[keys]]\n".to_owned(), "line 1: unknown field `keys`"),
            ("[[key]\n".to_owned(), "line 1: "),
        ] {
            let fault = fault(&text);
            assert!(fault.contains(message), "{fault:?} lacks {message:?}");
            assert!(!fault.contains(&HASH[..16]), "{fault}");
        }
        let many = vec!["\"x\""; KEY_BOARDS_MAX + 1].join(",");
        let text = key("a", HASH, &format!("{read}\nboards = [{many}]"));
        assert!(fault(&text).contains("boards has 101 prefixes"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let message = read(Path::new("no/such/keys.toml")).map(|_| ()).unwrap_err().to_string();
        assert!(message.starts_with("cannot read the keys in no/such/keys.toml: "), "{message}");
    }
}
