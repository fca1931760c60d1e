//! `bert check`.

use super::support::{Room, TRAIN};

const TRAIN_ROWS: &str = "a good film\tgood\na bad film\tbad\nthe cast\tgood\nthe cast \tbad\nslow plot\todd\na good film\tgood\n\
                          quite zzz\tgood\nvery good and warm and funny and good\tgood\n";
const EVAL_ROWS: &str = "a bad film\tbad\nnew\tgood\nnewer\tawful\n";

fn room() -> Room {
    let room = Room::new();
    room.write("rows.tsv", TRAIN_ROWS);
    room.write("dev.tsv", EVAL_ROWS);
    room
}

#[test]
fn what_is_wrong_with_two_files_is_told_with_its_lines() {
    let room = room();
    let line =
        "check text-classification --data rows.tsv --eval dev.tsv --model base --max-length 8";
    let text = room.bert(line).succeeded().stdout;
    for words in [
        "data: rows.tsv: 8 rows",
        "eval: dev.tsv: 3 rows",
        "good   5     62.5 %",
        "rows.tsv: seen once: \"odd\" (line 5)",
        "dev.tsv: 1 of 3 rows occur in rows.tsv too, so scores on them do not show what the model has learned: line 1 is line 2",
        "dev.tsv: labels that never occur in rows.tsv: \"awful\" (line 3)",
        "rows.tsv: labels that never occur in dev.tsv: \"odd\" (line 5)",
        "rows.tsv: 1 row with the text of another row and a different label: line 4 is line 3",
        "rows.tsv: 1 row with the text and label of another row: line 6 is line 1",
        "rows.tsv: 1 row (12.5 %) cut at 8 tokens",
        "not in the vocabulary",
        "tokens: mean",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    let place = |word: &str| text.find(word).unwrap();
    assert!(
        place("problem ") < place("warning "),
        "the worst comes first"
    );

    let json = room.bert(&format!("{line} --json")).succeeded().json();
    assert_eq!(json["data"]["rows"], 8);
    assert_eq!(json["data"]["labels"][0]["label"], "good");
    assert_eq!(json["data"]["cut"]["rows"], 1);
    assert_eq!(json["data"]["unknown"]["rows"], 1);
    assert_eq!(json["eval"]["length_in_tokens"]["rows"], 3);
    assert_eq!(json["findings"][0]["severity"], "problem");
}

#[test]
fn without_a_model_lengths_are_in_words_and_clean_data_has_no_findings() {
    let room = Room::new();
    room.write(
        "clean.tsv",
        "good film\ta\nbad film\tb\ngood cast\ta\nbad cast\tb\n",
    );
    let run = room
        .bert("check text-classification --data clean.tsv")
        .succeeded();
    assert!(
        run.stdout.contains("words: mean 2.0, median 2"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.ends_with("no problems found\n"),
        "{}",
        run.stdout
    );
    let json = room
        .bert("check text-classification --data clean.tsv --json")
        .succeeded()
        .json();
    assert_eq!(json["findings"], serde_json::json!([]));
    assert!(json["data"]["cut"].is_null());
}

#[test]
fn numbers_are_no_labels_to_count() {
    let room = Room::new();
    room.write("scores.tsv", "good film\t4.5\nbad film\t1.5\n");
    let run = room
        .bert("check text-classification --data scores.tsv")
        .succeeded();
    assert!(!run.stdout.contains("LABEL"), "{}", run.stdout);
    assert!(
        run.stdout.ends_with("no problems found\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn pairs_are_checked_by_the_roles_of_their_labels() {
    let room = Room::new();
    let rows = "premise\thypothesis\tlabel\tset\na film\tthe film\tENTAILMENT\ttrain\na film\tthe cast\tneutral\ttrain\n\
                a film\tthe plot\tNeutral\ttrain\na film\tthe film\tentailment\tdev\nb\tc\t-\tdev\n";
    room.write("pairs.tsv", rows);
    let line = "check natural-language-inference --data pairs.tsv --data-filter set=train --eval-filter set=dev";
    let run = room.bert(line).succeeded();
    for words in [
        "neutral     2     66.7 %",
        "line 5 is line 2",
        "seen once: \"entailment\" (line 2)",
    ] {
        assert!(
            run.stdout.contains(words),
            "no {words:?} in\n{}",
            run.stdout
        );
    }
    assert!(run.stderr.contains("1 row left out"), "{}", run.stderr);
    room.bert("check natural-language-inference --data train.tsv")
        .failed(1, &["train.tsv", "no hypothesis"]);
    room.bert("check text-classification --data none.tsv")
        .failed(1, &["none.tsv", "cannot be read"]);
}

#[test]
fn training_warns_of_what_is_found_in_no_time() {
    let room = room();
    room.write("dev.tsv", "a bad film\tbad\nnew\tgood\n");
    let line = TRAIN.replace("train.tsv", "rows.tsv");
    let run = room
        .bert(&format!("{line} --eval dev.tsv --max-steps 1"))
        .succeeded();
    for words in [
        "warning rows.tsv: seen once: \"odd\" (line 5)",
        "warning dev.tsv: 1 of 2 rows occur in rows.tsv too",
    ] {
        assert!(
            run.stderr.contains(words),
            "no {words:?} in\n{}",
            run.stderr
        );
    }
}
