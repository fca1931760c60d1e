//! Text classifiers and their data: how they are loaded, and how they are described on standard error.

use bert_tasks::text_classification::head::{ModelForSequenceClassification, ProblemType};
use bert_tasks::text_classification::{Activation, Split, Targets, TextClassifier};
use bert_tasks::{HeadOrigin, LongText, Pretrained, TaskError, WindowPool};
use bert_text::LabelSet;
use bert_weights::LoadReport;
use burn::tensor::Device;

use crate::describe::{self, labels_with_counts};
use crate::format::{count, counted};
use crate::runner::TaskModel;

impl TaskModel for TextClassifier {
    type Network = ModelForSequenceClassification;

    fn pretrained(&mut self) -> &mut Pretrained {
        &mut self.pretrained
    }

    fn describe(&self) -> String {
        let labels = counted(self.labels.len(), "label");
        let outputs = match self.problem_type {
            ProblemType::SingleLabelClassification => format!("one of {labels}"),
            ProblemType::MultiLabelClassification => format!("any of {labels}"),
            ProblemType::Regression => "a number".to_owned(),
        };
        let scores = match self.activation {
            Activation::None => "the raw outputs",
            function => function.name(),
        };
        let long_texts = long_texts(self.long_text);
        describe::model(
            &self.pretrained,
            &format!("{outputs} (scores: {scores}){long_texts}"),
        )
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

/// What is read of a long text, if it is not simply cut.
fn long_texts(long_text: LongText) -> String {
    match long_text {
        LongText::Truncate => String::new(),
        LongText::HeadTail => "; reads the beginning and the end of a long text".to_owned(),
        LongText::Windows { pool, .. } => {
            let pool = match pool {
                WindowPool::Mean => "mean",
                WindowPool::Max => "max",
            };
            format!("; reads a long text in windows ({pool} of their outputs)")
        }
    }
}

/// The number of rows, and of their windows where some have several.
fn rows(split: &Split) -> String {
    let rows = counted(split.len(), "row");
    match split.documents.in_windows() {
        0 => rows,
        long => format!(
            "{rows}, {} of them longer than a window ({} in all)",
            count(long),
            counted(split.documents.windows().len(), "window")
        ),
    }
}

/// Describes a data set on standard error: rows, classes with their counts, and how many rows were cut.
pub(crate) fn print_data(split: &Split, classifier: &TextClassifier) {
    let line = describe::data(
        &split.path,
        &rows(split),
        &targets(&split.targets, &classifier.labels),
        split.truncated(),
        classifier.pretrained.max_length,
    );
    say!("data    {line}");
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
