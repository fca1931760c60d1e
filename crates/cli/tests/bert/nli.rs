//! `bert train | evaluate | predict natural-language-inference` and `bert predict zero-shot`.

use super::support::{Room, json_lines};

const TRAIN: &str = "train natural-language-inference --model base --train pairs.txt --train-filter set=TRAIN \
                     --output trained --batch-size 8 --lr 1e-3 --epochs 2";

/// A file like SICK's, with all splits in it, in upper case.
fn pairs(count: usize) -> String {
    let kinds = [
        ("a very good film", "the film is good", "ENTAILMENT"),
        ("the plot was dull", "the cast is funny", "NEUTRAL"),
        ("this is slow", "this is not slow", "CONTRADICTION"),
    ];
    let row = |index: usize| {
        let (premise, hypothesis, label) = kinds[index % 3];
        let set = if index < 6 { "TRIAL" } else { "TRAIN" };
        format!("{index}\t{premise}\t{hypothesis}\t{label}\t4.5\t{set}\n")
    };
    let header = "pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score\tset\n";
    header.to_owned() + &(0..count).map(row).collect::<String>()
}

fn trained() -> Room {
    let room = Room::new();
    room.write("pairs.txt", pairs(30));
    room.bert(&format!("{TRAIN} --eval-filter set=TRIAL"))
        .succeeded();
    room
}

#[test]
fn one_file_with_all_splits_trains_evaluates_and_predicts() {
    let room = Room::new();
    room.write("pairs.txt", pairs(30));
    let run = room
        .bert(&format!(
            "{TRAIN} --eval-filter set=TRIAL --test-filter set=TRIAL"
        ))
        .succeeded();
    let results = run.json();
    for words in [
        "pairs.txt: 24 rows",
        "pairs.txt: 6 rows",
        "entailment 8",
        "head    new, 3 outputs",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    assert_eq!(results["best"]["examples"], 6);
    assert_eq!(results["best"]["accuracy"], results["test"]["accuracy"]);

    let line = "evaluate natural-language-inference --model trained --data pairs.txt --filter set=TRIAL --predictions rows.jsonl";
    let run = room.bert(line).succeeded();
    let metrics = run.json();
    assert_eq!(metrics["accuracy"], results["best"]["accuracy"]);
    let names = ["entailment", "neutral", "contradiction"];
    let keys: Vec<&String> = metrics["confusion"].as_object().unwrap().keys().collect();
    assert_eq!(keys, names);
    let total: u64 = names
        .iter()
        .flat_map(|row| names.map(|column| metrics["confusion"][row][column].as_u64().unwrap()))
        .sum();
    assert_eq!(total, 6);
    for name in names {
        assert_eq!(metrics["labels"][name]["support"], 2);
    }
    for words in ["REFERENCE", "AS entailment", "PRECISION"] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    let rows = json_lines(&room.read("rows.jsonl"));
    let right = rows
        .iter()
        .filter(|row| row["label"] == row["reference"])
        .count();
    assert_eq!(metrics["accuracy"].as_f64().unwrap(), right as f64 / 6.0);

    let input = "{\"premise\": \"a good film\", \"hypothesis\": \"the film is good\"}\n\
                 {\"text\": \"a good film\", \"text_pair\": \"the film is good\"}\n";
    let predict = "predict natural-language-inference --model trained --input -";
    let lines = room
        .bert_with(predict, &[], input.as_bytes())
        .succeeded()
        .json_lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], lines[1]);
    let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["label", "score"]);
    room.bert_with(predict, &[], b"a good film\n").failed(
        1,
        &["standard input, line 1", "\"premise\" and \"hypothesis\""],
    );
}

