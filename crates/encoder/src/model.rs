// B batch, S sequence, T = B · S tokens, N heads, H hidden

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Int, Tensor};

use crate::init::linear;
use crate::{BertConfig, BertEmbeddings, BertLayer, EncoderError};

/// One batch for the encoder.
#[derive(Debug, Clone)]
pub struct BertInput {
    /// Token ids `[B, S]`, each below `vocab_size`.
    pub input_ids: Tensor<2, Int>,
    /// Segment of each token `[B, S]`; all zero when `None`.
    pub token_type_ids: Option<Tensor<2, Int>>,
    /// One for a real token, zero for padding `[B, S]`; no padding when `None`.
    pub attention_mask: Option<Tensor<2, Int>>,
}

impl BertInput {
    /// A batch of one segment without padding.
    pub fn new(input_ids: Tensor<2, Int>) -> Self {
        Self {
            input_ids,
            token_type_ids: None,
            attention_mask: None,
        }
    }
}

/// What a forward pass returns beside the last hidden state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Want {
    /// The output of the embeddings and of every layer.
    pub hidden_states: bool,
    /// The attention probabilities of every layer.
    pub attentions: bool,
}

/// The result of a forward pass.
#[derive(Debug, Clone)]
pub struct BertOutput {
    /// Output of the last layer `[B, S, H]`.
    pub last_hidden_state: Tensor<3>,
    /// tanh(dense(first token)) `[B, H]`, when the encoder has a pooler.
    pub pooler_output: Option<Tensor<2>>,
    /// Embeddings, then each layer's output, `[B, S, H]` each; empty unless wanted.
    pub hidden_states: Vec<Tensor<3>>,
    /// Attention probabilities of each layer before dropout, `[B, N, S, S]` each; empty unless wanted.
    pub attentions: Vec<Tensor<4>>,
}

/// Whether an encoder carries the pooler. Sentence-level heads need it; token-level heads do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// With the pooler.
    Pooler,
    /// Without it.
    None,
}

/// The first token's hidden state through dense and tanh.
#[derive(Module, Debug)]
pub struct BertPooler {
    /// `[H, H]`.
    pub dense: Linear,
}

/// The encoder: embeddings, layers and, if wanted, the pooler.
#[derive(Module, Debug)]
pub struct BertModel {
    /// Word, position and token type embeddings.
    pub embeddings: BertEmbeddings,
    /// The layers, first to last.
    pub layers: Vec<BertLayer>,
    /// The pooler.
    pub pooler: Option<BertPooler>,
}

impl BertConfig {
    /// An encoder with pooler and fresh weights.
    ///
    /// # Errors
    ///
    /// The configuration does not [validate](Self::validate).
    pub fn init(&self, device: &Device) -> Result<BertModel, EncoderError> {
        self.init_with(Pooling::Pooler, device)
    }

    /// An encoder with fresh weights.
    ///
    /// # Errors
    ///
    /// The configuration does not [validate](Self::validate).
    pub fn init_with(&self, pooling: Pooling, device: &Device) -> Result<BertModel, EncoderError> {
        self.validate()?;
        let layer = |_| BertLayer::new(self, device);
        let pooler = || BertPooler {
            dense: linear(
                self.hidden_size,
                self.hidden_size,
                self.initializer_range,
                device,
            ),
        };
        Ok(BertModel {
            embeddings: BertEmbeddings::new(self, device),
            layers: (0..self.num_hidden_layers).map(layer).collect(),
            pooler: (pooling == Pooling::Pooler).then(pooler),
        })
    }
}

impl BertPooler {
    /// Pools a batch.
    ///
    /// # Shapes
    ///
    /// `[B, S, H]` → `[B, H]`.
    pub fn forward(&self, hidden_states: Tensor<3>) -> Tensor<2> {
        let first_bh = hidden_states.narrow(1, 0, 1).squeeze_dim::<2>(1);
        self.dense.forward(first_bh).tanh()
    }
}

impl BertModel {
    /// Encodes a batch.
    ///
    /// # Errors
    ///
    /// The batch is empty, longer than the position table, or its tensors differ in shape.
    pub fn forward(&self, input: BertInput) -> Result<BertOutput, EncoderError> {
        self.forward_with(input, Want::default())
    }

    /// Encodes a batch and returns the intermediate results that are wanted.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_with(&self, input: BertInput, want: Want) -> Result<BertOutput, EncoderError> {
        let [batch, sequence] = self.check(&input)?;
        let BertInput {
            input_ids,
            token_type_ids,
            attention_mask,
        } = input;
        let token_type_ids = token_type_ids.unwrap_or_else(|| input_ids.zeros_like());
        let embedded_bsh = self.embeddings.forward(input_ids, token_type_ids);
        let [_, _, width] = embedded_bsh.dims();
        let mask_b11s = attention_mask.map(additive_mask);

        let mut hidden_th = embedded_bsh.reshape([batch * sequence, width]);
        let mut hidden_states = Vec::new();
        let mut attentions = Vec::new();
        let batched = |x: &Tensor<2>| x.clone().reshape([batch, sequence, width]);
        for layer in &self.layers {
            if want.hidden_states {
                hidden_states.push(batched(&hidden_th));
            }
            let (output_th, probabilities_bnss) =
                layer.forward(hidden_th, batch, mask_b11s.clone(), want.attentions);
            hidden_th = output_th;
            attentions.extend(probabilities_bnss);
        }
        let last_hidden_state = batched(&hidden_th);
        if want.hidden_states {
            hidden_states.push(last_hidden_state.clone());
        }
        let pool = |pooler: &BertPooler| pooler.forward(last_hidden_state.clone());
        Ok(BertOutput {
            pooler_output: self.pooler.as_ref().map(pool),
            last_hidden_state,
            hidden_states,
            attentions,
        })
    }

    fn check(&self, input: &BertInput) -> Result<[usize; 2], EncoderError> {
        let expected = input.input_ids.dims();
        let [batch_size, sequence_length] = expected;
        if batch_size == 0 || sequence_length == 0 {
            return Err(EncoderError::EmptyInput {
                batch_size,
                sequence_length,
            });
        }
        let max_position_embeddings = self.embeddings.max_position_embeddings();
        if sequence_length > max_position_embeddings {
            return Err(EncoderError::SequenceTooLong {
                sequence_length,
                max_position_embeddings,
            });
        }
        let others = [
            ("token_type_ids", &input.token_type_ids),
            ("attention_mask", &input.attention_mask),
        ];
        for (name, tensor) in others {
            match tensor.as_ref().map(|tensor| tensor.dims()) {
                Some(found) if found != expected => {
                    return Err(EncoderError::InputShape {
                        name,
                        found,
                        expected,
                    });
                }
                _ => {}
            }
        }
        Ok(expected)
    }
}

/// Zero where attention may look, the lowest finite number of the element type where it may not: a row that is all padding
/// then attends uniformly instead of dividing zero by zero, as in transformers.
fn additive_mask(attention_mask: Tensor<2, Int>) -> Tensor<4> {
    let [batch, sequence] = attention_mask.dims();
    let hidden = attention_mask.equal_scalar(0);
    let zeros: Tensor<2> = Tensor::zeros([batch, sequence], &hidden.device());
    let lowest = zeros
        .dtype()
        .finfo()
        .map_or(f64::from(f32::MIN), |info| info.min);
    zeros
        .mask_fill(hidden, lowest)
        .reshape([batch, 1, 1, sequence])
}
