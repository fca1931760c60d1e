use std::path::Path;

use bert_text::{Column, ColumnOptions, ColumnRole, Dataset, Example, Format, Label, ReadError};

use crate::{file, read, read_ok};

fn options() -> ColumnOptions {
    ColumnOptions::default()
}

fn name(name: &str) -> Option<Column> {
    Some(Column::Name(name.to_owned()))
}

fn label(name: &str) -> Option<Label> {
    Some(Label::Name(name.to_owned()))
}

type Row<'a> = (&'a str, Option<&'a str>, Option<Label>, usize);

/// Text, second text, label and line of every row.
fn rows(dataset: &Dataset) -> Vec<Row<'_>> {
    dataset.examples.iter().map(row).collect()
}

fn row(example: &Example) -> Row<'_> {
    let label = example.label.clone();
    (
        &example.text,
        example.text_pair.as_deref(),
        label,
        example.line,
    )
}

fn error(name: &str, content: impl AsRef<[u8]>, options: &ColumnOptions) -> ReadError {
    read(name, content, options).expect_err("an error")
}

#[test]
fn headerless_tsv_of_text_and_label_just_works() {
    let dataset = read_ok("a.tsv", "a \"good film\t1\nbad\" , bad\t0\n");
    assert_eq!(
        rows(&dataset),
        [
            ("a \"good film", None, label("1"), 1),
            ("bad\" , bad", None, label("0"), 2)
        ]
    );
}

#[test]
fn glue_header_is_found() {
    let dataset = read_ok("a.tsv", "sentence\tlabel\ngood \t1\n");
    assert_eq!(rows(&dataset), [("good ", None, label("1"), 2)]);
    let dataset = read_ok(
        "a.tsv",
        "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n",
    );
    assert_eq!(rows(&dataset), [("a", Some("b"), label("entailment"), 2)]);
    let dataset = read_ok("a.tsv", "index\tquestion\tsentence\tlabel\n0\ta\tb\tx\n");
    assert_eq!(rows(&dataset), [("a", Some("b"), label("x"), 2)]);
}

#[test]
fn named_columns_win_over_guesses() {
    let content = "pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score\n1\ta\tb\tNEUTRAL\t4.5\n";
    let class = ColumnOptions {
        label: name("entailment_label"),
        ..options()
    };
    let dataset = read("sick.txt", content, &class).expect("rows");
    assert_eq!(rows(&dataset), [("a", Some("b"), label("NEUTRAL"), 2)]);
    let score = ColumnOptions {
        text: name("sentence_B"),
        label: name("relatedness_score"),
        ..options()
    };
    let dataset = read("sick.txt", content, &score).expect("rows");
    assert_eq!(rows(&dataset), [("b", None, Some(Label::Score(4.5)), 2)]);
}

#[test]
fn three_columns_without_a_header_are_a_pair_and_its_label() {
    let dataset = read_ok("a.tsv", "a\tb\tyes\n");
    assert_eq!(rows(&dataset), [("a", Some("b"), label("yes"), 1)]);
}

#[test]
fn columns_by_index_need_no_header() {
    let cola = ColumnOptions {
        text: Some(Column::Index(3)),
        label: Some(Column::Index(1)),
        ..options()
    };
    let dataset = read("cola.tsv", "gj04\t1\t*\tthey drank .\n", &cola).expect("rows");
    assert_eq!(rows(&dataset), [("they drank .", None, label("1"), 1)]);

    let label_first = ColumnOptions {
        label: Some(Column::Index(0)),
        ..options()
    };
    let dataset = read("a.tsv", "1\tgood\n", &label_first).expect("rows");
    assert_eq!(rows(&dataset), [("good", None, label("1"), 1)]);
}

#[test]
fn header_can_be_forced_either_way() {
    let content = "text\tlabel\ngood\t1\n";
    let none = ColumnOptions {
        header: Some(false),
        ..options()
    };
    assert_eq!(
        rows(&read("a.tsv", content, &none).expect("rows"))[0],
        ("text", None, label("label"), 1)
    );
    let some = ColumnOptions {
        header: Some(true),
        text: Some(Column::Index(0)),
        label: Some(Column::Index(1)),
        ..options()
    };
    let dataset = read("a.tsv", "x\ty\ngood\t1\n", &some).expect("rows");
    assert_eq!(rows(&dataset), [("good", None, label("1"), 2)]);
}

#[test]
fn unlabelled_files_need_no_label_column() {
    let unlabelled = ColumnOptions {
        unlabelled: true,
        ..options()
    };
    for (content, expected) in [
        ("good\n", ("good", None, None, 1)),
        ("a\tb\n", ("a", Some("b"), None, 1)),
        ("index\tsentence\n0\tgood\n", ("good", None, None, 2)),
    ] {
        let dataset = read("a.tsv", content, &unlabelled).expect("rows");
        assert_eq!(rows(&dataset), [expected]);
    }
}

#[test]
fn csv_fields_may_be_quoted() {
    let content = "text,label\r\n\"a, \"\"b\"\"\r\nc\",1\r\n\r\nd,0\r\n";
    let dataset = read_ok("a.csv", content);
    assert_eq!(
        rows(&dataset),
        [
            ("a, \"b\"\r\nc", None, label("1"), 2),
            ("d", None, label("0"), 5)
        ]
    );
}

