//! Cutting a data set into folds for cross-validation.

use std::collections::HashMap;
use std::hash::Hash;

use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use rand::seq::SliceRandom;

/// Keeps these draws apart from the order of batches, which has the same seed.
const STREAM: u64 = 1 << 62;

/// The fold of each row, in 0..`folds`: every fold has as many rows of a class as any other, give or take one, and as many
/// rows. `classes` has the class of each row, the same for all where there are none.
///
/// A pure function of its arguments.
///
/// # Panics
///
/// `folds` is 0.
pub fn stratified_folds(classes: &[usize], folds: usize, seed: u64) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..classes.len()).collect();
    rows.shuffle(&mut random(seed));
    // Stable, so the rows of a class stay in their random order, and dealing goes on from class to class.
    rows.sort_by_key(|&row| classes[row]);
    let mut fold_of = vec![0; classes.len()];
    for (place, row) in rows.into_iter().enumerate() {
        fold_of[row] = place % folds;
    }
    fold_of
}

/// The fold of each row, in 0..`folds`, so that no group is in two folds. The group whose classes are the most uneven comes
/// first, and each goes where it leaves the shares of the classes the most alike, then the number of rows: what
/// scikit-learn's `StratifiedGroupKFold` does. `groups` and `classes` have those of each row.
///
/// A pure function of its arguments.
///
/// # Panics
///
/// `folds` is 0.
pub fn group_folds<G: Eq + Hash>(
    groups: &[G],
    classes: &[usize],
    folds: usize,
    seed: u64,
) -> Vec<usize> {
    let kinds = classes.iter().max().map_or(0, |most| most + 1);
    let mut ids: HashMap<&G, usize> = HashMap::new();
    let mut counts: Vec<Vec<f64>> = Vec::new();
    let mut group_of = Vec::with_capacity(groups.len());
    for (group, &class) in groups.iter().zip(classes) {
        let id = *ids.entry(group).or_insert_with(|| {
            counts.push(vec![0.0; kinds]);
            counts.len() - 1
        });
        counts[id][class] += 1.0;
        group_of.push(id);
    }
    let totals: Vec<f64> = (0..kinds)
        .map(|class| counts.iter().map(|of_group| of_group[class]).sum())
        .collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.shuffle(&mut random(seed));
    order.sort_by(|&one, &other| unevenness(&counts[other]).total_cmp(&unevenness(&counts[one])));

    let mut held = vec![vec![0.0; kinds]; folds];
    let mut fold_of_group = vec![0; counts.len()];
    for group in order {
        let cost = |fold: usize| {
            let with_it = |at: usize, class: usize| {
                let added = if at == fold {
                    counts[group][class]
                } else {
                    0.0
                };
                (held[at][class] + added) / totals[class].max(1.0)
            };
            let spread =
                |class| deviation(&(0..folds).map(|at| with_it(at, class)).collect::<Vec<_>>());
            let mean = (0..kinds).map(spread).sum::<f64>() / kinds.max(1) as f64;
            (mean, held[fold].iter().sum::<f64>())
        };
        let best = cheapest((0..folds).map(cost));
        fold_of_group[group] = best;
        for (held, added) in held[best].iter_mut().zip(&counts[group]) {
            *held += added;
        }
    }
    group_of
        .into_iter()
        .map(|group| fold_of_group[group])
        .collect()
}

/// Where the cost, a mean spread and a number of rows, is the lowest. Spreads that differ in rounding alone are equal, as
/// scikit-learn's `isclose` has it; then fewer rows decide, and so every fold gets a group.
fn cheapest(costs: impl Iterator<Item = (f64, f64)>) -> usize {
    const ROUNDING: f64 = 1e-9;
    let mut best = (f64::INFINITY, f64::INFINITY, 0);
    for (at, (spread, rows)) in costs.enumerate() {
        let is_equal = (spread - best.0).abs() <= ROUNDING;
        if (is_equal && rows < best.1) || (!is_equal && spread < best.0) {
            best = (spread, rows, at);
        }
    }
    best.2
}

fn random(seed: u64) -> ChaCha12Rng {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    random.set_stream(STREAM);
    random
}

/// A group of many rows, or of rows of one class, is hard to place.
fn unevenness(counts: &[f64]) -> f64 {
    match counts {
        [only] => *only,
        counts => deviation(counts),
    }
}

fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (squares.sum::<f64>() / values.len().max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fold_has_its_share_of_each_class_and_of_all_rows() {
        let classes: Vec<usize> = (0..103).map(|row| usize::from(row % 10 == 0)).collect();
        let folds = stratified_folds(&classes, 4, 7);
        let rows_of = |fold, class| {
            let rows = folds.iter().zip(&classes);
            rows.filter(|row| *row == (&fold, &class)).count()
        };
        for fold in 0..4 {
            assert!((2..=3).contains(&rows_of(fold, 1)), "fold {fold}");
            let all = rows_of(fold, 0) + rows_of(fold, 1);
            assert!((25..=26).contains(&all), "fold {fold}: {all}");
        }
        assert_eq!(folds, stratified_folds(&classes, 4, 7));
        assert_ne!(folds, stratified_folds(&classes, 4, 8));
    }

    #[test]
    fn no_group_is_in_two_folds_and_classes_are_spread() {
        let groups: Vec<usize> = (0..120).map(|row| row / 6).collect();
        let classes: Vec<usize> = groups
            .iter()
            .map(|group| usize::from(group % 4 == 0))
            .collect();
        let folds = group_folds(&groups, &classes, 5, 1);
        for fold in 0..5 {
            let rows: Vec<usize> = (0..120).filter(|&row| folds[row] == fold).collect();
            assert_eq!(rows.len(), 24, "fold {fold}");
            assert_eq!(rows.iter().filter(|&&row| classes[row] == 1).count(), 6);
        }
        for row in 1..120 {
            assert!(groups[row] != groups[row - 1] || folds[row] == folds[row - 1]);
        }
    }

    /// Spreads of equal worth differ in their last bit here; then the rows decide.
    #[test]
    fn every_fold_has_a_group_where_there_are_as_many_of_both() {
        for counts in [
            [(6, 0), (0, 3), (0, 5), (0, 4), (1, 0)],
            [(0, 6), (1, 0), (1, 4), (1, 3), (1, 4)],
        ] {
            let rows = counts.iter().enumerate().flat_map(|(group, &(a, b))| {
                let class = |class, count| std::iter::repeat_n((group, class), count);
                class(0, a).chain(class(1, b))
            });
            let (groups, classes): (Vec<usize>, Vec<usize>) = rows.unzip();
            for seed in 0..20 {
                let mut folds = group_folds(&groups, &classes, 5, seed);
                folds.sort_unstable();
                folds.dedup();
                assert_eq!(folds, [0, 1, 2, 3, 4], "{counts:?}, seed {seed}");
            }
        }
    }

    #[test]
    fn groups_without_classes_are_spread_by_their_size() {
        let groups = ["a", "a", "a", "a", "b", "b", "c", "c", "d", "e"];
        let folds = group_folds(&groups, &[0; 10], 2, 1);
        assert_eq!(folds.iter().filter(|&&fold| fold == 0).count(), 5);
    }
}
