//! Every tolerance of the tests and of `bert doctor`, in one table.
//!
//! A number here lies between the noise of the golden files themselves (`float32_error`) and the smallest difference that
//! a mistake makes; `tests/goldens/README.md` has measured both. No comparison brings a tolerance of its own.

use std::fmt;

use bert_device::Backend;
use serde::Serialize;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Hidden states, attention probabilities, pooled outputs, logits.
    Output,
    /// The loss of one forward pass.
    Loss,
    /// The gradient of a parameter.
    Gradient,
    /// The gradient of a key bias, whose true value is 0.
    VanishingGradient,
    /// The losses of a training run, step by step.
    TrainingLoss,
    /// The global gradient norms of a training run.
    GradientNorm,
    /// The learning rates of a training run.
    LearningRate,
    /// Parameters at the end of a training run.
    FinalParameter,
    /// An operation of `bert-kernels` against its composed body, forward.
    KernelForward,
    /// The same, backward.
    KernelBackward,
    /// A fused operation of `bert-kernels` against its composed body, forward.
    FusedForward,
    /// The same, the gradients of its inputs.
    FusedBackward,
    /// A derivative along one direction against the difference of losses in double precision, relative to the sum of the
    /// gradient's terms along it.
    FiniteDifference,
    /// A sum of squares over many elements against the plain sum.
    SumOfSquares,
    /// One computation with other padding or in another batch.
    Invariance,
    /// Logits of a model in bfloat16.
    Bf16Output,
    /// A loss of a model in bfloat16, of one pass or in a training run.
    Bf16Loss,
    /// The gradient of a parameter in bfloat16.
    Bf16Gradient,
    /// The global gradient norms of a training run in bfloat16.
    Bf16GradientNorm,
    /// The losses of one training run on two backends.
    BackendLoss,
    /// Losses and parameters of one training run in one process and in several.
    SeveralRanks,
    /// What is so or not: a parameter keeps its bits, a gradient is there.
    Statement,
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Output => "output",
            Self::Loss | Self::TrainingLoss => "loss",
            Self::Gradient | Self::VanishingGradient => "gradient",
            Self::GradientNorm => "gradient norm",
            Self::LearningRate => "learning rate",
            Self::FinalParameter => "parameter at the end",
            Self::KernelForward | Self::FusedForward => "forward pass",
            Self::KernelBackward | Self::FusedBackward => "backward pass",
            Self::FiniteDifference => "finite difference",
            Self::SumOfSquares => "sum of squares",
            Self::Invariance => "same numbers",
            Self::Bf16Output => "bf16 output",
            Self::Bf16Loss => "bf16 loss",
            Self::Bf16Gradient => "bf16 gradient",
            Self::Bf16GradientNorm => "bf16 gradient norm",
            Self::BackendLoss => "loss on another backend",
            Self::SeveralRanks => "numbers of several processes",
            Self::Statement => "statement",
        })
    }
}

/// The largest difference allowed: `absolute + relative · scale`, where the scale is the largest magnitude among the
/// expected values unless the test names another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Whatever the values.
    pub absolute: f64,
    /// In proportion to the scale.
    pub relative: f64,
}

impl Bound {
    const fn absolute(absolute: f64) -> Self {
        Self {
            absolute,
            relative: 0.0,
        }
    }

    const fn relative(relative: f64) -> Self {
        Self {
            absolute: 0.0,
            relative,
        }
    }

    const fn or_absolute(self, absolute: f64) -> Self {
        Self { absolute, ..self }
    }

