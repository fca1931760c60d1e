use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::Slices;
use crate::cpu::low_rank::{self, Adapter, Sizes};
use crate::low_rank::SavedLowRank;

/// Of A, B and, if there is one, the magnitude.
pub(super) fn gradients<B: Slices>(
    saved: &SavedLowRank<FloatTensor<B>>,
    grad: &FloatTensor<B>,
) -> Vec<FloatTensor<B>> {
    let [rows, width] = grad.shape().dims();
    let [k, rank] = saved.down.shape().dims();
    let [_, columns] = saved.up.shape().dims();
    let sizes = Sizes {
        rows,
        k,
        rank,
        columns,
        width,
        first_column: saved.params.first_column,
    };
    let grad = B::elements(grad);
    let magnitude = saved.magnitude.as_ref();
    let factor = magnitude.map(|magnitude| B::elements(&magnitude.factor));
    let adapter = Adapter {
        down: &B::elements(&saved.down),
        up: &B::elements(&saved.up),
        scale: saved.params.scale,
        factor: factor.as_deref(),
    };
    let [down, up] = low_rank::gradients(&B::elements(&saved.x), adapter, &grad, sizes);
    let mut all = vec![
        B::tensor(down, saved.down.shape()),
        B::tensor(up, saved.up.shape()),
    ];
    if let Some(saved) = magnitude {
        let gradient = low_rank::magnitude_gradient(
            &B::elements(&saved.y),
            &B::elements(&saved.bias),
            &B::elements(&saved.magnitude),
            &grad,
            sizes,
        );
        all.push(B::tensor(gradient, saved.magnitude.shape()));
    }
    all
}
