//! Several heads on one loaded encoder: its weights in memory once, one forward pass for all of them.
//!
//! A head is a model whose encoder is its field `encoder` and that has `forward_hidden(last_hidden_state)`; a pooler belongs
//! to its head. [`Heads`](crate::heads::Heads) shares the pooled output `[B, H]` instead where all heads pool alike.
//!
//! ```text
//! first checkpoint ──load──▶ model ──SharedEncoder::of──▶ encoder
//! other checkpoint ──admit (same bytes?)──▶ init ──equip──▶ load_head (its own tensors alone) ──▶ model
//! encodings ──Pretrained::forward_all, Encoder::forward──▶ last_hidden_state [B, S, H] ──forward_hidden of every head──▶ outputs
//! ```

use bert_encoder::{Encoder, EncoderConfig};
use bert_weights::{KeyMap, first_difference};

use crate::{Pretrained, TaskError};

/// An encoder, and what belongs to it.
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
            encoder: model.clone(),
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
        let family = self.pretrained.encoder.model_type.family();
        let keys = KeyMap::default().with_base_prefix(family.base_model_prefix);
        let tensors = family.encoder_prefixes();
        let tensors: Vec<&str> = tensors.iter().map(String::as_str).collect();
        if let Some(difference) = first_difference(own, other.checkpoint(), &keys, &tensors)? {
            return Err(differs(difference.to_string()));
        }
        if !self.pretrained.tokenizer.is_same_as(&other.tokenizer) {
            return Err(differs("the tokenizer is another".to_owned()));
        }
        Ok(())
    }

    /// Gives a freshly initialised model this encoder in place of its own, which has drawn no weights yet.
    pub fn equip(&self, model: &mut Encoder) {
        model.clone_from(&self.encoder);
    }

    /// The encoder itself.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The checkpoint that it is from, with its tokenizer.
    pub fn pretrained(&self) -> &Pretrained {
        &self.pretrained
    }
}

/// What the encoder computes with when it is not trained.
fn computed_with(config: &EncoderConfig) -> EncoderConfig {
    EncoderConfig {
        initializer_range: 0.0,
        ..config.clone().with_dropout(0.0)
    }
}
