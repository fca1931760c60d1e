use crate::format::number;

/// About so many labels on a scale.
const TICKS: f64 = 5.0;

/// Values along one side of a chart, with round numbers as labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    name: String,
    min: f64,
    max: f64,
    step: f64,
}

impl Scale {
    /// A scale that begins and ends at round numbers around all values.
    pub(crate) fn around(name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (min, max) = extremes(values);
        let step = round_step((max - min) / TICKS);
        Self {
            name: name.to_owned(),
            min: (min / step + 1e-9).floor() * step,
            max: (max / step - 1e-9).ceil() * step,
            step,
        }
    }

    /// The same, from 0 where all values are above.
    pub(crate) fn from_zero(name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        Self::around(name, values.into_iter().chain([0.0]))
    }

    /// A scale with these ends.
    pub(crate) fn exact(name: &str, min: f64, max: f64) -> Self {
        let max = if max > min { max } else { min + 1.0 };
        Self {
            name: name.to_owned(),
            min,
            max,
            step: round_step((max - min) / TICKS),
        }
    }

    /// A scale of counts with these ends: its labels are whole numbers.
    pub(crate) fn counts(name: &str, min: f64, max: f64) -> Self {
        let scale = Self::exact(name, min, max);
        Self {
            step: scale.step.max(1.0),
            ..scale
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where a value stands between the ends, in [0, 1].
    pub(super) fn share(&self, value: f64) -> f64 {
        ((value - self.min) / (self.max - self.min)).clamp(0.0, 1.0)
    }

    pub(super) fn min(&self) -> f64 {
        self.min
    }

    /// Round values and their labels.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let first = (self.min / self.step - 1e-6).ceil() as i64;
        let last = (self.max / self.step + 1e-6).floor() as i64;
        (first..=last)
            .map(|index| {
                let value = index as f64 * self.step;
                (value, self.label(value))
            })
            .collect()
    }

    /// As many digits as the distance of the labels needs.
    fn label(&self, value: f64) -> String {
        let largest = self.min.abs().max(self.max.abs());
        if value == 0.0 {
            "0".to_owned()
        } else if largest >= 1e6 {
            format!("{}M", number(value / 1e6))
        } else if largest >= 1e4 {
            format!("{}k", number(value / 1e3))
        } else if self.step < 1e-3 {
            number(value)
        } else {
            let decimals = (-self.step.log10()).ceil().max(0.0) as usize;
            format!("{value:.decimals$}")
        }
    }
}

/// The lowest and the highest value; with some distance where there is none.
fn extremes(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (min, max) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| {
        (min.min(value), max.max(value))
    });
    match (min <= max, max - min > 1e-12) {
        (true, true) => (min, max),
        (true, false) if min == 0.0 => (0.0, 1.0),
        (true, false) => (min - 0.1 * min.abs(), max + 0.1 * max.abs()),
        (false, _) => (0.0, 1.0),
    }
}

/// The next of 1, 2, 5, 10, 20, …, at any power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let digit = step / power;
    let rounded = match digit {
        _ if digit <= 1.0 => 1.0,
        _ if digit <= 2.0 => 2.0,
        _ if digit <= 5.0 => 5.0,
        _ => 10.0,
    };
    rounded * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn labels_are_round() {
        let scale = Scale::around("loss", [0.31, 0.69]);
        assert_eq!(labels(&scale), ["0.3", "0.4", "0.5", "0.6", "0.7"]);
        assert_eq!(scale.share(0.3), 0.0);
        let scale = Scale::from_zero("learning rate", [5e-5]);
        assert_eq!(labels(&scale)[1], "1e-5");
        let scale = Scale::counts("step", 0.0, 3.0);
        assert_eq!(labels(&scale), ["0", "1", "2", "3"]);
        let scale = Scale::counts("step", 0.0, 21_000.0);
        assert_eq!(labels(&scale).last().unwrap(), "20k");
    }

    #[test]
    fn one_value_or_none_has_a_scale() {
        for values in [vec![], vec![0.0], vec![0.5, 0.5], vec![f64::NAN]] {
            let scale = Scale::around("x", values);
            assert!(labels(&scale).len() > 1, "{scale:?}");
        }
    }
}
