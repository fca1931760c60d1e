//! The fused operations of `bert-kernels` against their composed bodies, forward and backward, on the devices that have
//! them, with dropout and without.

use bert_device::Backend;
use bert_kernels::{
    AttentionParams, DropoutMask, EmbeddingIds, EmbeddingParams, EmbeddingWeights, Epilogue,
    LinearWeights, NormParams, Projections, attention, attention_composed, cross_attention,
    dropout, dropout_add_norm, dropout_add_norm_composed, embed, embed_composed, has_kernels,
    linear, masked_cross_entropy, masked_cross_entropy_composed, without_kernels,
};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, on_every_device, where_kernels_are,
};
use burn::tensor::{Device, Int, Tensor, TensorData};

on_every_device!(the_cpu_backends_have_kernels_and_no_other);

where_kernels_are!(
    dropout_add_norm_is_its_composed_body,
    attention_is_its_composed_body,
    attention_within_packed_sequences_is_that_of_each_alone,
    attention_of_some_tokens_is_theirs_among_all,
    embeddings_are_their_composed_body,
    cross_entropy_is_its_composed_body,
    attention_without_any_position_is_even,
    what_is_not_a_number_stays_visible,
);

/// What the other tests here, which need kernels, and those of other backends, where composed bodies work, rely on.
fn the_cpu_backends_have_kernels_and_no_other(device: &TestDevice) -> anyhow::Result<()> {
    let is_cpu = matches!(device.backend(), Backend::Flex | Backend::NdArray);
    assert_eq!(has_kernels(&device.autodiff()), is_cpu);
    assert_eq!(has_kernels(device.plain()), is_cpu);
    assert!(!without_kernels(|| has_kernels(device.plain())));
    Ok(())
}

const MASKS: [DropoutMask; 2] = [
    DropoutMask::NONE,
    DropoutMask {
        probability: 0.3,
        seed: 0x1234_5678_9abc,
    },
];

/// Numbers in (−2, 2) that look like none in particular.
pub(crate) fn numbers<const D: usize>(shape: [usize; D], phase: f32, device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count)
        .map(|index| 2.0 * (index as f32 * 0.731 + phase).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// What the mask multiplies a tensor of this shape by.
fn factors<const D: usize>(shape: [usize; D], mask: DropoutMask, device: &Device) -> Tensor<D> {
    dropout(Tensor::ones(shape, device), mask)
}

/// The outputs, and the gradients of the inputs under a weighted sum.
pub(crate) fn with_gradients<const N: usize>(
    inputs: [Tensor<2>; N],
    f: impl FnOnce([Tensor<2>; N]) -> Tensor<2>,
) -> Vec<Values> {
    let inputs = inputs.map(Tensor::require_grad);
    let y = f(inputs.clone());
    let weights = numbers(y.dims(), 0.4, &y.device());
    let gradients = (y.clone() * weights).sum().backward();
    let gradient = |input: &Tensor<2>| {
        let gradient = input.grad(&gradients);
        Values::of(gradient.expect("every input requires a gradient"))
    };
    let mut all = vec![Values::of(y)];
    all.extend(inputs.iter().map(gradient));
    all
}

pub(crate) fn assert_same(device: &TestDevice, name: &str, found: &[Values], expected: &[Values]) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (quantity, what) = match index {
            0 => (Quantity::FusedForward, "output".to_owned()),
            input => (
                Quantity::FusedBackward,
                format!("gradient of input {input}"),
            ),
        };
        assert_close(
            device,
            quantity,
            &format!("{name}, {what}"),
            found,
            expected,
        );
    }
}

