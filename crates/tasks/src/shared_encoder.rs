//! Several heads on one loaded encoder: its weights in memory once, one forward pass for all of them.
//!
//! A head is a model whose encoder is its field `bert` and that has `forward_hidden(last_hidden_state)`; a pooler belongs
//! to its head.
//!
//! ```text
//! first checkpoint ──load──▶ model ──SharedEncoder::of──▶ encoder
//! other checkpoint ──admit (same bytes?)──▶ init ──equip──▶ load_head (its own tensors alone) ──▶ model
//! encodings ──SharedEncoder::forward_all──▶ last_hidden_state [B, S, H] ──forward_hidden of every head──▶ outputs
//! ```

use bert_encoder::{Encoder, EncoderConfig};
use bert_text::Encoding;
use bert_weights::checkpoint::first_difference;
use burn::tensor::Tensor;

use crate::{Pretrained, RunOptions, TaskError};

/// The encoder's tensors in a checkpoint.
const TENSORS: [&str; 2] = ["bert.embeddings", "bert.encoder"];

/// An encoder without a pooler, and what belongs to it.
#[derive(Debug)]
pub struct SharedEncoder {
    pretrained: Pretrained,
    encoder: Encoder,
}

impl SharedEncoder {
    /// The encoder of a loaded model. Its tensors are counted references to those of the model.
    pub fn of(pretrained: &Pretrained, model: &Encoder) -> Self {
        Self {
            pretrained: pretrained.clone(),
            encoder: Encoder {
                pooler: None,
                ..model.clone()
            },
        }
    }

    /// Says whether another checkpoint's encoder is this one: the same bytes, the same configuration (dropouts aside), and
    /// the same tokenizer.
    ///
    /// # Errors
    ///
    /// It is not, and what differs first; or a file cannot be read.
    pub fn admit(&self, other: &Pretrained) -> Result<(), TaskError> {
        let own = self.pretrained.checkpoint();
        let differs = |what: String| {
            other.unfit(format!(
                "its encoder is not that of {}: {what}; heads share an encoder when they were trained with `--tune head` \
                 from one checkpoint",
                own.path().display()
            ))
        };
        if computed_with(&self.pretrained.encoder) != computed_with(&other.encoder) {
            return Err(differs(
                "config.json has other sizes or functions".to_owned(),
            ));
        }
        if let Some(difference) = first_difference(own, other.checkpoint(), &TENSORS)? {
            return Err(differs(difference.to_string()));
        }
        if !self.pretrained.tokenizer.is_same_as(&other.tokenizer) {
            return Err(differs("the tokenizer is another".to_owned()));
        }
        Ok(())
    }

    /// Gives a freshly initialised model this encoder in place of its own, which has drawn no weights yet.
    pub fn equip(&self, model: &mut Encoder) {
        model.embeddings = self.encoder.embeddings.clone();
        model.layers = self.encoder.layers.clone();
    }

    /// Hands all encodings to the encoder, batch by batch, similar lengths together, and its last hidden state
    /// `[B, S, H]` with the indices of the batch's encodings to `heads`.
    ///
    /// # Errors
    ///
    /// The encodings do not fit the encoder, or what `heads` returns.
    pub fn forward_all(
        &self,
        encodings: &[Encoding],
        run: RunOptions<'_>,
        mut heads: impl FnMut(&[usize], Tensor<3>) -> Result<(), TaskError>,
    ) -> Result<(), TaskError> {
        let forward =
            |rows: &[usize], input| heads(rows, self.encoder.forward(input)?.last_hidden_state);
        self.pretrained.forward_all(encodings, run, forward)
    }
}

/// What the encoder computes with when it is not trained.
fn computed_with(config: &EncoderConfig) -> EncoderConfig {
    EncoderConfig {
        initializer_range: 0.0,
        ..config.clone().with_dropout(0.0)
    }
}
