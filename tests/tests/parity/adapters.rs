//! LoRA and DoRA against PEFT: logits, loss, the gradients of what is trained, and optimiser steps.

use bert_doctor::adapters;
use bert_testing::{TestDevice, with_and_without_kernels};
use bert_tests::checks::passes;

with_and_without_kernels!(lora_is_that_of_peft, dora_is_that_of_peft);

fn lora_is_that_of_peft(device: &TestDevice) -> anyhow::Result<()> {
    passes(device, |check| adapters::check(check, "lora"))
}

fn dora_is_that_of_peft(device: &TestDevice) -> anyhow::Result<()> {
    passes(device, |check| adapters::check(check, "dora"))
}
