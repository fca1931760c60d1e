//! Drawing rows so that every class comes as often as any other.

use rand::SeedableRng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::ChaCha12Rng;

/// Keeps these draws apart from the order of batches, which has the same seed and epoch.
const STREAM: u64 = 1 << 63;

/// As many rows as there are, drawn with replacement, each with a chance that is the inverse of the number of rows of its
/// class: what `torch.utils.data.WeightedRandomSampler` does with those weights. `classes` has the class of each row.
///
/// A pure function of its arguments; every pair of `seed` and `epoch` has a random stream of its own.
pub fn balanced_draw(classes: &[usize], seed: u64, epoch: u64) -> Vec<usize> {
    let most = classes.iter().max().map_or(0, |most| most + 1);
    let mut counts = vec![0_usize; most];
    for &class in classes {
        counts[class] += 1;
    }
    let weights = classes.iter().map(|&class| 1.0 / counts[class] as f64);
    let Ok(rows) = WeightedIndex::new(weights) else {
        return Vec::new();
    };
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    random.set_stream(STREAM | epoch);
    (0..classes.len())
        .map(|_| rows.sample(&mut random))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_drawn_as_often_and_each_epoch_in_another_way() {
        let mut classes = vec![0; 2700];
        classes.extend([1; 270]);
        classes.extend([4; 30]);
        let drawn = balanced_draw(&classes, 42, 0);
        assert_eq!(drawn.len(), 3000);
        for class in [0, 1, 4] {
            let share = drawn.iter().filter(|&&row| classes[row] == class).count();
            // Three standard deviations of a binomial share of a third are 77.
            assert!(share.abs_diff(1000) < 80, "class {class}: {share} of 3000");
        }
        assert_eq!(drawn, balanced_draw(&classes, 42, 0));
        assert_ne!(drawn, balanced_draw(&classes, 42, 1));
        assert_ne!(drawn, balanced_draw(&classes, 43, 0));
        assert!(balanced_draw(&[], 1, 0).is_empty());
    }
}
