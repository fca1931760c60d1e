//! Training in bfloat16 against transformers under `torch.autocast`.

use bert_doctor::autocast;
use bert_testing::{TestDevice, where_kernels_are};
use bert_tests::checks::passes;

where_kernels_are!(
    logits_loss_and_gradients_are_those_of_autocast,
    twenty_steps_are_those_of_autocast,
);

fn logits_loss_and_gradients_are_those_of_autocast(device: &TestDevice) -> anyhow::Result<()> {
    passes(device, autocast::one_pass)
}

fn twenty_steps_are_those_of_autocast(device: &TestDevice) -> anyhow::Result<()> {
    passes(device, autocast::twenty_steps)
}
