//! JSON out. Hot replies are written by hand into one buffer; everything else goes through serde
//! with the wrappers at the end, which spell names, scores and times the same way.
//!
//! It is not a general JSON library: the caller writes the punctuation between values.
//! Cost: one pass over each string, no allocation but the buffer's.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rankd_engine::{Name, Score};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::times;

/// Digits of the largest whole number.
const DIGITS_MAX: usize = 20;

/// A buffer that JSON is written into.
pub(crate) struct JsonWriter {
    out: Vec<u8>,
}

impl JsonWriter {
    /// An empty buffer with room for `bytes`.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes) }
    }

    /// Appends to a buffer that is used again and again.
    pub(crate) fn over(out: Vec<u8>) -> Self {
        Self { out }
    }

    /// The buffer, with what was written.
    pub(crate) fn into_inner(self) -> Vec<u8> {
        self.out
    }

    /// Punctuation and member names: text that is JSON already.
    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    /// A string, escaped.
    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.out.push(b'"');
        let bytes = text.as_bytes();
        let mut clean_from = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if byte >= b' ' && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.out.extend_from_slice(&bytes[clean_from..at]);
            self.escape(byte);
            clean_from = at + 1;
        }
        self.out.extend_from_slice(&bytes[clean_from..]);
        self.out.push(b'"');
        self
    }

    fn escape(&mut self, byte: u8) {
        match byte {
            b'"' => self.out.extend_from_slice(b"\\\""),
            b'\\' => self.out.extend_from_slice(b"\\\\"),
            b'\n' => self.out.extend_from_slice(b"\\n"),
            b'\r' => self.out.extend_from_slice(b"\\r"),
            b'\t' => self.out.extend_from_slice(b"\\t"),
            _ => self.print(format_args!("\\u{byte:04x}")),
        }
    }

    /// A name: a string, or `{"base64": ...}` if it is not UTF-8.
    pub(crate) fn name(&mut self, name: &[u8]) -> &mut Self {
        match std::str::from_utf8(name) {
            Ok(text) => self.string(text),
            Err(_) => {
                self.raw("{\"base64\":\"").raw(&STANDARD.encode(name)).raw("\"}");
                self
            }
        }
    }

    /// A string or `null`.
    pub(crate) fn optional_string(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.string(text),
            None => self.raw("null"),
        }
    }

    /// A whole number.
    pub(crate) fn unsigned(&mut self, value: u64) -> &mut Self {
        let mut digits = [0; DIGITS_MAX];
        let (mut rest, mut first) = (value, DIGITS_MAX);
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + u8::try_from(rest % 10).expect("a digit");
            (rest, first) = (rest / 10, place);
            if rest == 0 {
                break;
            }
        }
        self.out.extend_from_slice(digits.get(first..).unwrap_or_default());
        self
    }

    /// A finite double in the fewest digits that read back as the same double.
    pub(crate) fn float(&mut self, value: f64) -> &mut Self {
        debug_assert!(value.is_finite(), "JSON has no spelling for {value}");
        // As few digits, and sooner (`cargo xtask bench http`), but its exponents are others.
        if (1e-4..1e15).contains(&value.abs()) {
            return self.raw(zmij::Buffer::new().format_finite(value));
        }
        self.print(format_args!("{value:?}"));
        self
    }

    /// A score: exact if integer, shortest if float, `"inf"` and `"-inf"` as strings.
    pub(crate) fn score(&mut self, score: Score) -> &mut Self {
        match score {
            Score::Integer(value) => {
                self.raw(if value < 0 { "-" } else { "" }).unsigned(value.unsigned_abs());
            }
            Score::Float(value) if value.is_finite() => {
                self.float(value);
            }
            Score::Float(value) if value > 0.0 => {
                self.raw("\"inf\"");
            }
            Score::Float(_) => {
                self.raw("\"-inf\"");
            }
        }
        self
    }

    /// A time, or `null` where none is kept.
    pub(crate) fn time(&mut self, at_ms: Option<i64>) -> &mut Self {
        match at_ms {
            Some(ms) => {
                self.out.push(b'"');
                times::write(ms, &mut self.out);
                self.out.push(b'"');
                self
            }
            None => self.raw("null"),
        }
    }

    /// What was written, closed by `end`.
    pub(crate) fn finish(mut self, end: &str) -> Vec<u8> {
        self.raw(end);
        self.out
    }

    fn print(&mut self, what: std::fmt::Arguments<'_>) {
        self.out.write_fmt(what).expect("writing to a vector cannot fail");
    }
}

