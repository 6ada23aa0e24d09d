//! Text tables whose columns line up, with spaces alone.

use anstyle::Style;

/// What stands between two columns.
const GUTTER: &str = "  ";

/// To which side a column's cells are pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// For words.
    Left,
    /// For numbers.
    Right,
}

/// A column: its heading and its side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(super) header: String,
    pub(super) unit: String,
    pub(super) align: Align,
}

impl Column {
    /// A column of words.
    pub fn left(header: impl Into<String>) -> Self {
        Self { header: header.into(), unit: String::new(), align: Align::Left }
    }

    /// A column of numbers.
    pub fn right(header: impl Into<String>) -> Self {
        Self { align: Align::Right, ..Self::left(header) }
    }

    /// The same column with its unit, which stands in a second heading line.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }
}

/// A table of text cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub(super) columns: Vec<Column>,
    header_style: Style,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), header_style: Style::new(), rows: Vec::new() }
    }

    /// The same table with its headings in this style.
    #[must_use]
    pub fn header_style(mut self, style: Style) -> Self {
        self.header_style = style;
        self
    }

    /// The same table without the columns that no row has anything in.
    #[must_use]
    pub fn without_empty_columns(mut self) -> Self {
        let is_used = |index: usize| self.rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.is_empty()));
        let used: Vec<bool> = (0..self.columns.len()).map(is_used).collect();
        let mut kept = used.iter();
        self.columns.retain(|_| *kept.next().unwrap_or(&true));
        for row in &mut self.rows {
            let mut kept = used.iter();
            row.retain(|_| *kept.next().unwrap_or(&true));
        }
        self
    }

    /// Adds a row. Cells that are missing at its end stay blank; a cell beyond the last column is not shown.
    pub fn push_row<Cell: Into<String>>(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        debug_assert!(cells.len() <= self.columns.len(), "a row has more cells than the table has columns");
        self.rows.push(cells);
    }
}

/// The table as lines of text, each with its line feed and none with spaces at its end.
///
/// A column is as wide as its longest cell, in characters: right for the letters and signs of this program's reports.
pub fn render(table: &Table) -> String {
    let headers: Vec<&str> = table.columns.iter().map(|column| column.header.as_str()).collect();
    let units: Vec<&str> = table.columns.iter().map(|column| column.unit.as_str()).collect();
    let mut lines = vec![(headers, table.header_style)];
    if units.iter().any(|unit| !unit.is_empty()) {
        lines.push((units, table.header_style));
    }
    lines.extend(table.rows.iter().map(|row| (row.iter().map(String::as_str).collect(), Style::new())));

    let width = |index: usize| {
        lines.iter().filter_map(|(cells, _)| cells.get(index)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let mut text = String::new();
    for (cells, style) in &lines {
        text.push_str(&render_line(&table.columns, &widths, cells, *style));
        text.push('\n');
    }
    text
}

fn render_line(columns: &[Column], widths: &[usize], cells: &[&str], style: Style) -> String {
    let mut line = String::new();
    for (index, (column, width)) in columns.iter().zip(widths).enumerate() {
        let cell = cells.get(index).copied().unwrap_or_default();
        let padding = " ".repeat(width - cell.chars().count());
        // A style wraps the words alone: escape codes around spaces would keep them from being cut off at the end.
        let styled = if cell.is_empty() { String::new() } else { format!("{style}{cell}{style:#}") };
        if index > 0 {
            line.push_str(GUTTER);
        }
        match column.align {
            Align::Left => line.extend([styled, padding]),
            Align::Right => line.extend([padding, styled]),
        }
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::left("engine"),
            Column::right("rate").unit("MH/s"),
            Column::right("energy").unit("µJ/hash"),
            Column::left("note"),
        ]);
        table.push_row(["sha256d/cpu/avx512", "22.4 ±0.3 %", "3.21", "verified"]);
        table.push_row(["sha256d/cpu/scalar", "1.1", "64.5", ""]);
        table.push_row(["sha256d/gpu0/wgsl", "912"]);
        table
    }

    const PLAIN: &str = "\
engine                     rate   energy  note
                           MH/s  µJ/hash
sha256d/cpu/avx512  22.4 ±0.3 %     3.21  verified
sha256d/cpu/scalar          1.1     64.5
sha256d/gpu0/wgsl           912
";

    #[test]
    fn columns_line_up() {
        assert_eq!(render(&table()), PLAIN);
    }

    #[test]
    fn a_style_changes_no_column() {
        let styled = render(&table().header_style(Style::new().bold()));
        assert!(
            styled.starts_with("\u{1b}[1mengine\u{1b}[0m                     \u{1b}[1mrate\u{1b}[0m   "),
            "{styled:?}"
        );
        assert!(styled.lines().nth(1).unwrap().ends_with("\u{1b}[1mµJ/hash\u{1b}[0m"), "{styled:?}");
        assert_eq!(styled.replace("\u{1b}[1m", "").replace("\u{1b}[0m", ""), PLAIN);
    }

    #[test]
    fn without_units_there_is_one_heading_line() {
        let mut table = Table::new([Column::left("a"), Column::right("long heading")]);
        assert_eq!(render(&table), "a  long heading\n");
        table.push_row(["wide cell".to_owned(), "1".to_owned()]);
        assert_eq!(render(&table), "a          long heading\nwide cell             1\n");
    }

    #[test]
    fn columns_that_hold_nothing_are_left_out_on_demand() {
        let mut table = Table::new(["a", "b", "c"].map(Column::left));
        table.push_row(["1", "", "2"]);
        table.push_row(["3"]);
        assert_eq!(render(&table.without_empty_columns()), "a  c\n1  2\n3\n");
    }

    #[test]
    fn a_table_without_columns_is_a_blank_line() {
        assert_eq!(render(&Table::new([])), "\n");
    }
}
