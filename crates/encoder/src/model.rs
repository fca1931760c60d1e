// B batch, S sequence, T = B · S tokens, N heads, H hidden

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::init::linear;
use crate::sequences::Packing;
use crate::{BertConfig, BertEmbeddings, BertLayer, EncoderError, Sequences, fused};

/// One batch for the encoder.
#[derive(Debug, Clone)]
pub struct BertInput {
    /// Token ids `[B, S]`, each below `vocab_size`.
    pub input_ids: Tensor<2, Int>,
    /// Segment of each token `[B, S]`; all zero when `None`.
    pub token_type_ids: Option<Tensor<2, Int>>,
    /// One for a real token, zero for padding `[B, S]`; no padding when `None`. Not looked at where there are `lengths`.
    pub attention_mask: Option<Tensor<2, Int>>,
    /// How many tokens of each row are real, where these come first and padding is all that follows. With this, the
    /// arithmetic leaves padding out on devices that [`is_fused`](bert_kernels::is_fused) says yes to: real tokens come out
    /// the same, faster, and hidden states of padding are zero.
    pub lengths: Option<Vec<usize>>,
}

impl BertInput {
    /// A batch of one segment without padding.
    pub fn new(input_ids: Tensor<2, Int>) -> Self {
        Self {
            input_ids,
            token_type_ids: None,
            attention_mask: None,
            lengths: None,
        }
    }
}

impl BertInput {
    /// The same with an attention mask in place of lengths, so that padding takes part in the arithmetic everywhere: for
    /// what looks at hidden states of padding, as transformers' loss of question answering does.
    pub fn with_padding(mut self) -> Self {
        if let Some(lengths) = self.lengths.take() {
            let [_, sequence] = self.input_ids.dims();
            self.attention_mask = Some(mask_of(&lengths, sequence, &self.input_ids.device()));
        }
        self
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
        self.pool(hidden_states.narrow(1, 0, 1).squeeze_dim::<2>(1))
    }

    /// `[B, H]` → `[B, H]`.
    fn pool(&self, first_tokens: Tensor<2>) -> Tensor<2> {
        self.dense.forward(first_tokens).tanh()
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
        let shape = self.check(&input)?;
        let is_padded = |length: &usize| *length < shape[1];
        match &input.lengths {
            Some(lengths) if !lengths.iter().any(is_padded) => {
                let input = BertInput {
                    attention_mask: None,
                    ..input
                };
                Ok(self.forward_padded(input, shape, want))
            }
            Some(lengths) if !want.attentions && self.has_kernels() => {
                let lengths = lengths.clone();
                Ok(self.forward_packed(input, shape, &lengths, want))
            }
            _ => Ok(self.forward_padded(input.with_padding(), shape, want)),
        }
    }

    fn has_kernels(&self) -> bool {
        fused::has_kernels(&self.embeddings.word_embeddings.weight.val())
    }

    /// Every place of the batch takes part.
    fn forward_padded(
        &self,
        input: BertInput,
        [batch, sequence]: [usize; 2],
        want: Want,
    ) -> BertOutput {
        let flat = |ids: Tensor<2, Int>| ids.reshape([batch * sequence]);
        let mask = input.attention_mask.map(additive_mask);
        let sequences = Sequences::padded(batch, sequence, mask);
        let passed = self.pass(
            flat(input.input_ids),
            input.token_type_ids.map(flat),
            &sequences,
            want,
        );
        let batched = |x: Tensor<2>| {
            let [_, width] = x.dims();
            x.reshape([batch, sequence, width])
        };
        let last_hidden_state = batched(passed.last);
        let pool = |pooler: &BertPooler| pooler.forward(last_hidden_state.clone());
        BertOutput {
            pooler_output: self.pooler.as_ref().map(pool),
            last_hidden_state,
            hidden_states: passed.hidden_states.into_iter().map(batched).collect(),
            attentions: passed.attentions,
        }
    }

    /// Only real tokens take part.
    fn forward_packed(
        &self,
        input: BertInput,
        [_, sequence]: [usize; 2],
        lengths: &[usize],
        want: Want,
    ) -> BertOutput {
        let packing = Packing::new(lengths, sequence, &input.input_ids.device());
        let pack = |ids: Tensor<2, Int>| packing.pack(ids);
        let types = input.token_type_ids.map(pack);
        let passed = self.pass(
            pack(input.input_ids),
            types,
            &Sequences::packed(lengths),
            want,
        );
        let pool = |pooler: &BertPooler| pooler.pool(packing.first_tokens(passed.last.clone()));
        BertOutput {
            pooler_output: self.pooler.as_ref().map(pool),
            last_hidden_state: packing.unpack(passed.last.clone()),
            hidden_states: passed
                .hidden_states
                .into_iter()
                .map(|hidden| packing.unpack(hidden))
                .collect(),
            attentions: passed.attentions,
        }
    }

    /// Embeddings and layers, on tokens `[T]`.
    fn pass(
        &self,
        input_ids: Tensor<1, Int>,
        token_type_ids: Option<Tensor<1, Int>>,
        sequences: &Sequences,
        want: Want,
    ) -> Passed {
        let token_type_ids = token_type_ids.unwrap_or_else(|| input_ids.zeros_like());
        let mut hidden = self
            .embeddings
            .forward(input_ids, token_type_ids, sequences);
        let mut hidden_states = Vec::new();
        let mut attentions = Vec::new();
        for layer in &self.layers {
            if want.hidden_states {
                hidden_states.push(hidden.clone());
            }
            let (output, probabilities) = layer.forward(hidden, sequences, want.attentions);
            hidden = output;
            attentions.extend(probabilities);
        }
        if want.hidden_states {
            hidden_states.push(hidden.clone());
        }
        Passed {
            last: hidden,
            hidden_states,
            attentions,
        }
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
        if let Some(lengths) = &input.lengths {
            check_lengths(lengths, expected)?;
        }
        Ok(expected)
    }
}

/// What comes out of the layers: `[T, H]` each, and attention probabilities `[B, N, S, S]`.
struct Passed {
    last: Tensor<2>,
    hidden_states: Vec<Tensor<2>>,
    attentions: Vec<Tensor<4>>,
}

fn check_lengths(
    lengths: &[usize],
    [batch_size, sequence_length]: [usize; 2],
) -> Result<(), EncoderError> {
    if lengths.len() != batch_size {
        return Err(EncoderError::LengthCount {
            found: lengths.len(),
            batch_size,
        });
    }
    let is_wrong = |&(_, &length): &(usize, &usize)| length == 0 || length > sequence_length;
    match lengths.iter().enumerate().find(is_wrong) {
        Some((row, &length)) => Err(EncoderError::Length {
            row,
            length,
            sequence_length,
        }),
        None => Ok(()),
    }
}

/// `[B, S]`: one up to each row's length, zero behind it.
fn mask_of(lengths: &[usize], sequence: usize, device: &Device) -> Tensor<2, Int> {
    let row = |&length: &usize| (0..sequence).map(move |position| i32::from(position < length));
    let values: Vec<i32> = lengths.iter().flat_map(row).collect();
    Tensor::from_data(TensorData::new(values, [lengths.len(), sequence]), device)
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
