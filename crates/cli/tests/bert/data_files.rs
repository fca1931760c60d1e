//! Where data comes from: several files, patterns, compressed files, standard input.

use std::io::Write;

use super::support::{Room, TRAIN, rows};

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn training_reads_patterns_packed_files_and_standard_input() {
    let room = Room::new();
    room.write("part-1.tsv", rows(6));
    room.write("part-2.tsv.gz", gzip(&rows(6)));
    room.write("more.jsonl", "{\"text\": \"warm\", \"label\": \"good\"}\n");
    let line = TRAIN.replace("--train train.tsv", "--train part-* more.jsonl --eval -");
    let line = format!("{line} --format tsv --max-steps 1");
    room.bert_with(&line, &[], rows(6).as_bytes())
        .failed(1, &["more.jsonl", "columns"]);
    let line = line.replace(" more.jsonl", "");
    let run = room.bert_with(&line, &[], rows(6).as_bytes()).succeeded();
    for words in [
        "part-1.tsv and 1 other file: 12 rows",
        "standard input: 6 rows",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    let line = "evaluate text-classification --model trained --data part-1.tsv part-2.tsv.gz";
    room.bert(line).succeeded();
    room.write("texts.gz", gzip("good\nbad\n"));
    let predicted = room.bert("predict text-classification --model trained --input texts.gz");
    assert_eq!(predicted.succeeded().json_lines().len(), 2);
}

#[test]
fn a_fault_in_one_of_several_files_is_named_with_it() {
    let room = Room::new();
    room.write("part-1.tsv", rows(6));
    room.write("part-2.tsv", "the cast\tgood\nslow\n");
    let line = TRAIN.replace("--train train.tsv", "--train part-*.tsv");
    room.bert(&line)
        .failed(1, &["part-2.tsv, line 2", "found 1"]);
    room.write("part-2.tsv", "the cast\tgood\nslow\todd\n");
    let run = room.bert("check text-classification --data part-1.tsv part-2.tsv");
    let stdout = run.succeeded().stdout;
    assert!(stdout.contains("\"odd\" (part-2.tsv line 2)"), "{stdout}");
    let line = TRAIN.replace("--train train.tsv", "--train none-*.tsv");
    room.bert(&line)
        .failed(1, &["none-*.tsv", "no file matches"]);
}

#[test]
fn a_configuration_file_lists_files() {
    let room = Room::new();
    room.write("more.tsv", rows(6));
    room.write(
        "run.toml",
        "train = [\"train.tsv\", \"more.tsv\"]\nmax-steps = 1\n",
    );
    let line = TRAIN.replace("--train train.tsv", "--config run.toml");
    let run = room.bert(&line).succeeded();
    assert!(
        run.stderr.contains("train.tsv and 1 other file: 30 rows"),
        "{}",
        run.stderr
    );
}

#[test]
fn packed_data_that_cannot_be_unpacked_leaves_nothing_behind() {
    let room = Room::new();
    let mut cut = gzip(&rows(300));
    cut.truncate(cut.len() - 12);
    room.write("cut.tsv.gz", cut);
    room.write("bomb.tsv.gz", gzip(&"0".repeat(65 << 20)));
    let before = room.entries();
    let train = |file: &str| TRAIN.replace("train.tsv", file);
    room.bert(&train("cut.tsv.gz"))
        .failed(1, &["cut.tsv.gz", "cut short"]);
    room.bert(&train("bomb.tsv.gz"))
        .failed(1, &["bomb.tsv.gz", "BERT_MAX_UNPACKED_BYTES"]);
    let mut raised = room.command();
    raised.args(train("bomb.tsv.gz").split_whitespace());
    let output = raised
        .env("BERT_MAX_UNPACKED_BYTES", "100000000")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("1 columns"),
        "the file itself is read: {stderr}"
    );
    raised.env("BERT_MAX_UNPACKED_BYTES", "1000000");
    let output = raised.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("more than 1000000 bytes"), "{stderr}");
    assert_eq!(room.entries(), before);
}
