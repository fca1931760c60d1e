//! Dropout, residual and LayerNorm.

use bert_kernels::{
    DropoutMask, NormParams, Precision, dropout_add_norm, dropout_add_norm_composed, layer_norm,
};
use bert_testing::{TestDevice, Values, where_kernels_are, with_and_without_kernels};
use burn::tensor::Tensor;

use crate::common::{MASKS, assert_same, kept, row, waves, with_gradients};

where_kernels_are!(
    dropout_add_norm_is_its_composed_body,
    rows_that_are_kept_in_bfloat16_change_gradients_by_their_rounding,
    nan_and_infinity_stay_in_their_row,
);

with_and_without_kernels!(
    add_norm_is_its_formula,
    a_norm_alone_is_its_formula,
    a_norm_without_beta_adds_nothing,
);

/// Large enough to be seen.
const EPSILON: f64 = 0.5;
/// More rows than a thread takes at a time, and a width that is no multiple of any register's, and above the units that work
/// on a row on a GPU.
const SHAPE: [usize; 2] = [71, 101];

fn params(dropout: DropoutMask) -> NormParams {
    NormParams {
        epsilon: EPSILON,
        dropout,
        precision: Precision::F32,
    }
}

fn inputs(device: &TestDevice) -> [Tensor<2>; 4] {
    let (on, [_, width]) = (device.autodiff(), SHAPE);
    [
        waves(SHAPE, 0.0, &on),
        waves(SHAPE, 1.0, &on),
        waves([1, width], 2.0, &on),
        waves([1, width], 3.0, &on),
    ]
}

/// A normalised element is rounded by at most 2⁻⁹ of itself. The gradients of x and of the residual have it in two factors and
/// divide by the deviation; that of γ is a sum over rows; that of β has none.
fn rows_that_are_kept_in_bfloat16_change_gradients_by_their_rounding(
    device: &TestDevice,
) -> anyhow::Result<()> {
    for dropout in MASKS {
        let of = |precision| {
            with_gradients(inputs(device), |[x, residual, gamma, beta]| {
                let params = NormParams {
                    precision,
                    ..params(dropout)
                };
                dropout_add_norm(x, residual, row(gamma), Some(row(beta)), params)
            })
        };
        let (found, expected) = (of(Precision::Bf16), of(Precision::F32));
        assert_eq!(found[0].bits(), expected[0].bits(), "the output");
        assert_eq!(found[4].bits(), expected[4].bits(), "the gradient of β");
        for (index, terms) in [(1, 2), (2, 2), (3, SHAPE[0])] {
            let bound = expected[index].largest() * terms as f64 / 512.0;
            let pairs = found[index].values.iter().zip(&expected[index].values);
            let differences = pairs.map(|(found, expected)| f64::from((found - expected).abs()));
            let largest = differences.fold(0.0, f64::max);
            assert!(largest <= bound, "{index}: {largest:.1e} above {bound:.1e}");
            assert!(largest > 0.0, "{index}: something is rounded");
        }
    }
    Ok(())
}

fn dropout_add_norm_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    for mask in MASKS {
        let found = with_gradients(inputs(device), |[x, residual, gamma, beta]| {
            dropout_add_norm(x, residual, row(gamma), Some(row(beta)), params(mask))
        });
        let kept = kept(SHAPE, mask, &device.autodiff());
        let expected = with_gradients(inputs(device), |[x, residual, gamma, beta]| {
            let (gamma, beta) = (row(gamma), Some(row(beta)));
            dropout_add_norm_composed(x, residual, gamma, beta, EPSILON, |x| x * kept)
        });
        let name = format!("dropout {} add norm", mask.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}

fn add_norm_is_its_formula(device: &TestDevice) -> anyhow::Result<()> {
    let found = with_gradients(inputs(device), |[x, residual, gamma, beta]| {
        let (gamma, beta) = (row(gamma), Some(row(beta)));
        dropout_add_norm(x, residual, gamma, beta, params(DropoutMask::NONE))
    });
    let expected = with_gradients(inputs(device), |[x, residual, gamma, beta]| {
        let sum = x + residual;
        let centred = sum.clone() - sum.mean_dim(1);
        let variance = centred.clone().square().mean_dim(1);
        centred / (variance + EPSILON).sqrt() * gamma + beta
    });
    assert_same(device, "add norm", &found, &expected);
    Ok(())
}

fn a_norm_alone_is_its_formula(device: &TestDevice) -> anyhow::Result<()> {
    let three = || {
        let [x, _, gamma, beta] = inputs(device);
        [x, gamma, beta]
    };
    let found = with_gradients(three(), |[x, gamma, beta]| {
        layer_norm(x, row(gamma), Some(row(beta)), EPSILON)
    });
    let expected = with_gradients(three(), |[x, gamma, beta]| {
        let centred = x.clone() - x.mean_dim(1);
        let variance = centred.clone().square().mean_dim(1);
        centred / (variance + EPSILON).sqrt() * gamma + beta
    });
    assert_same(device, "norm", &found, &expected);
    Ok(())
}

fn a_norm_without_beta_adds_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let norm = |[x, residual, gamma]: [Tensor<2>; 3], beta| {
        dropout_add_norm(x, residual, row(gamma), beta, params(DropoutMask::NONE))
    };
    let three = || {
        let [x, residual, gamma, _] = inputs(device);
        [x, residual, gamma]
    };
    let zeros = || Some(Tensor::zeros([SHAPE[1]], &device.autodiff()));
    let found = with_gradients(three(), |inputs| norm(inputs, None));
    let expected = with_gradients(three(), |inputs| norm(inputs, zeros()));
    assert_same(device, "norm without beta", &found, &expected);
    Ok(())
}

fn nan_and_infinity_stay_in_their_row(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for bad in [f32::NAN, f32::INFINITY] {
        let x = waves([4, 6], 0.0, &on).slice_fill([1..2, 2..3], bad);
        let ones = Tensor::<1>::ones([6], &on);
        let params = params(DropoutMask::NONE);
        let y = dropout_add_norm(x.clone(), x, ones.clone(), Some(ones), params);
        let y = Values::of(y);
        assert!(!y.rows(&[1]).are_finite(), "{bad} vanished");
        assert!(y.rows(&[0, 2, 3]).are_finite(), "{bad} spread");
    }
    Ok(())
}
