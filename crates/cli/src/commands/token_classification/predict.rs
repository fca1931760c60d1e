//! `bert predict token-classification`

use anyhow::Result;
use bert_text::TokensInput;
use bert_token_classification::BertForTokenClassification;
use bert_token_classification::aggregation::{Aggregation, Entity};
use bert_token_classification::transitions::Transitions;
use bert_train::token_classification::TokenClassifier;
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{load, open};
use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    /// How sub-tokens become entities, as in transformers' pipeline; first: a word has the tag of its first sub-token,
    /// the one that training labels
    #[arg(long, value_enum, default_value_t = AggregationWord::First)]
    aggregation: AggregationWord,
    /// Predict the best sequence of tags without a malformed entity (no I- after O), not the best tag of each word
    #[arg(long)]
    constrained: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AggregationWord {
    /// Every sub-token that is not O is listed, with its "entity" and "index"
    None,
    /// Neighbouring sub-tokens of one type are an entity
    Simple,
    /// As simple, but a word has the tag of its first sub-token
    First,
    /// As simple, but the scores of a word are the mean of its sub-tokens'
    Average,
    /// As simple, but a word has the tag of its sub-token with the highest score
    Max,
}

impl AggregationWord {
    fn aggregation(self) -> Aggregation {
        match self {
            Self::None => Aggregation::None,
            Self::Simple => Aggregation::Simple,
            Self::First => Aggregation::First,
            Self::Average => Aggregation::Average,
            Self::Max => Aggregation::Max,
        }
    }
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let flags = &args.flags;
    let input = Input::open(flags)?;
    let device = flags.runtime.open()?;
    let classifier = open(&flags.model, flags.max_length)?;
    let model = load(&classifier, &device)?;
    let transitions = args
        .constrained
        .then(|| Transitions::of(classifier.labels.names()));
    input.answer_all(&Predictor {
        args,
        classifier,
        model,
        transitions,
        device,
    })
}

struct Predictor<'a> {
    args: &'a PredictArgs,
    classifier: TokenClassifier,
    model: BertForTokenClassification,
    transitions: Option<Transitions>,
    device: Device,
}

#[derive(Debug, Serialize)]
struct Record<'a> {
    entities: Vec<Entity>,
    /// Of each sub-token, in id order.
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<&'a [Vec<f32>]>,
    /// Of each sub-token, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    offsets: Option<&'a [(usize, usize)]>,
}

impl Answer for Predictor<'_> {
    type Input = TokensInput;

    fn answer(&self, inputs: &[TokensInput], results: &mut Results) -> Result<usize> {
        let flags = &self.args.flags;
        let predictions = self.classifier.predict(
            &self.model,
            inputs,
            flags.batch_size,
            &self.device,
            &mut |_| {},
        )?;
        let aggregation = self.args.aggregation.aggregation();
        for prediction in &predictions {
            let entities =
                self.classifier
                    .entities(prediction, aggregation, self.transitions.as_ref());
            results.json_line(&Record {
                entities,
                logits: flags.logits.then_some(&*prediction.logits),
                offsets: flags.logits.then_some(&*prediction.pieces.offsets),
            })?;
        }
        // Long texts are cut into windows, so none loses anything.
        Ok(0)
    }

    fn max_length(&self) -> usize {
        self.classifier.pretrained.max_length
    }
}
