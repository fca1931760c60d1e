use std::str::FromStr;
use std::time::Duration;

/// Which checkpoints stay when others are removed. The newest one always stays until the run is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// The one with the highest score. A checkpoint is then saved whenever an evaluation is the best so far.
    pub best: bool,
    /// So many of the newest ones, after the run is over, too.
    pub last: usize,
}

impl FromStr for Keep {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, Self::Err> {
        let mut keep = Self::default();
        for word in words.split(',') {
            match word.split_once(':') {
                None if word == "best" => keep.best = true,
                None if word == "last" => keep.last = 1,
                Some(("last", count)) => match count.parse() {
                    Ok(count) if count > 0 => keep.last = count,
                    _ => {
                        return Err(format!(
                            "`last:{count}` needs a number of checkpoints, at least 1"
                        ));
                    }
                },
                _ => return Err(format!("`{word}` is neither `best` nor `last:N`")),
            }
        }
        Ok(keep)
    }
}

/// When checkpoints are saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveEvery {
    /// After every so many optimiser steps.
    Steps(usize),
    /// When this much time has passed since the last one, and fifty times what that one took to save.
    Interval(Duration),
}

impl Default for SaveEvery {
    /// Every ten minutes.
    fn default() -> Self {
        Self::Interval(Duration::from_secs(600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_others_are_refused() {
        let keep = |best, last| Ok(Keep { best, last });
        assert_eq!("best".parse(), keep(true, 0));
        assert_eq!("last:3".parse(), keep(false, 3));
        assert_eq!("best,last:2".parse(), keep(true, 2));
        for word in ["", "first", "last:0", "last:x", "best,,last:1"] {
            assert!(word.parse::<Keep>().is_err(), "{word} was taken");
        }
    }
}
