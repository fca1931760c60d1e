//! A key that stands twice, so that two readers see two files in one.

use bert_weights::{Checkpoint, WEIGHTS_FILE};

use crate::{assert_words, model, read, write};

fn refusal(name: &str, content: impl AsRef<[u8]>) -> String {
    let folder = model();
    write(folder.path(), name, content);
    let refused = Checkpoint::open(folder.path()).err();
    refused.expect("the file is refused").to_string()
}

#[test]
fn a_key_that_config_json_has_twice_is_refused() {
    let config = read(model().path(), "config.json");
    let twice = config.replacen('{', "{\n\"hidden_size\": 4096,", 1);
    assert_words(
        &refusal("config.json", twice),
        &["config.json, line ", "`hidden_size` stands twice"],
    );
    let twice = config.replacen('{', r#"{"id2label": {"0": "safe", "0": "unsafe"},"#, 1);
    assert_words(
        &refusal("config.json", twice),
        &["key `id2label`", "`0` stands twice"],
    );
}

#[test]
fn a_tensor_that_a_safetensors_header_has_twice_is_refused() {
    let tensor = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let header = format!(r#"{{"a":{tensor},"a":{tensor}}}"#);
    let length = (header.len() as u64).to_le_bytes();
    let file = [&length[..], header.as_bytes(), &[0; 4]].concat();
    assert_words(
        &refusal(WEIGHTS_FILE, file),
        &[
            WEIGHTS_FILE,
            "invalid safetensors header",
            "`a` stands twice",
        ],
    );
}

#[test]
fn a_tensor_that_an_index_has_twice_is_refused() {
    let folder = model();
    std::fs::remove_file(folder.path().join(WEIGHTS_FILE)).expect("removed");
    let index = "model.safetensors.index.json";
    write(
        folder.path(),
        index,
        r#"{"weight_map": {"a": "model-1.safetensors", "a": "model-2.safetensors"}}"#,
    );
    let refused = Checkpoint::open(folder.path()).err();
    let message = refused.expect("the index is refused").to_string();
    assert_words(&message, &[index, "key `weight_map`", "`a` stands twice"]);
}
