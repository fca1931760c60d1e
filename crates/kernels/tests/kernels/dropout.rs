//! Dropout alone, and the seeds of its masks.

use bert_kernels::{DropoutMask, dropout};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, where_kernels_are, with_and_without_kernels,
};
use burn::tensor::Tensor;

use crate::common::{waves, with_gradients};

with_and_without_kernels!(a_gradient_passes_where_its_element_was_kept);

where_kernels_are!(each_bit_of_a_seed_is_set_in_half_of_them);

fn a_gradient_passes_where_its_element_was_kept(device: &TestDevice) -> anyhow::Result<()> {
    let (on, shape) = (device.autodiff(), [71, 37]);
    let mask = DropoutMask {
        probability: 0.3,
        seed: 7,
    };
    let found = with_gradients([Tensor::ones(shape, &on)], |[x]| dropout(x, mask));
    let [kept, gradient] = &found[..] else {
        unreachable!("an output and the gradient of one input")
    };
    assert!(kept.values.contains(&0.0), "nothing is dropped");
    let weights = Values::of(waves(shape, 0.4, device.plain()));
    let expected = weights.values.iter().zip(&kept.values);
    let expected = Values {
        shape: shape.into(),
        values: expected.map(|(weight, kept)| weight * kept).collect(),
    };
    let quantity = Quantity::KernelBackward;
    assert_close(device, quantity, "dropout", gradient, &expected);
    Ok(())
}

/// So two masks hardly ever have one seed. The lowest bit is left out: a backend's random numbers may have 23 bits.
fn each_bit_of_a_seed_is_set_in_half_of_them(device: &TestDevice) -> anyhow::Result<()> {
    let x = Tensor::<1>::zeros([1], device.plain());
    let seeds: Vec<u64> = (0..1024).map(|_| DropoutMask::draw(0.1, &x).seed).collect();
    for bit in 1..u64::BITS {
        let set = seeds.iter().filter(|&&seed| seed >> bit & 1 == 1).count();
        // Eight standard deviations of a binomial distribution.
        assert!((384..=640).contains(&set), "bit {bit} is set in {set}");
    }
    Ok(())
}
