//! Names in URLs. Every byte outside RFC 3986's unreserved set is percent-encoded, so that
//! slashes, percent signs, question marks and bytes that are not UTF-8 arrive as they are.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `name` as one path segment or one query value.
#[must_use]
pub fn encode(name: &[u8]) -> String {
    match name {
        // As plain segments these two would mean "here" and "one up" to anything in between.
        b"." => "%2E".to_owned(),
        b".." => "%2E%2E".to_owned(),
        _ => percent_encode(name, ESCAPED).to_string(),
    }
}

/// A query string in the making: `?a=1&b=2`, or nothing at all.
#[derive(Default)]
pub(crate) struct Query(String);

impl Query {
    /// Appends `key=value`, with the value encoded.
    pub(crate) fn with(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(key);
        self.0.push('=');
        self.0.push_str(&encode(value.as_ref()));
        self
    }

    /// Appends `key=value` if there is a value.
    pub(crate) fn with_some(self, key: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(key, value.to_string()),
            None => self,
        }
    }

    /// Appends `key=a,b,c`: the commas separate, those within a value are encoded.
    pub(crate) fn with_list(self, key: &str, values: &[impl AsRef<[u8]>]) -> Self {
        let encoded: Vec<_> = values.iter().map(|value| encode(value.as_ref())).collect();
        let Self(mut text) = self.with(key, "");
        text.push_str(&encoded.join(","));
        Self(text)
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
