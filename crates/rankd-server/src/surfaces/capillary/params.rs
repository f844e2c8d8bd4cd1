//! Numbers in a request's target: whole decimal numbers, and nothing that merely looks like one.

use std::str::FromStr;

use super::fault::Fault;
use crate::problem::shown;
use crate::surfaces::SurfaceCall;

/// The number in this parameter, if it is given.
pub(super) fn number<T: FromStr>(call: &SurfaceCall<'_>, name: &str) -> Result<Option<T>, Fault> {
    call.param(name).map(|text| whole(name, &text)).transpose()
}

/// The number that a text is: digits, perhaps after a minus, within the limits of its type.
pub(super) fn whole<T: FromStr>(name: &str, text: &str) -> Result<T, Fault> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(value) if plain => Ok(value),
        _ => Err(Fault::Input(format!("{name} is {:?}, not an integer", shown(text)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_an_integer_is_named() {
        for bad in ["", "abc", "1.5", "1e2", "+5", " 5", "5 ", "0x1", "--1", "-", "2147483648"] {
            let fault = whole::<i32>("pageSize", bad).unwrap_err();
            assert!(matches!(&fault, Fault::Input(what) if what.starts_with("pageSize is ")));
        }
        assert_eq!(whole::<i32>("pageOffset", "-007"), Ok(-7));
        assert_eq!(whole::<i64>("id", "9223372036854775807"), Ok(i64::MAX));
        assert!(whole::<i64>("id", "9223372036854775808").is_err());
        assert!(whole::<i64>("id", "\u{661}").is_err());
    }
}
