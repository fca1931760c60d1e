use serde::{Deserialize, Serialize};

/// At most so many bars.
const BARS: usize = 32;

/// How often which length occurs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// How many lengths one bar covers. Bar `i` counts lengths from `i · width` to `(i + 1) · width − 1`.
    pub width: usize,
    /// The bars.
    pub counts: Vec<u64>,
    /// Mean length; 0 without any.
    pub mean: f64,
    /// The longest; 0 without any.
    pub longest: usize,
    /// Sum of all lengths.
    pub total: u64,
}

impl Histogram {
    /// Counts lengths.
    pub fn of(lengths: &[usize]) -> Self {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let width = round_up((longest + 1).div_ceil(BARS).max(1));
        let mut counts = vec![0; longest / width + 1];
        for length in lengths {
            counts[length / width] += 1;
        }
        let total: u64 = lengths.iter().map(|&length| length as u64).sum();
        Self {
            width,
            counts,
            mean: total as f64 / lengths.len().max(1) as f64,
            longest,
            total,
        }
    }
}

/// The next of 1, 2, 4, 5, 8, 10, 16, 20, 25, 32, … so that bars begin at numbers people read easily.
fn round_up(width: usize) -> usize {
    let nice = [
        1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256,
    ];
    let found = nice.into_iter().find(|&nice| nice >= width);
    found.unwrap_or_else(|| width.next_power_of_two())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_in_one_bar() {
        let lengths: Vec<usize> = (3..=384).collect();
        let histogram = Histogram::of(&lengths);
        assert_eq!(histogram.width, 16);
        assert!(histogram.counts.len() <= BARS);
        assert_eq!(histogram.counts.iter().sum::<u64>(), 382);
        assert_eq!((histogram.counts[0], histogram.counts[1]), (13, 16));
        assert_eq!(histogram.longest, 384);
        assert_eq!(Histogram::of(&[]).counts, [0]);
    }
}
