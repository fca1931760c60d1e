//! What labels mean: lists of zeros and ones, numbers, rows without a label, ids and their names, probable headers.

use std::path::PathBuf;

use bert_text::check::lookalikes;
use bert_text::{
    ColumnOptions, Dataset, Label, LabelLists, LabelSet, ReadError, ReadNote, Unlabelled,
};

use crate::{file, read, read_ok};

fn json(key: &str, labels: &[&str]) -> String {
    let rows = labels.iter().enumerate();
    let rows = rows.map(|(row, label)| format!("{{\"text\": \"t{row}\", \"{key}\": {label}}}\n"));
    rows.collect()
}

fn tsv(labels: &[&str]) -> String {
    let rows = labels.iter().enumerate();
    rows.map(|(row, label)| format!("t{row}\t{label}\n"))
        .collect()
}

fn names(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn labels(dataset: &Dataset) -> Vec<Vec<String>> {
    let labels = dataset.examples.iter().filter_map(|one| one.label.as_ref());
    labels
        .map(|label| label.class_names().into_iter().map(Into::into).collect())
        .collect()
}

fn refused(name: &str, content: &str, options: &ColumnOptions, words: &[&str]) {
    let message = read(name, content, options)
        .expect_err("an error")
        .to_string();
    for word in words {
        assert!(message.contains(word), "no {word:?} in {message}");
    }
}

#[test]
fn lists_of_zeros_and_ones_are_multi_hot() {
    let separated = ColumnOptions {
        label_separator: Some(",".into()),
        ..ColumnOptions::default()
    };
    let plain = ColumnOptions::default();
    let three = ["[0,1,1]", "[0,0,0]", "[1,0,0]"];
    for (name, content, options) in [
        ("a.jsonl", json("labels", &three), &plain),
        (
            "a.jsonl",
            json(
                "labels",
                &["[0.0, 1.0, 1.0]", "[0.0, 0.0, 0.0]", "[1.0, 0.0, 0.0]"],
            ),
            &plain,
        ),
        (
            "a.jsonl",
            json(
                "labels",
                &[
                    "[false, true, true]",
                    "[false, false, false]",
                    "[true, false, false]",
                ],
            ),
            &plain,
        ),
        ("a.tsv", tsv(&three), &plain),
        ("a.tsv", tsv(&["0,1,1", "0,0,0", "1,0,0"]), &separated),
    ] {
        let dataset = read(name, &content, options).expect("rows");
        let expected: [&[&str]; 3] = [&["LABEL_1", "LABEL_2"], &[], &["LABEL_0"]];
        assert_eq!(labels(&dataset), expected, "{content}");
        let set = LabelSet::from_dataset(&dataset).expect("labels");
        assert_eq!(set.names(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
        let rows = set.resolve_multi_label(&dataset).expect("rows");
        assert_eq!(rows, [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]);
    }
}

#[test]
fn a_class_that_no_row_has_is_a_class_of_multi_hot_lists() {
    let content = json("labels", &["[1,0]", "[0,0]"]);
    let named = ColumnOptions {
        label_names: names(&["joy", "anger"]),
        ..ColumnOptions::default()
    };
    let dataset = read("a.jsonl", &content, &named).expect("rows");
    let expected: [&[&str]; 2] = [&["joy"], &[]];
    assert_eq!(labels(&dataset), expected);
    assert_eq!(
        LabelSet::from_dataset(&dataset).expect("labels").names(),
        ["joy", "anger"]
    );
    let three = ColumnOptions {
        label_names: names(&["a", "b", "c"]),
        ..ColumnOptions::default()
    };
    refused(
        "a.jsonl",
        &content,
        &three,
        &["3 names for 2 classes", "--label-names"],
    );
}

#[test]
fn lists_that_may_be_either_need_a_flag() {
    let either = json("labels", &["[0,1]", "[1,0]"]);
    let auto = ColumnOptions::default();
    refused(
        "a.jsonl",
        &either,
        &auto,
        &["a.jsonl, line 1", "--label-lists"],
    );
    let of = |label_lists| ColumnOptions {
        label_lists,
        ..ColumnOptions::default()
    };
    let hot = read("a.jsonl", &either, &of(LabelLists::MultiHot)).expect("rows");
    assert_eq!(labels(&hot), [["LABEL_1"], ["LABEL_0"]]);
    let ids = read("a.jsonl", &either, &of(LabelLists::Classes)).expect("rows");
    assert_eq!(labels(&ids), [["0", "1"], ["1", "0"]]);
    let uneven = json("labels", &["[0,1,1]", "[1,0]"]);
    refused(
        "a.jsonl",
        &uneven,
        &auto,
        &["line 2", "a list of 2", "one of 3", "--label-lists"],
    );
    let other = json("labels", &["[0,1,2]"]);
    refused(
        "a.jsonl",
        &other,
        &of(LabelLists::MultiHot),
        &["line 1", "zeros and ones"],
    );
}

#[test]
fn lists_of_ids_stay_lists_of_ids() {
    let content = json("labels", &["[0]", "[1]", "[0,1]", "[]"]);
    let expected: [&[&str]; 4] = [&["0"], &["1"], &["0", "1"], &[]];
    assert_eq!(labels(&read_ok("a.jsonl", &content)), expected);
    let content = json("labels", &["[0,1,1]", "[0,2,5]"]);
    assert_eq!(
        labels(&read_ok("a.jsonl", &content)),
        [["0", "1", "1"], ["0", "2", "5"]]
    );
}

#[test]
fn integral_numbers_are_classes_in_every_format() {
    let class = |name: &str| vec![name.to_owned()];
    for (name, content) in [
        ("a.jsonl", json("label", &["1.0", "2", "\"x\""])),
        ("a.tsv", tsv(&["1.0", "2", "x"])),
        ("a.csv", tsv(&["1.0", "2", "x"]).replace('\t', ",")),
    ] {
        let dataset = read_ok(name, &content);
        assert_eq!(
            labels(&dataset),
            [class("1"), class("2"), class("x")],
            "{name}"
        );
    }
    for (name, content) in [
        ("a.jsonl", json("label", &["true", "false"])),
        ("a.tsv", tsv(&["true", "false"])),
    ] {
        let set = LabelSet::from_dataset(&read_ok(name, &content)).expect("labels");
        assert_eq!(set.names(), ["false", "true"]);
    }
    for (name, content) in [
        ("a.jsonl", json("label", &["2.5", "-3.25"])),
        ("a.tsv", tsv(&["2.5", "-3.25"])),
    ] {
        let found: Vec<_> = read_ok(name, &content)
            .examples
            .into_iter()
            .map(|one| one.label)
            .collect();
        assert_eq!(found, [Some(Label::Score(2.5)), Some(Label::Score(-3.25))]);
    }
}

#[test]
fn an_empty_cell_among_numbers_is_counted() {
    let mut cells = vec!["2.5"; 39];
    cells.insert(6, "");
    let words = ["line 7", "empty", "39 of 40 have a number"];
    refused("a.tsv", &tsv(&cells), &ColumnOptions::default(), &words);
    cells[6] = "null";
    refused(
        "a.jsonl",
        &json("score", &cells),
        &ColumnOptions::default(),
        &words,
    );
}

#[test]
fn a_first_line_whose_label_alone_is_no_number_is_a_header() {
    let options = ColumnOptions::default();
    for (content, words) in [
        (
            "review_body\tstars\ngood\t5\nbad\t1\n",
            [
                "line 1",
                "\"stars\"",
                "--header yes --text-column review_body --label-column stars",
                "--header no",
            ],
        ),
        (
            "my text\tmy score\ngood\t4.5\nbad\t1.0\n",
            [
                "line 1",
                "\"my score\"",
                "--text-column 'my text'",
                "--header no",
            ],
        ),
        (
            "a\tb\tsame\nx\ty\t0\nx\tz\t1\n",
            [
                "line 1",
                "\"same\"",
                "--pair-column b --label-column same",
                "--header no",
            ],
        ),
    ] {
        refused("a.tsv", content, &options, &words);
    }
    let row = ColumnOptions {
        header: Some(false),
        ..ColumnOptions::default()
    };
    let dataset = read("a.tsv", "x\tstars\ny\t1\nz\t2\n", &row).expect("rows");
    assert_eq!(dataset.examples.len(), 3);
}

#[test]
fn a_first_line_whose_label_occurs_nowhere_else_is_pointed_out() {
    let header = "body\tverdict\na\tgood\nb\tgood\nc\tbad\nd\tbad\n";
    let dataset = read_ok("a.tsv", header);
    let [note @ ReadNote::ProbableHeader { line: 1, .. }] = dataset.notes.as_slice() else {
        panic!("{:?}", dataset.notes);
    };
    let message = note.to_string();
    assert!(
        message.contains("--header yes --text-column body --label-column verdict"),
        "{message}"
    );
    for content in [
        "a\tgood\nb\tgood\nc\tbad\nd\tbad\n",
        "a\trare\nb\tgood\nc\tgood\nd\tonce\n",
        "a\t7\nb\t1\nc\t1\n",
    ] {
        assert_eq!(read_ok("a.tsv", content).notes, [], "{content}");
    }
}

#[test]
fn composed_and_decomposed_labels_are_one_class() {
    for pair in [
        ["caf\u{e9}", "cafe\u{301}"],
        ["\u{1e9b}\u{323}", "\u{17f}\u{323}\u{307}"],
        ["\u{ac00}", "\u{1100}\u{1161}"],
    ] {
        let content = tsv(&[pair[0], pair[1], "other"]);
        let set = LabelSet::from_dataset(&read_ok("a.tsv", &content)).expect("labels");
        assert_eq!(set.len(), 2, "{pair:?}");
        let content = json(
            "label",
            &[
                &format!("\"{}\"", pair[0]),
                &format!("\"{}\"", pair[1]),
                "\"o\"",
            ],
        );
        let set = LabelSet::from_dataset(&read_ok("a.jsonl", &content)).expect("labels");
        assert_eq!(set.len(), 2, "{pair:?}");
    }
}

#[test]
fn labels_that_people_take_for_one_are_grouped() {
    let labels = [
        "Pos",
        "neg",
        "pos",
        "１",
        "1",
        "a b",
        "a\u{a0}b",
        "x",
        "x\u{200b}",
        "neg",
    ];
    let expected = [
        vec!["1", "１"],
        vec!["a b", "a\u{a0}b"],
        vec!["Pos", "pos"],
        vec!["x", "x\u{200b}"],
    ];
    assert_eq!(lookalikes(labels), expected);
    assert!(lookalikes(["good", "bad", "goods"]).is_empty());
}

#[test]
fn minus_one_is_unlabelled_among_ids() {
    for (name, content) in [
        ("a.jsonl", json("label", &["0", "-1", "1", "-1"])),
        ("a.tsv", tsv(&["0", "-1", "1", "-1"])),
        ("a.tsv", tsv(&["0", "-1.0", "1", "-1"])),
    ] {
        let dataset = read_ok(name, &content);
        assert_eq!(labels(&dataset), [["0"], ["1"]]);
        let message = dataset.notes[0].to_string();
        assert!(
            message.contains("2 rows left out") && message.contains("--unlabelled none"),
            "{message}"
        );
        let kept = ColumnOptions {
            unlabelled_label: Unlabelled::None,
            ..ColumnOptions::default()
        };
        assert_eq!(read(name, &content, &kept).expect("rows").examples.len(), 4);
    }
    for classes in [
        &["-1", "1", "1"][..],
        &["-1", "good", "0"],
        &["-1", "0.5", "0"],
    ] {
        assert_eq!(
            read_ok("a.tsv", &tsv(classes)).examples.len(),
            3,
            "{classes:?}"
        );
    }
    refused(
        "a.tsv",
        &tsv(&["-1", "-1"]),
        &ColumnOptions::default(),
        &["every label is \"-1\"", "--unlabelled none"],
    );
    let dash = ColumnOptions {
        unlabelled_label: Unlabelled::Label("?".into()),
        ..ColumnOptions::default()
    };
    let dataset = read("a.tsv", tsv(&["good", "?", "bad"]), &dash).expect("rows");
    assert_eq!(labels(&dataset), [["good"], ["bad"]]);
    assert!(!dataset.notes[0].is_warning());
}

#[test]
fn ids_get_the_names_that_are_given() {
    let nli = ColumnOptions {
        label_names: names(&["entailment", "neutral", "contradiction"]),
        ..ColumnOptions::default()
    };
    for (name, content) in [
        ("a.jsonl", json("label", &["2", "0", "-1", "0"])),
        ("a.tsv", tsv(&["2", "0", "-1", "0.0"])),
        ("a.tsv", tsv(&["contradiction", "entailment", "-1", "0"])),
    ] {
        let dataset = read(name, &content, &nli).expect("rows");
        assert_eq!(
            labels(&dataset),
            [["contradiction"], ["entailment"], ["entailment"]]
        );
        let set = LabelSet::from_dataset(&dataset).expect("labels");
        assert_eq!(set.names(), ["entailment", "neutral", "contradiction"]);
    }
    refused(
        "a.jsonl",
        &json("label", &["0", "3"]),
        &nli,
        &["line 2", "\"3\"", "from 0 to 2", "neutral"],
    );
    let stars = ColumnOptions {
        label_names: names(&["1", "2", "3"]),
        ..ColumnOptions::default()
    };
    let dataset = read("a.tsv", tsv(&["3", "1"]), &stars).expect("rows");
    assert_eq!(
        labels(&dataset),
        [["3"], ["1"]],
        "names, although they are numbers"
    );
}

#[test]
fn names_stand_in_dataset_info_beside_the_file() {
    let (dir, path) = file("train.jsonl", json("label", &["1", "0"]));
    let info = r#"{"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}"#;
    std::fs::write(dir.path().join("dataset_info.json"), info).expect("the file is written");
    let dataset = Dataset::read(&path, &ColumnOptions::default()).expect("rows");
    assert_eq!(labels(&dataset), [["pos"], ["neg"]]);
    assert_eq!(dataset.label_names, names(&["neg", "pos"]));
    assert!(dataset.notes[0].to_string().contains("dataset_info.json"));
}

#[test]
fn several_files_are_one_data_set_whose_places_name_their_file() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let part = |name: &str, content: &str| {
        std::fs::write(dir.path().join(name), content).expect("the file is written");
        dir.path().join(name)
    };
    let paths = [
        part("part-1.tsv", "a\t0\nb\t1\n"),
        part("part-2.csv", "text,label\nc,-1\nd,0\n"),
        part("part-3.jsonl", "{\"text\": \"e\", \"label\": 7}\n"),
    ];
    let dataset = Dataset::read_files(&paths, &ColumnOptions::default()).expect("rows");
    let places: Vec<_> = dataset
        .examples
        .iter()
        .map(|one| (one.file.to_path_buf(), one.line))
        .collect();
    assert_eq!(
        places,
        [
            (paths[0].clone(), 1),
            (paths[0].clone(), 2),
            (paths[1].clone(), 3),
            (paths[2].clone(), 1)
        ]
    );
    let known = LabelSet::new(names(&["0", "1"]).expect("names")).expect("labels");
    let message = known
        .resolve(&dataset)
        .expect_err("an unknown label")
        .to_string();
    assert!(message.contains("part-3.jsonl, line 1"), "{message}");
    assert!(
        dataset
            .path
            .display()
            .to_string()
            .ends_with("part-1.tsv and 2 other files")
    );

    let pattern = dir.path().join("part-*");
    assert_eq!(bert_text::matching_files(&[pattern]).expect("files"), paths);
    let none: Vec<PathBuf> = vec![dir.path().join("none-*.tsv")];
    let error = bert_text::matching_files(&none).expect_err("no file");
    assert!(matches!(error, ReadError::NoFile { .. }), "{error}");
    let literal = part("odd[1].tsv", "a\t0\n");
    assert_eq!(
        bert_text::matching_files(std::slice::from_ref(&literal)).expect("a file"),
        [literal]
    );
}
