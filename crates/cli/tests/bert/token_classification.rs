//! `bert train | evaluate | predict token-classification`.

use serde_json::{Value, json};

use super::support::{Room, json_lines};

const TRAIN: &str = "train token-classification --model base --train train.conll --output trained --batch-size 4 --lr 1e-2";
const PREDICT: &str = "predict token-classification --model trained --input";

/// Sentences whose films and people can be told by their words.
fn sentences(count: usize) -> String {
    let kinds = [
        "the\tO\ngood\tB-film\nfilm\tI-film\nis\tO\nslow\tO\n\n",
        "dull\tB-person\nwas\tO\nnot\tO\nin\u{301}\tO\n\t\n",
        "a\tO\ncast\tO\n\u{200b}\tO\n,\tO\nfunny\tB-person\nbad\tI-person\n\n",
    ];
    (0..count).map(|index| kinds[index % 3]).collect()
}

fn room() -> Room {
    let room = Room::new();
    room.write("train.conll", sentences(24));
    room.write("eval.conll", sentences(9));
    room
}

fn trained() -> Room {
    let room = room();
    room.bert(&format!("{TRAIN} --epochs 8")).succeeded();
    room
}

#[test]
fn training_evaluation_and_prediction_agree() {
    let room = room();
    let run = room
        .bert(&format!(
            "{TRAIN} --eval eval.conll --test eval.conll --epochs 8"
        ))
        .succeeded();
    for words in [
        "train.conll: 24 sentences; 120 words",
        "5 labels",
        "head    new",
        "eval    step",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    let results = run.json();
    assert_eq!(results["best"]["f1"], 1.0, "{results}");
    assert_eq!(results["best"], results["test"]);

    let line = "evaluate token-classification --model trained --data eval.conll --predictions rows.jsonl --batch-size 2";
    let metrics = room.bert(line).succeeded().json();
    for key in [
        "precision",
        "recall",
        "f1",
        "accuracy",
        "strict",
        "per_type",
        "support",
    ] {
        assert_eq!(metrics[key], results["best"][key], "{key}");
    }
    assert_eq!(metrics["strict"]["scheme"], "IOB2");
    assert_eq!(metrics["per_type"]["film"]["support"], 3);
    let rows = json_lines(&room.read("rows.jsonl"));
    assert_eq!(rows.len(), 9);
    for row in &rows {
        assert_eq!(row["labels"], row["predictions"]);
        assert_eq!(
            row["labels"].as_array().unwrap().len(),
            row["tokens"].as_array().unwrap().len()
        );
    }
    let again = room
        .bert("evaluate token-classification --model trained --data rows.jsonl")
        .succeeded()
        .json();
    assert_eq!(
        again["f1"], metrics["f1"],
        "predictions are a data set, too"
    );

    let input = "the good film is slow\n{\"tokens\": [\"the\", \"good\", \"film\"]}\n";
    let answers = room
        .bert_with(&format!("{PREDICT} -"), &[], input.as_bytes())
        .succeeded()
        .json_lines();
    for answer in &answers {
        let entity = &answer["entities"][0];
        let keys: Vec<&String> = entity.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["entity_group", "score", "word", "start", "end"]);
        assert_eq!(entity["entity_group"], "film");
        assert_eq!(entity["word"], "good film");
        assert_eq!((&entity["start"], &entity["end"]), (&json!(4), &json!(13)));
    }
}

#[test]
fn every_strategy_answers_and_raw_outputs_have_a_row_a_sub_token() {
    let room = trained();
    let input = "the good\u{301} film \u{1f642} is\n".as_bytes();
    for strategy in ["none", "simple", "first", "average", "max"] {
        let line = format!("{PREDICT} - --logits --constrained --aggregation {strategy}");
        let answer = &room.bert_with(&line, &[], input).succeeded().json_lines()[0];
        let key = if strategy == "none" {
            "entity"
        } else {
            "entity_group"
        };
        assert!(answer["entities"][0][key].is_string(), "{answer}");
        let offsets = json!([[0, 3], [4, 8], [10, 14], [15, 16], [17, 19]]);
        let found = answer["offsets"].as_array().unwrap();
        assert_eq!(found.len(), 5, "{answer}");
        for index in [0, 2, 3, 4] {
            assert_eq!(found[index], offsets[index], "{answer}");
        }
        assert_eq!(answer["logits"].as_array().unwrap().len(), 5);
        assert_eq!(answer["logits"][0].as_array().unwrap().len(), 5);
    }
}

#[test]
fn no_word_of_a_sentence_longer_than_the_model_is_lost() {
    let room = trained();
    let words: Vec<&str> = ["the", "good", "film", "is"].repeat(100);
    let input = json!({ "tokens": words }).to_string();
    let answer = &room
        .bert_with(&format!("{PREDICT} - --logits"), &[], input.as_bytes())
        .succeeded()
        .json_lines()[0];
    assert_eq!(answer["offsets"].as_array().unwrap().len(), 400);
    let is_row = |row: &Value| row.as_array().unwrap().len() == 5;
    assert!(answer["logits"].as_array().unwrap().iter().all(is_row));
    assert!(
        answer["entities"].as_array().unwrap().len() >= 50,
        "{answer}"
    );

    let long: String = words
        .iter()
        .map(|word| format!("{word}\tO\n"))
        .chain(["x\tB-film\n".to_owned()])
        .collect();
    room.write("long.conll", long);
    let line = "evaluate token-classification --model trained --data long.conll --predictions rows.jsonl --max-length 7";
    let run = room.bert(line).succeeded();
    assert!(
        run.stderr.contains("1 sentence longer than 7 tokens"),
        "{}",
        run.stderr
    );
    assert_eq!(run.json()["tokens"], 401);
    let line = TRAIN.replace("--train train.conll", "--train long.conll");
    room.bert(&format!(
        "{line} --max-steps 2 --overwrite --max-length 9 --alignment all"
    ))
    .succeeded();
}

