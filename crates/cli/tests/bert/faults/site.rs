//! What faults are made on: two trained models, data, and what undisturbed commands say of them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::super::hub::stand_in::StandIn;
use super::super::interrupted::Random;
use super::super::support::{Room, Run, names_in};

/// A run of 18 steps with a checkpoint after each.
pub(super) const TRAIN: &str = "train text-classification --model base --train train.tsv --eval eval.tsv --batch-size 4 \
                                --lr 1e-3 --dropout 0.1 --epochs 3 --save-every 1 --keep last:2 --device flex --threads 1";
/// A run whose frozen part has more hidden states than memory may take.
pub(super) const CACHED: &str = "train text-classification --model base --train many.tsv --batch-size 64 --lr 1e-3 \
                                 --epochs 2 --tune head --feature-cache f32:1MB --save-every 4 --device flex --threads 1";

pub(super) struct Site {
    pub(super) room: Room,
    pub(super) hub: StandIn,
    /// The answers of each model to `inputs.txt`.
    pub(super) answers: [String; 2],
    /// How long a whole run takes, and how long one that only starts.
    pub(super) training: Duration,
    pub(super) caching: Duration,
    pub(super) starting: Duration,
    number: Cell<usize>,
}

/// The content of a folder, file by file.
pub(super) type Content = BTreeMap<String, Vec<u8>>;

impl Site {
    pub(super) fn new() -> Self {
        let room = Room::new();
        room.write(
            "inputs.txt",
            "a good film\nslow and dull\n\nnot bad !\n".repeat(50),
        );
        room.write("many.tsv", distinct_rows(700));
        // Two models that differ in their weights and in the names of their classes.
        let other = room
            .read("train.tsv")
            .replace("\tgood", "\twarm")
            .replace("\tbad", "\tcold");
        room.write("other.tsv", other);
        for (train, output, seed) in [("train.tsv", "first", 1), ("other.tsv", "second", 2)] {
            let line = format!(
                "train text-classification --model base --train {train} --output {output} --batch-size 8 --lr 1e-2 \
                 --epochs 2 --seed {seed}"
            );
            room.bert(&line).succeeded();
        }
        let answers =
            ["first", "second"].map(|model| room.bert(&predict(model)).succeeded().stdout);
        assert_ne!(answers[0], answers[1]);
        let files = ["config.json", "model.safetensors", "vocab.txt"];
        let contents = files.map(|file| std::fs::read(room.path("first").join(file)).unwrap());
        let published = files.into_iter().zip(contents.iter().map(Vec::as_slice));
        let published: Vec<(&'static str, &[u8])> = published.collect();
        let timed = |line: &str| {
            let clock = Instant::now();
            room.bert(line).succeeded();
            clock.elapsed()
        };
        Self {
            hub: StandIn::start("owner/name", &published),
            training: timed(&format!("{TRAIN} --output whole")),
            caching: timed(&format!("{CACHED} --output whole-cached")),
            starting: timed(&predict("first")),
            answers,
            number: Cell::new(0),
            room,
        }
    }

    /// A name that nothing has yet.
    pub(super) fn fresh(&self, word: &str) -> String {
        self.number.set(self.number.get() + 1);
        format!("{word}-{}", self.number.get())
    }

    /// A copy of one of the models under a new name.
    pub(super) fn copy_of(&self, model: &str) -> String {
        let name = self.fresh("copy");
        let (from, to) = (self.room.path(model), self.room.path(&name));
        std::fs::create_dir(&to).unwrap();
        for file in ["config.json", "model.safetensors", "vocab.txt"] {
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
        name
    }

    /// The content of a folder of the room, hidden files included.
    pub(super) fn content(&self, folder: &str) -> Content {
        let dir = self.room.path(folder);
        let read = |name: String| {
            let bytes = std::fs::read(dir.join(&name)).unwrap();
            (name, bytes)
        };
        let names = names_in(&dir).into_iter();
        names
            .filter(|name| dir.join(name).is_file())
            .map(read)
            .collect()
    }

    /// Removes what a fault has been made on.
    pub(super) fn clear(&self, name: &str) {
        let path = self.room.path(name);
        let removed = match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        removed.unwrap();
    }

    /// A moment within a time.
    pub(super) fn moment(&self, random: &mut Random, time: Duration) -> Duration {
        Duration::from_micros(random.below(time.as_micros() as u64 + 1))
    }

    /// Runs the command behind a line of `bash`, which ends with `exec`.
    pub(super) fn in_shell(&self, before: &str, line: &str, redirect: &str) -> Run {
        let bert = env!("CARGO_BIN_EXE_bert");
        let script = format!("{before} exec {bert} {line} {redirect}");
        Run::from(self.shell(&script))
    }

    pub(super) fn shell(&self, script: &str) -> Output {
        let mut command: Command = self.room.program("bash");
        command.args(["-c", script]).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Makes sure that the models are as they were.
    pub(super) fn is_unharmed(&self) {
        for (model, answers) in ["first", "second"].iter().zip(&self.answers) {
            let run = self.room.bert(&predict(model)).succeeded();
            assert!(run.stdout == *answers, "{model} has other answers");
        }
    }
}

pub(super) fn predict(model: &str) -> String {
    format!("predict text-classification --model {model} --input inputs.txt --threads 1")
}

/// Whether a run has ended by itself: with a result or with one message, never by a signal or a panic.
pub(super) fn has_ended_well(run: &Run) {
    assert!(
        matches!(run.code, Some(0 | 1)),
        "{:?}: {}",
        run.code,
        run.stderr
    );
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let messages = run.stderr.matches("error:").count();
    assert_eq!(messages, usize::from(run.code == Some(1)), "{}", run.stderr);
}

/// Rows of about thirty tokens, each with other words.
fn distinct_rows(count: usize) -> String {
    let words = [
        "a", "the", "film", "good", "bad", "warm", "dull", "funny", "slow", "very", "not", "and",
    ];
    let mut random = Random(7);
    let mut row = |index: usize| {
        let text: Vec<&str> = (0..28).map(|_| words[random.below(12) as usize]).collect();
        format!("{}\t{}\n", text.join(" "), ["good", "bad"][index % 2])
    };
    (0..count).map(&mut row).collect()
}

/// Whether a path leads to something.
pub(super) fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}
