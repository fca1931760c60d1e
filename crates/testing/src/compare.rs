//! Comparing tensors on the host.

use burn::tensor::Tensor;

use crate::TestDevice;
use crate::tolerance::{Quantity, bound};

/// The values of a tensor on the host, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Sizes of the axes.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub values: Vec<f32>,
}

impl Values {
    /// Reads a tensor from its device.
    pub fn of<const D: usize>(tensor: Tensor<D>) -> Self {
        let data = tensor.into_data();
        Self {
            shape: data.shape().to_vec(),
            values: data.iter::<f32>().collect(),
        }
    }

    /// Some of the first axis's rows.
    pub fn rows(&self, rows: &[usize]) -> Self {
        let width = self.values.len() / self.shape[0];
        let picked = rows
            .iter()
            .flat_map(|row| &self.values[row * width..(row + 1) * width]);
        Self {
            shape: [&[rows.len()], &self.shape[1..]].concat(),
            values: picked.copied().collect(),
        }
    }

    /// The largest magnitude.
    pub fn largest(&self) -> f64 {
        let magnitudes = self.values.iter().map(|value| f64::from(value.abs()));
        magnitudes.fold(0.0, f64::max)
    }

    /// Whether every value is a finite number.
    pub fn are_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }

    /// The bits of every value.
    pub fn bits(&self) -> Vec<u32> {
        self.values.iter().map(|value| value.to_bits()).collect()
    }
}

/// Holds `found` against `expected` within the table's bound, scaled by the largest expected magnitude.
///
/// # Panics
/// When the shapes differ or a value is too far off; the message names the worst one.
#[track_caller]
pub fn assert_close(
    device: &TestDevice,
    quantity: Quantity,
    name: &str,
    found: &Values,
    expected: &Values,
) {
    assert_close_at_scale(device, quantity, expected.largest(), name, found, expected);
}

/// Holds `found` against `expected` within the table's bound at a scale of the caller's.
///
/// # Panics
/// When the shapes differ or a value is too far off; the message names the worst one.
#[track_caller]
pub fn assert_close_at_scale(
    device: &TestDevice,
    quantity: Quantity,
    scale: f64,
    name: &str,
    found: &Values,
    expected: &Values,
) {
    let on = device.backend();
    assert_eq!(
        found.shape, expected.shape,
        "{on}, {name}: the shape (found, expected)"
    );
    let allowed = bound(quantity, on).at(scale);
    let (index, worst) = worst_difference(found, expected);
    show(device, quantity, name, worst, allowed);
    assert!(
        worst <= allowed,
        "{on}, {name}: {quantity:?} at {:?} is {}, expected {}: {worst:.2e} off, allowed {allowed:.2e}",
        position(index, &expected.shape),
        found.values[index],
        expected.values[index],
    );
}

/// Holds one number against another within the table's bound.
///
/// # Panics
/// When it is too far off.
#[track_caller]
pub fn assert_close_number(
    device: &TestDevice,
    quantity: Quantity,
    name: &str,
    found: f64,
    expected: f64,
) {
    let on = device.backend();
    let allowed = bound(quantity, on).at(expected.abs());
    let difference = (found - expected).abs();
    show(device, quantity, name, difference, allowed);
    assert!(
        difference <= allowed,
        "{on}, {name}: {quantity:?} is {found}, expected {expected}: {difference:.2e} off, allowed {allowed:.2e}",
    );
}

/// Holds `found` against `expected` bit for bit.
///
/// # Panics
/// When they differ.
#[track_caller]
pub fn assert_equal_bits(device: &TestDevice, name: &str, found: &Values, expected: &Values) {
    let on = device.backend();
    assert_eq!(
        found.shape, expected.shape,
        "{on}, {name}: the shape (found, expected)"
    );
    let difference = (0..found.values.len())
        .find(|&index| found.values[index].to_bits() != expected.values[index].to_bits());
    if let Some(index) = difference {
        panic!(
            "{on}, {name}: {:?} is {:e}, expected exactly {:e}",
            position(index, &expected.shape),
            found.values[index],
            expected.values[index],
        );
    }
}

/// `cargo test -- --nocapture` prints how much of each tolerance is used.
fn show(device: &TestDevice, quantity: Quantity, name: &str, difference: f64, allowed: f64) {
    eprintln!(
        "{} {quantity:?} {name}: {difference:.1e} of {allowed:.1e}",
        device.backend()
    );
}

/// Where the difference is largest, and how large; NaN counts as infinite.
fn worst_difference(found: &Values, expected: &Values) -> (usize, f64) {
    let pairs = found.values.iter().zip(&expected.values);
    let differences = pairs.map(|(found, expected)| {
        let difference = (f64::from(*found) - f64::from(*expected)).abs();
        if difference.is_nan() {
            f64::INFINITY
        } else {
            difference
        }
    });
    differences.enumerate().fold(
        (0, 0.0),
        |worst, one| if one.1 > worst.1 { one } else { worst },
    )
}

/// The index along each axis.
fn position(index: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = index;
    let mut position: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let along = rest % size;
            rest /= size;
            along
        })
        .collect();
    position.reverse();
    position
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use bert_device::Backend;

    use super::*;

    fn values(values: &[f32]) -> Values {
        Values {
            shape: vec![2, values.len() / 2],
            values: values.to_vec(),
        }
    }

    fn compare(found: &[f32]) {
        let device = TestDevice::open(Backend::Flex).expect("the CPU is always there");
        let expected = values(&[1.0, -2.0, 3.0, 4.0]);
        assert_close(&device, Quantity::Output, "name", &values(found), &expected);
    }

    #[test]
    fn what_is_within_the_bound_passes() {
        compare(&[1.0, -2.000005, 3.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "flex, name: Output at [1, 0] is 3.5, expected 3")]
    fn the_worst_value_is_named_with_its_place() {
        compare(&[1.0, -2.1, 3.5, 4.0]);
    }

    #[test]
    #[should_panic(expected = "at [0, 1] is NaN")]
    fn nan_is_never_close() {
        compare(&[1.0, f32::NAN, 3.0, 4.0]);
    }

    #[test]
    #[should_panic(expected = "the shape")]
    fn shapes_are_compared_first() {
        compare(&[1.0, -2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}
