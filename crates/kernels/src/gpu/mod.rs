//! Kernels for GPUs, of single precision: what takes Burn a dozen launches takes one or two. They are written for CubeCL, which
//! compiles them for the device at their first launch.

mod elementwise;
mod launch;
mod norm;
mod optimizer;
mod softmax;

use burn::backend::Cube;
use burn::backend::ops::ActivationOps;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use crate::adamw::{self, AdamWPrimitives, AdamWStep};
use crate::gpu_ops::{Clip, GpuKernels, GpuNorm, GpuOps, GpuSoftmax, GpuSteps};
use crate::ops::BertOps;
use crate::params::Epilogue;
use crate::{gelu, norm as norms};

fn is_single(tensor: &CubeTensor) -> bool {
    tensor.dtype == DType::F32
}

impl BertOps for Cube {
    fn erf_gelu(x: CubeTensor) -> CubeTensor {
        match is_single(&x) {
            true => elementwise::gelu(x),
            false => <Self as ActivationOps<Self>>::gelu(x),
        }
    }

    fn erf_gelu_backward(x: CubeTensor, grad: CubeTensor) -> CubeTensor {
        match is_single(&x) {
            true => elementwise::gelu_backward(x, grad),
            false => gelu::backward_of_primitives::<Self>(x, grad),
        }
    }

    fn adamw_update(
        parameter: CubeTensor,
        gradient: CubeTensor,
        first_moment: CubeTensor,
        second_moment: CubeTensor,
        step: AdamWStep,
    ) -> AdamWPrimitives<Self> {
        let tensors = [parameter, gradient, first_moment, second_moment];
        if !tensors.iter().all(is_single) {
            let [parameter, gradient, first_moment, second_moment] = tensors;
            return adamw::composed_of_primitives::<Self>(
                parameter,
                gradient,
                first_moment,
                second_moment,
                step,
            );
        }
        updated(optimizer::adamw(tensors, None, step))
    }

    fn sum_of_squares(x: CubeTensor) -> CubeTensor {
        match is_single(&x) {
            true => optimizer::sum_of_squares(x),
            false => norms::composed_of_primitives::<Self>(x),
        }
    }
}

fn updated([parameter, first_moment, second_moment]: [CubeTensor; 3]) -> AdamWPrimitives<Cube> {
    AdamWPrimitives {
        parameter,
        first_moment,
        second_moment,
    }
}

impl GpuOps for Cube {
    fn gpu_dropout(x: CubeTensor, seed: CubeTensor, probability: f64) -> CubeTensor {
        elementwise::dropout(x, seed, probability)
    }

    fn gpu_add_norm(
        x: CubeTensor,
        residual: CubeTensor,
        gamma: CubeTensor,
        beta: CubeTensor,
        seed: CubeTensor,
        params: GpuNorm,
    ) -> CubeTensor {
        let [y, _] = norm::forward([x, residual, gamma, beta, seed], params);
        y
    }

    fn gpu_softmax(
        scores: CubeTensor,
        mask: CubeTensor,
        seed: CubeTensor,
        params: GpuSoftmax,
    ) -> CubeTensor {
        let [dropped, _] = softmax::forward([scores, mask, seed], params);
        dropped
    }

    fn gpu_biased(x: CubeTensor, bias: CubeTensor, epilogue: Epilogue) -> CubeTensor {
        elementwise::biased(x, bias, epilogue)
    }
}

impl GpuKernels for Cube {
    fn add_norm_saving(inputs: [CubeTensor; 5], params: GpuNorm) -> [CubeTensor; 2] {
        norm::forward(inputs, params)
    }

    fn add_norm_backward(
        saved: CubeTensor,
        gamma_grad_seed: [CubeTensor; 3],
        params: GpuNorm,
    ) -> [CubeTensor; 4] {
        norm::backward(saved, gamma_grad_seed, params)
    }

    fn softmax_saving(inputs: [CubeTensor; 3], params: GpuSoftmax) -> [CubeTensor; 2] {
        softmax::forward(inputs, params)
    }

    fn softmax_backward(
        probabilities_grad_seed: [CubeTensor; 3],
        params: GpuSoftmax,
    ) -> CubeTensor {
        softmax::backward(probabilities_grad_seed, params)
    }

    fn biased_gelu_backward(x: CubeTensor, bias: CubeTensor, grad: CubeTensor) -> CubeTensor {
        elementwise::biased_gelu_backward(x, bias, grad)
    }

    fn column_sums(grad: CubeTensor, width: usize) -> CubeTensor {
        let [sums, _] = elementwise::column_sums(grad, None, width);
        sums
    }
}

impl GpuSteps for Cube {
    fn gpu_squares(sums: CubeTensor, x: CubeTensor, first: usize) -> CubeTensor {
        optimizer::squares_into(&sums, x, first);
        sums
    }

    fn gpu_clip(
        outcomes: CubeTensor,
        sums: CubeTensor,
        loss: CubeTensor,
        clip: Clip,
    ) -> CubeTensor {
        optimizer::clip_into(&outcomes, sums, loss, clip);
        outcomes
    }

    fn gpu_adamw(
        parameter: CubeTensor,
        gradient: CubeTensor,
        first_moment: CubeTensor,
        second_moment: CubeTensor,
        outcomes: CubeTensor,
        index: usize,
        step: AdamWStep,
    ) -> AdamWPrimitives<Self> {
        let tensors = [parameter, gradient, first_moment, second_moment];
        updated(optimizer::adamw(tensors, Some((outcomes, index)), step))
    }
}
