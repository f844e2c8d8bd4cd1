//! Names of boards and members as paths, queries and cursors spell them: percent-encoded bytes.
//!
//! Routing happens on the undecoded path, and a segment is decoded once, afterwards; so a name
//! may hold slashes, dots and percent signs. Reads may name any bytes (boards can be filled in
//! other ways than HTTP); writes must name UTF-8.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use rankd_engine::Name;

use crate::limits::NAME_BYTES_MAX;
use crate::problem::{Problem, Slug, shown, shown_name};

/// First byte of every cursor, so that arbitrary base64 is not taken for one.
const CURSOR_TAG: u8 = 1;

/// Decodes a percent-encoded name; `what` says whose it is.
pub(crate) fn decode(encoded: &str, what: &str) -> Result<Name, Problem> {
    let bytes = percent_decoded(encoded, what, Slug::InvalidName)?;
    check_length(&bytes, what)?;
    Ok(bytes.into_owned().into_boxed_slice())
}

/// Decodes percent-encoded bytes of any length; broken ones are a problem of kind `slug`.
pub(crate) fn percent_decoded<'a>(
    encoded: &'a str,
    what: &str,
    slug: Slug,
) -> Result<Cow<'a, [u8]>, Problem> {
    // Most names are spelt as they are.
    if !encoded.as_bytes().contains(&b'%') {
        return Ok(Cow::Borrowed(encoded.as_bytes()));
    }
    if !well_formed(encoded) {
        return Err(Problem::new(
            slug,
            format!(
                "{what} is {}, where a % is not followed by two hexadecimal digits",
                shown(encoded)
            ),
        ));
    }
    Ok(percent_decode_str(encoded).into())
}

/// Whether each percent sign begins a complete escape.
fn well_formed(encoded: &str) -> bool {
    encoded.split('%').skip(1).all(|rest| {
        matches!(rest.as_bytes(), [high, low, ..]
            if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

/// Refuses names that are too short or too long.
pub(crate) fn check_length(name: &[u8], what: &str) -> Result<(), Problem> {
    if (1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Ok(());
    }
    Err(Problem::new(
        Slug::InvalidName,
        format!(
            "{what} {} has {} bytes; names have 1 to {NAME_BYTES_MAX}",
            shown_name(name),
            name.len()
        ),
    ))
}

/// Refuses names that JSON could not carry as strings.
pub(crate) fn check_utf8(name: &[u8], what: &str) -> Result<(), Problem> {
    match std::str::from_utf8(name) {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::new(
            Slug::InvalidName,
            format!(
                "{what} {} is not UTF-8 from byte {} on; names that are written over HTTP must be",
                shown_name(name),
                error.valid_up_to()
            ),
        )),
    }
}

/// The cursor that continues a listing after `name`.
pub(crate) fn cursor_after(name: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(name.len() + 1);
    bytes.push(CURSOR_TAG);
    bytes.extend_from_slice(name);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The name that a cursor continues after.
pub(crate) fn after_cursor(cursor: &str) -> Result<Vec<u8>, Problem> {
    let refuse = || {
        let value = format!("{:?}", shown(cursor));
        Problem::parameter("cursor", value, "the cursor of an earlier answer, unchanged")
    };
    let mut bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refuse())?;
    match bytes.first() {
        Some(&CURSOR_TAG) => Ok(bytes.split_off(1)),
        _ => Err(refuse()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
    }

    proptest! {
        #[test]
        fn any_bytes_survive_a_path(name in prop::collection::vec(any::<u8>(), 1..512)) {
            let back = decode(&encoded(&name), "board").unwrap();
            prop_assert_eq!(&*back, &name[..]);
        }

        #[test]
        fn cursors_lead_back(name in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(after_cursor(&cursor_after(&name)).unwrap(), name);
        }

        #[test]
        fn no_cursor_panics(text in any::<String>()) {
            let _: Result<Vec<u8>, Problem> = after_cursor(&text);
        }
    }

    #[test]
    fn lengths_are_counted_in_decoded_bytes() {
        assert!(decode(&"%41".repeat(512), "board").is_ok());
        let problem = decode(&"a".repeat(513), "board").unwrap_err();
        assert_eq!(problem.slug(), Slug::InvalidName);
        assert!(problem.detail().contains("513 bytes"), "{}", problem.detail());
        assert!(decode("", "board").is_err());
    }

    #[test]
    fn broken_escapes_are_refused() {
        for bad in ["%", "%4", "%zz", "a%", "%41%4"] {
            assert_eq!(decode(bad, "member").unwrap_err().slug(), Slug::InvalidName, "{bad}");
        }
    }

    #[test]
    fn writes_want_utf8() {
        assert!(check_utf8("\u{1f3c6}".as_bytes(), "member").is_ok());
        let problem = check_utf8(b"ab\xff", "member").unwrap_err();
        assert!(problem.detail().contains("byte 2"), "{}", problem.detail());
    }

    #[test]
    fn foreign_cursors_are_refused() {
        for bad in ["", "!", "AA", "Zm9v", "AWE="] {
            assert!(after_cursor(bad).is_err(), "{bad}");
        }
    }
}
