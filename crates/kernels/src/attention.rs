// T tokens of all sequences, Q of them that ask, B sequences, S positions, N heads, D head width, H = N · D

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use crate::host_ops::{AttentionNumbers, HostKernels, HostOps};

/// Multi-head scaled dot-product attention within sequences, `dropout(softmax(Q Kᵀ / √D + mask)) V` for every head, without
/// a tensor of scores, on devices that [`is_fused`](crate::is_fused) says yes to. The mask gets no gradient.
///
/// # Shapes
///
/// `joined` `[T, 3 · H]` (queries, keys and values side by side, as [`linear_joined`](crate::linear_joined) gives them), the
/// additive `mask` `[T]` of the keys (0 where attention may look) → `[T, H]`. T is the sum of the sequences' lengths.
pub fn attention(joined: Tensor<2>, mask: Tensor<1>, numbers: AttentionNumbers) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as HostOps>::attend(
        joined.into_dispatch(),
        mask.into_dispatch(),
        numbers,
    ))
}

/// [`attention`] of which only some tokens' context is wanted, the first of each sequence for example.
///
/// # Shapes
///
/// `queries` `[Q, H]`, `keys_values` `[T, 2 · H]` side by side as [`linear_pair`](crate::linear_pair) gives them, the
/// additive `mask` `[T]` of the keys → `[Q, H]`. Q is the sum of the sequences' `query_lengths`.
pub fn attention_of(
    queries: Tensor<2>,
    keys_values: Tensor<2>,
    mask: Tensor<1>,
    numbers: AttentionNumbers,
) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as HostOps>::attend_of(
        queries.into_dispatch(),
        keys_values.into_dispatch(),
        mask.into_dispatch(),
        numbers,
    ))
}

/// What [`attention`] means for sequences of one length, written in ordinary tensor operations, with the probabilities.
/// `dropout` is applied to these.
///
/// # Shapes
///
/// `query`, `key`, `value` `[B·S, H]`, `mask` `[B, 1, 1, S]` → context `[B·S, H]`, probabilities before dropout
/// `[B, N, S, S]`.
pub fn attention_composed(
    query: Tensor<2>,
    key: Tensor<2>,
    value: Tensor<2>,
    mask: Option<Tensor<4>>,
    [batch, heads]: [usize; 2],
    dropout: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> (Tensor<2>, Tensor<4>) {
    let [tokens, width] = query.dims();
    let (sequence, head) = (tokens / batch, width / heads);
    let split = |x: Tensor<2>| x.reshape([batch, sequence, heads, head]).swap_dims(1, 2);
    let scale = (head as f64).powf(-0.5);
    let scores_bnss = (split(query) * scale).matmul(split(key).swap_dims(2, 3));
    let scores_bnss = match mask {
        Some(mask_b11s) => scores_bnss + mask_b11s,
        None => scores_bnss,
    };
    let probabilities_bnss = softmax(scores_bnss, 3);
    let context_bnsd = dropout(probabilities_bnss.clone()).matmul(split(value));
    let context = context_bnsd.swap_dims(1, 2).reshape([tokens, width]);
    (context, probabilities_bnss)
}

#[derive(Debug)]
struct Attention;

#[derive(Debug, Clone)]
struct Saved<F> {
    /// Joined queries, keys and values; or queries, and keys and values.
    inputs: Vec<F>,
    mask: F,
    statistics: F,
    numbers: AttentionNumbers,
}

impl<B: HostKernels, const PARENTS: usize> Backward<B, PARENTS> for Attention {
    type State = Saved<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, PARENTS>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let Saved {
            inputs,
            mask,
            statistics,
            numbers,
        } = ops.state;
        let gradients = B::attend_backward(inputs, mask, statistics, grad, numbers);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy, const PARENTS: usize>(
    inputs: [FloatTensor<Autodiff<B, C>>; PARENTS],
    mask: FloatTensor<Autodiff<B, C>>,
    numbers: AttentionNumbers,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let prepared = Backward::<B, PARENTS>::prepare::<C>(Attention, nodes).compute_bound();
    let inputs = inputs.map(|input| input.into_primitive()).to_vec();
    let mask = mask.into_primitive();
    let [context, statistics] = B::attend_saving(inputs.clone(), mask.clone(), numbers.clone());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let state = Saved {
                inputs,
                mask,
                statistics,
                numbers,
            };
            prep.finish(state, context)
        }
        OpsKind::UnTracked(prep) => prep.finish(context),
    }
}
