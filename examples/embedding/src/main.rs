//! A BERT classifier inside somebody else's Burn project: built from a configuration, trained on two sentences that
//! are given as token ids.
//!
//! It does *not* tokenize or load weights; `bert-text` and `bert-weights` do, for those who want them.

use std::error::Error;

use bert_encoder::{EncoderConfig, EncoderInput};
use bert_text_classification::{Labels, SequenceClassificationConfig, loss};
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor};

/// Enough for a fresh model to learn two sentences by heart.
const STEPS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let cpu = Device::flex();
    let device = cpu.clone().autodiff();
    let encoder = EncoderConfig {
        vocab_size: 101,
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 64,
        max_position_embeddings: 16,
        ..EncoderConfig::default()
    }
    .with_dropout(0.0);
    device.seed(42);
    let mut model = SequenceClassificationConfig {
        encoder,
        num_labels: 2,
    }
    .init(&device)?;

    let input_ids = [[2, 11, 12, 3], [2, 13, 14, 3]];
    let input = EncoderInput::new(Tensor::<2, Int>::from_data(input_ids, &device));
    let labels = Labels::Classes(Tensor::from_data([0, 1], &device));

    let mut optimizer = AdamWConfig::new().init();
    let mut losses = Vec::new();
    for _ in 0..STEPS {
        let loss = loss(model.forward(input.clone())?, labels.clone());
        losses.push(loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(1e-3, model, gradients);
    }
    let (first, last) = (losses[0], losses[STEPS - 1]);
    println!("loss of step 1: {first:.4}, of step {STEPS}: {last:.4}");
    if last > 0.5 * first {
        return Err("two sentences must be learnt by heart".into());
    }

    let input_ids = Tensor::<2, Int>::from_data(input_ids, &cpu);
    let logits = model.valid().forward(EncoderInput::new(input_ids))?;
    println!("logits {}", logits.into_data());
    Ok(())
}
