//! Lines that have no answer.

use crate::format::{count, counted};

/// So many lines are named.
const NAMED: usize = 10;

/// How many lines were skipped, and the first of them.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    count: usize,
    first: Vec<usize>,
}

impl Skipped {
    pub(super) fn add(&mut self, line: usize) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(line);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// What to tell beside so many answers; `None` where no line was skipped.
    pub(super) fn describe(&self, answered: usize) -> Option<String> {
        if self.count == 0 {
            return None;
        }
        let numbers: Vec<String> = self.first.iter().map(usize::to_string).collect();
        let more = match self.count - self.first.len() {
            0 => String::new(),
            more => format!(" and {} more", count(more)),
        };
        let word = if self.count == 1 { "line" } else { "lines" };
        Some(format!(
            "{} of {} not answered: {word} {}{more}; their records have \"error\"",
            count(self.count),
            counted(answered + self.count, "line"),
            numbers.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_named_and_the_others_counted() {
        let mut skipped = Skipped::default();
        assert_eq!(skipped.describe(3), None);
        skipped.add(2);
        let told = skipped.describe(3).unwrap();
        assert!(
            told.starts_with("1 of 4 lines not answered: line 2;"),
            "{told}"
        );
        (3..2002).for_each(|line| skipped.add(line));
        let told = skipped.describe(0).unwrap();
        assert!(
            told.contains("lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 1,990 more"),
            "{told}"
        );
    }
}
