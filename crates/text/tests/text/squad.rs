//! SQuAD files, answers among tokens, and questions as input.

use std::io::{Cursor, Write};
use std::path::Path;

use bert_text::{
    Contexts, GoldAnswer, PredictInputs, QuestionInput, SquadDataset, SquadError, Tokenizer,
    TokenizerError, answer_tokens, char_slice,
};

use super::{file, fixtures};

/// Two articles; the answer of question `q3` occurs nowhere, `q2` has none.
const FILE: &str = r#"{"version": "x", "data": [
  {"title": "Film", "paragraphs": [{"context": "é🎬 the film is good", "qas": [
    {"id": "q1", "question": "what is good?", "answers": [{"text": "film", "answer_start": 7}], "is_impossible": false},
    {"id": "q2", "question": "who?", "answers": [], "is_impossible": true}]}]},
  {"title": "Plot", "paragraphs": [{"context": "the plot", "qas": [
    {"id": "q3", "question": "what?", "answers": [{"text": "cast", "answer_start": 4}]}]}]}]}"#;

fn read(content: impl AsRef<[u8]>) -> Result<SquadDataset, SquadError> {
    let (_dir, path) = file("data.json", content);
    SquadDataset::read(&path)
}

fn message(content: &str) -> String {
    let error = read(content).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}

#[test]
fn questions_are_flattened_in_the_order_of_the_file() {
    let data = read(format!("\u{feff}{FILE}")).unwrap();
    assert_eq!(data.articles, 2);
    let ids: Vec<_> = data
        .questions
        .iter()
        .map(|one| (one.id.as_str(), one.article))
        .collect();
    assert_eq!(ids, [("q1", 0), ("q2", 0), ("q3", 1)]);
    assert_eq!(data.context(&data.questions[2]), "the plot");
    assert!(data.has_unanswerable());
}

#[test]
fn answers_are_found_by_characters_or_said_to_be_misplaced() {
    let data = read(FILE).unwrap();
    let gold: Vec<_> = data.questions.iter().map(|one| data.gold(one)).collect();
    let expected = [
        GoldAnswer::At(7..11),
        GoldAnswer::None,
        GoldAnswer::Misplaced,
    ];
    assert_eq!(gold, expected);
    let beyond = read(FILE.replace(
        "\"answer_start\": 4",
        "\"answer_start\": 18446744073709551615",
    ));
    let beyond = beyond.unwrap();
    assert_eq!(beyond.gold(&beyond.questions[2]), GoldAnswer::Misplaced);
}

#[test]
fn pieces_of_a_text_are_cut_by_characters() {
    let text = "é🎬e\u{301}x";
    assert_eq!(char_slice(text, 1..2), Some("🎬"));
    assert_eq!(char_slice(text, 2..4), Some("e\u{301}"));
    assert_eq!(char_slice(text, 5..5), Some(""));
    assert_eq!(char_slice(text, 4..6), None);
    assert_eq!(char_slice(text, 6..6), None);
}

#[test]
fn articles_are_selected_by_number() {
    let select = |range: &str| {
        let mut data = read(FILE).unwrap();
        data.select_articles(range.parse().unwrap())
            .map(|()| data.questions.len())
    };
    assert_eq!(select("0..1").unwrap(), 2);
    assert_eq!(select("1..").unwrap(), 1);
    assert_eq!(select("..2").unwrap(), 3);
    let error = select("1..3").unwrap_err().to_string();
    assert!(
        error.contains("no articles 1..3; the file has 2"),
        "{error}"
    );
    assert!(select("2..").is_err());
    for word in ["", "1", "2..1", "1..1", "a..", "1..2..3", "-1.."] {
        assert!(
            word.parse::<bert_text::ArticleRange>().is_err(),
            "{word} was taken"
        );
    }
}

