//! What Python's `json` module writes is read, and errors name the place in the file.

use std::collections::BTreeMap;
use std::path::Path;

use bert_json::{JsonError, from_slice, from_slice_unique};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(content: impl AsRef<[u8]>) -> Result<T, JsonError> {
    from_slice(Path::new("dir/config.json"), content.as_ref())
}

fn error<T: DeserializeOwned>(content: impl AsRef<[u8]>) -> JsonError {
    read::<T>(content).err().expect("the content is refused")
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(
        read::<Value>("\u{feff}{\"a\": 1}").unwrap(),
        json!({"a": 1})
    );
}

#[test]
fn pythons_literals_are_null() {
    let value: Value = read(r#"{"a": Infinity, "b": [-Infinity,NaN], "c":NaN}"#).unwrap();
    assert_eq!(value, json!({"a": null, "b": [null, null], "c": null}));
}

#[test]
fn literals_within_strings_stay_as_they_are() {
    let text = r#"{"NaN": "Infinity", "quote \" NaN": "-Infinity\\", "real": NaN}"#;
    let value: Value = read(text).unwrap();
    let expected = json!({"NaN": "Infinity", "quote \" NaN": "-Infinity\\", "real": null});
    assert_eq!(value, expected);
}

#[test]
fn letters_after_a_literal_are_refused() {
    assert_eq!(error::<Value>(r#"{"a": NaNs}"#).line, 1);
    assert_eq!(error::<Value>(r#"{"a": Infinit}"#).line, 1);
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let map: BTreeMap<String, i32> = read(r#"{"a": 1, "a": 2}"#).unwrap();
    assert_eq!(map["a"], 2);
    assert_eq!(read::<Size>(r#"{"size": 1, "size": 2}"#).unwrap().size, 2);
}

#[test]
fn a_key_that_stands_twice_is_named_with_its_place_where_keys_are_unique() {
    let path = Path::new("dir/config.json");
    let read = |content: &str| from_slice_unique::<Value>(path, content.as_bytes());
    let error = read("{\"one\": {\"a\": NaN,\n\"b\": [], \"a\": 2}}").unwrap_err();
    assert_eq!((error.line, error.key.as_str()), (2, "one"));
    assert!(error.reason.contains("`a` stands twice"), "{error}");
    assert!(read("{\"a\": [{\"a\": -1}, {\"a\": 1.5}], \"b\": null}").is_ok());
}

#[derive(Debug, Deserialize)]
struct Size {
    size: u32,
}

#[test]
fn a_syntax_error_names_file_line_column_and_key() {
    let error = error::<Value>("{\n  \"model\": {\"size\": 1,}\n}");
    assert_eq!((error.line, error.column), (2, 23));
    assert_eq!(
        error.to_string(),
        "dir/config.json, line 2, column 23: key `model`: trailing comma; correct the file or fetch it again"
    );
}

#[test]
fn a_literal_moves_no_column_of_an_error() {
    let wrong = |number: &str| error::<Value>(format!("{{\"a\": {number}, \"b\": ?}}")).column;
    for literal in ["NaN", "Infinity", "-Infinity"] {
        assert_eq!(wrong(literal), wrong("1") + literal.len() - 1, "{literal}");
    }
}

/// Each literal is placed without reading the text before it again: a million of them are read at once.
#[test]
fn many_literals_on_many_lines_keep_the_places_of_errors() {
    let many = "NaN,\n".repeat(1_000_000);
    let found = error::<Value>(format!("[{many}NaN, ?]"));
    assert_eq!((found.line, found.column), (1_000_001, 6));
}

#[test]
fn a_value_of_the_wrong_type_names_its_key_and_line() {
    let error =
        error::<BTreeMap<String, Size>>("{\"one\": {\"size\": 1},\n\"two\": {\"size\": -4}}");
    assert_eq!((error.line, error.key.as_str()), (2, "two.size"));
    assert!(error.to_string().contains("expected u32"), "{error}");
}

#[test]
fn an_empty_file_and_text_behind_the_value_are_refused() {
    assert_eq!(error::<Value>("").reason, "EOF while parsing a value");
    assert_eq!(error::<Value>("{} x").column, 4);
}

#[test]
fn a_text_that_is_not_utf_8_is_refused() {
    let latin: Vec<u8> = b"{\n\"a\": \"caf\xe9\"}".to_vec();
    let error_of_latin = error::<Value>(latin);
    assert_eq!((error_of_latin.line, error_of_latin.column), (2, 10));
    let utf_16 = error::<Value>(b"\xff\xfe{\0}\0");
    assert!(utf_16.to_string().contains("save it as UTF-8"), "{utf_16}");
}
