//! A folder with a tiny checkpoint and data in it, and the binary run there.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use safetensors::tensor::{SafeTensors, TensorView};
use serde_json::Value;
use tempfile::TempDir;

/// Fewer tokens than the `vocab_size` of the golden checkpoint.
const VOCABULARY: [&str; 29] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "the", "film", "good", "bad", "warm",
    "dull", "funny", "slow", "very", "not", "and", "plot", "cast", "is", "was", "it", "this", ".",
    ",", "!", "##s", "##ly", "quite",
];

/// A temporary folder in which the binary runs.
pub(crate) struct Room {
    root: TempDir,
}

/// What a run left on its streams.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Room {
    /// Has `base`, an encoder without a head, and `train.tsv` and `eval.tsv`.
    pub(crate) fn new() -> Self {
        let room = Self {
            root: tempfile::tempdir().unwrap(),
        };
        room.checkpoint("base", "gelu");
        room.write("train.tsv", rows(24));
        room.write("eval.tsv", rows(8));
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of all entries, sorted.
    pub(crate) fn entries(&self) -> Vec<String> {
        names_in(self.root.path())
    }

    /// A copy of a golden checkpoint, with a vocabulary.
    pub(crate) fn checkpoint(&self, name: &str, golden: &str) {
        let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens");
        let directory = self.path(name);
        std::fs::create_dir(&directory).unwrap();
        for file in ["config.json", "model.safetensors"] {
            std::fs::copy(goldens.join(golden).join(file), directory.join(file)).unwrap();
        }
        std::fs::write(directory.join("vocab.txt"), VOCABULARY.join("\n")).unwrap();
    }

    /// Runs `bert` with words split at spaces.
    pub(crate) fn bert(&self, line: &str) -> Run {
        self.bert_with(line, &[], b"")
    }

    /// Runs `bert` with further arguments as they are, and something on its standard input.
    pub(crate) fn bert_with(&self, line: &str, further: &[&str], input: &[u8]) -> Run {
        let mut child = self
            .command()
            .args(line.split_whitespace())
            .args(further)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A run that ends early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input);
        Run::from(child.wait_with_output().unwrap())
    }

    /// The binary with no trace of the machine's own settings, and with back traces asked for, which must not show.
    pub(crate) fn command(&self) -> Command {
        self.program(env!("CARGO_BIN_EXE_bert"))
    }

    /// Another program in the same surroundings.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.current_dir(self.root.path());
        for variable in ["BERT_DATASETS", "HF_HUB_CACHE", "HF_TOKEN", "HF_ENDPOINT"] {
            command.env_remove(variable);
        }
        command
            .env("BERT_HOME", self.path("home"))
            .env("HF_HOME", self.path("huggingface"))
            .env("HF_HUB_OFFLINE", "1")
            .env("RUST_BACKTRACE", "1");
        command
    }

    /// Trains `base` for a few steps into `trained`.
    pub(crate) fn train(&self) {
        self.train_into("trained");
    }

    /// Trains `base` for a few steps.
    pub(crate) fn train_into(&self, output: &str) {
        let line = TRAIN.replace("--output trained", &format!("--output {output}"));
        let run = self.bert(&format!("{line} --eval eval.tsv --epochs 1"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
}

/// A training run that would succeed.
pub(crate) const TRAIN: &str = "train text-classification --model base --train train.tsv --output trained --batch-size 8 --lr 1e-3";

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Standard output as one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// Standard output as one JSON value a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        json_lines(&self.stdout)
    }

    /// The run failed with this code and one message that holds these words, and printed no result.
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert_eq!(self.stdout, "");
        assert_eq!(self.stderr.matches("error:").count(), 1, "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {}", self.stderr);
        }
        for noise in ["panicked", "backtrace", "Error {", "Err("] {
            assert!(!self.stderr.contains(noise), "{}", self.stderr);
        }
    }
}

pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Text and label without a header.
pub(crate) fn rows(count: usize) -> String {
    let kinds = [
        ("a very good film", "good"),
        ("the plot was dull and slow", "bad"),
        ("this is funny !", "good"),
    ];
    let row = |index: usize| format!("{}\t{}\n", kinds[index % 3].0, kinds[index % 3].1);
    (0..count).map(row).collect()
}

/// Writes data for every task whose rows are the same in each epoch, and gives the words of a command line that name it.
pub(crate) fn fixed_inputs(room: &Room) -> [&'static str; 5] {
    room.write(
        "tags.conll",
        "good O\nfilm B-X\n\nbad O\nplot B-X\ncast I-X\n\n".repeat(8),
    );
    let question = |id: usize| {
        let answers = r#"[{"text":"good","answer_start":13}]"#;
        let qas = format!(r#"[{{"id":"{id}","question":"was it good ?","answers":{answers}}}]"#);
        format!(
            r#"{{"title":"t","paragraphs":[{{"context":"the film was good and funny","qas":{qas}}}]}}"#
        )
    };
    let articles: Vec<String> = (0..12).map(question).collect();
    room.write(
        "squad.json",
        format!(r#"{{"version":"1.1","data":[{}]}}"#, articles.join(",")),
    );
    let pairs = "a good film\tit is good\tentailment\nbad cast\tthe cast is good\tcontradiction\n\
                 the plot\tit is slow\tneutral\n";
    room.write(
        "nli.tsv",
        format!("premise\thypothesis\tlabel\n{}", pairs.repeat(6)),
    );
    let document = "a good film .\nit is funny .\nthe cast is warm .\n\nthe plot was dull .\nit was slow .\n\n";
    room.write("pairs.txt", document.repeat(6));
    [
        "text-classification --train train.tsv --eval eval.tsv",
        "token-classification --train tags.conll --eval tags.conll",
        "question-answering --train squad.json --eval squad.json --max-length 24 --stride 4",
        "natural-language-inference --train nli.tsv --eval nli.tsv",
        "next-sentence --train pairs.txt --eval pairs.txt",
    ]
}

/// Rewrites a safetensors file, tensor by tensor; `None` leaves one out.
pub(crate) fn rewrite(path: &Path, change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) {
    let bytes = std::fs::read(path).unwrap();
    let old = SafeTensors::deserialize(&bytes).unwrap();
    let changed: Vec<(String, Vec<u8>)> = old
        .tensors()
        .into_iter()
        .filter_map(|(name, view)| change(&name, view.data().to_vec()).map(|data| (name, data)))
        .collect();
    let views: BTreeMap<&str, TensorView<'_>> = changed
        .iter()
        .map(|(name, data)| {
            let view = old.tensor(name).unwrap();
            (
                name.as_str(),
                TensorView::new(view.dtype(), view.shape().to_vec(), data).unwrap(),
            )
        })
        .collect();
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// Adds a tensor of a safetensors file to it a second time, under another name.
pub(crate) fn add_copy(path: &Path, original: &str, copy: &str) {
    let bytes = std::fs::read(path).unwrap();
    let old = SafeTensors::deserialize(&bytes).unwrap();
    let mut views: BTreeMap<String, TensorView<'_>> = old.tensors().into_iter().collect();
    views.insert(copy.to_owned(), old.tensor(original).unwrap());
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}
