use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::{Device, Distribution, Tensor};

use crate::dispatch::{runs_gpu_kernel, runs_kernel};
use crate::gpu_ops::GpuOps;
use crate::host_ops::{HostKernels, HostOps};
use crate::params::DropoutMask;

/// The number of random bits of a uniform number in [0, 1) of single precision.
const BITS: i32 = 24;

impl DropoutMask {
    /// A mask for an operation on `x`. Where that runs a kernel, the seed is drawn from the device's random numbers, so that it
    /// follows from the device's seed. Elsewhere nothing is drawn here: the operation draws the mask itself.
    pub fn draw<const D: usize>(probability: f64, x: &Tensor<D>) -> Self {
        if probability == 0.0 {
            return Self::NONE;
        }
        let seed = if runs_kernel(x) {
            draw_seed(&x.device())
        } else {
            0
        };
        Self { probability, seed }
    }
}

fn draw_seed(device: &Device) -> u64 {
    let uniform = Distribution::Uniform(0.0, 1.0);
    let drawn = Tensor::<1>::random([3], uniform, &device.clone().inner()).into_data();
    let words = drawn.iter::<f32>().map(|x| (x * 2.0_f32.powi(BITS)) as u64);
    words.fold(0, |seed, word| (seed << 21) ^ word)
}

/// Sets elements to zero at random and scales the others by 1 / (1 − p). In the kernel the mask's seed and an element's index
/// alone decide which elements.
///
/// # Shapes
///
/// Any shape; the output has the shape of the input.
pub fn dropout<const D: usize>(x: Tensor<D>, mask: DropoutMask) -> Tensor<D> {
    if mask.probability > 0.0 && runs_gpu_kernel(&x) {
        let seed = seed_on_device(mask.probability, &x);
        return Tensor::from_dispatch(<Dispatch as GpuOps>::gpu_dropout(
            x.into_dispatch(),
            seed.into_dispatch(),
            mask.probability,
        ));
    }
    if !runs_kernel(&x) {
        return dropout_composed(x, mask.probability);
    }
    Tensor::from_dispatch(<Dispatch as HostOps>::counted_dropout(
        x.into_dispatch(),
        mask,
    ))
}

/// What the kernels for GPUs decide by which elements of a tensor become zero: random numbers of the device, which the host does
/// not wait for. Without dropout it is a tensor that nobody reads.
pub(crate) fn seed_on_device<const D: usize>(probability: f64, x: &Tensor<D>) -> Tensor<1> {
    let (shape, device) = ([2], x.device());
    match probability > 0.0 {
        true => Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &device),
        false => Tensor::empty(shape, &device),
    }
}

/// Dropout as `burn::nn::Dropout` computes it in training, from the device's random numbers.
pub(crate) fn dropout_composed<const D: usize>(x: Tensor<D>, probability: f64) -> Tensor<D> {
    if probability == 0.0 {
        return x;
    }
    let keep = 1.0 - probability;
    let kept = x.random_like(Distribution::Bernoulli(keep));
    x * kept * (1.0 / keep)
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
