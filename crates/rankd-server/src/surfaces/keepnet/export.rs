//! Boards and timelines as files: comma-separated values, a header row first.
//!
//! What it is not: a spreadsheet's dialect; texts are written as they are.
//!
//! Invariant: the columns are the fields of the rows that the pages show, in their order. Cost:
//! the whole file in memory; one line a row.

use hyper::header::{self, HeaderValue};
use serde::Serialize;

use super::body::Fields;
use super::envelope::Problems;
use crate::problem::shown;
use crate::reply::{self, Reply};

/// What a request for a file asks for beside its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Whether the page that is asked for does not count.
    pub(super) all_pages: bool,
}

impl Asked {
    pub(super) fn read(fields: &Fields<'_>, problems: &mut Problems) -> Self {
        let kind = fields.text("exportType", problems).filter(|kind| !kind.is_empty());
        if let Some(kind) = kind.filter(|kind| !kind.eq_ignore_ascii_case("csv")) {
            problems.add(format!("exportType is {:?}; it must be CSV", shown(kind)));
        }
        Self { all_pages: fields.boolean("reportAllPages", problems).unwrap_or(false) }
    }
}

/// Rows as a file.
pub(super) fn csv(columns: &[&str], rows: &[impl Serialize]) -> Vec<u8> {
    // Nested rows cannot name their columns themselves.
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let fits = "rows have as many fields as there are columns, and memory takes them";
    writer.write_record(columns).expect(fits);
    for row in rows {
        writer.serialize(row).expect(fits);
    }
    writer.into_inner().expect("memory takes everything")
}

/// A file under a name.
pub(super) fn reply(file: Vec<u8>, disposition: &'static str) -> Reply {
    let mut reply = reply::of_type("text/csv; charset=utf-8", file);
    let disposition = HeaderValue::from_static(disposition);
    reply.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    reply
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> Option<bool> {
        let mut problems = Problems::default();
        let asked = Asked::read(&Fields::new(body.as_object().unwrap()), &mut problems);
        problems.check().ok().map(|()| asked.all_pages)
    }

    #[test]
    fn only_csv_is_exported() {
        assert_eq!(read(&json!({})), Some(false));
        assert_eq!(read(&json!({"exporttype": "", "reportallpages": true})), Some(true));
        assert_eq!(read(&json!({"exporttype": "Csv"})), Some(false));
        for bad in [json!("XLSX"), json!("PDF"), json!(0)] {
            assert_eq!(read(&json!({ "exporttype": bad })), None);
        }
        assert_eq!(read(&json!({"reportallpages": 1})), None);
    }

    #[test]
    fn texts_are_quoted_where_they_must_be() {
        let rows = [("a,b", Some(1), -1.5), ("say \"no\"\n", None, 2.0)];
        let file = String::from_utf8(csv(&["x", "y", "z"], &rows)).unwrap();
        assert_eq!(file, "x,y,z\n\"a,b\",1,-1.5\n\"say \"\"no\"\"\n\",,2.0\n");
        assert_eq!(csv(&["x"], &[""; 0]), b"x\n");
    }
}
