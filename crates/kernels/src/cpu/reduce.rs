//! Sums in a fixed order.

/// The sum of a term of each value, in independent lanes so that the compiler vectorizes it.
#[inline(always)]
pub(super) fn sum_of(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; 16];
    let mut blocks = values.chunks_exact(sums.len());
    for block in &mut blocks {
        for (sum, &value) in sums.iter_mut().zip(block) {
            *sum += term(value);
        }
    }
    let rest: f32 = blocks.remainder().iter().map(|&value| term(value)).sum();
    sums.iter().sum::<f32>() + rest
}

/// The dot product, in independent lanes.
#[inline(always)]
pub(super) fn dot(lhs: &[f32], rhs: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let (mut lhs_blocks, mut rhs_blocks) = (lhs.chunks_exact(16), rhs.chunks_exact(16));
    for (lhs, rhs) in (&mut lhs_blocks).zip(&mut rhs_blocks) {
        for ((sum, &lhs), &rhs) in sums.iter_mut().zip(lhs).zip(rhs) {
            *sum += lhs * rhs;
        }
    }
    let rest = lhs_blocks.remainder().iter().zip(rhs_blocks.remainder());
    sums.iter().sum::<f32>() + rest.map(|(lhs, rhs)| lhs * rhs).sum::<f32>()
}

/// The sum of rows of this width, in their order.
pub(super) fn sum_rows(rows: &[Vec<f32>], width: usize) -> Vec<f32> {
    let mut total = vec![0.0; width];
    for row in rows {
        for (total, &value) in total.iter_mut().zip(row) {
            *total += value;
        }
    }
    total
}
