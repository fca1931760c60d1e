// B batch, S sequence, T = B · S tokens, N heads, H hidden

use bert_kernels::{WeightFormat, has_kernels};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{DType, Device, Int, Tensor};

use crate::batch::{Batch, mask_of};
use crate::init::linear;
use crate::sequences::Selection;
use crate::{Embeddings, EncoderConfig, EncoderError, Layer, fused};

/// One batch for the encoder.
#[derive(Debug, Clone)]
pub struct EncoderInput {
    /// Token ids `[B, S]`, each below `vocab_size`.
    pub input_ids: Tensor<2, Int>,
    /// Segment of each token `[B, S]`; all zero when `None`.
    pub token_type_ids: Option<Tensor<2, Int>>,
    /// One for a real token, zero for padding `[B, S]`; no padding when `None`. Not looked at where there are `lengths`.
    pub attention_mask: Option<Tensor<2, Int>>,
    /// How many tokens of each row are real, where these come first and padding is all that follows. With this, the
    /// arithmetic leaves padding out on devices that [`has_kernels`](bert_kernels::has_kernels) says yes to: real tokens come out
    /// the same, faster, and hidden states of padding are zero.
    pub lengths: Option<Vec<usize>>,
}

impl EncoderInput {
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

impl EncoderInput {
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
pub struct EncoderOutput {
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
pub struct Pooler {
    /// `[H, H]`.
    pub dense: Linear,
}

/// The encoder: embeddings, layers and, if wanted, the pooler.
#[derive(Module, Debug)]
pub struct Encoder {
    /// Word, position and token type embeddings.
    pub embeddings: Embeddings,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
    /// The pooler.
    pub pooler: Option<Pooler>,
}

impl EncoderConfig {
    /// An encoder with pooler and fresh weights.
    ///
    /// # Errors
    ///
    /// The configuration does not [validate](Self::validate).
    pub fn init(&self, device: &Device) -> Result<Encoder, EncoderError> {
        self.init_with(Pooling::Pooler, device)
    }

    /// An encoder with fresh weights.
    ///
    /// # Errors
    ///
    /// The configuration does not [validate](Self::validate).
    pub fn init_with(&self, pooling: Pooling, device: &Device) -> Result<Encoder, EncoderError> {
        self.validate()?;
        let layer = |_| Layer::new(self, device);
        let pooler = || Pooler {
            dense: linear(
                self.hidden_size,
                self.hidden_size,
                self.initializer_range,
                device,
            ),
        };
        Ok(Encoder {
            embeddings: Embeddings::new(self, device),
            layers: (0..self.num_hidden_layers).map(layer).collect(),
            pooler: (pooling == Pooling::Pooler).then(pooler),
        })
    }
}

impl Pooler {
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

impl Encoder {
    /// Keeps the layers' weights in the order in which the kernels read them, from the first batch without gradients on: for
    /// inference. Short inputs gain the most; it costs the memory of the
    /// layers' weights once more, of [`WeightFormat::Bf16`] half of it and of [`WeightFormat::Int8`] a quarter. Weights that
    /// change later are noticed. On devices that [`has_kernels`](bert_kernels::has_kernels) says no to, and for gradients,
    /// nothing changes.
    pub fn pack_weights(&mut self, format: WeightFormat) {
        for layer in &mut self.layers {
            layer.pack_weights(format);
        }
    }

    /// Encodes a batch.
    ///
    /// # Errors
    ///
    /// The batch is empty, longer than the position table, or its tensors differ in shape.
    pub fn forward(&self, input: EncoderInput) -> Result<EncoderOutput, EncoderError> {
        self.forward_with(input, Want::default())
    }

    /// Encodes a batch and returns the intermediate results that are wanted.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_with(
        &self,
        input: EncoderInput,
        want: Want,
    ) -> Result<EncoderOutput, EncoderError> {
        let batch = self.batch(input, !want.attentions)?;
        let passed = fused::on_threads_of(&batch.input_ids.device(), || self.pass(&batch, want));
        let last_hidden_state = batch.unpack(passed.last);
        let pool = |pooler: &Pooler| pooler.forward(last_hidden_state.clone());
        let hidden_states = passed.hidden_states.into_iter();
        Ok(EncoderOutput {
            pooler_output: self.pooler.as_ref().map(pool),
            last_hidden_state,
            hidden_states: hidden_states.map(|hidden| batch.unpack(hidden)).collect(),
            attentions: passed.attentions,
        })
    }

    /// The pooled output alone. Nothing else of the last layer is computed, on devices with kernels for it: for a head that
    /// looks at the pooled output, this is what saves the most.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[B, H]`.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward); or the encoder has no pooler.
    pub fn pool(&self, input: EncoderInput) -> Result<Tensor<2>, EncoderError> {
        let pooler = self.pooler.as_ref().ok_or(EncoderError::NoPooler)?;
        let [rows, _] = input.input_ids.dims();
        Ok(pooler.pool(self.forward_selected(input, &vec![vec![0]; rows])?))
    }

    /// The last hidden state of some tokens alone, given by their positions in each row. Nothing else of the last layer is
    /// computed, on devices with kernels for it.
    ///
    /// # Shapes
    ///
    /// Input of `[B, S]` → `[Q, H]`, row by row in the order of the positions.
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward); or there is not one list of positions for each row, or a position beyond its row.
    pub fn forward_selected(
        &self,
        input: EncoderInput,
        positions: &[Vec<usize>],
    ) -> Result<Tensor<2>, EncoderError> {
        let batch = self.batch(input, true)?;
        batch.check_positions(positions)?;
        let device = batch.input_ids.device();
        let selection = Selection::new(positions, &batch.sequences.lengths(), &device);
        let Some((last, others)) = self.layers.split_last() else {
            return Ok(self.embed(&batch).select(0, selection.rows));
        };
        let run = |hidden, layer: &Layer| layer.forward(hidden, &batch.sequences, false).0;
        Ok(fused::on_threads_of(&device, || {
            let hidden = others.iter().fold(self.embed(&batch), run);
            if self.has_kernels() {
                last.forward_selected(hidden, &batch.sequences, &selection)
            } else {
                run(hidden, last).select(0, selection.rows)
            }
        }))
    }

    fn embed(&self, batch: &Batch) -> Tensor<2> {
        let (ids, types) = (batch.input_ids.clone(), batch.token_type_ids.clone());
        self.embeddings.forward(ids, types, &batch.sequences)
    }

    fn pass(&self, batch: &Batch, want: Want) -> Passed {
        let mut hidden = self.embed(batch);
        let mut hidden_states = Vec::new();
        let mut attentions = Vec::new();
        for layer in &self.layers {
            if want.hidden_states {
                hidden_states.push(hidden.clone());
            }
            let (output, probabilities) = layer.forward(hidden, &batch.sequences, want.attentions);
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

    /// The input as tokens of sequences, without padding where it `may_pack`.
    fn batch(&self, input: EncoderInput, may_pack: bool) -> Result<Batch, EncoderError> {
        let shape = self.check(&input)?;
        Ok(Batch::new(input, shape, may_pack && self.has_kernels()))
    }

    /// Whether the kernels compute this model. Work is then arranged for them: without padding and unused tokens.
    fn has_kernels(&self) -> bool {
        let words = self.embeddings.word_embeddings.weight.val();
        words.dtype() == DType::F32 && has_kernels(&words.device())
    }

    fn check(&self, input: &EncoderInput) -> Result<[usize; 2], EncoderError> {
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
            name: "lengths",
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
