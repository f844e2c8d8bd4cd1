//! What users see: tables on a terminal, tab-separated lines in a pipe, JSON on request.
//!
//! Invariant: nothing that a stored name contains can control the terminal or break a line.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// Least width of a terminal, in columns, that long cells are wrapped for.
const WRAP_COLUMNS_MIN: u16 = 40;

/// Standard output was closed by whoever read it.
#[derive(Debug, thiserror::Error)]
#[error("standard output is closed")]
pub(crate) struct StdoutClosed;

/// Prints `text` as it is; a closed pipe is an error that ends the program quietly.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(stdout_error)
}

/// The error that writing to standard output ended with.
pub(crate) fn stdout_error(error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        StdoutClosed.into()
    } else {
        anyhow::Error::new(error).context("cannot write to standard output")
    }
}

/// Prints a value as JSON on one line.
pub(crate) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string(value)?))
}

/// `text` without anything that moves a cursor, ends a line or separates a column.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_bidi_control(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that reorder what stands around them.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// This program as whoever started it can start it again: by its path, if that was how.
pub(crate) fn program() -> String {
    let typed = std::env::args_os().next().map(|name| name.to_string_lossy().into_owned());
    typed.filter(|name| name.contains('/')).unwrap_or_else(|| "rankd".to_owned())
}

/// A number with its digits in groups of three: `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {thing}{ending}", grouped(number))
}

/// A column of a [`Grid`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) is_number: bool,
}

/// Rows under columns.
#[derive(Debug)]
pub(crate) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; its cells are made safe to show.
    pub(crate) fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| visible(&cell)).collect());
    }

    /// Prints a table on a terminal and tab-separated lines, header first, elsewhere.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        if io::stdout().is_terminal() { print(&self.table()) } else { print(&self.lines()) }
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        // A terminal that claims to be narrower cannot show a table, or does not know its width.
        if table.width().is_some_and(|columns| columns >= WRAP_COLUMNS_MIN) {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        table.set_header(self.columns.iter().map(|column| column.title));
        for row in &self.rows {
            table.add_row(row);
        }
        for (index, column) in self.columns.iter().enumerate() {
            if let (true, Some(found)) = (column.is_number, table.column_mut(index)) {
                found.set_cell_alignment(CellAlignment::Right);
            }
        }
        format!("{table}\n")
    }

    fn lines(&self) -> String {
        let titles: Vec<_> = self.columns.iter().map(|column| column.title).collect();
        let mut out = titles.join("\t");
        for row in &self.rows {
            let _ = write!(out, "\n{}", row.join("\t"));
        }
        out.push('\n');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_groups_of_three() {
        let cases = [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn one_thing_is_not_many() {
        let texts = [0, 1, 2, 1000].map(|number| counted(number, "row"));
        assert_eq!(texts, ["0 rows", "1 row", "2 rows", "1 000 rows"]);
    }

    #[test]
    fn names_cannot_control_the_terminal() {
        assert_eq!(visible("a\x1b[2Jb\tc\nd\u{202E}e"), "a\\u{1b}[2Jb\\tc\\nd\\u{202e}e");
        assert_eq!(visible("Ren\u{e9} \u{1F3C6}"), "Ren\u{e9} \u{1F3C6}");
    }

    #[test]
    fn pipes_get_one_tab_separated_line_a_row() {
        let column = |title| Column { title, is_number: false };
        let mut grid = Grid::new(vec![column("rank"), column("member")]);
        grid.push(["1".to_owned(), "a\tb".to_owned()]);
        assert_eq!(grid.lines(), "rank\tmember\n1\ta\\tb\n");
    }
}
