//! Data for the tests of this module.

/// Numbers in (−1, 1) without a pattern.
pub(super) fn waves(count: usize, phase: f32) -> Vec<f32> {
    let number = |index| (index as f32 * 0.731 + phase).sin();
    (0..count).map(number).collect()
}
