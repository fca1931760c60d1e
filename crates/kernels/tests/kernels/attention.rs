//! Attention within padded and ragged sequences, and cross-attention.

use bert_kernels::{
    AttentionParams, DropoutMask, Precision, Projections, attention, attention_composed,
    attention_with_probabilities, biased_attention, cross_attention, without_kernels,
};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, where_kernels_are, with_and_without_kernels,
};
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};

use crate::common::{MASKS, assert_same, integers, kept, rounded, waves, with_gradients};

where_kernels_are!(
    attention_is_its_composed_body,
    cross_attention_of_first_tokens_is_its_composed_body,
    ragged_attention_is_its_composed_body,
    attention_with_a_bias_is_its_composed_body,
    attention_in_bfloat16_is_that_of_rounded_inputs_bit_for_bit,
    nan_and_infinity_stay_visible,
);

with_and_without_kernels!(
    attention_within_ragged_sequences_is_that_of_each_alone,
    a_bias_belongs_to_the_distance_of_a_key_from_its_query,
    ragged_attention_is_that_of_padded_sequences,
    cross_attention_is_attention_of_the_queries_tokens,
    attention_without_any_position_is_uniform,
    probabilities_are_those_of_attention,
);

/// Padding of very different lengths. The second sequence has a masked token inside, too.
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
        let inputs = || [0.0, 1.0, 2.0].map(|phase| waves([57, heads * head], phase, &on));
        let hidden = Tensor::<2>::from_data(MASK, &on);
        let found = with_gradients(inputs(), |inputs| {
            let params = AttentionParams {
                lengths: vec![sequence; batch].into(),
                query_lengths: vec![sequence; batch].into(),
                heads,
                dropout: mask,
                window: None,
                precision: Precision::F32,
            };
            let hidden = hidden.clone().reshape([batch * sequence]);
            attention(Projections::from_separate(inputs), Some(hidden), params)
        });
        // Scores behind the last position of a sequence are not computed, so their factors do not matter; those of the
        // heads of one row follow each other.
        let factors = kept([batch, sequence, heads, sequence], mask, &on).swap_dims(1, 2);
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

fn attention_within_ragged_sequences_is_that_of_each_alone(
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
            window: None,
            precision: Precision::F32,
        };
        attention(Projections::from_joined(joined), None, params)
    };
    let joined = || [waves([tokens, 3 * heads * head], 0.0, &on)];
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
    assert_same(device, "ragged attention", &found, &expected);
    Ok(())
}

