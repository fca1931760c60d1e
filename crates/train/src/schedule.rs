use std::f64::consts::PI;
use std::fmt;

use serde::Serialize;

/// How the learning rate goes over a run, by the words of transformers' `lr_scheduler_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleShape {
    /// Linear warm-up from zero and linear decay to zero: `get_linear_schedule_with_warmup`.
    #[default]
    Linear,
    /// Linear warm-up from zero and half a cosine down to zero: `get_cosine_schedule_with_warmup`.
    Cosine,
    /// The same rate from the first step to the last, without warm-up: `get_constant_schedule`.
    Constant,
    /// Linear warm-up from zero, and from there on the same rate: `get_constant_schedule_with_warmup`.
    ConstantWithWarmup,
}

impl ScheduleShape {
    /// Whether the rate rises from zero in the beginning.
    pub fn warms_up(self) -> bool {
        self != Self::Constant
    }
}

impl fmt::Display for ScheduleShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Linear => "linear",
            Self::Cosine => "cosine",
            Self::Constant => "constant",
            Self::ConstantWithWarmup => "constant_with_warmup",
        })
    }
}

/// The learning rate of every step: transformers' schedules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// How the rate goes.
    pub shape: ScheduleShape,
    /// The learning rate at the end of the warm-up.
    pub peak: f64,
    /// Optimiser steps of warm-up.
    pub warmup_steps: usize,
    /// Optimiser steps of the whole run.
    pub total_steps: usize,
}

impl Schedule {
    /// The learning rate of optimiser step `step`, counted from 0. With any warm-up at all the first step's rate is 0.
    pub fn learning_rate(&self, step: usize) -> f64 {
        if self.shape.warms_up() && step < self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let decay_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        match self.shape {
            ScheduleShape::Linear => {
                let left = self.total_steps.saturating_sub(step);
                self.peak * left as f64 / decay_steps as f64
            }
            ScheduleShape::Cosine => {
                let progress = (step - self.warmup_steps) as f64 / decay_steps as f64;
                self.peak * 0.5 * (1.0 + (PI * progress).cos())
            }
            ScheduleShape::Constant | ScheduleShape::ConstantWithWarmup => self.peak,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(shape: ScheduleShape, warmup_steps: usize, total_steps: usize) -> Vec<f64> {
        let schedule = Schedule {
            shape,
            peak: 1.0,
            warmup_steps,
            total_steps,
        };
        (0..=total_steps + 1)
            .map(|t| schedule.learning_rate(t))
            .collect()
    }

    #[test]
    fn warms_up_from_zero_and_decays_to_zero() {
        let linear = rates(ScheduleShape::Linear, 2, 6);
        assert_eq!(linear, [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
    }

    #[test]
    fn without_warm_up_the_first_step_has_the_peak_rate() {
        let linear = rates(ScheduleShape::Linear, 0, 4);
        assert_eq!(linear, [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
    }

    #[test]
    fn a_cosine_goes_through_half_of_its_peak_and_ends_at_zero() {
        let cosine = rates(ScheduleShape::Cosine, 2, 6);
        let diagonal = 0.5_f64.sqrt() / 2.0;
        let expected = [0.0, 0.5, 1.0, 0.5 + diagonal, 0.5, 0.5 - diagonal, 0.0];
        for (step, (found, expected)) in cosine.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "step {step}: {found}");
        }
    }

    #[test]
    fn a_rate_is_a_share_of_the_peak() {
        use ScheduleShape::{Constant, ConstantWithWarmup, Cosine, Linear};
        for shape in [Linear, Cosine, Constant, ConstantWithWarmup] {
            let schedule = |peak| Schedule {
                shape,
                peak,
                warmup_steps: 2,
                total_steps: 9,
            };
            for step in 0..9 {
                let share = schedule(1.0).learning_rate(step);
                let rate = schedule(0.25).learning_rate(step);
                assert!((rate - 0.25 * share).abs() < 1e-12, "{shape}, step {step}");
            }
        }
    }

    #[test]
    fn shapes_go_by_the_words_of_transformers() {
        for (shape, name) in [
            (ScheduleShape::Linear, "linear"),
            (ScheduleShape::Cosine, "cosine"),
            (ScheduleShape::Constant, "constant"),
            (ScheduleShape::ConstantWithWarmup, "constant_with_warmup"),
        ] {
            assert_eq!(shape.to_string(), name);
        }
    }

    #[test]
    fn a_run_that_is_all_warm_up_does_not_divide_by_zero() {
        let linear = rates(ScheduleShape::Linear, 3, 3);
        assert_eq!(linear, [0.0, 1.0 / 3.0, 2.0 / 3.0, 0.0, 0.0]);
        assert!(
            rates(ScheduleShape::Cosine, 3, 3)
                .iter()
                .all(|rate| rate.is_finite())
        );
    }

    #[test]
    fn a_constant_rate_has_no_warm_up_unless_its_name_says_so() {
        assert_eq!(rates(ScheduleShape::Constant, 2, 2), [1.0; 4]);
        let warmed = rates(ScheduleShape::ConstantWithWarmup, 2, 2);
        assert_eq!(warmed, [0.0, 0.5, 1.0, 1.0]);
    }
}
