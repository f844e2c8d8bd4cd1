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
    /// Makes it the date at this time, in milliseconds since 1970.
    pub(super) fn set(&mut self, now_ms: i64) {
        let second = now_ms.div_euclid(1000);
        if second != self.second {
            self.second = second;
            let date = DateTime::from_timestamp(second, 0).unwrap_or_default();
            self.text = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        }
    }

    /// The date that was set last.
    pub(super) fn text(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_clock() {
        let mut kept = Date::default();
        let mut date = |now_ms| {
            kept.set(now_ms);
            String::from_utf8(kept.text().to_vec()).unwrap()
        };
        // The example of RFC 9110, section 5.6.7.
        assert_eq!(date(784_111_777_999), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(784_111_778_000), "Sun, 06 Nov 1994 08:49:38 GMT");
        assert_eq!(date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
    }
}
