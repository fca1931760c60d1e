use bert_kernels::masked_cross_entropy;
use bert_pretraining::PretrainingModel;
use bert_pretraining::metrics::{evaluate_masked_lm, evaluate_next_sentence};
use bert_report::Examination;
use bert_text::{Encoding, MaskedBlock, Tokenizer};
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::examine::{TokenDetail, is_sampled, of_pairs, of_tokens};
use super::predict::PairPrediction;
use super::split::masked_tokens;
use super::{Pretraining, Split};
use crate::inference::{MeanLoss, of_device, rows_of, scalar_of};
use crate::{Evaluation, Metrics, Position, RunOptions, TaskError};

/// The seed of masks and pairs in an evaluation. It is the same in every epoch of every run, so that figures can be
/// compared.
pub const EVALUATION_SEED: u64 = 0;
const FIXED: Position = Position {
    seed: EVALUATION_SEED,
    epoch: 0,
};
/// Masked tokens whose logits are computed at once. Each row of logits is a vocabulary wide, so those of a whole batch may
/// need too much memory.
const TOKENS_AT_ONCE: usize = 512;

/// The prediction for a masked token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPrediction {
    /// The row it is in.
    pub row: usize,
    /// Where it is in the row, `[CLS]` being 0.
    pub position: usize,
    /// Id of the most probable token.
    pub token: u32,
    /// Id of the true one.
    pub reference: u32,
}

/// The figures of an evaluation and the predictions that they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The figures.
    pub evaluation: Evaluation,
    /// The masked tokens in the order of the data; none without a head for them.
    pub tokens: Vec<TokenPrediction>,
    /// The pairs in the order of the data; none without a head for them.
    pub pairs: Vec<PairPrediction>,
}

/// What a batch says about its masked tokens and its pairs.
#[derive(Debug, Default, Serialize, Deserialize)]
struct BatchScores {
    tokens: Vec<TokenPrediction>,
    /// Mean losses, each with the number of tokens that it is the mean over.
    token_losses: Vec<(f32, usize)>,
    /// Of the masked tokens of some rows.
    token_details: Vec<TokenDetail>,
    /// The logits of each pair.
    pairs: Vec<Vec<f32>>,
    /// The mean over the pairs.
    pair_loss: f32,
}

impl BatchScores {
    /// Takes the hidden states of a batch.
    fn add_tokens<M: PretrainingModel>(
        &mut self,
        model: &M,
        last_hidden_state: Tensor<3>,
        rows: &[usize],
        blocks: &[&MaskedBlock],
        all_rows: usize,
    ) -> Result<(), TaskError> {
        let masked = masked_tokens(blocks, &last_hidden_state.device());
        if masked.count() == 0 {
            return Ok(());
        }
        let places = rows.iter().zip(blocks).flat_map(|(&row, block)| {
            let labelled = block.labelled();
            labelled.map(move |(position, reference)| (row, position, reference))
        });
        let places: Vec<(usize, usize, u32)> = places.collect();
        let hidden_mh = masked.select(last_hidden_state).split(TOKENS_AT_ONCE, 0);
        let labels_m = masked.labels().split(TOKENS_AT_ONCE, 0);
        let mut predicted: Vec<u32> = Vec::new();
        for (hidden, labels) in hidden_mh.into_iter().zip(labels_m) {
            let [count] = labels.dims();
            if let Some(logits) = model.prediction_logits(hidden) {
                let of_chunk = &places[predicted.len()..][..count];
                self.look_at(&logits, of_chunk, all_rows)?;
                let best = logits
                    .clone()
                    .argmax(1)
                    .try_into_data()
                    .map_err(of_device)?;
                predicted.extend(best.iter::<i64>().map(|id| id as u32));
                let mean = scalar_of(masked_cross_entropy(logits, labels))?;
                self.token_losses.push((mean, count));
            }
        }
        let tokens = places.into_iter().zip(predicted);
        self.tokens.extend(
            tokens.map(|((row, position, reference), token)| TokenPrediction {
                row,
                position,
                token,
                reference,
            }),
        );
        Ok(())
    }

