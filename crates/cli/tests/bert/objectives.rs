//! Schedules, weights of classes, balanced sampling, and which checkpoint is kept.

use serde_json::Value;

use super::support::{Room, TRAIN, json_lines};

/// One row in six is `bad`.
fn skewed(room: &Room) {
    let row = |index: usize| match index % 6 {
        0 => "the plot was dull\tbad\n".to_owned(),
        odd => format!("a {}film\tgood\n", "very ".repeat(odd)),
    };
    room.write("train.tsv", (0..24).map(row).collect::<String>());
}

fn events(room: &Room, output: &str, event: &str) -> Vec<Value> {
    let log = json_lines(&room.read(&format!("{output}/training.jsonl")));
    log.into_iter()
        .filter(|line| line["event"] == event)
        .collect()
}

fn figures(room: &Room, output: &str, key: &str) -> Vec<f64> {
    let steps = events(room, output, "step");
    steps
        .iter()
        .map(|line| line[key].as_f64().unwrap())
        .collect()
}

fn trained(room: &Room, output: &str, further: &str) -> String {
    let line = TRAIN.replace("--output trained", &format!("--output {output}"));
    let run = room.bert(&format!("{line} {further}")).succeeded();
    run.stderr
}

#[test]
fn schedules_have_the_words_and_the_rates_of_transformers() {
    let room = Room::new();
    let rates = |schedule: &str| {
        let further = format!("--epochs 2 --warmup-ratio 0.34 --schedule {schedule}");
        trained(&room, schedule, &further);
        figures(&room, schedule, "learning_rate")
    };
    let close = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - 1e-3 * expected).abs() < 1e-12,
                "{found} {expected}"
            );
        }
    };
    close(&rates("linear"), &[0.0, 0.5, 1.0, 0.75, 0.5, 0.25]);
    let half = 0.5_f64.sqrt() / 2.0;
    close(
        &rates("cosine"),
        &[0.0, 0.5, 1.0, 0.5 + half, 0.5, 0.5 - half],
    );
    close(&rates("constant"), &[1.0; 6]);
    close(
        &rates("constant_with_warmup"),
        &[0.0, 0.5, 1.0, 1.0, 1.0, 1.0],
    );
}

#[test]
fn balanced_weights_are_shown_and_accumulated_batches_weigh_as_one_large_batch() {
    let room = Room::new();
    skewed(&room);
    let further = "--epochs 2 --dropout 0 --class-weights balanced --label-smoothing 0.1";
    let shown = trained(&room, "large", further);
    assert!(shown.contains("weights bad 3.0000, good 0.6000"), "{shown}");
    let line = TRAIN
        .replace("--output trained", "--output small")
        .replace("--batch-size 8", "--batch-size 2 --accumulation-steps 4");
    room.bert(&format!("{line} {further}")).succeeded();
    for key in ["loss", "grad_norm"] {
        let pairs = figures(&room, "large", key).into_iter();
        for (large, small) in pairs.zip(figures(&room, "small", key)) {
            assert!(
                (large - small).abs() < 1e-4 * large,
                "{key}: {large} {small}"
            );
        }
    }
    trained(&room, "plain", "--epochs 2 --dropout 0");
    assert_ne!(
        figures(&room, "plain", "loss"),
        figures(&room, "large", "loss")
    );
}

#[test]
fn a_file_of_equal_weights_changes_nothing_but_rounding() {
    let room = Room::new();
    room.write("weights.json", "{\"bad\": 2, \"good\": 2}");
    trained(&room, "plain", "--max-steps 2 --dropout 0");
    trained(
        &room,
        "equal",
        "--max-steps 2 --dropout 0 --class-weights weights.json",
    );
    for (plain, equal) in figures(&room, "plain", "loss")
        .iter()
        .zip(figures(&room, "equal", "loss"))
    {
        assert!((plain - equal).abs() < 1e-5, "{plain} {equal}");
    }
}

