use std::fmt;
use std::sync::Arc;

/// A dropout whose mask is a function of a seed: the seed and an element's index decide whether the element becomes zero.
///
/// The kernels use the seed, so that the mask is the same in the backward pass and on any number of threads. Those for GPUs
/// draw a seed of their own from the device's random numbers. On devices without kernels the whole mask is drawn from these,
/// as `burn::nn::Dropout` draws it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutMask {
    /// The share of elements that becomes zero, in [0, 1). The others are scaled by 1 / (1 − p).
    pub probability: f64,
    /// Equal seeds give equal masks.
    pub seed: u64,
}

impl DropoutMask {
    /// No dropout.
    pub const NONE: Self = Self {
        probability: 0.0,
        seed: 0,
    };
}

/// The parameters of a LayerNorm after dropout and a residual connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormParams {
    /// ε inside the square root.
    pub epsilon: f64,
    /// Applied to the input, before the residual is added.
    pub dropout: DropoutMask,
    /// In which numbers the kernel keeps the normalised rows for the backward pass.
    pub precision: Precision,
}

/// The parameters of an attention within sequences.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionParams {
    /// The number of keys of each sequence, in the order of the sequences.
    pub lengths: Arc<[usize]>,
    /// The number of queries of each sequence. In self-attention it equals `lengths`.
    pub query_lengths: Arc<[usize]>,
    /// The number N of heads.
    pub heads: usize,
    /// Applied to the probabilities.
    pub dropout: DropoutMask,
    /// How many positions a query sees to each side; `None` sees the whole sequence. Only self-attention has a window.
    pub window: Option<usize>,
    /// Of the queries, keys and values: whether the kernel rounds them, and keeps them like that for the backward pass.
    pub precision: Precision,
}

/// The parameters of a transformer's embeddings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmbeddingParams {
    /// The row of the word table that receives no gradient; `None` where every row does.
    pub padding_idx: Option<usize>,
    /// The row of the position table that receives no gradient; `None` where every row does.
    pub position_padding_idx: Option<usize>,
    /// ε inside the square root of the LayerNorm.
    pub epsilon: f64,
    /// Applied to the LayerNorm's output.
    pub dropout: DropoutMask,
}

/// What a linear layer does with its product before it writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epilogue {
    /// Adds the bias.
    Bias,
    /// Adds the bias and applies [`gelu`](crate::gelu()).
    BiasGelu,
}

/// In which numbers an operation multiplies in training: its product, and those of its gradients. Weights, biases, sums and
/// gradients have single precision either way. Devices without [kernels](crate::has_kernels) multiply in single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Both operands of each product are rounded to the nearest bfloat16, with a relative error of at most 2⁻⁹, on every
    /// processor; those with AVX-512 BF16 multiply twice as fast. What the backward pass needs of the forward pass is kept
    /// like that, in half of the memory.
    Bf16,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

/// The number format of a [`PackedWeight`](crate::PackedWeight). The input that it is multiplied with is rounded to the same
/// format on every processor; sums have single precision. Processors with an instruction for such products (AVX-512 BF16,
/// AVX-512 VNNI) compute them much faster than those of single precision, others about as fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightFormat {
    /// Single precision, unchanged.
    #[default]
    F32,
    /// The nearest bfloat16, with a relative error of at most 2⁻⁹: half the memory traffic.
    Bf16,
    /// Integers from −127 to 127 with one scale for each output, by which its largest element becomes 127: a quarter of the memory
    /// traffic. Inputs have one scale for each row. The result is the same bit for bit on every processor.
    Int8,
}
