//! What single predictions of a text classifier tell.

use bert_kernels::cross_entropy;
use bert_report::{Examination, LabelCounts, Reliability, WorstExample, worst};
use bert_text::LabelSet;

use super::predict::best_label;
use super::{Split, Targets};
use crate::examine::{confidence, place_of};

/// Examines the logits of every example of a data set.
pub(crate) fn examination(labels: &LabelSet, logits: &[Vec<f32>], split: &Split) -> Examination {
    match &split.targets {
        Targets::Classes(classes) => of_classes(labels, logits, classes, split),
        Targets::MultiHot(hot) => of_several(labels, logits, hot, split),
        Targets::Values(values) => of_values(logits, values, split),
    }
}

fn of_classes(
    labels: &LabelSet,
    logits: &[Vec<f32>],
    classes: &[usize],
    split: &Split,
) -> Examination {
    let names = labels.names();
    let predicted: Vec<usize> = logits.iter().map(|row| best_label(row)).collect();
    let rows = logits.iter().zip(classes);
    let losses: Vec<f64> = rows
        .map(|(row, &class)| cross_entropy(row, class))
        .collect();
    let sure = logits.iter().map(|row| confidence(row));
    let right = predicted
        .iter()
        .zip(classes)
        .map(|(one, other)| one == other);
    Examination {
        labels: names.to_vec(),
        confusion: Examination::count_confusion(classes, &predicted, names.len()),
        reliability: Reliability::of("prediction", sure.zip(right)),
        worst: worst(&losses, |row| WorstExample {
            reference: names[classes[row]].clone(),
            prediction: names[predicted[row]].clone(),
            confidence: Some(confidence(&logits[row])),
            ..shown(split, row)
        }),
        ..Examination::default()
    }
}

fn of_several(
    labels: &LabelSet,
    logits: &[Vec<f32>],
    hot: &[Vec<f32>],
    split: &Split,
) -> Examination {
    let names = labels.names();
    let is_on = |logit: f32| logit > 0.0;
    let losses: Vec<f64> = logits
        .iter()
        .zip(hot)
        .map(|(row, hot)| binary_cross_entropy(row, hot))
        .collect();
    let cells = || {
        let rows = logits.iter().zip(hot);
        rows.flat_map(|(row, hot)| row.iter().zip(hot).enumerate())
    };
    let mut label_counts = vec![LabelCounts::default(); names.len()];
    for (label, (&logit, &hot)) in cells() {
        let counts = &mut label_counts[label];
        match (is_on(logit), hot > 0.5) {
            (true, true) => counts.true_positives += 1,
            (true, false) => counts.false_positives += 1,
            (false, true) => counts.false_negatives += 1,
            (false, false) => {}
        }
    }
    let sure = cells().map(|(_, (&logit, &hot))| {
        let probability = sigmoid(f64::from(logit).abs());
        (probability, is_on(logit) == (hot > 0.5))
    });
    let named = |has: &dyn Fn(usize) -> bool| -> String {
        let found: Vec<&str> = (0..names.len())
            .filter(|&label| has(label))
            .map(|label| names[label].as_str())
            .collect();
        if found.is_empty() {
            "(none)".to_owned()
        } else {
            found.join(", ")
        }
    };
    Examination {
        labels: names.to_vec(),
        reliability: Reliability::of("label", sure),
        worst: worst(&losses, |row| WorstExample {
            reference: named(&|label| hot[row][label] > 0.5),
            prediction: named(&|label| is_on(logits[row][label])),
            ..shown(split, row)
        }),
        label_counts,
        ..Examination::default()
    }
}

fn of_values(logits: &[Vec<f32>], values: &[f32], split: &Split) -> Examination {
    let predicted: Vec<f32> = logits.concat();
    let pairs = predicted.iter().zip(values);
    let losses: Vec<f64> = pairs
        .map(|(&one, &other)| (f64::from(one) - f64::from(other)).powi(2))
        .collect();
    Examination {
        scatter: Examination::sample_scatter(values, &predicted),
        worst: worst(&losses, |row| WorstExample {
            reference: values[row].to_string(),
            prediction: format!("{:.3}", predicted[row]),
            ..shown(split, row)
        }),
        ..Examination::default()
    }
}

/// The mean over the labels of an example, from logits.
fn binary_cross_entropy(logits: &[f32], hot: &[f32]) -> f64 {
    let of_one = |(&logit, &hot): (&f32, &f32)| {
        let (logit, hot) = (f64::from(logit), f64::from(hot));
        logit.max(0.0) - logit * hot + (-logit.abs()).exp().ln_1p()
    };
    let sum: f64 = logits.iter().zip(hot).map(of_one).sum();
    sum / logits.len().max(1) as f64
}

fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

/// An example's place and texts.
fn shown(split: &Split, row: usize) -> WorstExample {
    let Some(example) = split.examples.get(row) else {
        return WorstExample::default();
    };
    WorstExample {
        place: place_of(example),
        text: example.text.clone(),
        text_pair: example.text_pair.clone(),
        ..WorstExample::default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bert_text::Encoding;

    use super::*;
    use bert_text::Example;

    fn split(targets: Targets, rows: usize) -> Split {
        let example = |row: usize| Example {
            text: format!("text {row}"),
            text_pair: None,
            label: None,
            file: Path::new("folder/dev.tsv").into(),
            line: row + 1,
        };
        Split {
            path: "dev.tsv".into(),
            documents: vec![Encoding::default(); rows].into(),
            targets,
            examples: (0..rows).map(example).collect(),
        }
    }

    fn labels() -> LabelSet {
        LabelSet::new(vec!["bad".into(), "good".into()]).unwrap()
    }

    #[test]
    fn the_surest_mistake_is_the_worst_example() {
        let split = split(Targets::Classes(vec![0, 0, 1]), 3);
        let logits = [vec![2.0, 0.0], vec![0.0, 3.0], vec![0.0, 0.1]];
        let found = examination(&labels(), &logits, &split);
        let first = &found.worst[0];
        assert_eq!(first.place, "dev.tsv, line 2");
        assert_eq!((&*first.reference, &*first.prediction), ("bad", "good"));
        assert!((first.loss.unwrap() - (1.0 + 3.0_f64.exp()).ln()).abs() < 1e-6);
        assert_eq!(found.confusion.len(), 3);
        let reliability = found.reliability.unwrap();
        assert_eq!(reliability.bins.iter().map(|bin| bin.count).sum::<u64>(), 3);
    }

    #[test]
    fn several_labels_are_counted_one_by_one() {
        let split = split(Targets::MultiHot(vec![vec![1.0, 0.0], vec![0.0, 0.0]]), 2);
        let logits = [vec![1.0, 1.0], vec![-1.0, -5.0]];
        let found = examination(&labels(), &logits, &split);
        assert_eq!(found.label_counts[0].true_positives, 1);
        assert_eq!(found.label_counts[1].false_positives, 1);
        assert_eq!(found.worst[0].prediction, "bad, good");
        assert_eq!(found.worst[1].reference, "(none)");
        let expected = ((-1.0_f64).exp().ln_1p() + 1.0_f64.exp().ln_1p()) / 2.0;
        assert!((found.worst[0].loss.unwrap() - expected).abs() < 1e-9);
    }

    #[test]
    fn numbers_are_points() {
        let split = split(Targets::Values(vec![1.0, 2.0]), 2);
        let found = examination(&labels(), &[vec![1.5], vec![4.0]], &split);
        assert_eq!(found.scatter, [[1.0, 1.5], [2.0, 4.0]]);
        assert_eq!(found.worst[0].loss, Some(4.0));
    }
}
