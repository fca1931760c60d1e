//! What `--tune` leaves out stays bit for bit what it was; what it names is trained, with the gradients of transformers.

use bert_doctor::frozen;
use bert_testing::{TestDevice, with_and_without_kernels};
use bert_tests::checks::passes;
use bert_train::Tune;

with_and_without_kernels!(
    the_head_alone_is_trained,
    the_last_layer_is_trained_with_the_head,
    the_biases_are_trained_with_the_head,
    everything_is_trained,
);

fn the_head_alone_is_trained(device: &TestDevice) -> anyhow::Result<()> {
    check(device, &Tune::Head)
}

fn the_last_layer_is_trained_with_the_head(device: &TestDevice) -> anyhow::Result<()> {
    check(device, &Tune::Last(1))
}

fn the_biases_are_trained_with_the_head(device: &TestDevice) -> anyhow::Result<()> {
    check(device, &Tune::BitFit)
}

fn everything_is_trained(device: &TestDevice) -> anyhow::Result<()> {
    check(device, &Tune::All)
}

fn check(device: &TestDevice, part: &Tune) -> anyhow::Result<()> {
    passes(device, |check| frozen::gradients(check, part))?;
    passes(device, |check| frozen::steps(check, part))
}
