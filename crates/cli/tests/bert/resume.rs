//! `bert train … --resume`: a run that was stopped ends with the bytes of one that was not.

use std::process::Command;
use std::time::{Duration, Instant};

use super::interrupted::{
    Random, assert_same, checkpoints, killed_after, log, send, signalled, start, steps_logged,
    wait_for,
};
use super::support::{Room, Run, fixed_inputs};

/// Runs of which each has something that a resumed run could get wrong.
const TEXT: &str = "train text-classification --model base --train train.tsv --eval eval.tsv --batch-size 4 --lr 1e-3 \
                    --dropout 0.1 --epochs 40 --accumulation-steps 2 --eval-every 2 --test eval.tsv";
const LAST_LAYER: &str = "train text-classification --model base --train train.tsv --eval eval.tsv --batch-size 4 --lr 1e-3 \
                          --dropout 0.1 --epochs 3 --tune last:1";
const MASKED: &str = "train masked-lm --model base --train text.txt --batch-size 4 --lr 1e-3 --max-length 16 --epochs 30 \
                      --dropout 0.1 --eval text.txt";

fn room() -> Room {
    let room = Room::new();
    let lines = [
        "a very good film , and funny .\n",
        "the plot was dull and slow !\n",
        "\n",
    ];
    room.write(
        "text.txt",
        (0..60).map(|line| lines[line % 3]).collect::<String>(),
    );
    room
}

fn same_results(one: &Run, other: &Run) {
    for key in ["best", "test"] {
        assert_eq!(one.json()[key], other.json()[key], "{key}");
    }
}

#[test]
fn a_run_that_a_signal_stops_says_how_to_go_on_and_ends_as_if_nothing_had_happened() {
    let room = room();
    let long = LAST_LAYER.replace("--epochs 3", "--epochs 30");
    let in_bf16 = format!("{TEXT} --precision bf16");
    for (name, line, steps) in [
        ("text", TEXT, 3),
        ("bf16", in_bf16.as_str(), 3),
        ("last", long.as_str(), 8),
        ("masked", MASKED, 7),
    ] {
        for device in ["flex", "ndarray"] {
            let line = format!("{line} --device {device} --threads 1");
            let (whole, stopped) = (
                format!("{name}-{device}"),
                format!("{name}-{device}-stopped"),
            );
            let expected = room.bert(&format!("{line} --output {whole}")).succeeded();
            let run = signalled(&room, &line, &stopped, steps, "INT");
            assert_eq!(run.code, Some(130), "{}", run.stderr);
            assert!(
                run.stderr.contains("give the same command with --resume"),
                "{}",
                run.stderr
            );
            assert_eq!(run.stdout, "");
            let resumed = room
                .bert(&format!("{line} --output {stopped} --resume"))
                .succeeded();
            assert!(
                resumed.stderr.contains("resume  after step"),
                "{}",
                resumed.stderr
            );
            assert_same(&room, &whole, &stopped);
            same_results(&expected, &resumed);
        }
    }
}

#[test]
fn sigterm_exits_with_143_and_a_killed_run_goes_on_from_the_checkpoint_before() {
    let room = room();
    let expected = room.bert(&format!("{TEXT} --output whole")).succeeded();
    let run = signalled(&room, TEXT, "stopped", 2, "TERM");
    assert_eq!(run.code, Some(143), "{}", run.stderr);
    let line = format!("{TEXT} --save-every 1");
    let run = signalled(&room, &format!("{line} --resume"), "stopped", 7, "KILL");
    assert_eq!(run.code, None);
    assert_eq!(
        checkpoints(&room, "stopped")
            .iter()
            .filter(|name| !name.starts_with('.'))
            .count(),
        1
    );
    let resumed = room
        .bert(&format!("{line} --output stopped --resume"))
        .succeeded();
    assert_same(&room, "whole", "stopped");
    same_results(&expected, &resumed);
}

#[test]
fn patience_counts_on_over_a_stop() {
    let room = room();
    // No evaluation is better than the first, which comes after two steps.
    let line = "train text-classification --model base --train train.tsv --eval eval.tsv --batch-size 2 --lr 1e-9 \
                --epochs 200 --eval-every 2 --patience 300 --sampler balanced";
    room.bert(&format!("{line} --output whole")).succeeded();
    let stopped = signalled(&room, line, "stopped", 7, "INT");
    assert_eq!(stopped.code, Some(130), "{}", stopped.stderr);
    room.bert(&format!("{line} --output stopped --resume"))
        .succeeded();
    assert_same(&room, "whole", "stopped");
    let last = log(&room, "whole").pop().unwrap();
    assert_eq!(last["event"], "early_stop", "{last}");
}

