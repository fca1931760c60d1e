//! Models and data in words, for standard error.

use std::path::Path;

use bert_tasks::{HeadOrigin, Pretrained};
use bert_text::LabelSet;
use bert_weights::{Checkpoint, LoadReport};

use crate::format::{count, counted, shortened};

/// A longer list is cut after so many classes or names.
const LISTED: usize = 10;

/// Layers, width, and what the head predicts.
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
    format!(
        "{}: {}",
        counted(labels.len(), "label"),
        shortened(&listed, LISTED)
    )
}

/// Where a head with so many outputs comes from.
pub(crate) fn head(origin: HeadOrigin, outputs: usize) -> String {
    let outputs = counted(outputs, "output");
    match origin {
        HeadOrigin::New => format!("new, {outputs}"),
        HeadOrigin::Checkpoint => {
            format!("from the checkpoint, {outputs}: its labels are those of the data")
        }
    }
}

/// Which tensors of the file were loaded and which were not, and which parameters are new.
pub(crate) fn load(report: &LoadReport) -> String {
    let parts = [
        ("new", &report.new),
        ("replaced", &report.replaced),
        ("not for this task", &report.ignored),
        ("not weights", &report.skipped),
    ];
    let loaded = format!("{} loaded", counted(report.loaded.len(), "tensor"));
    parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .fold(loaded, |text, (what, names)| {
            format!("{text}; {what}: {}", shortened(names, LISTED))
        })
}

/// What a user should know about a checkpoint's files: the kind of message, and the message.
pub(crate) fn files(checkpoint: &Checkpoint) -> Vec<(&'static str, String)> {
    let pickled = checkpoint
        .pickled_file()
        .map(|file| ("note", pickled(file)));
    let wrapper = wrapper(checkpoint).map(|message| ("warning", message));
    pickled.into_iter().chain(wrapper).collect()
}

/// The prefix of a wrapper, where there is one.
pub(crate) fn wrapper(checkpoint: &Checkpoint) -> Option<String> {
    let prefix = checkpoint.wrapper()?;
    Some(format!(
        "{}: the names of its tensors begin with `{prefix}`, which a wrapper around the model left there; read without it",
        checkpoint.path().display()
    ))
}

/// A file of pickled weights.
pub(crate) fn pickled(file: &Path) -> String {
    format!(
        "{}: pickled weights, read without running them; `bert convert` writes safetensors",
        file.display()
    )
}

/// A warning about the tensors that belong to no part of the model, where there are any.
pub(crate) fn unknown_tensors(report: &LoadReport) -> Option<String> {
    (!report.unknown.is_empty()).then(|| {
        format!(
            "{} of the checkpoint {} to no part of the model and {} left out: {}",
            counted(report.unknown.len(), "tensor"),
            if report.unknown.len() == 1 {
                "belongs"
            } else {
                "belong"
            },
            if report.unknown.len() == 1 {
                "is"
            } else {
                "are"
            },
            shortened(&report.unknown, LISTED)
        )
    })
}
