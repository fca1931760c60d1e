//! `mpirun … bert train`, and `bert predict --shard`.

use super::support::{Room, Run, TRAIN, rows};

/// Runs `bert` as a launcher would start it as one of several processes.
#[cfg(not(feature = "mpi"))]
fn launched(room: &Room, line: &str, rank: &str) -> Run {
    let mut command = room.command();
    command.args(line.split_whitespace());
    command.env("OMPI_COMM_WORLD_SIZE", "2");
    command.env("OMPI_COMM_WORLD_RANK", rank);
    Run::from(command.output().unwrap())
}

#[cfg(not(feature = "mpi"))]
#[test]
fn several_processes_of_a_build_without_mpi_are_refused_with_one_message() {
    let room = Room::new();
    launched(&room, TRAIN, "0").failed(1, &["2 processes", "--features mpi"]);
    let other = launched(&room, TRAIN, "1");
    assert_eq!((other.code, other.stderr.as_str()), (Some(1), ""));
    let other = launched(&room, "train text-classification --nonsense", "1");
    assert_eq!((other.code, other.stderr.as_str()), (Some(2), ""));
    assert!(!room.path("trained").exists());
}

#[test]
fn the_parts_of_a_prediction_behind_each_other_are_the_whole() {
    let room = Room::new();
    room.train();
    let texts: String = rows(7)
        .lines()
        .map(|row| format!("{}\n", row.split('\t').next().unwrap()))
        .collect();
    room.write("texts.txt", &texts);
    let predict = |further: &str| {
        let line = format!("predict text-classification --model trained {further}");
        room.bert(&line)
    };
    let whole = predict("--input texts.txt").succeeded().stdout;
    assert_eq!(whole.lines().count(), 7);
    for count in [1, 3, 9] {
        let part = |index| {
            let further = format!("--input texts.txt --shard {index}/{count}");
            predict(&further).succeeded().stdout
        };
        let parts: String = (0..count).map(part).collect();
        assert_eq!(parts, whole, "{count} parts");
    }
    for (word, reason) in [("3/3", "2/3"), ("1", "I/N"), ("0/0", "at least one")] {
        let further = format!("--input texts.txt --shard {word}");
        predict(&further).failed(2, &["--shard", reason]);
    }
    predict("--input - --shard 0/2").failed(2, &["--shard", "file"]);
}

#[test]
fn a_line_that_cannot_be_answered_belongs_to_one_part() {
    let room = Room::new();
    room.train();
    room.write(
        "texts.jsonl",
        "{\"text\": \"a film\"}\n{\"text\": 1}\n{\"text\": \"a plot\"}\n",
    );
    let predict = |shard: &str| {
        let line = "predict text-classification --model trained --input texts.jsonl --shard";
        room.bert(&format!("{line} {shard}"))
    };
    assert_eq!(predict("0/3").succeeded().json_lines().len(), 1);
    predict("1/3").failed(1, &["texts.jsonl", "line 2"]);
    assert_eq!(predict("2/3").succeeded().json_lines().len(), 1);
}

#[cfg(not(feature = "mpi"))]
#[test]
#[ignore = "needs --features bert-cli/mpi, and mpirun"]
fn runs_under_mpirun() {
    panic!("this build has no MPI: nothing was tested");
}

#[cfg(feature = "mpi")]
mod under_mpirun {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use safetensors::SafeTensors;
    use serde_json::Value;

    use super::super::support::json_lines;
    use super::*;

    /// Dropout 0, so that the number of ranks decides nothing; batches that three ranks cannot share evenly.
    const RUN: &str = "train text-classification --model base --train train.tsv --eval eval.tsv --batch-size 5 --lr 1e-4 \
                       --accumulation-steps 2 --dropout 0 --epochs 3 --threads 1";

