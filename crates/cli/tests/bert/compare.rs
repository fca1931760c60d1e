//! `bert compare`: two models, or two files of predictions, on the same data.

use super::support::{Room, TRAIN, fixed_inputs};

/// A record a row; the label is right where `right` says so.
fn rows(right: impl Fn(usize) -> bool) -> String {
    let record = |row: usize| {
        let label = if right(row) { "good" } else { "bad" };
        format!(
            "{{\"label\":\"{label}\",\"score\":0.9,\"reference\":\"good\",\"logits\":[0.1,0.2]}}\n"
        )
    };
    (0..60).map(record).collect()
}

#[test]
fn classes_have_the_test_of_mcnemar_and_an_interval_that_repeats() {
    let room = Room::new();
    room.write("one.jsonl", rows(|row| row >= 4));
    room.write("two.jsonl", rows(|row| row < 40));
    let run = room.bert("compare one.jsonl two.jsonl").succeeded();
    let found = run.json();
    assert_eq!(found["figure"], "accuracy");
    assert_eq!(found["mcnemar"]["only_first"], 20);
    assert_eq!(found["mcnemar"]["only_second"], 4);
    assert_eq!(found["mcnemar"]["method"], "exact");
    let p = found["mcnemar"]["p_value"].as_f64().unwrap();
    assert!((p - 0.001543879508972168).abs() < 1e-12, "{p}");
    let difference = found["difference"].as_f64().unwrap();
    assert!((difference - 16.0 / 60.0).abs() < 1e-12);
    let interval = &found["bootstrap"]["interval"];
    assert!(
        interval["low"].as_f64().unwrap() > 0.0 && interval["high"].as_f64().unwrap() > difference
    );
    assert!(found["bootstrap"]["p_value"].as_f64().unwrap() < 0.05);
    for words in ["one.jsonl", "accuracy", "0.9333", "+0.2667", "McNemar"] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    assert_eq!(
        room.bert("compare one.jsonl two.jsonl").succeeded().stdout,
        run.stdout
    );
    let same = room.bert("compare one.jsonl one.jsonl").succeeded().json();
    assert_eq!(same["difference"], 0.0);
    assert_eq!(same["mcnemar"]["p_value"], 1.0);
    assert_eq!(same["bootstrap"]["p_value"], 1.0);
}

#[test]
fn predictions_of_two_models_compare() {
    let room = Room::new();
    room.train();
    room.train_into("other");
    for model in ["trained", "other"] {
        let line = format!(
            "evaluate text-classification --model {model} --data eval.tsv --predictions {model}.jsonl"
        );
        room.bert(&line).succeeded();
    }
    let found = room
        .bert("compare trained.jsonl other.jsonl")
        .succeeded()
        .json();
    assert_eq!(found["units"], 8);
    assert_eq!(found["difference"], 0.0);
    // Models are the same as their predictions, and go together with them.
    let line =
        "evaluate text-classification --model trained --data train.tsv --predictions all.jsonl";
    room.bert(line).succeeded();
    room.bert(&TRAIN.replace("--output trained", "--output short --max-steps 1"))
        .succeeded();
    let of_models = room
        .bert("compare trained short --data train.tsv -- --batch-size 3 --device ndarray")
        .succeeded();
    assert!(
        of_models.stderr.contains("burn-ndarray"),
        "{}",
        of_models.stderr
    );
    let of_models = of_models.json();
    assert_eq!(of_models["units"], 24);
    let mixed = room
        .bert("compare all.jsonl short --data train.tsv")
        .succeeded()
        .json();
    assert_eq!(of_models, mixed);
}

#[test]
fn models_of_every_task_that_has_predictions_compare() {
    let room = Room::new();
    for (index, task) in fixed_inputs(&room).into_iter().enumerate() {
        let output = format!("model-{index}");
        room.bert(&format!(
            "train {task} --model base --max-steps 1 --output {output}"
        ))
        .succeeded();
        let words: Vec<&str> = task.split(' ').collect();
        let train = words.iter().position(|word| *word == "--train").unwrap();
        let line = format!("compare {output} {output} --data {}", words[train + 1]);
        let run = room.bert(&line);
        if words[0] == "next-sentence" {
            run.failed(
                1,
                &[
                    &output,
                    "BertForNextSentencePrediction",
                    "compared are models for",
                ],
            );
        } else {
            assert_eq!(run.succeeded().json()["difference"], 0.0, "{task}");
        }
    }
}

