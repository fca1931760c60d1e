//! `bert train | evaluate | predict question-answering`.

use serde_json::{Value, json};

use super::support::{Room, json_lines};

const TRAIN: &str = "train question-answering --model base --train squad.json --output trained --batch-size 4 --lr 1e-3 --stride 4";
const PREDICT: &str = "predict question-answering --model trained --input -";

/// A file of two articles with `questions` questions each; every third one has no answer where `version_2`.
fn squad(questions: usize, version_2: bool) -> String {
    let context = "🎬 é the film was good , the plot was dull and slow . ".repeat(3);
    let question = |article: usize, index: usize| {
        let answers = match (version_2 && index % 3 == 2, index % 2) {
            (true, _) => json!([]),
            (false, 0) => json!([{"text": "the film", "answer_start": 4}]),
            (false, _) => {
                json!([{"text": "the plot was", "answer_start": 24}, {"text": "plot", "answer_start": 28}])
            }
        };
        json!({"id": format!("{article}-{index}"), "question": format!(" was it{} good ?", " very".repeat(index)), "answers": answers})
    };
    let article = |article: usize| {
        let qas: Vec<Value> = (0..questions)
            .map(|index| question(article, index))
            .collect();
        json!({"title": format!("article {article}"), "paragraphs": [{"context": context, "qas": qas}]})
    };
    json!({"version": "x", "data": [article(0), article(1)]}).to_string()
}

/// Has `squad.json`, and a model trained on its first article.
fn trained(version_2: bool) -> (Room, Value) {
    let room = Room::new();
    room.write("squad.json", squad(6, version_2));
    let run = room
        .bert(&format!(
            "{TRAIN} --train-articles ..1 --eval squad.json --eval-articles 1.. --epochs 2"
        ))
        .succeeded();
    for words in [
        "squad.json: 6 questions",
        "of 1 article",
        "windows",
        "head    new",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    let best = run.json()["best"].clone();
    (room, best)
}

fn question(question: &str, context: impl Into<Value>) -> String {
    json!({"question": question, "context": context.into()}).to_string() + "\n"
}

/// The characters of a text from `start` to `end` of a record.
fn slice(context: &str, record: &Value) -> String {
    let place = |key: &str| record[key].as_u64().unwrap() as usize;
    let characters = context.chars().skip(place("start"));
    characters.take(place("end") - place("start")).collect()
}

#[test]
fn training_and_evaluation_agree_and_every_file_has_every_question() {
    let (room, best) = trained(false);
    let line = "evaluate question-answering --model trained --data squad.json --articles 1.. --stride 4 --predictions p.json --nbest n.json --batch-size 3";
    let metrics = room.bert(line).succeeded().json();
    for key in ["exact_match", "f1", "total"] {
        assert_eq!(metrics[key], best[key], "{key}");
    }
    let loss = |metrics: &Value| metrics["loss"].as_f64().unwrap();
    assert!((loss(&metrics) - loss(&best)).abs() < 1e-5);
    let predictions: Value = serde_json::from_str(&room.read("p.json")).unwrap();
    let nbest: Value = serde_json::from_str(&room.read("n.json")).unwrap();
    assert_eq!(predictions.as_object().unwrap().len(), 6);
    for (id, answer) in predictions.as_object().unwrap() {
        assert!(id.starts_with("1-"));
        assert_eq!(nbest[id][0]["text"], *answer);
        assert!(nbest[id].as_array().unwrap().len() <= 20);
        for key in ["start_logit", "end_logit", "text", "probability"] {
            assert!(!nbest[id][0][key].is_null(), "{key}");
        }
    }
    let limited = room.bert(&format!("{line} --limit 2")).succeeded().json();
    assert_eq!(limited["total"], 2);
}

#[test]
fn version_2_is_told_by_the_data_and_its_threshold_can_be_tuned() {
    let (room, best) = trained(true);
    for key in [
        "exact",
        "f1",
        "HasAns_f1",
        "NoAns_exact",
        "best_f1_thresh",
        "null_threshold",
    ] {
        assert!(best[key].is_number(), "no {key} in {best}");
    }
    let line = "evaluate question-answering --model trained --data squad.json --stride 4 --predictions p.json --null-odds o.json";
    let tuned = room
        .bert(&format!("{line} --tune-null-threshold"))
        .succeeded()
        .json();
    assert_eq!(tuned["null_threshold"], tuned["best_f1_thresh"]);
    assert!((tuned["f1"].as_f64().unwrap() - tuned["best_f1"].as_f64().unwrap()).abs() < 1e-9);
    let read = |name: &str| -> Value { serde_json::from_str(&room.read(name)).unwrap() };
    assert_eq!(read("o.json").as_object().unwrap().len(), 12);

    // At a threshold below every difference nothing is answered, far above all of them everything is.
    room.bert(&format!("{line} --null-threshold -1000"))
        .succeeded();
    assert!(
        read("p.json")
            .as_object()
            .unwrap()
            .values()
            .all(|answer| answer == "")
    );
    let all = room
        .bert(&format!("{line} --null-threshold 1000"))
        .succeeded()
        .json();
    assert!(
        read("p.json")
            .as_object()
            .unwrap()
            .values()
            .all(|answer| answer != "")
    );
    assert_eq!(all["NoAns_exact"], 0.0);
}

#[test]
fn answers_are_pieces_of_their_context_by_characters() {
    let (room, _) = trained(false);
    let context = "🎬🎬 e\u{301}te\u{301} the film was good . ".repeat(8);
    let input = question("was it good ?", context.as_str())
        + &question("was it good ?", json!(["dull", context, "the plot"]));
    let run = room
        .bert_with(
            &format!("{PREDICT} --top-k 3 --logits"),
            &[],
            input.as_bytes(),
        )
        .succeeded();
    let lines = run.json_lines();
    let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "answer",
            "score",
            "start",
            "end",
            "answers",
            "start_logits",
            "end_logits"
        ]
    );
    let answers = lines[0]["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["answer"], lines[0]["answer"]);
    for record in answers {
        assert_eq!(record["answer"], slice(&context, record));
    }
    let windows = lines[0]["start_logits"].as_array().unwrap();
    assert!(windows.len() > 1);
    assert_eq!(windows[0].as_array().unwrap().len(), 40);
    let contexts = ["dull", &context, "the plot"];
    for record in lines[1]["answers"].as_array().unwrap() {
        let context = contexts[record["context"].as_u64().unwrap() as usize];
        assert_eq!(record["answer"], slice(context, record));
    }
}

