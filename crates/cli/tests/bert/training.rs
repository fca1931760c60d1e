//! `bert train text-classification` when all is well.

use serde_json::Value;

use super::support::{Room, TRAIN, json_lines, names_in, rows};

fn losses(room: &Room, output: &str) -> Vec<Value> {
    let log = json_lines(&room.read(&format!("{output}/training.jsonl")));
    let steps = log.into_iter().filter(|line| line["event"] == "step");
    steps.map(|line| line["loss"].clone()).collect()
}

#[test]
fn a_run_prints_its_results_alone_on_standard_output_and_leaves_a_checkpoint_and_a_log() {
    let room = Room::new();
    room.write("test.tsv", rows(6));
    let run = room
        .bert(&format!(
            "{TRAIN} --eval eval.tsv --test test.tsv --epochs 2"
        ))
        .succeeded();
    let results = run.json();
    let keys: Vec<&String> = results.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "best",
            "test",
            "output",
            "train_seconds",
            "tokens_per_second"
        ]
    );
    assert!(results["best"]["accuracy"].is_number());
    assert!(results["test"]["accuracy"].is_number());
    assert_eq!(results["output"], "trained");
    assert!(results["tokens_per_second"].as_f64().unwrap() > 0.0);
    for words in [
        "device",
        "train.tsv: 24 rows",
        "bad 8",
        "good 16",
        "head    new",
        "eval    step",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    let files = names_in(&room.path("trained"));
    for file in [
        "config.json",
        "model.safetensors",
        "training.jsonl",
        "vocab.txt",
    ] {
        assert!(files.iter().any(|name| name == file), "{files:?}");
    }
    assert_eq!(losses(&room, "trained").len(), 6);
}

#[test]
fn training_evaluation_and_prediction_agree() {
    let room = Room::new();
    let trained = room
        .bert(&format!("{TRAIN} --eval eval.tsv --epochs 4"))
        .succeeded()
        .json();
    let line = "evaluate text-classification --model trained --data eval.tsv --predictions rows.jsonl --batch-size 3";
    let metrics = room.bert(line).succeeded().json();
    assert_eq!(metrics["accuracy"], trained["best"]["accuracy"]);
    let loss = |metrics: &Value| metrics["loss"].as_f64().unwrap();
    assert!((loss(&metrics) - loss(&trained["best"])).abs() < 1e-5);

    let evaluated = json_lines(&room.read("rows.jsonl"));
    let texts: Vec<String> = rows(8)
        .lines()
        .map(|row| row.split('\t').next().unwrap().to_owned())
        .collect();
    room.write("texts.txt", texts.join("\n"));
    let predicted = room
        .bert("predict text-classification --model trained --input texts.txt --logits")
        .succeeded()
        .json_lines();
    assert_eq!(evaluated.len(), 8);
    let right = evaluated
        .iter()
        .filter(|row| row["label"] == row["reference"])
        .count();
    assert_eq!(metrics["accuracy"].as_f64().unwrap(), right as f64 / 8.0);
    for (one, other) in evaluated.iter().zip(&predicted) {
        assert_eq!(one["label"], other["label"]);
        for id in 0..2 {
            let difference =
                one["logits"][id].as_f64().unwrap() - other["logits"][id].as_f64().unwrap();
            assert!(difference.abs() < 1e-5, "{one} {other}");
        }
    }
}

#[test]
fn equal_seeds_give_equal_losses_and_others_do_not() {
    let room = Room::new();
    for (output, seed) in [("first", 7), ("second", 7), ("third", 8)] {
        let line = format!("{TRAIN} --epochs 1 --dropout 0.1 --output {output} --seed {seed}");
        room.bert(&line.replacen("--output trained", "", 1))
            .succeeded();
    }
    assert_eq!(losses(&room, "first"), losses(&room, "second"));
    assert_ne!(losses(&room, "first"), losses(&room, "third"));
}

#[test]
fn a_configuration_file_sets_what_the_command_line_leaves_open() {
    let room = Room::new();
    let toml = "model = \"base\"\ntrain = \"train.tsv\"\nbatch-size = 4\nlr = 1e-3\nmax-steps = 2\ntune = \"head\"\noverwrite = false\n";
    room.write("run.toml", toml);
    let line =
        "train text-classification --config run.toml --output trained --max-steps 3 --threads 1";
    room.bert(line).succeeded();
    let log = json_lines(&room.read("trained/training.jsonl"));
    let options = &log[0]["options"];
    assert_eq!(options["batch_size"], 4);
    assert_eq!(options["learning_rate"], 1e-3);
    assert_eq!(options["tune"], "head");
    assert_eq!(options["max_steps"], 3, "the command line wins");
    assert_eq!(
        options["weight_decay"], 0.01,
        "what neither says is the default"
    );
    assert_eq!(losses(&room, "trained").len(), 3);
}

