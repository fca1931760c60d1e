//! Parquet and Arrow.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::{Int8Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, FixedSizeListArray, Float32Array, Int64Array,
    ListArray, NullArray, RecordBatch, StringArray, StructArray,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use bert_text::{
    Column, ColumnOptions, Dataset, GoldAnswer, Label, LabelSet, ReadError, RowFilter,
    SquadDataset, TagColumns, TaggedDataset,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
use parquet::file::properties::WriterProperties;

use crate::{file, with_cause};

fn batch(columns: Vec<(&str, ArrayRef)>, metadata: Option<&str>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let metadata = metadata.map(|text| ("huggingface".to_owned(), text.to_owned()));
    let schema = Schema::new_with_metadata(fields, metadata.into_iter().collect::<HashMap<_, _>>());
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), arrays).expect("a batch")
}

fn parquet(batch: &RecordBatch, compression: Compression, rows_of_group: usize) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(rows_of_group))
        .build();
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(batch).expect("rows");
    writer.into_inner().expect("a file")
}

fn arrow_file(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    writer.write(batch).expect("rows");
    writer.finish().expect("a file");
    writer.into_inner().expect("a file")
}

fn arrow_stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    writer.write(batch).expect("rows");
    writer.finish().expect("a stream");
    writer.into_inner().expect("a stream")
}

/// The rows as all kinds of files.
fn files(batch: &RecordBatch) -> Vec<(&'static str, Vec<u8>)> {
    let zstd = Compression::ZSTD(ZstdLevel::default());
    vec![
        ("a.parquet", parquet(batch, Compression::SNAPPY, 1)),
        ("b.parquet", parquet(batch, zstd, 1000)),
        (
            "c.parquet",
            parquet(batch, Compression::GZIP(Default::default()), 1000),
        ),
        ("file.arrow", arrow_file(batch)),
        ("stream.arrow", arrow_stream(batch)),
    ]
}

fn strings(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn integers(numbers: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(numbers.to_vec()))
}

const NAMED: &str = r#"{"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
    "ner_tags": {"feature": {"names": ["O", "B-x"], "_type": "ClassLabel"}, "_type": "Sequence"}}}}"#;

#[test]
fn hub_data_has_the_names_of_its_classes() {
    let rows = batch(
        vec![
            (
                "idx",
                Arc::new(Date32Array::from(vec![1, 2, 3])) as ArrayRef,
            ),
            ("sentence", strings(&["good", "bad", "unknown"])),
            ("label", integers(&[1, 0, -1])),
        ],
        Some(NAMED),
    );
    for (name, bytes) in files(&rows) {
        let (_dir, path) = file(name, bytes);
        let dataset = Dataset::read(&path, &ColumnOptions::default()).expect(name);
        assert_eq!(dataset.texts(), [("good", None), ("bad", None)], "{name}");
        let set = LabelSet::from_dataset(&dataset).expect("labels");
        assert_eq!(set.names(), ["neg", "pos"]);
        assert_eq!(set.resolve(&dataset).expect("ids"), [1, 0]);
        let notes: Vec<String> = dataset.notes.iter().map(ToString::to_string).collect();
        assert!(notes[1].contains("1 row left out"), "{notes:?}");
    }
}

#[test]
fn columns_are_chosen_as_in_json_lines() {
    let rows = batch(
        vec![
            ("a", strings(&["x", "y"])),
            ("b", strings(&["p", "q"])),
            ("rating", Arc::new(Float32Array::from(vec![0.1, 4.0]))),
            ("kept", Arc::new(BooleanArray::from(vec![true, false]))),
        ],
        None,
    );
    let name = |name: &str| Some(Column::Name(name.to_owned()));
    let options = ColumnOptions {
        text: name("a"),
        text_pair: name("b"),
        label: name("rating"),
        filters: vec!["kept=true".parse::<RowFilter>().expect("a filter")],
        ..ColumnOptions::default()
    };
    for (name, bytes) in files(&rows) {
        let (_dir, path) = file(name, bytes);
        let dataset = Dataset::read(&path, &options).expect(name);
        assert_eq!(dataset.texts(), [("x", Some("p"))]);
        assert_eq!(dataset.examples[0].label, Some(Label::Score(0.1)), "{name}");
        let index = ColumnOptions {
            text: Some(Column::Index(0)),
            ..ColumnOptions::default()
        };
        let message = Dataset::read(&path, &index)
            .expect_err("an index")
            .to_string();
        assert!(message.contains("have names"), "{message}");
        let message = Dataset::read(&path, &ColumnOptions::default())
            .expect_err("no text")
            .to_string();
        assert!(message.contains("a, b, rating, kept"), "{message}");
    }
}

