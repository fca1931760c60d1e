//! Columns that line up.

use std::io::IsTerminal;

const GAP: &str = "  ";
/// A last column narrower than this is not wrapped: it would be harder to read than a long line.
const NARROWEST: usize = 24;

/// Rows of cells under a header. On a terminal the last column is wrapped to its width.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        Self {
            rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()],
        }
    }

    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The lines of the table, for standard output.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines_within(terminal_width())
    }

    fn lines_within(&self, terminal: Option<usize>) -> Vec<String> {
        let widths = self.widths();
        let indent: usize = widths.iter().map(|width| width + GAP.len()).sum();
        let last_width = terminal
            .map(|width| width.saturating_sub(indent))
            .filter(|width| *width >= NARROWEST);
        let row_lines = |row: &Vec<String>| {
            let (cells, last) = row.split_at(widths.len());
            let cells = cells.iter().zip(&widths);
            let start: String = cells
                .map(|(cell, &width)| format!("{cell:<width$}{GAP}"))
                .collect();
            let starts = std::iter::once(start).chain(std::iter::repeat(" ".repeat(indent)));
            let lines = starts.zip(wrap(&last.concat(), last_width));
            lines
                .map(|(start, text)| format!("{start}{text}").trim_end().to_owned())
                .collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(row_lines).collect()
    }

    /// The widths of all columns but the last.
    fn widths(&self) -> Vec<usize> {
        let columns = self.rows[0].len() - 1;
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        (0..columns).map(width).collect()
    }
}

fn terminal_width() -> Option<usize> {
    let is_terminal = std::io::stdout().is_terminal();
    is_terminal.then(|| usize::from(console::Term::stdout().size().1))
}

/// Breaks a text between words; an empty one has one line, too.
fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return vec![text.to_owned()];
    };
    let mut words = text.split_whitespace();
    let mut lines = vec![words.next().unwrap_or_default().to_owned()];
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_last_one_wraps() {
        let mut table = Table::new(&["NAME", "WHAT"]);
        table.push(vec![
            "a".into(),
            "one two three four five six seven eight".into(),
        ]);
        assert_eq!(
            table.lines_within(Some(36)),
            [
                "NAME  WHAT",
                "a     one two three four five six",
                "      seven eight"
            ]
        );
        let wide = "a     one two three four five six seven eight";
        assert_eq!(table.lines_within(None)[1], wide);
        assert_eq!(table.lines_within(Some(20))[1], wide);
        table.push(vec!["b".into(), String::new()]);
        assert_eq!(table.lines_within(Some(36))[3], "b");
    }
}
