// T tokens of all sequences, N heads, H hidden

use burn::module::Module;
use burn::nn::Embedding;
use burn::tensor::{Device, Tensor};

use crate::buckets::{bias_bucket, columns};
use crate::disentangled_positions::{DisentangledContext, DisentangledPositions};
use crate::rows::Rows;
use crate::{EncoderConfig, Sequences, init, sequences};

/// What attention knows of the distance between two tokens, the same in all layers.
#[derive(Module, Debug)]
pub enum RelativePositions {
    /// MPNet's: a number for each bucket of distances and each head, `[buckets, N]`, which is added to the scores.
    Bias(Embedding),
    /// DeBERTa's.
    Disentangled(DisentangledPositions),
}

/// What the layers share of it in one forward pass.
#[derive(Debug, Clone)]
pub struct RelativeContext(Shared);

#[expect(clippy::large_enum_variant, reason = "there is one in a forward pass")]
#[derive(Debug, Clone)]
enum Shared {
    /// The bias of each distance, `[N, 2 · L]` for the longest sequence's L positions.
    Bias(Tensor<2>),
    Disentangled(Rows, DisentangledContext),
}

impl RelativePositions {
    /// `None` for families whose attention does not know distances.
    pub(crate) fn new(config: &EncoderConfig, device: &Device) -> Option<Self> {
        if let Some(disentangled) = &config.disentangled {
            let positions = DisentangledPositions::new(config, disentangled, device);
            return Some(Self::Disentangled(positions));
        }
        let (buckets, heads) = (
            config.relative_attention_num_buckets?,
            config.num_attention_heads,
        );
        let range = config.initializer_range;
        Some(Self::Bias(init::embedding(buckets, heads, range, device)))
    }

    pub(crate) fn context(&self, sequences: &Sequences, device: &Device) -> RelativeContext {
        RelativeContext(match self {
            Self::Bias(table) => Shared::Bias(bias(table, sequences)),
            Self::Disentangled(table) => {
                let rows = Rows::new(sequences, device);
                let context = table.context(&rows);
                Shared::Disentangled(rows, context)
            }
        })
    }
}

impl RelativeContext {
    /// The bias of [`biased_attention`](bert_kernels::biased_attention), where attention has one.
    pub(crate) fn bias(&self) -> Option<&Tensor<2>> {
        match &self.0 {
            Shared::Bias(bias) => Some(bias),
            Shared::Disentangled(..) => None,
        }
    }

    /// What DeBERTa's attention shares.
    pub(crate) fn disentangled(&self) -> Option<(&Rows, &DisentangledContext)> {
        match &self.0 {
            Shared::Bias(_) => None,
            Shared::Disentangled(rows, context) => Some((rows, context)),
        }
    }

    /// What the first layer takes: DeBERTa's embeddings are zero at padding.
    ///
    /// # Shapes
    ///
    /// `[T, H]` → `[T, H]`.
    pub(crate) fn embedded(&self, embedded: Tensor<2>) -> Tensor<2> {
        match self.disentangled() {
            Some((rows, _)) => rows.hide_padding(embedded),
            None => embedded,
        }
    }
}

/// `[N, 2 · L]`.
fn bias(table: &Embedding, sequences: &Sequences) -> Tensor<2> {
    let weight = table.weight.val();
    let longest = sequences.lengths().iter().copied().max().unwrap_or(0);
    let buckets = columns(longest, bias_bucket).into_iter();
    let device = weight.device();
    weight
        .select(0, sequences::indices(buckets, &device))
        .transpose()
}