#[test]
fn labels_meet_by_name_and_not_by_number() {
    let room = trained();
    let line = "evaluate natural-language-inference --model trained --data pairs.txt";
    let expected = room.bert(line).succeeded().json();
    // The same head with its rows in another order, named so.
    let config = room.read("trained/config.json");
    let swapped = config
        .replace("\"0\": \"entailment\"", "\"0\": \"x\"")
        .replace("\"2\": \"contradiction\"", "\"2\": \"ENTAILMENT\"")
        .replace("\"0\": \"x\"", "\"0\": \"Contradiction\"")
        .replace("\"entailment\": 0", "\"ENTAILMENT\": 2")
        .replace("\"contradiction\": 2", "\"Contradiction\": 0");
    assert_ne!(config, swapped);
    room.write("trained/config.json", &swapped);
    super::support::rewrite(&room.path("trained/model.safetensors"), |name, data| {
        let row = match name {
            "classifier.weight" => data.len() / 3,
            "classifier.bias" => 4,
            _ => return Some(data),
        };
        let rows: Vec<&[u8]> = data.chunks(row).collect();
        Some([rows[2], rows[1], rows[0]].concat())
    });
    let found = room.bert(line).succeeded().json();
    assert_eq!(found["accuracy"], expected["accuracy"]);
    assert_eq!(
        found["labels"]["ENTAILMENT"],
        expected["labels"]["entailment"]
    );
    assert_eq!(found["labels"]["neutral"], expected["labels"]["neutral"]);

    let further = TRAIN
        .replace("--model base", "--model trained")
        .replace("--output trained", "--output further");
    let run = room.bert(&format!("{further} --max-steps 1")).succeeded();
    assert!(
        run.stderr.contains("head    from the checkpoint"),
        "{}",
        run.stderr
    );

    let half = swapped
        .replace("\"ENTAILMENT\": 2", "\"ENTAILMENT\": 1")
        .replace("\"neutral\": 1", "\"neutral\": 2");
    room.write("trained/config.json", half);
    room.bert(line).failed(
        1,
        &["trained", "`label2id` and `id2label` contradict each other"],
    );
}

