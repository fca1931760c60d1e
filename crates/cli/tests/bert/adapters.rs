//! `--tune lora`, the directories of adapters, and `bert merge`.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use serde_json::{Value, json};

use super::support::{Room, TRAIN, names_in};

const LORA: &str = "--tune lora:rank=4 --epochs 1";

fn train(room: &Room, output: &str, tune: &str) {
    let line = TRAIN.replace("--output trained", &format!("--output {output}"));
    room.bert(&format!("{line} {tune}")).succeeded();
}

fn predict(room: &Room, further: &str) -> Vec<Value> {
    let line = format!("predict text-classification {further} --input - --logits");
    let input = b"a good film\nslow and dull\nthe cast was not very funny\n";
    room.bert_with(&line, &[], input).succeeded().json_lines()
}

fn assert_close(found: &[Value], expected: &[Value]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found["label"], expected["label"]);
        for id in 0..2 {
            let [one, other] =
                [found, expected].map(|record| record["logits"][id].as_f64().unwrap());
            assert!((one - other).abs() < 1e-5, "{found} {expected}");
        }
    }
}

fn tensors(room: &Room, file: &str) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(room.path(file)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter();
    tensors
        .map(|(name, view)| (name, view.data().to_vec()))
        .collect()
}

fn config(room: &Room, directory: &str) -> Value {
    serde_json::from_str(&room.read(&format!("{directory}/adapter_config.json"))).unwrap()
}

fn change_config(room: &Room, directory: &str, key: &str, value: Value) {
    let mut config = config(room, directory);
    config[key] = value;
    room.write(
        &format!("{directory}/adapter_config.json"),
        config.to_string(),
    );
}

#[test]
fn an_adapter_is_saved_as_peft_lays_it_out() {
    let room = Room::new();
    train(
        &room,
        "trained",
        "--tune lora:rank=4,alpha=8,dropout=0.1,dora --epochs 1",
    );
    let files = names_in(&room.path("trained"));
    for file in [
        "adapter_config.json",
        "adapter_model.safetensors",
        "config.json",
        "training.jsonl",
        "vocab.txt",
    ] {
        assert!(files.iter().any(|name| name == file), "{files:?}");
    }
    assert!(!files.contains(&"model.safetensors".to_owned()));
    let config = config(&room, "trained");
    for (key, value) in [
        ("peft_type", json!("LORA")),
        ("task_type", json!("SEQ_CLS")),
        ("r", json!(4)),
        ("lora_alpha", json!(8)),
        ("lora_dropout", json!(0.1)),
        ("use_dora", json!(true)),
        ("target_modules", json!(["query", "value"])),
        ("modules_to_save", json!(["classifier", "pooler"])),
    ] {
        assert_eq!(config[key], value, "{key}");
    }
    let base = room.path("base").canonicalize().unwrap();
    assert_eq!(config["base_model_name_or_path"], json!(base));
    let names: Vec<String> = tensors(&room, "trained/adapter_model.safetensors")
        .into_keys()
        .collect();
    let query = "base_model.model.bert.encoder.layer.0.attention.self.query";
    for name in [
        &format!("{query}.lora_A.weight"),
        &format!("{query}.lora_B.weight"),
        &format!("{query}.lora_magnitude_vector"),
        "base_model.model.bert.pooler.dense.bias",
        "base_model.model.classifier.weight",
    ] {
        assert!(names.iter().any(|one| one == name), "{name} of {names:?}");
    }
    // Query and value of each of the base's layers, pooler and classifier.
    let layers = names
        .iter()
        .filter(|name| name.ends_with("query.lora_A.weight"));
    assert_eq!(names.len(), layers.count() * 6 + 4);
}

