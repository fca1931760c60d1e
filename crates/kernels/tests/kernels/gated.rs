//! The gated activation.

use bert_kernels::{gated_gelu, gelu_composed};
use bert_testing::{TestDevice, with_and_without_kernels};

use crate::common::{assert_same, waves, with_gradients};

with_and_without_kernels!(gated_gelu_is_gelu_times_the_gate);

fn gated_gelu_is_gelu_times_the_gate(device: &TestDevice) -> anyhow::Result<()> {
    let (on, half) = (device.autodiff(), 37);
    let input = || [waves([71, 2 * half], 0.0, &on)];
    let found = with_gradients(input(), |[x]| gated_gelu(x));
    let expected = with_gradients(input(), |[x]| {
        gelu_composed(x.clone().narrow(1, 0, half)) * x.narrow(1, half, half)
    });
    assert_same(device, "gated GELU", &found, &expected);
    Ok(())
}