#[test]
fn csv_quote_that_is_never_closed_is_an_error_at_its_line() {
    for content in ["a,1\n\n\"b,1\nc,0\nd,1\n", "a,1\r\n\r\n\"b,1\r\nc,0\r\n"] {
        let error = error("a.csv", content, &options());
        assert!(
            matches!(error, ReadError::UnclosedQuote { line: 3, .. }),
            "{error}"
        );
    }
    let dataset = read_ok("a.csv", "a,1\n5\" nail,0");
    assert_eq!(rows(&dataset)[1].0, "5\" nail");
}

#[test]
fn other_delimiters_are_a_matter_of_options() {
    let semicolon = ColumnOptions {
        delimiter: Some(b';'),
        ..options()
    };
    for name in ["a.csv", "a.tsv"] {
        let dataset = read(name, "a, b;1\n", &semicolon).expect("rows");
        assert_eq!(rows(&dataset), [("a, b", None, label("1"), 1)]);
    }
}

#[test]
fn json_lines_labels_keep_their_kind() {
    let dataset = read_ok(
        "a.jsonl",
        concat!(
            r#"{"text": "a", "label": "x"}"#,
            "\n",
            r#"{"text": "b", "text_pair": null, "label": 1}"#,
            "\n\n",
            r#"{"text": "c", "text_pair": "d", "labels": ["x", 2]}"#,
            "\n",
            r#"{"sentence": "e", "score": 2.5}"#,
            "\n",
            r#"{"text": "f", "label": []}"#,
            "\n",
            r#"{"text": "g", "label": true}"#,
        ),
    );
    let names = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned());
        Some(Label::Names(names.collect()))
    };
    assert_eq!(
        rows(&dataset),
        [
            ("a", None, label("x"), 1),
            ("b", None, label("1"), 2),
            ("c", Some("d"), names(&["x", "2"]), 4),
            ("e", None, Some(Label::Score(2.5)), 5),
            ("f", None, names(&[]), 6),
            ("g", None, label("true"), 7),
        ]
    );
}

#[test]
fn label_lists_of_tsv_are_cut_at_the_separator() {
    let multi_label = ColumnOptions {
        label_separator: Some(",".to_owned()),
        ..options()
    };
    let dataset = read("a.tsv", "good\t2, 27\nbad\t\n", &multi_label).expect("rows");
    let labels: Vec<_> = dataset
        .examples
        .into_iter()
        .map(|example| example.label)
        .collect();
    let two = Label::Names(vec!["2".to_owned(), "27".to_owned()]);
    assert_eq!(labels, [Some(two), Some(Label::Names(vec![]))]);
}

#[test]
fn byte_order_mark_crlf_and_blank_lines_are_tolerated() {
    let content = "\u{feff}sentence\tlabel\r\n\r\ngood\t1\r\n   \r\nbad\t0";
    let expected = [("good", None, label("1"), 3), ("bad", None, label("0"), 5)];
    assert_eq!(rows(&read_ok("a.tsv", content)), expected);
    let content = content.replace('\t', ",");
    assert_eq!(rows(&read_ok("a.csv", &content)), expected);
    let json = "\u{feff}{\"text\": \"good\", \"label\": 1}\r\n";
    assert_eq!(
        rows(&read_ok("a.json", json)),
        [("good", None, label("1"), 1)]
    );
}

#[test]
fn row_with_another_number_of_columns_is_an_error_at_its_line() {
    for (name, content) in [
        ("a.tsv", "a\t1\n\nb\t1\t2\n"),
        ("a.csv", "a,1\n\nb,1,2\n"),
        ("a.tsv", "sentence\tlabel\na\t1\nb\n"),
    ] {
        let error = error(name, content, &options());
        assert!(
            matches!(
                error,
                ReadError::ColumnCount {
                    line: 3,
                    expected: 2,
                    ..
                }
            ),
            "{error}"
        );
        let message = error.to_string();
        assert!(
            message.contains(name) && message.contains("line 3"),
            "{message}"
        );
    }
}

#[test]
fn invalid_utf8_is_an_error_at_its_line() {
    for name in ["a.tsv", "a.csv", "a.jsonl"] {
        let error = error(name, b"a\t1\nb\t0\ncaf\xe9\t1\n", &options());
        assert!(
            matches!(error, ReadError::InvalidUtf8 { line: 3, .. }),
            "{error}"
        );
    }
}

#[test]
fn files_without_rows_are_errors() {
    for (name, content, expected) in [
        ("a.tsv", "", false),
        ("a.csv", "\n \n\r\n", false),
        ("a.jsonl", "", false),
        ("a.tsv", "sentence\tlabel\n", true),
        ("a.csv", "text,label", true),
    ] {
        let error = error(name, content, &options());
        assert!(
            matches!(error, ReadError::Empty { header, .. } if header == expected),
            "{error}"
        );
    }
}

