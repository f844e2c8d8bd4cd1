//! Numbers as Redis writes and reads them.
//!
//! Doubles are written in the shortest form that reads back the same, in the notation of Redis 7.2:
//! plain while that is not much longer than the digits, otherwise with an exponent.

use rankd_engine::Score;

use crate::frame::integer;

/// Half of what an `i64` holds: whole doubles up to here are written as integers.
const WHOLE_MAX: f64 = 4_611_686_018_427_387_904.0;
/// Digits of an integer up to which it is exact as a double, whatever they are.
const EXACT_DIGITS: usize = 15;

/// Appends a whole number.
pub(crate) fn write_integer(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut left = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(left % 10).expect("a digit");
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a score.
pub(crate) fn write_score(out: &mut Vec<u8>, score: Score) {
    match score {
        Score::Integer(number) => write_integer(out, number),
        Score::Float(number) => write_double(out, number),
    }
}

/// Appends a double.
pub(crate) fn write_double(out: &mut Vec<u8>, number: f64) {
    if number.is_nan() {
        out.extend_from_slice(b"nan");
    } else if number.is_infinite() {
        out.extend_from_slice(if number > 0.0 { b"inf" } else { b"-inf" });
    } else if number.abs() <= WHOLE_MAX && number.trunc() == number {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within i64")]
        write_integer(out, number as i64);
    } else {
        write_digits(out, number);
    }
}

/// Appends a finite double that is no small whole number.
fn write_digits(out: &mut Vec<u8>, number: f64) {
    let text = format!("{:e}", number.abs());
    let (mantissa, exponent) = text.split_once('e').expect("the notation has an exponent");
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    let count = i32::try_from(digits.len()).expect("at most 17 digits");
    // The number is `digits` times ten to the power of `shift`.
    let shift = exponent - (count - 1);
    if number < 0.0 {
        out.push(b'-');
    }
    if shift >= 0 && exponent.abs() < count + 7 {
        out.extend_from_slice(&digits);
        out.extend(std::iter::repeat_n(b'0', usize::try_from(shift).unwrap_or(0)));
    } else if shift < 0 && (shift > -7 || exponent.abs() < 4) {
        write_fraction(out, &digits, count + shift);
    } else {
        write_exponent(out, &digits, exponent);
    }
}

/// The digits with a point after the first `whole` of them.
fn write_fraction(out: &mut Vec<u8>, digits: &[u8], whole: i32) {
    match usize::try_from(whole) {
        Ok(whole) if whole > 0 => {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
        _ => {
            out.extend_from_slice(b"0.");
            let zeros = usize::try_from(whole.unsigned_abs()).unwrap_or(0);
            out.extend(std::iter::repeat_n(b'0', zeros));
            out.extend_from_slice(digits);
        }
    }
}

fn write_exponent(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.push(b'e');
    out.push(if exponent < 0 { b'-' } else { b'+' });
    write_integer(out, i64::from(exponent.abs()));
}

/// A score as a client writes it; exact if it is a whole number. `None`: not a number, or NaN.
pub(crate) fn read_score(text: &[u8]) -> Option<Score> {
    if let Some(number) = integer(text) {
        return Some(Score::Integer(number));
    }
    read_double(text).map(Score::Float)
}

/// A double as a client writes it.
pub(crate) fn read_double(text: &[u8]) -> Option<f64> {
    if let Some(number) = few_digits(text) {
        return Some(number);
    }
    let text = std::str::from_utf8(text).ok()?;
    if text.starts_with(|first: char| first.is_ascii_whitespace()) {
        return None;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        return hexadecimal(unsigned.get(2..)?).map(|n| if text.starts_with('-') { -n } else { n });
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| !number.is_nan())?;
    let is_infinite_word = unsigned.starts_with(['i', 'I']);
    // What overflows is not a number of that size; what underflows is not zero.
    let is_lost = number.is_infinite() && !is_infinite_word;
    let is_zero = || {
        unsigned.bytes().take_while(|b| !matches!(b, b'e' | b'E')).all(|b| matches!(b, b'0' | b'.'))
    };
    let is_underflow = number == 0.0 && !is_zero();
    (!is_lost && !is_underflow).then_some(number)
}

/// A number of digits alone, leading zeros among them, few enough to be exact.
fn few_digits(text: &[u8]) -> Option<f64> {
    let is_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    if text.is_empty() || text.len() > EXACT_DIGITS || !is_digits(text) {
        return None;
    }
    let number = text.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    #[expect(clippy::cast_precision_loss, reason = "few enough digits to be exact")]
    Some(number as f64)
}

/// Hexadecimal digits with a point and a binary exponent, as C reads them.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once(['p', 'P']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let number = number * 2.0_f64.powi(exponent.checked_sub(places)?);
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: f64) -> String {
        let mut out = Vec::new();
        write_double(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_are_written_as_redis_does() {
        let table = [
            (0.0, "0"),
            (1.0, "1"),
            (-3.0, "-3"),
            (1.5, "1.5"),
            (0.1, "0.1"),
            (1e17, "100000000000000000"),
            (1e19, "1e+19"),
            (1e20, "1e+20"),
            (12345678901234567890.0, "12345678901234567000"),
            (0.0001, "0.0001"),
            (0.000001, "0.000001"),
            (0.0000001, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (number, expected) in table {
            assert_eq!(written(number), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(!number.is_nan());
            let back = read_double(written(number).as_bytes());
            prop_assert_eq!(back, Some(number));
        }

        #[test]
        fn integers_read_back_the_same(number in any::<i64>()) {
            let mut out = Vec::new();
            write_integer(&mut out, number);
            prop_assert_eq!(integer(&out), Some(number));
        }
    }

    #[test]
    fn doubles_are_read_as_c_does() {
        let good = [
            ("3.0", 3.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+1e3", 1e3),
            ("007", 7.0),
            ("000000999999999", 999_999_999.0),
            ("0999999999999999", 999_999_999_999_999.0),
            ("-12", -12.0),
            ("0x1p3", 8.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("0e5", 0.0),
        ];
        for (text, number) in good {
            assert_eq!(read_double(text.as_bytes()), Some(number), "{text}");
        }
        for text in ["", " 1", "1 ", "nan", "abc", "1e999", "1e-999", "--1", "0x", "1_0"] {
            assert_eq!(read_double(text.as_bytes()), None, "{text}");
        }
    }
}
