//! Low-rank adapters beside linear layers.

use std::sync::Arc;

use bert_kernels::{
    Epilogue, LinearWeights, LowRankWeights, PackedWeight, WeightFormat, column_norms, gelu,
    linear, linear_kv, linear_qkv, merged_weight,
};
use bert_testing::{
    TestDevice, Values, assert_equal_bits, where_kernels_are, with_and_without_kernels,
};
use burn::tensor::{Device, Tensor};

use crate::common::{assert_same, assert_same_at_scales, row, waves, with_gradients};

with_and_without_kernels!(
    an_adapter_adds_its_product,
    a_magnitude_scales_the_columns,
    maps_side_by_side_have_adapters_of_their_own,
    a_frozen_map_gets_no_gradient,
    dropout_is_on_the_input_of_the_adapter_alone,
    a_new_adapter_with_a_magnitude_changes_nothing,
);

where_kernels_are!(packed_weights_count_where_no_layer_beside_has_an_adapter);

/// K, N, R.
const SIZES: [usize; 3] = [37, 101, 5];
const ROWS: [usize; 3] = [1, 71, 300];
const SCALE: f64 = 1.7;

/// x, W, b, A, B, m.
fn inputs(rows: usize, phase: f32, on: &Device) -> [Tensor<2>; 6] {
    let [k, columns, rank] = SIZES;
    [
        waves([rows, k], phase, on) * 0.5,
        waves([k, columns], phase + 1.0, on) * 0.2,
        waves([1, columns], phase + 2.0, on) * 0.2,
        waves([k, rank], phase + 3.0, on) * 0.1,
        waves([rank, columns], phase + 4.0, on) * 0.1,
        waves([1, columns], phase + 5.0, on) + 3.0,
    ]
}

fn adapted(
    [weight, bias, down, up, magnitude]: [Tensor<2>; 5],
    has_magnitude: bool,
) -> LinearWeights {
    LinearWeights {
        low_rank: Some(LowRankWeights {
            down,
            up,
            scale: SCALE,
            magnitude: has_magnitude.then(|| row(magnitude)),
            dropout: 0.0,
        }),
        ..LinearWeights::new(weight, Some(row(bias)))
    }
}

/// As PEFT writes it, in ordinary operations.
fn expected(
    [x, weight, bias, down, up, magnitude]: [Tensor<2>; 6],
    has_magnitude: bool,
) -> Tensor<2> {
    let low = x.clone().matmul(down.clone()).matmul(up.clone()) * SCALE;
    let y = x.matmul(weight.clone()) + low;
    if !has_magnitude {
        // What does not matter has a gradient of zero.
        return y + bias + magnitude * 0.0;
    }
    let merged = weight.detach() + down.detach().matmul(up.detach()) * SCALE;
    y * (magnitude / column_norms(merged)) + bias
}

/// The largest sum, over the rows, of the magnitudes of what the gradient of a column's magnitude adds up, where the columns
/// are `y`'s from `first` on and the loss weighs `y` as [`with_gradients`] does.
fn terms(y: &Tensor<2>, first: usize, [_, _, bias, _, _, magnitude]: [Tensor<2>; 6]) -> f64 {
    let columns = SIZES[1];
    let of_map = |x: Tensor<2>| x.narrow(1, first, columns);
    let weights = of_map(waves(y.dims(), 0.4, &y.device()));
    let before = (of_map(y.clone()) - bias) / magnitude;
    let sums = (weights * before).abs().sum_dim(0);
    f64::from(sums.max().into_scalar::<f32>())
}