    /// Takes the details of the tokens of sampled rows, given with the logits `[M, V]` of all: row, position, reference.
    fn look_at(
        &mut self,
        logits: &Tensor<2>,
        places: &[(usize, usize, u32)],
        all_rows: usize,
    ) -> Result<(), TaskError> {
        let sampled = places.iter().enumerate();
        let sampled: Vec<(usize, usize, u32)> = sampled
            .filter(|(_, (row, ..))| is_sampled(*row, all_rows))
            .map(|(index, &(row, _, reference))| (index, row, reference))
            .collect();
        if sampled.is_empty() {
            return Ok(());
        }
        let indices: Vec<i32> = sampled.iter().map(|&(index, ..)| index as i32).collect();
        let data = TensorData::new(indices, [sampled.len()]);
        let picked = Tensor::<1, Int>::from_data(data, &logits.device());
        let rows = rows_of(logits.clone().select(0, picked))?;
        let details = sampled.iter().zip(rows);
        self.token_details.extend(
            details.map(|(&(_, row, reference), logits)| TokenDetail::new(row, &logits, reference)),
        );
        Ok(())
    }

    /// Takes the logits `[B, 2]` of some pairs.
    fn add_pairs(
        &mut self,
        logits: Tensor<2>,
        rows: &[usize],
        split: &Split,
    ) -> Result<(), TaskError> {
        let classes = split.classes(rows, &logits.device());
        self.pair_loss = scalar_of(masked_cross_entropy(logits.clone(), classes))?;
        self.pairs = rows_of(logits)?;
        Ok(())
    }
}

/// The predictions so far.
#[derive(Debug, Default)]
struct Tally {
    tokens: Vec<TokenPrediction>,
    token_loss: MeanLoss,
    /// Of the masked tokens of some rows.
    token_details: Vec<TokenDetail>,
    /// With the row of each.
    pairs: Vec<(usize, PairPrediction)>,
    pair_loss: MeanLoss,
}

impl Tally {
    fn add(&mut self, rows: &[usize], batch: BatchScores) {
        self.tokens.extend(batch.tokens);
        self.token_details.extend(batch.token_details);
        for (mean, tokens) in batch.token_losses {
            self.token_loss.add(mean, tokens);
        }
        if !batch.pairs.is_empty() {
            self.pair_loss.add(batch.pair_loss, rows.len());
        }
        let pairs = batch.pairs.into_iter();
        let predictions = pairs.map(|logits| PairPrediction::new(logits, 0));
        self.pairs.extend(rows.iter().copied().zip(predictions));
    }

