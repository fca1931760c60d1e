//! Data, names and paths that cannot be used: exit code 1 or 2, one message, nothing written, nothing lost.

use super::support::{Room, TRAIN};

/// The run with `train.tsv` or `eval.tsv` replaced fails and leaves no output directory.
fn refused_data(file: &str, content: &[u8], words: &[&str]) {
    let room = Room::new();
    room.write(file, content);
    let before = room.entries();
    room.bert(&format!("{TRAIN} --eval eval.tsv"))
        .failed(1, words);
    assert_eq!(room.entries(), before);
    assert_eq!(std::fs::read(room.path(file)).unwrap(), content);
}

#[test]
fn an_unknown_model_name_is_answered_with_those_like_it() {
    let room = Room::new();
    let before = room.entries();
    let line = TRAIN.replace("--model base", "--model all-MiniLM-L6");
    room.bert(&line).failed(
        2,
        &[
            "all-MiniLM-L6",
            "did you mean",
            "all-MiniLM-L6-v2",
            "bert models",
        ],
    );
    let line = TRAIN.replace("--model base", "--model runs/none");
    room.bert(&line)
        .failed(1, &["runs/none", "no such directory"]);
    assert_eq!(room.entries(), before);
}

#[test]
fn a_data_set_is_no_model() {
    let room = Room::new();
    let entries = room.bert("models --json").succeeded().json();
    let is_data = |entry: &&serde_json::Value| entry["kind"] == "dataset";
    let name = entries.as_array().unwrap().iter().find(is_data).unwrap()["name"]
        .as_str()
        .unwrap()
        .to_owned();
    room.bert(&TRAIN.replace("--model base", &format!("--model {name}")))
        .failed(2, &["data set"]);
}

#[test]
fn a_label_that_only_evaluation_has_is_named_with_its_line() {
    refused_data(
        "eval.tsv",
        b"a good film\tgood\nslow\tawful\n",
        &["eval.tsv", "line 2", "awful", "bad, good"],
    );
}

#[test]
fn an_empty_file_is_named() {
    refused_data("train.tsv", b"", &["train.tsv", "no rows"]);
    refused_data("eval.tsv", b"text\tlabel\n", &["eval.tsv", "no rows"]);
}

#[test]
fn a_line_with_the_wrong_number_of_columns_is_named() {
    refused_data(
        "train.tsv",
        b"good\tgood\nbad\tbad\textra\n",
        &["train.tsv", "line 2", "expected 2 columns", "found 3"],
    );
}

#[test]
fn invalid_utf_8_is_named_with_its_line() {
    refused_data(
        "train.tsv",
        b"good\tgood\nb\xffd\tbad\n",
        &["train.tsv", "line 2", "UTF-8"],
    );
}

#[test]
fn one_class_is_nothing_to_learn() {
    refused_data(
        "train.tsv",
        b"good\tgood\nbad\tgood\n",
        &["train.tsv", "at least two"],
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let room = Room::new();
    room.bert(&format!("{TRAIN} --eval none.tsv"))
        .failed(1, &["none.tsv", "cannot be read", "No such file"]);
    room.bert(&format!("{TRAIN} --eval base"))
        .failed(1, &["base", "directory"]);
    assert!(!room.path("trained").exists());
}

#[test]
fn an_output_path_that_is_a_file_or_below_one_is_refused_and_the_file_kept() {
    let room = Room::new();
    room.write("trained", "precious");
    room.bert(TRAIN).failed(1, &["trained", "is a file"]);
    room.bert(&format!("{TRAIN} --overwrite"))
        .failed(1, &["trained", "is a file"]);
    let line = TRAIN.replace("--output trained", "--output trained/below");
    room.bert(&line)
        .failed(1, &["trained/below", "cannot write"]);
    assert_eq!(room.read("trained"), "precious");
}

#[test]
fn a_diverging_run_says_so_and_leaves_no_output() {
    let room = Room::new();
    let before = room.entries();
    let line = TRAIN
        .replace("--lr 1e-3", "--lr 1e30")
        .replace("--output trained", "--output deep/trained");
    room.bert(&format!("{line} --warmup-ratio 0"))
        .failed(1, &["step", "lower the learning rate"]);
    assert_eq!(room.entries(), before);
}

#[test]
fn predictions_that_cannot_be_written_stop_an_evaluation_before_it_starts() {
    let room = Room::new();
    room.train();
    room.write("file", "precious");
    let line = "evaluate text-classification --model trained --data eval.tsv --predictions";
    room.bert(&format!("{line} file/rows.jsonl"))
        .failed(1, &["file/rows.jsonl", "cannot write"]);
    room.bert(&format!("{line} trained"))
        .failed(1, &["trained", "is a directory"]);
    assert_eq!(room.read("file"), "precious");
}

#[test]
fn a_failed_evaluation_keeps_earlier_predictions() {
    let room = Room::new();
    room.train();
    room.write("rows.jsonl", "earlier");
    room.write("eval.tsv", "slow\tawful\n");
    let before = room.entries();
    let line =
        "evaluate text-classification --model trained --data eval.tsv --predictions rows.jsonl";
    room.bert(line).failed(1, &["eval.tsv", "line 1", "awful"]);
    assert_eq!(room.read("rows.jsonl"), "earlier");
    assert_eq!(room.entries(), before);
}

#[test]
fn prediction_input_that_cannot_be_read_is_named() {
    let room = Room::new();
    room.train();
    let line = "predict text-classification --model trained --input";
    room.bert(&format!("{line} none.txt"))
        .failed(1, &["none.txt", "cannot be read"]);
    room.bert_with(&format!("{line} -"), &[], b"\xff\n")
        .failed(1, &["line 1", "UTF-8"]);
}

/// What was asked for is what the message is about, and not a column that would have been guessed.
#[test]
fn a_label_column_that_is_not_there_is_named_before_another_is_guessed() {
    let room = Room::new();
    room.write("train.tsv", b"a good film\tgood\nslow\tbad\n");
    room.bert(&format!("{TRAIN} --label-column verdict"))
        .failed(1, &["train.tsv", "line 1", "verdict", "a good film"]);
}
