//! Pooling, dense layers and normalisation by numbers that a reader can check.

use bert_sentence_embedding::{Activation, DenseConfig, Pooling, PoolingMode, normalize, truncate};
use bert_testing::{Quantity, TestDevice, Values, assert_close, on_every_device};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

on_every_device!(
    every_mode_pools_each_sentence_for_itself,
    several_modes_stand_one_behind_the_other,
    a_weight_is_a_position_of_the_whole_sentence,
    a_pooled_vector_has_a_gradient_for_each_token,
    vectors_have_length_one_and_zero_stays_zero,
    a_dense_layer_is_a_linear_map_and_an_activation,
);

/// Two sentences, of three tokens and of one, with H = 2.
fn hidden(device: &Device) -> Tensor<2> {
    let rows = [[1.0, -2.0], [3.0, -5.0], [2.0, -8.0], [-4.0, 7.0]];
    Tensor::from_data(rows, device)
}

fn positions() -> Vec<Vec<usize>> {
    vec![vec![0, 1, 2], vec![0]]
}

fn values(rows: &[&[f32]]) -> Values {
    Values {
        shape: vec![rows.len(), rows[0].len()],
        values: rows.concat(),
    }
}

fn assert_pools(
    device: &TestDevice,
    modes: &[PoolingMode],
    positions: &[Vec<usize>],
    expected: &[&[f32]],
) {
    let pooling = Pooling::of(modes.to_vec()).expect("a mode");
    let found = Values::of(pooling.forward(hidden(device.plain()), positions));
    let name = format!("{modes:?}");
    assert_close(device, Quantity::Output, &name, &found, &values(expected));
}

fn every_mode_pools_each_sentence_for_itself(device: &TestDevice) -> anyhow::Result<()> {
    let root = 3_f32.sqrt();
    let expected: [(PoolingMode, [[f32; 2]; 2]); 6] = [
        (PoolingMode::Cls, [[1.0, -2.0], [-4.0, 7.0]]),
        (PoolingMode::LastToken, [[2.0, -8.0], [-4.0, 7.0]]),
        (PoolingMode::Max, [[3.0, -2.0], [-4.0, 7.0]]),
        (PoolingMode::Mean, [[2.0, -5.0], [-4.0, 7.0]]),
        (
            PoolingMode::MeanSqrtLen,
            [[6.0 / root, -15.0 / root], [-4.0, 7.0]],
        ),
        (PoolingMode::WeightedMean, [[13.0 / 6.0, -6.0], [-4.0, 7.0]]),
    ];
    for (mode, [first, second]) in expected {
        assert_pools(device, &[mode], &positions(), &[&first, &second]);
    }
    Ok(())
}

fn several_modes_stand_one_behind_the_other(device: &TestDevice) -> anyhow::Result<()> {
    assert_pools(
        device,
        &[PoolingMode::Max, PoolingMode::Cls],
        &positions(),
        &[&[3.0, -2.0, 1.0, -2.0], &[-4.0, 7.0, -4.0, 7.0]],
    );
    Ok(())
}

fn a_weight_is_a_position_of_the_whole_sentence(device: &TestDevice) -> anyhow::Result<()> {
    let behind_a_prompt = [vec![2, 3, 4], vec![5]];
    assert_pools(
        device,
        &[PoolingMode::WeightedMean],
        &behind_a_prompt,
        &[&[25.0 / 12.0, -66.0 / 12.0], &[-4.0, 7.0]],
    );
    Ok(())
}

fn a_pooled_vector_has_a_gradient_for_each_token(device: &TestDevice) -> anyhow::Result<()> {
    let hidden = hidden(&device.autodiff()).require_grad();
    let pooled = Pooling::default().forward(hidden.clone(), &positions());
    let gradients = pooled.sum().backward();
    let gradient = hidden.grad(&gradients).expect("hidden states are trained");
    let third = 1.0 / 3.0;
    let expected = values(&[
        &[third, third],
        &[third, third],
        &[third, third],
        &[1.0, 1.0],
    ]);
    assert_close(
        device,
        Quantity::Gradient,
        "mean",
        &Values::of(gradient),
        &expected,
    );
    Ok(())
}

fn vectors_have_length_one_and_zero_stays_zero(device: &TestDevice) -> anyhow::Result<()> {
    let vectors = Tensor::from_data([[3.0, -4.0], [0.0, 0.0]], device.plain());
    let found = Values::of(normalize(vectors.clone()));
    let expected = values(&[&[0.6, -0.8], &[0.0, 0.0]]);
    assert_close(device, Quantity::Output, "normalised", &found, &expected);
    assert_eq!(truncate(vectors.clone(), 1).dims(), [2, 1]);
    assert_eq!(truncate(vectors, 9).dims(), [2, 2]);
    Ok(())
}

fn a_dense_layer_is_a_linear_map_and_an_activation(device: &TestDevice) -> anyhow::Result<()> {
    let at_minus_one = [
        (Activation::Identity, -1.0),
        (Activation::Tanh, -0.761_594_2),
        (Activation::Relu, 0.0),
        (Activation::Gelu, -0.158_655_26),
        (Activation::Sigmoid, 0.268_941_43),
        (Activation::Silu, -0.268_941_43),
    ];
    for (activation, expected) in at_minus_one {
        let config = DenseConfig {
            in_features: 2,
            out_features: 1,
            bias: true,
            activation,
        };
        let mut dense = config.init(device.plain()).no_grad();
        let set = |values: [f32; 2]| Tensor::<1>::from_data(values, device.plain());
        dense.linear.weight = dense
            .linear
            .weight
            .map(|_| set([2.0, -1.0]).reshape([2, 1]));
        let bias = dense.linear.bias.take().expect("a bias");
        dense.linear.bias = Some(bias.map(|_| set([0.5, 0.0]).narrow(0, 0, 1)));
        let found = Values::of(dense.forward(Tensor::from_data([[0.25, 2.0]], device.plain())));
        let name = activation.class();
        assert_close(
            device,
            Quantity::Output,
            name,
            &found,
            &values(&[&[expected]]),
        );
    }
    Ok(())
}
