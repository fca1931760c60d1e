// T tokens of all sequences, Q queries, B sequences, S positions, N heads, D head width, H = N · D

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::activation::softmax;
use burn::tensor::{Int, Shape, Tensor};

use crate::dispatch::{runs_gpu_kernel, runs_kernel};
use crate::dropout::{dropout_composed, seed_on_device};
use crate::gpu_ops::{GpuOps, GpuSoftmax};
use crate::host_ops::{HostKernels, HostOps};
use crate::linear::Projections;
use crate::params::AttentionParams;
use crate::relative::{PositionKind, Positions, Relative};

/// Multi-head scaled dot-product self-attention within sequences, `dropout(softmax(Q Kᵀ / √D + mask)) V` for each head. The
/// kernel makes no tensor of scores. The mask receives no gradient. A query sees the keys in its window that the mask does not
/// hide; where there are none, it sees all keys of its sequence, each alike.
///
/// # Shapes
///
/// Queries, keys and values `[T, H]` each, the additive `mask` `[T]` of the keys (0 where attention may look) → `[T, H]`. T is
/// the sum of the sequences' lengths.
pub fn attention(
    qkv: Projections<3>,
    mask: Option<Tensor<1>>,
    params: AttentionParams,
) -> Tensor<2> {
    if !runs_kernel(qkv.tensor()) {
        return within_sequences(qkv.into_separate(), mask, &Relative::Nothing, &params);
    }
    let joined = qkv.into_joined();
    let mask = mask.unwrap_or_else(|| no_mask(&joined));
    Tensor::from_dispatch(<Dispatch as HostOps>::attention(
        joined.into_dispatch(),
        mask.into_dispatch(),
        params,
    ))
}

/// [`attention`] with a bias that is added to the scores of a head, one number for all keys that stand so far from their query,
/// the same in all sequences.
///
/// # Shapes
///
/// As [`attention`], and `bias` `[N, 2 · L]` with the longest sequence's L positions. Its column c is that of the distance
/// c − (L − 1), the key's position less the query's. The last column is not read.
///
/// # Panics
///
/// The bias has another shape, or there is a window.
pub fn biased_attention(
    qkv: Projections<3>,
    bias: Tensor<2>,
    mask: Option<Tensor<1>>,
    params: AttentionParams,
) -> Tensor<2> {
    let longest = params.lengths.iter().copied().max().unwrap_or(0);
    assert_eq!(
        bias.dims(),
        [params.heads, 2 * longest],
        "shape of the bias"
    );
    assert!(params.window.is_none(), "a bias knows all distances");
    if !runs_kernel(qkv.tensor()) {
        return within_sequences(qkv.into_separate(), mask, &Relative::Bias(bias), &params);
    }
    let joined = qkv.into_joined();
    let mask = mask.unwrap_or_else(|| no_mask(&joined));
    Tensor::from_dispatch(<Dispatch as HostOps>::biased_attention(
        joined.into_dispatch(),
        bias.into_dispatch(),
        mask.into_dispatch(),
        params,
    ))
}

/// [`attention`] with disentangled positions, as DeBERTa has them. The score of a query and a key is
/// `(q · k + q · positions.keys[k − q] + k · positions.queries[q − k]) / √(D · kinds)`, with as many kinds as there are terms.
///
/// # Shapes
///
/// As [`attention`], and [`Positions`] `[2 · L, H]` with the longest sequence's L positions.
///
/// # Panics
///
/// The positions have another shape, or there is a window.
pub fn disentangled_attention(
    qkv: Projections<3>,
    positions: Positions,
    mask: Option<Tensor<1>>,
    params: AttentionParams,
) -> Tensor<2> {
    let longest = params.lengths.iter().copied().max().unwrap_or(0);
    let shape = [2 * longest, qkv.width()];
    for rows in positions.tensors() {
        assert_eq!(rows.dims(), shape, "shape of the positions");
    }
    assert!(params.window.is_none(), "positions know all distances");
    if !runs_kernel(qkv.tensor()) {
        let relative = Relative::Positions(positions);
        return within_sequences(qkv.into_separate(), mask, &relative, &params);
    }
    let joined = qkv.into_joined();
    let mask = mask.unwrap_or_else(|| no_mask(&joined)).into_dispatch();
    let joined = joined.into_dispatch();
    Tensor::from_dispatch(match (positions.keys, positions.queries) {
        (None, None) => <Dispatch as HostOps>::attention(joined, mask, params),
        (Some(keys), Some(queries)) => {
            let (keys, queries) = (keys.into_dispatch(), queries.into_dispatch());
            <Dispatch as HostOps>::disentangled_attention(joined, keys, queries, mask, params)
        }
        (Some(keys), None) => {
            let (keys, kind) = (keys.into_dispatch(), PositionKind::Keys);
            <Dispatch as HostOps>::attention_to_positions(joined, keys, mask, params, kind)
        }
        (None, Some(queries)) => {
            let (queries, kind) = (queries.into_dispatch(), PositionKind::Queries);
            <Dispatch as HostOps>::attention_to_positions(joined, queries, mask, params, kind)
        }
    })
}

