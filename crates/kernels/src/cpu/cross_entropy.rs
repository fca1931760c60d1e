//! Cross-entropy of rows of logits, forward and backward. T rows, C classes.

use rayon::prelude::*;

use super::buffer::filled;
use super::math::exp;
use super::simd::vectorized;

/// The loss, and what the backward pass needs.
pub(crate) struct Loss {
    /// Mean over the rows that have a class, 0 if none has.
    pub(crate) mean: f32,
    /// `[T, 2]`: the highest logit of each row, and 1 / Σ e^(logit − highest).
    pub(crate) statistics: Vec<f32>,
}

/// Statistics of a row: the highest logit and the inverse sum.
const STATISTICS: usize = 2;

/// `classes` `[T]`: the class of each row, none for a row that is ignored.
///
/// # Panics
///
/// A row's class is not below C.
pub(crate) fn forward(logits: &[f32], classes: &[Option<usize>]) -> Loss {
    let width = logits.len() / classes.len().max(1);
    let row = |(logits, class): (&[f32], &Option<usize>)| {
        let Some(class) = *class else {
            return (0.0, [0.0; STATISTICS]);
        };
        let (highest, sum) = vectorized(
            #[inline(always)]
            || {
                let highest = highest(logits);
                (highest, sum_of_exponentials(logits, highest))
            },
        );
        let loss = f64::from(sum).ln() + f64::from(highest) - f64::from(logits[class]);
        (loss, [highest, sum.recip()])
    };
    let rows = logits.par_chunks(width.max(1)).zip(classes);
    let (losses, statistics): (Vec<f64>, Vec<[f32; STATISTICS]>) = rows.map(row).unzip();
    Loss {
        mean: (losses.iter().sum::<f64>() / count(classes)) as f32,
        statistics: statistics.into_flattened(),
    }
}

/// `grad · (softmax − one-hot) / count`, `[T, C]`. Rows that are ignored are 0.
pub(crate) fn backward(
    logits: &[f32],
    classes: &[Option<usize>],
    statistics: &[f32],
    grad: f32,
) -> Vec<f32> {
    let width = (logits.len() / classes.len().max(1)).max(1);
    let scale = grad / count(classes) as f32;
    filled(logits.len(), width, |row, places| {
        let at = row * width..(row + 1) * width;
        let gradient = places.write_copy_of_slice(&logits[at]);
        let Some(class) = classes[row] else {
            gradient.fill(0.0);
            return gradient;
        };
        let (highest, inverse) = (
            statistics[row * STATISTICS],
            statistics[row * STATISTICS + 1],
        );
        vectorized(
            #[inline(always)]
            || {
                for g in gradient.iter_mut() {
                    *g = exp(*g - highest) * inverse * scale;
                }
            },
        );
        gradient[class] -= scale;
        gradient
    })
}

/// The number of rows that have a class, at least 1.
fn count(classes: &[Option<usize>]) -> f64 {
    classes.iter().flatten().count().max(1) as f64
}

#[inline(always)]
fn highest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    for values in values.chunks(16) {
        for (highest, &value) in lanes.iter_mut().zip(values) {
            *highest = if value > *highest { value } else { *highest };
        }
    }
    lanes.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

#[inline(always)]
fn sum_of_exponentials(values: &[f32], highest: f32) -> f32 {
    let mut lanes = [0.0_f32; 16];
    for values in values.chunks(16) {
        for (sum, &value) in lanes.iter_mut().zip(values) {
            *sum += exp(value - highest);
        }
    }
    lanes.iter().sum()
}
