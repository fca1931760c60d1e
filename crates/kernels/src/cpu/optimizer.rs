//! AdamW, and the sum of squares of gradients.

use rayon::prelude::*;

use super::buffer::CHUNK;
use crate::adamw::{AdamWStep, Coefficients};

/// One AdamW step in place. All slices have one length.
pub(crate) fn adamw_update(
    parameter: &mut [f32],
    gradient: &[f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
    step: &AdamWStep,
) {
    let coefficients = Narrow::of(&Coefficients::new(step));
    parameter
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(first_moment.par_chunks_mut(CHUNK))
        .zip(second_moment.par_chunks_mut(CHUNK))
        .for_each(|(((parameter, gradient), first), second)| {
            coefficients.update(parameter, gradient, first, second);
        });
}

/// Sum of squares, in double precision and in an order that does not depend on the number of threads.
pub(crate) fn sum_of_squares(values: &[f32]) -> f64 {
    let partial: Vec<f64> = values.par_chunks(CHUNK).map(chunk_sum_of_squares).collect();
    partial.iter().sum()
}

fn chunk_sum_of_squares(values: &[f32]) -> f64 {
    // Independent lanes, so that the compiler vectorizes the sum.
    let mut lanes = [0.0_f64; 8];
    let mut rows = values.chunks_exact(lanes.len());
    for row in &mut rows {
        for (lane, &value) in lanes.iter_mut().zip(row) {
            *lane += f64::from(value) * f64::from(value);
        }
    }
    let rest = rows
        .remainder()
        .iter()
        .map(|&x| f64::from(x) * f64::from(x));
    lanes.iter().sum::<f64>() + rest.sum::<f64>()
}

/// [`Coefficients`] in the precision of the elements.
#[derive(Clone, Copy)]
struct Narrow {
    gradient_factor: f32,
    beta_1: f32,
    fresh_1: f32,
    beta_2: f32,
    fresh_2: f32,
    step_size: f32,
    inverse_root_correction_2: f32,
    epsilon: f32,
    kept: f32,
}

impl Narrow {
    fn of(c: &Coefficients) -> Self {
        Self {
            gradient_factor: c.gradient_factor as f32,
            beta_1: c.beta_1 as f32,
            fresh_1: c.fresh_1 as f32,
            beta_2: c.beta_2 as f32,
            fresh_2: c.fresh_2 as f32,
            step_size: c.step_size as f32,
            inverse_root_correction_2: c.inverse_root_correction_2 as f32,
            epsilon: c.epsilon as f32,
            kept: c.kept as f32,
        }
    }

    fn update(
        &self,
        parameter: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let moments = first.iter_mut().zip(second);
        for ((p, &g), (m, v)) in parameter.iter_mut().zip(gradient).zip(moments) {
            let g = g * self.gradient_factor;
            *m = *m * self.beta_1 + g * self.fresh_1;
            *v = *v * self.beta_2 + g * g * self.fresh_2;
            let denominator = v.sqrt() * self.inverse_root_correction_2 + self.epsilon;
            *p = *p * self.kept - *m * self.step_size / denominator;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_does_not_depend_on_the_number_of_threads() {
        let values: Vec<f32> = (0..3 * CHUNK + 5).map(|i| (i as f32).sin()).collect();
        let pool = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads can be started")
                .install(|| sum_of_squares(&values))
        };
        assert_eq!(pool(1).to_bits(), pool(3).to_bits());
        let plain: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
        assert!((pool(1) - plain).abs() < 1e-9 * plain);
    }
}
