use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Dispatch, TensorMetadata};
use burn::tensor::{IndexingUpdateOp, Int, Shape, Slice, Tensor};

use crate::dispatch::kernels_are_off;
use crate::ops::BertOps;

/// Looks up rows of an embedding table. The row `padding_idx` is looked up like any other, and gets no gradient from it
/// (`torch.nn.Embedding(padding_idx = …)`).
///
/// # Shapes
///
/// `weight` `[V, H]`, `ids` `[B, S]` → `[B, S, H]`.
pub fn embedding(weight: Tensor<2>, ids: Tensor<2, Int>, padding_idx: usize) -> Tensor<3> {
    if kernels_are_off() {
        return embedding_composed(weight, ids, padding_idx);
    }
    let [batch, sequence] = ids.dims();
    let [_, hidden] = weight.dims();
    let flat_ids: Tensor<1, Int> = ids.reshape([batch * sequence]);
    let rows = <Dispatch as BertOps>::padded_embedding(
        weight.into_dispatch(),
        flat_ids.into_dispatch(),
        padding_idx,
    );
    Tensor::<2>::from_dispatch(rows).reshape([batch, sequence, hidden])
}

/// The composed body of [`embedding`].
///
/// # Shapes
///
/// `weight` `[V, H]`, `ids` `[B, S]` → `[B, S, H]`.
pub fn embedding_composed(weight: Tensor<2>, ids: Tensor<2, Int>, padding_idx: usize) -> Tensor<3> {
    let [batch, sequence] = ids.dims();
    let [_, hidden] = weight.dims();
    let is_padding = ids
        .clone()
        .equal_scalar(padding_idx as i64)
        .unsqueeze_dim::<3>(2)
        .expand([batch, sequence, hidden]);
    let rows = weight
        .select(0, ids.reshape([batch * sequence]))
        .reshape([batch, sequence, hidden]);
    rows.clone().mask_where(is_padding, rows.detach())
}

#[derive(Debug)]
struct PaddedEmbedding;

/// State for the backward pass, which does not need the table's values.
#[derive(Debug, Clone)]
struct LookedUp<I> {
    ids: I,
    table: [usize; 2],
    padding_idx: usize,
}

impl<B: BertOps> Backward<B, 1> for PaddedEmbedding {
    type State = LookedUp<IntTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let LookedUp {
            ids,
            table: [vocabulary, hidden],
            padding_idx,
        } = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            let (device, dtype) = (grad.device(), grad.dtype());
            let zeros = |rows| B::float_zeros(Shape::new([rows, hidden]), &device, dtype.into());
            let table =
                B::float_select_assign(zeros(vocabulary), 0, ids, grad, IndexingUpdateOp::Add);
            if padding_idx >= vocabulary {
                return table;
            }
            let padding_row = Slice::from(padding_idx..padding_idx + 1);
            B::float_slice_assign(table, &[padding_row, Slice::full()], zeros(1))
        });
    }
}

pub(crate) fn tracked<B: BertOps, C: CheckpointStrategy>(
    weight: FloatTensor<Autodiff<B, C>>,
    ids: IntTensor<Autodiff<B, C>>,
    padding_idx: usize,
) -> FloatTensor<Autodiff<B, C>> {
    let table = weight.shape().dims();
    match PaddedEmbedding
        .prepare::<C>([weight.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => {
            let state = LookedUp {
                ids: ids.clone(),
                table,
                padding_idx,
            };
            let rows = B::padded_embedding(weight.into_primitive(), ids, padding_idx);
            prep.finish(state, rows)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::padded_embedding(
            weight.into_primitive(),
            ids,
            padding_idx,
        )),
    }
}