fn dropout_add_norm_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    // More rows than a thread takes at a time, and a width that is no multiple of any register's.
    let (rows, width, epsilon) = (71, 37, 1e-12);
    for mask in MASKS {
        let inputs = || {
            [
                numbers([rows, width], 0.0, &on),
                numbers([rows, width], 1.0, &on),
                numbers([1, width], 2.0, &on),
                numbers([1, width], 3.0, &on),
            ]
        };
        let flat = |x: Tensor<2>| x.reshape([width]);
        let found = with_gradients(inputs(), |[x, residual, gamma, beta]| {
            let params = NormParams {
                epsilon,
                dropout: mask,
            };
            dropout_add_norm(x, residual, flat(gamma), Some(flat(beta)), params)
        });
        let kept = factors([rows, width], mask, &on);
        let expected = with_gradients(inputs(), |[x, residual, gamma, beta]| {
            let beta = Some(flat(beta));
            dropout_add_norm_composed(x, residual, flat(gamma), beta, epsilon, |x| x * kept)
        });
        let name = format!("dropout {} add norm", mask.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}

/// Sequences of very different lengths; in the second a hole, too.
const MASK: [[f32; 19]; 3] = {
    let mut mask = [[0.0; 19]; 3];
    let mut position = 0;
    while position < 19 {
        if position > 0 {
            mask[2][position] = f32::MIN;
        }
        if position == 4 || position > 11 {
            mask[1][position] = f32::MIN;
        }
        position += 1;
    }
    mask
};

fn attention_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (batch, sequence, heads, head) = (3, 19, 5, 7);
    for mask in MASKS {
        let inputs = || [0.0, 1.0, 2.0].map(|phase| numbers([57, heads * head], phase, &on));
        let hidden = Tensor::<2>::from_data(MASK, &on);
        let found = with_gradients(inputs(), |inputs| {
            let params = AttentionParams {
                lengths: vec![sequence; batch].into(),
                query_lengths: vec![sequence; batch].into(),
                heads,
                dropout: mask,
            };
            let hidden = hidden.clone().reshape([batch * sequence]);
            attention(Projections::from_separate(inputs), Some(hidden), params)
        });
        // Scores behind the last position of a sequence are not computed, so their factors do not matter; those of the
        // heads of one row follow each other.
        let factors = factors([batch, sequence, heads, sequence], mask, &on).swap_dims(1, 2);
        let expected = with_gradients(inputs(), |inputs| {
            let hidden = hidden.clone().reshape([batch, 1, 1, sequence]);
            let drop = |probabilities| probabilities * factors;
            attention_composed(inputs, Some(hidden), [batch, heads], drop).0
        });
        let name = format!("attention, dropout {}", mask.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}

fn attention_within_packed_sequences_is_that_of_each_alone(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (lengths, heads, head) = ([5, 1, 19, 2], 5, 7);
    let tokens = lengths.iter().sum();
    let attend = |joined: Tensor<2>, lengths: &[usize]| {
        let params = AttentionParams {
            lengths: lengths.into(),
            query_lengths: lengths.into(),
            heads,
            dropout: DropoutMask::NONE,
        };
        attention(Projections::from_joined(joined), None, params)
    };
    let joined = || [numbers([tokens, 3 * heads * head], 0.0, &on)];
    let found = with_gradients(joined(), |[joined]| attend(joined, &lengths));
    let expected = with_gradients(joined(), |[joined]| {
        let mut first = 0;
        let alone = lengths.map(|length| {
            let one = joined.clone().narrow(0, first, length);
            first += length;
            attend(one, &[length])
        });
        Tensor::cat(alone.to_vec(), 0)
    });
    assert_same(device, "packed attention", &found, &expected);
    Ok(())
}

fn attention_of_some_tokens_is_theirs_among_all(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (lengths, heads, head) = ([5, 1, 19, 2], 5, 7);
    // Tokens that ask: two of the first sequence, none of the second, three and one of the others.
    let (query_lengths, rows) = ([2, 0, 3, 1], [0_i64, 4, 6, 11, 24, 26]);
    let (tokens, width) = (27, heads * head);
    let inputs = || [0.0, 1.0, 2.0].map(|phase| numbers([tokens, width], phase, &on));
    let rows = Tensor::<1, Int>::from_data(rows, &on);
    let of = |query_lengths: &[usize]| AttentionParams {
        lengths: lengths.into(),
        query_lengths: query_lengths.into(),
        heads,
        dropout: DropoutMask::NONE,
    };
    let found = with_gradients(inputs(), |[query, key, value]| {
        let keys_values = Projections::from_separate([key, value]);
        let queries = query.select(0, rows.clone());
        cross_attention(queries, keys_values, None, of(&query_lengths))
    });
    let expected = with_gradients(inputs(), |inputs| {
        let qkv = Projections::from_separate(inputs);
        attention(qkv, None, of(&lengths)).select(0, rows.clone())
    });
    assert_same(device, "attention of some tokens", &found, &expected);
    // With one query a sequence, dropout is that of rows that follow each other.
    for mask_of in MASKS {
        let (batch, sequence) = (3, 9);
        let inputs = || [0.0, 1.0, 2.0].map(|phase| numbers([batch * sequence, width], phase, &on));
        let firsts = Tensor::<1, Int>::from_data([0_i64, 9, 18], &on);
        let found = with_gradients(inputs(), |[query, key, value]| {
            let params = AttentionParams {
                lengths: [sequence; 3].into(),
                query_lengths: [1; 3].into(),
                heads,
                dropout: mask_of,
            };
            let keys_values = Projections::from_separate([key, value]);
            cross_attention(query.select(0, firsts.clone()), keys_values, None, params)
        });
        let factors = factors([batch, heads, 1, sequence], mask_of, &on);
        let expected = with_gradients(inputs(), |inputs| {
            let drop =
                |probabilities: Tensor<4>| probabilities * factors.clone().repeat_dim(2, sequence);
            let all = attention_composed(inputs, None, [batch, heads], drop).0;
            all.select(0, firsts.clone())
        });
        let name = format!("attention of first tokens, dropout {}", mask_of.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}

fn embeddings_are_their_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    // A table of several blocks, ids that are taken more than once, the padding token among them.
    let (vocabulary, width, padding_idx, epsilon) = (201, 37, 3, 1e-12);
    let lengths = [5_i64, 1, 9];
    let ids: Vec<i64> = (0..15)
        .map(|index| [3, 200, 7, 64, 63][index % 5])
        .collect();
    let types: Vec<i64> = (0..15).map(|index| i64::from(index % 3 == 0)).collect();
    let places: Vec<i64> = lengths.iter().flat_map(|&length| 0..length).collect();
    let ints =
        |values: &[i64]| Tensor::<1, Int>::from_data(TensorData::new(values.to_vec(), [15]), &on);
    for mask in MASKS {
        let inputs = || {
            [
                numbers([vocabulary, width], 0.0, &on),
                numbers([11, width], 1.0, &on),
                numbers([2, width], 2.0, &on),
                numbers([1, width], 3.0, &on),
                numbers([1, width], 4.0, &on),
            ]
        };
        let flat = |x: Tensor<2>| x.reshape([width]);
        let of = |[words, positions, token_types, gamma, beta]: [Tensor<2>; 5]| {
            let weights = EmbeddingWeights {
                words,
                positions,
                token_types: Some(token_types),
                gamma: flat(gamma),
                beta: Some(flat(beta)),
            };
            let ids = EmbeddingIds {
                input_ids: ints(&ids),
                token_type_ids: Some(ints(&types)),
                position_ids: ints(&places),
            };
            (weights, ids)
        };
        let found = with_gradients(inputs(), |inputs| {
            let params = EmbeddingParams {
                padding_idx,
                epsilon,
                dropout: mask,
            };
            let (weights, ids) = of(inputs);
            embed(weights, ids, params)
        });
        let kept = factors([15, width], mask, &on);
        let expected = with_gradients(inputs(), |inputs| {
            let (weights, ids) = of(inputs);
            embed_composed(weights, ids, padding_idx, epsilon, |y| y * kept)
        });
        let name = format!("embeddings, dropout {}", mask.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}

fn cross_entropy_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (rows, classes) = (23, 37);
    let labels = |every: i64| {
        let label = |row: i64| if row % every == 0 { -100 } else { row * 5 % 37 };
        let labels: Vec<i64> = (0..rows as i64).map(label).collect();
        Tensor::<1, Int>::from_data(TensorData::new(labels, [rows]), &on)
    };
    // Every fourth row is ignored, then all of them.
    for every in [4, 1] {
        let logits = || [numbers([rows, classes], 0.0, &on) * 5.0];
        let found = with_gradients(logits(), |[logits]| {
            masked_cross_entropy(logits, labels(every)).unsqueeze()
        });
        let expected = with_gradients(logits(), |[logits]| {
            masked_cross_entropy_composed(logits, labels(every)).unsqueeze()
        });
        assert_same(device, "cross-entropy", &found, &expected);
    }
    Ok(())
}

fn attention_without_any_position_is_even(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (sequence, width) = (5, 4);
    let hidden = Tensor::<1>::full([sequence], f32::MIN, &on);
    let inputs = [0.0, 1.0, 2.0].map(|phase| numbers([sequence, width], phase, &on));
    let mean = Values::of(inputs[2].clone().mean_dim(0));
    let found = with_gradients(inputs, |inputs| {
        let params = AttentionParams {
            lengths: [sequence].into(),
            query_lengths: [sequence].into(),
            heads: 2,
            dropout: DropoutMask::NONE,
        };
        attention(Projections::from_separate(inputs), Some(hidden), params)
    });
    for row in 0..sequence {
        let row = found[0].rows(&[row]);
        assert_close(
            device,
            Quantity::FusedForward,
            "even attention",
            &row,
            &mean,
        );
    }
    assert!(found.iter().all(Values::are_finite));
    Ok(())
}

fn what_is_not_a_number_stays_visible(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for bad in [f32::NAN, f32::INFINITY] {
        let x = numbers([4, 6], 0.0, &on).slice_fill([1..2, 2..3], bad);
        let ones = Tensor::<1>::ones([6], &on);
        let norm = NormParams {
            epsilon: 1e-12,
            dropout: DropoutMask::NONE,
        };
        let y = dropout_add_norm(x.clone(), x.clone(), ones.clone(), Some(ones), norm);
        let y = Values::of(y);
        assert!(!y.rows(&[1]).are_finite(), "{bad} vanished in LayerNorm");
        assert!(
            y.rows(&[0, 2, 3]).are_finite(),
            "{bad} spread to other rows"
        );
        let params = AttentionParams {
            lengths: [4].into(),
            query_lengths: [4].into(),
            heads: 2,
            dropout: DropoutMask::NONE,
        };
        let qkv = Projections::from_separate([x.clone(), x.clone(), x.clone()]);
        let y = attention(qkv, None, params);
        assert!(!Values::of(y).are_finite(), "{bad} vanished in attention");
        for epilogue in [Epilogue::Bias, Epilogue::BiasGelu] {
            let (weight, bias) = (numbers([6, 5], 1.0, &on), Tensor::zeros([5], &on));
            let y = Values::of(linear(
                x.clone(),
                LinearWeights::new(weight, Some(bias)),
                epilogue,
            ));
            assert!(!y.rows(&[1]).are_finite(), "{bad} vanished in {epilogue:?}");
            assert!(
                y.rows(&[0, 2, 3]).are_finite(),
                "{bad} spread to other rows"
            );
        }
    }
    Ok(())
}
