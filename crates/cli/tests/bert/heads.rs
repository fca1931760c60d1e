//! `--head`: several heads on one encoder.

use super::support::{Room, TRAIN, rewrite};

/// Two classifiers of `base` whose encoders are its own.
fn room() -> Room {
    let room = Room::new();
    for (output, seed) in [("first", 1), ("second", 2)] {
        let line = TRAIN.replace(
            "--output trained",
            &format!("--output {output} --tune head --seed {seed}"),
        );
        room.bert(&format!("{line} --epochs 1")).succeeded();
    }
    room
}

fn predict(room: &Room, further: &str) -> Vec<String> {
    let line = format!("predict text-classification {further} --input - --logits");
    let run = room
        .bert_with(&line, &[], b"a good film\nslow and dull\n")
        .succeeded();
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn every_head_says_what_it_says_alone() {
    let room = room();
    let together = predict(&room, "--model first --head second --head first");
    let first = predict(&room, "--model first");
    let second = predict(&room, "--model second");
    assert_ne!(first, second);
    for row in 0..2 {
        let start = first[row].trim_end_matches('}');
        let expected = format!(
            "{start},\"heads\":{{\"second\":{},\"first\":{}}}}}",
            second[row], first[row]
        );
        assert_eq!(together[row], expected);
    }
}

#[test]
fn a_head_of_another_encoder_is_refused_by_the_first_tensor_that_differs() {
    let room = room();
    rewrite(&room.path("second/model.safetensors"), |name, mut data| {
        if name.contains("encoder.layer.1.output.dense") {
            data[0] ^= 1;
        }
        Some(data)
    });
    room.bert_with(
        "predict text-classification --model first --head second --input -",
        &[],
        b"good\n",
    )
    .failed(
        1,
        &[
            "second",
            "`bert.encoder.layer.1.output.dense.bias` has other values",
            "first",
        ],
    );
    room.bert_with(
        "predict text-classification --model first --head base --input -",
        &[],
        b"good\n",
    )
    .failed(1, &["base", "classifier.weight"]);
}

/// A token classifier in `tags` and a text classifier in `first`, on the encoder of `base`.
fn two_tasks() -> Room {
    let room = room();
    let sentence = "the\tO\ngood\tB-film\nfilm\tI-film\nis\tO\nslow\tB-mood\n\ndull\tB-mood\nwas\tO\nit\tO\n\n";
    room.write("train.conll", sentence.repeat(8));
    let line = "train token-classification --model base --train train.conll --output tags --tune head --lr 1e-2 --epochs 3";
    room.bert(line).succeeded();
    room
}

/// The lines that a command prints for some inputs.
fn answers(room: &Room, command: &str, input: &str) -> Vec<String> {
    let line = format!("predict {command} --input - --logits");
    let run = room.bert_with(&line, &[], input.as_bytes()).succeeded();
    run.stdout.lines().map(str::to_owned).collect()
}

/// A record and those of further heads, as one line.
fn joined(record: &str, heads: &[(&str, &str)]) -> String {
    let start = record.trim_end_matches('}');
    let heads: Vec<String> = heads
        .iter()
        .map(|(name, record)| format!("\"{name}\":{record}"))
        .collect();
    let closing = &record[start.len()..];
    let (inner, _) = closing.split_at(closing.len() - 1);
    format!("{start}{inner},\"heads\":{{{}}}}}", heads.join(","))
}

#[test]
fn heads_of_two_tasks_say_in_one_run_what_they_say_alone() {
    let room = two_tasks();
    let input = "the good film is slow\nit was dull\n{\"text\": \"good, good and warm\"}\n";
    let text = answers(&room, "text-classification --model first", input);
    let tags = answers(&room, "token-classification --model tags", input);
    assert!(tags[0].contains("entity_group"), "{}", tags[0]);
    let by_text = answers(
        &room,
        "text-classification --model first --head tags --head second",
        input,
    );
    let second = answers(&room, "text-classification --model second", input);
    let by_tags = answers(
        &room,
        "token-classification --model tags --head first",
        input,
    );
    for row in 0..3 {
        let expected = joined(
            &text[row],
            &[("tags", &tags[row]), ("second", &second[row])],
        );
        assert_eq!(by_text[row], expected);
        assert_eq!(by_tags[row], joined(&tags[row], &[("first", &text[row])]));
    }
    let options = "--aggregation none --constrained --all-scores";
    let both = answers(
        &room,
        &format!("text-classification --model first --head tags {options}"),
        input,
    );
    let alone = answers(
        &room,
        &format!("token-classification --model tags {options}"),
        input,
    );
    assert!(both[0].contains(&alone[0]), "{}\n{}", both[0], alone[0]);
    assert!(both[0].contains("\"scores\":["), "{}", both[0]);
}

#[test]
fn a_long_text_is_cut_for_one_task_and_read_in_windows_for_another() {
    let room = two_tasks();
    let input = "the good film is slow and the bad film is warm\nit was dull\n";
    let length = "--max-length 8 --batch-size 1";
    let text = answers(
        &room,
        &format!("text-classification --model first {length}"),
        input,
    );
    let tags = answers(
        &room,
        &format!("token-classification --model tags {length}"),
        input,
    );
    let line = format!(
        "predict text-classification --model first --head tags {length} --input - --logits"
    );
    let run = room.bert_with(&line, &[], input.as_bytes()).succeeded();
    for (row, line) in run.stdout.lines().enumerate() {
        assert_eq!(line, joined(&text[row], &[("tags", &tags[row])]));
    }
    assert!(
        run.stderr.contains("1 of 2 inputs cut at 8 tokens"),
        "{}",
        run.stderr
    );
}

#[test]
fn words_and_pairs_go_to_heads_of_both_tasks() {
    let room = two_tasks();
    let pair = "{\"text\": \"the good film\", \"text_pair\": \"it is dull\"}\n";
    let one = "--batch-size 1";
    let text = answers(
        &room,
        &format!("text-classification --model first {one}"),
        pair,
    );
    let tags = answers(
        &room,
        &format!("token-classification --model tags {one}"),
        "the good film\n",
    );
    let both = answers(
        &room,
        &format!("text-classification --model first --head tags {one}"),
        pair,
    );
    assert_eq!(both[0], joined(&text[0], &[("tags", &tags[0])]));

    let words = "{\"tokens\": [\"the\", \"good\", \"film\"]}\n";
    let text = answers(
        &room,
        "text-classification --model first",
        "the good film\n",
    );
    let both = answers(
        &room,
        "token-classification --model tags --head first",
        words,
    );
    assert_eq!(both[0], joined(&tags[0], &[("first", &text[0])]));
}

#[test]
fn a_head_that_reads_no_text_is_refused_by_its_task() {
    let room = room();
    for (architecture, input) in [
        ("BertForQuestionAnswering", "a question"),
        ("BertForMaskedLM", "[MASK]"),
        ("BertForNextSentencePrediction", "two sentences"),
    ] {
        let config = room.read("second/config.json");
        let start = config.find("\"BertFor").expect("architectures");
        let end = start + 1 + config[start + 1..].find('"').expect("a string") + 1;
        let changed = format!("{}\"{architecture}\"{}", &config[..start], &config[end..]);
        room.write("second/config.json", changed);
        let line = "predict text-classification --model first --head second --input -";
        room.bert_with(line, &[], b"good\n")
            .failed(1, &["second", architecture, input, "run it on its own"]);
    }
}
