//! Every family of encoders with every head against transformers: hidden states, logits, loss, the gradient of every
//! parameter, ten optimiser steps.

use bert_encoder::{
    Encoder, EncoderConfig, EncoderError, EncoderInput, HeadKeys, ModelType, PaddedInput, Want,
};
use bert_pretraining::{MaskedTokens, ModelForMaskedLM, PretrainingModel};
use bert_question_answering::{ModelForQuestionAnswering, QuestionAnsweringConfig};
use bert_tasks::{BatchLoss, TaskError, key_map};
use bert_testing::head::check_loss_and_gradients;
use bert_testing::model::ragged;
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_close_number,
    with_and_without_kernels,
};
use bert_text_classification::{
    Labels, ModelForSequenceClassification, SequenceClassificationConfig,
};
use bert_token_classification::{ModelForTokenClassification, TokenClassificationConfig};
use bert_train::{AdamW, Schedule, ScheduleShape, Stepper};
use bert_weights::{
    Checkpoint, Export, KeyMap, LoadOptions, first_difference, load, read_config, save,
};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

with_and_without_kernels!(
    sequence_classification,
    token_classification,
    question_answering,
    masked_lm,
    settings_of_deberta,
);

/// Golden models of one family that differ in their settings.
const DEBERTAS: [&str; 4] = [
    "deberta-v2-xlarge",
    "deberta-v2-c2p",
    "deberta-v2-p2c",
    "deberta-v2-plain",
];

/// The labels of the golden classifiers.
const LABELS: usize = 5;
/// Other configurations of a family.
const VARIANTS: [(&str, ModelType); 1] = [("modernbert-biases", ModelType::Modernbert)];
/// Real tokens of each row of the golden batches.
const LENGTHS: [usize; 3] = [7, 4, 2];

/// A model with a head, as the golden files know it.
trait Model: Module {
    /// What the names of its classes in transformers end in.
    const HEAD: &'static str;

