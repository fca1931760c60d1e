use bert_text::{ColumnOptions, Dataset, LabelError, LabelSet, regression_targets};

use crate::{read, read_ok};

fn set(names: &[&str]) -> LabelSet {
    LabelSet::new(names.iter().map(|name| (*name).to_owned()).collect()).expect("distinct names")
}

/// One row a label.
fn labelled(labels: &[&str]) -> Dataset {
    let rows: Vec<String> = labels
        .iter()
        .map(|label| format!("text\t{label}\n"))
        .collect();
    let headerless = ColumnOptions {
        header: Some(false),
        ..ColumnOptions::default()
    };
    read("data.tsv", rows.concat(), &headerless).expect("rows")
}

fn json(labels: &[&str]) -> Dataset {
    let rows: Vec<String> = labels
        .iter()
        .map(|label| format!("{{\"text\": \"a\", \"label\": {label}}}\n"))
        .collect();
    read_ok("data.jsonl", &rows.concat())
}

fn names_of(labels: &[&str]) -> Vec<String> {
    let set = LabelSet::from_dataset(&labelled(labels)).expect("a label set");
    set.names().to_vec()
}

#[test]
fn integer_labels_are_in_numerical_order() {
    assert_eq!(names_of(&["10", "2", "1", "10"]), ["1", "2", "10"]);
}

#[test]
fn other_labels_are_in_alphabetical_order() {
    assert_eq!(
        names_of(&["neg", "pos", "neg", "Zero"]),
        ["Zero", "neg", "pos"]
    );
    assert_eq!(names_of(&["10", "9", "-1"]), ["-1", "10", "9"]);
}

#[test]
fn labels_resolve_to_their_ids_and_are_counted() {
    let set = set(&["contradiction", "neutral", "entailment"]);
    let ids = set
        .resolve(&labelled(&["entailment", "neutral", "entailment"]))
        .expect("ids");
    assert_eq!(ids, [2, 1, 2]);
    assert_eq!(set.counts(&ids), [0, 1, 2]);
}

#[test]
fn label_unknown_to_training_is_an_error_that_names_file_line_and_known_labels() {
    let error = set(&["neg", "pos"])
        .resolve(&labelled(&["pos", "neutral"]))
        .expect_err("an unknown label");
    let message = error.to_string();
    for part in ["data.tsv", "line 2", "\"neutral\"", "neg, pos"] {
        assert!(message.contains(part), "{message}");
    }
    let error = set(&["neg", "pos"]).resolve_multi_label(&json(&[r#"["pos", "new"]"#]));
    assert!(matches!(error, Err(LabelError::Unknown { line: 1, .. })));
}

#[test]
fn checkpoint_order_is_kept_when_the_names_agree() {
    let data = labelled(&["entailment", "neutral", "contradiction"]);
    let checkpoint = set(&["contradiction", "entailment", "neutral"]);
    let kept = LabelSet::for_training(Some(&checkpoint), &data).expect("a label set");
    assert_eq!(kept, checkpoint);

    let alphabetical = LabelSet::from_dataset(&data).expect("a label set");
    for other in [
        Some(set(&["LABEL_0", "LABEL_1", "LABEL_2"])),
        Some(set(&["neutral"])),
        None,
    ] {
        let own = LabelSet::for_training(other.as_ref(), &data).expect("a label set");
        assert_eq!(own, alphabetical);
    }
}

#[test]
fn integers_are_ids_of_classes_that_never_got_names() {
    let unnamed = set(&["LABEL_0", "LABEL_1"]);
    assert_eq!(
        unnamed.resolve(&labelled(&["1", "LABEL_0"])).expect("ids"),
        [1, 0]
    );
    assert!(unnamed.resolve(&labelled(&["2"])).is_err());
    assert!(set(&["neg", "pos"]).resolve(&labelled(&["1"])).is_err());
}

#[test]
fn label_lists_become_one_column_a_class() {
    let data = json(&[r#"["joy", "anger"]"#, "[]", r#""joy""#]);
    let set = LabelSet::from_dataset(&data).expect("a label set");
    assert_eq!(set.names(), ["anger", "joy"]);
    let rows = set.resolve_multi_label(&data).expect("rows");
    assert_eq!(rows, [[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]);
    assert!(matches!(
        set.resolve(&data),
        Err(LabelError::Kind { line: 1, .. })
    ));
}

#[test]
fn regression_takes_every_way_to_write_a_number() {
    let data = json(&["2.5", "3", r#""-1e1""#]);
    assert_eq!(
        regression_targets(&data).expect("numbers"),
        [2.5, 3.0, -10.0]
    );
    for bad in [r#""NaN""#, r#""inf""#, "1e300", r#""high""#, "[1]"] {
        let error = regression_targets(&json(&["1", bad])).expect_err("no finite number");
        assert!(matches!(error, LabelError::Kind { line: 2, .. }), "{error}");
    }
}

#[test]
fn data_that_gives_no_classes_is_an_error() {
    let from = |data: &Dataset| LabelSet::from_dataset(data).expect_err("an error");
    assert!(matches!(
        from(&labelled(&["x", "x"])),
        LabelError::OneClass { .. }
    ));
    assert!(matches!(from(&json(&["[]"])), LabelError::NoClass { .. }));
    let unlabelled = ColumnOptions {
        unlabelled: true,
        ..ColumnOptions::default()
    };
    let unlabelled = read("a.tsv", "good\n", &unlabelled).expect("rows");
    assert!(matches!(
        from(&unlabelled),
        LabelError::Missing { line: 1, .. }
    ));
}

#[test]
fn numbers_with_fractions_name_classes_where_classes_are_asked_for() {
    for data in [json(&["1", "0.5", "1.0"]), labelled(&["1", "0.50", "1.0"])] {
        let set = LabelSet::from_dataset(&data).expect("two classes");
        assert_eq!(set.names(), ["0.5", "1"]);
        assert_eq!(set.resolve(&data).expect("ids"), [1, 0, 1]);
    }
}

#[test]
fn labels_of_a_checkpoint_are_found_in_composed_form() {
    let set = set(&["cafe\u{301}", "bar"]);
    assert_eq!(set.names()[0], "cafe\u{301}");
    let ids = set.resolve(&labelled(&["caf\u{e9}", "cafe\u{301}", "bar"]));
    assert_eq!(ids.expect("ids"), [0, 0, 1]);
}

#[test]
fn one_name_cannot_have_two_ids() {
    let names = ["a", "b", "a"].map(str::to_owned).to_vec();
    let error = LabelSet::new(names).expect_err("a duplicate");
    assert!(matches!(
        error,
        LabelError::Duplicate {
            first: 0,
            second: 2,
            ..
        }
    ));
}