#[test]
fn a_focal_loss_and_several_labels_and_words_train_too() {
    let room = Room::new();
    let lists = "{\"text\": \"good\", \"labels\": [\"a\", \"b\"]}\n{\"text\": \"bad\", \"labels\": [\"a\"]}\n\
                 {\"text\": \"dull\", \"labels\": []}\n";
    room.write("lists.jsonl", lists.repeat(4));
    let run = room.bert(
        "train text-classification --model base --train lists.jsonl --output several --max-steps 2 \
         --class-weights balanced --focal 2",
    );
    let shown = run.succeeded().stderr;
    assert!(shown.contains("weights a 0.5000, b 2.0000"), "{shown}");
    room.write(
        "tags.conll",
        "the O\nfilm B-X\n\nbad O\nplot B-X\ncast I-X\n\n".repeat(4),
    );
    let run = room.bert(
        "train token-classification --model base --train tags.conll --output words --max-steps 2 \
         --class-weights balanced --focal 2 --label-smoothing 0.1 --eval tags.conll --select per_type.X.f1",
    );
    let run = run.succeeded();
    assert!(
        run.stderr
            .contains("weights B-X 0.8333, I-X 1.6667, O 0.8333"),
        "{}",
        run.stderr
    );
    assert_eq!(
        events(&room, "words", "evaluation")[0]["selected_by"],
        "per_type.X.f1"
    );
    room.write(
        "nli.tsv",
        "a film\tgood\tENTAILMENT\nit\tbad\tneutral\nit\tslow\tcontradiction\n".repeat(4),
    );
    room.write(
        "weights.tsv",
        "Entailment\t2\nneutral\t1\ncontradiction\t0.5\n",
    );
    let run = room.bert(
        "train natural-language-inference --model base --train nli.tsv --output nli --max-steps 2 \
         --class-weights weights.tsv --sampler balanced --eval nli.tsv --select labels.neutral.f1",
    );
    let shown = run.succeeded().stderr;
    assert!(
        shown.contains("entailment 2.0000, neutral 1.0000, contradiction 0.5000"),
        "{shown}"
    );
}

#[test]
fn a_balanced_epoch_has_as_many_rows_as_the_data_and_is_repeated_by_its_seed() {
    let room = Room::new();
    skewed(&room);
    trained(&room, "one", "--epochs 2 --sampler balanced --seed 3");
    trained(&room, "two", "--epochs 2 --sampler balanced --seed 3");
    trained(&room, "all", "--epochs 2 --seed 3");
    assert_eq!(figures(&room, "one", "loss"), figures(&room, "two", "loss"));
    assert_eq!(figures(&room, "one", "loss").len(), 6);
    assert_ne!(figures(&room, "one", "loss"), figures(&room, "all", "loss"));
}

