//! Inputs of predictions in files of rows.

use std::path::Path;

use bert_text::{
    Column, ColumnOptions, InferenceInput, InputFormat, PredictFile, PredictInput, PredictLine,
    QuestionInput, ReadError,
};

/// The number of a line, and what it holds.
type Numbered<T> = (usize, Result<T, ReadError>);

fn read<T: PredictLine>(
    name: &str,
    content: impl AsRef<[u8]>,
    options: &ColumnOptions,
) -> Result<Vec<Numbered<T>>, ReadError> {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join(name);
    std::fs::write(&path, content).expect("a file");
    let mut file = PredictFile::<T>::open(&path, None, options)?;
    let mut rows = Vec::new();
    while let Some(row) = file.next() {
        rows.push((file.line(), row));
    }
    Ok(rows)
}

fn texts(name: &str, content: impl AsRef<[u8]>, options: &ColumnOptions) -> Vec<(usize, String)> {
    let rows = read::<PredictInput>(name, content, options).expect("a file of rows");
    let text = |(line, row): Numbered<PredictInput>| {
        (
            line,
            row.map_or_else(|error| error.to_string(), |input| input.text),
        )
    };
    rows.into_iter().map(text).collect()
}

fn named(column: &str) -> ColumnOptions {
    ColumnOptions {
        text: Some(column.parse().expect("a column")),
        ..ColumnOptions::default()
    }
}

fn is(row: &(usize, String), line: usize, text: &str) {
    assert_eq!((row.0, row.1.as_str()), (line, text));
}

#[test]
fn rows_of_csv_have_their_lines_over_quotes_and_blank_lines() {
    let content = "\u{feff}id,text\r\n1,\"a\nb\"\r\n\r\n2,c\r\n3\n4,\"say \"\"d\"\"\"";
    let rows = texts("a.csv", content, &ColumnOptions::default());
    is(&rows[0], 2, "a\nb");
    is(&rows[1], 5, "c");
    assert!(
        rows[2]
            .1
            .contains("line 6: expected 2 columns as on the first line, found 1"),
        "{rows:?}"
    );
    is(&rows[3], 7, "say \"d\"");
    assert_eq!(rows.len(), 4);
}

#[test]
fn a_quote_that_is_never_closed_is_named_with_its_line_and_ends_the_file() {
    let content = format!("id,text\n1,a\n2,\"b\n{}", "3,c\n".repeat(10));
    let rows = read::<PredictInput>("a.csv", content, &ColumnOptions::default()).expect("rows");
    let error = rows[1].1.as_ref().expect_err("an open quote");
    assert!(
        matches!(error, ReadError::UnclosedQuote { line: 3, .. }),
        "{error}"
    );
    assert!(!error.is_of_line());
    let huge = format!("id,text\n1,\"a\n{}", "x".repeat(20 << 20));
    let rows = read::<PredictInput>("a.csv", huge, &ColumnOptions::default()).expect("rows");
    let error = rows[0].1.as_ref().expect_err("an open quote");
    assert!(
        matches!(error, ReadError::UnclosedQuote { line: 2, .. }),
        "{error}"
    );
}

#[test]
fn a_line_or_record_without_an_end_is_refused_before_it_fills_the_memory() {
    for (name, megabytes) in [("a.csv", 20), ("a.tsv", 65)] {
        let separator = if name == "a.csv" { ',' } else { '\t' };
        let endless = "x".repeat(megabytes << 20);
        let content = format!("id{separator}text\n1{separator}{endless}");
        let rows = read::<PredictInput>(name, content, &ColumnOptions::default()).expect("rows");
        let error = rows[0].1.as_ref().expect_err("a long line");
        let message = with_source(error);
        assert!(
            message.contains("line 2") && message.contains("is longer than"),
            "{message}"
        );
        assert!(!error.is_of_line());
    }
}

fn with_source(error: &ReadError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}

#[test]
fn a_line_that_is_not_utf8_is_one_error() {
    for (name, content) in [
        ("a.tsv", &b"id\ttext\n1\ta\n2\tcaf\xe9\n\n3\tb\n"[..]),
        ("a.csv", b"id,text\n1,a\n2,caf\xe9\n\n3,b\n"),
    ] {
        let rows = texts(name, content, &ColumnOptions::default());
        is(&rows[0], 2, "a");
        assert!(
            rows[1].0 == 3 && rows[1].1.contains("line 3: invalid UTF-8"),
            "{rows:?}"
        );
        is(&rows[2], 5, "b");
    }
}

#[test]
fn columns_are_named_guessed_or_asked_for() {
    let rows = texts("a.tsv", "one\ttwo\nx\ty\n", &named("two"));
    is(&rows[0], 2, "y");
    let rows = texts("a.tsv", "x\ty\n", &named("1"));
    is(&rows[0], 1, "y");
    let rows = texts("a.tsv", "x\n\ny\n", &ColumnOptions::default());
    is(&rows[1], 3, "y");
    let rows = texts("a.jsonl", "{\"one\": \"x\"}\n{}\n", &named("one"));
    is(&rows[0], 1, "x");
    assert!(
        rows[1].1.contains("line 2: no text column \"one\""),
        "{rows:?}"
    );
    let message = |content| {
        let refused = read::<PredictInput>("a.tsv", content, &ColumnOptions::default());
        refused.map(drop).expect_err("unclear columns").to_string()
    };
    // It may be a text and its label.
    let refused = message("a film\tgood\n");
    assert!(
        refused.contains("2 may be two texts, or a text and its label"),
        "{refused}"
    );
    let refused = message("label\tid\ngood\t1\n");
    assert!(refused.contains("--text-column"), "{refused}");
}

#[test]
fn an_input_with_columns_of_its_own_is_read_by_them() {
    let content = "context,id,question\nhere,1,where\n";
    let rows = read::<QuestionInput>("a.csv", content, &ColumnOptions::default()).expect("rows");
    assert_eq!(rows[0].1.as_ref().expect("a question").question, "where");
    let refused =
        read::<QuestionInput>("a.csv", "question,id\nwhere,1\n", &ColumnOptions::default());
    let message = refused.map(drop).expect_err("no question").to_string();
    assert!(message.contains("\"question\""), "{message}");
    let pairs = read::<InferenceInput>(
        "a.tsv",
        "hypothesis\tpremise\nb\ta\n",
        &ColumnOptions::default(),
    );
    let pairs = pairs.expect("rows");
    assert_eq!(pairs[0].1.as_ref().expect("a pair").premise, "a");
}

#[test]
fn lines_have_no_columns() {
    let options = ColumnOptions {
        text: Some(Column::Index(0)),
        ..ColumnOptions::default()
    };
    let refused = read::<PredictInput>("a.txt", "a\n", &options).map(drop);
    let message = refused.expect_err("no columns").to_string();
    assert!(message.contains("--input-format"), "{message}");
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join("a.tsv");
    std::fs::write(&path, "a\tb\n").expect("a file");
    let lines = Some(InputFormat::Lines);
    let mut file =
        PredictFile::<PredictInput>::open(Path::new(&path), lines, &ColumnOptions::default());
    let input = file.as_mut().expect("a file").next().expect("a line");
    assert_eq!(input.expect("a text").text, "a\tb");
}