fn cross_attention_is_attention_of_the_queries_tokens(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (lengths, heads, head) = ([5, 1, 19, 2], 5, 7);
    // Two queries of the first sequence, none of the second, three and one of the others.
    let (query_lengths, rows) = ([2, 0, 3, 1], [0_i64, 4, 6, 11, 24, 26]);
    let (tokens, width) = (27, heads * head);
    let inputs = || [0.0, 1.0, 2.0].map(|phase| waves([tokens, width], phase, &on));
    let rows = Tensor::<1, Int>::from_data(rows, &on);
    let of = |query_lengths: &[usize]| AttentionParams {
        lengths: lengths.into(),
        query_lengths: query_lengths.into(),
        heads,
        dropout: DropoutMask::NONE,
        window: None,
        precision: Precision::F32,
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
    assert_same(device, "cross-attention", &found, &expected);
    Ok(())
}

/// With one query a sequence, the dropout indices of its heads' rows are consecutive.
fn cross_attention_of_first_tokens_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (heads, width) = (5, 35);
    for mask_of in MASKS {
        let (batch, sequence) = (3, 9);
        let inputs = || [0.0, 1.0, 2.0].map(|phase| waves([batch * sequence, width], phase, &on));
        let firsts = Tensor::<1, Int>::from_data([0_i64, 9, 18], &on);
        let found = with_gradients(inputs(), |[query, key, value]| {
            let params = AttentionParams {
                lengths: [sequence; 3].into(),
                query_lengths: [1; 3].into(),
                heads,
                dropout: mask_of,
                window: None,
                precision: Precision::F32,
            };
            let keys_values = Projections::from_separate([key, value]);
            cross_attention(query.select(0, firsts.clone()), keys_values, None, params)
        });
        let factors = kept([batch, heads, 1, sequence], mask_of, &on);
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

fn attention_without_any_position_is_uniform(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (sequence, width) = (5, 4);
    let hidden = Tensor::<1>::full([sequence], f32::MIN, &on);
    let inputs = [0.0, 1.0, 2.0].map(|phase| waves([sequence, width], phase, &on));
    let mean = Values::of(inputs[2].clone().mean_dim(0));
    let found = with_gradients(inputs, |inputs| {
        let params = AttentionParams {
            lengths: [sequence].into(),
            query_lengths: [sequence].into(),
            heads: 2,
            dropout: DropoutMask::NONE,
            window: None,
            precision: Precision::F32,
        };
        attention(Projections::from_separate(inputs), Some(hidden), params)
    });
    for row in 0..sequence {
        let row = found[0].rows(&[row]);
        assert_close(
            device,
            Quantity::FusedForward,
            "uniform attention",
            &row,
            &mean,
        );
    }
    assert!(found.iter().all(Values::are_finite));
    Ok(())
}

/// Of self-attention and of cross-attention.
fn attention_in_bfloat16_is_that_of_rounded_inputs_bit_for_bit(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (lengths, heads, width) = ([1, 40, 17, 100], 5, 35);
    let tokens = lengths.iter().sum();
    let inputs = |rows: usize| {
        let queries = waves([rows, width], 0.0, &on);
        [
            queries,
            waves([tokens, width], 1.0, &on),
            waves([tokens, width], 2.0, &on),
        ]
    };
    let round = |x: Tensor<2>| {
        let shape = x.dims();
        let values: Vec<f32> = x.into_data().iter::<f32>().map(rounded).collect();
        Tensor::from_data(TensorData::new(values, shape), &on)
    };
    for dropout in MASKS {
        let params = |precision, query_lengths: &[usize]| AttentionParams {
            query_lengths: query_lengths.into(),
            dropout,
            precision,
            ..params(&lengths, heads)
        };
        let whole = |inputs, precision| {
            with_gradients(inputs, |inputs| {
                let qkv = Projections::from_separate(inputs);
                attention(qkv, None, params(precision, &lengths))
            })
        };
        let firsts = |inputs, precision| {
            with_gradients(inputs, |[queries, keys, values]| {
                let keys_values = Projections::from_separate([keys, values]);
                cross_attention(queries, keys_values, None, params(precision, &[1; 4]))
            })
        };
        let pairs = [
            (
                whole(inputs(tokens), Precision::Bf16),
                whole(inputs(tokens).map(round), Precision::F32),
            ),
            (
                firsts(inputs(4), Precision::Bf16),
                firsts(inputs(4).map(round), Precision::F32),
            ),
        ];
        for (found, expected) in pairs {
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(found.bits(), expected.bits(), "{index}, {dropout:?}");
            }
        }
    }
    Ok(())
}

pub(crate) fn params(lengths: &[usize], heads: usize) -> AttentionParams {
    AttentionParams {
        lengths: lengths.into(),
        query_lengths: lengths.into(),
        heads,
        dropout: DropoutMask::NONE,
        window: None,
        precision: Precision::F32,
    }
}

/// Queries, keys and values of the tokens of ragged sequences.
const RAGGED: [usize; 4] = [5, 1, 19, 2];

fn ragged(device: &TestDevice, width: usize) -> [Tensor<2>; 3] {
    let tokens = RAGGED.iter().sum();
    [0.0, 1.0, 2.0].map(|phase| waves([tokens, width], phase, &device.autodiff()))
}

fn ragged_attention_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    // With a mask that hides the third token of the third sequence.
    let hide = |mask: Tensor<1>| mask.slice_fill(8..9, f32::MIN);
    let attend = || {
        with_gradients(ragged(device, 35), |qkv| {
            let mask = hide(Tensor::zeros([27], &device.autodiff()));
            let qkv = Projections::from_separate(qkv);
            attention(qkv, Some(mask), params(&RAGGED, 5))
        })
    };
    assert_same(
        device,
        "ragged attention",
        &attend(),
        &without_kernels(attend),
    );
    Ok(())
}

/// With a sequence of one block of queries, of several, and with masked keys.
fn attention_with_a_bias_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (lengths, heads, width) = ([5, 1, 70, 19], 5, 35);
    let hide = |mask: Tensor<1>| {
        mask.slice_fill(8..12, f32::MIN)
            .slice_fill(94..95, f32::MIN)
    };
    let attend = || {
        let [qkv @ .., bias] = [0.0, 1.0, 2.0, 3.0].map(|phase| waves([95, width], phase, &on));
        let bias = bias.slice([0..heads, 0..28]).repeat(&[1, 5]);
        let [query, key, value] = qkv;
        with_gradients([query, key, value, bias], |[query, key, value, bias]| {
            let mask = hide(Tensor::zeros([95], &on));
            let qkv = Projections::from_separate([query, key, value]);
            biased_attention(qkv, bias, Some(mask), params(&lengths, heads))
        })
    };
    let name = "attention with a bias";
    assert_same(device, name, &attend(), &without_kernels(attend));
    Ok(())
}