fn check(device: &TestDevice, has_magnitude: bool) {
    let on = device.autodiff();
    for rows in ROWS {
        for epilogue in [Epilogue::Bias, Epilogue::BiasGelu] {
            let through = |y: Tensor<2>| match epilogue {
                Epilogue::Bias => y,
                Epilogue::BiasGelu => gelu(y),
            };
            let name = format!("adapter, {epilogue:?}, {rows} rows");
            let found = with_gradients(inputs(rows, 0.0, &on), |[x, w, b, down, up, m]| {
                let unused = m.clone() * 0.0;
                let map = adapted([w, b, down, up, m], has_magnitude);
                let y = linear(x, map, epilogue);
                if has_magnitude { y } else { y + unused }
            });
            let expected = with_gradients(inputs(rows, 0.0, &on), |inputs| {
                through(expected(inputs, has_magnitude))
            });
            let plain_inputs = || inputs(rows, 0.0, &on).map(Tensor::inner);
            let y = self::expected(plain_inputs(), has_magnitude);
            let scales = [(6, terms(&y, 0, plain_inputs()))];
            let scales = if has_magnitude { &scales[..] } else { &[] };
            assert_same_at_scales(device, &name, &found, &expected, scales);

            let [x, w, b, down, up, m] = inputs(rows, 0.0, &on).map(Tensor::inner);
            let map = adapted([w, b, down, up, m], has_magnitude);
            let adapter = map.low_rank.clone().expect("an adapter");
            let plain = linear(x.clone(), map.clone(), epilogue);
            assert_same(device, &name, &[Values::of(plain)], &expected[..1]);
            let merged = LinearWeights::new(merged_weight(map.weight, &adapter), map.bias);
            let plain = linear(x, merged, epilogue);
            assert_same(device, &name, &[Values::of(plain)], &expected[..1]);
        }
    }
}

fn an_adapter_adds_its_product(device: &TestDevice) -> anyhow::Result<()> {
    check(device, false);
    Ok(())
}

fn a_magnitude_scales_the_columns(device: &TestDevice) -> anyhow::Result<()> {
    check(device, true);
    Ok(())
}

/// The first without an adapter, the second with a magnitude, the third without one.
fn maps_side_by_side_have_adapters_of_their_own(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for rows in ROWS {
        let all = || {
            let [x, w1, b1, ..] = inputs(rows, 0.0, &on);
            let [_, w2, b2, d2, u2, m2] = inputs(rows, 7.0, &on);
            let [_, w3, b3, d3, u3, _] = inputs(rows, 9.0, &on);
            [x, w1, b1, w2, b2, d2, u2, m2, w3, b3, d3, u3]
        };
        let each = |[x, w1, b1, w2, b2, d2, u2, m2, w3, b3, d3, u3]: [Tensor<2>; 12]| {
            let zeros = Tensor::zeros([1, SIZES[1]], &x.device());
            let second = expected([x.clone(), w2, b2, d2, u2, m2], true);
            let third = expected([x.clone(), w3, b3, d3, u3, zeros], false);
            Tensor::cat(vec![x.matmul(w1) + b1, second, third], 1)
        };
        let expected = with_gradients(all(), each);
        let y = each(all().map(Tensor::inner));
        let scales = [(
            8,
            terms(&y, SIZES[1], inputs(rows, 7.0, &on).map(Tensor::inner)),
        )];
        let three = with_gradients(all(), |inputs| {
            let (x, [first, second, third]) = maps(inputs);
            linear_qkv(x, [first, second, third]).into_joined()
        });
        assert_same_at_scales(device, "three", &three, &expected, &scales);
        let two = with_gradients(all(), |inputs| {
            let (x, [first, second, third]) = maps(inputs);
            let first = linear(x.clone(), first, Epilogue::Bias);
            let others = linear_kv(x, [second, third]).into_joined();
            Tensor::cat(vec![first, others], 1)
        });
        assert_same_at_scales(device, "two", &two, &expected, &scales);
    }
    Ok(())
}

