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

    /// What a case says about the rows or tokens of its batch.
    type Labels;

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

    /// The labels of a case.
    ///
    /// # Errors
    /// The case has none for this head.
    fn labels(golden: &Golden, device: &Device) -> Result<Self::Labels, DoctorError>;

    /// The loss of a batch.
    ///
    /// # Errors
    /// The batch does not fit the model.
    fn loss(&self, input: EncoderInput, labels: &Self::Labels) -> Result<Tensor<1>, EncoderError>;
}

impl Model for ModelForSequenceClassification {
    const HEAD: &'static str = bert_text_classification::HEAD;

    type Labels = Labels;

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

    /// The case's number of labels and its `problem_type` decide their kind.
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

    fn loss(&self, input: EncoderInput, labels: &Labels) -> Result<Tensor<1>, EncoderError> {
        let logits = self.forward(input)?;
        Ok(bert_text_classification::loss(logits, labels.clone()))
    }
}

impl Model for ModelForTokenClassification {
    const HEAD: &'static str = bert_token_classification::HEAD;

    type Labels = Tensor<2, Int>;

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

    fn labels(golden: &Golden, device: &Device) -> Result<Self::Labels, DoctorError> {
        Ok(golden.ints("labels", device)?)
    }

    fn loss(&self, input: EncoderInput, labels: &Self::Labels) -> Result<Tensor<1>, EncoderError> {
        let logits = self.forward(input)?;
        Ok(bert_token_classification::loss(logits, labels.clone()))
    }
}

impl Model for ModelForQuestionAnswering {
    const HEAD: &'static str = bert_question_answering::HEAD;

    /// First and last tokens of the answers.
    type Labels = [Tensor<1, Int>; 2];

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

    fn labels(golden: &Golden, device: &Device) -> Result<Self::Labels, DoctorError> {
        Ok([
            golden.ints("start_positions", device)?,
            golden.ints("end_positions", device)?,
        ])
    }

    fn loss(&self, input: EncoderInput, labels: &Self::Labels) -> Result<Tensor<1>, EncoderError> {
        let logits = self.forward(input)?;
        let [first, last] = labels.clone();
        Ok(bert_question_answering::loss(logits, first, last))
    }
}

/// Labels of the models of pre-training, as far as a model has the heads.
#[derive(Debug)]
pub struct PretrainingLabels {
    masked: Option<MaskedTokens>,
    next_sentence: Option<Tensor<1, Int>>,
}

impl PretrainingLabels {
    fn of<M: PretrainingModel>(golden: &Golden, device: &Device) -> Result<Self, DoctorError> {
        let masked = || -> Result<_, DoctorError> {
            let labels: Tensor<2, Int> = golden.ints("labels", device)?;
            let labels: Vec<i32> = labels.into_data().iter::<i32>().collect();
            Ok(MaskedTokens::new(&labels, device))
        };
        let name = if M::PREDICTS_TOKENS {
            "next_sentence_label"
        } else {
            "labels"
        };
        let next_sentence = || golden.ints(name, device);
        Ok(Self {
            masked: M::PREDICTS_TOKENS.then(masked).transpose()?,
            next_sentence: M::PREDICTS_PAIRS.then(next_sentence).transpose()?,
        })
    }
}

/// The models of pre-training differ in their logits alone.
macro_rules! pretraining {
    ($model:ty, $logits:expr) => {
        impl Model for $model {
            const HEAD: &'static str = <Self as PretrainingModel>::HEAD;

            type Labels = PretrainingLabels;

            fn new(
                encoder: EncoderConfig,
                _labels: usize,
                device: &Device,
            ) -> Result<Self, EncoderError> {
                Self::init(&encoder, device)
            }

            fn keys(encoder: &EncoderConfig) -> Result<HeadKeys, EncoderError> {
                bert_pretraining::head_keys(encoder, <Self as PretrainingModel>::HEAD)
            }

            fn encoder(&self) -> &Encoder {
                &self.encoder
            }

            fn logits(&self, input: EncoderInput) -> Result<NamedLogits, EncoderError> {
                let named = $logits;
                Ok(named(self.forward(input)?))
            }

            fn labels(golden: &Golden, device: &Device) -> Result<Self::Labels, DoctorError> {
                PretrainingLabels::of::<Self>(golden, device)
            }

            fn loss(
                &self,
                input: EncoderInput,
                labels: &Self::Labels,
            ) -> Result<Tensor<1>, EncoderError> {
                let pairs = labels.next_sentence.clone();
                PretrainingModel::loss(self, input, labels.masked.as_ref(), pairs)
            }
        }
    };
}

pretraining!(ModelForMaskedLM, |tokens| {
    vec![("logits", Values::of(tokens))]
});
pretraining!(ModelForNextSentencePrediction, |pairs| {
    vec![("logits", Values::of(pairs))]
});
pretraining!(ModelForPreTraining, |(tokens, pairs)| {
    vec![
        ("prediction_logits", Values::of(tokens)),
        ("seq_relationship_logits", Values::of(pairs)),
    ]
});
