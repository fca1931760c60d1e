//! `bert export`: files, names, and what is refused.

use super::support::{Room, Run, names_in, rewrite};

const CLASSIFY: &str = "predict text-classification --input in.txt --logits --model";
/// Weights that half precision cannot hold.
const LARGE: f32 = 1e5;

/// Has `classifier` and `safe`, a masked-LM model.
fn room() -> Room {
    let room = Room::new();
    room.checkpoint("classifier", "single_label");
    room.checkpoint("safe", "masked_lm");
    room.write("in.txt", "the film was good\n");
    room
}

fn wrote(run: &Run) -> &str {
    let lines = run.stderr.lines();
    let mut wrote = lines.filter(|line| line.starts_with("wrote"));
    wrote.next().unwrap_or_default()
}

#[test]
fn a_classifier_becomes_onnx_beside_its_configuration_and_tokenizer() {
    let room = room();
    let run = room.bert("export classifier --to onnx -o out").succeeded();
    assert_eq!(run.stdout, "out\n");
    let says = wrote(&run);
    assert!(says.contains("onnx/model.onnx"), "{says}");
    assert!(
        says.ends_with("input_ids, attention_mask, token_type_ids → logits"),
        "{says}"
    );
    assert_eq!(
        names_in(&room.path("out")),
        ["config.json", "onnx", "vocab.txt"]
    );
    assert_eq!(
        room.read("out/config.json"),
        room.read("classifier/config.json")
    );
    assert_eq!(names_in(&room.path("out/onnx")), ["model.onnx"]);
}

#[test]
fn int8_lies_beside_float32() {
    let room = room();
    room.bert("export safe --to onnx -o out").succeeded();
    room.bert("export safe --to onnx-int8 -o out")
        .failed(1, &["out", "overwrite"]);
    room.bert("export safe --to onnx-int8 -o out --overwrite")
        .succeeded();
    assert_eq!(
        names_in(&room.path("out/onnx")),
        ["model.onnx", "model_quantized.onnx"]
    );
}

#[test]
fn weights_go_into_a_file_of_their_own_when_asked() {
    let room = room();
    room.bert("export safe --to onnx --external-data -o out")
        .succeeded();
    assert_eq!(
        names_in(&room.path("out/onnx")),
        ["model.onnx", "model.onnx_data"]
    );
}

#[test]
fn the_head_is_that_of_the_class_or_the_one_that_is_asked_for() {
    let room = room();
    let run = room
        .bert("export safe --to onnx --task feature-extraction -o encoder")
        .succeeded();
    assert!(
        wrote(&run).ends_with("→ last_hidden_state"),
        "{}",
        run.stderr
    );
    let run = room.bert("export safe --to onnx -o masked").succeeded();
    assert!(wrote(&run).ends_with("→ logits"), "{}", run.stderr);
    room.bert("export safe --to onnx --task question-answering -o out")
        .failed(
            1,
            &["safe", "qa_outputs.weight", "bert train question-answering"],
        );
    assert!(!room.path("out").exists());
}

#[test]
fn a_class_without_an_export_and_an_unknown_family_are_named() {
    let room = room();
    let config = room.read("safe/config.json");
    room.write(
        "safe/config.json",
        config.replace("BertForMaskedLM", "BertForMultipleChoice"),
    );
    room.bert("export safe --to onnx -o out")
        .failed(1, &["BertForMultipleChoice", "BertForMaskedLM", "--task"]);
    room.write("safe/config.json", config.replace("\"bert\"", "\"gpt2\""));
    room.bert("export safe --to onnx -o out")
        .failed(1, &["gpt2", "known are bert"]);
    assert!(!room.path("out").exists());
}

#[test]
fn flags_of_another_format_and_unknown_formats_are_wrong_usage() {
    let room = room();
    for (flags, word) in [
        ("--to f16 --task masked-lm", "--task"),
        ("--to bf16 --external-data", "--external-data"),
        ("--to tflite", "onnx-int8"),
        ("", "--to"),
    ] {
        room.bert(&format!("export safe -o out {flags}"))
            .failed(2, &[word]);
    }
    assert!(!room.path("out").exists());
}

#[test]
fn smaller_types_are_stated_and_predict_nearly_the_same() {
    let room = room();
    let logits = |model: &str| -> Vec<f64> {
        let record = room.bert(&format!("{CLASSIFY} {model}")).succeeded().json();
        let logits = record["logits"].as_array().unwrap().iter();
        logits.map(|logit| logit.as_f64().unwrap()).collect()
    };
    let expected = logits("classifier");
    for (to, dtype, tolerance) in [
        ("safetensors", "float32", 0.0),
        ("f16", "float16", 1e-2),
        ("bf16", "bfloat16", 1e-1),
    ] {
        room.bert(&format!("export classifier --to {to} -o {to}"))
            .succeeded();
        let config: serde_json::Value =
            serde_json::from_str(&room.read(&format!("{to}/config.json"))).unwrap();
        assert_eq!(config["dtype"], dtype);
        let found = logits(to);
        assert_eq!(found.len(), expected.len());
        let mut pairs = found.iter().zip(&expected);
        assert!(
            pairs.all(|(one, other)| (one - other).abs() <= tolerance),
            "{to}: {found:?}"
        );
    }
}

#[test]
fn a_value_beyond_half_precision_is_named_and_nothing_is_written() {
    let room = room();
    rewrite(
        &room.path("classifier/model.safetensors"),
        |name, mut bytes| {
            if name == "classifier.bias" {
                bytes[..4].copy_from_slice(&LARGE.to_le_bytes());
            }
            Some(bytes)
        },
    );
    room.bert("export classifier --to f16 -o out")
        .failed(1, &["classifier.bias", "1e5", "float16", "bfloat16"]);
    assert!(!room.path("out").exists());
    room.bert("export classifier --to bf16 -o out").succeeded();
}

/// A file-size limit stands for a full disk: both refuse a write in the middle of a file.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_leaves_what_was_there() {
    let room = room();
    room.bert("export safe --to onnx -o out").succeeded();
    let before = std::fs::read(room.path("out/onnx/model.onnx")).unwrap();
    for output in ["out", "fresh"] {
        for to in ["onnx", "f16"] {
            let bert = env!("CARGO_BIN_EXE_bert");
            let line = format!(
                "ulimit -f 8; trap '' XFSZ; exec {bert} export safe --to {to} -o {output} --overwrite"
            );
            let mut command = std::process::Command::new("sh");
            command.arg("-c").arg(line).current_dir(room.path("."));
            Run::from(command.output().unwrap()).failed(1, &[output, "cannot be written"]);
        }
    }
    assert_eq!(
        std::fs::read(room.path("out/onnx/model.onnx")).unwrap(),
        before
    );
    assert_eq!(
        names_in(&room.path("out")),
        ["config.json", "onnx", "vocab.txt"]
    );
    assert!(!room.path("fresh").exists());
}
