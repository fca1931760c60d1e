//! How far a figure can be trusted, as plain functions: spread over runs, bootstrap intervals, McNemar's test.

mod bootstrap;
mod mcnemar;
mod spread;

pub use bootstrap::{Interval, percentile_interval, resamples};
pub use mcnemar::{EXACT_BELOW, McNemar, McNemarMethod, mcnemar};
pub use spread::{Spread, spread};