    /// Puts everything in the order of the data, and computes the figures.
    fn scored<M: PretrainingModel>(
        mut self,
        split: &Split,
        tokenizer: &Tokenizer,
    ) -> Result<Scored, TaskError> {
        self.tokens.sort_by_key(|one| (one.row, one.position));
        self.pairs.sort_by_key(|(row, _)| *row);
        let pairs: Vec<PairPrediction> = self.pairs.into_iter().map(|(_, pair)| pair).collect();
        let (token_loss, pair_loss) = (self.token_loss.mean(), self.pair_loss.mean());

        let mut metrics = Metrics::new();
        let mut add = |figures: Value| {
            if let Value::Object(figures) = figures {
                metrics.extend(figures);
            }
        };
        let (mut selected_by, mut score) = ("loss", -(token_loss + pair_loss));
        if M::PREDICTS_TOKENS {
            let found: Vec<u32> = self.tokens.iter().map(|one| one.token).collect();
            let references: Vec<u32> = self.tokens.iter().map(|one| one.reference).collect();
            add(json!(
                evaluate_masked_lm(&found, &references, token_loss).map_err(TaskError::metrics)?
            ));
            selected_by = "perplexity";
        }
        if M::PREDICTS_PAIRS {
            let found: Vec<bool> = pairs.iter().map(PairPrediction::is_next).collect();
            let references: Vec<bool> = split.next_sentence.iter().map(|&one| one == 0).collect();
            let figures =
                evaluate_next_sentence(&found, &references).map_err(TaskError::metrics)?;
            add(json!(figures));
            if M::PREDICTS_TOKENS {
                add(json!({"masked_lm_loss": token_loss, "next_sentence_loss": pair_loss}));
                selected_by = "loss";
            } else {
                (selected_by, score) = ("next_sentence_accuracy", figures.next_sentence_accuracy);
            }
        }
        let loss = token_loss + pair_loss;
        let mut examination = Examination::default();
        if M::PREDICTS_PAIRS {
            examination = of_pairs(&pairs, split, tokenizer);
        }
        if M::PREDICTS_TOKENS {
            let tokens = of_tokens(&self.tokens, &self.token_details, split, tokenizer);
            (examination.reliability, examination.worst) = (tokens.reliability, tokens.worst);
        }
        Ok(Scored {
            evaluation: Evaluation::of(&metrics, loss, selected_by, score).with(examination),
            tokens: self.tokens,
            pairs,
        })
    }
}

impl<M: PretrainingModel> Pretraining<M> {
    /// Scores a model: perplexity and accuracy of the masked tokens, accuracy of the pairs, as far as it has the heads.
    ///
    /// # Errors
    ///
    /// The data does not fit the model, or no token of it is masked.
    pub fn evaluate(
        &self,
        model: &M,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        let masked = self.masked_for_evaluation(split)?;
        let encodings: Vec<Encoding> = (0..split.len())
            .map(|row| match masked.get(row) {
                Some(block) => split.seen_as(row, block.input_ids.clone()),
                None => split.encoding(row),
            })
            .collect();
        let mut tally = Tally::default();
        let forward = |rows: &[usize], input| {
            let mut scores = BatchScores::default();
            let hidden_bsh = model.encoder().forward(input)?.last_hidden_state;
            if let Some(logits_b2) = model.seq_relationship_logits(hidden_bsh.clone()) {
                scores.add_pairs(logits_b2, rows, split)?;
            }
            if M::PREDICTS_TOKENS {
                let blocks: Vec<&MaskedBlock> = rows.iter().map(|&row| &masked[row]).collect();
                scores.add_tokens(model, hidden_bsh, rows, &blocks, split.len())?;
            }
            Ok(scores)
        };
        let take = |rows: &[usize], scores| tally.add(rows, scores);
        self.pretrained
            .forward_shared(&encodings, run, forward, take)?;
        tally.scored::<M>(split, &self.pretrained.tokenizer)
    }

    /// Makes sure that there is something to score, before anything is computed.
    ///
    /// # Errors
    ///
    /// The model predicts tokens, but none of these is masked in an evaluation.
    pub fn check_evaluation(&self, split: &Split) -> Result<(), TaskError> {
        self.masked_for_evaluation(split).map(drop)
    }

    /// One block a row; none at all for a model that predicts no tokens.
    fn masked_for_evaluation(&self, split: &Split) -> Result<Vec<MaskedBlock>, TaskError> {
        let Some(masker) = &self.masker else {
            return Ok(Vec::new());
        };
        let rows = 0..split.len();
        let masked: Vec<MaskedBlock> = rows.map(|row| split.masked(masker, row, FIXED)).collect();
        if masked.iter().any(|block| block.count() > 0) {
            return Ok(masked);
        }
        Err(TaskError::Labels {
            path: split.path.clone(),
            reason: "no token of it is masked, so there is nothing to score; give more text, or a larger \
                     --mlm-probability"
                .to_owned(),
        })
    }
}