#[test]
fn pairs_several_classes_and_numbers_train_too() {
    let room = Room::new();
    let pairs: String = (0..6)
        .map(|row| format!("a good film\tthe cast\t{}\n", row % 2))
        .collect();
    let lists =
        "{\"text\": \"good\", \"labels\": [\"a\", \"b\"]}\n{\"text\": \"bad\", \"labels\": []}\n"
            .repeat(3);
    let numbers: String = (0..6).map(|row| format!("good film\t{row}.5\n")).collect();
    let cases = [
        ("pairs.tsv", pairs.as_str(), "accuracy"),
        ("lists.jsonl", lists.as_str(), "f1_micro"),
        ("numbers.tsv", numbers.as_str(), "pearson"),
    ];
    for (file, content, metric) in cases {
        room.write(file, content);
        let line = format!(
            "train text-classification --model base --train {file} --eval {file} --epochs 1 --output {metric}"
        );
        let results = room.bert(&line).succeeded().json();
        assert!(results["best"].get(metric).is_some(), "{results}");
        let line = format!(
            "evaluate text-classification --model {metric} --data {file} --predictions rows.jsonl"
        );
        room.bert(&line).succeeded();
        let row = &json_lines(&room.read("rows.jsonl"))[0];
        assert_eq!(row["labels"].is_array(), metric == "f1_micro", "{row}");
        assert!(!row["reference"].is_null(), "{row}");
    }
}

#[test]
fn a_full_output_directory_is_only_replaced_on_request() {
    let room = Room::new();
    room.train();
    let before = room.read("trained/training.jsonl");
    room.bert(TRAIN).failed(1, &["trained", "with files in it"]);
    assert_eq!(room.read("trained/training.jsonl"), before);
    room.bert(&format!("{TRAIN} --max-steps 1 --overwrite"))
        .succeeded();
    assert_eq!(losses(&room, "trained").len(), 1);
}

#[test]
fn more_threads_than_cores_do_no_harm() {
    Room::new()
        .bert(&format!("{TRAIN} --max-steps 1 --threads 100000"))
        .succeeded();
}

#[test]
fn a_text_of_a_hundred_thousand_words_is_cut() {
    let room = Room::new();
    let long = "very good ".repeat(50_000);
    room.write("long.tsv", format!("{long}\tgood\nbad\tbad\n"));
    let line = TRAIN.replace("train.tsv", "long.tsv");
    let run = room.bert(&format!("{line} --max-steps 1")).succeeded();
    assert!(
        run.stderr.contains("1 row cut at 40 tokens"),
        "{}",
        run.stderr
    );
    let predict = |flags: &str| {
        let line = format!("predict text-classification --model trained --input - {flags}");
        room.bert_with(&line, &[], long.as_bytes()).succeeded()
    };
    let beyond = "the model takes 40 tokens at most, not the 41 of --max-length";
    for (flags, says_so) in [
        ("", false),
        ("--max-length 40", false),
        ("--max-length 41", true),
    ] {
        let run = predict(flags);
        assert_eq!(run.json_lines().len(), 1);
        assert!(
            run.stderr.contains("1 of 1 input cut at 40 tokens"),
            "{}",
            run.stderr
        );
        assert_eq!(run.stderr.contains(beyond), says_so, "{}", run.stderr);
    }
}

#[test]
fn a_trained_head_is_kept_when_training_goes_on_with_the_same_labels() {
    let room = Room::new();
    room.train();
    let further = TRAIN
        .replace("--model base", "--model trained")
        .replace("--output trained", "--output further");
    let run = room.bert(&format!("{further} --max-steps 1")).succeeded();
    assert!(
        run.stderr.contains("head    from the checkpoint"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("new:"), "{}", run.stderr);
    room.write("other.tsv", "good\tyes\nbad\tno\n");
    let other = further
        .replace("train.tsv", "other.tsv")
        .replace("--output further", "--output other");
    let run = room.bert(&format!("{other} --max-steps 1")).succeeded();
    assert!(run.stderr.contains("head    new"), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("replaced: classifier.weight, classifier.bias"),
        "{}",
        run.stderr
    );
}
