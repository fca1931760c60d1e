//! Sentence embeddings against sentence-transformers.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Context;
use bert_tasks::RunOptions;
use bert_tasks::sentence_embedding::SentenceEmbedder;
use bert_tasks::sentence_embedding::head::PoolingMode;
use bert_testing::{Golden, Quantity, TestDevice, Values, assert_close, with_and_without_kernels};
use serde_json::{Map, Value};
use tempfile::TempDir;

with_and_without_kernels!(
    vectors_are_those_of_sentence_transformers,
    a_vector_does_not_depend_on_its_batch,
);

const CASE: &str = "sentence_embedding";
/// Of the model's own files; the case's `files` replace some.
const FILES: [&str; 11] = [
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "2_Dense/model.safetensors",
    "3_Normalize/config.json",
];

/// A copy of the golden directory.
fn model_directory() -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let golden = Golden::open(CASE)?;
    for file in FILES {
        let to = folder.path().join(file);
        fs::create_dir_all(to.parent().context("a folder")?)?;
        fs::copy(golden.path().join(file), to)?;
    }
    Ok(folder)
}

fn vectors_are_those_of_sentence_transformers(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open(CASE)?;
    let cases = golden.scalar("/cases")?.as_array().context("an array")?;
    assert!(cases.len() > 30);
    for case in cases {
        let name = case["name"].as_str().context("a name")?;
        let folder = model_directory()?;
        for (file, content) in case["files"].as_object().context("files")? {
            let path = folder.path().join(file);
            match content {
                Value::Null => fs::remove_file(path)?,
                content => fs::write(path, content.to_string())?,
            }
        }
        let call = case["call"].as_object().context("arguments")?;
        let found = embed(device, folder.path(), &golden, call)?;
        assert_close(
            device,
            Quantity::Output,
            name,
            &found,
            &golden.floats(name)?,
        );
    }
    Ok(())
}

/// What `encode` of sentence-transformers would give for these arguments.
fn embed(
    device: &TestDevice,
    folder: &Path,
    golden: &Golden,
    call: &Map<String, Value>,
) -> anyhow::Result<Values> {
    let mut embedder = SentenceEmbedder::open(folder, None)?;
    for (argument, value) in call {
        match argument.as_str() {
            "prompt" => embedder.set_prompt(value.as_str().context("a text")?),
            "prompt_name" => embedder.use_prompt(value.as_str().context("a name")?)?,
            "truncate_dim" => {
                embedder.set_truncate_dim(value.as_u64().context("a size")?.try_into()?)?;
            }
            "normalize_embeddings" => embedder.set_normalized(true),
            "pairs" => {}
            other => anyhow::bail!("{other} is no argument that this test knows"),
        }
    }
    let on = device.plain();
    let (model, _) = embedder.load(on)?;
    let inputs: Vec<(String, Option<String>)> = match call.get("pairs") {
        Some(_) => serde_json::from_value(golden.scalar("/pairs")?.clone())?,
        None => {
            let texts: Vec<String> = serde_json::from_value(golden.scalar("/texts")?.clone())?;
            texts.into_iter().map(|text| (text, None)).collect()
        }
    };
    let inputs = inputs.iter();
    let inputs: Vec<(&str, Option<&str>)> = inputs
        .map(|(text, pair)| (text.as_str(), pair.as_deref()))
        .collect();
    let encodings = embedder.encode(&inputs)?;
    let run = RunOptions {
        batch_size: NonZeroUsize::new(3).context("not zero")?,
        device: on,
        progress: &mut |_| {},
        peers: None,
    };
    let vectors = embedder.embed_encoded(&model, &encodings, run)?;
    assert!(
        vectors
            .iter()
            .all(|vector| vector.len() == embedder.dimension())
    );
    Ok(Values {
        shape: vec![vectors.len(), embedder.dimension()],
        values: vectors.concat(),
    })
}

