// T tokens of all sequences, B sequences, S positions, N heads, D head width, H = N · D

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
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
    inputs: [F; 2],
    statistics: F,
    numbers: AttentionNumbers,
}

impl<B: HostKernels> Backward<B, 1> for Attention {
    type State = Saved<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let Saved {
            inputs,
            statistics,
            numbers,
        } = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::attend_backward(inputs, statistics, grad, numbers)
        });
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    joined: FloatTensor<Autodiff<B, C>>,
    mask: FloatTensor<Autodiff<B, C>>,
    numbers: AttentionNumbers,
) -> FloatTensor<Autodiff<B, C>> {
    let prepared = Attention.prepare::<C>([joined.node()]).compute_bound();
    let (joined, mask) = (joined.into_primitive(), mask.into_primitive());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let inputs = [joined, mask];
            let [context, statistics] = B::attend_saving(inputs.clone(), numbers.clone());
            let state = Saved {
                inputs,
                statistics,
                numbers,
            };
            prep.finish(state, context)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::attend(joined, mask, numbers)),
    }
}
