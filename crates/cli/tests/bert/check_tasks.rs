//! `bert check` of tasks other than text classification.

use serde_json::json;

use super::support::{Room, Run};

/// Sentences with every fault: a mention without its beginning, a tag that comes once, a word that vanishes, a sentence
/// that comes twice with other tags.
const TRAIN_TAGS: &str = "the\tO\ngood\tB-film\nfilm\tI-film\n\nit\tO\nis\tO\ndull\tI-person\n\nthe\tO\ncast\tO\n\u{200b}\tO\n\n\
                          the\tO\ngood\tB-film\nfilm\tO\n\nzzz\tB-place\n\na\tO\ngood\tB-film\nfilm\tI-film\nis\tO\nvery\tO\ngood\tO\n";
const EVAL_TAGS: &str =
    "the\tO\ngood\tB-film\nfilm\tI-film\n\nslow\tB-plot\n\nbad\tI-plot\nplot\tI-plot\n";

fn told(run: &Run, all: &[&str]) {
    for words in all {
        assert!(
            run.stdout.contains(words),
            "no {words:?} in\n{}",
            run.stdout
        );
    }
}

fn tags() -> Room {
    let room = Room::new();
    room.write("train.conll", TRAIN_TAGS);
    room.write("dev.conll", EVAL_TAGS);
    room
}

#[test]
fn what_is_wrong_with_tagged_words_is_told_with_its_lines() {
    let room = tags();
    let line = "check token-classification --data train.conll --eval dev.conll --model base --max-length 7";
    let run = room.bert(line).succeeded();
    told(
        &run,
        &[
            "data: train.conll: 6 sentences, 19 words",
            "B-film    3      15.8 %",
            "film         3         60.0 %",
            "train.conll: 1 mention without a B- tag, begun by I- or E-: I-person (line 7)",
            "dev.conll: 1 mention without a B- tag, begun by I- or E-: I-plot (line 7)",
            "train.conll: seen once: \"B-place\" (line 17), \"I-person\" (line 7)",
            "dev.conll: 1 of 3 sentences occur in train.conll too, so scores on them do not show what the model has learned: line 1 is line 1",
            "dev.conll: tags that never occur in train.conll: \"B-plot\" (line 5), \"I-plot\" (line 7)",
            "1 sentence with the text of another sentence and a different tagging: line 13 is line 1",
            "train.conll: 1 sentence (16.7 %) longer than 7 tokens",
            "train.conll: 1 token (5.56 %) not in the vocabulary, in 1 sentence",
            "train.conll: 1 word without a token: training learns nothing from the tag: \"\\u{200b}\" (line 11)",
            "TOKENS  SENTENCES",
        ],
    );
    let json = room.bert(&format!("{line} --json")).succeeded().json();
    assert_eq!(json["data"]["sentences"], 6);
    assert_eq!(json["data"]["tags"][0]["label"], "O");
    assert_eq!(
        json["data"]["entity_types"][0],
        json!({"label": "film", "count": 3, "share": 0.6})
    );
    assert_eq!(json["data"]["in_windows"]["rows"], 1);
    assert_eq!(json["data"]["vanished_words"], 1);
    assert_eq!(json["eval"]["unknown"]["tokens"], 0);

    let train = "train token-classification --model base --train train.conll --output trained --max-steps 1";
    let run = room.bert(train).succeeded();
    for words in [
        "warning train.conll: seen once: \"B-place\" (line 17)",
        "warning train.conll: 1 mention without a B- tag",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
}

#[test]
fn the_older_scheme_is_recognised_and_parts_of_speech_have_no_entities() {
    let room = Room::new();
    room.write("old.conll", "a\tI-x\nb\tO\nc\tI-x\nd\tB-x\n\na\tI-x\n");
    let run = room
        .bert("check token-classification --data old.conll")
        .succeeded();
    told(
        &run,
        &[
            "3 of 4 mentions begin with I-, so the file is probably in the scheme IOB1; --scheme bio",
        ],
    );
    let run = room
        .bert("check token-classification --data old.conll --scheme bio")
        .succeeded();
    assert!(!run.stdout.contains("IOB1"), "{}", run.stdout);
    room.write("iobes.conll", "a\tB-x\nb\tO\nc\tS-x\nd\tB-x\ne\tE-x\n");
    let run = room
        .bert("check token-classification --data iobes.conll")
        .succeeded();
    told(
        &run,
        &["1 mention without an end, by E- or S-: B-x (line 1)"],
    );
    room.write("pos.conll", "a\tDET\nb\tNOUN\n\nc\tDET\nd\tNOUN\n");
    let run = room
        .bert("check token-classification --data pos.conll")
        .succeeded();
    assert!(!run.stdout.contains("MENTION"), "{}", run.stdout);
    assert!(
        run.stdout.ends_with("no problems found\n"),
        "{}",
        run.stdout
    );
}

/// Questions with every fault, about a context of 9 words.
fn squad(ids: &[&str]) -> String {
    let context = "the film was good , the plot was dull";
    let answers = [
        json!([{"text": "the plot was dull", "answer_start": 20}]),
        json!([{"text": "film", "answer_start": 0}]),
        json!([{"text": "cast", "answer_start": 4}]),
        json!([]),
    ];
    let questions = ["was it dull ?", "what was good ?", "who ?", "is it funny ?"];
    let qas: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(index, id)| {
            json!({"id": id, "question": questions[index % 4], "answers": answers[index % 4]})
        })
        .collect();
    json!({"data": [{"title": "x", "paragraphs": [{"context": context, "qas": qas}]}]}).to_string()
}

