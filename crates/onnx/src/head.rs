//! What a model computes behind its encoder.

// B batch, S sequence, H hidden, C labels, V vocabulary

use bert_encoder::{EncoderConfig, Pooling};

use crate::encoder::{Encoded, path};
use crate::graph::{Graph, Value};

/// A head, which decides the outputs of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// None: `last_hidden_state` `[B, S, H]`.
    None,
    /// `logits` `[B, C]`.
    SequenceClassification,
    /// `logits` `[B, S, C]`.
    TokenClassification,
    /// `start_logits` and `end_logits` `[B, S]`.
    QuestionAnswering,
    /// `logits` `[B, S, V]`.
    MaskedLM,
    /// `logits` `[B, 2]`.
    NextSentencePrediction,
    /// `prediction_logits` `[B, S, V]` and `seq_relationship_logits` `[B, 2]`.
    PreTraining,
}

/// An output of a graph.
pub(crate) struct Output {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    pub(crate) axes: Axes,
}

/// The dimensions of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axes {
    /// `[B, n]`.
    Sequence(usize),
    /// `[B, S]`.
    Tokens,
    /// `[B, S, n]`.
    TokensOf(usize),
}

impl Head {
    /// Every head.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::SequenceClassification,
        Self::TokenClassification,
        Self::QuestionAnswering,
        Self::MaskedLM,
        Self::NextSentencePrediction,
        Self::PreTraining,
    ];

    /// What the names of its classes in transformers end in, such as `BertForMaskedLM`.
    pub fn class(self) -> &'static str {
        match self {
            Self::None => "Model",
            Self::SequenceClassification => "ForSequenceClassification",
            Self::TokenClassification => "ForTokenClassification",
            Self::QuestionAnswering => "ForQuestionAnswering",
            Self::MaskedLM => "ForMaskedLM",
            Self::NextSentencePrediction => "ForNextSentencePrediction",
            Self::PreTraining => "ForPreTraining",
        }
    }
}

impl Graph {
    pub(crate) fn head(
        &mut self,
        head: Head,
        config: &EncoderConfig,
        encoded: &Encoded,
    ) -> Vec<Output> {
        let hidden = &encoded.last_hidden_state;
        match head {
            Head::None => vec![Output {
                name: "last_hidden_state",
                value: hidden.clone(),
                axes: Axes::TokensOf(config.hidden_size),
            }],
            Head::SequenceClassification => {
                vec![self.of_sequence("logits", "classifier", config, encoded)]
            }
            Head::TokenClassification => {
                let value = self.of_tokens("classifier", config, hidden);
                let axes = Axes::TokensOf(self.outputs("classifier"));
                vec![Output {
                    name: "logits",
                    value,
                    axes,
                }]
            }
            Head::QuestionAnswering => self.spans(config, hidden),
            Head::MaskedLM => vec![self.predictions("logits", config, hidden)],
            Head::NextSentencePrediction => {
                vec![self.of_sequence("logits", "seq_relationship", config, encoded)]
            }
            Head::PreTraining => vec![
                self.predictions("prediction_logits", config, hidden),
                self.of_sequence(
                    "seq_relationship_logits",
                    "seq_relationship",
                    config,
                    encoded,
                ),
            ],
        }
    }

    /// Pooler and linear layer.
    fn of_sequence(
        &mut self,
        name: &'static str,
        part: &str,
        config: &EncoderConfig,
        encoded: &Encoded,
    ) -> Output {
        let pooled = self.within("pooler", |graph| {
            let hidden = &encoded.last_hidden_state;
            match (config.model_type.family().pooling)(config).pooling {
                Pooling::First => {
                    let first = graph.integer(0);
                    graph.gather(hidden, &first, 1)
                }
                Pooling::Mean => graph.mean(hidden, &encoded.real),
            }
        });
        let pooled = self.pooler(&pooled, config);
        Output {
            name,
            value: self.linear(&pooled, part),
            axes: Axes::Sequence(self.outputs(part)),
        }
    }

    /// The mean over the tokens of each row.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]`, `[B, S]` → `[B, H]`.
    fn mean(&mut self, hidden: &Value, real: &Value) -> Value {
        let weights = self.unsqueeze(real, &[-1]);
        let sum = self.mul(hidden, &weights);
        let sum = self.sum(&sum, 1);
        let count = self.sum(&weights, 1);
        let one = self.number(1.0);
        let count = self.node("Max", &[&count, &one], Vec::new());
        self.div(&sum, &count)
    }

    /// Linear layer, activation and, where the family has one, LayerNorm.
    ///
    /// # Shapes
    ///
    /// `[…, H]` → `[…, H]`.
    fn pooler(&mut self, x: &Value, config: &EncoderConfig) -> Value {
        let pooler = (config.model_type.family().pooling)(config);
        let dense = self.linear(x, "pooler.dense");
        self.within("pooler", |graph| {
            let activated = graph.activation(&dense, pooler.activation);
            match pooler.norm_eps {
                Some(epsilon) => graph.layer_norm(&activated, "pooler.norm", epsilon),
                None => activated,
            }
        })
    }

    /// A linear layer of every token, behind a pooler in families that have it.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, S, n]`.
    fn of_tokens(&mut self, part: &str, config: &EncoderConfig, hidden: &Value) -> Value {
        let pooled = match config.model_type.family().pools_tokens {
            true => self.pooler(hidden, config),
            false => hidden.clone(),
        };
        self.linear(&pooled, part)
    }

    fn spans(&mut self, config: &EncoderConfig, hidden: &Value) -> Vec<Output> {
        let logits = self.of_tokens("qa_outputs", config, hidden);
        let mut column = |name, index| {
            let index = self.integer(index);
            Output {
                name,
                value: self.gather(&logits, &index, 2),
                axes: Axes::Tokens,
            }
        };
        vec![column("start_logits", 0), column("end_logits", 1)]
    }

    /// A score for each token of the vocabulary.
    fn predictions(
        &mut self,
        name: &'static str,
        config: &EncoderConfig,
        hidden: &Value,
    ) -> Output {
        let value = self.within("predictions", |graph| {
            let dense = graph.linear(hidden, "predictions.dense");
            let activated = graph.activation(&dense, config.prediction_act());
            let norm = "predictions.layer_norm";
            let normed = graph.layer_norm(&activated, norm, config.layer_norm_eps);
            let scores = graph.by_rows(&normed, &path("embeddings.word_embeddings.weight"));
            let bias = graph.parameter("predictions.bias");
            graph.add(&scores, &bias)
        });
        let axes = Axes::TokensOf(config.vocab_size);
        Output { name, value, axes }
    }
}
