//! What labels and tags mean, as `check` and `train` say it.

use super::support::{Room, Run, TRAIN};

fn told(run: &Run, all: &[&str]) {
    let said = format!("{}{}", run.stdout, run.stderr);
    for words in all {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
}

fn check(room: &Room, task: &str, further: &str) -> Run {
    room.bert(&format!("check {task} {further}"))
}

#[test]
fn multi_hot_rows_train_a_class_for_each_place() {
    let room = Room::new();
    let rows = "{\"text\": \"a film\", \"labels\": [0,1,1]}\n{\"text\": \"the cast\", \"labels\": [0,0,0]}\n{\"text\": \"good\", \"labels\": [1,0,0]}\n";
    room.write("hot.jsonl", rows.repeat(3));
    let line = TRAIN.replace(
        "train.tsv",
        "hot.jsonl --max-steps 1 --label-names joy,anger,fear",
    );
    let run = room.bert(&line).succeeded();
    told(&run, &["any of 3 labels", "joy 3, anger 3, fear 3"]);
    let config = room.read("trained/config.json");
    assert!(config.contains("multi_label_classification"), "{config}");
    room.write(
        "two.jsonl",
        "{\"text\": \"a\", \"labels\": [0,1]}\n{\"text\": \"b\", \"labels\": [1,0]}\n",
    );
    check(&room, "text-classification", "--data two.jsonl")
        .failed(1, &["two.jsonl, line 1", "--label-lists"]);
    check(
        &room,
        "text-classification",
        "--data two.jsonl --label-lists multi-hot",
    )
    .succeeded();
}

#[test]
fn scores_with_a_bad_cell_are_refused_by_check_and_by_train() {
    let room = Room::new();
    let row = |row: usize| match row {
        7 => "film 7\tn/a\n".to_owned(),
        row => format!("film {row}\t{}.5\n", row % 5),
    };
    room.write("scores.tsv", (1..=40).map(row).collect::<String>());
    let words = ["39 of 40", "line 7", "\"n/a\"", "--problem-type"];
    check(&room, "text-classification", "--data scores.tsv").failed(1, &words);
    room.bert(&TRAIN.replace("train.tsv", "scores.tsv"))
        .failed(1, &words);
    let run = check(
        &room,
        "text-classification",
        "--data scores.tsv --problem-type single-label",
    );
    told(&run.succeeded(), &["0.5    8", "n/a    1"]);
}

#[test]
fn probable_headers_are_named_with_their_flags() {
    let room = Room::new();
    room.write("stars.tsv", "review_body\tstars\ngood\t5\nbad\t1\n");
    check(&room, "text-classification", "--data stars.tsv").failed(
        1,
        &[
            "line 1",
            "--header yes --text-column review_body --label-column stars",
            "--header no",
        ],
    );
    room.write(
        "verdict.tsv",
        "body\tverdict\na\tgood\nb\tgood\nc\tbad\nd\tbad\n",
    );
    let words = ["verdict.tsv, line 1: is probably a header", "--header yes"];
    told(
        &check(&room, "text-classification", "--data verdict.tsv").succeeded(),
        &words,
    );
    let line = TRAIN.replace("train.tsv", "verdict.tsv --max-steps 1");
    told(&room.bert(&line).succeeded(), &words);
    let line = "--data verdict.tsv --header yes --text-column body --label-column verdict";
    told(
        &check(&room, "text-classification", line).succeeded(),
        &["4 rows"],
    );
}

#[test]
fn labels_that_look_alike_are_pointed_out() {
    let room = Room::new();
    room.write(
        "alike.tsv",
        "a\tcaf\u{e9}\nb\tcafe\u{301}\nc\tPos\nd\tpos\ne\tPos\nf\tpos\ng\t\u{ff11}\nh\t1\ni\t\u{ff11}\nj\t1\n",
    );
    let words = [
        "labels that look alike are different classes: ",
        "\"1\" (line 8) and \"\\u{ff11}\" (line 7)",
        "\"Pos\" (line 3) and \"pos\" (line 4)",
    ];
    told(
        &check(&room, "text-classification", "--data alike.tsv").succeeded(),
        &words,
    );
    let run = room
        .bert(&TRAIN.replace("train.tsv", "alike.tsv --max-steps 1"))
        .succeeded();
    told(&run, &words);
    told(&run, &["caf\u{e9} 2"]);
}

#[test]
fn ids_of_the_hub_have_a_way_on() {
    let room = Room::new();
    let rows = "{\"premise\": \"a\", \"hypothesis\": \"b\", \"label\": 0}\n{\"premise\": \"a\", \"hypothesis\": \"c\", \"label\": 2}\n\
                {\"premise\": \"a\", \"hypothesis\": \"d\", \"label\": -1}\n";
    room.write("nli.jsonl", rows);
    check(&room, "natural-language-inference", "--data nli.jsonl").failed(
        1,
        &[
            "nli.jsonl",
            "line 1",
            "--label-names entailment,neutral,contradiction",
        ],
    );
    let line = "--data nli.jsonl --label-names entailment,neutral,contradiction";
    let run = check(&room, "natural-language-inference", line).succeeded();
    told(&run, &["contradiction", "1 row left out", "unlabelled"]);
    room.write("ids.tsv", "a\t0\nb\t1\nc\t-1\nd\t1\n");
    let run = check(&room, "text-classification", "--data ids.tsv").succeeded();
    told(&run, &["3 rows", "1 row left out", "--unlabelled none"]);
    let run = check(
        &room,
        "text-classification",
        "--data ids.tsv --unlabelled none",
    )
    .succeeded();
    told(&run, &["4 rows"]);
}

#[test]
fn texts_with_labels_are_told_from_words_with_tags() {
    let room = Room::new();
    let words = [
        "texts.tsv: 3 words, 2 of them with spaces",
        "text-classification reads those",
    ];
    room.write(
        "texts.tsv",
        "the film is good\tpos\nit is bad\tneg\nno\tneg\n",
    );
    let run = check(&room, "token-classification", "--data texts.tsv").succeeded();
    told(&run, &words);
    let train =
        "train token-classification --model base --output tagger --max-steps 1 --train texts.tsv";
    told(&room.bert(train).succeeded(), &words);
    room.write("tags.tsv", "the film\tB-WORK\nis\tO\n");
    let run = check(&room, "token-classification", "--data tags.tsv").succeeded();
    assert!(!run.stdout.contains("with spaces"), "{}", run.stdout);
    assert!(!run.stderr.contains("with spaces"), "{}", run.stderr);
}

#[test]
fn tag_files_with_comments_ids_or_bare_tags_are_told_of() {
    let room = Room::new();
    room.write(
        "bare.conll",
        "# sent_id = 1\na\u{a0}b NN O U-LOC\nthe DT O O\nfilm NN O ORG\n\n# sent_id = 2\ngood JJ O B-LOC\nfilm NN O I-LOC\n",
    );
    let words = [
        "2 lines left out as comments",
        "1 word with a tag that has no prefix among tags with B- or I-",
        "ORG (line 4)",
    ];
    told(
        &check(&room, "token-classification", "--data bare.conll").succeeded(),
        &words,
    );
    let train = "train token-classification --model base --output tagger --max-steps 1 --train";
    told(
        &room.bert(&format!("{train} bare.conll")).succeeded(),
        &words,
    );
    let ids = "{\"tokens\": [\"the\", \"film\"], \"ner_tags\": [0, 1]}\n";
    room.write("ids.jsonl", ids.repeat(2));
    let line = format!("{train} ids.jsonl --overwrite");
    room.bert(&line)
        .failed(1, &["ids.jsonl, line 1", "--label-names"]);
    room.bert(&format!("{line} --label-names O,B-film,I-film"))
        .succeeded();
    let config = room.read("tagger/config.json");
    assert!(config.contains("\"2\": \"I-film\""), "{config}");
}
