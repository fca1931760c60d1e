//! Inputs of any size, with lines that cannot be answered among them: constant memory, and each answer in its place.

use std::process::Child;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

use super::support::{Room, Run, json_lines};

/// Every so many lines one is malformed.
const ONE_IN: usize = 100;

/// How an input is written, and how its malformed lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Jsonl,
    Tsv,
    Csv,
    Parquet,
    StandardInput,
}

const KINDS: [Kind; 6] = [
    Kind::Text,
    Kind::Jsonl,
    Kind::Tsv,
    Kind::Csv,
    Kind::Parquet,
    Kind::StandardInput,
];

fn is_malformed(row: usize) -> bool {
    row % ONE_IN == ONE_IN / 2
}

/// A text for each row; those of two hundred rows differ.
fn text(row: usize) -> String {
    let words = ["good", "bad", "warm", "dull", "funny", "slow"];
    let word = |index: usize| words[index % words.len()];
    format!("a {} film , very {}", word(row), word(row / 6))
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "inputs.txt",
            Self::Jsonl => "inputs.jsonl",
            Self::Tsv => "inputs.tsv",
            Self::Csv => "inputs.csv",
            Self::Parquet => "inputs.parquet",
            Self::StandardInput => "-",
        }
    }

    /// Lines before the first row.
    fn header(self) -> usize {
        usize::from(matches!(self, Self::Tsv | Self::Csv))
    }

    fn bytes(self, rows: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Parquet => return parquet(rows),
            Self::Tsv => bytes.extend(b"id\ttext\tlabel\n"),
            Self::Csv => bytes.extend(b"id,text,label\n"),
            Self::Text | Self::Jsonl | Self::StandardInput => {}
        }
        for row in 0..rows {
            let text = text(row);
            match (self, is_malformed(row)) {
                (Self::Tsv, false) => bytes.extend(format!("{row}\t{text}\tgood\n").bytes()),
                (Self::Csv, false) => bytes.extend(format!("{row},\"{text}\",good\n").bytes()),
                (Self::Jsonl, false) => bytes.extend(format!("{{\"text\": \"{text}\"}}\n").bytes()),
                (_, false) => bytes.extend(format!("{text}\n").bytes()),
                (Self::Tsv | Self::Csv, true) => bytes.extend(format!("{row}\n").bytes()),
                (Self::Jsonl, true) => bytes.extend(b"{\"texts\": 1}\n"),
                (_, true) => bytes.extend(b"caf\xe9\n"),
            }
        }
        bytes
    }
}

