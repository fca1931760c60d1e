//! Classifiers and their data in words, for standard error.

use bert_tasks::text_classification::{Split, Targets, TextClassifier};
use bert_text::LabelSet;
use bert_text_classification::ProblemType;

use crate::describe::{self, labels_with_counts};
use crate::format::counted;

/// Layers, width, and what the head says.
pub(crate) fn model(classifier: &TextClassifier) -> String {
    let labels = counted(classifier.labels.len(), "label");
    let outputs = match classifier.problem_type {
        ProblemType::SingleLabelClassification => format!("one of {labels}"),
        ProblemType::MultiLabelClassification => format!("any of {labels}"),
        ProblemType::Regression => "a number".to_owned(),
    };
    describe::model(&classifier.pretrained, &outputs)
}

/// Rows, classes with their counts, and what was cut.
pub(crate) fn data(split: &Split, classifier: &TextClassifier) -> String {
    describe::data(
        &split.path,
        &counted(split.len(), "row"),
        &targets(&split.targets, &classifier.labels),
        split.truncated(),
        classifier.pretrained.max_length,
    )
}

fn targets(targets: &Targets, labels: &LabelSet) -> String {
    match targets {
        Targets::Classes(classes) => labels_with_counts(labels, &labels.counts(classes)),
        Targets::MultiHot(rows) => {
            let has = |id: usize| rows.iter().filter(|row| row[id] > 0.5).count();
            let counts: Vec<usize> = (0..labels.len()).map(has).collect();
            labels_with_counts(labels, &counts)
        }
        Targets::Values(values) => {
            let lowest = values.iter().copied().fold(f32::INFINITY, f32::min);
            let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            format!("numbers from {lowest} to {highest}")
        }
    }
}