#[test]
fn a_trained_adapter_predicts_as_its_merged_checkpoint_does() {
    let room = Room::new();
    for (output, tune) in [
        ("lora", "lora:rank=4"),
        (
            "dora",
            "lora:rank=3,dora,rslora,targets=query+intermediate.dense+output.dense",
        ),
        ("linear", "lora:rank=2,dropout=0.2,targets=all-linear"),
    ] {
        let line = TRAIN.replace("--output trained", &format!("--output {output}"));
        let line = line.replace("--lr 1e-3", "--lr 1e-2");
        let line = format!("{line} --eval eval.tsv --epochs 2 --tune {tune}");
        let best = room.bert(&line).succeeded().json()["best"].clone();
        let line = format!("evaluate text-classification --model {output} --data eval.tsv");
        let metrics = room.bert(&line).succeeded().json();
        assert_eq!(metrics["accuracy"], best["accuracy"]);
        let loss = |metrics: &Value| metrics["loss"].as_f64().unwrap();
        assert!((loss(&metrics) - loss(&best)).abs() < 1e-5);

        let found = predict(&room, &format!("--model {output}"));
        let merged = format!("{output}-merged");
        let run = room
            .bert(&format!("merge {output} -o {merged}"))
            .succeeded();
        assert_eq!(run.stdout.trim(), merged);
        assert_close(&predict(&room, &format!("--model {merged}")), &found);
        assert!(["good", "bad"].contains(&found[0]["label"].as_str().unwrap()));

        // What has no adapter is the base's, bit for bit.
        let base = tensors(&room, "base/model.safetensors");
        let merged = tensors(&room, &format!("{merged}/model.safetensors"));
        let is_same = |name: &str| {
            let bare = name.trim_start_matches("bert.");
            base.get(bare).or(base.get(name)) == merged.get(name)
        };
        let query = "bert.encoder.layer.0.attention.self.query.weight";
        assert!(is_same("bert.embeddings.word_embeddings.weight"));
        assert!(is_same("bert.encoder.layer.0.attention.self.query.bias"));
        assert!(!is_same(query), "{output} has changed nothing");
    }
}

#[test]
fn several_adapters_share_one_encoder() {
    let room = Room::new();
    train(&room, "first", &format!("{LORA} --seed 1"));
    train(
        &room,
        "second",
        "--tune lora:rank=2,dora --epochs 1 --seed 2",
    );
    train(&room, "plain", "--tune head --epochs 1 --seed 3");
    for (model, others) in [
        ("first", ["second", "plain"]),
        ("plain", ["first", "second"]),
    ] {
        let [one, other] = others;
        let together = predict(
            &room,
            &format!("--model {model} --head {one} --head {other}"),
        );
        assert_close(&together, &predict(&room, &format!("--model {model}")));
        for head in others {
            let of_head: Vec<Value> = together
                .iter()
                .map(|record| record["heads"][head].clone())
                .collect();
            assert_close(&of_head, &predict(&room, &format!("--model {head}")));
        }
    }
}

