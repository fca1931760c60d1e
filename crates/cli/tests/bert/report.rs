//! `bert report`, and what `bert train` leaves for it.

use serde_json::Value;

use super::support::{Room, TRAIN, json_lines, names_in};

fn trained(flags: &str) -> Room {
    let room = Room::new();
    room.bert(&format!("{TRAIN} {flags}")).succeeded();
    room
}

fn json(room: &Room, file: &str) -> Value {
    serde_json::from_str(&room.read(file)).unwrap()
}

#[test]
fn a_run_leaves_what_a_report_needs_and_the_page_has_it_all() {
    let room = trained("--eval eval.tsv --epochs 2");
    let run = json(&room, "trained/run.json");
    assert_eq!(run["task"], "text-classification");
    assert_eq!(run["data"][0]["examples"], 24);
    assert_eq!(run["data"][1]["files"][0], "eval.tsv");
    let evaluation = json(&room, "trained/evaluation.json");
    let counts = evaluation["confusion"].as_array().unwrap().iter();
    assert_eq!(
        counts
            .map(|one| one["count"].as_u64().unwrap())
            .sum::<u64>(),
        8
    );
    assert_eq!(evaluation["worst"].as_array().unwrap().len(), 8);
    assert!(
        evaluation["worst"][0]["place"]
            .as_str()
            .unwrap()
            .starts_with("eval.tsv, line ")
    );

    let written = room.bert("report trained").succeeded();
    assert_eq!(written.stdout.trim(), "trained/report.html");
    assert!(!written.stderr.contains("note"), "{}", written.stderr);
    let page = room.read("trained/report.html");
    for part in [
        "<h3>Loss</h3>",
        "Confusion matrix",
        "Reliability",
        "the plot was dull and slow",
    ] {
        assert!(page.contains(part), "no {part:?}");
    }
    let printed = room.bert("report trained --output -").succeeded();
    assert_eq!(printed.stdout.trim(), page.trim());
}

#[test]
fn the_evaluation_file_is_of_the_best_evaluation() {
    let room = trained("--eval eval.tsv --epochs 4");
    let evaluation = json(&room, "trained/evaluation.json");
    let log = json_lines(&room.read("trained/training.jsonl"));
    let best = log.iter().rfind(|line| line["best"] == true).unwrap();
    assert_eq!(evaluation["step"], best["step"]);
    assert_eq!(evaluation["metrics"], best["metrics"]);
}

#[test]
fn a_killed_run_is_shown_up_to_where_it_was_cut() {
    let room = trained("--epochs 1");
    let log = room.read("trained/training.jsonl");
    room.write("trained/training.jsonl", &log[..log.len() - 10]);
    std::fs::remove_file(room.path("trained/run.json")).unwrap();
    let run = room.bert("report trained -o page.html").succeeded();
    for words in [
        "in the middle of line",
        "run.json is missing",
        "evaluation.json is missing",
    ] {
        assert!(run.stderr.contains(words), "no {words:?} in {}", run.stderr);
    }
    assert!(room.read("page.html").contains("in the middle of line"));
}

#[test]
fn a_directory_without_a_run_is_refused() {
    let room = Room::new();
    room.bert("report nowhere")
        .failed(1, &["nowhere: no such directory"]);
    room.bert("report base")
        .failed(1, &["base: none of training.jsonl"]);
    assert!(!room.path("base/report.html").exists());
}

#[test]
fn a_run_leaves_a_model_card_and_keeps_the_users() {
    let room = trained("--eval eval.tsv --test eval.tsv --epochs 1");
    let card = room.read("trained/README.md");
    for part in [
        "pipeline_tag: \"text-classification\"",
        "split: \"validation\"",
        "split: \"test\"",
        "# trained",
        "A fine-tuned base, for text classification.",
    ] {
        assert!(card.contains(part), "no {part:?} in\n{card}");
    }
    room.write("trained/README.md", "# Mine");
    let again = room
        .bert(&format!("{TRAIN} --epochs 1 --overwrite"))
        .succeeded();
    assert!(
        again.stderr.contains("README.md: left as it is"),
        "{}",
        again.stderr
    );
    assert_eq!(room.read("trained/README.md"), "# Mine");
}

#[test]
fn a_run_leaves_an_event_file_for_tensorboard() {
    let room = trained("--epochs 1");
    let names = names_in(&room.path("trained"));
    let events = names
        .iter()
        .filter(|name| name.starts_with("events.out.tfevents."));
    assert_eq!(events.count(), 1, "{names:?}");
}

#[test]
fn without_a_terminal_progress_is_lines_without_control_characters() {
    let room = Room::new();
    let run = room
        .bert(&format!("{TRAIN} --eval eval.tsv --epochs 5"))
        .succeeded();
    let lines: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("step "))
        .collect();
    assert!(lines.len() >= 7, "{}", run.stderr);
    for part in ["loss ", "lr ", "tokens/s", " left"] {
        assert!(lines[0].contains(part), "{}", lines[0]);
    }
    let is_control = |one: char| one.is_control() && one != '\n';
    assert!(!run.stderr.contains(is_control), "{:?}", run.stderr);
}

#[test]
fn several_runs_are_compared_on_one_page() {
    let room = trained("--eval eval.tsv --epochs 1 --seeds 1,2");
    let written = room.bert("report trained").succeeded();
    assert_eq!(written.stdout.trim(), "trained/report.html");
    let page = room.read("trained/report.html");
    for part in [
        "<h1>2 runs</h1>",
        "seed-1",
        "seed-2",
        "Training loss, smoothed",
    ] {
        assert!(page.contains(part), "no {part:?}");
    }

    room.bert("report trained/seed-1 trained/seed-2 -o loss.svg")
        .succeeded();
    let picture = room.read("loss.svg");
    assert!(picture.starts_with("<svg"), "{picture}");
    for line in ["line c0", "line dashed c1"] {
        assert_eq!(picture.matches(&format!("class=\"{line}\"")).count(), 1);
    }

    room.bert("report trained/seed-1 trained/seed-2")
        .failed(2, &["--output FILE"]);
}