/// [`attention`] with separate queries: those of some tokens, for example the first of each sequence, over the keys and values
/// of all.
///
/// # Shapes
///
/// `queries` `[Q, H]`, keys and values `[T, H]` each, the additive `mask` `[T]` of the keys → `[Q, H]`. Q is the sum of the
/// sequences' `query_lengths`.
///
/// # Panics
///
/// There is a window: these queries have no positions.
pub fn cross_attention(
    queries: Tensor<2>,
    keys_values: Projections<2>,
    mask: Option<Tensor<1>>,
    params: AttentionParams,
) -> Tensor<2> {
    assert!(params.window.is_none(), "only self-attention has a window");
    if !runs_kernel(&queries) {
        let [keys, values] = keys_values.into_separate();
        return within_sequences([queries, keys, values], mask, &Relative::Nothing, &params);
    }
    let keys_values = keys_values.into_joined();
    let mask = mask.unwrap_or_else(|| no_mask(&keys_values));
    Tensor::from_dispatch(<Dispatch as HostOps>::cross_attention(
        queries.into_dispatch(),
        keys_values.into_dispatch(),
        mask.into_dispatch(),
        params,
    ))
}

/// [`attention`] for sequences of one length that returns the probabilities as well, before their dropout. It is a composed
/// body on every device.
///
/// # Shapes
///
/// As [`attention`], or as [`biased_attention`] where there is a bias, and the probabilities `[B, N, S, S]`.
///
/// # Panics
///
/// The sequences differ in length.
pub fn attention_with_probabilities(
    qkv: Projections<3>,
    bias: Option<Tensor<2>>,
    mask: Option<Tensor<1>>,
    params: AttentionParams,
) -> (Tensor<2>, Tensor<4>) {
    let sequence = one_length(&params.lengths).expect("the sequences have one length");
    let batch = params.lengths.len();
    let mask = mask_of(mask, batch, sequence, params.window, qkv.tensor());
    let qkv = qkv.into_separate();
    let relative = bias.map_or(Relative::Nothing, Relative::Bias);
    with_relative(qkv, mask, &relative, [batch, params.heads], &params)
}

