//! What holds for every operation: it works on every device and for every float type.

use bert_kernels::{
    AttentionParams, DropoutMask, EmbeddingIds, EmbeddingParams, EmbeddingWeights, Epilogue,
    LinearWeights, NormParams, Positions, Precision, Projections, Rotation, attention,
    biased_attention, cross_attention, disentangled_attention, dropout, dropout_add_norm, embed,
    feed_forward, gated_gelu, gelu, has_kernels, layer_norm, linear, linear_kv, linear_qkv,
    masked_cross_entropy, rotary, without_kernels,
};
use bert_testing::{
    Backend, Quantity, TestDevice, Values, assert_close, on_every_device, where_kernels_are,
};
use burn::tensor::{DType, FloatDType, Tensor};

use crate::common::{integers, row, waves};

on_every_device!(the_cpu_backends_have_kernels_and_no_other);

where_kernels_are!(
    double_precision_takes_the_composed_bodies,
    dropped_elements_are_as_many_as_asked_for,
);

/// The tests that need kernels, and those of other backends, rely on this.
fn the_cpu_backends_have_kernels_and_no_other(device: &TestDevice) -> anyhow::Result<()> {
    let is_cpu = matches!(device.backend(), Backend::Flex | Backend::NdArray);
    assert_eq!(has_kernels(&device.autodiff()), is_cpu);
    assert_eq!(has_kernels(device.plain()), is_cpu);
    assert!(!without_kernels(|| has_kernels(device.plain())));
    Ok(())
}

/// Each operation on inputs of this type, as `(name, output)`.
fn outputs(device: &TestDevice, dtype: FloatDType) -> Vec<(&'static str, Tensor<2>)> {
    let on = device.plain();
    let data = |shape, phase| waves::<2>(shape, phase, on).cast(dtype);
    let weights = |phase| LinearWeights::new(data([6, 6], phase), Some(row(data([1, 6], phase))));
    let x = || data([7, 6], 0.0);
    let lengths = |lengths: &[usize], query_lengths: &[usize]| AttentionParams {
        lengths: lengths.into(),
        query_lengths: query_lengths.into(),
        heads: 2,
        dropout: DropoutMask::NONE,
        window: None,
        precision: Precision::F32,
    };
    let norm = NormParams {
        epsilon: 1e-12,
        dropout: DropoutMask::NONE,
        precision: Precision::F32,
    };
    let (gamma, beta) = (row(data([1, 6], 1.0)), Some(row(data([1, 6], 2.0))));
    let qkv = linear_qkv(x(), [1.0, 2.0, 3.0].map(weights));
    let kv = linear_kv(x(), [1.0, 2.0].map(weights));
    let embeddings = EmbeddingWeights {
        words: data([9, 6], 0.0),
        positions: Some(data([9, 6], 1.0)),
        token_types: None,
        gamma: gamma.clone(),
        beta: beta.clone(),
    };
    let ids = EmbeddingIds {
        input_ids: integers(&[3, 8, 3, 0, 1], on),
        token_type_ids: None,
        position_ids: integers(&[2, 3, 4, 2, 3], on),
    };
    let of_embeddings = EmbeddingParams {
        padding_idx: Some(0),
        position_padding_idx: Some(2),
        epsilon: 1e-12,
        dropout: DropoutMask::NONE,
    };
    let rotation = Rotation {
        cos: data([7, 3], 3.0),
        sin: data([7, 3], 4.0),
    };
    let labels = integers(&[0, 5, -100, 2, 2, 1, 3], on);
    vec![
        ("GELU", gelu(x())),
        ("gated GELU", gated_gelu(x())),
        ("linear", linear(x(), weights(1.0), Epilogue::BiasGelu)),
        (
            "feed_forward",
            feed_forward(x(), weights(1.0), weights(2.0)),
        ),
        ("linear_qkv", qkv.clone().into_joined()),
        ("rotary", rotary(qkv.clone(), &rotation, 1).into_joined()),
        (
            "attention",
            attention(qkv.clone(), None, lengths(&[4, 3], &[4, 3])),
        ),
        (
            "biased_attention",
            biased_attention(
                qkv.clone(),
                data([2, 8], 5.0),
                None,
                lengths(&[4, 3], &[4, 3]),
            ),
        ),
        (
            "disentangled_attention",
            disentangled_attention(
                qkv.clone(),
                Positions {
                    keys: Some(data([8, 6], 5.0)),
                    queries: Some(data([8, 6], 6.0)),
                },
                None,
                lengths(&[4, 3], &[4, 3]),
            ),
        ),
        (
            "attention of separate projections",
            attention(
                Projections::from_separate(qkv.into_separate()),
                None,
                lengths(&[7], &[7]),
            ),
        ),
        (
            "cross_attention",
            cross_attention(data([3, 6], 4.0), kv, None, lengths(&[4, 3], &[1, 2])),
        ),
        (
            "layer_norm",
            layer_norm(x(), gamma.clone(), beta.clone(), norm.epsilon),
        ),
        (
            "dropout_add_norm",
            dropout_add_norm(x(), x(), gamma, beta, norm),
        ),
        ("embed", embed(embeddings, ids, of_embeddings)),
        ("dropout", dropout(x(), DropoutMask::NONE)),
        (
            "cross-entropy",
            masked_cross_entropy(x(), labels).unsqueeze(),
        ),
    ]
}

fn double_precision_takes_the_composed_bodies(device: &TestDevice) -> anyhow::Result<()> {
    let single = outputs(device, FloatDType::F32);
    for ((name, double), (_, single)) in outputs(device, FloatDType::F64).into_iter().zip(single) {
        assert_eq!(double.dtype(), DType::F64, "{name}");
        let (found, expected) = (Values::of(double), Values::of(single));
        assert_close(device, Quantity::FusedForward, name, &found, &expected);
    }
    Ok(())
}

/// By the kernel and by the composed body, which draws its mask from the device's random numbers.
fn dropped_elements_are_as_many_as_asked_for(device: &TestDevice) -> anyhow::Result<()> {
    let mask = DropoutMask {
        probability: 0.25,
        seed: 7,
    };
    let ones = || Tensor::<1>::ones([40_000], device.plain());
    for y in [
        dropout(ones(), mask),
        without_kernels(|| dropout(ones(), mask)),
    ] {
        let y = Values::of(y).values;
        let dropped = y.iter().filter(|&&y| y == 0.0).count();
        // Six standard deviations of a binomial distribution.
        assert!((9_480..=10_520).contains(&dropped), "{dropped}");
        let scaled = |&y: &f32| y == 0.0 || (y - 4.0 / 3.0).abs() < 1e-6;
        assert!(
            y.iter().all(scaled),
            "kept elements are scaled by 1 / (1 − p)"
        );
    }
    Ok(())
}