#[test]
fn every_task_goes_on() {
    let room = room();
    for (index, task) in fixed_inputs(&room).into_iter().skip(1).enumerate() {
        let line = format!(
            "train {task} --model base --batch-size 4 --lr 1e-3 --epochs 12 --dropout 0.1 --save-every 2"
        );
        let (whole, stopped) = (format!("whole-{index}"), format!("stopped-{index}"));
        let expected = room.bert(&format!("{line} --output {whole}")).succeeded();
        let run = signalled(&room, &line, &stopped, 3, "INT");
        assert_eq!(run.code, Some(130), "{task}: {}", run.stderr);
        let resumed = room
            .bert(&format!("{line} --output {stopped} --resume"))
            .succeeded();
        assert_same(&room, &whole, &stopped);
        same_results(&expected, &resumed);
    }
}

/// A run that was stopped after three steps, and the line to go on with.
fn stopped() -> (Room, String) {
    let room = room();
    let line = format!("{LAST_LAYER} --save-every 1 --keep last:2 --output out");
    let child = start(&room, &line);
    wait_for(&room, "out", 3);
    send(&child, "INT");
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    (room, format!("{line} --resume"))
}

#[test]
fn what_differs_is_listed_and_refused_unless_the_user_insists() {
    let (room, line) = stopped();
    let lr = line.replace("--lr 1e-3", "--lr 2e-3 --seed 7 --precision bf16");
    room.bert(&lr).failed(
        1,
        &[
            "--lr was 0.001, is 0.002",
            "--precision was f32, is bf16",
            "--seed was 42, is 7",
            "--resume-anyway",
        ],
    );
    let rows = room.read("train.tsv");
    room.write("train.tsv", rows.replace("good film", "bad film"));
    room.bert(&line)
        .failed(1, &["--train was sha256", "is sha256"]);
    room.write("train.tsv", rows);
    let config = room.read("base/config.json");
    room.write("base/config.json", format!("{config}\n"));
    room.bert(&line)
        .failed(1, &["--model, config.json was sha256"]);
    room.write("base/config.json", config);
    let other_spelling = line
        .replace("--lr 1e-3", "--lr 0.001 --threads 1")
        .replace("base", "./base");
    room.bert(&other_spelling).succeeded();
    let (room, line) = stopped();
    let run = room
        .bert(
            &line
                .replace("--lr 1e-3", "--lr 2e-3")
                .replace("--resume", "--resume-anyway"),
        )
        .succeeded();
    assert!(
        run.stderr.contains("warning --lr was 0.001, is 0.002"),
        "{}",
        run.stderr
    );
}

#[test]
fn another_version_is_a_difference() {
    let (room, line) = stopped();
    let newest = room
        .path("out/checkpoints")
        .join(checkpoints(&room, "out").pop().unwrap())
        .join("state.json");
    let state = std::fs::read_to_string(&newest).unwrap();
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(state.contains(&version), "{state}");
    std::fs::write(&newest, state.replace(&version, "\"version\": \"0.0.1\"")).unwrap();
    room.bert(&line).failed(1, &["version was 0.0.1, is "]);
}

#[test]
fn a_damaged_checkpoint_is_refused_or_passed_over() {
    let (room, line) = stopped();
    let names = checkpoints(&room, "out");
    assert_eq!(names.len(), 2, "{names:?}");
    let damaged = room
        .path("out/checkpoints")
        .join(&names[1])
        .join("optimizer.safetensors");
    let mut bytes = std::fs::read(&damaged).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    room.bert(&line).failed(
        1,
        &[
            "optimizer.safetensors",
            "damaged",
            "CRC-32",
            "the one before it",
        ],
    );
    room.bert(&format!("{LAST_LAYER} --output whole --keep last:2"))
        .succeeded();
    let run = room
        .bert(&line.replace("--resume", "--resume-anyway"))
        .succeeded();
    assert!(run.stderr.contains("passed over"), "{}", run.stderr);
    assert_eq!(log(&room, "whole"), log(&room, "out"));
    let weights =
        |output: &str| std::fs::read(room.path(output).join("model.safetensors")).unwrap();
    assert!(weights("whole") == weights("out"));
}

