use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::{Device, Distribution, Tensor};

use crate::host_ops::{DropoutMask, HostKernels, HostOps};

/// The bits that a uniform number in [0, 1) of single precision has.
const BITS: i32 = 24;

impl DropoutMask {
    /// A mask whose seed is drawn from the device's random numbers, so that it follows from the device's seed.
    pub fn draw(probability: f64, device: &Device) -> Self {
        if probability == 0.0 {
            return Self::NONE;
        }
        let uniform = Distribution::Uniform(0.0, 1.0);
        let drawn = Tensor::<1>::random([3], uniform, &device.clone().inner()).into_data();
        let words = drawn.iter::<f32>().map(|x| (x * 2.0_f32.powi(BITS)) as u64);
        Self {
            probability,
            seed: words.fold(0, |seed, word| (seed << 21) ^ word),
        }
    }
}

/// Sets elements to zero at random and scales the others by 1 / (1 − p). Which ones depends on the mask and on their
/// indices alone. On devices that [`is_fused`](crate::is_fused) says yes to.
///
/// # Shapes
///
/// Any shape; the output has the shape of the input.
pub fn dropout<const D: usize>(x: Tensor<D>, mask: DropoutMask) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as HostOps>::counted_dropout(
        x.into_dispatch(),
        mask,
    ))
}

#[derive(Debug)]
struct CountedDropout;

impl<B: HostKernels> Backward<B, 1> for CountedDropout {
    type State = DropoutMask;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let mask = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::counted_dropout(grad, mask)
        });
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    mask: DropoutMask,
) -> FloatTensor<Autodiff<B, C>> {
    let prepared = CountedDropout.prepare::<C>([x.node()]).compute_bound();
    let y = B::counted_dropout(x.into_primitive(), mask);
    match prepared.stateful() {
        OpsKind::Tracked(prep) => prep.finish(mask, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}