#[test]
fn no_context_has_no_answer() {
    let (room, _) = trained(false);
    let input = question("was it good ?", "") + &question("was it good ?", json!([]));
    let plain = room
        .bert_with(PREDICT, &[], input.as_bytes())
        .succeeded()
        .json_lines();
    assert_eq!(
        plain[0],
        json!({"answer": "", "score": 0.0, "start": 0, "end": 0})
    );
    assert_eq!(plain[1]["answer"], "");
    assert_eq!(plain[1]["context"], Value::Null);
    let with_null = room
        .bert_with(
            &format!("{PREDICT} --null-threshold 0"),
            &[],
            input.as_bytes(),
        )
        .succeeded()
        .json_lines();
    assert_eq!(
        with_null[0],
        json!({"answer": "", "score": 1.0, "start": 0, "end": 0})
    );
}

#[test]
fn a_question_longer_than_the_window_is_named_after_what_came_before_it_is_answered() {
    let (room, _) = trained(false);
    let long = "film ".repeat(50);
    let input = question("was it good ?", "a film") + &question(&long, "a film");
    let run = room.bert_with(PREDICT, &[], input.as_bytes());
    assert_eq!(run.code, Some(1));
    assert_eq!(run.json_lines().len(), 1);
    assert!(run.stderr.contains("takes 50 tokens"), "{}", run.stderr);

    room.write(
        "squad.json",
        squad(2, false).replacen("was it good ?", &long, 1),
    );
    let line = "evaluate question-answering --model trained --data squad.json";
    room.bert(line)
        .failed(1, &["squad.json", "\"0-0\"", "shorten the question"]);
}

#[test]
fn answers_that_occur_nowhere_are_counted_and_not_learned() {
    let room = Room::new();
    let some = squad(2, false).replacen("the film\"", "the cast\"", 1);
    room.write("squad.json", &some);
    let run = room
        .bert(&format!("{TRAIN} --max-steps 1 --eval squad.json"))
        .succeeded();
    for words in ["answer of 1 question is not where", "\"0-0\""] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    room.write(
        "squad.json",
        squad(1, false).replace("the film\"", "the cast\""),
    );
    room.bert(&format!("{TRAIN} --max-steps 1 --overwrite"))
        .failed(
            1,
            &["squad.json", "none of the 2 questions", "answer_start"],
        );
}

#[test]
fn a_file_that_is_not_squads_is_refused_before_anything_is_written() {
    let room = Room::new();
    let before = room.entries().len() + 1;
    let cases = [
        ("{\"data\": [", "not SQuAD's JSON"),
        ("{\"data\": [{\"title\": \"t\"}]}", "article \"t\""),
        ("{\"data\": []}", "holds no questions"),
    ];
    for (content, words) in cases {
        room.write("squad.json", content);
        room.bert(TRAIN).failed(1, &["squad.json", words]);
    }
    room.write("squad.json", squad(2, false));
    room.bert(&format!("{TRAIN} --train-articles 1..3"))
        .failed(1, &["squad.json", "no articles 1..3", "has 2"]);
    room.bert(&format!("{TRAIN} --train-articles 2..1"))
        .failed(2, &["no article is in 2..1"]);
    room.bert(&format!("{TRAIN} --eval-articles 0..1"))
        .failed(2, &["--eval"]);
    room.bert(&TRAIN.replace("--stride 4", "--stride 40"))
        .failed(1, &["overlap by 40", "lower the overlap"]);
    assert_eq!(room.entries().len(), before);
}

#[test]
fn a_model_of_another_task_is_refused() {
    let room = Room::new();
    room.train();
    room.bert_with(PREDICT, &[], b"")
        .failed(1, &["trained", "qa_outputs.weight"]);
    let (room, _) = trained(false);
    let line = "predict text-classification --model trained --input -";
    room.bert(line).failed(1, &["trained", "classifier.weight"]);
    let line = "evaluate question-answering --model trained --data squad.json --null-odds o.json";
    room.bert(line)
        .failed(2, &["every question has an answer", "--version-2"]);
}

#[test]
fn a_trained_head_is_kept_when_training_goes_on() {
    let (room, _) = trained(false);
    let line = TRAIN
        .replace("base", "trained")
        .replace("--output trained", "--output further");
    let run = room.bert(&format!("{line} --max-steps 1")).succeeded();
    assert!(
        run.stderr.contains("head    from the checkpoint"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("new:"), "{}", run.stderr);
    let log = json_lines(&room.read("further/training.jsonl"));
    assert!(log.iter().any(|line| line["event"] == "step"));
}

#[test]
fn every_default_of_question_answering_has_its_reason_in_the_help() {
    for command in ["train", "evaluate", "predict"] {
        let help = Room::new()
            .bert(&format!("{command} question-answering --help"))
            .succeeded();
        for option in help
            .stdout
            .split("\n\n")
            .filter(|text| text.contains("[default:"))
        {
            assert!(
                option.contains(':') && option.contains(';'),
                "no reason: {option}"
            );
        }
    }
}