/// Malformed rows have no text.
fn parquet(rows: usize) -> Vec<u8> {
    let texts = (0..rows).map(|row| (!is_malformed(row)).then(|| text(row)));
    let texts: ArrayRef = Arc::new(StringArray::from_iter(texts));
    let batch = RecordBatch::try_from_iter_with_nullable([("text", texts, true)]).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn room() -> Room {
    let room = Room::new();
    room.train();
    room
}

/// Runs `bert predict` over the rows and gives the highest resident memory that was seen, in bytes.
fn predict(room: &Room, kind: Kind, rows: usize, flags: &str) -> (Run, u64) {
    let name = match kind {
        Kind::StandardInput => "stream",
        _ => kind.name(),
    };
    room.write(name, kind.bytes(rows));
    let line = format!(
        "predict text-classification --model trained --threads 1 {flags} --input {}",
        kind.name()
    );
    let mut command = room.command();
    command.args(line.split_whitespace());
    let input = std::fs::File::open(room.path(name)).unwrap();
    command.stdin(input);
    let (stdout, stderr) = (room.path("stdout"), room.path("stderr"));
    command.stdout(std::fs::File::create(&stdout).unwrap());
    command.stderr(std::fs::File::create(&stderr).unwrap());
    let mut child = command.spawn().unwrap();
    let memory = highest_memory(&mut child);
    let run = Run {
        code: child.wait().unwrap().code(),
        stdout: room.read("stdout"),
        stderr: room.read("stderr"),
    };
    (run, memory)
}

/// Looks at a process until it ends. The system keeps the highest value, so little is missed.
fn highest_memory(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut highest = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        highest = highest.max(kilobytes.unwrap_or(0) * 1024);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    highest
}

/// Each row has its record: the answer that its text has alone, or what is wrong with its line.
fn check(run: &Run, kind: Kind, rows: usize, expected: &[Value]) {
    assert_eq!(run.code, Some(0), "{kind:?}: {}", run.stderr);
    let records = run.json_lines();
    assert_eq!(records.len(), rows, "{kind:?}");
    for (row, record) in records.iter().enumerate() {
        if !is_malformed(row) {
            assert_eq!(
                record,
                &expected[row % expected.len()],
                "{kind:?}, row {row}"
            );
            continue;
        }
        let message = record["error"].as_str().unwrap();
        let line = format!(", line {}: ", row + 1 + kind.header());
        assert!(message.contains(&line), "{kind:?}: {message}");
    }
    let first: Vec<String> = (0..rows)
        .filter(|&row| is_malformed(row))
        .map(|row| (row + 1 + kind.header()).to_string())
        .take(10)
        .collect();
    let words = format!("not answered: lines {}", first.join(", "));
    assert!(
        run.stderr.contains(&words),
        "no {words:?} in {}",
        run.stderr
    );
}

/// The answers to the texts of 36 rows, after which they begin again.
fn answers(room: &Room) -> Vec<Value> {
    let lines: String = (0..36).map(|row| text(row) + "\n").collect();
    let line = "predict text-classification --model trained --threads 1 --input -";
    json_lines(
        &room
            .bert_with(line, &[], lines.as_bytes())
            .succeeded()
            .stdout,
    )
}

#[test]
fn every_kind_of_input_is_answered_in_its_place_with_malformed_lines_among_it() {
    let room = room();
    let expected = answers(&room);
    for kind in KINDS {
        let (run, _) = predict(&room, kind, 2000, "--on-error skip");
        check(&run, kind, 2000, &expected);
        let (run, _) = predict(&room, kind, 2000, "");
        assert_eq!(run.code, Some(1), "{kind:?}: {}", run.stderr);
        assert_eq!(run.stdout.lines().count(), ONE_IN / 2, "{kind:?}");
        let line = format!(", line {}: ", ONE_IN / 2 + 1 + kind.header());
        assert!(run.stderr.contains(&line), "{kind:?}: {}", run.stderr);
    }
}

/// `cargo test --workspace --features wgpu --test bert -- --ignored --nocapture hundred_thousand` prints the figures.
#[test]
#[ignore = "takes minutes"]
fn a_hundred_thousand_lines_need_the_memory_of_a_thousand() {
    const MORE_BYTES: u64 = 16 << 20;
    let room = room();
    let expected = answers(&room);
    for kind in KINDS {
        let [few, many] = [1000, 100_000].map(|rows| {
            let (run, memory) = predict(&room, kind, rows, "--on-error skip");
            check(&run, kind, rows, &expected);
            memory
        });
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!(
            "{kind:?}: {:.1} MiB for 1,000 lines, {:.1} MiB for 100,000",
            mib(few),
            mib(many)
        );
        assert!(many < few + MORE_BYTES, "{kind:?}");
    }
}

#[test]
fn vectors_keep_their_places_behind_malformed_lines() {
    let room = room();
    room.write(
        "texts.jsonl",
        "{\"text\": \"good\"}\n{\"txt\": 1}\n{\"text\": \"bad\"}\n",
    );
    let line = "embed --model base --input texts.jsonl";
    room.bert(&format!("{line} --output vectors.npy"))
        .failed(1, &["texts.jsonl, line 2"]);
    let run = room.bert(&format!("{line} --on-error skip")).succeeded();
    let records = run.json_lines();
    assert!(records[0]["embedding"].is_array() && records[2]["embedding"].is_array());
    assert!(
        records[1]["error"].as_str().unwrap().contains("line 2"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("1 of 3 lines not answered: line 2"),
        "{}",
        run.stderr
    );
    room.bert(&format!("{line} --on-error skip --output vectors.npy"))
        .succeeded();
    let bytes = std::fs::read(room.path("vectors.npy")).unwrap();
    let rows = bytes[128..].as_chunks::<64>().0;
    let is_nan = |row: &[u8; 64]| {
        row.as_chunks::<4>()
            .0
            .iter()
            .all(|four| f32::from_le_bytes(*four).is_nan())
    };
    let nan: Vec<bool> = rows.iter().map(is_nan).collect();
    assert_eq!(nan, [false, true, false]);
}

#[test]
fn refused_inputs_of_other_tasks_are_named_with_their_lines() {
    let room = room();
    room.write(
        "masks.csv",
        "text\na [MASK] film\nno mask\n\"the\n[MASK]\"\nnone\n",
    );
    let line = "predict masked-lm --model masked --input masks.csv";
    room.write("text.txt", "a very good film , and funny .\n".repeat(20));
    let train = "train masked-lm --model base --train text.txt --output masked --max-steps 1 --max-length 16";
    room.bert(train).succeeded();
    let run = room.bert(line);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("masks.csv, line 3: the text starting with \"no mask\""),
        "{}",
        run.stderr
    );
    let run = room.bert(&format!("{line} --on-error skip")).succeeded();
    let errors: Vec<bool> = run
        .json_lines()
        .iter()
        .map(|line| line["error"].is_string())
        .collect();
    assert_eq!(errors, [false, true, false, true]);
    assert!(
        run.stderr.contains("2 of 4 lines not answered: lines 3, 6"),
        "{}",
        run.stderr
    );
}