/// Queries and keys are zero, so that the bias is all that is in the scores: where one distance has a high one, a query's context
/// is the value of the key that stands so far from it.
fn a_bias_belongs_to_the_distance_of_a_key_from_its_query(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let on = device.plain();
    let (lengths, longest) = ([3, 5], 5);
    let value = Tensor::<1, Int>::arange(0..8, on).float().reshape([8, 1]);
    for distance in [-2, 0, 1_i32] {
        let mut bias = vec![0.0_f32; 2 * longest];
        bias[(distance + longest as i32 - 1) as usize] = 1000.0;
        let bias = Tensor::from_data(TensorData::new(bias, [1, 2 * longest]), on);
        let zeros = || Tensor::<2>::zeros([8, 1], on);
        let qkv = Projections::from_separate([zeros(), zeros(), value.clone()]);
        let found = biased_attention(qkv, bias, None, params(&lengths, 1));
        let found: Vec<f32> = found.into_data().iter().collect();
        for (first, length) in [(0, 3), (3, 5)] {
            for query in 0..length {
                let key = query + distance;
                if (0..length).contains(&key) {
                    assert_eq!(found[(first + query) as usize], (first + key) as f32);
                }
            }
        }
    }
    Ok(())
}

fn ragged_attention_is_that_of_padded_sequences(device: &TestDevice) -> anyhow::Result<()> {
    let (on, longest, heads) = (device.autodiff(), 19, 5);
    let found = with_gradients(ragged(device, 35), |qkv| {
        attention(
            Projections::from_separate(qkv),
            None,
            params(&RAGGED, heads),
        )
    });
    // The places of the tokens in the padded batch.
    let places = RAGGED.iter().enumerate();
    let places = places.flat_map(|(row, &length)| row * longest..row * longest + length);
    let places: Vec<i64> = places.map(|place| place as i64).collect();
    let places = integers(&places, &on);
    let padded = RAGGED.len() * longest;
    let pad = |x: Tensor<2>| {
        let [_, width] = x.dims();
        Tensor::zeros([padded, width], &on).select_assign(
            0,
            places.clone(),
            x,
            IndexingUpdateOp::Add,
        )
    };
    let real = pad(Tensor::ones([27, 1], &on)).reshape([padded]);
    let mask = real
        .clone()
        .zeros_like()
        .mask_fill(real.equal_scalar(0.0), f32::MIN);
    let expected = with_gradients(ragged(device, 35), |qkv| {
        let qkv = Projections::from_separate(qkv.map(pad));
        let context = attention(qkv, Some(mask), params(&[longest; 4], heads));
        context.select(0, places.clone())
    });
    assert_same(device, "padded attention", &found, &expected);
    Ok(())
}

fn probabilities_are_those_of_attention(device: &TestDevice) -> anyhow::Result<()> {
    let (on, sequence, width, heads) = (device.autodiff(), 9, 35, 5);
    let qkv = || [0.0, 1.0, 2.0].map(|phase| waves([2 * sequence, width], phase, &on));
    let params = || params(&[sequence; 2], heads);
    let qkv_of = || Projections::from_separate(qkv());
    let (context, probabilities) = attention_with_probabilities(qkv_of(), None, None, params());
    assert_eq!(probabilities.dims(), [2, heads, sequence, sequence]);
    let sums = Values::of(probabilities.sum_dim(3));
    let ones = Values::of(Tensor::<4>::ones([2, heads, sequence, 1], &on));
    assert_close(device, Quantity::FusedForward, "sums", &sums, &ones);
    let expected = Values::of(attention(qkv_of(), None, params()));
    let context = Values::of(context);
    assert_close(
        device,
        Quantity::FusedForward,
        "context",
        &context,
        &expected,
    );
    Ok(())
}

fn nan_and_infinity_stay_visible(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for bad in [f32::NAN, f32::INFINITY] {
        let x = waves([4, 6], 0.0, &on).slice_fill([1..2, 2..3], bad);
        let qkv = Projections::from_separate([x.clone(), x.clone(), x]);
        let y = Values::of(attention(qkv, None, params(&[4], 2)));
        assert!(!y.are_finite(), "{bad} vanished");
    }
    Ok(())
}
