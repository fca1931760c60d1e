//! How long the rows are.

use serde::Serialize;

/// The histogram has about this many buckets: enough for its shape, few enough for a screen.
const BUCKETS: usize = 10;

/// Lengths of rows in numbers. Percentiles are those of the nearest rank.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LengthSummary {
    /// Number of rows.
    pub rows: usize,
    /// The shortest.
    pub min: usize,
    /// The mean.
    pub mean: f64,
    /// Half of the rows are no longer than this.
    pub median: usize,
    /// Nine of ten rows are no longer than this.
    pub p90: usize,
    /// 99 of 100 rows are no longer than this.
    pub p99: usize,
    /// The longest.
    pub max: usize,
    /// Ranges of equal width that cover every row, the shortest lengths first.
    pub histogram: Vec<LengthBucket>,
}

/// The rows of a range of lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LengthBucket {
    /// The shortest length that counts.
    pub from: usize,
    /// The longest length that counts.
    pub to: usize,
    /// Number of rows.
    pub rows: usize,
}

impl LengthSummary {
    /// The summary of some lengths; `None` without any.
    pub fn of(lengths: &[usize]) -> Option<Self> {
        let mut sorted = lengths.to_vec();
        sorted.sort_unstable();
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let rows = sorted.len();
        let percentile = |percent: usize| sorted[(rows * percent).div_ceil(100).max(1) - 1];
        Some(Self {
            rows,
            min,
            mean: sorted.iter().sum::<usize>() as f64 / rows as f64,
            median: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
            max,
            histogram: histogram(&sorted, min, max),
        })
    }
}

/// Bounds are multiples of a width of 1, 2 or 5 times a power of ten.
fn histogram(sorted: &[usize], min: usize, max: usize) -> Vec<LengthBucket> {
    let width = width(max - min + 1);
    let first = min / width;
    let mut buckets: Vec<LengthBucket> = (first..=max / width)
        .map(|bucket| LengthBucket {
            from: bucket * width,
            to: bucket * width + width - 1,
            rows: 0,
        })
        .collect();
    for length in sorted {
        buckets[length / width - first].rows += 1;
    }
    buckets
}

fn width(span: usize) -> usize {
    let widths = (0..).map(|step: u32| [1, 2, 5][step as usize % 3] * 10_usize.pow(step / 3));
    let mut fitting = widths.filter(|width| span.div_ceil(*width) <= BUCKETS);
    fitting.next().unwrap_or(span)
}
