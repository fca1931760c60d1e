// B sequences, S positions, N heads, H hidden

use bert_kernels::attention_composed;
use burn::module::Module;
use burn::nn::Embedding;
use burn::tensor::{Device, Tensor};

use crate::buckets::bias_bucket;
use crate::disentangled::{ContentWeights, DisentangledScores};
use crate::disentangled_positions::{DisentangledContext, DisentangledPositions};
use crate::rows::Rows;
use crate::skew::{columns, skew};
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
pub struct RelativeContext {
    rows: Rows,
    /// A bias and the mask, `[1 or B, N, S, S]`.
    addend: Option<Tensor<4>>,
    disentangled: Option<DisentangledContext>,
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
        let rows = Rows::new(sequences, device);
        let (addend, disentangled) = match self {
            Self::Bias(table) => (Some(bias(table, &rows)), None),
            Self::Disentangled(table) => (None, Some(table.context(&rows))),
        };
        RelativeContext {
            rows,
            addend,
            disentangled,
        }
    }
}

impl RelativeContext {
    /// Attends within each sequence. `own` is what the layer adds to the scores, and its weights.
    ///
    /// # Shapes
    ///
    /// Queries, keys and values `[T, H]` → context `[T, H]` and the probabilities before their dropout `[B, N, S, S]`.
    pub(crate) fn attention(
        &self,
        qkv: [Tensor<2>; 3],
        own: Option<(&DisentangledScores, ContentWeights)>,
        heads: usize,
        dropout: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> (Tensor<2>, Tensor<4>) {
        let rows = &self.rows;
        let qkv = qkv.map(|x| rows.spread(x));
        let (context, probabilities) = match (&self.disentangled, own) {
            (Some(shared), Some((scores, weights))) => {
                scores.attention(qkv, weights, shared, rows, heads, dropout)
            }
            _ => attention_composed(qkv, self.addend.clone(), [rows.batch, heads], dropout),
        };
        (rows.collect(context), probabilities)
    }

    /// What the first layer takes: DeBERTa's embeddings are zero at padding.
    ///
    /// # Shapes
    ///
    /// `[T, H]` → `[T, H]`.
    pub(crate) fn embedded(&self, embedded: Tensor<2>) -> Tensor<2> {
        match self.disentangled {
            Some(_) => self.rows.hide_padding(embedded),
            None => embedded,
        }
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }
}

/// `[B, N, S, S]`, or `[1, N, S, S]` where nothing is hidden.
fn bias(table: &Embedding, rows: &Rows) -> Tensor<4> {
    let (weight, length) = (table.weight.val(), rows.length);
    let ([_, heads], device) = (weight.dims(), weight.device());
    let buckets = columns(length, bias_bucket).into_iter();
    let of_columns = weight.select(0, sequences::indices(buckets, &device));
    let of_columns: Tensor<3> = of_columns.transpose().unsqueeze_dim(1);
    let bias_nss = skew(of_columns.expand([heads, length, 2 * length]));
    let bias: Tensor<4> = bias_nss.unsqueeze_dim(0);
    match rows.mask() {
        Some(mask) => bias + mask.reshape([rows.batch, 1, 1, length]),
        None => bias,
    }
}
