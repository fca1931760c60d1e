//! `bert predict text-classification`.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use super::support::Room;

const PREDICT: &str = "predict text-classification --model trained --input";

#[test]
fn plain_and_json_lines_are_answered_in_their_order() {
    let room = Room::new();
    room.train();
    let input = "good\n\n{\"text\": \"bad\", \"text_pair\": \"slow\"}\n  dull film\n";
    let lines = room
        .bert_with(
            &format!("{PREDICT} - --all-scores --logits"),
            &[],
            input.as_bytes(),
        )
        .succeeded()
        .json_lines();
    assert_eq!(lines.len(), 4);
    for line in &lines {
        let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["label", "score", "scores", "logits"]);
        let scores: Vec<f64> = line["scores"]
            .as_array()
            .unwrap()
            .iter()
            .map(|score| score.as_f64().unwrap())
            .collect();
        assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let best = if scores[0] >= scores[1] {
            ("bad", scores[0])
        } else {
            ("good", scores[1])
        };
        assert_eq!(
            (
                line["label"].as_str().unwrap(),
                line["score"].as_f64().unwrap()
            ),
            best
        );
    }
}

#[test]
fn logits_are_printed_with_the_digits_that_bring_them_back() {
    let room = Room::new();
    room.train();
    let run = room
        .bert_with(&format!("{PREDICT} - --logits"), &[], b"good\n")
        .succeeded();
    let (_, logits) = run.stdout.split_once("\"logits\":[").unwrap();
    for digits in logits.trim_end().trim_end_matches("]}").split(',') {
        let value: f32 = digits.parse().unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), digits);
    }
}

#[test]
fn an_endless_stream_is_answered_while_it_goes_on() {
    let room = Room::new();
    room.train();
    let mut child = room
        .command()
        .args(PREDICT.split(' ').chain(["-"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdin
        .write_all("good film\n".repeat(1024).as_bytes())
        .unwrap();
    stdin.flush().unwrap();
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"label\":"), "{line}");
    drop(stdin);
    assert_eq!(stdout.lines().count(), 1023);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_ends_the_run_without_a_word() {
    let room = Room::new();
    room.train();
    room.write("many.txt", "good film\n".repeat(20_000));
    let mut child = room
        .command()
        .args(PREDICT.split(' ').chain(["many.txt"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("error"), "{stderr}");
}

#[test]
fn a_broken_line_is_named_and_what_came_before_it_is_answered() {
    let room = Room::new();
    room.train();
    let run = room.bert_with(&format!("{PREDICT} -"), &[], b"good\n{\"txt\": 1}\n");
    assert_eq!(run.code, Some(1));
    assert_eq!(run.json_lines().len(), 1);
    assert!(
        run.stderr.contains("standard input, line 2"),
        "{}",
        run.stderr
    );
}

#[test]
fn every_line_has_one_record_whatever_it_holds() {
    let room = Room::new();
    room.train();
    let run = room.bert_with(&format!("{PREDICT} -"), &[], b"first\n\nthird\n");
    let lines = run.succeeded().json_lines();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line["label"].is_string()));

    let input = b"first\n{\"txt\": 1}\n\xff\n\n{\"text\": \"fifth\"}\n{";
    let run = room
        .bert_with(&format!("{PREDICT} - --on-error skip"), &[], input)
        .succeeded();
    let lines = run.json_lines();
    let failed: Vec<bool> = lines.iter().map(|line| line["error"].is_string()).collect();
    assert_eq!(failed, [false, true, true, false, false, true]);
    let message = lines[1]["error"].as_str().unwrap();
    for words in ["standard input, line 2", "missing field `text`"] {
        assert!(message.contains(words), "{message}");
    }
    assert!(
        run.stderr.contains("warning 3 of 6 lines not answered"),
        "{}",
        run.stderr
    );
}

#[test]
fn no_input_gives_no_output() {
    let room = Room::new();
    room.train();
    let run = room.bert(&format!("{PREDICT} -")).succeeded();
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr.contains("standard input: no inputs"),
        "{}",
        run.stderr
    );
}
