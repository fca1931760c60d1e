//! Token classifiers and their data: how they are loaded, and how they are described on standard error.

use bert_tasks::token_classification::head::ModelForTokenClassification;
use bert_tasks::token_classification::head::tags::{Scheme, begun_inside};
use bert_tasks::token_classification::{Split, TokenClassifier};
use bert_tasks::{HeadOrigin, Pretrained, TaskError};
use bert_weights::LoadReport;
use burn::tensor::Device;

use crate::describe::{self, labels_with_counts};
use crate::format::{count, counted};
use crate::runner::TaskModel;

impl TaskModel for TokenClassifier {
    type Network = ModelForTokenClassification;

    fn pretrained(&mut self) -> &mut Pretrained {
        &mut self.pretrained
    }

    fn describe(&self) -> String {
        let labels = counted(self.labels.len(), "label");
        describe::model(&self.pretrained, &format!("one of {labels} for each word"))
    }

    fn describe_head(&self, origin: HeadOrigin) -> Option<String> {
        Some(describe::head(origin, self.labels.len()))
    }

    fn load(
        &self,
        head: HeadOrigin,
        device: &Device,
    ) -> Result<(Self::Network, LoadReport), TaskError> {
        self.load(head, device)
    }
}

/// Sentences, tags with their counts, windows, and entities that are not well-formed.
pub(super) fn data(split: &Split, classifier: &TokenClassifier) -> String {
    let labels = &classifier.labels;
    let ids = split
        .sentences
        .iter()
        .flat_map(|sentence| &sentence.labels)
        .copied();
    let counts = labels.counts(&ids.collect::<Vec<_>>());
    let mut content = format!(
        "{}; {}",
        counted(split.words(), "word"),
        labels_with_counts(labels, &counts)
    );
    let windows = split.sentences_in_windows();
    if windows > 0 {
        content += &format!(
            "; {} longer than {} tokens, in windows",
            counted(windows, "sentence"),
            classifier.pretrained.max_length
        );
    }
    let slips = begun_by_inside_tags(split, classifier);
    if slips > 0 {
        content += &format!("; {} begin with an I- or E- tag", count(slips));
    }
    let sentences = counted(split.sentences.len(), "sentence");
    // Nothing is cut: what is too long is read in windows.
    describe::data(&split.path, &sentences, &content, 0, 0)
}

/// Entities whose first tag should continue one; in IOB1 that is no slip.
fn begun_by_inside_tags(split: &Split, classifier: &TokenClassifier) -> usize {
    let names = classifier.labels.names();
    match Scheme::of(names) {
        None | Some(Scheme::Iob1) => 0,
        Some(_) => split
            .sentences
            .iter()
            .map(|sentence| {
                let tags: Vec<&str> = sentence.labels.iter().map(|&id| &*names[id]).collect();
                begun_inside(&tags).len()
            })
            .sum(),
    }
}
