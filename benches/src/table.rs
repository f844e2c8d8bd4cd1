//! Markdown tables that are readable as they stand, and numbers for them.
//!
//! Invariant: a column is as wide as its widest cell.

/// Cells under a head; the first column is text, the others are numbers.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this head and no rows.
    pub fn new<T: Into<String>>(head: impl IntoIterator<Item = T>) -> Self {
        Self { rows: vec![head.into_iter().map(Into::into).collect()] }
    }

    /// Adds a row of as many cells as the head has.
    pub fn push(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.rows[0].len(), "{cells:?}");
        self.rows.push(cells);
    }

    /// The table, with an empty line after it.
    pub fn render(&self) -> String {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].len()).max();
        let widths: Vec<usize> = (0..columns).filter_map(width).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            text.push_str(&line(row, &widths));
            if number == 0 {
                text.push_str(&rule(&widths));
            }
        }
        text.push('\n');
        text
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, &width))| match column {
        0 => format!("| {cell:<width$} |"),
        _ => format!(" {cell:>width$} |"),
    });
    cells.collect::<String>() + "\n"
}

fn rule(widths: &[usize]) -> String {
    let cells = widths.iter().enumerate().map(|(column, &width)| match column {
        0 => format!("|{}|", "-".repeat(width + 2)),
        _ => format!("{}:|", "-".repeat(width + 1)),
    });
    cells.collect::<String>() + "\n"
}

/// A number with three digits that count, thousands apart.
pub fn number(value: f64) -> String {
    if value < 9.95 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The middle one of some values; the upper one of two, and no number if there are none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A count of members as people say it.
pub fn size(members: usize) -> String {
    match members {
        1_000_000.. if members.is_multiple_of(1_000_000) => format!("{} M", members / 1_000_000),
        1_000.. if members.is_multiple_of(1_000) => format!("{} k", members / 1_000),
        _ => members.to_string(),
    }
}

/// A time, in the unit that suits it.
pub fn time(ns: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
    let value = ns as f64;
    match ns {
        ..10_000 => format!("{} ns", number(value)),
        10_000..10_000_000 => format!("{} us", number(value / 1e3)),
        _ => format!("{} ms", number(value / 1e6)),
    }
}

/// Bytes, in the unit that suits them.
pub fn bytes(bytes: usize) -> String {
    match bytes {
        ..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes / 1_024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["what", "ns"]);
        table.push(vec!["rank".into(), "1,234".into()]);
        assert_eq!(table.render(), "| what |    ns |\n|------|------:|\n| rank | 1,234 |\n\n");
    }

    #[test]
    fn numbers_and_units_read_as_people_write_them() {
        assert_eq!([number(4.04), number(12.6), number(1_234_567.0)], ["4.0", "13", "1,234,567"]);
        assert_eq!([size(1_000), size(10_000_000), size(1_234)], ["1 k", "10 M", "1234"]);
        assert_eq!([time(900), time(45_000), time(45_000_000)], ["900 ns", "45 us", "45 ms"]);
        assert_eq!([bytes(100), bytes(20_480), bytes(20_971_520)], ["100 B", "20 KiB", "20 MiB"]);
    }
}
