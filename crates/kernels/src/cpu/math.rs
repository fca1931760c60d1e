//! Elementary functions that a compiler can vectorize: without branches, tables and calls.

/// Below this, e^x is subnormal.
const EXP_LOWEST: f32 = -87.3;
/// Above this, e^x overflows.
const EXP_HIGHEST: f32 = 88.7;
/// Adding this number and subtracting it again rounds to an integer. Between the two, the integer is in the lowest bits.
pub(crate) const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts, the first of few bits, so that n · ln 2 is exact (Cephes, `expf.c`).
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// e^x to about one unit in the last place; 0 below −87.3, infinite above 88.7, NaN for NaN. Polynomial of Cephes' `expf.c`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let in_range = if x < EXP_LOWEST { EXP_LOWEST } else { x };
    let in_range = if in_range > EXP_HIGHEST {
        EXP_HIGHEST
    } else {
        in_range
    };
    let shifted = in_range * core::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = in_range - n * LN_2_HIGH - n * LN_2_LOW;
    let mut polynomial = 1.987_569_1e-4;
    polynomial = polynomial * r + 1.398_199_9e-3;
    polynomial = polynomial * r + 8.333_452e-3;
    polynomial = polynomial * r + 4.166_579_6e-2;
    polynomial = polynomial * r + 1.666_666_5e-1;
    polynomial = polynomial * r + 0.5;
    let mantissa = polynomial * r * r + r + 1.0;
    // Two powers, because 2^128 overflows and e^88.7 does not.
    let power = |n_bits: u32| f32::from_bits((n_bits << 23).wrapping_add(1.0_f32.to_bits()));
    let half = (shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .cast_signed()
        >> 1)
        .cast_unsigned();
    let rest = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_sub(half);
    let value = mantissa * power(half) * power(rest);
    let value = if x < EXP_LOWEST { 0.0 } else { value };
    if x > EXP_HIGHEST {
        f32::INFINITY
    } else {
        value
    }
}

/// The standard normal distribution function and e^(−x²/2), from one exponential.
///
/// The tail is formula 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical Functions, whose error is at most 0.75e-7
/// of Φ. It is computed itself and not as a difference from 1, so nothing cancels for negative x.
#[inline(always)]
pub(crate) fn normal(x: f32) -> (f32, f32) {
    let bell = exp(-0.5 * x * x);
    let z = x.abs() * core::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut polynomial = 1.061_405_4;
    polynomial = polynomial * t - 1.453_152;
    polynomial = polynomial * t + 1.421_413_8;
    polynomial = polynomial * t - 0.284_496_74;
    polynomial = polynomial * t + 0.254_829_6;
    let tail = 0.5 * polynomial * t * bell;
    (if x < 0.0 { tail } else { 1.0 - tail }, bell)
}

/// `1 / √(2π)`, the factor of the standard normal density.
const INV_SQRT_2PI: f32 = 0.398_942_3;

/// GELU, `x · Φ(x)`, and its derivative `Φ(x) + x · φ(x)`.
#[inline(always)]
pub(crate) fn gelu_and_slope(x: f32) -> (f32, f32) {
    let (distribution, bell) = normal(x);
    (x * distribution, distribution + x * bell * INV_SQRT_2PI)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_in_the_last_place_of_the_double_one() {
        for step in -87_000..88_600 {
            let x = step as f32 / 1000.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2.4e-7, "exp({x}) is {error:.2e} off");
        }
    }

    #[test]
    fn exp_of_what_is_out_of_range_is_zero_infinite_or_nan() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-100.0), 0.0);
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(88.6).is_finite());
    }

    #[test]
    fn exp_is_zero_just_below_its_range_and_infinite_just_above() {
        assert!(exp(EXP_LOWEST) >= f32::MIN_POSITIVE);
        assert_eq!(exp(EXP_LOWEST.next_down()), 0.0);
        assert!(exp(EXP_HIGHEST).is_finite());
        assert_eq!(exp(EXP_HIGHEST.next_up()), f32::INFINITY);
    }

    #[test]
    fn the_distribution_function_has_its_known_values() {
        // From tables of the standard normal distribution to ten digits.
        let known = [
            (0.0, 0.5),
            (1.0, 0.841_344_746_1),
            (-1.0, 0.158_655_253_9),
            (2.5, 0.993_790_334_7),
            (-4.0, 3.167_124_18e-5),
        ];
        for (x, expected) in known {
            let (found, _) = normal(x);
            assert!(
                (f64::from(found) - expected).abs() < 1.5e-7,
                "Φ({x}) is {found}"
            );
        }
        let (far, _) = normal(-12.0);
        assert!(far.abs() < 1e-30);
        assert!(normal(f32::NAN).0.is_nan());
    }
}
