//! `bert embed`.

use std::path::Path;

use serde_json::Value;

use super::support::{Room, Run};

/// A directory of sentence-transformers, with a dense layer to 7 numbers and a normalisation.
fn room() -> Room {
    let room = Room::new();
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/sentence_embedding");
    copy(&golden, &room.path("sentences"));
    room.write(
        "texts.txt",
        "the movie is great and not bad\na\nhello world\n",
    );
    room
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let (path, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(path, to).unwrap();
        }
    }
}

const EMBED: &str = "embed --model sentences --input texts.txt";

fn embed(room: &Room, flags: &str) -> Vec<Vec<f32>> {
    let run = room.bert(&format!("{EMBED} {flags}")).succeeded();
    vectors(&run.json_lines())
}

fn vectors(lines: &[Value]) -> Vec<Vec<f32>> {
    let vector = |line: &Value| serde_json::from_value(line["embedding"].clone()).unwrap();
    lines.iter().map(vector).collect()
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

fn says(run: &Run, words: &[&str]) {
    for word in words {
        assert!(run.stderr.contains(word), "no {word:?} in {}", run.stderr);
    }
}

#[test]
fn each_text_gets_a_vector_in_its_place() {
    let room = room();
    let vectors = embed(&room, "--batch-size 2");
    assert_eq!(vectors.len(), 3);
    for vector in &vectors {
        assert_eq!(vector.len(), 7);
        assert!((length(vector) - 1.0).abs() < 1e-6, "{vector:?}");
    }
    let input = "hello world\n\n{\"text\": \"a\"}\n";
    let run = room
        .bert_with("embed --model sentences --input -", &[], input.as_bytes())
        .succeeded();
    says(
        &run,
        &[
            "2 layers of width 12",
            "mean pooling",
            "7 numbers, normalised to length 1",
        ],
    );
    let others = self::vectors(&run.json_lines());
    // An empty line is an empty text, which has its vector, too.
    assert_eq!(others.len(), 3);
    for (one, other) in [(&vectors[2], &others[0]), (&vectors[1], &others[2])] {
        let difference = |(a, b): (&f32, &f32)| (a - b).abs();
        assert!(one.iter().zip(other).map(difference).fold(0.0, f32::max) < 1e-5);
    }
}

#[test]
fn a_numpy_file_has_the_rows_of_the_json_lines() {
    let room = room();
    let expected = embed(&room, "");
    let run = room.bert(&format!("{EMBED} -o vectors.npy")).succeeded();
    assert_eq!(run.stdout, "");
    room.bert(&format!("{EMBED} --output vectors.jsonl"))
        .succeeded();
    room.bert(&format!("{EMBED} --output vectors.out --format npy"))
        .succeeded();
    assert_eq!(
        vectors(&super::support::json_lines(&room.read("vectors.jsonl"))),
        expected
    );

    let bytes = std::fs::read(room.path("vectors.npy")).unwrap();
    let (header, numbers) = bytes.split_at(128);
    assert_eq!(header[..10], *b"\x93NUMPY\x01\x00\x76\x00");
    let header = str::from_utf8(&header[10..]).unwrap();
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 7), }";
    assert_eq!(header.trim_end_matches(['\n', ' ']), dictionary);
    let numbers = numbers.as_chunks::<4>().0.iter();
    let numbers: Vec<f32> = numbers.map(|four| f32::from_le_bytes(*four)).collect();
    assert_eq!(numbers, expected.concat());
    assert_eq!(std::fs::read(room.path("vectors.out")).unwrap(), bytes);
}

#[test]
fn no_text_gives_an_array_without_rows() {
    let room = room();
    room.write("texts.txt", "");
    room.bert(&format!("{EMBED} --output vectors.npy"))
        .succeeded();
    let bytes = std::fs::read(room.path("vectors.npy")).unwrap();
    assert_eq!(bytes.len(), 128);
    assert!(String::from_utf8_lossy(&bytes).contains("'shape': (0, 7)"));
}