#[test]
fn missing_column_is_an_error_that_lists_the_columns() {
    let missing = ColumnOptions {
        label: name("stars"),
        ..options()
    };
    for (file, content) in [
        ("a.tsv", "sentence\tlabel\na\t1\n"),
        ("a.jsonl", r#"{"sentence": "a", "label": 1}"#),
    ] {
        let error = error(file, content, &missing);
        let message = error.to_string();
        assert!(matches!(
            error,
            ReadError::MissingColumn {
                role: ColumnRole::Label,
                ..
            }
        ));
        assert!(
            message.contains("stars") && message.contains("sentence, label"),
            "{message}"
        );
    }
}

#[test]
fn columns_that_cannot_be_guessed_are_asked_for() {
    let unknown = error("a.tsv", "sentence\trating\na\t1\n", &options());
    assert!(matches!(
        unknown,
        ReadError::UnknownColumn {
            role: ColumnRole::Label,
            ..
        }
    ));
    assert!(
        unknown.to_string().contains("sentence, rating"),
        "{unknown}"
    );
    let unknown = error("a.jsonl", r#"{"body": "a", "label": 1}"#, &options());
    assert!(matches!(
        unknown,
        ReadError::UnknownColumn {
            role: ColumnRole::Text,
            ..
        }
    ));
    let layout = error("a.tsv", "gj04\t1\t*\tthey drank .\n", &options());
    assert!(matches!(
        layout,
        ReadError::UnknownLayout { columns: 4, .. }
    ));
    let layout = error("a.tsv", "good\n", &options());
    assert!(matches!(
        layout,
        ReadError::UnknownLayout { columns: 1, .. }
    ));
}

#[test]
fn columns_that_cannot_be_are_errors() {
    let index = ColumnOptions {
        label: Some(Column::Index(2)),
        ..options()
    };
    let too_large = error("a.tsv", "a\t1\n", &index);
    assert!(matches!(
        too_large,
        ReadError::ColumnIndex {
            index: 2,
            columns: 2,
            ..
        }
    ));
    let in_json = error("a.jsonl", r#"{"text": "a", "label": 1}"#, &index);
    assert!(matches!(in_json, ReadError::IndexInJson { index: 2, .. }));
    let headerless = ColumnOptions {
        text: name("text"),
        header: Some(false),
        ..options()
    };
    let by_name = error("a.tsv", "a\t1\n", &headerless);
    assert!(matches!(by_name, ReadError::NameWithoutHeader { .. }));
    let twice = ColumnOptions {
        text: Some(Column::Index(0)),
        label: Some(Column::Index(0)),
        ..options()
    };
    assert!(matches!(
        error("a.tsv", "a\t1\n", &twice),
        ReadError::SameColumn { .. }
    ));
}

#[test]
fn empty_labels_are_errors_at_their_line() {
    for (name, content) in [
        ("a.tsv", "a\t1\nb\t \n"),
        ("a.csv", "a,1\nb,\n"),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": null}\n",
        ),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": \"\"}\n",
        ),
    ] {
        let error = error(name, content, &options());
        assert!(
            matches!(error, ReadError::EmptyLabel { line: 2, .. }),
            "{error}"
        );
    }
}

#[test]
fn broken_json_is_an_error_at_its_line() {
    let good = "{\"text\": \"a\", \"label\": 1}\n";
    for bad in ["{\"text\": \"b\"", "[1, 2]", "plain text"] {
        let error = error("a.jsonl", format!("{good}{bad}\n"), &options());
        assert!(matches!(error, ReadError::Json { line: 2, .. }), "{error}");
    }
    for bad in [
        "{\"text\": 5, \"label\": 1}",
        "{\"text\": \"b\", \"label\": {}}",
        "{\"text\": \"b\", \"label\": [0.5]}",
        "{\"text\": \"b\", \"text_pair\": [], \"label\": 1}",
    ] {
        let error = error("a.jsonl", format!("{good}{bad}\n"), &options());
        assert!(
            matches!(error, ReadError::JsonKind { line: 2, .. }),
            "{error}"
        );
    }
}

#[test]
fn paths_that_are_no_readable_file_are_errors() {
    let (dir, path) = file("a.data", "a\t1\n");
    let read = |path: &Path| Dataset::read(path, &options()).expect_err("an error");
    assert!(matches!(read(dir.path()), ReadError::IsDirectory { .. }));
    assert!(matches!(
        read(&dir.path().join("none.tsv")),
        ReadError::Io { .. }
    ));
    assert!(matches!(read(&path), ReadError::UnknownFormat { .. }));
    let tsv = ColumnOptions {
        format: Some(Format::Tsv),
        ..options()
    };
    assert_eq!(Dataset::read(&path, &tsv).expect("rows").examples.len(), 1);
    assert!(matches!(
        Dataset::read(dir.path(), &tsv),
        Err(ReadError::IsDirectory { .. })
    ));
}

#[test]
fn column_words_are_indices_when_they_are_digits() {
    assert_eq!("3".parse(), Ok(Column::Index(3)));
    assert_eq!("label".parse(), Ok(Column::Name("label".to_owned())));
    assert_eq!(
        "#1 String".parse(),
        Ok(Column::Name("#1 String".to_owned()))
    );
}
