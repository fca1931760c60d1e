//! Parsers of option values, for better messages than those of the standard parsers.

use std::num::NonZeroUsize;

/// A count.
pub(crate) fn integer(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected an integer".to_owned())
}

/// A count that is not 0.
pub(crate) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "expected an integer, at least 1".to_owned())
}

/// A count of `LEAST` or more.
pub(crate) fn at_least<const LEAST: usize>(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number >= LEAST);
    number.ok_or_else(|| format!("expected an integer, at least {LEAST}"))
}

/// A count from 1 to `MOST`.
pub(crate) fn one_to<const MOST: usize>(text: &str) -> Result<NonZeroUsize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number: &NonZeroUsize| number.get() <= MOST);
    number.ok_or_else(|| format!("expected an integer from 1 to {MOST}"))
}

/// A dropout probability.
pub(crate) fn dropout(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (0.0..1.0).contains(number));
    number.ok_or_else(|| "expected a number, at least 0 and below 1".to_owned())
}

/// A share in (0, 1].
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| *number > 0.0 && *number <= 1.0);
    number.ok_or_else(|| "expected a number, above 0 and at most 1".to_owned())
}

/// The γ of a focal loss.
pub(crate) fn focal_gamma(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "expected a number, 0 or above".to_owned())
}