#[test]
fn an_encoder_without_modules_is_averaged_and_that_is_said() {
    let room = room();
    let run = room
        .bert("embed --model base --input texts.txt")
        .succeeded();
    says(&run, &["no modules.json", "mean pooling", "not normalised"]);
    assert_eq!(vectors(&run.json_lines())[0].len(), 16);
    let pooled = room.bert("embed --model base --input texts.txt --pooling lasttoken,cls");
    let pooled = pooled.succeeded();
    says(&pooled, &["lasttoken + cls pooling"]);
    assert!(
        !pooled.stderr.contains("no modules.json"),
        "{}",
        pooled.stderr
    );
    assert_eq!(vectors(&pooled.json_lines())[0].len(), 32);
}

#[test]
fn flags_win_over_the_directory() {
    let room = room();
    let whole = embed(&room, "");
    let raw = embed(&room, "--no-normalize");
    assert!((length(&raw[0]) - 1.0).abs() > 1e-3);
    let cut = embed(&room, "--truncate-dim 3");
    assert_eq!(cut[0], whole[0][..3]);
    let cut = embed(&room, "--truncate-dim 3 --normalize");
    assert!((length(&cut[0]) - 1.0).abs() < 1e-6);
    assert_ne!(embed(&room, "--pooling max"), whole);
    let named = room
        .bert(&format!("{EMBED} --prompt-name query"))
        .succeeded();
    says(&named, &["prompt  \"the film: \" stands before each text"]);
    let given = room
        .bert_with(EMBED, &["--prompt", "the film: "], b"")
        .succeeded();
    assert_eq!(named.stdout, given.stdout);
    assert_ne!(vectors(&named.json_lines()), whole);
    let short = room.bert(&format!("{EMBED} --max-length 4")).succeeded();
    says(&short, &["note    1 of 3 inputs cut at 4 tokens"]);
}

#[test]
fn a_column_of_a_file_of_rows_is_read() {
    let room = room();
    let expected = embed(&room, "");
    let rows = "id\tsentence1\tsentence2\n1\tthe movie is great and not bad\tx\n2\ta\ty\n3\thello world\tz\n";
    room.write("rows.tsv", rows);
    let line = "embed --model sentences --input rows.tsv";
    let run = room
        .bert(&format!("{line} --text-column sentence1"))
        .succeeded();
    assert_eq!(vectors(&run.json_lines()), expected);
    room.bert(line)
        .failed(1, &["rows.tsv", "two texts", "--text-column"]);
    let line = "embed --model sentences --input -";
    room.bert(&format!("{line} --text-column 0"))
        .failed(1, &["standard input", "--input-format"]);
}

#[test]
fn wrong_usage_is_refused_before_a_model_is_opened() {
    let room = room();
    let line = "embed --model nowhere/else --input texts.txt";
    room.bert(line).failed(1, &["nowhere/else"]);
    let line = "embed --model sentences/model.safetensors --input texts.txt";
    room.bert(line)
        .failed(1, &["model.safetensors: is a file", "the directory"]);
    for (flags, words) in [
        ("--format npy", ["--output", "npy"]),
        ("--output vectors.bin", ["vectors.bin", "--format jsonl"]),
        (
            "--prompt a --prompt-name b",
            ["--prompt", "cannot be used with"],
        ),
        ("--pooling median", ["`median`", "lasttoken"]),
        ("--truncate-dim 0", ["--truncate-dim", "at least 1"]),
    ] {
        room.bert(&format!("{EMBED} {flags}")).failed(2, &words);
    }
    for (flags, words) in [
        ("--truncate-dim 8", ["sentences", "7 numbers"]),
        ("--prompt-name passage", ["`passage`", "document, query"]),
        ("--pooling cls,mean", ["2_Dense", "12 numbers"]),
    ] {
        room.bert(&format!("{EMBED} {flags}")).failed(1, &words);
    }
}

#[test]
fn a_run_that_fails_leaves_the_file_as_it_was() {
    let room = room();
    room.write("texts.txt", "hello\n{\"txt\": 1}\n");
    for file in ["vectors.npy", "vectors.jsonl"] {
        room.write(file, "old");
        let run = room.bert(&format!("{EMBED} --output {file}"));
        run.failed(1, &["texts.txt, line 2"]);
        assert_eq!(room.read(file), "old");
    }
    assert!(!room.entries().iter().any(|name| name.starts_with(".bert-")));
}
