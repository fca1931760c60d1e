//! `--long-text`: what is read of a text that is longer than the model's sequence.

use serde_json::{Value, json};

use super::support::{Room, TRAIN, json_lines};

/// Texts of one to nine short sentences; which of the two words stands in the last one is the label.
fn documents(count: usize) -> String {
    let row = |index: usize| {
        let filler = "the film is warm and quite slow . ".repeat(index % 9);
        let label = ["good", "bad"][index % 2];
        format!("{filler}it was very {label}\t{label}\n")
    };
    (0..count).map(row).collect()
}

fn room() -> Room {
    let room = Room::new();
    room.write("long.tsv", documents(36));
    room
}

fn train(options: &str) -> String {
    let line = TRAIN.replace("train.tsv", "long.tsv --eval long.tsv");
    format!("{line} --max-length 16 {options}")
}

fn config(room: &Room) -> Value {
    serde_json::from_str(&room.read("trained/config.json")).unwrap()
}

#[test]
fn windows_learn_what_truncation_cannot_see() {
    let room = room();
    let accuracy = |options: &str| {
        let run = room
            .bert(&format!("{} --overwrite --epochs 12", train(options)))
            .succeeded();
        let accuracy = run.json()["best"]["accuracy"].as_f64().unwrap();
        (accuracy, run.stderr)
    };
    let (cut, stderr) = accuracy("");
    assert!(stderr.contains("rows cut at 16 tokens"), "{stderr}");
    assert!(!config(&room).as_object().unwrap().contains_key("long_text"));
    let (ends, stderr) = accuracy("--long-text head-tail");
    assert!(stderr.contains("rows cut at 16 tokens"), "{stderr}");
    assert_eq!(
        config(&room)["long_text"],
        json!({"strategy": "head_tail", "max_length": 16})
    );
    let (windows, stderr) = accuracy("--long-text windows --window-pool max");
    assert!(stderr.contains("of them longer than a window"), "{stderr}");
    assert!(!stderr.contains("cut at"), "{stderr}");
    assert_eq!(
        config(&room)["long_text"],
        json!({"strategy": "windows", "stride": 4, "pool": "max", "max_length": 16})
    );
    assert!(
        ends > 0.95 && windows > 0.95 && cut < 0.8,
        "truncate {cut}, head-tail {ends}, windows {windows}"
    );
}

#[test]
fn a_model_is_evaluated_and_asked_as_it_was_trained() {
    let room = room();
    let trained = room
        .bert(&train("--epochs 2 --long-text windows --stride 3"))
        .succeeded()
        .json();
    let line =
        "evaluate text-classification --model trained --data long.tsv --predictions rows.jsonl";
    let run = room.bert(line).succeeded();
    assert!(
        run.stderr.contains("reads a long text in windows (mean"),
        "{}",
        run.stderr
    );
    let loss = |metrics: &Value| metrics["loss"].as_f64().unwrap();
    assert!((loss(&run.json()) - loss(&trained["best"])).abs() < 1e-5);

    let texts: Vec<String> = documents(9)
        .lines()
        .map(|row| row.split('\t').next().unwrap().to_owned())
        .collect();
    let ask = |options: &str| {
        let line =
            format!("predict text-classification --model trained --input - --logits {options}");
        let input = texts.join("\n");
        room.bert_with(&line, &[], input.as_bytes())
            .succeeded()
            .json_lines()
    };
    let evaluated = json_lines(&room.read("rows.jsonl"));
    for (predicted, evaluated) in ask("").iter().zip(&evaluated) {
        assert_eq!(predicted["label"], evaluated["label"]);
        assert_eq!(predicted["windows"], evaluated["windows"]);
    }
    // Fourteen tokens a window, three of them shared: 8 · 8 + 4 tokens take six.
    assert_eq!(ask("")[8]["windows"], 6);
    assert_eq!(ask("")[0].get("windows"), None);
    assert_eq!(ask("--long-text windows --stride 0")[8]["windows"], 5);
    assert_eq!(ask("--long-text truncate")[8].get("windows"), None);
    assert_ne!(
        ask("--long-text truncate")[8]["logits"],
        ask("")[8]["logits"]
    );
    assert_eq!(
        ask("--long-text truncate")[0]["logits"],
        ask("")[0]["logits"]
    );
    // A second head reads as it was trained to.
    room.bert(
        &train("--tune head --max-steps 1 --long-text windows --stride 3")
            .replace("--output trained", "--output windows"),
    )
    .succeeded();
    room.bert(&train("--tune head --max-steps 1").replace("--output trained", "--output cut"))
        .succeeded();
    let input = texts.join("\n");
    let both = |first: &str, second: &str| {
        let line = format!(
            "predict text-classification --model {first} --head {second} --input - --logits --max-length 16"
        );
        room.bert_with(&line, &[], input.as_bytes())
            .succeeded()
            .json_lines()
    };
    for (one, other) in both("windows", "cut").iter().zip(&both("cut", "windows")) {
        assert_eq!(one["logits"], other["heads"]["windows"]["logits"]);
        assert_eq!(one["windows"], other["heads"]["windows"]["windows"]);
        assert_eq!(one["heads"]["cut"]["logits"], other["logits"]);
    }
}

