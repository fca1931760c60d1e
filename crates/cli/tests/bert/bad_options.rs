//! Options that no run can have: exit code 2, before anything is read or written.

use super::support::{Room, TRAIN};

fn refused(further: &str, words: &[&str]) {
    let room = Room::new();
    let before = room.entries();
    room.bert(&format!("{TRAIN} {further}")).failed(2, words);
    assert_eq!(room.entries(), before);
}

#[test]
fn numbers_out_of_range_are_refused_by_the_name_of_their_flag() {
    let room = Room::new();
    let line = TRAIN.replace("--lr 1e-3", "").replace("--batch-size 8", "");
    for (further, words) in [
        ("--lr nan", ["--lr is NaN", "above 0"]),
        ("--lr -1", ["--lr is -1", "above 0"]),
        ("--lr inf", ["--lr is inf", "above 0"]),
        ("--lr fast", ["'fast'", "--lr"]),
        ("--batch-size 0", ["--batch-size is 0", "at least 1"]),
        ("--batch-size -1", ["--batch-size", "integer"]),
    ] {
        room.bert(&format!("{line} {further}")).failed(2, &words);
        assert!(!room.path("trained").exists());
    }
    refused("--epochs 0", &["--epochs is 0"]);
    refused("--accumulation-steps 0", &["--accumulation-steps is 0"]);
    refused("--warmup-ratio 2", &["--warmup-ratio is 2"]);
    refused("--weight-decay nan", &["--weight-decay is NaN"]);
    refused("--max-grad-norm -1", &["--max-grad-norm is -1"]);
    refused("--eval-every 0", &["--eval-every is 0"]);
    refused("--max-steps 0", &["--max-steps is 0"]);
    refused("--dropout 1", &["--dropout", "below 1"]);
    refused("--threads 0", &["--threads", "at least 1"]);
    refused("--head-lr 0", &["--head-lr is 0"]);
    refused("--layer-decay 0", &["--layer-decay is 0"]);
    refused("--layer-decay 1.5", &["--layer-decay is 1.5", "at most 1"]);
    refused("--tune bits", &["bits", "bitfit"]);
    refused("--tune last:0", &["last:0", "at least 1"]);
}

#[test]
fn unknown_words_are_refused() {
    refused("--device gpu", &["'gpu'", "did you mean 'wgpu'"]);
    refused("--batching random", &["random", "bucketed"]);
    refused("--learning-rate 1", &["--learning-rate"]);
}

#[test]
fn a_device_that_is_not_in_the_build_names_its_feature() {
    if cfg!(feature = "cuda") {
        return;
    }
    let room = Room::new();
    room.bert(&format!("{TRAIN} --device cuda"))
        .failed(1, &["--features cuda"]);
    assert!(!room.path("trained").exists());
}

#[test]
fn a_required_flag_that_neither_command_line_nor_file_has_is_named() {
    let room = Room::new();
    room.bert("train text-classification --train train.tsv")
        .failed(2, &["--model", "--output"]);
    room.write("run.toml", "model = \"base\"\n");
    room.bert("train text-classification --config run.toml --train train.tsv")
        .failed(2, &["--output"]);
}

#[test]
fn a_configuration_file_with_a_slip_is_an_error_that_names_file_and_key() {
    let room = Room::new();
    let cases = [
        (
            "batch_size = 8\n",
            vec!["run.toml", "`batch_size`", "did you mean `batch-size`"],
        ),
        (
            "config = \"other.toml\"\n",
            vec!["run.toml", "no option `config`"],
        ),
        ("lr = \"fast\"\n", vec!["run.toml", "'fast'", "--lr"]),
        ("tune = [\"head\"]\n", vec!["run.toml", "`tune`", "array"]),
        (
            "overwrite = 1\n",
            vec!["run.toml", "`overwrite`", "true or false"],
        ),
        ("seed = = 1\n", vec!["run.toml", "not valid TOML"]),
    ];
    let line = TRAIN.replace("--lr 1e-3", "").replace("--batch-size 8", "");
    for (toml, words) in cases {
        room.write("run.toml", toml);
        room.bert(&format!("{line} --config run.toml"))
            .failed(2, &words);
        assert!(!room.path("trained").exists());
    }
    room.write("run.toml", "lr = nan\n");
    room.bert(&format!("{line} --config run.toml"))
        .failed(2, &["--lr is NaN"]);
    room.bert(&format!("{line} --config none.toml"))
        .failed(1, &["none.toml", "cannot be read"]);
}