#[test]
fn tags_may_be_written_in_another_scheme_first() {
    let room = room();
    let line = format!("{TRAIN} --max-steps 1 --scheme iobes");
    let run = room.bert(&line).succeeded();
    assert!(run.stderr.contains("S-person 8"), "{}", run.stderr);
    let evaluate = "evaluate token-classification --model trained --data eval.conll";
    room.bert(evaluate)
        .failed(1, &["eval.conll, line 3", "I-film"]);
    let metrics = room
        .bert(&format!("{evaluate} --scheme iobes"))
        .succeeded()
        .json();
    assert_eq!(metrics["strict"]["scheme"], "IOBES");
}

#[test]
fn entities_that_begin_with_an_inside_tag_are_taken_and_counted() {
    let room = room();
    room.write("eval.conll", "good\tI-film\nfilm\tB-film\nis\tO\n");
    let run = room
        .bert(&format!("{TRAIN} --eval eval.conll --max-steps 1"))
        .succeeded();
    assert!(
        run.stderr.contains("1 begin with an I- or E- tag"),
        "{}",
        run.stderr
    );
    assert_eq!(run.json()["best"]["support"], 2);
    assert_eq!(run.json()["best"]["strict"]["support"], 1);
}

#[test]
fn words_without_a_token_are_predicted_as_outside() {
    let room = trained();
    room.write(
        "eval.conll",
        "\u{200b}\tO\n\u{0}\tO\n\u{301}\tB-film\n\ngood\tB-film\nfilm\tI-film\n",
    );
    let line =
        "evaluate token-classification --model trained --data eval.conll --predictions rows.jsonl";
    for constrained in ["", " --constrained"] {
        room.bert(&format!("{line}{constrained}")).succeeded();
        let rows = json_lines(&room.read("rows.jsonl"));
        assert_eq!(rows[0]["predictions"], json!(["O", "O", "O"]));
    }
    room.write("nothing.conll", "\u{200b}\tO\n\u{0}\tB-film\n");
    let line = TRAIN.replace(
        "--train train.conll",
        "--train nothing.conll --tune head --overwrite",
    );
    let run = room
        .bert(&format!("{line} --eval nothing.conll --max-steps 2"))
        .succeeded();
    assert_eq!(run.json()["best"]["loss"], 0.0);
}

#[test]
fn parts_of_speech_are_judged_by_accuracy() {
    let room = room();
    room.write(
        "pos.conll",
        "the DET\nfilm NOUN\nis VERB\n\na DET\nplot NOUN\n",
    );
    let line = TRAIN.replace("--train train.conll", "--train pos.conll --eval pos.conll");
    let run = room.bert(&format!("{line} --epochs 2")).succeeded();
    assert!(run.stderr.contains("accuracy"), "{}", run.stderr);
    assert_eq!(run.json()["best"]["strict"], Value::Null);
    room.bert(&format!("{line} --scheme bio --overwrite"))
        .failed(1, &["pos.conll", "line 1", "DET"]);
}

#[test]
fn a_tag_that_only_evaluation_has_is_named_with_its_line() {
    let room = room();
    let before = room.entries();
    room.write("eval.conll", "the\tO\n\na\tO\nfilm\tB-place\n");
    room.bert(&format!("{TRAIN} --eval eval.conll"))
        .failed(1, &["eval.conll", "line 4", "B-place", "B-film, B-person"]);
    assert_eq!(room.entries(), before);
}

#[test]
fn broken_lines_are_named_and_leave_no_output() {
    let room = room();
    let before = room.entries();
    for (content, words) in [
        ("the\tO\nfilm\n", ["train.conll, line 2", "no tag"]),
        ("the\tO\nfilm\tO\tO\n", ["train.conll, line 2", "found 3"]),
        ("the\tO\n", ["train.conll", "at least two"]),
        ("", ["train.conll", "no rows"]),
    ] {
        room.write("train.conll", content);
        room.bert(TRAIN).failed(1, &words);
        assert_eq!(room.entries(), before);
    }
    room.write("train.conll", sentences(3));
    room.bert(&format!("{TRAIN} --max-length 2"))
        .failed(1, &["max_length 2"]);
    assert_eq!(room.entries(), before);
}

#[test]
fn a_text_classifier_is_no_token_classifier() {
    let room = room();
    room.train();
    room.bert("evaluate token-classification --model trained --data eval.conll")
        .failed(1, &["trained", "token classifier"]);
    let run = room.bert_with(&format!("{PREDICT} -"), &[], b"{\"tokens\": \"a\"}\n");
    assert_eq!(run.code, Some(1));
}
