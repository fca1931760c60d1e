use serde::Serialize;

/// Below so many discordant pairs the exact test is taken.
pub const EXACT_BELOW: usize = 25;

/// How a p-value came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum McNemarMethod {
    /// The binomial distribution of the discordant pairs.
    Exact,
    /// χ² with one degree of freedom and Edwards' continuity correction.
    ChiSquared,
}

/// McNemar's test of two models on the same examples: whether the examples that one of them alone gets right are more than
/// chance gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct McNemar {
    /// Examples that only the first gets right.
    pub only_first: usize,
    /// Examples that only the second gets right.
    pub only_second: usize,
    /// How the p-value came about.
    pub method: McNemarMethod,
    /// The χ² statistic; of the exact test, the smaller of the two numbers.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
}

/// The test, from the numbers of examples that only one model gets right: exact below [`EXACT_BELOW`] of them, χ² with
/// continuity correction from there on. What `statsmodels.stats.contingency_tables.mcnemar` computes.
pub fn mcnemar(only_first: usize, only_second: usize) -> McNemar {
    let discordant = only_first + only_second;
    let fewer = only_first.min(only_second);
    let (method, statistic, p_value) = if discordant < EXACT_BELOW {
        let p_value = (2.0 * binomial_half_at_most(fewer, discordant)).min(1.0);
        (McNemarMethod::Exact, fewer as f64, p_value)
    } else {
        let distance = (only_first.abs_diff(only_second) as f64 - 1.0).max(0.0);
        let statistic = distance.powi(2) / discordant as f64;
        // The upper tail of χ² with one degree of freedom.
        let p_value = libm::erfc((statistic / 2.0).sqrt());
        (McNemarMethod::ChiSquared, statistic, p_value)
    };
    McNemar {
        only_first,
        only_second,
        method,
        statistic,
        p_value,
    }
}

/// P(X ≤ k) of n fair coins.
fn binomial_half_at_most(k: usize, n: usize) -> f64 {
    let mut term = 0.5_f64.powi(n as i32);
    let mut sum = term;
    for i in 0..k {
        term *= (n - i) as f64 / (i + 1) as f64;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p_value(only_first: usize, only_second: usize) -> f64 {
        mcnemar(only_first, only_second).p_value
    }

    /// scipy 1.17.1: `binomtest(b, b + c, 0.5).pvalue`, and `chi2.sf((abs(b - c) - 1) ** 2 / (b + c), 1)`.
    #[test]
    fn p_values_are_those_of_scipy() {
        for (only_first, only_second, expected) in SCIPY {
            let found = p_value(only_first, only_second);
            assert!(
                (found - expected).abs() < 1e-12,
                "{only_first} {only_second}: {found} {expected}"
            );
        }
    }

    #[test]
    fn few_discordant_pairs_are_tested_exactly_and_none_prove_nothing() {
        assert_eq!(mcnemar(20, 4).method, McNemarMethod::Exact);
        assert_eq!(mcnemar(21, 4).method, McNemarMethod::ChiSquared);
        assert_eq!(p_value(0, 0), 1.0);
        assert_eq!(p_value(30, 30), 1.0);
        assert_eq!(p_value(3, 9), p_value(9, 3));
    }

    const SCIPY: [(usize, usize, f64); 6] = [
        (1, 8, 0.0390625),
        (5, 5, 1.0),
        (20, 4, 0.001543879508972168),
        (21, 4, 0.0013742758758316976),
        (60, 33, 0.0070161992342396284),
        (250, 180, 0.00087636703392572),
    ];
}
