//! A tiny checkpoint, and sentences to train it on.

use std::fs;
use std::path::Path;

use bert_doctor::classifier::randomise;
use bert_encoder::EncoderConfig;
use bert_testing::golden;
use bert_testing::model::PooledEncoder;
use bert_testing::named::pooled_keys;
use bert_text::{Dataset, Example, Label};
use bert_weights::{Export, save};
use burn::tensor::Device;
use serde_json::Value;

/// Writes a tiny random encoder with a pooler.
///
/// # Errors
/// It cannot be written.
pub fn write_checkpoint(dir: &Path, device: &Device) -> anyhow::Result<()> {
    let vocabulary = golden::folder().join("tokenization/vocab.txt");
    let config = EncoderConfig {
        vocab_size: fs::read_to_string(&vocabulary)?.lines().count(),
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 48,
        max_position_embeddings: 24,
        ..EncoderConfig::default()
    }
    .with_dropout(0.0);
    fs::copy(vocabulary, dir.join("vocab.txt"))?;
    let Value::Object(json) = serde_json::to_value(&config)? else {
        anyhow::bail!("a configuration is an object");
    };
    let encoder = randomise(PooledEncoder::new(&config, device)?, 1);
    let export = Export {
        config: json,
        tokenizer_files: &[],
    };
    Ok(save(&encoder, &pooled_keys()?, &export, dir)?)
}

/// Sentences of several lengths about films, half of them kind.
pub fn reviews() -> Dataset {
    let subjects = [
        "the movie",
        "the film is good and the movie",
        "New York",
        "the cafe and the film",
    ];
    let verdicts = [
        ("is good", "kind"),
        ("is great!", "kind"),
        ("is not bad", "kind"),
        ("is bad", "unkind"),
        ("is not good, and not great.", "unkind"),
        ("is unaffable", "unkind"),
    ];
    let examples = subjects.iter().flat_map(|subject| {
        verdicts.iter().map(move |(verdict, label)| Example {
            text: format!("{subject} {verdict}"),
            text_pair: None,
            label: Some(Label::Name((*label).to_owned())),
            file: Path::new("reviews").into(),
            line: 1,
        })
    });
    Dataset::new("reviews".into(), examples.collect())
}
