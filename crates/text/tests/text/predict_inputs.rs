use std::path::Path;

use bert_text::{
    InferenceInput, PredictError, PredictInput, PredictInputs, ReadError, SequenceInput,
    TokensInput,
};

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
            one("", None),
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
        let error = read.remove(2).expect_err("not JSON");
        assert!(
            matches!(
                error,
                ReadError::Predict {
                    line: 3,
                    source: PredictError::Json { .. },
                    ..
                }
            ),
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
}

#[test]
fn every_line_is_an_input_blank_ones_too() {
    for (content, count) in [
        ("first\n\nthird\n", 3),
        ("\n \n", 2),
        ("a\n\r\n\n", 3),
        ("\n\nb", 3),
    ] {
        let read: Result<Vec<_>, _> = inputs(content).into_iter().collect();
        assert_eq!(read.expect("inputs").len(), count, "{content:?}");
    }
    let pairs = b"{\"premise\": \"a\", \"hypothesis\": \"b\"}\n\n";
    let pairs: Vec<_> =
        PredictInputs::<_, InferenceInput>::new(&pairs[..], Path::new("pairs")).collect();
    let message = pairs[1].as_ref().expect_err("a blank line").to_string();
    assert!(message.contains("pairs, line 2: is blank"), "{message}");
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

#[test]
fn a_pair_needs_both_of_its_texts_under_either_names() {
    let content = "{\"premise\": \"a\", \"hypothesis\": \"b\"}\n{\"text\": \"a\", \"text_pair\": \"b\"}\n{\"premise\": \"a\"}\n";
    let mut inputs =
        PredictInputs::<_, InferenceInput>::new(content.as_bytes(), Path::new("pairs"));
    let first = inputs.next().expect("a line").expect("a pair");
    assert_eq!(
        (first.premise.as_str(), first.hypothesis.as_str()),
        ("a", "b")
    );
    assert_eq!(inputs.next().expect("a line").expect("a pair"), first);
    let error = inputs.next().expect("a line").expect_err("no hypothesis");
    assert!(error.to_string().contains("pairs, line 3"), "{error}");
    let mut plain = PredictInputs::<_, InferenceInput>::new(&b"a b"[..], Path::new("pairs"));
    let error = plain.next().expect("a line").expect_err("plain text");
    assert!(
        matches!(
            error,
            ReadError::Predict {
                line: 1,
                source: PredictError::Plain { .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_sequence_is_a_line_or_an_object() {
    let content = "plain\n{\"sequence\": \"one\"}\n{\"text\": \"two\"}\n";
    let inputs = PredictInputs::<_, SequenceInput>::new(content.as_bytes(), Path::new("texts"));
    let read: Vec<String> = inputs
        .map(|input| input.expect("a text").sequence)
        .collect();
    assert_eq!(read, ["plain", "one", "two"]);
}