    /// mpirun, on a machine with fewer processors than processes, by any user.
    fn mpirun(room: &Room) -> Command {
        let mut command = room.program("mpirun");
        for (name, value) in [
            ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
            ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
            ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
            ("OMPI_MCA_hwloc_base_binding_policy", "none"),
        ] {
            command.env(name, value);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs `bert` so many times at once; a line each, where there are several.
    fn on_ranks(room: &Room, counted: &[(usize, &str)]) -> Run {
        let mut command = mpirun(room);
        for (index, (count, line)) in counted.iter().enumerate() {
            if index > 0 {
                command.arg(":");
            }
            command.args(["-n", &count.to_string(), env!("CARGO_BIN_EXE_bert")]);
            command.args(line.split_whitespace());
        }
        Run::from(command.output().unwrap())
    }

    /// Fails unless two models are the same within 1e-6. Key biases have no gradient but rounding, of which AdamW makes
    /// whole steps.
    fn assert_same_weights(room: &Room, one: &str, other: &str) {
        let read =
            |output: &str| std::fs::read(room.path(output).join("model.safetensors")).unwrap();
        let (one, other) = (read(one), read(other));
        let one = SafeTensors::deserialize(&one).unwrap();
        let other = SafeTensors::deserialize(&other).unwrap();
        assert_eq!(one.len(), other.len());
        for (name, tensor) in one.iter().filter(|(name, _)| !name.ends_with("key.bias")) {
            let others = other.tensor(name).unwrap();
            let values = |data: &[u8]| -> Vec<f32> {
                data.as_chunks()
                    .0
                    .iter()
                    .map(|bytes| f32::from_le_bytes(*bytes))
                    .collect()
            };
            for (found, expected) in values(others.data()).iter().zip(values(tensor.data())) {
                assert!(
                    (found - expected).abs() < 1e-6,
                    "{name}: {found} for {expected}"
                );
            }
        }
    }

    fn events(room: &Room, output: &str, event: &str) -> Vec<Value> {
        let lines = json_lines(&room.read(&format!("{output}/training.jsonl")));
        let is_wanted = |line: &Value| line["event"] == event;
        lines.into_iter().filter(is_wanted).collect()
    }

    #[test]
    fn several_ranks_train_the_model_of_one_process_and_one_writes() {
        assert_ranks_train_the_model_of_one_process(RUN);
    }

    #[test]
    fn ranks_that_exchange_during_the_backward_pass_train_the_model_of_one_process() {
        let without_accumulation = RUN.replace("--accumulation-steps 2", "");
        assert_ranks_train_the_model_of_one_process(&without_accumulation);
    }

    fn assert_ranks_train_the_model_of_one_process(run: &str) {
        let room = Room::new();
        room.bert(&format!("{run} --output one --test eval.tsv"))
            .succeeded();
        for ranks in [2, 3] {
            let output = format!("ranks-{ranks}");
            let line = format!("{run} --output {output} --test eval.tsv");
            let run = on_ranks(&room, &[(ranks, &line)]).succeeded();
            assert!(run.json()["test"]["accuracy"].is_number());
            assert_same_weights(&room, "one", &output);
            let (found, expected) = (events(&room, &output, "step"), events(&room, "one", "step"));
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found["tokens"], expected["tokens"]);
                let loss = |step: &Value| step["loss"].as_f64().unwrap();
                assert!((loss(found) - loss(expected)).abs() < 1e-6);
            }
            let exchange = &events(&room, &output, "exchange")[0];
            assert_eq!(exchange["processes"], ranks);
            assert!(exchange["bytes_per_step"].as_f64().unwrap() > 1000.0);
            assert!(exchange["overlapped_bytes_per_step"].is_number());
            assert_eq!(run.stderr.matches("ranks   ").count(), 1, "{}", run.stderr);
            assert_eq!(run.stderr.matches("done    ").count(), 1, "{}", run.stderr);
        }
    }

    #[test]
    fn what_fails_on_all_ranks_is_told_once_and_what_fails_on_one_names_it() {
        let room = Room::new();
        let fails = |counted: &[(usize, &str)], words: &[&str]| {
            let run = on_ranks(&room, counted);
            assert_ne!(run.code, Some(0));
            assert_eq!(run.stderr.matches("error:").count(), 1, "{}", run.stderr);
            for word in words {
                assert!(run.stderr.contains(word), "no {word:?} in {}", run.stderr);
            }
            assert!(!room.path("trained").exists());
        };
        let missing = TRAIN.replace("train.tsv", "missing.tsv");
        fails(&[(3, &missing)], &["error: rank 0", "missing.tsv"]);
        fails(
            &[(1, TRAIN), (1, &missing)],
            &["error: rank 1", "missing.tsv"],
        );
        let input = TRAIN.replace("train.tsv", "-");
        fails(&[(2, &input)], &["standard input"]);

        room.write("other.tsv", rows(23));
        let other = TRAIN.replace("train.tsv", "other.tsv");
        fails(
            &[(1, TRAIN), (2, &other)],
            &["--train (train.tsv)", "on rank 0", "on ranks 1, 2"],
        );
    }

    #[test]
    fn a_rank_that_dies_ends_the_run_and_other_ranks_go_on() {
        let room = Room::new();
        let line = RUN.replace("--epochs 3", "--epochs 40");
        room.bert(&format!("{line} --output one")).succeeded();
        let line = format!("{line} --output killed --save-every 2");
        let bert = env!("CARGO_BIN_EXE_bert");
        let mut command = mpirun(&room);
        command
            .args(["-n", "1", bert])
            .args(line.split_whitespace());
        let told = format!("echo $$ > rank-1.pid; exec {bert} {line}");
        command.args([":", "-n", "1", "sh", "-c", &told]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        wait_for_checkpoint(&room);
        let pid = room.read("rank-1.pid");
        let status = Command::new("kill")
            .args(["-s", "KILL", pid.trim()])
            .status();
        assert!(status.unwrap().success());
        let killed = Run::from(child.wait_with_output().unwrap());
        assert_ne!(killed.code, Some(0));
        assert_eq!(killed.stdout, "");

        on_ranks(&room, &[(3, &format!("{line} --resume"))]).succeeded();
        assert_same_weights(&room, "one", "killed");
    }

    fn wait_for_checkpoint(room: &Room) {
        let start = Instant::now();
        let has_checkpoint = || {
            let folder = room.path("killed").join("checkpoints");
            let entries = folder.read_dir().into_iter().flatten().flatten();
            entries
                .into_iter()
                .any(|entry| entry.file_name().to_string_lossy().starts_with("step-"))
        };
        while !has_checkpoint() {
            assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