fn a_vector_does_not_depend_on_its_batch(device: &TestDevice) -> anyhow::Result<()> {
    let folder = model_directory()?;
    let embedder = SentenceEmbedder::open(folder.path(), None)?;
    let on = device.plain();
    let (model, _) = embedder.load(on)?;
    let texts = ["a film", "the movie is great and not bad", "hello"];
    let together = embedder.embed(&model, &texts, RunOptions::new(on, &mut |_| {}))?;
    for (text, expected) in texts.iter().zip(together) {
        let alone = embedder
            .embed(&model, &[text], RunOptions::new(on, &mut |_| {}))?
            .concat();
        let values = |values: Vec<f32>| Values {
            shape: vec![values.len()],
            values,
        };
        assert_close(
            device,
            Quantity::Invariance,
            text,
            &values(alone),
            &values(expected),
        );
    }
    Ok(())
}

/// The message with which a directory with one file changed is refused.
fn refusal(file: &str, content: &str) -> anyhow::Result<String> {
    let folder = model_directory()?;
    let path = folder.path().join(file);
    fs::write(&path, content)?;
    let error = SentenceEmbedder::open(folder.path(), None)
        .err()
        .context("it opens")?;
    let error = error.to_string();
    let shown = path.parent().context("a folder")?.display().to_string();
    assert!(error.starts_with(&shown), "{error} does not name {shown}");
    Ok(error)
}

