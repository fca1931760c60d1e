use std::path::Path;

use bert_text::{PredictInput, PredictInputs, ReadError, TokensInput};

fn inputs(content: impl AsRef<[u8]>) -> Vec<Result<PredictInput, ReadError>> {
    PredictInputs::new(content.as_ref(), Path::new("standard input")).collect()
}

fn one(text: &str, text_pair: Option<&str>) -> PredictInput {
    PredictInput {
        text: text.to_owned(),
        text_pair: text_pair.map(str::to_owned),
    }
}

#[test]
fn plain_text_and_json_lines_may_alternate() {
    let content = concat!(
        "\u{feff}a good film\r\n",
        "\n",
        "  \"quoted\" [text]\n",
        " {\"text\": \"b\", \"label\": 1}\n",
        "{\"text\": \"c\", \"text_pair\": \"d\"}\n",
        "{\"text\": \"e\", \"text_pair\": null}",
    );
    let read: Result<Vec<_>, _> = inputs(content).into_iter().collect();
    assert_eq!(
        read.expect("inputs"),
        [
            one("a good film", None),
            one("  \"quoted\" [text]", None),
            one("b", None),
            one("c", Some("d")),
            one("e", None),
        ]
    );
}

#[test]
fn line_that_starts_like_json_must_be_json_with_a_text() {
    for bad in [
        "{braces}",
        "{\"texts\": \"a\"}",
        "{\"text\": 1}",
        "{\"text\": \"a\"",
        "{\"text\": \"a\"} b",
    ] {
        let mut read = inputs(format!("good\n\n{bad}\n"));
        let error = read.remove(1).expect_err("not JSON");
        assert!(
            matches!(error, ReadError::PredictJson { line: 3, .. }),
            "{error}"
        );
        assert!(
            error.to_string().contains("standard input, line 3"),
            "{error}"
        );
    }
}

#[test]
fn invalid_utf8_names_the_line_and_later_lines_are_still_read() {
    let read = inputs(b"a\ncaf\xe9\nb\n");
    assert!(matches!(
        read[1],
        Err(ReadError::InvalidUtf8 { line: 2, .. })
    ));
    assert_eq!(read[2].as_ref().expect("an input"), &one("b", None));
}

#[test]
fn empty_input_has_no_inputs() {
    assert!(inputs("").is_empty());
    assert!(inputs("\n \n").is_empty());
}

#[test]
fn a_text_or_its_tokens_are_read_and_both_or_neither_refused() {
    let input = "plain\n{\"text\": \"a b\"}\n{\"tokens\": [\"a\", \"b\"]}\n{\"text\": \"a\", \"tokens\": []}\n{}\n";
    let path = Path::new("standard input");
    let lines: Vec<_> = PredictInputs::<_, TokensInput>::new(input.as_bytes(), path).collect();
    let tokens = vec!["a".to_owned(), "b".to_owned()];
    let expected = [
        TokensInput::Text("plain".into()),
        TokensInput::Text("a b".into()),
        TokensInput::Tokens(tokens),
    ];
    for (line, expected) in lines.iter().zip(expected) {
        assert_eq!(line.as_ref().expect("a valid line"), &expected);
    }
    for (line, number) in lines[3..].iter().zip(["line 4", "line 5"]) {
        let message = line.as_ref().expect_err("a refused line").to_string();
        assert!(
            message.contains(number) && message.contains("\"tokens\""),
            "{message}"
        );
    }
}
