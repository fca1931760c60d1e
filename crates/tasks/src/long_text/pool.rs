//! The logits of windows as those of texts. W windows, D documents, K windows of the longest document, C labels

use burn::tensor::{Int, Tensor, TensorData};

use super::{Documents, WindowPool};

impl WindowPool {
    /// The logits of documents from those of their windows, which follow each other; `counts` has the number of windows of
    /// each document.
    ///
    /// # Shapes
    ///
    /// `[W, C]` → `[D, C]`.
    pub(crate) fn pooled(self, logits_wc: Tensor<2>, counts: &[usize]) -> Tensor<2> {
        if counts.iter().all(|&count| count == 1) {
            return logits_wc;
        }
        match self {
            Self::Mean => mean(logits_wc, counts),
            Self::Max => highest(logits_wc, counts),
        }
    }

    /// The same on the host, for all documents.
    pub(crate) fn pooled_rows(self, windows: &[Vec<f32>], documents: &Documents) -> Vec<Vec<f32>> {
        let rows = 0..documents.len();
        rows.map(|row| self.pooled_row(&windows[documents.range(row)]))
            .collect()
    }

    fn pooled_row(self, windows: &[Vec<f32>]) -> Vec<f32> {
        let columns = 0..windows.first().map_or(0, Vec::len);
        let of_column = |column: usize| {
            let values = windows.iter().map(|window| window[column]);
            match self {
                Self::Mean => values.sum::<f32>() / windows.len() as f32,
                Self::Max => values.fold(f32::NEG_INFINITY, maximum),
            }
        };
        columns.map(of_column).collect()
    }
}

/// The larger number; a value that is none stays visible.
fn maximum(one: f32, other: f32) -> f32 {
    if one > other || one.is_nan() {
        one
    } else {
        other
    }
}

/// The product with the share that each window has in each document.
fn mean(logits_wc: Tensor<2>, counts: &[usize]) -> Tensor<2> {
    let windows: usize = counts.iter().sum();
    let mut shares = vec![0.0_f32; counts.len() * windows];
    let mut start = 0;
    for (row, &count) in shares.chunks_mut(windows.max(1)).zip(counts) {
        row[start..start + count].fill(1.0 / count as f32);
        start += count;
    }
    let shares = TensorData::new(shares, [counts.len(), windows]);
    let shares_dw = Tensor::<2>::from_data(shares, &logits_wc.device()).cast(logits_wc.dtype());
    shares_dw.matmul(logits_wc)
}

/// The maximum over K windows, of which the last one of a shorter document is repeated. Of equal values the first alone
/// receives a gradient.
fn highest(logits_wc: Tensor<2>, counts: &[usize]) -> Tensor<2> {
    let [_, labels] = logits_wc.dims();
    let longest = counts.iter().copied().max().unwrap_or(0);
    let mut start = 0;
    let mut picked: Vec<i32> = Vec::with_capacity(counts.len() * longest);
    for &count in counts {
        picked.extend((0..longest).map(|window| (start + window.min(count - 1)) as i32));
        start += count;
    }
    let picked = TensorData::new(picked, [counts.len() * longest]);
    let picked = Tensor::<1, Int>::from_data(picked, &logits_wc.device());
    let logits_dkc = logits_wc
        .select(0, picked)
        .reshape([counts.len(), longest, labels]);
    logits_dkc.max_dim(1).reshape([counts.len(), labels])
}