#[test]
fn taggers_and_answerers_have_adapters_too() {
    let room = Room::new();
    room.write("train.conll", "the\tO\ngood\tB-x\nfilm\tI-x\n\n".repeat(8));
    let context = "the film was good , the plot was dull and slow .";
    let answers = json!([{"text": "good", "answer_start": 13}]);
    let qas: Vec<Value> = (0..6)
        .map(|id| json!({"id": id.to_string(), "question": "was it good ?", "answers": answers}))
        .collect();
    let squad = json!({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": qas}]}]});
    room.write("squad.json", squad.to_string());
    let question = json!({"question": "was it good ?", "context": context}).to_string();
    for (task, data, task_type, input) in [
        (
            "token-classification",
            "train.conll",
            "TOKEN_CLS",
            "the good film",
        ),
        (
            "question-answering",
            "squad.json",
            "QUESTION_ANS",
            &question,
        ),
    ] {
        let line = format!(
            "train {task} --model base --train {data} --output {task_type} --epochs 2 --lr 1e-2 --batch-size 4 {LORA}"
        );
        room.bert(&line.replace(" --epochs 1", "")).succeeded();
        assert_eq!(config(&room, task_type)["task_type"], task_type);
        room.bert(&format!("merge {task_type} --output {task_type}-merged"))
            .succeeded();
        let answer = |model: &str| {
            let line = format!("predict {task} --model {model} --input -");
            room.bert_with(&line, &[], input.as_bytes())
                .succeeded()
                .stdout
        };
        let digits = |text: String| -> String { text.replace(|c: char| c.is_ascii_digit(), "") };
        let merged = format!("{task_type}-merged");
        assert_eq!(digits(answer(task_type)), digits(answer(&merged)));
    }
}

#[test]
fn a_merged_adapter_is_trained_on_in_full_and_an_adapter_carries_none() {
    let room = Room::new();
    train(&room, "adapter", LORA);
    let line = TRAIN.replace("--model base", "--model adapter");
    room.bert(&format!("{line} --max-steps 1")).succeeded();
    assert!(room.path("trained/model.safetensors").exists());
    room.bert(&format!("{line} --overwrite --tune lora"))
        .failed(1, &["adapter", "bert merge"]);
}

#[test]
fn what_cannot_be_adapted_is_refused_by_name() {
    let room = Room::new();
    for (tune, words) in [
        (
            "lora:rank=4,targets=q_proj",
            ["q_proj", "attention.self.query, attention.self.key"],
        ),
        ("lora:rank=4000", ["4000", "query"]),
    ] {
        room.bert(&format!("{TRAIN} --tune {tune}"))
            .failed(1, &words);
        assert!(!room.path("trained").exists());
    }
    for (tune, word) in [
        ("lora:rang=4", "rang=4"),
        ("lora:rank=0", "at least 1"),
        ("lora:dropout=1", "below 1"),
    ] {
        room.bert(&format!("{TRAIN} --tune {tune}"))
            .failed(2, &[word]);
    }
    room.write("text.txt", "a good film\nthe plot was dull\n".repeat(20));
    room.bert("train masked-lm --model base --train text.txt --output trained --tune lora")
        .failed(1, &["masked-lm", "token classification"]);
    room.bert("merge base -o merged")
        .failed(1, &["base", "is no adapter"]);
}

/// A file of an adapter with this tensor alone changed.
fn change_tensor(
    room: &Room,
    directory: &str,
    ending: &str,
    change: impl Fn(&mut Vec<u8>, &mut Vec<usize>),
) {
    let path = room.path(directory).join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let read = SafeTensors::deserialize(&bytes).unwrap();
    let tensors: Vec<(String, safetensors::Dtype, Vec<usize>, Vec<u8>)> = read
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let (mut data, mut shape) = (view.data().to_vec(), view.shape().to_vec());
            if name.ends_with(ending) {
                change(&mut data, &mut shape);
            }
            (name, view.dtype(), shape, data)
        })
        .collect();
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        let view = safetensors::tensor::TensorView::new(*dtype, shape.clone(), data).unwrap();
        (name.clone(), view)
    });
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn weights_of_an_adapter_that_are_no_numbers_are_refused_by_name() {
    let room = Room::new();
    train(&room, "nan", "--tune lora:rank=2 --epochs 1");
    change_tensor(
        &room,
        "nan",
        "layer.0.attention.self.query.lora_B.weight",
        |data, _| {
            data[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
        },
    );
    room.bert_with(
        "predict text-classification --model nan --input -",
        &[],
        b"a good film\n",
    )
    .failed(
        1,
        &[
            "layer.0.attention.self.query.lora_B.weight",
            "NaN (element 1)",
        ],
    );
    train(&room, "empty", "--tune lora:rank=2 --epochs 1");
    for (part, axis) in [("lora_A", 0), ("lora_B", 1)] {
        change_tensor(
            &room,
            "empty",
            &format!("query.{part}.weight"),
            |data, shape| {
                data.clear();
                shape[axis] = 0;
            },
        );
    }
    room.bert_with(
        "predict text-classification --model empty --input -",
        &[],
        b"a good film\n",
    )
    .failed(1, &["query.lora_A.weight", "rank 0"]);
}

#[test]
fn adapters_of_other_kinds_and_of_other_models_are_refused() {
    let room = Room::new();
    train(&room, "trained", LORA);
    let original = room.read("trained/adapter_config.json");
    for (key, value, words) in [
        ("peft_type", json!("IA3"), vec!["IA3", "LORA"]),
        ("peft_type", json!("PREFIX_TUNING"), vec!["PREFIX_TUNING"]),
        ("use_qalora", json!(true), vec!["use_qalora"]),
        ("fan_in_fan_out", json!(true), vec!["fan_in_fan_out"]),
        ("init_lora_weights", json!("pissa"), vec!["pissa", "base"]),
        ("lora_alpha", json!("much"), vec!["lora_alpha", "number"]),
        (
            "base_model_name_or_path",
            json!("/no/such/model"),
            vec!["/no/such/model", "no such directory"],
        ),
        (
            "base_model_name_or_path",
            Value::Null,
            vec!["base_model_name_or_path"],
        ),
        ("use_dora", json!(true), vec!["lora_magnitude_vector"]),
    ] {
        change_config(&room, "trained", key, value);
        let line = "predict text-classification --model trained --input -";
        room.bert_with(line, &[], b"good\n").failed(1, &words);
        room.write("trained/adapter_config.json", &original);
    }
    // A model with other widths, and one of another family.
    room.checkpoint("other", "lora");
    change_config(
        &room,
        "trained",
        "base_model_name_or_path",
        json!(room.path("other")),
    );
    let line = "predict text-classification --model trained --input -";
    let refused = room.bert_with(line, &[], b"good\n");
    refused.failed(1, &["trained"]);
    let family = room
        .read("other/config.json")
        .replace("\"model_type\": \"bert\"", "\"model_type\": \"roberta\"");
    room.write("other/config.json", family);
    room.bert_with(line, &[], b"good\n")
        .failed(1, &["roberta", "bert", "other"]);
}