#[test]
fn what_is_wrong_with_questions_is_told_with_their_ids() {
    let room = Room::new();
    room.write("train.json", squad(&["a", "b", "c", "d", "a"]));
    room.write("dev.json", squad(&["e"]));
    let line = "check question-answering --data train.json --eval dev.json --model base --max-length 12 --stride 2";
    let run = room.bert(line).succeeded();
    told(
        &run,
        &[
            "data: train.json: 5 questions, 1 article, 1 context",
            "1 question (20.0 %) without an answer",
            "train.json: 1 answer not at answer_start (in characters of the context, from 0) but elsewhere in it: \"film\" of \"b\"",
            "train.json: 1 answer nowhere in the context: \"cast\" of \"c\"",
            "train.json: 1 question with the id of another; training refuses the file: \"a\"",
            "train.json: 1 question with the text and answer of another question: \"a\" is \"a\"",
            "dev.json: 1 of 1 question occur in train.json too",
            "windows of 12 tokens that share 2: ",
            "TOKENS  QUESTIONS",
            "whose answer no window holds as a whole",
        ],
    );
    let json = room.bert(&format!("{line} --json")).succeeded().json();
    assert_eq!(json["data"]["unanswerable"]["rows"], 1);
    assert_eq!(json["data"]["answers_cut_apart"], 2);
    assert!(json["data"]["windows"]["in_several"]["rows"].as_u64() > Some(0));
    assert_eq!(
        json["eval"]["windows"]["windows"],
        json["eval"]["windows"]["max"]
    );
    let run = room
        .bert(&line.replace("--max-length 12", "--max-length 7"))
        .succeeded();
    told(&run, &["too long: a window has no room for the context"]);

    room.write("train.json", squad(&["a", "b", "c", "d"]));
    let train = "train question-answering --model base --train train.json --eval dev.json --output trained --max-steps 1";
    let run = room.bert(train).succeeded();
    let words = "warning dev.json: 1 of 1 question occur in train.json too";
    assert!(run.stderr.contains(words), "{}", run.stderr);
}

#[test]
fn lines_of_a_plain_text_that_come_twice_are_told() {
    let room = Room::new();
    room.write("text.txt", "a good film\n\nzzz\na good film\n \nthe end\n");
    room.write("dev.txt", "zzz\n");
    let run = room
        .bert("check masked-lm --data text.txt --eval dev.txt --model base")
        .succeeded();
    told(
        &run,
        &[
            "data: text.txt: 4 lines, 2 blank lines",
            "text.txt: 1 line with the text of another line: line 4 is line 1",
            "text.txt: 2 tokens",
            "not in the vocabulary, in 2 lines",
            "9 tokens in all",
            "dev.txt: 1 of 1 line occur in text.txt too",
        ],
    );
    room.write("blank.txt", " \n\n");
    room.bert("check masked-lm --data blank.txt")
        .failed(1, &["blank.txt"]);
}