/// The composed body of [`attention`] and [`cross_attention`] for sequences of one length, with the probabilities. `dropout` is
/// applied to these.
///
/// # Shapes
///
/// Queries `[B·Q, H]`, keys and values `[B·S, H]`, `mask` `[B, 1, 1, S]`, `[B, 1, Q, S]` or, with a bias, `[1 or B, N, Q, S]` →
/// context `[B·Q, H]`, probabilities before dropout `[B, N, Q, S]`.
pub fn attention_composed(
    [query, key, value]: [Tensor<2>; 3],
    mask: Option<Tensor<4>>,
    [batch, heads]: [usize; 2],
    dropout: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> (Tensor<2>, Tensor<4>) {
    let [queries, width] = query.dims();
    let head = width / heads;
    let split = |x: Tensor<2>| {
        let [tokens, _] = x.dims();
        x.reshape([batch, tokens / batch, heads, head])
            .swap_dims(1, 2)
    };
    let scale = (head as f64).powf(-0.5);
    let scores_bnqs = (split(query) * scale).matmul(split(key).swap_dims(2, 3));
    let scores_bnqs = match mask {
        Some(mask) => scores_bnqs + mask,
        None => scores_bnqs,
    };
    let probabilities_bnqs = softmax(scores_bnqs, 3);
    let context_bnqd = dropout(probabilities_bnqs.clone()).matmul(split(value));
    let context = context_bnqd.swap_dims(1, 2).reshape([queries, width]);
    (context, probabilities_bnqs)
}

/// [`attention_composed`] with a kernel for everything between its two products.
fn on_gpu(
    [query, key, value]: [Tensor<2>; 3],
    mask: Option<Tensor<4>>,
    [batch, heads]: [usize; 2],
    params: &AttentionParams,
) -> Tensor<2> {
    let [queries, width] = query.dims();
    let head = width / heads;
    let split = |x: Tensor<2>| {
        let [tokens, _] = x.dims();
        x.reshape([batch, tokens / batch, heads, head])
            .swap_dims(1, 2)
    };
    let scores_bnqs = split(query).matmul(split(key).swap_dims(2, 3));
    let shape = scores_bnqs.dims();
    let mask_strides = mask.as_ref().map_or([0; 2], |mask| {
        let [of_batch, _, of_query, keys] = mask.dims();
        let of_query = if of_query == 1 { 0 } else { keys };
        let rows = if of_query == 0 { 1 } else { shape[2] };
        [if of_batch == 1 { 0 } else { rows * keys }, of_query]
    });
    let probability = params.dropout.probability;
    let seed = seed_on_device(probability, &scores_bnqs);
    let softmax = GpuSoftmax {
        shape,
        scale: (head as f64).powf(-0.5),
        probability,
        masks: mask.is_some(),
        mask_strides,
    };
    let mask = mask.unwrap_or_else(|| seed.clone().reshape([1, 1, 1, 2]));
    let probabilities_bnqs = Tensor::<4>::from_dispatch(<Dispatch as GpuOps>::gpu_softmax(
        scores_bnqs.into_dispatch(),
        mask.into_dispatch(),
        seed.into_dispatch(),
        softmax,
    ));
    let context_bnqd = probabilities_bnqs.matmul(split(value));
    context_bnqd.swap_dims(1, 2).reshape([queries, width])
}

/// Attention in composed bodies: one for all sequences if they have one length, else one for each.
fn within_sequences(
    [queries, keys, values]: [Tensor<2>; 3],
    mask: Option<Tensor<1>>,
    relative: &Relative<Tensor<2>>,
    params: &AttentionParams,
) -> Tensor<2> {
    let lengths = [&params.query_lengths, &params.lengths].map(|lengths| one_length(lengths));
    if let [Some(1..), Some(sequence)] = lengths {
        let batch = params.lengths.len();
        let mask = mask_of(mask, batch, sequence, params.window, &queries);
        let (qkv, sizes) = ([queries, keys, values], [batch, params.heads]);
        if matches!(relative, Relative::Nothing) && runs_gpu_kernel(&qkv[0]) {
            return on_gpu(qkv, mask, sizes, params);
        }
        return with_relative(qkv, mask, relative, sizes, params).0;
    }
    let mut contexts = Vec::new();
    let (mut query, mut key) = (0, 0);
    for (&asking, &length) in params.query_lengths.iter().zip(params.lengths.iter()) {
        if asking > 0 {
            let rows = [
                queries.clone().narrow(0, query, asking),
                keys.clone().narrow(0, key, length),
                values.clone().narrow(0, key, length),
            ];
            let mask = mask.clone().map(|mask| mask.narrow(0, key, length));
            let mask = mask_of(mask, 1, length, params.window, &queries);
            contexts.push(with_relative(rows, mask, relative, [1, params.heads], params).0);
        }
        query += asking;
        key += length;
    }
    if contexts.is_empty() {
        return queries;
    }
    Tensor::cat(contexts, 0)
}

/// What is added to the scores of sequences of one length: the mask `[B·S]` of the keys as `[B, 1, 1, S]`, or, where a window hides
/// keys, both as `[B, 1, S, S]`. `x` gives device and type.
fn mask_of(
    mask: Option<Tensor<1>>,
    batch: usize,
    sequence: usize,
    window: Option<usize>,
    x: &Tensor<2>,
) -> Option<Tensor<4>> {
    let mask = mask.map(|mask| mask.reshape([batch, 1, 1, sequence]));
    let Some(window) = window.filter(|window| sequence > window + 1) else {
        return mask;
    };
    let device = x.device();
    let positions = Tensor::<1, Int>::arange(0..sequence as i64, &device);
    let distance =
        positions.clone().reshape([1, 1, sequence, 1]) - positions.reshape([1, 1, 1, sequence]);
    let is_far = distance.abs().greater_elem(window as i64);
    let mask = mask.unwrap_or_else(|| Tensor::zeros([1, 1, 1, 1], (&device, x.dtype())));
    let batch = mask.dims()[0];
    let lowest = x
        .dtype()
        .finfo()
        .map_or(f64::from(f32::MIN), |info| info.min);
    let mask = mask.expand([batch, 1, sequence, sequence]);
    Some(mask.mask_fill(is_far.expand([batch, 1, sequence, sequence]), lowest))
}

/// [`attention_composed`] of sequences of one length with what distances add to the scores.
fn with_relative(
    [queries, keys, values]: [Tensor<2>; 3],
    mask: Option<Tensor<4>>,
    relative: &Relative<Tensor<2>>,
    [batch, heads]: [usize; 2],
    params: &AttentionParams,
) -> (Tensor<2>, Tensor<4>) {
    let queries = match relative {
        Relative::Positions(positions) => queries * positions.scale(),
        Relative::Nothing | Relative::Bias(_) => queries,
    };
    let addend = relative.addend([&queries, &keys], [batch, heads]);
    let mask = match (addend, mask) {
        (Some(addend), Some(mask)) => Some(addend + mask),
        (one, other) => one.or(other),
    };
    let drop = |probabilities| dropout_composed(probabilities, params.dropout.probability);
    attention_composed([queries, keys, values], mask, [batch, heads], drop)
}

/// The length that all sequences have, if they have one.
fn one_length(lengths: &[usize]) -> Option<usize> {
    let (&first, others) = lengths.split_first()?;
    others
        .iter()
        .all(|&length| length == first)
        .then_some(first)
}

/// A mask that hides nothing, `[T]` for `x` `[T, _]`.
fn no_mask(x: &Tensor<2>) -> Tensor<1> {
    let [tokens, _] = x.dims();
    Tensor::zeros([tokens], &x.device())
}

#[derive(Debug)]
struct Attention;

/// State for the backward pass.
#[derive(Debug, Clone)]
pub(crate) struct SavedAttention<F> {
    /// Joined queries, keys and values; or queries, and keys and values.
    pub(crate) inputs: SavedInputs<F>,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) relative: Relative<F>,
    pub(crate) mask: F,
    /// `[Q · N · 2]`.
    pub(crate) statistics: F,
    pub(crate) params: AttentionParams,
}