#[test]
fn a_zip_archive_is_read_by_its_one_json_file() {
    let zipped = |names: &[&str]| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(FILE.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let data = read(zipped(&["dev.json", "__MACOSX/._dev.json", "readme.txt"])).unwrap();
    assert_eq!(data.questions.len(), 3);
    let error = read(zipped(&["a.json", "b.json"])).unwrap_err().to_string();
    assert!(error.contains("2 files (a.json, b.json)"), "{error}");
    let mut broken = zipped(&["dev.json"]);
    broken.truncate(60);
    let error = read(broken).unwrap_err().to_string();
    assert!(error.contains("the zip data is damaged"), "{error}");
}

/// The rows of the hub's SQuAD.
const ROWS: &str = "{\"id\": \"1\", \"title\": \"A\", \"context\": \"a b\", \"question\": \"q\", \"answers\": {\"text\": [\"b\"], \"answer_start\": [2]}}\n\
                    {\"id\": \"2\", \"title\": \"A\", \"context\": \"a b\", \"question\": \"r\", \"answers\": {\"text\": [], \"answer_start\": []}}\n\
                    {\"id\": \"3\", \"title\": \"B\", \"context\": \"c\", \"question\": \"s\", \"answers\": {\"text\": [\"c\"], \"answer_start\": [0]}}\n";

#[test]
fn rows_of_the_hub_are_questions_of_articles() {
    let (_dir, path) = super::file("dev.jsonl", ROWS);
    let data = SquadDataset::read(&path).unwrap();
    assert_eq!((data.articles, data.contexts.len()), (2, 2));
    let articles: Vec<usize> = data.questions.iter().map(|one| one.article).collect();
    assert_eq!(articles, [0, 0, 1]);
    let golds: Vec<_> = data.questions.iter().map(|one| data.gold(one)).collect();
    assert_eq!(
        golds,
        [GoldAnswer::At(2..3), GoldAnswer::None, GoldAnswer::At(0..1)]
    );
    let (_dir, path) = super::file("dev.jsonl", ROWS.replace("\"question\": \"r\", ", ""));
    let message = SquadDataset::read(&path).unwrap_err().to_string();
    assert!(
        message.contains("dev.jsonl, line 2: not a question"),
        "{message}"
    );
}

#[test]
fn a_row_with_fewer_places_than_answers_is_refused() {
    let (_dir, path) = super::file(
        "dev.jsonl",
        ROWS.replace(
            "[\"c\"], \"answer_start\": [0]",
            "[\"c\"], \"answer_start\": []",
        ),
    );
    let error = SquadDataset::read(&path).unwrap_err();
    let reason = std::error::Error::source(&error).expect("a reason");
    let (message, reason) = (error.to_string(), reason.to_string());
    assert!(message.contains("dev.jsonl, line 3"), "{message}");
    assert!(
        reason.contains("1 in `text` and 0 in `answer_start`"),
        "{reason}"
    );
}

#[test]
fn several_files_are_one_data_set_of_questions() {
    let (_dir, rows) = super::file("dev.jsonl", ROWS);
    let (_other_dir, json) = super::file("data.json", FILE);
    let data = SquadDataset::read_files(&[rows.clone(), json]).unwrap();
    assert_eq!(data.questions.len(), 6);
    assert_eq!(data.questions[3].article, 2);
    assert!(data.context(&data.questions[3]) != data.context(&data.questions[2]));
    let message = SquadDataset::read_files(&[rows.clone(), rows])
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("and 1 other file") && message.contains("\"1\""),
        "{message}"
    );
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_question() {
    let missing = message(&FILE.replace("\"answer_start\": 4", "\"start\": 4"));
    for words in [
        "data.json",
        "data[1].paragraphs[0].qas[0].answers[0]",
        "article \"Plot\", question \"q3\"",
        "expected data → title, paragraphs",
        "missing field `answer_start`",
    ] {
        assert!(missing.contains(words), "no {words:?} in {missing}");
    }
    let kind = message(&FILE.replace("\"answer_start\": 7", "\"answer_start\": -7"));
    assert!(
        kind.contains("question \"q1\"") && kind.contains("-7"),
        "{kind}"
    );
    assert!(message("[]").contains("not SQuAD's JSON"));
    let cut = message(&FILE[..FILE.len() - 9]);
    assert!(
        cut.contains("not SQuAD's JSON") && cut.contains("line 6"),
        "{cut}"
    );
    let trailing = message(&format!("{FILE} x"));
    assert!(trailing.contains("trailing characters"), "{trailing}");
    assert!(message("{\"data\": []}").contains("holds no questions"));
    let twice = message(&FILE.replace("q3", "q1"));
    assert!(
        twice.contains("two questions have the id \"q1\""),
        "{twice}"
    );
}

#[test]
fn an_answer_is_found_among_the_tokens_of_the_windows_that_hold_it() {
    let tokenizer = Tokenizer::from_dir(&fixtures().join("tiny")).unwrap();
    let context = "the film is good . the film is bad .";
    // Three special tokens, a question of one, and room for five tokens of the context, of which two are shared.
    let windows = tokenizer.encode_windows("film", context, 9, 2).unwrap();
    let pieces: Vec<usize> = windows
        .iter()
        .map(|window| window.tokens_of(1).len())
        .collect();
    assert_eq!(pieces, [5, 5, 4]);
    let place = |answer| -> Vec<_> {
        windows
            .iter()
            .map(|window| answer_tokens(window, &answer))
            .collect()
    };
    // "is good .", then "good . the", then within the word "film".
    assert_eq!(place(9..18), [Some((5, 7)), None, None]);
    assert_eq!(place(12..22), [None, Some((3, 5)), None]);
    assert_eq!(place(5..7), [Some((4, 4)), None, None]);
    let empty = tokenizer.encode_windows("film", "", 9, 2).unwrap();
    assert_eq!(empty.len(), 1);
    assert_eq!(empty[0].tokens_of(1), 0..0);
    assert_eq!(answer_tokens(&empty[0], &(0..1)), None);
}

#[test]
fn a_question_that_leaves_no_room_for_windows_is_refused() {
    let tokenizer = Tokenizer::from_dir(&fixtures().join("tiny")).unwrap();
    let question = "film ".repeat(4);
    let context = "the film is good .";
    assert!(tokenizer.encode_windows(&question, context, 12, 0).is_ok());
    let refused = tokenizer
        .encode_windows(&question, context, 11, 4)
        .unwrap_err();
    assert!(matches!(
        refused,
        TokenizerError::QuestionTooLong {
            question_tokens: 4,
            room: 4,
            stride: 4,
            ..
        }
    ));
    assert!(
        refused.to_string().contains("\"film film film"),
        "{refused}"
    );
    // Nothing needs to be cut here, so the overlap does not matter.
    assert_eq!(
        tokenizer
            .encode_windows(&question, "film", 8, 100)
            .unwrap()
            .len(),
        1
    );
    assert!(tokenizer.encode_windows(&question, "film", 7, 0).is_err());
    assert!(tokenizer.encode_windows(&question, "", 6, 0).is_err());
}

#[test]
fn a_question_is_asked_about_one_context_or_several() {
    let lines = "{\"question\": \"q\", \"context\": \"a\"}\n{\"question\": \"q\", \"context\": [\"a\", \"b\"]}\nplain\n{\"question\": \"q\", \"context\": 1}\n";
    let mut inputs = PredictInputs::<_, QuestionInput>::new(lines.as_bytes(), Path::new("in"));
    let mut next = || inputs.next().unwrap();
    assert_eq!(next().unwrap().context, Contexts::One("a".into()));
    assert_eq!(next().unwrap().context.as_slice(), ["a", "b"]);
    let plain = next().unwrap_err().to_string();
    assert!(
        plain.contains("line 3") && plain.contains("\"context\""),
        "{plain}"
    );
    let kind = next().unwrap_err();
    let source = std::error::Error::source(&kind).unwrap().to_string();
    assert!(source.contains("a string or a list of strings"), "{source}");
}