#[test]
fn rows_without_agreement_are_left_out_and_said_so() {
    let room = Room::new();
    let row = |label: &str| {
        format!(
            "{{\"gold_label\": \"{label}\", \"sentence1\": \"a good film\", \"sentence2\": \"the film\"}}\n"
        )
    };
    let rows = [
        row("-"),
        row("neutral"),
        row("entailment"),
        row("contradiction"),
        row("-"),
    ];
    room.write("snli.jsonl", rows.concat());
    let line = "train natural-language-inference --model base --train snli.jsonl --output trained --max-steps 1";
    let run = room.bert(line).succeeded();
    assert!(
        run.stderr.contains("snli.jsonl: 2 rows left out"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("snli.jsonl: 3 rows;"), "{}", run.stderr);
    assert!(
        run.stderr.contains("warning snli.jsonl: seen once"),
        "{}",
        run.stderr
    );
    room.write("snli.jsonl", row("-"));
    room.bert(&line.replace("trained", "other"))
        .failed(1, &["snli.jsonl", "the label of every row is \"-\""]);
}

#[test]
fn two_way_data_trains_a_two_way_model() {
    let room = trained();
    let rte = "index\tsentence1\tsentence2\tlabel\n0\ta film\tthe film\tentailment\n1\ta film\tthe cast\tnot_entailment\n";
    room.write("rte.tsv", rte);
    let line =
        "train natural-language-inference --model base --train rte.tsv --output rte --max-steps 1";
    let run = room.bert(line).succeeded();
    assert!(
        run.stderr.contains("head    new, 2 outputs"),
        "{}",
        run.stderr
    );
    let label2id = &serde_json::from_str::<serde_json::Value>(&room.read("rte/config.json"))
        .unwrap()["label2id"];
    assert_eq!(label2id["entailment"], 0);
    assert_eq!(label2id["not_entailment"], 1);
    // Three-way data has an answer in a two-way model, but not the other way round.
    let metrics = room
        .bert("evaluate natural-language-inference --model rte --data pairs.txt")
        .succeeded()
        .json();
    assert_eq!(metrics["labels"]["not_entailment"]["support"], 20);
    room.bert("evaluate natural-language-inference --model trained --data rte.tsv")
        .failed(1, &["rte.tsv", "two-way", "three-way"]);
}

#[test]
fn labels_of_another_task_are_named() {
    let room = trained();
    let before = room.entries();
    room.write("other.tsv", "good\tfilm\tgood\nbad\tfilm\tneutral\n");
    let line = TRAIN
        .replace("pairs.txt --train-filter set=TRAIN", "other.tsv")
        .replace("trained", "other");
    room.bert(&line)
        .failed(1, &["other.tsv, line 1", "\"good\"", "entailment, neutral"]);
    room.bert("train natural-language-inference --model base --train train.tsv --output other")
        .failed(1, &["train.tsv", "line 1", "no hypothesis"]);
    room.bert(&line.replace("other.tsv", "pairs.txt --train-filter set=TRAINING"))
        .failed(1, &["pairs.txt", "no row has set=TRAINING", "TRAIN, TRIAL"]);
    room.bert(&line.replace("other.tsv", "pairs.txt --train-filter TRAIN"))
        .failed(2, &["--train-filter", "COLUMN=VALUE"]);
    room.train_into("sentiment");
    room.bert("evaluate natural-language-inference --model sentiment --data pairs.txt")
        .failed(
            1,
            &["sentiment", "\"bad\" is none of entailment", "id2label"],
        );
    let mut expected = before;
    expected.extend(["other.tsv".to_owned(), "sentiment".to_owned()]);
    expected.sort();
    assert_eq!(room.entries(), expected);
}

#[test]
fn zero_shot_gives_the_record_of_the_pipeline() {
    let room = trained();
    let line = "predict zero-shot --model trained --input - --labels good,bad,dull";
    let input = "a very good film\n{\"sequence\": \"this is slow\"}\n";
    let lines = room
        .bert_with(line, &[], input.as_bytes())
        .succeeded()
        .json_lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["sequence"], "this is slow");
    for line in &lines {
        let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["sequence", "labels", "scores"]);
        let scores: Vec<f64> = line["scores"]
            .as_array()
            .unwrap()
            .iter()
            .map(|score| score.as_f64().unwrap())
            .collect();
        assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        assert!(
            scores.is_sorted_by(|left, right| left >= right),
            "{scores:?}"
        );
    }
    let template = [
        "--template",
        "the film is {} !",
        "--multi-label",
        "--logits",
    ];
    let run = room
        .bert_with(line, &template, b"a very good film\n")
        .succeeded();
    let answer = &run.json_lines()[0];
    for (score, logits) in answer["scores"]
        .as_array()
        .unwrap()
        .iter()
        .zip(answer["logits"].as_array().unwrap())
    {
        let logit = |id: usize| logits[id].as_f64().unwrap();
        let expected = 1.0 / (1.0 + (logit(2) - logit(0)).exp());
        assert!(
            (score.as_f64().unwrap() - expected).abs() < 1e-6,
            "{answer}"
        );
    }
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn zero_shot_refuses_what_it_cannot_ask() {
    let room = trained();
    let line = "predict zero-shot --model trained --input eval.tsv --text-column 0";
    room.bert(line).failed(2, &["--labels"]);
    room.bert(&format!("{line} --labels ,"))
        .failed(2, &["--labels names no label"]);
    room.bert(&format!("{line} --labels good --template nothing"))
        .failed(2, &["--template", "one `{}`"]);
    room.bert(&format!("{line} --labels good --max-length 8"))
        .failed(1, &["This example is good", "no room"]);
    room.train_into("sentiment");
    let run = room.bert(&line.replace("trained", "sentiment")).code;
    assert_eq!(run, Some(2), "labels are asked for first");
    let run = room
        .bert(&format!(
            "{} --labels a,b",
            line.replace("trained", "sentiment")
        ))
        .succeeded();
    assert!(
        run.stderr
            .contains("no label's name starts with \"entail\""),
        "{}",
        run.stderr
    );
}
