//! The config file: one flat TOML table whose keys are those of the settings.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::table::{CONFIG, SETTINGS};
use super::{SettingError, Source};

/// A value of the file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) key: String,
    pub(super) text: String,
    path: PathBuf,
    line: usize,
}

impl Found {
    pub(super) fn source(&self) -> Source {
        Source::File { path: self.path.clone(), line: self.line, key: self.key.clone() }
    }
}

/// The values of the file at `path`.
///
/// # Errors
/// If it cannot be read, is not TOML, has a key that is no setting, or a value of an odd type.
pub(super) fn read(path: &Path) -> Result<Vec<Found>, SettingError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingError::Read { path: path.to_owned(), source })?;
    parse(path, &text)
}

/// The values of `text`, which is the content of the file at `path`.
fn parse(path: &Path, text: &str) -> Result<Vec<Found>, SettingError> {
    let line_of = |offset: usize| 1 + text.bytes().take(offset).filter(|&b| b == b'\n').count();
    let fault = |offset: usize, reason: String| SettingError::Syntax {
        path: path.to_owned(),
        line: line_of(offset),
        reason,
    };
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        fault(offset, error.message().to_owned())
    })?;
    let mut found = Vec::new();
    for (key, value) in table.get_ref() {
        let (name, offset) = (key.get_ref().as_ref(), key.span().start);
        if !SETTINGS.iter().any(|setting| setting.key == name && name != CONFIG) {
            return Err(fault(offset, unknown(name)));
        }
        let text = value_text(value.get_ref()).ok_or_else(|| {
            fault(offset, format!("the value of `{name}` must be text, a number or true or false"))
        })?;
        let line = line_of(offset);
        found.push(Found { key: name.to_owned(), text, path: path.to_owned(), line });
    }
    Ok(found)
}

fn unknown(name: &str) -> String {
    let keys: Vec<_> = SETTINGS.iter().map(|s| s.key).filter(|key| *key != CONFIG).collect();
    format!("`{name}` is not a setting; the settings are {}", keys.join(", "))
}

/// The value as it would be written on the command line.
fn value_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i128::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(is_on) => Some(is_on.to_string()),
        _ => None,
    }
}
