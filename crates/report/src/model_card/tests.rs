use serde_json::json;

use super::*;
use crate::DataPart;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn card() -> ModelCard {
    ModelCard {
        name: "a \"film\": critic".to_owned(),
        used_for: UsedFor {
            task: "text-classification",
            pipeline_tag: Some("text-classification"),
            input_line: "good",
            python: "pipeline()",
        },
        run: RunFile {
            model: "folder/someone/models/base/".to_owned(),
            data: vec![DataPart {
                role: "eval".to_owned(),
                files: vec!["folder/someone/dev|1.tsv".to_owned()],
                examples: 1234,
                ..DataPart::default()
            }],
            ..RunFile::default()
        },
        options: object(json!({"learning_rate": 5e-5, "max_steps": null, "tune": "all"})),
        results: vec![(
            "eval".to_owned(),
            object(json!({"accuracy": 0.5, "loss": 0.7})),
        )],
        is_adapter: false,
    }
}

#[test]
fn a_card_names_no_folder_of_the_machine_and_quotes_names() {
    let text = card().to_markdown();
    assert!(text.starts_with(
        "---\nlibrary_name: \"transformers\"\npipeline_tag: \"text-classification\"\n"
    ));
    for words in [
        r#"- name: "a \"film\": critic""#,
        r#"name: "dev|1.tsv""#,
        "split: \"validation\"",
        "value: 0.5",
        "A fine-tuned base, for text classification.",
        r"| eval | dev\|1.tsv | 1,234 |",
        "| learning rate | 5e-5 |",
        "| loss | 0.7 |",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    assert!(
        !text.contains("someone") && !text.contains("max steps"),
        "{text}"
    );
}

#[test]
fn a_card_of_the_users_is_left_alone_and_ours_is_replaced() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(ModelCard::FILE);
    assert!(card().write(root.path()).unwrap());
    let mut other = card();
    other.name = "other".to_owned();
    assert!(other.write(root.path()).unwrap());
    assert!(std::fs::read_to_string(&path).unwrap().contains("# other"));
    std::fs::write(&path, "# Mine").unwrap();
    assert!(!other.write(root.path()).unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# Mine");
}
