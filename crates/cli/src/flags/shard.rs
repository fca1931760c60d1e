//! One of several parts of an input.

use std::ops::Range;
use std::str::FromStr;

/// Part `index` of `count` parts, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// The rows of this part. The parts follow each other, and their lengths differ by one at most.
    pub(crate) fn rows(self, all: usize) -> Range<usize> {
        // In 128 bits, so that no product is too large.
        let border = |index: usize| (all as u128 * index as u128 / self.count as u128) as usize;
        border(self.index)..border(self.index + 1)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let numbers = word.split_once('/').and_then(|(index, count)| {
            Some((index.parse::<usize>().ok()?, count.parse::<usize>().ok()?))
        });
        match numbers {
            None => Err("it must be I/N, as in 0/4: the first of four parts".to_owned()),
            Some((_, 0)) => Err("there must be at least one part".to_owned()),
            Some((index, count)) if index >= count => Err(format!(
                "parts are counted from 0, so that the last of {count} is {}/{count}",
                count - 1
            )),
            Some((index, count)) => Ok(Self { index, count }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_are_the_whole() {
        for (all, count) in [(10, 3), (2, 5), (0, 2), (7, 1)] {
            let parts = (0..count).map(|index| Shard { index, count }.rows(all));
            let rows: Vec<usize> = parts.flatten().collect();
            assert_eq!(rows, (0..all).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for word in ["", "3", "1/", "/2", "a/b", "-1/2", "0/0", "2/2", "5/2"] {
            assert!(word.parse::<Shard>().is_err(), "{word}");
        }
        assert_eq!("1/2".parse(), Ok(Shard { index: 1, count: 2 }));
    }
}
