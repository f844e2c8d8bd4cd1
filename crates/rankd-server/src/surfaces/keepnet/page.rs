//! Pages of rows: which one is asked for, and how it is shown.
//!
//! Invariant: a page's first row fits 64 bits whatever is asked for; a page past the end is empty.

use serde::Serialize;

use super::body::Fields;
use super::envelope::Problems;
use super::limits::{PAGE_NUMBER_MAX, PAGE_ROWS_MAX};

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// From 1.
    pub(super) number: u64,
    /// Rows.
    pub(super) size: u64,
}

/// A page as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageOf<T> {
    page_number: u64,
    page_size: u64,
    total_number_of_pages: u64,
    total_number_of_records: u64,
    results: Vec<T>,
}

impl Page {
    /// Reads a page whose number and size may be missing or 0.
    pub(super) fn read(fields: &Fields<'_>, default_size: u64, problems: &mut Problems) -> Self {
        let number = fields.integer("pageNumber", 0, PAGE_NUMBER_MAX, problems).unwrap_or(0);
        let size = fields.integer("pageSize", 0, PAGE_ROWS_MAX, problems).unwrap_or(0);
        let size = if size == 0 { default_size } else { size };
        Self { number: number.max(1), size }
    }

    /// How many rows come before it.
    pub(super) fn offset(self) -> u64 {
        (self.number - 1) * self.size
    }

    /// Most rows on it.
    pub(super) fn rows_max(self) -> usize {
        usize::try_from(self.size).expect("at most PAGE_ROWS_MAX")
    }
}

impl<T> PageOf<T> {
    pub(super) fn new(page: Page, total: u64, results: Vec<T>) -> Self {
        // A list that nobody paged may be empty.
        let pages = total.div_ceil(page.size.max(1));
        Self {
            page_number: page.number,
            page_size: page.size,
            total_number_of_pages: pages,
            total_number_of_records: total,
            results,
        }
    }

    /// All rows, or as many as are sent.
    pub(super) fn unpaged(total: u64, results: Vec<T>) -> Self {
        Self::new(Page { number: 1, size: results.len() as u64 }, total, results)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::surfaces::keepnet::envelope::Refusal;

    fn read(number: impl Serialize, size: impl Serialize) -> Result<Page, Refusal> {
        let body = json!({ "pagenumber": number, "pagesize": size });
        let mut problems = Problems::default();
        let page = Page::read(&Fields::new(body.as_object().unwrap()), 10, &mut problems);
        problems.check().map(|()| page)
    }

    #[test]
    fn missing_and_zero_are_the_default() {
        let default = Page { number: 1, size: 10 };
        assert_eq!(read((), ()), Ok(default));
        assert_eq!(read(0, 0), Ok(default));
        let last = read(PAGE_NUMBER_MAX, PAGE_ROWS_MAX).unwrap();
        assert_eq!(last.offset(), 2_147_483_646_000);
        assert!(read("1", 1).is_err());
        for (number, size) in [(-1, 1), (1, -1), (1, 1001)] {
            assert!(read(number, size).is_err());
        }
        assert!(read(2_147_483_648_u64, 1).is_err());
    }

    #[test]
    fn pages_are_counted_up() {
        let shown =
            |page, total| serde_json::to_value(PageOf::<u8>::new(page, total, vec![])).unwrap();
        assert_eq!(shown(Page { number: 2, size: 2 }, 148)["totalNumberOfPages"], 74);
        assert_eq!(shown(Page { number: 2, size: 2 }, 149)["totalNumberOfPages"], 75);
        assert_eq!(shown(Page { number: 9, size: 2 }, 0)["totalNumberOfPages"], 0);
        let all = serde_json::to_string(&PageOf::unpaged(3, vec![1, 2])).unwrap();
        assert_eq!(
            all,
            "{\"pageNumber\":1,\"pageSize\":2,\"totalNumberOfPages\":2,\
             \"totalNumberOfRecords\":3,\"results\":[1,2]}"
        );
        let none = serde_json::to_value(PageOf::<u8>::unpaged(0, vec![])).unwrap();
        assert_eq!(none["totalNumberOfPages"], 0);
    }
}
