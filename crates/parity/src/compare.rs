//! Comparing tensors on the host.

use std::fmt;

use bert_device::Backend;
use serde::Serialize;

use crate::Values;
use crate::tolerance::{Quantity, bound};

/// One result held against what it should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What was compared: a case, often with the name of a tensor.
    pub name: String,
    /// The line of the table of tolerances.
    pub quantity: Quantity,
    /// The largest difference; infinite where one side is no number or has another shape.
    pub error: f64,
    /// The largest difference allowed.
    pub allowed: f64,
    /// Both sides, where they differ most.
    pub detail: String,
}

impl Comparison {
    /// Whether the difference is allowed.
    pub fn passes(&self) -> bool {
        self.error <= self.allowed
    }

    /// How much of the tolerance is used; above 1 is too much.
    pub fn used(&self) -> f64 {
        match self.error {
            0.0 => 0.0,
            error => error / self.allowed,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {:?} {}: {:.2e} off, allowed {:.2e}",
            self.name, self.quantity, self.detail, self.error, self.allowed
        )
    }
}

/// Holds `found` against `expected` within the table's bound at a scale of the caller's.
pub fn compare_at_scale(
    backend: Backend,
    quantity: Quantity,
    scale: f64,
    name: &str,
    found: &Values,
    expected: &Values,
) -> Comparison {
    let allowed = bound(quantity, backend).at(scale);
    let (error, detail) = if found.shape == expected.shape {
        let (index, worst) = worst_difference(found, expected);
        (worst, both_at(index, found, expected))
    } else {
        let shapes = format!("has the shape {:?}, not {:?}", found.shape, expected.shape);
        (f64::INFINITY, shapes)
    };
    Comparison {
        name: name.to_owned(),
        quantity,
        error,
        allowed,
        detail,
    }
}

/// Holds one number against another within the table's bound.
pub fn compare_number(
    backend: Backend,
    quantity: Quantity,
    name: &str,
    found: f64,
    expected: f64,
) -> Comparison {
    let difference = (found - expected).abs();
    Comparison {
        name: name.to_owned(),
        quantity,
        error: infinite_if_nan(difference),
        allowed: bound(quantity, backend).at(expected.abs()),
        detail: format!("is {found}, expected {expected}"),
    }
}

/// Comparisons of one backend, in the order in which they are made.
#[derive(Debug, Clone)]
pub struct Comparisons {
    backend: Backend,
    fault: Option<Fault>,
    made: Vec<Comparison>,
}

/// A mistake made on purpose: the gradients of this name are multiplied before they are compared. It shows that a comparison
/// finds a mistake, and nothing else makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The parameter's name in a checkpoint.
    pub gradient: String,
    /// 1 is no mistake.
    pub factor: f32,
}

impl Comparisons {
    /// None yet.
    pub fn on(backend: Backend) -> Self {
        Self {
            backend,
            fault: None,
            made: Vec::new(),
        }
    }

    /// With a mistake in the gradients.
    pub fn with_fault(self, fault: Option<Fault>) -> Self {
        Self { fault, ..self }
    }

    /// The backend, which chooses the column of the table.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// All of them.
    pub fn into_made(self) -> Vec<Comparison> {
        self.made
    }

    /// Holds `found` against `expected`, scaled by the largest expected magnitude.
    pub fn values(&mut self, quantity: Quantity, name: &str, found: &Values, expected: &Values) {
        self.values_at_scale(quantity, expected.largest(), name, found, expected);
    }

    /// Holds `found` against `expected` at a scale of the caller's.
    pub fn values_at_scale(
        &mut self,
        quantity: Quantity,
        scale: f64,
        name: &str,
        found: &Values,
        expected: &Values,
    ) {
        let one = compare_at_scale(self.backend, quantity, scale, name, found, expected);
        self.made.push(one);
    }

    /// Holds one number against another.
    pub fn number(&mut self, quantity: Quantity, name: &str, found: f64, expected: f64) {
        let one = compare_number(self.backend, quantity, name, found, expected);
        self.made.push(one);
    }

