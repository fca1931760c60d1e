//! The scores of DeBERTa's disentangled attention (He et al., <https://arxiv.org/abs/2006.03654>), as `modeling_deberta_v2.py` of
//! transformers computes them.

// B sequences, S positions, N heads, D head, H = N · D hidden, U rows of the table that are used

use bert_kernels::{Epilogue, LinearWeights, Positions, scores_by_distance};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor};

use crate::disentangled_positions::{DisentangledContext, SharedPositions};
use crate::rows::Rows;
use crate::{DisentangledConfig, EncoderConfig, Linear, PosAttType, kernel_args};

/// What the attention of one layer adds for relative positions.
#[derive(Module, Debug)]
pub struct DisentangledScores {
    /// `pos_key_proj` `[H, H]`, the positions that queries look at. `None` where the projection of keys serves, or none does.
    pub position_key: Option<Linear>,
    /// `pos_query_proj` `[H, H]`, the positions that look at keys. `None` where the projection of queries serves, or none does.
    pub position_query: Option<Linear>,
    /// `hidden_dropout_prob`, on the table of positions.
    pub dropout: Dropout,
    #[module(skip)]
    types: PosAttType,
}

/// The projections of the content, which serve for positions where these have none of their own.
pub(crate) struct ContentWeights {
    pub(crate) query: LinearWeights,
    pub(crate) key: LinearWeights,
}

impl DisentangledScores {
    pub(crate) fn new(
        config: &EncoderConfig,
        disentangled: &DisentangledConfig,
        device: &Device,
    ) -> Self {
        let hidden = config.hidden_size;
        let projection = || Linear::new(hidden, hidden, config.initializer_range, device);
        let has_own = disentangled.relative_attention && !disentangled.share_att_key;
        let types = disentangled.pos_att_type;
        Self {
            position_key: (has_own && types.c2p).then(projection),
            position_query: (has_own && types.p2c).then(projection),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            types,
        }
    }

    /// Its own linear layers with their paths in the attention.
    pub(crate) fn linears_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Linear)> {
        let named = [
            ("disentangled.position_key", &mut self.position_key),
            ("disentangled.position_query", &mut self.position_query),
        ];
        let linears = named.into_iter();
        linears.filter_map(|(name, linear)| Some((name, linear.as_mut()?)))
    }

    /// Attends within rows of one length. A query that may look at nothing looks at every place alike.
    ///
    /// # Shapes
    ///
    /// Queries, keys and values `[B · S, H]` → context `[B · S, H]` and the probabilities before their dropout `[B, N, S, S]`.
    pub(crate) fn attention(
        &self,
        qkv: [Tensor<2>; 3],
        weights: ContentWeights,
        context: &DisentangledContext,
        rows: &Rows,
        heads: usize,
        dropout: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> (Tensor<2>, Tensor<4>) {
        let [places, hidden] = qkv[0].dims();
        let scale = self.types.score_scale(hidden / heads);
        let [queries, keys, values] = qkv.map(|x| split(x, rows, heads));
        let queries = queries * scale;
        let content = queries.clone().matmul(keys.clone().swap_dims(2, 3));
        let positions = self.positions(weights, context.positions.as_ref());
        let scores_nbss = add_positions(content, [queries, keys], positions, scale);
        let probabilities_nbss = softmax(context.hide(scores_nbss), 3);
        let context_nbsd = dropout(probabilities_nbss.clone()).matmul(values);
        let context = context_nbsd.permute([1, 2, 0, 3]).reshape([places, hidden]);
        (context, probabilities_nbss.swap_dims(0, 1))
    }

    /// Whether the kernel's scale, which follows from the positions that there are, is this model's. It is not where a
    /// configuration names scores without having a table for them.
    pub(crate) fn has_kernel(&self, context: &DisentangledContext) -> bool {
        context.positions.is_some() || self.types == PosAttType::default()
    }

    /// The positions of all distances, projected for this layer, `[2 S, H]` each.
    pub(crate) fn positions(
        &self,
        weights: ContentWeights,
        shared: Option<&SharedPositions>,
    ) -> Positions {
        let Some(shared) = shared else {
            return Positions {
                keys: None,
                queries: None,
            };
        };
        let table = shared.table.clone();
        let table = bert_kernels::dropout(table.clone(), kernel_args::mask(&self.dropout, &table));
        let project = |own: &Option<Linear>, content: LinearWeights, rows: &Tensor<1, Int>| {
            let weights = match own {
                Some(own) => kernel_args::weights(own, None),
                None => content,
            };
            bert_kernels::linear(table.clone(), weights, Epilogue::Bias).select(0, rows.clone())
        };
        let PosAttType { c2p, p2c } = self.types;
        Positions {
            keys: c2p.then(|| project(&self.position_key, weights.key, &shared.of_keys)),
            queries: p2c.then(|| project(&self.position_query, weights.query, &shared.of_queries)),
        }
    }
}

/// The scores of the content, with those of content to position and of position to content.
///
/// # Shapes
///
/// `[N, B, S, S]`, scaled queries and keys `[N, B, S, D]` → `[N, B, S, S]`.
fn add_positions(
    content: Tensor<4>,
    [queries, keys]: [Tensor<4>; 2],
    positions: Positions,
    scale: f64,
) -> Tensor<4> {
    let mut scores = content;
    if let Some(of_keys) = positions.keys {
        scores = scores + scores_by_distance(queries, of_keys);
    }
    if let Some(of_queries) = positions.queries {
        scores = scores + scores_by_distance(keys, of_queries * scale).swap_dims(2, 3);
    }
    scores
}

/// `[B · S, H]` → `[N, B, S, D]`.
fn split(x: Tensor<2>, rows: &Rows, heads: usize) -> Tensor<4> {
    let [_, hidden] = x.dims();
    x.reshape([rows.batch, rows.length, heads, hidden / heads])
        .permute([2, 0, 1, 3])
}