/// A name in serde's replies.
#[derive(Debug)]
pub(crate) struct NameJson(pub(crate) Name);

impl Serialize for NameJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &STANDARD.encode(&self.0))?;
                map.end()
            }
        }
    }
}

/// A time in serde's replies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeJson(pub(crate) i64);

impl Serialize for TimeJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&times::print(self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut JsonWriter)) -> String {
        let mut writer = JsonWriter::with_capacity(0);
        write(&mut writer);
        String::from_utf8(writer.finish("")).expect("JSON is UTF-8")
    }

    proptest! {
        #[test]
        fn strings_are_spelled_as_serde_json_reads_them(text in any::<String>()) {
            let ours = written(|w| { w.string(&text); });
            prop_assert_eq!(serde_json::from_str::<String>(&ours).unwrap(), text);
        }

        #[test]
        fn doubles_read_back_bit_for_bit(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let ours = written(|w| { w.float(value); });
            prop_assert_eq!(ours.parse::<f64>().unwrap().to_bits(), bits);
            prop_assert!(serde_json::from_str::<serde_json::Number>(&ours).is_ok());
        }

        #[test]
        fn no_double_is_longer_than_rust_spells_it(value in 1e-5..1e17_f64, shrink in 1e-9..1.0) {
            for value in [value, value * shrink, -value * shrink * shrink, value.trunc()] {
                let ours = written(|w| { w.float(value); });
                prop_assert_eq!(ours.len(), format!("{value:?}").len(), "{}", ours);
                prop_assert_eq!(ours.parse::<f64>().unwrap().to_bits(), value.to_bits());
            }
        }

        #[test]
        fn whole_numbers_are_exact(value in any::<u64>(), shift in 0..64_u32) {
            let value = value >> shift;
            prop_assert_eq!(written(|w| { w.unsigned(value); }), value.to_string());
        }

        #[test]
        fn integers_are_exact(value in any::<i64>()) {
            let ours = written(|w| { w.score(Score::Integer(value)); });
            prop_assert_eq!(serde_json::from_str::<i64>(&ours).unwrap(), value);
        }

        #[test]
        fn both_ways_of_writing_a_name_agree(name in prop::collection::vec(any::<u8>(), 0..40)) {
            let ours = written(|w| { w.name(&name); });
            let theirs = serde_json::to_value(NameJson(name.into())).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&ours).unwrap(), theirs);
        }
    }

    #[test]
    fn doubles_at_the_edges_of_spellings_are_those_of_rust() {
        for value in [0.0, -0.0, 1e-5, 9.9e-5, 1e-4, 1.0, 99.9, 100.0, 1e15, 1e16, 1e17, 1e300] {
            assert_eq!(
                written(|w| {
                    w.float(value);
                }),
                format!("{value:?}")
            );
        }
    }

    #[test]
    fn every_control_character_is_escaped() {
        let all: String = (0_u8..0x80).map(char::from).collect();
        let ours = written(|w| {
            w.string(&all);
        });
        assert!(ours.bytes().all(|byte| byte >= b' '));
        assert_eq!(serde_json::from_str::<String>(&ours).unwrap(), all);
    }

    #[test]
    fn infinities_are_strings_and_absent_times_are_null() {
        assert_eq!(
            written(|w| {
                w.score(Score::Float(f64::INFINITY));
            }),
            "\"inf\""
        );
        assert_eq!(
            written(|w| {
                w.score(Score::Float(f64::NEG_INFINITY));
            }),
            "\"-inf\""
        );
        assert_eq!(
            written(|w| {
                w.score(Score::Float(1e300));
            }),
            "1e300"
        );
        assert_eq!(
            written(|w| {
                w.time(None);
            }),
            "null"
        );
        assert_eq!(
            written(|w| {
                w.name(b"\xff");
            }),
            "{\"base64\":\"/w==\"}"
        );
    }
}