#[test]
fn without_a_checkpoint_there_is_nothing_to_resume() {
    let room = room();
    room.bert(&format!("{LAST_LAYER} --output nowhere --resume"))
        .failed(
            1,
            &[
                "nowhere/checkpoints",
                "no checkpoint to go on from",
                "Leave out --resume",
            ],
        );
    assert!(!room.path("nowhere").exists());
    let (room, line) = stopped();
    let begin = line.replace(" --resume", "");
    room.bert(&begin)
        .failed(1, &["holds checkpoints of a run", "resume"]);
    room.bert(&format!("{begin} --overwrite")).succeeded();
    assert_eq!(
        checkpoints(&room, "out").len(),
        2,
        "the two that --keep asks for"
    );
}

#[test]
fn keep_says_which_checkpoints_stay() {
    let room = room();
    for (keep, expected) in [
        ("--save-every 4", &[][..]),
        (
            "--save-every 4 --keep last:2",
            &["step-000016", "step-000018"],
        ),
    ] {
        room.bert(&format!("{LAST_LAYER} --output kept --overwrite {keep}"))
            .succeeded();
        assert_eq!(checkpoints(&room, "kept"), expected, "{keep}");
    }
    room.bert(&format!(
        "{LAST_LAYER} --output kept --overwrite --keep best"
    ))
    .succeeded();
    let best = checkpoints(&room, "kept");
    assert_eq!(best.len(), 1, "{best:?}");
    let lines = log(&room, "kept");
    let last_best = lines.iter().rfind(|line| line["best"] == true);
    let step = last_best.unwrap()["step"].as_u64().unwrap();
    assert_eq!(best[0], format!("step-{step:06}"));
    for (value, words) in [
        ("first", "neither `best` nor `last:N`"),
        ("last:0", "at least 1"),
    ] {
        room.bert(&format!("{LAST_LAYER} --output other --keep {value}"))
            .failed(2, &[words]);
    }
}

#[test]
fn a_full_disk_leaves_the_checkpoint_before_whole() {
    let (room, line) = stopped();
    room.bert(&format!("{LAST_LAYER} --output whole --keep last:2"))
        .succeeded();
    // The limit of a file's size stands for the room on a disk: less than the moments need, more than the parameters do.
    let newest = room
        .path("out/checkpoints")
        .join(checkpoints(&room, "out").pop().unwrap());
    let size = |name: &str| newest.join(name).metadata().unwrap().len();
    let blocks = (size("parameters.safetensors") + size("optimizer.safetensors")) / 2 / 1024;
    let bert = format!("{} {line}", env!("CARGO_BIN_EXE_bert"));
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {bert}");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(room.path("."));
    let run = Run::from(command.output().unwrap());
    run.failed(1, &["optimizer.safetensors", "cannot write"]);
    assert!(
        checkpoints(&room, "out")
            .iter()
            .all(|name| !name.starts_with('.'))
    );
    room.bert(&line).succeeded();
    assert_eq!(log(&room, "whole"), log(&room, "out"));
}

/// `cargo test --workspace --test bert -- --ignored --nocapture twenty_kills` prints the outcome of each.
#[test]
#[ignore = "takes minutes"]
fn twenty_kills_at_random_moments_change_nothing() {
    const KILLS: usize = 20;
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut equal = 0;
    for (name, line) in [("text", TEXT), ("masked", MASKED)] {
        let room = room();
        let line = format!("{line} --save-every 1 --keep best,last:2 --device flex");
        let clock = Instant::now();
        room.bert(&format!("{line} --output whole")).succeeded();
        let whole = clock.elapsed().as_millis() as u64;
        for kill in 0..KILLS / 2 {
            let output = format!("killed-{kill}");
            let run = format!("{line} --output {output}");
            let at = loop {
                let at = Duration::from_millis(random.below(whole));
                if killed_after(&room, &format!("{run} --overwrite"), at) {
                    break at;
                }
            };
            let logged = steps_logged(&room.path(&output).join("training.jsonl"));
            let left = checkpoints(&room, &output);
            let has_checkpoint = left.iter().any(|name| name.starts_with("step-"));
            let again = if has_checkpoint {
                "--resume"
            } else {
                "--overwrite"
            };
            room.bert(&format!("{run} {again}")).succeeded();
            assert_same(&room, "whole", &output);
            assert!(
                checkpoints(&room, &output)
                    .iter()
                    .all(|name| name.starts_with("step-"))
            );
            equal += 1;
            println!(
                "{name}: killed after {at:?} and {logged} steps, with {left:?}; {again}: equal"
            );
        }
    }
    println!("{equal} of {KILLS} ended bit-equal");
    assert_eq!(equal, KILLS);
}
