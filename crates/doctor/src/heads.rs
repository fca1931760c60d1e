//! The models that the golden files hold, each with its head.

use bert_encoder::{Encoder, EncoderConfig, EncoderError, EncoderInput, HeadKeys};
use bert_parity::{Golden, Values};
use bert_pretraining::{
    MaskedTokens, ModelForMaskedLM, ModelForNextSentencePrediction, ModelForPreTraining,
    PretrainingModel,
};
use bert_question_answering::{ModelForQuestionAnswering, QuestionAnsweringConfig};
use bert_text_classification::{
    Labels, ModelForSequenceClassification, ProblemType, SequenceClassificationConfig,
};
use bert_token_classification::{ModelForTokenClassification, TokenClassificationConfig};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::DoctorError;

/// The logits of a model by their names in a golden file.
pub type NamedLogits = Vec<(&'static str, Values)>;

/// A model with a head, as the golden files know it.
pub trait Model: Module {
    /// What the names of its classes in transformers end in.
    const HEAD: &'static str;

    /// Fresh weights; `labels` is the number of classes or values where the head has some.
    ///
    /// # Errors
    /// The configuration does not validate, or its family has no such head here.
    fn new(encoder: EncoderConfig, labels: usize, device: &Device) -> Result<Self, EncoderError>;

    /// The head's key map.
    ///
    /// # Errors
    /// The family has no such head here.
    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError>;

    /// The encoder.
    fn encoder(&self) -> &Encoder;

    /// The logits of a batch.
    ///
    /// # Errors
    /// The batch does not fit the model.
    fn logits(&self, input: EncoderInput) -> Result<NamedLogits, EncoderError>;

    /// The loss of a batch with the labels of a case.
    ///
    /// # Errors
    /// The batch does not fit the model, or the case has no labels for it.
    fn loss(&self, input: EncoderInput, golden: &Golden) -> Result<Tensor<1>, DoctorError>;
}

/// Labels of text classification, whose kind the case's number of labels and `problem_type` decide.
fn labels(golden: &Golden, device: &Device) -> Result<Labels, DoctorError> {
    let Ok(Values { shape, values }) = golden.floats("labels") else {
        return Ok(Labels::Classes(golden.ints("labels", device)?));
    };
    let columns = shape.get(1).copied().unwrap_or(1);
    let targets = Tensor::from_data(TensorData::new(values, [shape[0], columns]), device);
    let checkpoint = golden.checkpoint()?;
    let stated = checkpoint.config().get("problem_type");
    let stated = stated.and_then(|stated| serde_json::from_value(stated.clone()).ok());
    Ok(match stated {
        Some(ProblemType::MultiLabelClassification) => Labels::MultiHot(targets),
        _ => Labels::Values(targets),
    })
}

/// Which tokens a case masks.
fn masked(golden: &Golden, device: &Device) -> Result<MaskedTokens, DoctorError> {
    let labels: Tensor<2, Int> = golden.ints("labels", device)?;
    let labels: Vec<i32> = labels.into_data().iter::<i32>().collect();
    Ok(MaskedTokens::new(&labels, device))
}

impl Model for ModelForSequenceClassification {
    const HEAD: &'static str = bert_text_classification::HEAD;

    fn new(
        encoder: EncoderConfig,
        num_labels: usize,
        device: &Device,
    ) -> Result<Self, EncoderError> {
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

    fn logits(&self, input: EncoderInput) -> Result<NamedLogits, EncoderError> {
        Ok(vec![("logits", Values::of(self.forward(input)?))])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> Result<Tensor<1>, DoctorError> {
        let logits = self.forward(input)?;
        let labels = labels(golden, &logits.device())?;
        Ok(bert_text_classification::loss(logits, labels))
    }
}

impl Model for ModelForTokenClassification {
    const HEAD: &'static str = bert_token_classification::HEAD;

    fn new(
        encoder: EncoderConfig,
        num_labels: usize,
        device: &Device,
    ) -> Result<Self, EncoderError> {
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

    fn logits(&self, input: EncoderInput) -> Result<NamedLogits, EncoderError> {
        Ok(vec![("logits", Values::of(self.forward(input)?))])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> Result<Tensor<1>, DoctorError> {
        let logits = self.forward(input)?;
        let labels = golden.ints("labels", &logits.device())?;
        Ok(bert_token_classification::loss(logits, labels))
    }
}

impl Model for ModelForQuestionAnswering {
    const HEAD: &'static str = bert_question_answering::HEAD;

    fn new(encoder: EncoderConfig, _labels: usize, device: &Device) -> Result<Self, EncoderError> {
        QuestionAnsweringConfig { encoder }.init(device)
    }

    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
        bert_question_answering::head_keys(encoder.model_type)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn logits(&self, input: EncoderInput) -> Result<NamedLogits, EncoderError> {
        let logits = self.forward(input)?;
        Ok(vec![
            ("start_logits", Values::of(logits.start_logits)),
            ("end_logits", Values::of(logits.end_logits)),
        ])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> Result<Tensor<1>, DoctorError> {
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

    fn new(encoder: EncoderConfig, _labels: usize, device: &Device) -> Result<Self, EncoderError> {
        Self::init(&encoder, device)
    }

    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
        bert_pretraining::head_keys(encoder, <Self as PretrainingModel>::HEAD)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn logits(&self, input: EncoderInput) -> Result<NamedLogits, EncoderError> {
        Ok(vec![("logits", Values::of(self.forward(input)?))])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> Result<Tensor<1>, DoctorError> {
        let masked = masked(golden, &on(&self.encoder))?;
        Ok(PretrainingModel::loss(self, input, Some(&masked), None)?)
    }
}

impl Model for ModelForNextSentencePrediction {
    const HEAD: &'static str = <Self as PretrainingModel>::HEAD;

    fn new(encoder: EncoderConfig, _labels: usize, device: &Device) -> Result<Self, EncoderError> {
        Self::init(&encoder, device)
    }

    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
        bert_pretraining::head_keys(encoder, <Self as PretrainingModel>::HEAD)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn logits(&self, input: EncoderInput) -> Result<NamedLogits, EncoderError> {
        Ok(vec![("logits", Values::of(self.forward(input)?))])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> Result<Tensor<1>, DoctorError> {
        let labels = golden.ints("labels", &on(&self.encoder))?;
        Ok(PretrainingModel::loss(self, input, None, Some(labels))?)
    }
}

impl Model for ModelForPreTraining {
    const HEAD: &'static str = <Self as PretrainingModel>::HEAD;

    fn new(encoder: EncoderConfig, _labels: usize, device: &Device) -> Result<Self, EncoderError> {
        Self::init(&encoder, device)
    }

    fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
        bert_pretraining::head_keys(encoder, <Self as PretrainingModel>::HEAD)
    }

    fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    fn logits(&self, input: EncoderInput) -> Result<NamedLogits, EncoderError> {
        let (tokens, pairs) = self.forward(input)?;
        Ok(vec![
            ("prediction_logits", Values::of(tokens)),
            ("seq_relationship_logits", Values::of(pairs)),
        ])
    }

    fn loss(&self, input: EncoderInput, golden: &Golden) -> Result<Tensor<1>, DoctorError> {
        let on = on(&self.encoder);
        let masked = masked(golden, &on)?;
        let pairs = golden.ints("next_sentence_label", &on)?;
        let (masked, pairs) = (Some(&masked), Some(pairs));
        Ok(PretrainingModel::loss(self, input, masked, pairs)?)
    }
}

/// The device of an encoder.
fn on(encoder: &Encoder) -> Device {
    encoder.embeddings.word_embeddings.weight.val().device()
}
