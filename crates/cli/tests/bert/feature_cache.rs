//! `--feature-cache`: a run that keeps what the frozen part computes ends as one that does not.

use super::support::{Room, fixed_inputs, json_lines};

const KEPT: &str = "features of the frozen part are cached";

fn log(room: &Room, output: &str) -> Vec<serde_json::Value> {
    let lines = json_lines(&room.read(&format!("{output}/training.jsonl")));
    let events = lines.into_iter().filter(|line| line["event"] != "start");
    events
        .map(|mut line| {
            line.as_object_mut().unwrap().remove("seconds");
            line
        })
        .collect()
}

fn weights(room: &Room, output: &str) -> Vec<u8> {
    std::fs::read(room.path(output).join("model.safetensors")).unwrap()
}

#[test]
fn a_run_with_a_cache_is_the_run_without_one() {
    let room = Room::new();
    for (index, task) in fixed_inputs(&room).into_iter().enumerate() {
        for tune in ["head", "last:1"] {
            for device in ["flex", "ndarray"] {
                let line = format!(
                    "train {task} --model base --batch-size 4 --lr 1e-3 --epochs 3 --dropout 0.1 --tune {tune} --device \
                     {device} --threads 1"
                );
                let name = format!("{index}-{tune}-{device}").replace(':', "");
                let run = |cache: &str| {
                    let output = format!("{name}-{cache}");
                    let run =
                        room.bert(&format!("{line} --feature-cache {cache} --output {output}"));
                    (run.succeeded().stderr, output)
                };
                let ((off, plain), (on, kept)) = (run("off"), run("f32"));
                assert!(!off.contains(KEPT) && on.contains(KEPT), "{line}\n{on}");
                assert_eq!(log(&room, &plain), log(&room, &kept), "{line}");
                assert!(weights(&room, &plain) == weights(&room, &kept), "{line}");
            }
        }
    }
}

#[test]
fn seeds_and_folds_read_what_other_runs_have_computed() {
    let room = Room::new();
    let line = format!("{TRAIN} --epochs 1 --feature-cache f32");
    let several = room
        .bert(&format!("{line} --seeds 1,2 --output several"))
        .succeeded();
    assert_eq!(
        several.stderr.matches(KEPT).count(),
        2,
        "{}",
        several.stderr
    );
    for seed in [1, 2] {
        let output = format!("alone-{seed}");
        let alone = room.bert(&format!("{line} --seed {seed} --output {output}"));
        assert!(!alone.succeeded().stderr.contains(KEPT));
        let run = format!("several/seed-{seed}");
        assert_eq!(log(&room, &output), log(&room, &run));
        assert!(weights(&room, &output) == weights(&room, &run));
    }
    let line = line.replace(" --eval eval.tsv", "");
    let kept = room
        .bert(&format!("{line} --folds 2 --output folds"))
        .succeeded();
    assert_eq!(kept.stderr.matches(KEPT).count(), 2, "{}", kept.stderr);
    room.bert(
        &format!("{line} --folds 2 --feature-cache off --output folds-off")
            .replace(" --feature-cache f32", ""),
    )
    .succeeded();
    for fold in ["fold-1", "fold-2"] {
        let (one, other) = (format!("folds/{fold}"), format!("folds-off/{fold}"));
        assert_eq!(log(&room, &one), log(&room, &other));
        assert!(weights(&room, &one) == weights(&room, &other));
    }
}

const TRAIN: &str = "train text-classification --model base --train train.tsv --eval eval.tsv --batch-size 4 --lr 1e-3 \
                     --dropout 0.1 --tune last:1";

#[test]
fn rounded_states_give_almost_the_same_losses() {
    let room = Room::new();
    for cache in ["f32", "bf16"] {
        room.bert(&format!(
            "{TRAIN} --epochs 2 --feature-cache {cache} --output {cache}"
        ))
        .succeeded();
    }
    let (exact, rounded) = (log(&room, "f32"), log(&room, "bf16"));
    assert_ne!(exact, rounded);
    for (one, other) in exact
        .iter()
        .zip(&rounded)
        .filter(|(line, _)| line["event"] == "step")
    {
        let difference = one["loss"].as_f64().unwrap() - other["loss"].as_f64().unwrap();
        assert!(difference.abs() < 0.05, "{one} {other}");
    }
}

#[test]
fn nothing_is_kept_where_it_would_not_be_used_or_not_be_right() {
    let room = Room::new();
    room.write(
        "text.txt",
        "a very good film , and funny .\nthe plot was dull !\n\n".repeat(12),
    );
    let masked =
        "train masked-lm --model base --train text.txt --max-length 16 --epochs 2 --tune last:1";
    for (output, line) in [
        ("masked", masked.to_owned()),
        ("once", format!("{TRAIN} --epochs 1")),
        ("dropout", format!("{TRAIN} --frozen-dropout")),
        ("all", TRAIN.replace("last:1", "all")),
    ] {
        let run = room.bert(&format!("{line} --output {output}")).succeeded();
        assert!(!run.stderr.contains(KEPT), "{line}\n{}", run.stderr);
    }
    room.bert(&format!("{TRAIN} --epochs 3 --output off"))
        .succeeded();
    assert_ne!(
        log(&room, "off"),
        log(&room, "dropout"),
        "dropout in the frozen part"
    );
    for word in ["on", "f32:4", "off:1GB"] {
        let line = format!("{TRAIN} --feature-cache {word} --output none");
        room.bert(&line).failed(2, &["--feature-cache"]);
    }
}

#[test]
fn a_run_with_a_cache_is_resumed() {
    let room = Room::new();
    let line = format!("{TRAIN} --epochs 3 --save-every 1 --keep last:99");
    room.bert(&format!("{line} --output whole")).succeeded();
    room.bert(&format!("{line} --output again")).succeeded();
    for step in 9..=18 {
        std::fs::remove_dir_all(room.path(&format!("again/checkpoints/step-{step:06}"))).unwrap();
    }
    room.bert(&format!(
        "{line} --output again --resume --feature-cache off"
    ))
    .succeeded();
    assert_eq!(log(&room, "whole"), log(&room, "again"));
    assert!(weights(&room, "whole") == weights(&room, "again"));
}
