//! The query of a request. What is outside its range is refused, not clamped; what is unknown is
//! ignored; of a repeated parameter the last one counts.

use std::collections::BTreeSet;

use super::super::SurfaceCall;
use crate::limits::{VACANCY_ID_CHARS_MAX, WINTRO_PAGE_ENTRIES_MAX, WINTRO_PERIOD_DAYS_MAX};

/// Most vacancies that a request may name.
const VACANCIES_MAX: usize = rankd_orgs::limits::TAGS_MAX;
/// Highest number of a page.
const PAGE_MAX: u64 = i32::MAX as u64;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) period_days: u32,
    /// Entries a month.
    pub(super) limit: usize,
    /// 1-based.
    pub(super) page: u32,
    /// Entries, or months, a page.
    pub(super) page_size: usize,
    /// Sorted; empty for all.
    pub(super) vacancies: BTreeSet<Box<str>>,
    pub(super) by_month: bool,
}

impl Params {
    /// Reads the query; the error names the first parameter that is wrong, and its range.
    pub(super) fn read(call: &SurfaceCall<'_>) -> Result<Self, String> {
        let within = |name, default, max| match call.param(name) {
            None => Ok(default),
            Some(text) => whole(name, &text, max),
        };
        let few = |name| -> Result<usize, String> {
            let value = within(name, 10, WINTRO_PAGE_ENTRIES_MAX)?;
            Ok(usize::try_from(value).expect("it is at most 50"))
        };
        let narrow = |value| u32::try_from(value).expect("the maxima fit");
        Ok(Self {
            period_days: narrow(within("period", 365, WINTRO_PERIOD_DAYS_MAX)?),
            limit: few("limit")?,
            page: narrow(within("page", 1, PAGE_MAX)?),
            page_size: few("pageSize")?,
            vacancies: vacancies(call.param("vacancyIds").as_deref().unwrap_or(""))?,
            by_month: match call.param("groupBy").as_deref() {
                None => false,
                Some("month") => true,
                Some(_) => return Err("groupBy must be month".to_owned()),
            },
        })
    }

    /// Entries, or months, before the page.
    pub(super) fn offset(&self) -> u64 {
        u64::from(self.page - 1) * self.page_size as u64
    }
}

/// A plain decimal integer from 1 to `max`.
fn whole(name: &str, text: &str, max: u64) -> Result<u64, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(value) if is_plain && (1..=max).contains(&value) => Ok(value),
        _ => Err(format!("{name} must be an integer between 1 and {max}")),
    }
}

fn vacancies(text: &str) -> Result<BTreeSet<Box<str>>, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let ids: BTreeSet<Box<str>> = items.map(Box::from).collect();
    let is_legal = |id: &str| {
        id.len() <= VACANCY_ID_CHARS_MAX
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    if ids.len() <= VACANCIES_MAX && ids.iter().all(|id| is_legal(id)) {
        return Ok(ids);
    }
    Err(format!(
        "vacancyIds must be at most {VACANCIES_MAX} comma-separated ids, each of 1 to \
         {VACANCY_ID_CHARS_MAX} characters A-Z a-z 0-9 _ -"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimals_within_their_range_are_numbers() {
        assert_eq!(whole("period", "1", 3650), Ok(1));
        assert_eq!(whole("period", "3650", 3650), Ok(3650));
        assert_eq!(whole("period", "0007", 3650), Ok(7));
        for bad in ["", "0", "3651", "-1", "+1", " 5", "5 ", "1.5", "1e2", "abc", "0x1", "\u{0663}"]
        {
            let message = whole("period", bad, 3650).unwrap_err();
            assert_eq!(message, "period must be an integer between 1 and 3650", "{bad:?}");
        }
        assert!(whole("page", "18446744073709551616", PAGE_MAX).is_err());
        assert!(whole("page", "2147483648", PAGE_MAX).is_err());
    }

    #[test]
    fn lists_of_vacancies_are_lenient_about_blanks_and_repeats() {
        let ids = |text: &str| vacancies(text).map(|ids| ids.into_iter().collect::<Vec<_>>());
        assert_eq!(ids(" v2 ,v1,, v2,"), Ok(vec!["v1".into(), "v2".into()]));
        assert_eq!(ids(","), Ok(vec![]));
        assert!(ids("v 1").is_err() && ids("v.1").is_err() && ids("\u{e4}").is_err());
        assert!(ids(&"v".repeat(64)).is_ok() && ids(&"v".repeat(65)).is_err());
        let many = |count: usize| (0..count).map(|id| id.to_string() + ",").collect::<String>();
        assert!(ids(&many(100)).is_ok() && ids(&many(101)).is_err());
        assert!(ids(&many(100).repeat(2)).is_ok());
    }
}
