//! Rotary positions of queries and keys.

use bert_kernels::{Projections, Rotation, rotary};
use bert_testing::{TestDevice, with_and_without_kernels};
use burn::tensor::{Device, Int, Tensor};

use crate::common::{assert_same, waves, with_gradients};

with_and_without_kernels!(
    queries_and_keys_turn_and_values_stay,
    joined_projections_turn_as_separate_ones,
);

const HEADS: usize = 5;
const HALF: usize = 3;
const WIDTH: usize = 2 * HEADS * HALF;
const TOKENS: usize = 71;

fn rotation(device: &Device) -> Rotation {
    let angles = waves([TOKENS, HALF], 0.5, device) * 3.0;
    Rotation {
        cos: angles.clone().cos(),
        sin: angles.sin(),
    }
}

/// `x · cos + rotate_half(x) · sin` of transformers.
fn turned(x: Tensor<2>, rotation: &Rotation) -> Tensor<2> {
    let device = x.device();
    // Of each head's elements the other half, the first of them with the other sign.
    let (partners, signs): (Vec<i64>, Vec<f32>) = (0..WIDTH)
        .map(|column| match column % (2 * HALF) < HALF {
            true => ((column + HALF) as i64, -1.0),
            false => ((column - HALF) as i64, 1.0),
        })
        .unzip();
    let partners = Tensor::<1, Int>::from_data(partners.as_slice(), &device);
    let signs = Tensor::<1>::from_data(signs.as_slice(), &device);
    let half = x.clone().select(1, partners) * signs.unsqueeze_dim::<2>(0);
    let of_columns = |angle: &Tensor<2>| angle.clone().repeat(&[1, 2 * HEADS]);
    x * of_columns(&rotation.cos) + half * of_columns(&rotation.sin)
}

fn queries_and_keys_turn_and_values_stay(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let inputs = || [0.0, 1.0, 2.0].map(|phase| waves([TOKENS, WIDTH], phase, &on));
    let found = with_gradients(inputs(), |qkv| {
        rotary(Projections::from_separate(qkv), &rotation(&on), HEADS).into_joined()
    });
    let expected = with_gradients(inputs(), |[queries, keys, values]| {
        let rotation = rotation(&on);
        let turned = [turned(queries, &rotation), turned(keys, &rotation), values];
        Tensor::cat(turned.to_vec(), 1)
    });
    assert_same(device, "rotary", &found, &expected);
    Ok(())
}

fn joined_projections_turn_as_separate_ones(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let input = || [waves([TOKENS, 3 * WIDTH], 0.0, &on)];
    let turn = |qkv: Projections<3>| rotary(qkv, &rotation(&on), HEADS).into_joined();
    let found = with_gradients(input(), |[joined]| turn(Projections::from_joined(joined)));
    let expected = with_gradients(input(), |[joined]| {
        let separate = Projections::from_joined(joined).into_separate();
        turn(Projections::from_separate(separate))
    });
    assert_same(device, "joined", &found, &expected);
    Ok(())
}