    fn new(encoder: EncoderConfig, device: &Device) -> Result<Self, EncoderError>;
    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError>;
    fn encoder(&self) -> &Encoder;
    /// The logits by their names in the golden file.
    fn logits(&self, input: EncoderInput) -> Result<Vec<(&'static str, Values)>, EncoderError>;
    fn loss(&self, input: EncoderInput, golden: &Golden) -> anyhow::Result<Tensor<1>>;
}

fn sequence_classification(device: &TestDevice) -> anyhow::Result<()> {
    check_families::<ModelForSequenceClassification>(device)
}

fn token_classification(device: &TestDevice) -> anyhow::Result<()> {
    check_families::<ModelForTokenClassification>(device)
}

fn question_answering(device: &TestDevice) -> anyhow::Result<()> {
    check_families::<ModelForQuestionAnswering>(device)
}

fn masked_lm(device: &TestDevice) -> anyhow::Result<()> {
    check_families::<ModelForMaskedLM>(device)
}

fn check_families<M: Model>(device: &TestDevice) -> anyhow::Result<()> {
    for model_type in ModelType::ALL {
        // BERT has cases of its own. The others of RoBERTa's kind differ from it in their names alone.
        let is_robertas_kin = [ModelType::XlmRoberta, ModelType::Camembert].contains(&model_type);
        let is_covered = model_type == ModelType::Bert
            || is_robertas_kin && M::HEAD != ModelForSequenceClassification::HEAD;
        if !is_covered {
            check_case::<M>(device, model_type.name(), model_type)?;
        }
    }
    for (name, model_type) in VARIANTS {
        check_case::<M>(device, name, model_type)?;
    }
    Ok(())
}

fn settings_of_deberta(device: &TestDevice) -> anyhow::Result<()> {
    let family = ModelType::DebertaV2;
    for name in DEBERTAS {
        check_case::<ModelForSequenceClassification>(device, name, family)?;
    }
    check_case::<ModelForMaskedLM>(device, "deberta-v2-lm-predictions", family)
}

/// `name` is that of the folder.
fn check_case<M: Model>(
    device: &TestDevice,
    name: &str,
    model_type: ModelType,
) -> anyhow::Result<()> {
    let golden = Golden::open(&format!("families/{name}/{}", M::HEAD))?;
    let on = device.autodiff();
    let checkpoint = golden.checkpoint()?;
    let encoder: EncoderConfig = read_config(&checkpoint)?;
    assert_eq!(encoder.model_type, model_type);
    let keys = key_map(model_type, &M::keys(&encoder)?);
    let model = M::new(encoder, &on)?;
    let (model, _) = load(model, &checkpoint, &keys, &LoadOptions::default())?;
    check_export(&checkpoint, &model, &keys)?;

    let input = golden.input("", &on)?;
    check_hidden_states(device, &golden, model.encoder(), &input)?;
    for (name, found) in model.logits(input.clone().into())? {
        let expected = golden.floats(name)?;
        assert_close(device, Quantity::Output, golden.case(), &found, &expected);
    }
    let loss = model.loss(input.into(), &golden)?;
    check_loss_and_gradients(device, &golden, &model, loss, &keys)?;
    check_steps(device, &golden, model)
}

/// What is written again has the same tensors, byte for byte.
fn check_export<M: Module>(
    checkpoint: &Checkpoint,
    model: &M,
    keys: &KeyMap,
) -> anyhow::Result<()> {
    let export = Export {
        config: checkpoint.config().clone(),
        tokenizer_files: &[],
    };
    let dir = tempfile::tempdir()?;
    save(model, keys, &export, dir.path())?;
    let exported = Checkpoint::open(dir.path())?;
    let tensors = checkpoint.tensors().iter();
    let names: Vec<&str> = tensors.map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(exported.tensors().len(), names.len());
    assert_eq!(first_difference(checkpoint, &exported, keys, &names)?, None);
    Ok(())
}

/// Every hidden state of the padded batch, and the last one of the same sequences without padding.
fn check_hidden_states(
    device: &TestDevice,
    golden: &Golden,
    encoder: &Encoder,
    input: &PaddedInput,
) -> anyhow::Result<()> {
    let want = Want {
        hidden_states: true,
        attentions: false,
    };
    let output = encoder.forward_with(input.clone().into(), want)?;
    let count = golden.names_under("hidden_states.")?.len();
    assert_eq!(output.hidden_states.len(), count, "{}", golden.case());
    for (index, state) in output.hidden_states.into_iter().enumerate() {
        let name = format!("{} hidden_states.{index}", golden.case());
        let expected = golden.floats(&format!("hidden_states.{index}"))?;
        assert_close(
            device,
            Quantity::Output,
            &name,
            &Values::of(state),
            &expected,
        );
    }
    let packed = encoder.forward(ragged(input, &LENGTHS).into())?;
    for (row, length) in LENGTHS.into_iter().enumerate() {
        let real = |hidden: Tensor<3>| {
            let row = hidden.narrow(0, row, 1).narrow(1, 0, length);
            Values::of(row)
        };
        assert_close(
            device,
            Quantity::Output,
            &format!("{} row {row} without padding", golden.case()),
            &real(packed.last_hidden_state.clone()),
            &real(output.last_hidden_state.clone()),
        );
    }
    Ok(())
}

fn check_steps<M: Model>(device: &TestDevice, golden: &Golden, mut model: M) -> anyhow::Result<()> {
    let schedule = Schedule {
        shape: ScheduleShape::Linear,
        peak: golden.number("/settings/learning_rate")?,
        warmup_steps: golden.index("/settings/warmup_steps")?,
        total_steps: golden.index("/settings/total_steps")?,
    };
    let optimizer = AdamW::new(golden.number("/settings/weight_decay")?);
    let max_norm = golden.number("/settings/max_gradient_norm")?;
    let mut stepper = Stepper::new(optimizer, Some(max_norm), 0);
    let on = device.autodiff();
    let input = golden.input("", &on)?;
    let batches = [(input, LABELS as f64)];
    for step in 0..schedule.total_steps {
        let batch_loss = |model: &M, input: &PaddedInput| {
            let [rows, columns] = input.input_ids.dims();
            let loss = model.loss(input.clone().into(), golden);
            Ok::<_, TaskError>(BatchLoss {
                loss: loss.expect("the golden batch fits the model"),
                tokens: rows * columns,
            })
        };
        let rate = schedule.learning_rate(step);
        let outcome;
        (model, outcome) = stepper.step(model, &batches, rate, &on, batch_loss)?;
        let what = format!("{} step {step}", golden.case());
        let expected = |key: &str| golden.number(&format!("/steps/{step}/{key}"));
        let (loss, norm) = (expected("loss")?, expected("gradient_norm")?);
        assert_close_number(device, Quantity::TrainingLoss, &what, outcome.loss, loss);
        assert_close_number(
            device,
            Quantity::GradientNorm,
            &what,
            outcome.grad_norm,
            norm,
        );
    }
    Ok(())
}

impl Model for ModelForSequenceClassification {
    const HEAD: &'static str = bert_text_classification::HEAD;

