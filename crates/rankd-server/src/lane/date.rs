//! The `Date` of replies. Cost: a comparison, and a calendar once a second.

use chrono::DateTime;

/// The newest date that was written.
#[derive(Debug)]
pub(super) struct Date {
    second: i64,
    text: String,
}

impl Default for Date {
    fn default() -> Self {
        Self { second: i64::MIN, text: String::new() }
    }
}

impl Date {
    /// The date at this time, in milliseconds since 1970.
    pub(super) fn at(&mut self, now_ms: i64) -> &[u8] {
        let second = now_ms.div_euclid(1000);
        if second != self.second {
            self.second = second;
            let date = DateTime::from_timestamp(second, 0).unwrap_or_default();
            self.text = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        }
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_clock() {
        let mut date = Date::default();
        // The example of RFC 9110, section 5.6.7.
        assert_eq!(date.at(784_111_777_999), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date.at(784_111_777_000), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date.at(784_111_778_000), b"Sun, 06 Nov 1994 08:49:38 GMT");
        assert_eq!(date.at(-1), b"Wed, 31 Dec 1969 23:59:59 GMT");
    }
}