#[test]
fn a_feature_cache_keeps_windows_and_a_resumed_run_ends_the_same() {
    let room = room();
    let weights =
        |output: &str| std::fs::read(room.path(output).join("model.safetensors")).unwrap();
    let options = "--long-text windows --epochs 3 --tune last:1 --dropout 0.1 --threads 1";
    for cache in ["off", "f32"] {
        let line = train(&format!(
            "{options} --feature-cache {cache} --keep best,last:1"
        ));
        room.bert(&line.replace("--output trained", &format!("--output {cache}")))
            .succeeded();
    }
    assert!(weights("off") == weights("f32"));
    let line = train(&format!("{options} --feature-cache off --keep best,last:1"));
    let line = line.replace("--output trained", "--output off");
    room.bert(&format!("{line} --resume --window-pool max"))
        .failed(1, &["--window-pool was not given, is max"]);
}

#[test]
fn premises_are_read_in_windows_and_hypotheses_whole() {
    let room = room();
    let row = |index: usize| {
        let (word, label) = [
            ("good", "entailment"),
            ("bad", "contradiction"),
            ("dull", "neutral"),
        ][index % 3];
        let filler = "the film is warm . ".repeat(index % 7);
        format!("{filler}it was {word}\tit is good\t{label}\n")
    };
    let rows: String = (0..30).map(row).collect();
    room.write("pairs.tsv", rows);
    let line = "train natural-language-inference --model base --train pairs.tsv --eval pairs.tsv --output nli --epochs 1 \
                --max-length 16 --long-text windows --stride 2 --window-pool max";
    let run = room.bert(line).succeeded();
    assert!(
        run.stderr.contains("longer than a window"),
        "{}",
        run.stderr
    );
    let metrics = room
        .bert("evaluate natural-language-inference --model nli --data pairs.tsv")
        .succeeded()
        .json();
    assert_eq!(metrics["accuracy"], run.json()["best"]["accuracy"]);
    let premise = "the film is warm . ".repeat(6);
    let input = json!({"premise": premise, "hypothesis": "it is good"}).to_string();
    let answers = room
        .bert_with(
            "predict natural-language-inference --model nli --input -",
            &[],
            input.as_bytes(),
        )
        .succeeded()
        .json_lines();
    // 30 tokens, ten a window, two of them shared.
    assert_eq!(answers[0]["windows"], 4);
    let scores = room
        .bert_with(
            "predict zero-shot --model nli --labels good,dull --input -",
            &[],
            premise.as_bytes(),
        )
        .succeeded();
    assert_eq!(
        scores.json_lines()[0]["labels"].as_array().unwrap().len(),
        2
    );
    assert!(!scores.stderr.contains("cut at"), "{}", scores.stderr);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_read() {
    let room = room();
    for flag in [
        "--stride 3",
        "--window-pool max",
        "--long-text head-tail --stride 3",
    ] {
        let word = flag
            .split(' ')
            .find(|word| *word != "--long-text" && word.starts_with("--"));
        room.bert(&train(flag))
            .failed(2, &[word.unwrap(), "--long-text windows"]);
    }
    room.bert(&train("--long-text windows --stride 14"))
        .failed(1, &["14 tokens for the text", "lower the stride"]);
    room.bert(&train("--max-steps 1")).succeeded();
    let config = room.read("trained/config.json");
    let broken = config.replacen('{', r#"{"long_text": {"strategy": "summary"},"#, 1);
    room.write("trained/config.json", broken);
    room.bert("evaluate text-classification --model trained --data long.tsv")
        .failed(1, &["config.json", "`long_text`", "summary", "windows"]);
}
