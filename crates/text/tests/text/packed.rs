//! Compressed files, wherever a file is named.

use std::io::{Cursor, Write};
use std::path::Path;

use bert_text::{
    ColumnOptions, Dataset, Format, PredictInputs, ReadError, SquadDataset, TagColumns,
    TaggedDataset, TextPieces, UnpackError,
};

use crate::file;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zstandard(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).expect("compressed")
}

fn zip(member: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file(member, options).expect("a member");
    zip.write_all(content).expect("compressed");
    zip.finish().expect("an archive").into_inner()
}

/// The content in every packing, with a name that tells of it.
fn packed(name: &str, content: &[u8]) -> Vec<(String, Vec<u8>)> {
    vec![
        (format!("{name}.gz"), gzip(content)),
        (format!("{name}.zst"), zstandard(content)),
        ("data.zip".to_owned(), zip(name, content)),
    ]
}

const ROWS: &str = "text\tlabel\ngood\t1\nbad\t0\n";

#[test]
fn rows_are_read_from_every_packing() {
    let json = "{\"text\": \"good\", \"label\": 1}\n{\"text\": \"bad\", \"label\": 0}\n";
    for (name, content) in [("a.tsv", ROWS), ("a.jsonl", json)] {
        for (name, bytes) in packed(name, content.as_bytes()) {
            let (_dir, path) = file(&name, bytes);
            let dataset = Dataset::read(&path, &ColumnOptions::default()).expect(&name);
            assert_eq!(dataset.texts(), [("good", None), ("bad", None)], "{name}");
        }
    }
    let two_members = [gzip(b"a\t0\n"), gzip(b"b\t1\n")].concat();
    let (_dir, path) = file("a.tsv.gz", two_members);
    let dataset = Dataset::read(&path, &ColumnOptions::default()).expect("rows");
    assert_eq!(dataset.examples.len(), 2, "as `cat a.gz b.gz` makes it");
    let (_dir, path) = file("a.tsv.gz", ROWS);
    assert!(
        Dataset::read(&path, &ColumnOptions::default()).is_ok(),
        "unpacked on its way here"
    );
}

#[test]
fn other_kinds_of_data_are_read_from_every_packing() {
    for (name, bytes) in packed("a.conll", b"EU B-ORG\nsays O\n") {
        let (_dir, path) = file(&name, bytes);
        let data = TaggedDataset::read(&path, &TagColumns::default()).expect(&name);
        assert_eq!(data.sentences[0].tags, ["B-ORG", "O"], "{name}");
    }
    for (name, bytes) in packed("a.txt", b"one\n\ntwo\n") {
        let (_dir, path) = file(&name, &bytes);
        let pieces: Result<Vec<_>, _> = TextPieces::open(&path).expect(&name).collect();
        assert_eq!(pieces.expect("pieces").len(), 3, "{name}");
        let inputs: Vec<_> = PredictInputs::<_>::open(&path).expect(&name).collect();
        let inputs: Result<Vec<bert_text::PredictInput>, _> = inputs.into_iter().collect();
        assert_eq!(inputs.expect("inputs").len(), 3, "{name}");
    }
    let squad = br#"{"data": [{"paragraphs": [{"context": "a", "qas": [{"id": "1", "question": "q", "answers": []}]}]}]}"#;
    for (name, bytes) in packed("dev.json", squad) {
        let (_dir, path) = file(&name, bytes);
        assert_eq!(SquadDataset::read(&path).expect(&name).questions.len(), 1);
    }
}

/// Bytes that do not shrink much.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let mut row = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("text {state}\t{}\n", state >> 31)
    };
    (0..2000).map(|_| row()).collect::<String>().into_bytes()
}

#[test]
fn data_that_is_cut_short_is_told_from_data_that_ends() {
    for (name, mut bytes) in packed("a.tsv", &noise()) {
        bytes.truncate(bytes.len() / 2);
        let (_dir, path) = file(&name, bytes);
        let message = Dataset::read(&path, &ColumnOptions::default())
            .expect_err(&name)
            .to_string();
        let expected = match name.ends_with(".zip") {
            true => "damaged",
            false => "is cut short; fetch or copy the file again",
        };
        assert!(
            message.contains(&name) && message.contains(expected),
            "{message}"
        );
    }
    for name in ["a.tsv.gz", "a.tsv.zst"] {
        let (_dir, path) = file(name, "");
        let message = Dataset::read(&path, &ColumnOptions::default())
            .expect_err(name)
            .to_string();
        assert!(message.contains("cut short"), "{message}");
    }
    let mut damaged = gzip(&noise());
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    let (_dir, path) = file("a.tsv.gz", damaged);
    let error = Dataset::read(&path, &ColumnOptions::default()).expect_err("damaged");
    assert!(matches!(error, ReadError::Unpack { .. }), "{error}");
}

/// Whoever goes on behind an error would else go on for ever.
#[test]
fn what_is_read_piece_by_piece_ends_behind_an_error_of_the_file() {
    let mut cut = gzip(&noise());
    cut.truncate(cut.len() / 2);
    let (_dir, path) = file("a.txt.gz", cut);
    let pieces = TextPieces::open(&path).expect("a file");
    assert_eq!(pieces.filter(Result::is_err).count(), 1);
    let inputs = PredictInputs::<_, bert_text::PredictInput>::open(&path).expect("a file");
    let of_the_file = |error: ReadError| matches!(error, ReadError::Unpack { .. });
    let last = inputs.last().expect("a line");
    assert!(of_the_file(last.expect_err("the end is missing")));
    let mut line = vec![b'a'; 1 << 17];
    line[1 << 15] = 0xff;
    let (_dir, path) = file("a.txt", line);
    let pieces = TextPieces::open(&path).expect("a file");
    assert_eq!(pieces.filter(Result::is_err).count(), 1);
}

#[test]
fn a_bomb_is_refused_with_the_way_to_raise_the_limit() {
    let zeros = vec![b'0'; 65 << 20];
    for (name, bytes) in packed("a.tsv", &zeros) {
        assert!(bytes.len() < 1 << 20, "{name}");
        let (_dir, path) = file(&name, bytes);
        let error = Dataset::read(&path, &ColumnOptions::default()).expect_err(&name);
        let message = error.to_string();
        assert!(
            matches!(
                &error,
                ReadError::Unpack {
                    source: UnpackError::TooLarge { .. },
                    ..
                }
            ),
            "{error}"
        );
        for words in [&*name, "200 times its size", "BERT_MAX_UNPACKED_BYTES"] {
            assert!(message.contains(words), "{message}");
        }
    }
}

#[test]
fn an_archive_of_several_files_is_refused_by_their_names() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["train.tsv", "dev.tsv"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .expect("a member");
        zip.write_all(ROWS.as_bytes()).expect("compressed");
    }
    let (_dir, path) = file("data.zip", zip.finish().expect("an archive").into_inner());
    let message = Dataset::read(&path, &ColumnOptions::default())
        .expect_err("two files")
        .to_string();
    assert!(
        message.contains("2 files (train.tsv, dev.tsv); expected one"),
        "{message}"
    );
}

#[test]
fn names_behind_which_a_packing_stands_tell_the_format() {
    for (name, format) in [
        ("a.tsv.gz", Format::Tsv),
        ("a.CSV.ZST", Format::Csv),
        ("a.jsonl.gzip", Format::JsonLines),
        ("a.parquet", Format::Parquet),
        ("a.arrow", Format::Arrow),
    ] {
        assert_eq!(Format::from_path(Path::new(name)).expect(name), format);
    }
    assert!(Format::from_path(Path::new("a.gz")).is_err());
}
