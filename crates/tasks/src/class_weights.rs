//! What the loss of a classification may be told, and weights that make up for rare classes.

use bert_kernels::CrossEntropyOptions;
use bert_text::LabelSet;

use crate::TaskError;

/// scikit-learn's `class_weight="balanced"`: rows / (classes · rows of the class).
///
/// # Errors
///
/// A class has no row.
pub(crate) fn balanced(labels: &LabelSet, counts: &[usize]) -> Result<Vec<f32>, TaskError> {
    let rows: usize = counts.iter().sum();
    let weight = |(name, &count): (&String, &usize)| match count {
        0 => Err(refused(format!(
            "no training data has the label {name:?}, so it has no balanced weight; give a file of weights"
        ))),
        count => Ok((rows as f64 / (labels.len() * count) as f64) as f32),
    };
    labels.names().iter().zip(counts).map(weight).collect()
}

/// Weights of the rows that have a class, for a loss of each class by itself: rows without it / rows with it, as the
/// documentation of `torch.nn.BCEWithLogitsLoss` recommends for `pos_weight`.
///
/// # Errors
///
/// A class has no row, or every row.
pub(crate) fn balanced_multi_label(
    labels: &LabelSet,
    counts: &[usize],
    rows: usize,
) -> Result<Vec<f32>, TaskError> {
    let weight = |(name, &with): (&String, &usize)| {
        let without = rows - with;
        if with == 0 || without == 0 {
            let found = if with == 0 { "no" } else { "every" };
            return Err(refused(format!(
                "{found} row of the training data has the label {name:?}, so it has no balanced weight; give a file of weights"
            )));
        }
        Ok((without as f64 / with as f64) as f32)
    };
    labels.names().iter().zip(counts).map(weight).collect()
}

/// Makes sure that a loss over these labels can have the options.
pub(crate) fn check(options: &CrossEntropyOptions, labels: &LabelSet) -> Result<(), TaskError> {
    let refuse = |option, reason: String| Err(TaskError::Loss { option, reason });
    if let Some(weights) = &options.class_weights {
        if weights.len() != labels.len() {
            return Err(refused(format!(
                "there are {} weights for {} labels; give one for each",
                weights.len(),
                labels.len()
            )));
        }
        if let Some(odd) = weights
            .iter()
            .find(|weight| !(weight.is_finite() && **weight > 0.0))
        {
            return Err(refused(format!(
                "{odd} is no weight; it must be a finite number above 0"
            )));
        }
    }
    if !(0.0..1.0).contains(&options.label_smoothing) {
        let reason = format!("{} must be at least 0 and below 1", options.label_smoothing);
        return refuse("label smoothing", reason);
    }
    if !(options.focal_gamma.is_finite() && options.focal_gamma >= 0.0) {
        let reason = format!(
            "γ is {}; it must be a finite number, 0 or above",
            options.focal_gamma
        );
        return refuse("focal loss", reason);
    }
    Ok(())
}

fn refused(reason: String) -> TaskError {
    TaskError::Loss {
        option: "class weights",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> LabelSet {
        LabelSet::new(["a", "b", "c"].map(str::to_owned).to_vec()).expect("three names")
    }

    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0] * 6 + [1] * 3 + [2])
        let weights = balanced(&labels(), &[6, 3, 1]).expect("every label has rows");
        assert_eq!(weights, [0.555_555_6, 1.111_111_2, 3.333_333_3]);
        let error = balanced(&labels(), &[6, 0, 1]).expect_err("b has no row");
        assert!(error.to_string().contains("\"b\""), "{error}");
    }

    #[test]
    fn weights_of_several_labels_compare_the_rows_without_and_with_each() {
        let weights = balanced_multi_label(&labels(), &[1, 3, 2], 4).expect("weights");
        assert_eq!(weights, [3.0, 1.0 / 3.0, 1.0]);
        for (counts, found) in [([0, 1, 1], "no"), ([4, 1, 1], "every")] {
            let error = balanced_multi_label(&labels(), &counts, 4).expect_err("no weight");
            let found = format!("{found} row of the training data has the label \"a\"");
            assert!(error.to_string().contains(&found), "{error}");
        }
    }

    #[test]
    fn impossible_options_are_refused() {
        let plain = CrossEntropyOptions::default;
        let with = |weights: &[f32]| CrossEntropyOptions {
            class_weights: Some(weights.to_vec()),
            ..plain()
        };
        assert!(check(&plain(), &labels()).is_ok());
        assert!(check(&with(&[1.0, 2.0, 0.5]), &labels()).is_ok());
        for weights in [&[1.0][..], &[1.0, 0.0, 1.0], &[1.0, f32::NAN, 1.0]] {
            assert!(check(&with(weights), &labels()).is_err(), "{weights:?}");
        }
        for (label_smoothing, focal_gamma) in
            [(1.0, 0.0), (-0.1, 0.0), (0.0, -1.0), (0.0, f64::NAN)]
        {
            let options = CrossEntropyOptions {
                label_smoothing,
                focal_gamma,
                ..plain()
            };
            assert!(check(&options, &labels()).is_err(), "{options:?}");
        }
    }
}