/// Products side by side have one format. Beside an adapter it is single precision: a merged weight is not packed.
fn packed_weights_count_where_no_layer_beside_has_an_adapter(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let on = device.plain();
    let [x, ..] = inputs(71, 0.0, on);
    let layers = |is_packed: bool, has_adapter: bool| {
        [0.0, 7.0, 9.0].map(|phase| {
            let [_, weight, bias, down, up, magnitude] = inputs(71, phase, on);
            let layer = match has_adapter && phase == 7.0 {
                true => adapted([weight, bias, down, up, magnitude], false),
                false => LinearWeights::new(weight, Some(row(bias))),
            };
            let packed = is_packed.then(|| Arc::new(PackedWeight::new(WeightFormat::Bf16)));
            LinearWeights { packed, ..layer }
        })
    };
    let joined = |layers| Values::of(linear_qkv(x.clone(), layers).into_joined());
    let each = layers(true, false).map(|layer| linear(x.clone(), layer, Epilogue::Bias));
    let each = Values::of(Tensor::cat(each.to_vec(), 1));
    assert_equal_bits(device, "packed", &joined(layers(true, false)), &each);
    let in_single = joined(layers(false, false));
    assert_ne!(each.bits(), in_single.bits(), "bfloat16 rounds");
    let [packed, plain] = [true, false].map(|is_packed| joined(layers(is_packed, true)));
    assert_equal_bits(device, "beside an adapter", &packed, &plain);
    Ok(())
}

fn maps(
    [x, w1, b1, w2, b2, d2, u2, m2, w3, b3, d3, u3]: [Tensor<2>; 12],
) -> (Tensor<2>, [LinearWeights; 3]) {
    let first = LinearWeights::new(w1, Some(row(b1)));
    let second = adapted([w2, b2, d2, u2, m2.clone()], true);
    let third = adapted([w3, b3, d3, u3, m2], false);
    (x, [first, second, third])
}

fn a_frozen_map_gets_no_gradient(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for has_magnitude in [false, true] {
        let [x, w, b, down, up, m] = inputs(71, 0.0, &on);
        let [down, up, m] = [down, up, m].map(Tensor::require_grad);
        let map = adapted(
            [w.clone(), b, down.clone(), up.clone(), m.clone()],
            has_magnitude,
        );
        let gradients = linear(x.clone(), map, Epilogue::Bias).sum().backward();
        assert!(w.grad(&gradients).is_none() && x.grad(&gradients).is_none());
        assert!(down.grad(&gradients).is_some() && up.grad(&gradients).is_some());
        assert_eq!(m.grad(&gradients).is_some(), has_magnitude);
    }
    Ok(())
}

fn dropout_is_on_the_input_of_the_adapter_alone(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let k = 20;
    let x: Tensor<2> = waves([71, k], 0.0, &on) + 3.0;
    let eye = Tensor::eye(k, &on);
    let low_rank = LowRankWeights {
        down: eye.clone().require_grad(),
        up: eye.clone().require_grad(),
        scale: 1.0,
        magnitude: None,
        dropout: 0.5,
    };
    let map = LinearWeights {
        low_rank: Some(low_rank),
        ..LinearWeights::new(eye * 10.0, None)
    };
    let y = linear(x.clone(), map, Epilogue::Bias);
    // Ten times x, and twice x or nothing.
    let shares: Vec<f32> = (y / x).into_data().iter::<f32>().collect();
    let is = |share: f32, value: f32| (share - value).abs() < 1e-4;
    assert!(
        shares
            .iter()
            .all(|&share| is(share, 10.0) || is(share, 12.0))
    );
    let kept = shares.iter().filter(|&&share| is(share, 12.0)).count();
    assert!((400..1020).contains(&kept), "{kept} of 1420");
    Ok(())
}

/// B is 0, and the magnitude the norm of each column.
fn a_new_adapter_with_a_magnitude_changes_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let [x, weight, bias, down, up, _] = inputs(71, 0.0, &on);
    let norms = weight.clone().square().sum_dim(0).sqrt();
    let plain = LinearWeights::new(weight, Some(row(bias)));
    let expected = [Values::of(linear(x.clone(), plain.clone(), Epilogue::Bias))];
    for dropout in [0.0, 0.5] {
        let low_rank = LowRankWeights {
            down: down.clone(),
            up: up.zeros_like(),
            scale: SCALE,
            magnitude: Some(row(norms.clone())),
            dropout,
        };
        let map = LinearWeights {
            low_rank: Some(low_rank),
            ..plain.clone()
        };
        let found = [Values::of(linear(x.clone(), map, Epilogue::Bias))];
        assert_same(device, &format!("dropout {dropout}"), &found, &expected);
    }
    Ok(())
}
