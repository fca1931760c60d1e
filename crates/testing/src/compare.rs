//! Comparisons that fail a test.

use bert_parity::compare::{compare_at_scale, compare_number};
use bert_parity::{Comparison, Comparisons, Quantity, Values, operation};

use crate::{Backend, TestDevice};

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
    assert_passes(
        on,
        &compare_at_scale(on, quantity, scale, name, found, expected),
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
    assert_passes(on, &compare_number(on, quantity, name, found, expected));
}

/// Makes every comparison an assertion.
///
/// # Panics
/// When one does not pass, or none was made.
#[track_caller]
pub fn assert_all(comparisons: Comparisons) {
    let on = comparisons.backend();
    let made = comparisons.into_made();
    assert!(!made.is_empty(), "{on}: nothing was compared");
    for one in &made {
        assert_passes(on, one);
    }
}

/// Holds an output and gradients of an operation against others, as [`operation::same`] compares them.
///
/// # Panics
/// When one does not pass.
#[track_caller]
pub fn assert_same(device: &TestDevice, name: &str, found: &[Values], expected: &[Values]) {
    assert_same_at_scales(device, name, found, expected, &[]);
}

/// The same, where the gradients of some inputs are sums whose terms cancel: `scales` has the index of such an input, and the
/// sum of its terms' magnitudes, which the rounding of the sum is proportional to.
///
/// # Panics
/// When one does not pass.
#[track_caller]
pub fn assert_same_at_scales(
    device: &TestDevice,
    name: &str,
    found: &[Values],
    expected: &[Values],
    scales: &[(usize, f64)],
) {
    let mut comparisons = Comparisons::on(device.backend());
    operation::same(&mut comparisons, name, found, expected, scales);
    assert_all(comparisons);
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
            expected.position(index),
            found.values[index],
            expected.values[index],
        );
    }
}

/// `cargo test -- --nocapture` prints how much of each tolerance is used.
#[track_caller]
fn assert_passes(on: Backend, one: &Comparison) {
    let Comparison {
        name,
        quantity,
        error,
        allowed,
        ..
    } = one;
    eprintln!("{on} {quantity:?} {name}: {error:.1e} of {allowed:.1e}");
    assert!(one.passes(), "{on}, {one}");
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    fn compare(found: f32) {
        let device = TestDevice::open(Backend::Flex).expect("the CPU is always there");
        let values = |value: f32| Values {
            shape: vec![1],
            values: vec![value],
        };
        assert_close(
            &device,
            Quantity::Output,
            "name",
            &values(found),
            &values(3.0),
        );
    }

    #[test]
    fn what_is_within_the_bound_passes() {
        compare(3.000005);
    }

    #[test]
    #[should_panic(expected = "flex, name: Output at [0] is 3.5, expected 3")]
    fn what_is_not_fails_with_its_place() {
        compare(3.5);
    }

    #[test]
    #[should_panic(expected = "nothing was compared")]
    fn no_comparison_is_no_success() {
        assert_all(Comparisons::on(Backend::Flex));
    }
}
