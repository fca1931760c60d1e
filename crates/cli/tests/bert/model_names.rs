//! Every command that takes a model takes the names of `bert models`, and refuses an unknown name in the same way.

use super::support::{Room, TRAIN};

/// Command lines with `MODEL` in the place of the model.
const LINES: [&str; 10] = [
    "train text-classification --model MODEL --train train.tsv --output trained --offline",
    "evaluate text-classification --model MODEL --data eval.tsv --offline",
    "evaluate masked-lm --model MODEL --data eval.tsv --offline",
    "predict text-classification --model MODEL --input eval.tsv --text-column 0 --offline",
    "predict zero-shot --model MODEL --labels a,b --input eval.tsv --text-column 0 --offline",
    "predict text-classification --model base --head MODEL --input eval.tsv --text-column 0 --offline",
    "predict token-classification --model base --head MODEL --input eval.tsv --text-column 0 --offline",
    "check text-classification --model MODEL --data train.tsv --offline",
    "check token-classification --model MODEL --data train.conll --offline",
    "inspect MODEL --offline",
];

fn room() -> Room {
    let room = Room::new();
    room.write("train.conll", "warm B-quality\nplot O\n\nfilm O\ncast O\n");
    room
}

#[test]
fn an_unknown_name_is_answered_with_those_like_it() {
    let room = room();
    let before = room.entries();
    for line in LINES {
        let words = [
            "all-MiniLM-L6",
            "did you mean",
            "all-MiniLM-L6-v2",
            "bert models",
        ];
        room.bert(&line.replace("MODEL", "all-MiniLM-L6"))
            .failed(2, &words);
        for path in ["./runs/none", "runs/none/deeper", "runs/"] {
            room.bert(&line.replace("MODEL", path))
                .failed(1, &[path, "no such directory"]);
        }
    }
    assert_eq!(room.entries(), before);
}

#[test]
fn the_name_of_a_data_set_is_no_model() {
    let room = room();
    let entries = room.bert("models --json").succeeded().json();
    let mut entries = entries.as_array().unwrap().iter();
    let data = entries.find(|entry| entry["kind"] == "dataset").unwrap();
    let name = data["name"].as_str().unwrap();
    for line in LINES {
        room.bert(&line.replace("MODEL", name))
            .failed(2, &[name, "data set"]);
    }
}

#[test]
fn a_name_that_the_cache_lacks_is_an_error_offline() {
    let room = room();
    for line in LINES.iter().filter(|line| !line.contains("--head")) {
        room.bert(&line.replace("MODEL", "all-MiniLM-L6-v2"))
            .failed(1, &["all-MiniLM-L6-v2", "model.safetensors", "offline"]);
    }
}

#[test]
fn a_named_head_that_the_cache_lacks_is_an_error_offline() {
    let room = room();
    room.train();
    let line = "predict text-classification --model trained --head all-MiniLM-L6-v2 --input eval.tsv --text-column 0 --offline";
    room.bert(line)
        .failed(1, &["all-MiniLM-L6-v2", "model.safetensors", "offline"]);
}

#[test]
fn a_directory_wins_over_a_name() {
    let room = room();
    room.checkpoint("all-MiniLM-L6-v2", "gelu");
    let run = room.bert(&TRAIN.replace("--model base", "--model all-MiniLM-L6-v2"));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let json = room
        .bert("inspect all-MiniLM-L6-v2 --json")
        .succeeded()
        .json();
    assert_eq!(json["path"], "all-MiniLM-L6-v2");
    assert_eq!(json["config"]["hidden_size"], 16);
}

#[test]
fn the_device_is_described_once() {
    let room = room();
    room.train();
    let run = room
        .bert("evaluate text-classification --model trained --data eval.tsv")
        .succeeded();
    let lines = run.stderr.lines();
    let devices = lines.filter(|line| line.starts_with("device  CPU"));
    assert_eq!(devices.count(), 1, "{}", run.stderr);
}