    fn new(encoder: EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        let num_labels = LABELS;
        SequenceClassificationConfig {
            encoder,
            num_labels,
        }
        .init(device)
    }

    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
        bert_text_classification::head_keys(encoder.model_type)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn logits(&self, input: EncoderInput) -> Result<Vec<(&'static str, Values)>, EncoderError> {
        Ok(vec![("logits", Values::of(self.forward(input)?))])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> anyhow::Result<Tensor<1>> {
        let logits = self.forward(input)?;
        let labels = golden.ints("labels", &logits.device())?;
        Ok(bert_text_classification::loss(
            logits,
            Labels::Classes(labels),
        ))
    }
}

impl Model for ModelForTokenClassification {
    const HEAD: &'static str = bert_token_classification::HEAD;

    fn new(encoder: EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        let num_labels = LABELS;
        TokenClassificationConfig {
            encoder,
            num_labels,
        }
        .init(device)
    }

    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
        bert_token_classification::head_keys(encoder.model_type)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn logits(&self, input: EncoderInput) -> Result<Vec<(&'static str, Values)>, EncoderError> {
        Ok(vec![("logits", Values::of(self.forward(input)?))])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> anyhow::Result<Tensor<1>> {
        let logits = self.forward(input)?;
        let labels = golden.ints("labels", &logits.device())?;
        Ok(bert_token_classification::loss(logits, labels))
    }
}

impl Model for ModelForQuestionAnswering {
    const HEAD: &'static str = bert_question_answering::HEAD;

    fn new(encoder: EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        QuestionAnsweringConfig { encoder }.init(device)
    }

    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
        bert_question_answering::head_keys(encoder.model_type)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn logits(&self, input: EncoderInput) -> Result<Vec<(&'static str, Values)>, EncoderError> {
        let logits = self.forward(input)?;
        Ok(vec![
            ("start_logits", Values::of(logits.start_logits)),
            ("end_logits", Values::of(logits.end_logits)),
        ])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> anyhow::Result<Tensor<1>> {
        let logits = self.forward(input)?;
        let on = logits.start_logits.device();
        let positions = |name: &str| golden.ints::<1>(name, &on);
        Ok(bert_question_answering::loss(
            logits,
            positions("start_positions")?,
            positions("end_positions")?,
        ))
    }
}

impl Model for ModelForMaskedLM {
    const HEAD: &'static str = <Self as PretrainingModel>::HEAD;

    fn new(encoder: EncoderConfig, device: &Device) -> Result<Self, EncoderError> {
        Self::init(&encoder, device)
    }

    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
        bert_pretraining::head_keys(encoder, <Self as PretrainingModel>::HEAD)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn logits(&self, input: EncoderInput) -> Result<Vec<(&'static str, Values)>, EncoderError> {
        Ok(vec![("logits", Values::of(self.forward(input)?))])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> anyhow::Result<Tensor<1>> {
        let words = &self.encoder.embeddings.word_embeddings.weight;
        let on = words.val().device();
        let labels: Tensor<2, Int> = golden.ints("labels", &on)?;
        let labels: Vec<i32> = labels.into_data().iter::<i32>().collect();
        let masked = MaskedTokens::new(&labels, &on);
        Ok(PretrainingModel::loss(self, input, Some(&masked), None)?)
    }
}
