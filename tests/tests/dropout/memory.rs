//! What a GPU and the process hold after many optimiser steps of varying length.

use std::sync::PoisonError;

use bert_doctor::classifier::{self, Batch, batch_loss};
use bert_encoder::{EncoderConfig, RaggedInput};
use bert_testing::TestDevice;
use bert_text_classification::SequenceClassificationConfig;
use bert_train::{AdamW, Stepper};
use burn::tensor::{Device, Tensor};

use super::TURN;

/// So many steps have batches of all lengths.
const CYCLE: usize = 20;
/// Bytes of the smallest tensor in a pool: wgpu aligns to 32 at least.
const SMALLEST: u64 = 32;

mod steps_of_varying_length_keep_their_memory {
    bert_testing::gpu_tests!(steps_of_varying_length_keep_their_memory);
}

bert_testing::with_wgpu! {
    #[test]
    #[ignore = "minutes on a GPU in software; the book's page on backends has the command"]
    fn a_thousand_steps_of_varying_length_keep_their_memory() -> anyhow::Result<()> {
        bert_testing::device::run_on(bert_testing::Backend::Wgpu, |device| {
            // Pools and caches have their size after a few cycles; the host's allocator takes longer.
            check(device, [10 * CYCLE, 50 * CYCLE])
        })
    }
}

fn steps_of_varying_length_keep_their_memory(device: &TestDevice) -> anyhow::Result<()> {
    check(device, [2 * CYCLE, 4 * CYCLE])
}

/// What is held after some steps, and after more.
fn check(device: &TestDevice, steps: [usize; 2]) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let [early, late] = held_after(device, steps)?;
    eprintln!(
        "after {} steps {early:?}, after {} {late:?}",
        steps[0], steps[1]
    );
    assert!(
        late.in_use <= early.in_use,
        "bytes in use on the device grew from {} to {}",
        early.in_use,
        late.in_use
    );
    // Pools give small pages back and take others, so a few hundred bytes come and go. A tensor that is left behind by every
    // step takes more than this.
    let allowed = (steps[1] - steps[0]) as u64 * SMALLEST;
    assert!(
        late.reserved < early.reserved + allowed,
        "bytes reserved on the device grew from {} to {}",
        early.reserved,
        late.reserved
    );
    // Less than a thirtieth of a MiB a step: a leak of a tensor a step would be more.
    let allowed = (steps[1] - steps[0]) as u64 * 32;
    assert!(
        late.host_kib <= early.host_kib + allowed,
        "the process grew from {} to {} KiB",
        early.host_kib,
        late.host_kib
    );
    Ok(())
}

#[derive(Debug, Clone, Copy)]
struct Held {
    /// Bytes of tensors.
    in_use: u64,
    /// Bytes of the pools.
    reserved: u64,
    /// Memory of the process.
    host_kib: u64,
}

impl Held {
    fn now(device: &Device) -> anyhow::Result<Self> {
        device.sync()?;
        let usage = device.memory_pool_usage();
        let usage = usage.ok_or_else(|| anyhow::anyhow!("the device tells no memory"))?;
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
        Ok(Self {
            in_use: usage.bytes_in_use,
            reserved: usage.bytes_reserved,
            host_kib: kib.unwrap_or_default(),
        })
    }
}

fn held_after(device: &TestDevice, steps: [usize; 2]) -> anyhow::Result<[Held; 2]> {
    let on = device.autodiff();
    let config = SequenceClassificationConfig {
        encoder: EncoderConfig {
            vocab_size: 211,
            hidden_size: 32,
            num_hidden_layers: 2,
            num_attention_heads: 2,
            intermediate_size: 64,
            max_position_embeddings: 130,
            ..EncoderConfig::default()
        },
        num_labels: 3,
    };
    let mut classifier = classifier::randomise(config.init(&on)?, 5);
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 7);
    let mut held = Vec::new();
    for step in 1..=steps[1] {
        let batches = [(batch(step, &on)?, 3.0)];
        classifier = stepper.step_unread(classifier, &batches, 1e-3, &on, batch_loss)?;
        if stepper.must_read() {
            stepper.read()?;
        }
        if steps.contains(&step) {
            held.push(Held::now(&on)?);
        }
    }
    Ok([held[0], held[1]])
}

/// Three rows, the longest of a length that follows from the step.
fn batch(step: usize, device: &Device) -> anyhow::Result<Batch> {
    let longest = 4 + step * 7 % CYCLE * 6;
    let ids: Vec<u32> = (0..longest).map(|place| (place * 7 % 211) as u32).collect();
    let types = vec![0; longest];
    let lengths = [longest, longest / 2 + 1, 3];
    let sequences = lengths.map(|length| (&ids[..length], &types[..length]));
    Ok(Batch {
        input: RaggedInput::from_sequences(sequences)?.into(),
        labels: Tensor::from_data([0, 1, 2], device),
    })
}