fn tokens() -> ArrayRef {
    let mut tokens = ListBuilder::new(StringBuilder::new());
    for sentence in [&["EU", "says"][..], &["no"]] {
        for word in sentence {
            tokens.values().append_value(word);
        }
        tokens.append(true);
    }
    Arc::new(tokens.finish())
}

#[test]
fn lists_of_tokens_and_tags_are_sentences() {
    let ids = ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1), Some(0)]),
        Some(vec![Some(0)]),
    ]);
    let rows = batch(
        vec![("tokens", tokens()), ("ner_tags", Arc::new(ids))],
        Some(NAMED),
    );
    for (name, bytes) in files(&rows) {
        let (_dir, path) = file(name, bytes);
        let data = TaggedDataset::read(&path, &TagColumns::default()).expect(name);
        assert_eq!(data.sentences[0].words, ["EU", "says"]);
        assert_eq!(data.sentences[0].tags, ["B-x", "O"]);
        assert_eq!(data.sentences[1].lines, [2]);
        assert_eq!(
            LabelSet::from_tags(&data).expect("tags").names(),
            ["O", "B-x"]
        );
    }
    let mut unnamed = files(&batch(
        vec![("tokens", tokens()), ("ner_tags", rows.column(1).clone())],
        None,
    ));
    let (name, bytes) = unnamed.remove(0);
    let (_dir, path) = file(name, bytes);
    let message = TaggedDataset::read(&path, &TagColumns::default())
        .expect_err("ids")
        .to_string();
    assert!(message.contains("--label-names"), "{message}");
}

#[test]
fn questions_of_the_hub_have_their_answers_in_a_structure() {
    let mut texts = ListBuilder::new(StringBuilder::new());
    texts.values().append_value("b");
    texts.append(true);
    texts.append(true);
    let starts =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(2)]), Some(Vec::new())]);
    let field =
        |name, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
    let (texts, starts): (ArrayRef, ArrayRef) = (Arc::new(texts.finish()), Arc::new(starts));
    let answers = StructArray::from(vec![
        (field("text", &texts), texts.clone()),
        (field("answer_start", &starts), starts.clone()),
    ]);
    let rows = batch(
        vec![
            ("id", strings(&["1", "2"])),
            ("context", strings(&["a b", "a b"])),
            ("question", strings(&["q", "r"])),
            ("answers", Arc::new(answers)),
        ],
        None,
    );
    for (name, bytes) in files(&rows) {
        let (_dir, path) = file(name, bytes);
        let data = SquadDataset::read(&path).expect(name);
        assert_eq!(
            data.gold(&data.questions[0]),
            GoldAnswer::At(2..3),
            "{name}"
        );
        assert_eq!(data.gold(&data.questions[1]), GoldAnswer::None);
        assert_eq!(data.contexts, ["a b"]);
    }
}

#[test]
fn dictionaries_are_the_words_they_stand_for() {
    let mut labels = StringDictionaryBuilder::<Int8Type>::new();
    for label in ["good", "bad", "good"] {
        labels.append_value(label);
    }
    let rows = batch(
        vec![
            ("text", strings(&["a", "b", "c"])),
            ("label", Arc::new(labels.finish())),
        ],
        None,
    );
    for (name, bytes) in files(&rows) {
        let (_dir, path) = file(name, bytes);
        let dataset = Dataset::read(&path, &ColumnOptions::default()).expect(name);
        let set = LabelSet::from_dataset(&dataset).expect("labels");
        assert_eq!(
            set.counts(&set.resolve(&dataset).expect("ids")),
            [1, 2],
            "{name}"
        );
    }
}

/// A word of a dictionary stands in every row for nothing, and so do the elements of a list of nulls.
#[test]
fn rows_that_take_no_bytes_of_the_file_are_refused() {
    let word = "a".repeat(100_000);
    let mut words = StringDictionaryBuilder::<Int32Type>::new();
    for _ in 0..2000 {
        words.append_value(&word);
    }
    let texts: ArrayRef = Arc::new(words.finish());
    let words = batch(vec![("text", texts), ("label", integers(&[1; 2000]))], None);
    let nulls = 1 << 26;
    let null = Arc::new(Field::new("item", DataType::Null, true));
    let list = FixedSizeListArray::new(null, nulls, Arc::new(NullArray::new(nulls as usize)), None);
    let lists = batch(
        vec![("text", strings(&["a"])), ("label", Arc::new(list))],
        None,
    );
    for bytes in [
        arrow_file(&words),
        arrow_stream(&words),
        arrow_stream(&lists),
    ] {
        assert!(bytes.len() < 200_000);
        let (_dir, path) = file("a.arrow", bytes);
        let refused = Dataset::read(&path, &ColumnOptions::default()).expect_err("a bomb");
        let message = with_cause(&refused);
        for words in ["a.arrow", "200 times its size", "BERT_MAX_UNPACKED_BYTES"] {
            assert!(message.contains(words), "{message}");
        }
    }
}

