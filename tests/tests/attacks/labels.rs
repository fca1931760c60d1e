//! Numbers of labels that would fill the memory if anybody made a name for each.

use bert_tasks::text_classification::TextClassifier;

use crate::{assert_words, chain, model, read, write};

const BILLION: u64 = 1_000_000_000;

fn refusal(change: impl FnOnce(&str) -> String) -> String {
    let folder = model();
    let config = change(&read(folder.path(), "config.json"));
    write(folder.path(), "config.json", config);
    let refused = TextClassifier::open(folder.path(), None).err();
    chain(&refused.expect("the model is refused"))
}

#[test]
fn a_billion_labels_are_compared_with_the_rows_of_the_classifier() {
    let many = format!("{{\"num_labels\": {BILLION},");
    let message = refusal(|config| {
        let config: serde_json::Map<_, _> = serde_json::from_str(config).expect("a configuration");
        let mut config = config;
        config.shift_remove("id2label");
        config.shift_remove("num_labels");
        let config = serde_json::to_string(&config).expect("JSON");
        config.replacen('{', &many, 1)
    });
    assert_words(
        &message,
        &["config.json", "`num_labels` is 1000000000", "rows"],
    );
}

#[test]
fn the_id_of_a_label_is_below_the_rows_of_the_classifier() {
    let message = refusal(|config| {
        let mut config: serde_json::Map<_, _> =
            serde_json::from_str(config).expect("a configuration");
        let names = serde_json::json!({"0": "a", BILLION.to_string(): "b"});
        config.insert("id2label".to_owned(), names);
        serde_json::to_string(&config).expect("JSON")
    });
    assert_words(&message, &["config.json", "`id2label`", "1000000000"]);
}

/// A tensor without values takes no bytes of the file, however many rows its shape has.
#[test]
fn rows_without_values_are_no_labels() {
    let folder = model();
    let file = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&file).expect("weights");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).expect("text");
    let mut header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(header).expect("a header");
    let end = bytes.len() - 8 - length;
    let classifier = header
        .shift_remove("classifier.weight")
        .expect("a classifier");
    // What was the classifier's becomes a tensor of another head, so that the file keeps its length.
    header.insert("other.weight".to_owned(), classifier);
    let none = serde_json::json!({"dtype": "F32", "shape": [BILLION * BILLION, 0], "data_offsets": [end, end]});
    header.insert("classifier.weight".to_owned(), none);
    let header = serde_json::to_string(&header).expect("JSON");
    let new_length = (header.len() as u64).to_le_bytes();
    let changed = [&new_length[..], header.as_bytes(), &bytes[8 + length..]].concat();
    std::fs::write(&file, changed).expect("written");
    let mut config: serde_json::Map<_, _> =
        serde_json::from_str(&read(folder.path(), "config.json")).expect("a configuration");
    for key in ["id2label", "label2id", "num_labels"] {
        config.shift_remove(key);
    }
    config.insert(
        "architectures".to_owned(),
        serde_json::json!(["BertForSequenceClassification"]),
    );
    let config = serde_json::to_string(&config).expect("JSON");
    write(folder.path(), "config.json", config);
    let refused = TextClassifier::open(folder.path(), None).err();
    let message = chain(&refused.expect("the model is refused"));
    assert_words(&message, &["classifier.weight", "1000000000000000000"]);
}
