// B sequences, S positions, H hidden, U rows of the table that are used

use burn::module::Module;
use burn::nn::{Embedding, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor};

use crate::buckets::columns;
use crate::disentangled_config::Distances;
use crate::rows::Rows;
use crate::{DisentangledConfig, EncoderConfig, init, sequences};

/// DeBERTa's table of relative positions, which all layers share.
#[derive(Module, Debug)]
pub struct DisentangledPositions {
    /// `[2 · span, H]`, with relative attention.
    pub rel_embeddings: Option<Embedding>,
    /// Normalises the table, where `norm_rel_ebd` says so.
    pub norm: Option<LayerNorm>,
    #[module(skip)]
    distances: Distances,
}

/// What the layers share in one forward pass.
#[derive(Debug, Clone)]
pub(crate) struct DisentangledContext {
    pub(crate) positions: Option<SharedPositions>,
    pairs: Option<Pairs>,
}

#[derive(Debug, Clone)]
pub(crate) struct SharedPositions {
    /// The rows of the table that sequences of this length use, `[U, H]`.
    pub(crate) table: Tensor<2>,
    /// The row for each distance of [`Positions::keys`](bert_kernels::Positions), `[2 S]`.
    pub(crate) of_keys: Tensor<1, Int>,
    /// The same for [`Positions::queries`](bert_kernels::Positions), `[2 S]`.
    pub(crate) of_queries: Tensor<1, Int>,
}

/// The pairs of a query and a key, `[1, B, S, S]` each.
#[derive(Debug, Clone)]
struct Pairs {
    /// One where both are real, zero elsewhere.
    real: Tensor<4>,
    /// Zero where both are real, the lowest number elsewhere.
    mask: Tensor<4>,
}

impl DisentangledPositions {
    pub(crate) fn new(
        config: &EncoderConfig,
        disentangled: &DisentangledConfig,
        device: &Device,
    ) -> Self {
        let (hidden, range) = (config.hidden_size, config.initializer_range);
        let distances = disentangled.distances(config.max_position_embeddings);
        let table = || init::embedding(2 * distances.span(), hidden, range, device);
        let norm = || {
            LayerNormConfig::new(hidden)
                .with_epsilon(config.layer_norm_eps)
                .init(device)
        };
        Self {
            rel_embeddings: disentangled.relative_attention.then(table),
            norm: disentangled.normalizes_table().then(norm),
            distances,
        }
    }

    pub(crate) fn context(&self, rows: &Rows) -> DisentangledContext {
        let table = self.rel_embeddings.as_ref();
        DisentangledContext {
            positions: table.map(|table| self.share(table, rows.length)),
            pairs: Pairs::of(rows),
        }
    }

    fn share(&self, table: &Embedding, length: usize) -> SharedPositions {
        let weight = table.weight.val();
        let device = weight.device();
        let farthest = length as i64 - 1;
        let (first, last) = (self.distances.row(-farthest), self.distances.row(farthest));
        let used = weight.narrow(0, first, last - first + 1);
        let rows = |sign: i64| {
            let rows = columns(length, |distance| {
                self.distances.row(sign * distance) - first
            });
            sequences::indices(rows.into_iter(), &device)
        };
        SharedPositions {
            table: match &self.norm {
                Some(norm) => norm.forward(used),
                None => used,
            },
            // A position is looked up by the distance from key to query.
            of_keys: rows(-1),
            of_queries: rows(1),
        }
    }
}

impl DisentangledContext {
    /// The lowest number for every pair that is not real, as `masked_fill` of transformers: a query that is padding sees all
    /// places alike, and no gradient comes from it.
    ///
    /// # Shapes
    ///
    /// `[N, B, S, S]` → `[N, B, S, S]`.
    pub(crate) fn hide(&self, scores: Tensor<4>) -> Tensor<4> {
        match &self.pairs {
            Some(Pairs { real, mask }) => scores * real.clone() + mask.clone(),
            None => scores,
        }
    }
}

impl Pairs {
    fn of(rows: &Rows) -> Option<Self> {
        let (batch, length) = (rows.batch, rows.length);
        let (mask, real) = (rows.mask()?, rows.real()?);
        let of_queries = |x: Tensor<2>| x.reshape([1, batch, length, 1]);
        let of_keys = |x: Tensor<2>| x.reshape([1, batch, 1, length]);
        Some(Self {
            real: of_queries(real.clone()) * of_keys(real),
            mask: of_queries(mask.clone()).min_pair(of_keys(mask)),
        })
    }
}
