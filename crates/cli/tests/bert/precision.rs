//! `bert train --precision`: what a run in bfloat16 leaves.

use super::support::{Room, json_lines};

const TRAIN: &str = "train text-classification --model base --train train.tsv --eval eval.tsv --batch-size 4 --lr 1e-3 \
                     --dropout 0 --max-steps 3 --threads 2";

/// The options and the losses of a run.
fn run(room: &Room, output: &str, flags: &str) -> (serde_json::Value, Vec<f64>) {
    room.bert(&format!("{TRAIN} --output {output} {flags}"))
        .succeeded();
    let log = json_lines(&room.read(&format!("{output}/training.jsonl")));
    let steps = log.iter().filter(|line| line["event"] == "step");
    let losses = steps.map(|line| line["loss"].as_f64().expect("a loss"));
    (log[0]["options"].clone(), losses.collect())
}

#[test]
fn a_run_in_bf16_is_recorded_and_near_the_one_in_f32() {
    let room = Room::new();
    for device in ["flex", "ndarray"] {
        let (options, single) = run(&room, "single", &format!("--device {device} --overwrite"));
        assert_eq!(options["precision"], "f32");
        let flags = format!("--device {device} --overwrite --precision bf16");
        let (options, rounded) = run(&room, "rounded", &flags);
        assert_eq!(options["precision"], "bf16");
        assert!(room.read("rounded/README.md").contains("bf16"));
        for (single, rounded) in single.iter().zip(&rounded) {
            assert_ne!(single, rounded);
            assert!((single - rounded).abs() < 0.05, "{single}, {rounded}");
        }
    }
}

/// Evaluations of the run and of the saved model have single precision.
#[test]
fn the_saved_model_has_the_figures_of_the_run() {
    let room = Room::new();
    let line = format!("{TRAIN} --output out --precision bf16");
    let trained = room.bert(&line).succeeded().json();
    let evaluated = room
        .bert("evaluate text-classification --model out --data eval.tsv")
        .succeeded()
        .json();
    assert_eq!(
        trained["best"]["loss"], evaluated["loss"],
        "{trained} {evaluated}"
    );
}

#[test]
fn a_precision_that_there_is_not_is_refused_with_those_there_are() {
    Room::new()
        .bert(&format!("{TRAIN} --output out --precision f16"))
        .failed(2, &["--precision", "f32", "bf16"]);
}