#[test]
fn a_column_of_another_type_is_named() {
    let dates = batch(
        vec![
            ("text", strings(&["a"])),
            ("label", Arc::new(Date32Array::from(vec![1])) as ArrayRef),
        ],
        None,
    );
    let numbers = batch(
        vec![("text", integers(&[7])), ("label", integers(&[1]))],
        None,
    );
    for (rows, words) in [
        (dates, ["column \"label\"", "Date32"]),
        (
            numbers,
            ["line 1: \"text\" is an integer", "expected a string"],
        ),
    ] {
        for (name, bytes) in files(&rows) {
            let (_dir, path) = file(name, bytes);
            let message = Dataset::read(&path, &ColumnOptions::default())
                .expect_err(name)
                .to_string();
            for words in [words[0], words[1], name] {
                assert!(message.contains(words), "no {words:?} in {message}");
            }
        }
    }
}

#[test]
fn files_that_are_cut_short_or_something_else_are_named() {
    let rows = batch(
        vec![("text", strings(&["a", "b"])), ("label", integers(&[1, 0]))],
        None,
    );
    for (name, bytes) in files(&rows) {
        for part in [1, bytes.len() / 3, bytes.len() / 2, bytes.len() - 9] {
            let (_dir, path) = file(name, &bytes[..part]);
            let error = Dataset::read(&path, &ColumnOptions::default());
            // A stream without its end mark is whole.
            if name != "stream.arrow" || part < bytes.len() / 2 {
                let error = error.expect_err(name);
                assert!(
                    matches!(error, ReadError::Columnar { .. }),
                    "{name} {part}: {error}"
                );
            }
        }
        let (_dir, path) = file(name, "text\tlabel\n");
        let message = Dataset::read(&path, &ColumnOptions::default())
            .expect_err(name)
            .to_string();
        assert!(
            message.contains(name) && message.contains("file that can be read"),
            "{message}"
        );
    }
}

#[test]
fn a_row_group_of_another_schema_is_refused() {
    let good = batch(
        vec![("text", strings(&["a", "b"])), ("label", integers(&[1, 0]))],
        None,
    );
    let other = batch(
        vec![("text", integers(&[1, 2])), ("label", strings(&["x", "y"]))],
        None,
    );
    let fewer = batch(vec![("text", strings(&["a", "b"]))], None);
    let whole = parquet(&good, Compression::UNCOMPRESSED, 1000);
    let read = |bytes: &[u8]| {
        let bytes = bytes::Bytes::from(bytes.to_vec());
        ParquetMetaDataReader::new()
            .parse_and_finish(&bytes)
            .expect("metadata")
    };
    for odd in [other, fewer] {
        let odd = parquet(&odd, Compression::UNCOMPRESSED, 1000);
        let metadata = read(&whole);
        let groups = metadata
            .row_groups()
            .iter()
            .chain(read(&odd).row_groups())
            .cloned()
            .collect();
        let mixed = metadata.into_builder().set_row_groups(groups).build();
        // The row group's offsets are those within its own file, which is as good as any lie.
        let mut bytes = whole.clone();
        ParquetMetaDataWriter::new(&mut bytes, &mixed)
            .finish()
            .expect("a footer");
        let (_dir, path) = file("mixed.parquet", bytes);
        let error = Dataset::read(&path, &ColumnOptions::default()).expect_err("two schemas");
        assert!(matches!(error, ReadError::Columnar { .. }), "{error}");
        assert!(error.to_string().contains("mixed.parquet"), "{error}");
    }
}

#[test]
fn files_that_name_their_classes_differently_are_not_read_together() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, metadata: &str| {
        let rows = batch(
            vec![("text", strings(&["a", "b"])), ("label", integers(&[1, 0]))],
            Some(metadata),
        );
        std::fs::write(dir.path().join(name), arrow_file(&rows)).expect("the file is written");
        dir.path().join(name)
    };
    let same = [write("a.arrow", NAMED), write("b.arrow", NAMED)];
    let dataset = Dataset::read_files(&same, &ColumnOptions::default()).expect("rows");
    assert_eq!(dataset.examples.len(), 4);
    let other = write("c.arrow", &NAMED.replace("neg", "bad"));
    let error = Dataset::read_files(&[same[0].clone(), other], &ColumnOptions::default());
    let message = error.expect_err("other names").to_string();
    assert!(
        message.contains("c.arrow") && message.contains("a.arrow"),
        "{message}"
    );
}