#[test]
fn sets_numbers_tags_and_answers_have_the_figures_of_their_tasks() {
    let room = Room::new();
    let sets = "{\"label\":\"a\",\"score\":1,\"labels\":[\"a\"],\"reference\":[\"a\",\"b\"]}\n\
                {\"label\":\"b\",\"score\":1,\"labels\":[\"b\"],\"reference\":[\"b\"]}\n";
    room.write("sets.jsonl", sets);
    let found = room
        .bert("compare sets.jsonl sets.jsonl")
        .succeeded()
        .json();
    assert_eq!(found["figure"], "f1_micro");
    assert_eq!(found["first"], 0.8);
    let numbers = "{\"label\":\"LABEL_0\",\"score\":1.5,\"reference\":2.0}\n{\"label\":\"LABEL_0\",\"score\":0.5,\"reference\":0.0}\n\
                   {\"label\":\"LABEL_0\",\"score\":0.75,\"reference\":1.0}\n";
    room.write("numbers.jsonl", numbers);
    let found = room
        .bert("compare numbers.jsonl numbers.jsonl")
        .succeeded()
        .json();
    assert_eq!(found["figure"], "pearson");
    assert!(found["mcnemar"].is_null());
    let tags = "{\"tokens\":[\"a\",\"b\"],\"labels\":[\"B-X\",\"O\"],\"predictions\":[\"B-X\",\"O\"]}\n\
                {\"tokens\":[\"c\"],\"labels\":[\"B-X\"],\"predictions\":[\"O\"]}\n";
    room.write("tags.jsonl", tags);
    let found = room
        .bert("compare tags.jsonl tags.jsonl")
        .succeeded()
        .json();
    assert_eq!(
        (&found["figure"], &found["unit"]),
        (&"f1".into(), &"sentence".into())
    );
    assert!((found["first"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    let squad = "{\"data\":[{\"title\":\"t\",\"paragraphs\":[{\"context\":\"a warm film\",\"qas\":[\
                 {\"id\":\"1\",\"question\":\"what ?\",\"answers\":[{\"text\":\"film\",\"answer_start\":7}]}]}]}]}";
    room.write("squad.json", squad);
    room.write("one.json", "{\"1\":\"film\"}");
    room.write("two.json", "{\"1\":\"warm film\"}");
    let found = room
        .bert("compare one.json two.json --data squad.json")
        .succeeded()
        .json();
    assert_eq!(
        (&found["first"], &found["unit"]),
        (&100.0.into(), &"question".into())
    );
    assert_eq!(found["mcnemar"]["only_first"], 1);
    room.bert("compare one.json two.json")
        .failed(1, &["one.json", "--data"]);
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let room = Room::new();
    room.write("one.jsonl", rows(|_| true));
    room.write("short.jsonl", rows(|_| true).lines().next().unwrap());
    room.write(
        "other.jsonl",
        rows(|_| true).replace("\"reference\":\"good\"", "\"reference\":\"bad\""),
    );
    room.write("none.jsonl", "{\"label\":\"good\",\"score\":0.9}\n");
    let cases: [(&str, i32, &[&str]); 9] = [
        (
            "one.jsonl short.jsonl",
            1,
            &["60 predictions", "short.jsonl has 1"],
        ),
        (
            "one.jsonl other.jsonl",
            1,
            &["other.jsonl, line 1", "another"],
        ),
        (
            "one.jsonl none.jsonl",
            1,
            &["none.jsonl, line 1", "with its reference"],
        ),
        (
            "one.jsonl nowhere.jsonl",
            1,
            &["nowhere.jsonl", "no file of predictions", "--data"],
        ),
        (
            "one.jsonl base",
            1,
            &["base", "no file of predictions", "--data"],
        ),
        ("one.jsonl one.jsonl --data eval.tsv", 1, &["--data"]),
        (
            "one.jsonl base --data eval.tsv",
            1,
            &["base", "BertModel", "compared are models for"],
        ),
        ("one.jsonl one.jsonl -- --offline", 2, &["are for models"]),
        ("one.jsonl one.jsonl --bootstrap 3", 2, &["at least 100"]),
    ];
    for (files, code, words) in cases {
        room.bert(&format!("compare {files}")).failed(code, words);
    }
}