#[test]
fn what_is_not_known_is_refused_by_file_and_name() -> anyhow::Result<()> {
    let module = |class: &str, path: &str| format!(r#"{{"type": "{class}", "path": "{path}"}}"#);
    let modules = |third: &str| {
        let transformer = module("sentence_transformers.models.Transformer", "");
        let pooling = module("sentence_transformers.models.Pooling", "1_Pooling");
        format!("[{transformer}, {pooling}, {third}]")
    };
    let dense = |key: &str| format!(r#"{{"in_features": 12, "out_features": 7, {key}}}"#);
    let refused = [
        (
            "modules.json",
            modules(&module("sentence_transformers.models.CNN", "2_CNN")),
            "`sentence_transformers.models.CNN`",
        ),
        (
            "modules.json",
            modules(&module("custom_st.Transformer", "")),
            "`custom_st.Transformer`",
        ),
        (
            "modules.json",
            modules(&module("sentence_transformers.models.Pooling", "1_Pooling")),
            "Transformer, Pooling, Pooling",
        ),
        (
            "modules.json",
            modules(&module("sentence_transformers.models.Dense", "../2_Dense")),
            "\"../2_Dense\"",
        ),
        ("modules.json", "[]".to_owned(), "the modules are none"),
        (
            "modules.json",
            "[{}]".to_owned(),
            "`[0]`: missing field `path`",
        ),
        (
            "1_Pooling/config.json",
            r#"{"pooling_mode": "median"}"#.to_owned(),
            "`median`",
        ),
        (
            "1_Pooling/config.json",
            r#"{"embedding_dimension": 13}"#.to_owned(),
            "`embedding_dimension` is 13",
        ),
        (
            "2_Dense/config.json",
            dense(r#""activation_function": "torch.nn.Mish""#),
            "\"torch.nn.Mish\"",
        ),
        (
            "2_Dense/config.json",
            dense(r#""use_residual": true"#),
            "`use_residual`",
        ),
        (
            "2_Dense/config.json",
            dense(r#""module_input_name": "token_embeddings""#),
            "`module_input_name`",
        ),
        (
            "2_Dense/config.json",
            r#"{"in_features": 24, "out_features": 7}"#.to_owned(),
            "24 numbers",
        ),
        (
            "3_Normalize/config.json",
            r#"{"module_output_name": "x"}"#.to_owned(),
            "`module_output_name`",
        ),
        (
            "sentence_bert_config.json",
            r#"{"max_seq_length": "long"}"#.to_owned(),
            "`max_seq_length`",
        ),
        (
            "sentence_bert_config.json",
            r#"{"transformer_task": "fill-mask"}"#.to_owned(),
            "`transformer_task`",
        ),
        (
            "sentence_bert_config.json",
            r#"{"tokenizer_args": {"use_fast": false}}"#.to_owned(),
            "use_fast",
        ),
        (
            "config_sentence_transformers.json",
            r#"{"model_type": "SparseEncoder"}"#.to_owned(),
            "\"SparseEncoder\"",
        ),
        (
            "config_sentence_transformers.json",
            r#"{"default_prompt_name": "query"}"#.to_owned(),
            "`default_prompt_name`",
        ),
        (
            "config_sentence_transformers.json",
            r#"{"truncate_dim": 99}"#.to_owned(),
            "99",
        ),
    ];
    for (file, content, word) in refused {
        let error = refusal(file, &content)?;
        assert!(error.contains(word), "{error} does not say {word}");
    }
    Ok(())
}

#[test]
fn a_folder_that_modules_json_names_has_to_be_there() -> anyhow::Result<()> {
    let folder = model_directory()?;
    let pooling = folder.path().join("1_Pooling/config.json");
    fs::remove_file(&pooling)?;
    let error = SentenceEmbedder::open(folder.path(), None)
        .err()
        .context("it opens")?;
    assert!(
        error
            .to_string()
            .starts_with(&pooling.display().to_string()),
        "{error}"
    );
    Ok(())
}

#[test]
fn the_encoder_may_lie_in_a_folder_of_its_own() -> anyhow::Result<()> {
    let folder = model_directory()?;
    let own = folder.path().join("0_Transformer");
    fs::create_dir(&own)?;
    for file in &FILES[..4] {
        fs::rename(folder.path().join(file), own.join(file))?;
    }
    fs::write(
        own.join("sentence_roberta_config.json"),
        r#"{"max_seq_length": 9}"#,
    )?;
    let modules = folder.path().join("modules.json");
    let text = fs::read_to_string(&modules)?;
    fs::write(
        &modules,
        text.replace(r#""path": """#, r#""path": "0_Transformer""#),
    )?;
    let embedder = SentenceEmbedder::open(folder.path(), None)?;
    assert_eq!(embedder.pretrained.max_length, 9);
    assert_eq!(
        SentenceEmbedder::open(folder.path(), Some(99))?
            .pretrained
            .max_length,
        47
    );
    embedder.load(&burn::tensor::Device::flex())?;
    Ok(())
}

#[test]
fn what_a_caller_wants_otherwise_is_checked() -> anyhow::Result<()> {
    let mut embedder = SentenceEmbedder::open(model_directory()?.path(), None)?;
    assert!(!embedder.is_plain_encoder && embedder.is_normalized());
    assert_eq!((embedder.dimension(), embedder.prompt()), (7, ""));
    assert_eq!(embedder.similarity.as_deref(), Some("cosine"));
    let message = |outcome: Result<(), bert_tasks::TaskError>| outcome.unwrap_err().to_string();
    assert!(message(embedder.use_prompt("passage")).contains("document, query"));
    assert!(message(embedder.set_truncate_dim(8)).contains("7 numbers"));
    assert!(message(embedder.set_truncate_dim(0)).contains("to 0"));
    embedder.set_truncate_dim(3)?;
    assert!(!embedder.is_normalized());
    embedder.set_normalized(true);
    assert!(embedder.is_normalized());
    embedder.set_normalized(false);
    assert_eq!((embedder.is_normalized(), embedder.dimension()), (false, 3));
    embedder.set_pooling(PoolingMode::Cls.into())?;
    Ok(())
}

#[test]
fn a_prompt_that_takes_every_token_is_refused_where_it_is_not_pooled() -> anyhow::Result<()> {
    let folder = model_directory()?;
    let pooling = r#"{"pooling_mode": "mean", "include_prompt": false}"#;
    fs::write(folder.path().join("1_Pooling/config.json"), pooling)?;
    let mut embedder = SentenceEmbedder::open(folder.path(), None)?;
    // Alone the prompt is `c a f`; with the text it is one word.
    embedder.set_prompt("caf");
    let device = burn::tensor::Device::flex();
    let (model, _) = embedder.load(&device)?;
    let mut progress = |_| {};
    let run = RunOptions::new(&device, &mut progress);
    let error = embedder
        .embed(&model, &["hello", "e"], run)
        .err()
        .context("it embeds")?;
    assert!(error.to_string().contains("no token of text 2"), "{error}");
    Ok(())
}
