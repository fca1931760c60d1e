//! Public data sets as they are published, from the folder that `$BERT_DATASETS` names.

use std::path::{Path, PathBuf};

use bert_text::{Column, ColumnOptions, Dataset, LabelSet, RowFilter, regression_targets};

/// The file, or `None` with a line on standard error; on a continuous-integration machine its absence is a failure.
fn dataset(name: &str) -> Option<PathBuf> {
    let beside_the_repository =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/datasets");
    let folder = std::env::var_os("BERT_DATASETS").map_or(beside_the_repository, PathBuf::from);
    let path = folder.join(name);
    if path.is_file() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{} is missing: set BERT_DATASETS to the folder of the data sets",
        path.display()
    );
    eprintln!(
        "SKIPPED: {} is missing; set BERT_DATASETS to the folder of the data sets",
        path.display()
    );
    None
}

fn read(path: &Path, label: Option<&str>) -> Dataset {
    let options = ColumnOptions {
        label: label.map(|name| Column::Name(name.to_owned())),
        ..ColumnOptions::default()
    };
    Dataset::read(path, &options).expect("the published file is valid")
}

/// Class names and row counts of a file.
fn summary(dataset: &Dataset) -> Vec<(String, usize)> {
    let set = LabelSet::from_dataset(dataset).expect("classes");
    let counts = set.counts(&set.resolve(dataset).expect("ids"));
    set.names().iter().cloned().zip(counts).collect()
}

fn named(counts: &[(&str, usize)]) -> Vec<(String, usize)> {
    let counts = counts.iter();
    counts
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[test]
fn sst2_sentences_have_no_header() {
    for (name, rows) in [("train", 6920), ("dev", 872), ("test", 1821)] {
        let Some(path) = dataset(&format!("sst2-sentences/{name}.tsv")) else {
            return;
        };
        let dataset = read(&path, None);
        assert_eq!(dataset.examples.len(), rows);
        let names: Vec<String> = summary(&dataset)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["0", "1"]);
    }
}

#[test]
fn sst2_of_glue_has_a_header_and_bare_quotes() {
    let Some(path) = dataset("sst2-glue/train_full.tsv") else {
        return;
    };
    let dataset = read(&path, None);
    assert_eq!(dataset.examples.len(), 67349);
    assert_eq!(
        dataset.examples[0].text,
        "hide new secretions from the parental units "
    );
}

#[test]
fn rte_is_a_pair() {
    let Some(path) = dataset("rte-glue/train.tsv") else {
        return;
    };
    let dataset = read(&path, None);
    assert!(
        dataset
            .examples
            .iter()
            .all(|example| example.text_pair.is_some())
    );
    assert_eq!(
        summary(&dataset),
        named(&[("entailment", 1249), ("not_entailment", 1241)])
    );
}

#[test]
fn sick_has_classes_and_numbers() {
    let Some(path) = dataset("sick/SICK.txt") else {
        return;
    };
    let classes = read(&path, Some("entailment_label"));
    assert_eq!(
        summary(&classes),
        named(&[
            ("CONTRADICTION", 1424),
            ("ENTAILMENT", 2821),
            ("NEUTRAL", 5595)
        ])
    );
    let scores = regression_targets(&read(&path, Some("relatedness_score"))).expect("numbers");
    assert_eq!(scores.len(), 9840);
    assert!(scores.iter().all(|score| (1.0..=5.0).contains(score)));
}

// The counts of the fine-tuning script that results are compared with: SICK by its `SemEval_set`, RTE by its files.
#[test]
fn the_splits_of_sick_and_rte_have_their_published_sizes() {
    let Some(sick) = dataset("sick/SICK.txt") else {
        return;
    };
    for (split, rows) in [("TRAIN", 4439), ("TRIAL", 495), ("TEST", 4906)] {
        let options = ColumnOptions {
            filters: vec![RowFilter {
                column: Column::Name("SemEval_set".into()),
                value: split.into(),
            }],
            ..ColumnOptions::default()
        };
        let dataset = Dataset::read(&sick, &options).expect("the published file is valid");
        assert_eq!(dataset.examples.len(), rows, "{split}");
        let names: Vec<String> = summary(&dataset)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["CONTRADICTION", "ENTAILMENT", "NEUTRAL"]);
        assert!(dataset.examples.iter().all(|row| row.text_pair.is_some()));
    }
    for (file, rows) in [("train", 2490), ("dev", 277)] {
        let path = dataset(&format!("rte-glue/{file}.tsv")).expect("SICK is there, so RTE is");
        assert_eq!(read(&path, None).examples.len(), rows, "{file}");
    }
}
