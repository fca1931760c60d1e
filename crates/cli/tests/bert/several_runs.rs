//! Several seeds, folds, and intervals of an evaluation.

use serde_json::Value;

use super::support::{Room, TRAIN, names_in, rows};

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn each_seed_has_the_run_that_it_has_alone_and_the_table_has_mean_and_spread() {
    let room = Room::new();
    room.write("test.tsv", rows(6));
    let line = format!("{TRAIN} --eval eval.tsv --test test.tsv --epochs 1 --dropout 0.1");
    let run = room.bert(&format!("{line} --seeds 1,2,7")).succeeded();
    assert_eq!(
        names_in(&room.path("trained")),
        ["seed-1", "seed-2", "seed-7"]
    );
    let report = run.json();
    let losses: Vec<f64> = report["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| number(&run["best"]["loss"]))
        .collect();
    assert_eq!(losses.len(), 3);
    let mean = losses.iter().sum::<f64>() / 3.0;
    let squares: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
    assert!((number(&report["best"]["loss"]["mean"]) - mean).abs() < 1e-12);
    assert!(
        (number(&report["best"]["loss"]["standard_deviation"]) - (squares / 2.0).sqrt()).abs()
            < 1e-12
    );
    assert!(report["test"]["accuracy"]["mean"].is_number());
    assert_eq!(report["selected_by"], "accuracy");
    let best = report["best_run"].as_str().unwrap();
    for words in [
        "FIGURE",
        "MEAN",
        "SD",
        "seed-7",
        "test accuracy",
        &format!("best    {best} by accuracy"),
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
    let alone = line.replace("--output trained", "--output alone");
    room.bert(&format!("{alone} --seed 2")).succeeded();
    let weights =
        |directory: &str| std::fs::read(room.path(directory).join("model.safetensors")).unwrap();
    assert!(
        weights("alone") == weights("trained/seed-2"),
        "the same bytes"
    );
    assert!(weights("alone") != weights("trained/seed-1"));
}

#[test]
fn folds_evaluate_every_row_once_with_the_share_of_each_class() {
    let room = Room::new();
    let run = room
        .bert(&format!("{TRAIN} --folds 4 --epochs 1 --select loss"))
        .succeeded();
    assert_eq!(
        names_in(&room.path("trained")),
        ["fold-1", "fold-2", "fold-3", "fold-4"]
    );
    let shares = run
        .stderr
        .matches("6 rows; 2 labels: bad 2, good 4")
        .count();
    assert_eq!(shares, 4, "{}", run.stderr);
    let report = run.json();
    let runs = report["runs"].as_array().unwrap();
    let examples: f64 = runs
        .iter()
        .map(|run| number(&run["best"]["examples"]))
        .sum();
    assert_eq!(examples, 24.0);
    let lowest = runs.iter().min_by(|one, other| {
        number(&one["best"]["loss"]).total_cmp(&number(&other["best"]["loss"]))
    });
    assert_eq!(report["best_run"], lowest.unwrap()["output"]);
}

#[test]
fn rows_of_one_group_stay_in_one_fold() {
    let room = Room::new();
    let row = |index: usize| {
        let label = ["good", "bad"][index % 2];
        format!("a film number {index}\t{label}\tauthor {}\n", index / 4)
    };
    let content: String = (0..24).map(row).collect();
    room.write("authors.tsv", format!("text\tlabel\tauthor\n{content}"));
    let line = TRAIN.replace("train.tsv", "authors.tsv");
    let run = room
        .bert(&format!(
            "{line} --folds 3 --group-column author --max-steps 1"
        ))
        .succeeded();
    assert_eq!(
        run.stderr
            .matches("8 rows; 2 labels: bad 4, good 4")
            .count(),
        3,
        "{}",
        run.stderr
    );
    room.bert(&format!(
        "{line} --folds 7 --group-column author --overwrite"
    ))
    .failed(2, &["--folds 7", "6 groups"]);
    room.bert(&format!(
        "{line} --folds 3 --group-column writer --overwrite"
    ))
    .failed(1, &["writer"]);
}

#[test]
fn sentences_and_pairs_are_cut_into_folds_too() {
    let room = Room::new();
    room.write(
        "tags.conll",
        "the O\nfilm B-X\n\nbad O\nplot B-Y\n\n".repeat(4),
    );
    let line = "train token-classification --model base --train tags.conll --output words --max-steps 1 --folds 2";
    let run = room.bert(line).succeeded();
    assert_eq!(
        run.stderr.matches("4 sentences").count(),
        4,
        "{}",
        run.stderr
    );
    room.write(
        "nli.tsv",
        "a film\tgood\tentailment\nit\tbad\tneutral\nit\tslow\tcontradiction\n".repeat(2),
    );
    let line = "train natural-language-inference --model base --train nli.tsv --output pairs --max-steps 1 --folds 2";
    let report = room.bert(line).succeeded().json();
    assert!(
        report["best"]["labels.neutral.f1"]["mean"].is_number(),
        "{report}"
    );
    assert!(report["best"].get("confusion.neutral.neutral").is_none());
}

#[test]
fn impossible_repetitions_are_refused_before_anything_is_written() {
    let room = Room::new();
    let cases: [(&str, &[&str]); 9] = [
        ("--seeds 3", &["--seeds has one seed, 3", "--seed 3"]),
        ("--seeds 3,4,3", &["--seeds has 3 twice"]),
        ("--seeds one,two", &["--seeds", "one"]),
        ("--seeds 1,2 --seed 3", &["--seeds", "--seed"]),
        ("--folds 1", &["--folds is 1", "at least 2"]),
        ("--folds 3 --eval eval.tsv", &["--folds", "--eval"]),
        ("--folds 9", &["--folds 9", "too few of \"bad\" (8)"]),
        ("--group-column 2", &["--folds"]),
        (
            "--seeds 1,2 --resume",
            &["--resume is for one run", "--seed"],
        ),
    ];
    for (further, words) in cases {
        room.bert(&format!("{TRAIN} {further}")).failed(2, words);
    }
    room.write("lines.txt", "a film\nthe plot\n\nit is good\nit was bad\n");
    room.bert("train next-sentence --model base --train lines.txt --output trained --folds 2")
        .failed(2, &["--folds", "no rows"]);
    assert!(!room.path("trained").exists());
}

#[test]
fn an_evaluation_gives_intervals_that_hold_the_figures_and_repeat_by_their_seed() {
    let room = Room::new();
    room.write(
        "eval.tsv",
        rows(30) + "this is funny !\tbad\na very good film\tbad\n",
    );
    room.train();
    let line = "evaluate text-classification --model trained --data eval.tsv --bootstrap 200";
    let run = room.bert(line).succeeded();
    let metrics = run.json();
    let bootstrap = &metrics["bootstrap"];
    assert_eq!(bootstrap["resamples"], 200);
    assert_eq!(bootstrap["units"], 32);
    for figure in ["accuracy", "f1_macro"] {
        let interval = &bootstrap["intervals"][figure];
        let value = number(&metrics[figure]);
        assert!(
            number(&interval["low"]) <= value && value <= number(&interval["high"]),
            "{interval}"
        );
    }
    assert!(bootstrap["intervals"].get("examples").is_none());
    assert!(run.stderr.contains("figure  accuracy"), "{}", run.stderr);
    assert_eq!(room.bert(line).succeeded().stdout, run.stdout);
    room.bert(&format!("{line} --threads 1 --bootstrap-seed 1"))
        .succeeded();
    room.bert("evaluate text-classification --model trained --data eval.tsv --bootstrap 3")
        .failed(2, &["--bootstrap", "at least 100"]);
}
