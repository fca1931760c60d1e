//! Models and data in words, for standard error.

use bert_text::LabelSet;
use bert_text_classification::ProblemType;
use bert_train::text_classification::{HeadOrigin, Split, Targets, TextClassifier};
use bert_weights::checkpoint::LoadReport;

use crate::format::{count, counted};

/// More classes or names than these are counted and not listed.
const LISTED: usize = 10;

/// Layers, width, and what the head says.
pub(super) fn model(classifier: &TextClassifier) -> String {
    let encoder = &classifier.encoder;
    let outputs = match classifier.problem_type {
        ProblemType::SingleLabelClassification => {
            format!("one of {}", counted(classifier.labels.len(), "label"))
        }
        ProblemType::MultiLabelClassification => {
            format!("any of {}", counted(classifier.labels.len(), "label"))
        }
        ProblemType::Regression => "a number".to_owned(),
    };
    format!(
        "{} of width {}, up to {} tokens, predicts {outputs}",
        counted(encoder.num_hidden_layers, "layer"),
        encoder.hidden_size,
        classifier.max_length
    )
}

/// Rows, classes with their counts, and what was cut.
pub(super) fn data(split: &Split, classifier: &TextClassifier) -> String {
    let cut = match split.truncated() {
        0 => String::new(),
        rows => format!(
            "; {} cut at {} tokens",
            counted(rows, "row"),
            classifier.max_length
        ),
    };
    format!(
        "{}: {}; {}{cut}",
        split.path.display(),
        counted(split.len(), "row"),
        targets(&split.targets, &classifier.labels)
    )
}

fn targets(targets: &Targets, labels: &LabelSet) -> String {
    match targets {
        Targets::Classes(classes) => classes_with_counts(labels, &labels.counts(classes)),
        Targets::MultiHot(rows) => {
            let has = |id: usize| rows.iter().filter(|row| row[id] > 0.5).count();
            let counts: Vec<usize> = (0..labels.len()).map(has).collect();
            classes_with_counts(labels, &counts)
        }
        Targets::Values(values) => {
            let lowest = values.iter().copied().fold(f32::INFINITY, f32::min);
            let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            format!("numbers from {lowest} to {highest}")
        }
    }
}

fn classes_with_counts(labels: &LabelSet, counts: &[usize]) -> String {
    let listed: Vec<String> = labels
        .names()
        .iter()
        .zip(counts)
        .map(|(name, &rows)| format!("{name} {}", count(rows)))
        .collect();
    format!("{}: {}", counted(labels.len(), "label"), shortened(&listed))
}

/// Where the head comes from.
pub(super) fn head(origin: HeadOrigin, classifier: &TextClassifier) -> String {
    let outputs = counted(classifier.labels.len(), "output");
    match origin {
        HeadOrigin::New => format!("new, {outputs}"),
        HeadOrigin::Checkpoint => {
            format!("that of the checkpoint, {outputs}: its labels are those of the data")
        }
    }
}

/// What became of each tensor of the file and each parameter of the model.
pub(super) fn load(report: &LoadReport) -> String {
    let parts = [
        ("new", &report.new),
        ("replaced", &report.replaced),
        ("not for this task", &report.ignored),
        ("no weights", &report.skipped),
    ];
    let loaded = format!("{} taken over", counted(report.loaded.len(), "tensor"));
    parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .fold(loaded, |text, (what, names)| {
            format!("{text}; {what}: {}", shortened(names))
        })
}

fn shortened(names: &[String]) -> String {
    match names.len() {
        0..=LISTED => names.join(", "),
        all => format!("{} and {} more", names[..LISTED].join(", "), all - LISTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..12).map(|id| id.to_string()).collect();
        assert_eq!(shortened(&names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
        assert_eq!(shortened(&names[..2]), "0, 1");
    }
}