#[test]
fn a_run_without_progress_ends_early_and_keeps_its_best_checkpoint() {
    let room = Room::new();
    let further = "--eval eval.tsv --epochs 50 --lr 1e-9 --patience 3 --select accuracy";
    let line = TRAIN.replace("--lr 1e-3", "");
    let run = room.bert(&format!("{line} {further}")).succeeded();
    let evaluations = events(&room, "trained", "evaluation");
    assert_eq!(evaluations.len(), 4);
    let best: Vec<&Value> = evaluations.iter().map(|line| &line["best"]).collect();
    assert_eq!(best, [true, false, false, false]);
    assert_eq!(
        events(&room, "trained", "early_stop")[0]["evaluations_since_best"],
        3
    );
    assert!(
        run.stderr
            .contains("no better than the best in 3 evaluations"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_end_of_an_epoch_is_evaluated_once() {
    let room = Room::new();
    room.bert(&format!(
        "{TRAIN} --eval eval.tsv --epochs 2 --eval-every 3"
    ))
    .succeeded();
    let evaluations = events(&room, "trained", "evaluation");
    let steps: Vec<&Value> = evaluations.iter().map(|line| &line["step"]).collect();
    assert_eq!(steps, [3, 6]);
}

#[test]
fn the_lowest_loss_selects_where_it_was_asked_for() {
    let room = Room::new();
    let results = room
        .bert(&format!("{TRAIN} --eval eval.tsv --epochs 4 --select loss"))
        .succeeded()
        .json();
    let evaluations = events(&room, "trained", "evaluation");
    let losses = evaluations
        .iter()
        .map(|line| line["metrics"]["loss"].as_f64().unwrap());
    let lowest = losses.fold(f64::INFINITY, f64::min);
    assert_eq!(results["best"]["loss"], lowest);
    assert_eq!(evaluations[0]["selected_by"], "loss");
}

#[test]
fn what_has_no_meaning_for_the_data_is_refused_before_anything_is_written() {
    let room = Room::new();
    room.write("numbers.tsv", "good film\t0.5\nbad film\t1.5\n".repeat(4));
    room.write(
        "lists.jsonl",
        "{\"text\": \"good\", \"labels\": [\"a\"]}\n{\"text\": \"bad\", \"labels\": []}\n",
    );
    room.write("unknown.tsv", "bad\t1\ngood\t1\nawful\t2\n");
    room.write("missing.tsv", "bad\t1\n");
    let numbers = TRAIN.replace("train.tsv", "numbers.tsv");
    let lists = TRAIN.replace("train.tsv", "lists.jsonl");
    let cases: [(&str, &str, &[&str]); 14] = [
        (TRAIN, "--select accuracy", &["--select", "--eval"]),
        (TRAIN, "--patience 2", &["--patience", "--eval"]),
        (TRAIN, "--patience 0 --eval eval.tsv", &["--patience is 0"]),
        (
            TRAIN,
            "--label-smoothing 1",
            &["--label-smoothing", "below 1"],
        ),
        (
            TRAIN,
            "--label-smoothing -0.1",
            &["--label-smoothing", "at least 0"],
        ),
        (TRAIN, "--focal -1", &["--focal", "0 or above"]),
        (
            TRAIN,
            "--schedule polynomial",
            &["polynomial", "constant_with_warmup"],
        ),
        (TRAIN, "--sampler random", &["random", "balanced"]),
        (
            &numbers,
            "--class-weights balanced",
            &["--class-weights", "regression"],
        ),
        (
            &numbers,
            "--label-smoothing 0.1",
            &["--label-smoothing", "regression"],
        ),
        (&numbers, "--focal 2", &["--focal", "regression"]),
        (
            &numbers,
            "--sampler balanced",
            &["--sampler balanced", "regression"],
        ),
        (
            &lists,
            "--label-smoothing 0.1",
            &["--label-smoothing", "several classes"],
        ),
        (
            &lists,
            "--sampler balanced",
            &["--sampler balanced", "several classes"],
        ),
    ];
    for (line, further, words) in cases {
        room.bert(&format!("{line} {further}")).failed(2, words);
    }
    let cases: [(&str, &[&str]); 4] = [
        (
            "--class-weights unknown.tsv",
            &["unknown.tsv", "\"awful\"", "bad, good"],
        ),
        (
            "--class-weights missing.tsv",
            &["missing.tsv", "no weight for good"],
        ),
        (
            "--class-weights nowhere.tsv",
            &["nowhere.tsv", "cannot read"],
        ),
        (
            "--eval eval.tsv --select f2",
            &["\"f2\"", "accuracy", "f1_macro", "loss"],
        ),
    ];
    for (further, words) in cases {
        room.bert(&format!("{TRAIN} {further}")).failed(1, words);
    }
    assert!(!room.path("trained").exists());
    room.write("lines.txt", "a film\nthe plot\n\nit is good\nit was bad\n");
    let line = "train next-sentence --model base --train lines.txt --output trained --class-weights balanced";
    room.bert(line)
        .failed(2, &["--class-weights", "no classes"]);
}
