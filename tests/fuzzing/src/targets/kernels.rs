//! The operations on shapes that an input chooses: each kernel against its composed body, forward and backward.

use bert_kernels::{
    AttentionParams, DropoutMask, Epilogue, LinearWeights, NormParams, Precision, attention,
    dropout_add_norm, gated_gelu, gelu, linear, linear_qkv, masked_cross_entropy, without_kernels,
};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Sizes and lengths are below this.
const SIZES: usize = 12;
/// How far two orders of summation may lie apart, relative to the largest value; a wrong element is off by percents.
const CLOSE: f32 = 2e-5;

/// The input's bytes, each a choice; 0 when they have ended.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn below(&mut self, end: usize) -> usize {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        usize::from(*first) % end
    }

    fn size(&mut self) -> usize {
        1 + self.below(SIZES)
    }
}

/// The kernel's name, its shapes and its lengths are the input's bytes.
pub fn kernels(input: &[u8]) {
    let mut choices = Choices(input);
    let device = Device::flex().autodiff();
    let operation = choices.below(6);
    let (rows, width) = (choices.size(), choices.size());
    let phase = choices.below(64) as f32;
    let x = waves([rows, width], phase, &device);
    match operation {
        0 => agree(x, gelu),
        1 => {
            let outputs = choices.size();
            let epilogue = [Epilogue::Bias, Epilogue::BiasGelu][choices.below(2)];
            let weight = waves([width, outputs], 1.3, &device);
            let weights = weights(weight, choices.below(2) == 1);
            agree(x, |x| linear(x, weights.clone(), epilogue));
        }
        2 => attend(x, width, &mut choices, &device),
        3 => {
            // Where the numbers of a row are nearly equal, a small ε would make errors of rounding large.
            let norm = NormParams {
                epsilon: 0.1,
                dropout: DropoutMask::NONE,
                precision: Precision::F32,
            };
            let residual = waves([rows, width], 3.0, &device);
            let gamma = row(width, 1.0, &device);
            let beta = (choices.below(2) == 1).then(|| row(width, 2.0, &device));
            agree(x, |x| {
                dropout_add_norm(x, residual.clone(), gamma.clone(), beta.clone(), norm)
            });
        }
        4 => agree(waves([rows, 2 * width], phase, &device), gated_gelu),
        _ => {
            let mut label = || match choices.below(width + 1) {
                0 => bert_kernels::IGNORE_INDEX,
                class => class as i64 - 1,
            };
            let labels: Vec<i64> = (0..rows).map(|_| label()).collect();
            let labels: Tensor<1, Int> =
                Tensor::from_data(TensorData::new(labels, [rows]), &device);
            agree(x, |x| masked_cross_entropy(x, labels.clone()).unsqueeze());
        }
    }
}

/// Attention of sequences whose lengths the input chooses.
fn attend(x: Tensor<2>, width: usize, choices: &mut Choices<'_>, device: &Device) {
    let rows = x.dims()[0];
    let mut lengths = Vec::new();
    let mut rest = rows;
    while rest > 0 {
        let length = choices.size().min(rest);
        lengths.push(length);
        rest -= length;
    }
    let heads = 1 + choices.below(4);
    let window = [None, Some(choices.below(4))][choices.below(2)];
    let params = AttentionParams {
        lengths: lengths.clone().into(),
        query_lengths: lengths.into(),
        heads,
        dropout: DropoutMask::NONE,
        window,
        precision: Precision::F32,
    };
    // With scores in the hundreds, errors of rounding would be large.
    let shape = [width, heads * (1 + width % 5)];
    let layers = [1.0, 2.0, 3.0].map(|phase| {
        let weight = waves(shape, phase, device) * (0.5 / width as f32);
        weights(weight, true)
    });
    let is_masked = choices.below(2) == 1;
    let mask: Vec<f32> = (0..rows)
        .map(|_| [0.0, f32::MIN][choices.below(2)])
        .collect();
    let mask = is_masked.then(|| Tensor::from_data(TensorData::new(mask, [rows]), device));
    agree(x, |x| {
        attention(linear_qkv(x, layers.clone()), mask.clone(), params.clone())
    });
}

/// Computes an operation and the gradient of its input in both ways, and compares.
fn agree(x: Tensor<2>, operation: impl Fn(Tensor<2>) -> Tensor<2>) {
    let by_kernel = with_gradient(&x, &operation);
    let composed = without_kernels(|| with_gradient(&x, &operation));
    for (found, expected) in by_kernel.iter().zip(&composed) {
        assert_eq!(found.len(), expected.len());
        let largest = expected
            .iter()
            .fold(1.0, |most: f32, one| most.max(one.abs()));
        for (one, other) in found.iter().zip(expected) {
            let is_close = (one - other).abs() <= CLOSE * largest || one == other;
            assert!(is_close, "{one} by the kernel, {other} composed");
        }
    }
}

fn with_gradient(x: &Tensor<2>, operation: impl Fn(Tensor<2>) -> Tensor<2>) -> [Vec<f32>; 2] {
    let x = x.clone().detach().require_grad();
    let y = operation(x.clone());
    let weights = waves(y.dims(), 0.4, &y.device());
    let gradients = (y.clone() * weights).sum().backward();
    let gradient = x.grad(&gradients).expect("the input requires a gradient");
    [y, gradient].map(|values| values.into_data().iter::<f32>().collect())
}

fn weights(weight: Tensor<2>, has_bias: bool) -> LinearWeights {
    let ([_, outputs], device) = (weight.dims(), weight.device());
    LinearWeights::new(weight, has_bias.then(|| row(outputs, 0.7, &device)))
}

fn row(width: usize, phase: f32, device: &Device) -> Tensor<1> {
    waves([1, width], phase, device).squeeze_dim::<1>(0)
}

/// Numbers in (−2, 2) without a pattern.
fn waves(shape: [usize; 2], phase: f32, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = (0..shape[0] * shape[1])
        .map(|index| 2.0 * (index as f32 * 0.731 + phase).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
