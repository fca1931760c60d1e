/// Linear warm-up from zero and linear decay to zero: transformers' `get_linear_schedule_with_warmup`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearSchedule {
    /// The learning rate at the end of the warm-up.
    pub peak: f64,
    /// Optimiser steps of warm-up.
    pub warmup_steps: usize,
    /// Optimiser steps of the whole run.
    pub total_steps: usize,
}

impl LinearSchedule {
    /// The learning rate of optimiser step `step`, counted from 0. With any warm-up at all the first step's rate is 0.
    pub fn learning_rate(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let decay_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let left = self.total_steps.saturating_sub(step);
        self.peak * left as f64 / decay_steps as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(warmup_steps: usize, total_steps: usize) -> Vec<f64> {
        let schedule = LinearSchedule {
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
        assert_eq!(rates(2, 6), [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
    }

    #[test]
    fn without_warm_up_the_first_step_has_the_peak_rate() {
        assert_eq!(rates(0, 4), [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
    }

    #[test]
    fn a_run_that_is_all_warm_up_does_not_divide_by_zero() {
        assert_eq!(rates(3, 3), [0.0, 1.0 / 3.0, 2.0 / 3.0, 0.0, 0.0]);
    }
}