    /// A gradient as it is compared.
    pub fn gradient(&self, name: &str, mut found: Values) -> Values {
        if let Some(fault) = self.fault.as_ref().filter(|fault| fault.gradient == name) {
            for value in &mut found.values {
                *value *= fault.factor;
            }
        }
        found
    }

    /// Records what must hold and is no number.
    pub fn holds(&mut self, name: &str, is_so: bool, detail: &str) {
        self.made.push(Comparison {
            name: name.to_owned(),
            quantity: Quantity::Statement,
            error: if is_so { 0.0 } else { f64::INFINITY },
            allowed: bound(Quantity::Statement, self.backend).at(0.0),
            detail: detail.to_owned(),
        });
    }
}

fn both_at(index: usize, found: &Values, expected: &Values) -> String {
    let of = |values: &Values| values.values.get(index).copied();
    match of(found).zip(of(expected)) {
        Some((one, other)) => {
            let position = expected.position(index);
            format!("at {position:?} is {one}, expected {other}")
        }
        None => "has no values".to_owned(),
    }
}

/// Where the difference is largest, and how large; NaN counts as infinite.
fn worst_difference(found: &Values, expected: &Values) -> (usize, f64) {
    let pairs = found.values.iter().zip(&expected.values);
    let differences = pairs
        .map(|(found, expected)| infinite_if_nan((f64::from(*found) - f64::from(*expected)).abs()));
    differences.enumerate().fold(
        (0, 0.0),
        |worst, one| if one.1 > worst.1 { one } else { worst },
    )
}

fn infinite_if_nan(difference: f64) -> f64 {
    if difference.is_nan() {
        f64::INFINITY
    } else {
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(found: &[f32]) -> Comparison {
        let values = |values: &[f32]| Values {
            shape: vec![2, values.len() / 2],
            values: values.to_vec(),
        };
        let expected = values(&[1.0, -2.0, 3.0, 4.0]);
        let mut comparisons = Comparisons::on(Backend::Flex);
        comparisons.values(Quantity::Output, "name", &values(found), &expected);
        comparisons.into_made().remove(0)
    }

    #[test]
    fn what_is_within_the_bound_passes() {
        let one = compared(&[1.0, -2.000005, 3.0, 4.0]);
        assert!(one.passes() && one.used() < 1.0, "{one}");
    }

    #[test]
    fn the_worst_value_is_named_with_its_place() {
        let one = compared(&[1.0, -2.1, 3.5, 4.0]);
        assert!(!one.passes());
        let message = one.to_string();
        assert_eq!(
            message,
            "name: Output at [1, 0] is 3.5, expected 3: 5.00e-1 off, allowed 1.00e-5"
        );
    }

    #[test]
    fn nan_is_never_close() {
        let one = compared(&[1.0, f32::NAN, 3.0, 4.0]);
        assert!(!one.passes());
        assert!(one.detail.contains("at [0, 1] is NaN"), "{one}");
        let number = compare_number(Backend::Flex, Quantity::Loss, "loss", f64::NAN, 1.0);
        assert!(!number.passes(), "{number}");
    }

    #[test]
    fn another_shape_is_never_close() {
        let one = compared(&[1.0, -2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!(!one.passes());
        assert!(one.detail.contains("the shape [2, 3], not [2, 2]"), "{one}");
    }

    #[test]
    fn a_fault_changes_the_gradient_of_its_name_alone() {
        let fault = Fault {
            gradient: "weight".to_owned(),
            factor: 2.0,
        };
        let comparisons = Comparisons::on(Backend::Flex).with_fault(Some(fault));
        let one = Values {
            shape: vec![1],
            values: vec![3.0],
        };
        assert_eq!(comparisons.gradient("weight", one.clone()).values, [6.0]);
        assert_eq!(comparisons.gradient("bias", one.clone()), one);
    }
}
