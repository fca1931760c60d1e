//! Some of a file's rows.

use bert_text::{Column, ColumnOptions, ColumnRole, ReadError, RowFilter};

use crate::{read, read_ok};

const SICK: &str = "pair_ID\tsentence_A\tsentence_B\tentailment_label\tSemEval_set\n\
                    1\ta\tb\tNEUTRAL\tTRAIN\n\
                    2\tc\td\t\tTEST\n\
                    3\te\tf\tENTAILMENT\tTRAIN \n\
                    4\tg\th\tNEUTRAL\tTRIAL\n";

fn filtered(words: &[&str]) -> ColumnOptions {
    let filters = words.iter().map(|word| word.parse().expect("COLUMN=VALUE"));
    ColumnOptions {
        filters: filters.collect(),
        ..ColumnOptions::default()
    }
}

fn lines(name: &str, content: &str, words: &[&str]) -> Vec<usize> {
    let dataset = read(name, content, &filtered(words)).expect("rows");
    dataset.examples.iter().map(|row| row.line).collect()
}

#[test]
fn the_rows_of_one_split_are_those_with_its_name_in_a_column() {
    assert_eq!(lines("sick.txt", SICK, &["SemEval_set=TRAIN"]), [2, 4]);
    assert_eq!(lines("sick.txt", SICK, &["4=TRIAL"]), [5]);
    let both = ["SemEval_set=TRAIN", "entailment_label=NEUTRAL"];
    assert_eq!(lines("sick.txt", SICK, &both), [2], "all filters hold");
}

#[test]
fn a_row_that_is_left_out_needs_no_label_but_all_columns() {
    let error = read("sick.txt", SICK, &ColumnOptions::default()).expect_err("an empty label");
    assert!(
        matches!(error, ReadError::EmptyLabel { line: 3, .. }),
        "{error}"
    );
    let short = format!("{SICK}5\ti\n");
    let error = read("sick.txt", short, &filtered(&["SemEval_set=TRAIN"])).expect_err("short");
    assert!(
        matches!(error, ReadError::ColumnCount { line: 6, .. }),
        "{error}"
    );
}

#[test]
fn json_lines_and_files_without_a_header_are_filtered_too() {
    let json = "{\"text\": \"a\", \"label\": \"x\", \"fold\": 1}\n{\"text\": \"b\", \"label\": \"y\", \"fold\": 2}\n";
    assert_eq!(lines("a.jsonl", json, &["fold=2"]), [2]);
    let options = ColumnOptions {
        text: Some(Column::Index(0)),
        label: Some(Column::Index(1)),
        ..filtered(&["2=dev"])
    };
    let dataset = read("a.csv", "a,x,train\nb,y,dev\n", &options).expect("rows");
    assert_eq!(dataset.examples[0].text, "b");
}

#[test]
fn a_value_that_no_row_has_is_answered_with_those_there_are() {
    let error = read("sick.txt", SICK, &filtered(&["SemEval_set=TRAINING"])).expect_err("no row");
    let message = error.to_string();
    for words in [
        "sick.txt",
        "SemEval_set=TRAINING",
        "4 rows",
        "TEST, TRAIN, TRIAL",
    ] {
        assert!(message.contains(words), "no {words:?} in {message}");
    }
    let error = read("sick.txt", SICK, &filtered(&["split=TRAIN"])).expect_err("no column");
    assert!(
        matches!(&error, ReadError::MissingColumn { role: ColumnRole::Filter, name, .. } if name == "split"),
        "{error}"
    );
}

#[test]
fn a_filter_is_a_column_and_a_value() {
    let filter: RowFilter = "SemEval_set = TRAIN".parse().expect("a filter");
    assert_eq!(filter.to_string(), "SemEval_set=TRAIN");
    assert_eq!(
        "a=b=c".parse::<RowFilter>().map(|filter| filter.value),
        Ok("b=c".into())
    );
    for word in ["TRAIN", "=TRAIN", ""] {
        assert!(word.parse::<RowFilter>().is_err(), "{word:?} was taken");
    }
}

#[test]
fn rows_that_nobody_agreed_on_can_be_taken_out_and_counted() {
    let snli = "{\"gold_label\": \"-\", \"sentence1\": \"a\", \"sentence2\": \"b\"}\n\
                {\"gold_label\": \"neutral\", \"sentence1\": \"c\", \"sentence2\": \"d\"}\n";
    let mut dataset = read_ok("snli.jsonl", snli);
    assert_eq!(dataset.remove_label("-"), 1);
    assert_eq!(dataset.examples.len(), 1);
    assert_eq!(dataset.examples[0].line, 2);
    assert_eq!(dataset.remove_label("-"), 0);
    let mnli = "index\tgenre\tsentence1_parse\tsentence1\tsentence2\tlabel1\tgold_label\n\
                0\tfiction\t(a)\ta\tb\tneutral\tneutral\n";
    let dataset = read_ok("mnli.tsv", mnli);
    assert_eq!(dataset.examples[0].text, "a");
    assert_eq!(dataset.examples[0].text_pair.as_deref(), Some("b"));
}
