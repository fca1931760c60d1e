//! `--train`, `--eval`, `--test` and `--data` take the data sets of `bert models` by name.

use super::support::{Room, Run, TRAIN};

#[test]
fn a_data_set_that_the_cache_lacks_is_an_error_offline() {
    let room = Room::new();
    let train = format!(
        "{} --offline",
        TRAIN.replace("--train train.tsv", "--train sst2-sentences")
    );
    let eval = format!("{TRAIN} --eval sst2-sentences/test.tsv --offline");
    for line in [
        train.as_str(),
        eval.as_str(),
        "evaluate masked-lm --model base --data wikitext-2-valid-test --offline",
        "check text-classification --data sick --offline",
    ] {
        room.bert(line)
            .failed(1, &["the cache lacks files of", "offline"]);
    }
    assert!(!room.path("trained").exists());
}

#[test]
fn a_name_that_is_no_data_set_is_answered_with_what_there_is() {
    let room = Room::new();
    let with =
        |name: &str| room.bert(&TRAIN.replace("--train train.tsv", &format!("--train {name}")));
    with("sst2-sentence").failed(
        2,
        &["--train sst2-sentence", "did you mean", "sst2-sentences"],
    );
    with("bert-base-cased").failed(2, &["--train bert-base-cased", "this is a model"]);
    with("wikitext-2-valid-test").failed(
        2,
        &[
            "no training file",
            "wikitext-2-valid-test/valid.txt",
            "wikitext-2-valid-test/test.txt",
        ],
    );
    with("sst2-glue/none.tsv").failed(
        2,
        &[
            "sst2-glue/none.tsv",
            "no such file",
            "sst2-glue/train_full.tsv",
        ],
    );
    with("nowhere/rows.tsv").failed(1, &["nowhere/rows.tsv"]);
    with("rows.tsv").failed(1, &["rows.tsv"]);
}

#[test]
fn a_file_wins_over_a_data_set() {
    let room = Room::new();
    std::fs::rename(room.path("train.tsv"), room.path("sst2-sentences")).unwrap();
    let line = "check text-classification --data sst2-sentences --format tsv --json";
    let json = room.bert(line).succeeded().json();
    assert!(json.to_string().contains("24"), "{json}");
}

#[test]
fn each_flag_reads_the_file_of_its_split() {
    let Some(datasets) = std::env::var_os("BERT_DATASETS") else {
        assert!(std::env::var_os("CI").is_none(), "BERT_DATASETS is not set");
        eprintln!("SKIPPED: BERT_DATASETS is not set");
        return;
    };
    let room = Room::new();
    let run = |line: &str| {
        let mut command = room.command();
        command
            .args(line.split_whitespace())
            .env("BERT_DATASETS", &datasets);
        Run::from(command.output().unwrap())
    };
    let line =
        "check text-classification --data sst2-sentences --eval sst2-sentences --json --offline";
    let json = run(line).succeeded().json().to_string();
    for (file, rows) in [("train.tsv", "6920"), ("dev.tsv", "872")] {
        assert!(json.contains(file) && json.contains(rows), "{json}");
    }
    let line = "check text-classification --data sst2-sentences/test.tsv --json --offline";
    let json = run(line).succeeded().json().to_string();
    assert!(json.contains("1821"), "{json}");
}
