// B sentences, S positions, D numbers of a vector

use std::ops::Range;

use bert_encoder::{Encoder, EncoderError, EncoderInput};
use burn::module::Module;
use burn::tensor::Tensor;

use crate::{Dense, Pooling, normalize};

/// The part of a model of sentence embeddings that is in the checkpoint of an encoder: the encoder alone.
#[derive(Module, Debug)]
pub struct SentenceEncoder {
    /// Token ids to hidden states.
    pub encoder: Encoder,
}

/// What a model does with a pooled vector.
#[derive(Debug, Clone)]
pub enum Step {
    /// A linear layer and an activation.
    Dense(Dense),
    /// Division by the Euclidean length.
    Normalize,
}

impl Step {
    fn forward(&self, vectors: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Dense(dense) => dense.forward(vectors),
            Self::Normalize => normalize(vectors),
        }
    }
}

/// An encoder, the pooling of its hidden states, and what comes after.
#[derive(Debug, Clone)]
pub struct SentenceEmbeddingModel {
    /// Token ids to hidden states.
    pub encoder: Encoder,
    /// Hidden states to one vector for each sentence.
    pub pooling: Pooling,
    /// What is done with the vectors, in this order.
    pub steps: Vec<Step>,
}

impl SentenceEmbeddingModel {
    /// The vectors of a batch. `tokens` are the positions of each sentence that are pooled: all that are real, or those behind
    /// a prompt.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, D]`.
    ///
    /// # Errors
    ///
    /// The input does not fit the encoder, or there are not positions for each sentence, all of them within it.
    ///
    /// # Panics
    ///
    /// A sentence has no token that is pooled.
    pub fn forward(
        &self,
        input: EncoderInput,
        tokens: &[Range<usize>],
    ) -> Result<Tensor<2>, EncoderError> {
        let positions = tokens.iter().cloned();
        let positions: Vec<Vec<usize>> = positions.map(|one| self.pooling.positions(one)).collect();
        let hidden = self.encoder.forward_selected(input, &positions)?;
        let pooled = self.pooling.forward(hidden, &positions);
        Ok(self
            .steps
            .iter()
            .fold(pooled, |vectors, step| step.forward(vectors)))
    }
}
