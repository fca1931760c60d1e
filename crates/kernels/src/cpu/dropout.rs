//! Dropout from a counter: the seed and an element's index alone decide whether it is kept. The backward pass recomputes the
//! mask instead of storing it, and the number of threads does not matter.

use crate::params::DropoutMask;

/// A mask, prepared for the loops.
#[derive(Clone, Copy)]
pub(crate) struct Mask {
    seed: [u32; 2],
    /// Hashes below this are dropped.
    threshold: u32,
    /// The scale of a kept element.
    scale: f32,
}

impl Mask {
    /// `None` when nothing is dropped.
    pub(crate) fn new(mask: DropoutMask) -> Option<Self> {
        (mask.probability > 0.0).then(|| Self {
            seed: [mask.seed as u32, (mask.seed >> 32) as u32],
            threshold: (mask.probability * 2.0_f64.powi(32)) as u32,
            scale: (1.0 / (1.0 - mask.probability)) as f32,
        })
    }

    /// The scale of the element of this index: 0, or 1 / (1 − p).
    #[inline(always)]
    pub(crate) fn scale_at(&self, index: u32) -> f32 {
        let hash = mix(mix(index ^ self.seed[0]) ^ self.seed[1]);
        if hash < self.threshold {
            0.0
        } else {
            self.scale
        }
    }

    /// Scales elements. The first of them has the index `first`.
    #[inline(always)]
    pub(crate) fn apply(&self, values: &mut [f32], first: u32) {
        for (index, value) in values.iter_mut().enumerate() {
            *value *= self.scale_at(first.wrapping_add(index as u32));
        }
    }
}

/// A permutation of 32 bits in which each input bit flips each output bit with a probability within 0.2 % of one half:
/// `lowbias32` of Chris Wellons' hash prospector, <https://github.com/skeeto/hash-prospector>.
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(probability: f64, seed: u64) -> Mask {
        Mask::new(DropoutMask { probability, seed }).expect("something is dropped")
    }

    #[test]
    fn as_many_are_dropped_as_asked_for_and_the_mean_stays_one() {
        for (probability, seed) in [(0.1, 1), (0.1, 2 << 40), (0.5, 3)] {
            let mask = mask(probability, seed);
            let count = 1_000_000;
            let sum: f64 = (0..count).map(|i| f64::from(mask.scale_at(i))).sum();
            // Five standard deviations of the mean of independent scales.
            let bound = 5.0 * (probability / (1.0 - probability) / f64::from(count)).sqrt();
            assert!(
                (sum / f64::from(count) - 1.0).abs() < bound,
                "{probability}, {seed}"
            );
        }
    }

    #[test]
    fn neighbours_rows_and_seeds_are_independent() {
        let kept = |mask: Mask, index: u32| f64::from(u8::from(mask.scale_at(index) > 0.0));
        let (one, other) = (mask(0.5, 7), mask(0.5, 8));
        let count = 200_000;
        let correlation = |pair: &dyn Fn(u32) -> (f64, f64)| {
            let sum: f64 = (0..count)
                .map(pair)
                .map(|(a, b)| (a - 0.5) * (b - 0.5))
                .sum();
            4.0 * sum / f64::from(count)
        };
        let bound = 5.0 / f64::from(count).sqrt();
        for distance in [1, 2, 128, 384, 1 << 20] {
            let found = correlation(&|i| (kept(one, i), kept(one, i + distance)));
            assert!(found.abs() < bound, "at distance {distance}: {found}");
        }
        let found = correlation(&|i| (kept(one, i), kept(other, i)));
        assert!(found.abs() < bound, "of two seeds: {found}");
    }

    #[test]
    fn the_hash_is_lowbias32() {
        // From an implementation of its definition in Python.
        for (x, expected) in [
            (0, 0),
            (1, 0x6889_90c0),
            (2, 0xd113_2181),
            (0x8000_0000, 0xcc4b_4124),
            (0xdead_beef, 0xe628_c683),
            (u32::MAX, 0x6768_824a),
        ] {
            assert_eq!(mix(x), expected, "{x:#x}");
        }
    }

    #[test]
    fn a_mask_has_both_halves_of_its_seed_and_the_share_of_hashes_that_are_dropped() {
        let mask = mask(0.25, 0x1234_5678_9abc);
        assert_eq!(mask.seed, [0x5678_9abc, 0x1234]);
        assert_eq!(mask.threshold, 1 << 30);
        assert_eq!(mask.scale, 4.0 / 3.0);
    }

    #[test]
    fn an_element_is_dropped_if_the_hash_of_its_index_and_seed_is_below_the_threshold() {
        let (index, seed) = (5, [7, 9]);
        let hash = mix(mix(index ^ seed[0]) ^ seed[1]);
        let scale_below = |threshold| {
            let scale = 2.0;
            Mask {
                seed,
                threshold,
                scale,
            }
            .scale_at(index)
        };
        assert_eq!(scale_below(hash), 2.0);
        assert_eq!(scale_below(hash + 1), 0.0);
    }

    #[test]
    fn elements_are_scaled_by_their_indices_which_wrap() {
        let mask = mask(0.5, 3);
        let mut values = [1.0; 100];
        let first = u32::MAX - 49;
        mask.apply(&mut values, first);
        for (index, value) in (0..100).zip(values) {
            assert_eq!(value, mask.scale_at(first.wrapping_add(index)), "{index}");
        }
    }

    #[test]
    fn nothing_is_dropped_at_zero() {
        let none = DropoutMask {
            probability: 0.0,
            seed: 1,
        };
        assert!(Mask::new(none).is_none());
    }
}
