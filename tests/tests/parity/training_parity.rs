//! Optimiser steps against transformers' `Trainer`: AdamW groups, schedule, clipping, accumulation, step by step.

use bert_doctor::training;
use bert_testing::{TestDevice, with_and_without_kernels};
use bert_tests::checks::passes;

with_and_without_kernels!(
    twenty_steps,
    ten_steps_of_two_micro_batches_of_different_sizes,
);

fn twenty_steps(device: &TestDevice) -> anyhow::Result<()> {
    passes(device, |check| training::check(check, "adamw_20_steps"))
}

fn ten_steps_of_two_micro_batches_of_different_sizes(device: &TestDevice) -> anyhow::Result<()> {
    passes(device, |check| training::check(check, "adamw_accumulation"))
}
