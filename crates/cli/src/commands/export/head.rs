//! Which head a model has, and its weights.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bert_device::DeviceSpec;
use bert_onnx::{Head, OnnxModel, Precision};
use bert_tasks::pretraining::Pretraining;
use bert_tasks::pretraining::head::{
    ModelForMaskedLM, ModelForNextSentencePrediction, ModelForPreTraining, PretrainingModel,
};
use bert_tasks::question_answering::QuestionAnswerer;
use bert_tasks::sentence_embedding::SentenceEmbedder;
use bert_tasks::sentence_embedding::head::SentenceEncoder;
use bert_tasks::text_classification::TextClassifier;
use bert_tasks::token_classification::TokenClassifier;
use bert_tasks::{HeadOrigin, Pretrained};
use bert_text::MaskingOptions;
use bert_weights::LoadReport;
use burn::module::Module;
use burn::tensor::Device;
use clap::ValueEnum;

use crate::runner::{print_files, print_unknown_tensors};

/// The tasks that have a head of their own.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ExportTask {
    #[value(alias = "natural-language-inference")]
    TextClassification,
    TokenClassification,
    QuestionAnswering,
    MaskedLm,
    NextSentence,
    Pretraining,
    FeatureExtraction,
}

impl ExportTask {
    pub(super) fn head(self) -> Head {
        match self {
            Self::TextClassification => Head::SequenceClassification,
            Self::TokenClassification => Head::TokenClassification,
            Self::QuestionAnswering => Head::QuestionAnswering,
            Self::MaskedLm => Head::MaskedLM,
            Self::NextSentence => Head::NextSentencePrediction,
            Self::Pretraining => Head::PreTraining,
            Self::FeatureExtraction => Head::None,
        }
    }
}

/// The head of the class that config.json names.
pub(super) fn stated_head(pretrained: &Pretrained) -> Result<Head> {
    let classes = pretrained.architectures();
    let is_named = |head: &Head| classes.contains(&pretrained.architecture(head.class()).as_str());
    if let Some(head) = Head::ALL.into_iter().find(is_named) {
        return Ok(head);
    }
    let found = match classes.as_slice() {
        [] => "no class".to_owned(),
        classes => classes.join(", "),
    };
    let known = Head::ALL.map(|head| pretrained.architecture(head.class()));
    bail!(
        "{}: `architectures` of config.json names {found}; exported are {}; --task says which of them it is",
        pretrained.checkpoint().path().display(),
        known.join(", ")
    )
}

/// Loads the model of a directory with this head, and builds its graph.
pub(super) fn graph(directory: &Path, head: Head, precision: Precision) -> Result<OnnxModel> {
    let device = any_device()?;
    match head {
        Head::None => of_encoder(directory, precision, &device),
        Head::SequenceClassification => {
            let setup = TextClassifier::open(directory, None)?;
            let loaded = setup.load(HeadOrigin::Checkpoint, &device)?;
            of_model(loaded, &setup.pretrained, head, precision)
        }
        Head::TokenClassification => {
            let setup = TokenClassifier::open(directory, None)?;
            let loaded = setup.load(HeadOrigin::Checkpoint, &device)?;
            of_model(loaded, &setup.pretrained, head, precision)
        }
        Head::QuestionAnswering => {
            let setup = QuestionAnswerer::open(directory, usize::MAX, None)?;
            let loaded = setup.load(HeadOrigin::Checkpoint, &device)?;
            of_model(loaded, &setup.pretrained, head, precision)
        }
        Head::MaskedLM => of_pretraining::<ModelForMaskedLM>(directory, head, precision, &device),
        Head::NextSentencePrediction => {
            of_pretraining::<ModelForNextSentencePrediction>(directory, head, precision, &device)
        }
        Head::PreTraining => {
            of_pretraining::<ModelForPreTraining>(directory, head, precision, &device)
        }
    }
}

/// Where weights are on their way from one file to the other: nothing is computed there.
fn any_device() -> Result<Device> {
    let mut backends = bert_device::available();
    let backend = backends
        .find(|line| line.compiled_in)
        .context("no backend is in this build")?;
    Ok(DeviceSpec::new(backend.backend).open()?)
}

fn of_encoder(directory: &Path, precision: Precision, device: &Device) -> Result<OnnxModel> {
    let setup = SentenceEmbedder::open(directory, None)?;
    let (model, report) = setup.load(device)?;
    let encoder = model.encoder;
    let loaded = (SentenceEncoder { encoder }, report);
    of_model(loaded, &setup.pretrained, Head::None, precision)
}

fn of_pretraining<M: PretrainingModel>(
    directory: &Path,
    head: Head,
    precision: Precision,
    device: &Device,
) -> Result<OnnxModel> {
    let setup = Pretraining::<M>::open(directory, None, MaskingOptions::default())?;
    of_model(setup.load(device)?, &setup.pretrained, head, precision)
}

fn of_model<M: Module>(
    (model, report): (M, LoadReport),
    pretrained: &Pretrained,
    head: Head,
    precision: Precision,
) -> Result<OnnxModel> {
    print_files(pretrained);
    print_unknown_tensors(&report);
    Ok(OnnxModel::new(
        &model,
        &pretrained.encoder,
        head,
        precision,
    )?)
}
