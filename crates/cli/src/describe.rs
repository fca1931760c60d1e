//! Models and data in words, for standard error.

use std::path::Path;

use bert_pretraining::PretrainingModel;
use bert_tasks::pretraining::Split;
use bert_tasks::{HeadOrigin, Pretrained};
use bert_text::{Documents, LabelSet};
use bert_weights::checkpoint::LoadReport;

use crate::format::{count, counted};

/// More classes or names than these are counted and not listed.
const LISTED: usize = 10;

/// Layers, width, and what the head says.
pub(crate) fn model(pretrained: &Pretrained, outputs: &str) -> String {
    let encoder = &pretrained.encoder;
    format!(
        "{} of width {}, up to {} tokens, predicts {outputs}",
        counted(encoder.num_hidden_layers, "layer"),
        encoder.hidden_size,
        pretrained.max_length
    )
}

/// Rows, what they hold, and how many of them were cut.
pub(crate) fn data(
    path: &Path,
    rows: &str,
    content: &str,
    truncated: usize,
    max_length: usize,
) -> String {
    let cut = match truncated {
        0 => String::new(),
        rows => format!("; {} cut at {max_length} tokens", counted(rows, "row")),
    };
    format!("{}: {rows}; {content}{cut}", path.display())
}

/// The number of labels, and each with its count.
pub(crate) fn labels_with_counts(labels: &LabelSet, counts: &[usize]) -> String {
    let listed: Vec<String> = labels
        .names()
        .iter()
        .zip(counts)
        .map(|(name, &rows)| format!("{name} {}", count(rows)))
        .collect();
    format!("{}: {}", counted(labels.len(), "label"), shortened(&listed))
}

/// Where a head with so many outputs comes from.
pub(crate) fn head(origin: HeadOrigin, outputs: usize) -> String {
    let outputs = counted(outputs, "output");
    match origin {
        HeadOrigin::New => format!("new, {outputs}"),
        HeadOrigin::Checkpoint => {
            format!("that of the checkpoint, {outputs}: its labels are those of the data")
        }
    }
}

/// What a pre-training model says.
pub(crate) fn pretraining_outputs<M: PretrainingModel>() -> &'static str {
    match (M::PREDICTS_TOKENS, M::PREDICTS_PAIRS) {
        (true, true) => "masked tokens, and whether a sentence follows another",
        (true, false) => "masked tokens",
        _ => "whether a sentence follows another",
    }
}

/// Documents, and how many of the pairs from them are true ones.
pub(crate) fn pairs(documents: &Documents, split: &Split) -> String {
    let is_next = split.next_sentence.iter().filter(|&&class| class == 0);
    format!(
        "{}, {} pairs in sequence and {} at random",
        counted(documents.documents.len(), "document"),
        count(is_next.clone().count()),
        count(split.len() - is_next.count())
    )
}

/// What became of each tensor of the file and each parameter of the model.
pub(crate) fn load(report: &LoadReport) -> String {
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