#[derive(Debug, Clone)]
pub(crate) enum SavedInputs<F> {
    F32(Vec<F>),
    Bf16(Arc<[Vec<u16>]>),
}

impl<B: HostKernels, const PARENTS: usize> Backward<B, PARENTS> for Attention {
    type State = SavedAttention<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, PARENTS>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let gradients = B::attention_backward(ops.state, grad);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// Of one input or two, and what distances add: `PARENTS` tensors in all.
pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy, const PARENTS: usize>(
    inputs: Vec<FloatTensor<Autodiff<B, C>>>,
    relative: Relative<FloatTensor<Autodiff<B, C>>>,
    mask: FloatTensor<Autodiff<B, C>>,
    params: AttentionParams,
) -> FloatTensor<Autodiff<B, C>> {
    let mut parents = inputs.iter().chain(relative.tensors());
    let nodes = std::array::from_fn(|_| parents.next().expect("so many tensors").node());
    assert!(parents.next().is_none(), "each tensor has a gradient");
    let prepared = Backward::<B, PARENTS>::prepare::<C>(Attention, nodes).compute_bound();
    let inputs = inputs.into_iter().map(|input| input.into_primitive());
    let relative = relative.map(|tensor| tensor.into_primitive());
    let mask = mask.into_primitive();
    let (context, saved) = B::attention_saving(inputs.collect(), relative, mask, params);
    match prepared.stateful() {
        OpsKind::Tracked(prep) => prep.finish(saved, context),
        OpsKind::UnTracked(prep) => prep.finish(context),
    }
}