    /// The largest difference allowed at this scale.
    pub fn at(self, scale: f64) -> f64 {
        self.absolute + self.relative * scale
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// On flex and ndarray.
    pub cpu: Bound,
    /// On wgpu, Vulkan, Metal and CUDA.
    pub gpu: Bound,
    /// Why these numbers.
    pub reason: &'static str,
}

/// The distance of 1 to the next bfloat16, halved: twice the largest relative error of a rounding.
const BF16_EPSILON: f64 = 1.0 / 256.0;

/// The table.
pub const fn tolerance(quantity: Quantity) -> Tolerance {
    match quantity {
        Quantity::Output => Tolerance {
            cpu: Bound::absolute(1e-5),
            gpu: Bound::absolute(1e-4),
            reason: "values are of order 1 and the golden files are 1.2e-6 off; tanh GELU for erf is 1e-3 off. GPUs have \
                     approximate exp, tanh and erf and may fuse multiply and add",
        },
        Quantity::Loss => Tolerance {
            cpu: Bound::absolute(1e-5),
            gpu: Bound::absolute(1e-4),
            reason: "a mean over logits, so no further off than they are",
        },
        Quantity::Gradient => Tolerance {
            cpu: Bound::relative(1e-4).or_absolute(1e-6),
            gpu: Bound::relative(1e-4).or_absolute(1e-6),
            reason: "relative to the largest element of the parameter's gradient; the absolute part is for parameters whose \
                     gradient is small because large terms cancel, and the golden gradients are 1.6e-7 off",
        },
        Quantity::VanishingGradient => Tolerance {
            cpu: Bound::relative(1e-6),
            gpu: Bound::relative(1e-6),
            reason: "rounding of terms that cancel, relative to the largest gradient of the model",
        },
        Quantity::TrainingLoss => Tolerance {
            cpu: Bound::absolute(1e-5),
            gpu: Bound::absolute(2e-5),
            reason: "the golden losses are 4e-7 off; epsilon 1e-6 instead of 1e-8 is 4e-5 off, decayed biases 8e-5",
        },
        Quantity::GradientNorm => Tolerance {
            cpu: Bound::relative(1e-5),
            gpu: Bound::relative(1e-4),
            reason: "a root of a sum of squares keeps the relative error of the gradients or less",
        },
        Quantity::LearningRate => Tolerance {
            cpu: Bound::relative(1e-12),
            gpu: Bound::relative(1e-12),
            reason: "both sides compute the schedule in double precision, in another order",
        },
        Quantity::FinalParameter => Tolerance {
            cpu: Bound::absolute(1e-5),
            gpu: Bound::absolute(5e-5),
            reason: "the golden parameters are 4e-7 off; no weight decay is 9e-5 off, the smallest of the mistakes",
        },
        Quantity::KernelForward => Tolerance {
            cpu: Bound::absolute(1e-6),
            gpu: Bound::absolute(1e-6),
            reason: "two ways to write one formula differ by a few roundings of values up to 10",
        },
        Quantity::KernelBackward => Tolerance {
            cpu: Bound::absolute(1e-6),
            gpu: Bound::absolute(1e-6),
            reason: "the same for derivatives up to 1.1; that of tanh GELU is 8.7e-4 off",
        },
        Quantity::FusedForward => Tolerance {
            cpu: Bound::relative(2e-6),
            gpu: Bound::relative(2e-6),
            reason: "sums of tens of terms in another order, and e^x to a unit in the last place; a wrong mask, scale or \
                     epsilon is off by percents",
        },
        Quantity::FusedBackward => Tolerance {
            cpu: Bound::relative(5e-6),
            gpu: Bound::relative(5e-6),
            reason: "the same with one more sum, relative to the largest gradient of the input",
        },
        Quantity::FiniteDifference => Tolerance {
            cpu: Bound::relative(1e-5),
            gpu: Bound::relative(1e-5),
            reason: "differences in double precision are exact to 1e-8, so this is the rounding of single precision in the gradient; \
                     a term that is missing is off by percents",
        },
        Quantity::SumOfSquares => Tolerance {
            cpu: Bound::relative(1e-5),
            gpu: Bound::relative(1e-5),
            reason: "the CPU kernels add in double precision, what they are held against in single, a hundred thousand \
                     terms in some order",
        },
        Quantity::Invariance => Tolerance {
            cpu: Bound::absolute(5e-6),
            gpu: Bound::absolute(5e-6),
            reason: "a matrix of another shape is multiplied in other blocks, so both sides have the rounding of single \
                     precision, which is 1.2e-6 for this model; a mask that leaks is 0.09 off",
        },
        Quantity::Bf16Output => Tolerance {
            cpu: Bound::relative(2.0 * BF16_EPSILON),
            gpu: Bound::relative(2.0 * BF16_EPSILON),
            reason: "both sides round operands to eight significant bits, PyTorch also attention and what leaves a map; sums over \
                     tens of products average the roundings out, and the golden logits are 1.3e-3 off",
        },
        Quantity::Bf16Loss => Tolerance {
            cpu: Bound::absolute(BF16_EPSILON),
            gpu: Bound::absolute(BF16_EPSILON),
            reason: "no further off than the logits, which are of order 1; the golden losses are 7e-4 off after 20 steps",
        },
        Quantity::Bf16Gradient => Tolerance {
            cpu: Bound::relative(8.0 * BF16_EPSILON),
            gpu: Bound::relative(8.0 * BF16_EPSILON),
            reason: "a gradient passes twice as many products as the output, and terms of a sum over tokens cancel; the golden \
                     gradients are 1e-2 off",
        },
        Quantity::Bf16GradientNorm => Tolerance {
            cpu: Bound::relative(2.0 * BF16_EPSILON),
            gpu: Bound::relative(2.0 * BF16_EPSILON),
            reason: "a root of a sum of squares, in which the errors of single elements average out; the golden norms are 2e-3 \
                     off",
        },
        Quantity::BackendLoss => Tolerance {
            cpu: Bound::absolute(1e-5),
            gpu: Bound::absolute(1e-4),
            reason: "as for outputs, after every step has fed its rounding to the next",
        },
        Quantity::SeveralRanks => Tolerance {
            cpu: Bound::absolute(1e-6),
            gpu: Bound::absolute(1e-6),
            reason: "the same terms are added up in another order; the ranks' losses not weighted by labels are 1e-2 off",
        },
        Quantity::Statement => Tolerance {
            cpu: Bound::absolute(0.0),
            gpu: Bound::absolute(0.0),
            reason: "what is not written keeps its bits",
        },
    }
}

/// The bound for a quantity on a backend.
pub fn bound(quantity: Quantity, backend: Backend) -> Bound {
    let line = tolerance(quantity);
    match backend {
        Backend::Flex | Backend::NdArray => line.cpu,
        Backend::Wgpu | Backend::Vulkan | Backend::Metal | Backend::Cuda => line.gpu,
    }
}
