//! AdamW beside its composed body. It has no backward pass, and it works in place on a state that nobody else holds, as in
//! training, so each run takes what the one before left.

use bert_kernels::{AdamWState, AdamWStep, adamw_update, adamw_update_composed};
use burn::tensor::{Device, Distribution, Tensor};
use divan::Bencher;

use crate::{H, V};

const STEP: AdamWStep = AdamWStep {
    learning_rate: 2e-5,
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.01,
    gradient_factor: 0.5,
    step: 10,
};

type Update = fn(AdamWState, Tensor<1>, AdamWStep) -> AdamWState;

fn in_a_row(bencher: Bencher<'_, '_>, update: Update) {
    let device = Device::flex();
    let random = || Tensor::random([V * H], Distribution::Normal(0.0, 1.0), &device);
    let gradient: Tensor<1> = random();
    let mut state = Some(AdamWState {
        parameter: random(),
        first_moment: random(),
        second_moment: random().square(),
    });
    bencher.bench_local(|| {
        state = state
            .take()
            .map(|state| update(state, gradient.clone(), STEP));
    });
}

#[divan::bench]
fn kernel_of_the_word_embeddings(bencher: Bencher<'_, '_>) {
    in_a_row(bencher, adamw_update);
}

#[divan::bench]
fn composed_of_the_word_embeddings(bencher: Bencher<'_, '_>) {
    in_a_row(bencher, adamw_update_composed);
}
