//! `bert train | evaluate | predict next-sentence`.

use super::support::{Room, json_lines};

const TRAIN: &str = "train next-sentence --model base --train text.txt --output trained --batch-size 8 --lr 1e-3 --max-length 24";

fn room() -> Room {
    let room = Room::new();
    room.write("text.txt", text(30));
    room
}

fn text(documents: usize) -> String {
    let kinds = [
        "a very good film\nthe cast was funny\nit is warm\n\n",
        "the plot was dull\nit is slow\n\n",
    ];
    (0..documents).map(|document| kinds[document % 2]).collect()
}

#[test]
fn training_evaluation_and_prediction_agree() {
    let room = room();
    let run = room
        .bert(&format!("{TRAIN} --eval text.txt --epochs 2 --seed 7"))
        .succeeded();
    for words in [
        "30 documents",
        "pairs in sequence",
        "whether a sentence follows",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    let best = run.json()["best"].clone();
    let line = "evaluate next-sentence --model trained --data text.txt --predictions rows.jsonl --batch-size 3";
    let metrics = room.bert(line).succeeded().json();
    assert_eq!(
        metrics["next_sentence_accuracy"],
        best["next_sentence_accuracy"]
    );
    let rows = json_lines(&room.read("rows.jsonl"));
    assert_eq!(rows.len(), 45);
    let right = rows.iter().filter(|row| row["label"] == row["reference"]);
    let accuracy = right.count() as f64 / rows.len() as f64;
    assert_eq!(metrics["next_sentence_accuracy"].as_f64(), Some(accuracy));

    let input = "{\"text\": \"a very good film\", \"text_pair\": \"the cast was funny\"}\n";
    let line = "predict next-sentence --model trained --input - --logits";
    let found = room
        .bert_with(line, &[], input.as_bytes())
        .succeeded()
        .json();
    let logits: Vec<f64> = found["logits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|logit| logit.as_f64().unwrap())
        .collect();
    let label = if logits[0] >= logits[1] {
        "IsNext"
    } else {
        "NotNext"
    };
    assert_eq!(found["label"], label);
    let score = 1.0 / (1.0 + (-(logits[0] - logits[1]).abs()).exp());
    assert!((found["score"].as_f64().unwrap() - score).abs() < 1e-6);
}

#[test]
fn an_input_that_is_no_pair_is_refused() {
    let room = room();
    room.bert(&format!("{TRAIN} --max-steps 1")).succeeded();
    let line = "predict next-sentence --model trained --input -";
    for input in ["a good film\n", "{\"text\": \"a good film\"}\n"] {
        room.bert_with(line, &[], input.as_bytes())
            .failed(1, &["line 1", "\"text\" and \"text_pair\""]);
    }
}

#[test]
fn a_text_that_is_one_document_is_refused() {
    let room = room();
    room.write("text.txt", "a good film\nthe cast is funny\n");
    let before = room.entries();
    room.bert(TRAIN)
        .failed(1, &["text.txt", "one document", "blank line"]);
    assert_eq!(room.entries(), before);
}

#[test]
fn no_mask_token_is_needed() {
    let room = room();
    let vocabulary = room.read("base/vocab.txt").replace("[MASK]", "mask");
    room.write("base/vocab.txt", vocabulary);
    room.bert(&format!("{TRAIN} --max-steps 1")).succeeded();
}

#[test]
fn a_model_without_the_head_is_refused_by_name() {
    let room = room();
    room.bert("evaluate next-sentence --model base --data text.txt")
        .failed(
            1,
            &[
                "base",
                "cls.seq_relationship.weight",
                "bert train next-sentence",
            ],
        );
}
