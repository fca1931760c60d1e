//! Which files of a repository are needed, and repositories that hold no model for us.

use crate::stand_in::StandIn;
use crate::support::options;
use bert_hub::{AskHub, FetchOptions, Fetcher, HubError, HubName, NoProgress};

/// The needed files of a repository that holds these.
fn needed(files: &[(&'static str, &[u8])]) -> Result<Vec<String>, HubError> {
    let home = tempfile::tempdir().expect("a folder");
    let hub = StandIn::start("owner/name", files);
    let options = FetchOptions {
        hub_endpoint: hub.server.url.clone(),
        hub_home: Some(home.path().join("huggingface")),
        ..options(home.path())
    };
    let name = HubName::parse("owner/name").expect("a name");
    let snapshot = Fetcher::new(options).fetch_hub(&name, AskHub::WhenNeeded, &mut NoProgress)?;
    let relative = |path: &std::path::PathBuf| {
        let path = path.strip_prefix(&snapshot.dir).expect("inside");
        path.to_str().expect("a name").to_owned()
    };
    let mut files: Vec<String> = snapshot.files.iter().map(relative).collect();
    files.sort();
    Ok(files)
}

fn index(shards: &[&str]) -> Vec<u8> {
    let entries: Vec<String> = shards
        .iter()
        .enumerate()
        .map(|(number, shard)| format!("\"t{number}\": \"{shard}\""))
        .collect();
    format!(
        "{{\"metadata\": {{}}, \"weight_map\": {{{}}}}}",
        entries.join(", ")
    )
    .into_bytes()
}

#[test]
fn weights_in_shards_are_those_that_the_index_names() {
    let shards = index(&[
        "model-1.safetensors",
        "model-2.safetensors",
        "model-1.safetensors",
    ]);
    let files = needed(&[
        ("config.json", b"{}"),
        ("model-1.safetensors", b"one"),
        ("model-2.safetensors", b"two"),
        ("model-3.safetensors", b"left over"),
        ("model.safetensors.index.json", &shards),
    ]);
    assert_eq!(
        files.expect("fetched"),
        [
            "config.json",
            "model-1.safetensors",
            "model-2.safetensors",
            "model.safetensors.index.json"
        ]
    );
}

#[test]
fn pytorchs_weights_are_taken_where_there_is_nothing_else() {
    let files = needed(&[
        ("config.json", b"{}"),
        ("pytorch_model.bin", b"pickled"),
        ("vocab.txt", b"a"),
    ]);
    assert_eq!(
        files.expect("fetched"),
        ["config.json", "pytorch_model.bin", "vocab.txt"]
    );

    let shards = index(&["pytorch_model-1.bin"]);
    let files = needed(&[
        ("config.json", b"{}"),
        ("pytorch_model-1.bin", b"pickled"),
        ("pytorch_model.bin.index.json", &shards),
    ]);
    assert_eq!(
        files.expect("fetched"),
        [
            "config.json",
            "pytorch_model-1.bin",
            "pytorch_model.bin.index.json"
        ]
    );
}

#[test]
fn modules_of_sentence_transformers_bring_their_folders() {
    let modules = br#"[
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
        {"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}
    ]"#;
    let files = needed(&[
        ("1_Pooling/config.json", b"{}"),
        ("2_Dense/config.json", b"{}"),
        ("2_Dense/model.safetensors", b"dense"),
        ("9_Other/config.json", b"{}"),
        ("config.json", b"{}"),
        ("config_sentence_transformers.json", b"{}"),
        ("model.safetensors", b"weights"),
        ("modules.json", modules),
        ("sentence_bert_config.json", b"{}"),
        ("train_script.py", b"print()"),
    ]);
    assert_eq!(
        files.expect("fetched"),
        [
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/model.safetensors",
            "config.json",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
        ]
    );
}

#[test]
fn an_encoder_in_a_folder_of_its_own_is_found() {
    let modules = br#"[{"path": "0_BERT", "type": "sentence_transformers.models.Transformer"}]"#;
    let files = needed(&[
        ("0_BERT/config.json", b"{}"),
        ("0_BERT/pytorch_model.bin", b"weights"),
        ("0_BERT/vocab.txt", b"a"),
        ("modules.json", modules),
    ]);
    assert_eq!(
        files.expect("fetched"),
        [
            "0_BERT/config.json",
            "0_BERT/pytorch_model.bin",
            "0_BERT/vocab.txt",
            "modules.json"
        ]
    );
}

#[test]
fn a_repository_without_usable_weights_says_what_it_holds_and_what_to_do() {
    let cases: [(&[&'static str], &[&str]); 8] = [
        (
            &["config.json", "tf_model.h5"],
            &["TensorFlow (tf_model.h5)", "from_tf=True"],
        ),
        (
            &["config.json", "flax_model.msgpack"],
            &["Flax (flax_model.msgpack)", "from_flax=True"],
        ),
        (
            &["config.json", "onnx/model.onnx"],
            &["ONNX (onnx/model.onnx)", "base model"],
        ),
        (&["model.q4.gguf"], &["GGUF (model.q4.gguf)", "base model"]),
        (
            &["adapter_config.json", "adapter_model.safetensors"],
            &["an adapter alone", "give that; LoRA and DoRA"],
        ),
        (
            &["config.json", "model.fp16.safetensors"],
            &["model.fp16.safetensors", "name it model.safetensors"],
        ),
        (
            &["bert_model.ckpt.index", "bert_config.json"],
            &["TensorFlow (bert_model.ckpt.index)"],
        ),
        (&["README.md"], &["no weights of any kind"]),
    ];
    for (files, words) in cases {
        let files: Vec<(&'static str, &[u8])> =
            files.iter().map(|file| (*file, b"{}".as_slice())).collect();
        let message = needed(&files).expect_err("unusable").to_string();
        assert!(message.contains("owner/name"), "{message}");
        for word in words {
            assert!(message.contains(word), "{word:?} is not in: {message}");
        }
    }
}

#[test]
fn weights_without_a_configuration_are_no_model() {
    let failed = needed(&[("model.safetensors", b"weights")]).expect_err("no configuration");
    assert!(matches!(failed, HubError::NoConfig { .. }), "{failed}");
}

#[test]
fn files_that_name_other_files_are_checked() {
    let shards = index(&["model-1.safetensors"]);
    let failed = needed(&[
        ("config.json", b"{}"),
        ("model.safetensors.index.json", &shards),
    ]);
    let message = failed.expect_err("a shard is missing").to_string();
    for word in [
        "model.safetensors.index.json",
        "model-1.safetensors",
        "does not hold",
    ] {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }

    let climbing = br#"[{"path": "../x", "type": "sentence_transformers.models.Pooling"}]"#;
    for (modules, word) in [
        (climbing.as_slice(), "../x"),
        (b"{", "a sequence"),
        (b"[{}]", "path"),
    ] {
        let failed = needed(&[
            ("config.json", b"{}"),
            ("model.safetensors", b"w"),
            ("modules.json", modules),
        ]);
        let message = failed.expect_err("no list of modules").to_string();
        assert!(
            message.contains("modules.json") && message.contains(word),
            "{message}"
        );
    }
}

#[test]
fn a_list_of_modules_that_would_fill_the_memory_is_not_read() {
    let spaces = vec![b' '; 16 * 1024 * 1024 + 1];
    let failed = needed(&[
        ("config.json", b"{}"),
        ("model.safetensors", b"w"),
        ("modules.json", &spaces),
    ]);
    let message = failed.expect_err("too long").to_string();
    assert!(
        message.contains("modules.json: it has 16777217 bytes"),
        "{message}"
    );
}
