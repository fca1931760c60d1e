//! A BERT classifier inside somebody else's Burn project: built from a configuration, trained for one step on two
//! sentences that are given as token ids.
//!
//! It does *not* tokenize or load weights; `bert-text` and `bert-weights` do, for those who want them.

use std::error::Error;

use bert_encoder::{BertConfig, BertInput};
use bert_text_classification::{Labels, SequenceClassificationConfig, loss};
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor};

fn main() -> Result<(), Box<dyn Error>> {
    let cpu = Device::flex();
    let device = cpu.clone().autodiff();
    let encoder = BertConfig {
        vocab_size: 101,
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 64,
        max_position_embeddings: 16,
        ..BertConfig::default()
    }
    .with_dropout(0.0);
    let model = SequenceClassificationConfig {
        encoder,
        num_labels: 2,
    }
    .init(&device)?;

    let input_ids = [[2, 11, 12, 3], [2, 13, 14, 3]];
    let input = BertInput::new(Tensor::<2, Int>::from_data(input_ids, &device));
    let labels = Labels::Classes(Tensor::from_data([0, 1], &device));

    let first = loss(model.forward(input.clone())?, labels.clone());
    let before = first.clone().into_scalar::<f32>();
    let gradients = GradientsParams::from_grads(first.backward(), &model);
    let model = AdamWConfig::new().init().step(1e-3, model, gradients);
    let after = loss(model.forward(input)?, labels).into_scalar::<f32>();
    println!("loss before the step {before:.4}, after it {after:.4}");
    if after >= before {
        return Err("one step on two sentences must lower their loss".into());
    }

    let input_ids = Tensor::<2, Int>::from_data(input_ids, &cpu);
    let logits = model.valid().forward(BertInput::new(input_ids))?;
    println!("logits {}", logits.into_data());
    Ok(())
}
