//! Tagged words: CoNLL and JSON Lines, their labels, and words in sub-tokens.

use std::path::Path;

use bert_text::{Alignment, Column, LabelSet, ReadError, TagColumns, TaggedDataset, Tokenizer};

use super::{file, fixtures};

fn read(name: &str, content: impl AsRef<[u8]>) -> Result<TaggedDataset, ReadError> {
    let (_dir, path) = file(name, content);
    TaggedDataset::read(&path, &TagColumns::default())
}

fn read_ok(name: &str, content: &str) -> Vec<(String, String)> {
    let data = read(name, content).expect("a valid file");
    data.sentences
        .iter()
        .map(|sentence| (sentence.words.join(" "), sentence.tags.join(" ")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(words, tags): &(&str, &str)| ((*words).to_owned(), (*tags).to_owned());
    expected.iter().map(owned).collect()
}

#[track_caller]
fn refused(name: &str, content: impl AsRef<[u8]>, words: &[&str]) {
    let message = read(name, content).expect_err("a refused file").to_string();
    for word in words {
        assert!(message.contains(word), "no {word:?} in {message}");
    }
}

#[test]
fn two_to_four_columns_of_tabs_or_spaces_are_read() {
    let expected = pairs(&[("EU rejects", "B-ORG O"), ("Peter", "B-PER")]);
    for content in [
        "EU\tB-ORG\nrejects\tO\n\nPeter\tB-PER\n",
        "EU B-ORG\nrejects O\n\nPeter B-PER",
        "EU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\n",
        "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n",
        "\u{feff}EU\tB-ORG \r\nrejects\tO\r\n\r\nPeter\tB-PER\r\n",
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n-DOCSTART- -X- -X- O\nPeter NNP B-NP B-PER\n",
        "\n\n\t\nEU\tB-ORG\nrejects\tO\n\t\n \nPeter\tB-PER\n\t\n",
    ] {
        assert_eq!(read_ok("data.conll", content), expected, "{content:?}");
    }
}

#[test]
fn words_between_tabs_may_hold_spaces_and_other_white_space() {
    let read = read_ok(
        "data.conll",
        "New York\tB-x\n\u{a0}\tO\n\u{200b}\tO\n\u{0}\tO\n",
    );
    assert_eq!(
        read,
        pairs(&[("New York \u{a0} \u{200b} \u{0}", "B-x O O O")])
    );
}

#[test]
fn columns_may_be_named_by_index() {
    let (_dir, path) = file("data.tsv", "1\tEU\tB-ORG\tO\n2\tsays\tO\tO\n");
    let columns = TagColumns {
        word: Some(Column::Index(1)),
        tag: Some(Column::Index(2)),
        label_names: None,
    };
    let data = TaggedDataset::read(&path, &columns).expect("a valid file");
    assert_eq!(data.sentences[0].words, ["EU", "says"]);
    assert_eq!(data.sentences[0].tags, ["B-ORG", "O"]);
}

#[test]
fn json_lines_have_tokens_and_tags() {
    let content = "{\"id\": 1, \"tokens\": [\"EU\", \"says\"], \"ner_tags\": [\"B-ORG\", \"O\"]}\n\n{\"tokens\": [], \"tags\": []}\n";
    let expected = pairs(&[("EU says", "B-ORG O"), ("", "")]);
    assert_eq!(read_ok("data.jsonl", content), expected);
}

#[test]
fn a_word_without_a_tag_is_named_with_its_line() {
    refused(
        "a.conll",
        "EU\tB-x\nrejects\n",
        &["a.conll, line 2", "rejects", "no tag", "tabs"],
    );
    refused("a.conll", "EU\tB-x\nrejects\t\n", &["line 2", "no tag"]);
    refused("a.conll", "EU\n", &["line 1", "no tag"]);
    refused(
        "a.conll",
        "EU B-x\nrejects\n",
        &["line 2", "no tag", "spaces"],
    );
    refused("a.conll", "EU\tB-x\n\tO\n", &["line 2", "no word"]);
    refused("a.conll", "EU\tNNP\tB-x\nsays\tO\n", &["line 2", "no tag"]);
    refused(
        "a.conll",
        "EU\tB-x\nsays\tVBZ\tO\n",
        &["line 2", "expected 2 columns", "found 3"],
    );
}

#[test]
fn files_without_a_sentence_and_broken_json_are_named() {
    refused("a.conll", "", &["a.conll", "no rows"]);
    refused("a.conll", "-DOCSTART- O\n\n", &["a.conll", "no rows"]);
    refused("a.conll", b"EU\tO\nr\xff\tO\n", &["line 2", "UTF-8"]);
    refused(
        "a.jsonl",
        "{\"tokens\": [\"a\"], \"ner_tags\": [3]}",
        &["line 1", "names, not ids"],
    );
    refused(
        "a.jsonl",
        "{\"tokens\": [\"a\", \"b\"], \"ner_tags\": [\"O\"]}",
        &["line 1", "2 tokens but 1 tags"],
    );
    refused(
        "a.jsonl",
        "{\"tokens\": [\"a\"], \"ner_tags\": [\"\"]}",
        &["line 1", "tag 0"],
    );
}

#[test]
fn words_between_spaces_may_hold_any_other_white_space() {
    for inner in ["\u{a0}", "\u{3000}", "\u{2009}", "\u{85}"] {
        let content = format!("A{inner}B NN O U-LOC\nin IN O O\n");
        let expected = pairs(&[(&format!("A{inner}B in"), "U-LOC O")]);
        assert_eq!(read_ok("data.conll", &content), expected, "{inner:?}");
    }
}

#[test]
fn comment_lines_are_left_out_and_told_of_once() {
    let expected = pairs(&[("EU rejects", "B-ORG O"), ("Peter", "B-PER")]);
    for content in [
        "# sent_id = 1\n# text = EU rejects\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n# sent_id = 2\nPeter NNP B-NP B-PER\n",
        "# id 7b-0 domain=en\nEU _ _ B-ORG\nrejects _ _ O\n\n# id 7b-1 domain=en\n#\nPeter _ _ B-PER\n",
        "# text = EU rejects\n# sent_id = 1\nEU\tB-ORG\nrejects\tO\n\n# x = Peter\nPeter\tB-PER\n",
        "# a comment of words\n# a b\nEU B-ORG\nrejects O\n\n# c d\nPeter B-PER\n",
    ] {
        let data = read("data.conll", content).expect("a valid file");
        let sentences = data.sentences.iter();
        let read: Vec<_> = sentences
            .map(|one| (one.words.join(" "), one.tags.join(" ")))
            .collect();
        assert_eq!(read, expected, "{content}");
        let notes: Vec<String> = data.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(
            notes[0].contains("3 lines left out") || notes[0].contains("4 lines"),
            "{notes:?}"
        );
        assert!(notes[0].contains("line 1"), "{notes:?}");
    }
}

#[test]
fn a_number_sign_with_a_tag_is_a_word() {
    let content = "# O\n1 B-x\n\nthe O\n# I-x\n1 B-x\n";
    let expected = pairs(&[("# 1", "O B-x"), ("the # 1", "O I-x B-x")]);
    assert_eq!(read_ok("data.conll", content), expected);
    assert_eq!(
        read_ok("data.conll", "#\tSYM\n1\tNUM\n"),
        pairs(&[("# 1", "SYM NUM")])
    );
    assert_eq!(
        read_ok("data.conll", "# O\n# B-x\n"),
        pairs(&[("# #", "O B-x")])
    );
}

#[test]
fn integer_tags_get_their_names() {
    let columns = |names: &[&str]| TagColumns {
        label_names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..TagColumns::default()
    };
    let ids = "{\"tokens\": [\"EU\", \"says\"], \"ner_tags\": [1, 0]}\n";
    for (name, content) in [
        ("a.jsonl", ids),
        ("a.conll", "EU 1\nsays 0\n"),
        ("b.conll", "EU B-ORG\nsays O\n"),
    ] {
        let (_dir, path) = file(name, content);
        let data =
            TaggedDataset::read(&path, &columns(&["O", "B-ORG", "I-ORG"])).expect("a valid file");
        assert_eq!(data.sentences[0].tags, ["B-ORG", "O"], "{name}");
        let labels = LabelSet::from_tags(&data).expect("tags");
        assert_eq!(labels.names(), ["O", "B-ORG", "I-ORG"]);
    }
    let (_dir, path) = file("a.jsonl", ids);
    let message = TaggedDataset::read(&path, &columns(&["O"]))
        .expect_err("too few names")
        .to_string();
    for words in ["a.jsonl, line 1", "\"1\"", "from 0 to 0"] {
        assert!(message.contains(words), "{message}");
    }
    refused("a.jsonl", ids, &["a.jsonl, line 1", "--label-names"]);
}

#[test]
fn columns_of_json_may_be_named() {
    let (_dir, path) = file(
        "a.jsonl",
        "{\"w\": [\"EU\"], \"pos\": [\"N\"], \"tags\": [\"O\"]}\n",
    );
    let columns = TagColumns {
        word: Some(Column::Name("w".into())),
        tag: Some(Column::Name("pos".into())),
        label_names: None,
    };
    let data = TaggedDataset::read(&path, &columns).expect("a valid file");
    assert_eq!(data.sentences[0].tags, ["N"]);
    let message = TaggedDataset::read(&path, &TagColumns::default())
        .expect_err("no tokens")
        .to_string();
    assert!(message.contains("w, pos, tags"), "{message}");
}

#[test]
fn an_unknown_tag_is_named_with_its_line() {
    let train = read("train.conll", "a\tO\nb\tB-x\n").expect("a valid file");
    let labels = LabelSet::from_tags(&train).expect("two tags");
    assert_eq!(labels.names(), ["B-x", "O"]);
    let other = read("dev.conll", "a\tO\n\nb\tO\nc\tB-y\n").expect("a valid file");
    let message = labels
        .resolve_tags(&other)
        .expect_err("an unknown tag")
        .to_string();
    for word in ["dev.conll", "line 4", "B-y", "B-x, O"] {
        assert!(message.contains(word), "no {word:?} in {message}");
    }
}

#[test]
fn the_labels_of_a_checkpoint_are_kept_when_their_names_match() {
    let data = read("train.conll", "a\tO\nb\tB-x\n").expect("a valid file");
    let own = LabelSet::from_tags(&data).expect("two tags");
    let set = |names: &[&str]| {
        LabelSet::new(names.iter().map(|&name| name.to_owned()).collect()).expect("distinct")
    };
    let checkpoint = set(&["O", "B-x"]);
    assert_eq!(
        own.clone().ordered_as(Some(&checkpoint)).names(),
        ["O", "B-x"]
    );
    let other = set(&["O", "B-x", "B-y"]);
    assert_eq!(own.ordered_as(Some(&other)).names(), ["B-x", "O"]);
}

/// Sentences, words and tags as Python reads them: `parts = line.rstrip("\n").split("\t")`, a sentence ends where
/// there are fewer than two parts or the first is blank.
#[test]
fn wnut17_is_read_as_in_python() {
    let Some(root) = std::env::var_os("BERT_DATASETS") else {
        return;
    };
    let files = [
        ("wnut17train.conll", 3394, 62_730, 59_570),
        ("emerging.dev.conll", 1009, 15_733, 14_483),
        ("emerging.test.annotated", 1287, 23_394, 21_654),
    ];
    for (name, sentences, words, outside) in files {
        let path = Path::new(&root).join("wnut17").join(name);
        let data = TaggedDataset::read(&path, &TagColumns::default()).expect("a valid file");
        assert_eq!(data.sentences.len(), sentences, "{name}");
        assert_eq!(data.words(), words, "{name}");
        let tags = data.sentences.iter().flat_map(|sentence| &sentence.tags);
        assert_eq!(tags.filter(|tag| *tag == "O").count(), outside, "{name}");
    }
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_dir(&fixtures().join("tiny")).expect("a tokenizer")
}

#[test]
fn words_that_vanish_have_no_piece_and_all_others_keep_their_index() {
    let words = ["\u{200b}", "a", "\u{0}", "\u{301}", "\u{1f642}", "e\u{301}"];
    let pieces = tokenizer().word_pieces(&words).expect("words");
    let ids: Vec<u32> = pieces.word_ids.iter().flatten().copied().collect();
    assert_eq!(ids, [1, 4, 5]);
    // The last accent is gone from the token, and with it from the place.
    assert_eq!(pieces.offsets, [(2, 3), (8, 9), (10, 11)]);
}

#[test]
fn the_first_sub_token_carries_the_label_or_all_do() {
    let pieces = bert_text::Pieces {
        word_ids: vec![Some(0), Some(0), Some(2), None, Some(3), Some(3)],
        ..Default::default()
    };
    let labels = [1, 9, 0, 2];
    let continued = [0, 2, 2];
    let of = |range, alignment| pieces.labels(range, &labels, alignment, &continued);
    let first = [Some(1), None, Some(0), None, Some(2), None];
    assert_eq!(of(0..6, Alignment::First), first);
    let all = [Some(1), Some(2), Some(0), None, Some(2), Some(2)];
    assert_eq!(of(0..6, Alignment::All), all);
    assert_eq!(of(1..3, Alignment::All), [Some(2), Some(0)]);
}

#[test]
fn special_tokens_stand_around_any_part_of_a_sentence() {
    let tokenizer = tokenizer();
    let pieces = tokenizer.word_pieces(&["a", "a", "a"]).expect("words");
    for range in [0..3, 1..2, 3..3] {
        let encoding = tokenizer
            .encode_pieces(&pieces, range.clone())
            .expect("pieces");
        assert_eq!(encoding.len(), range.len() + 2);
        assert_eq!(Some(encoding.input_ids[0]), tokenizer.cls_token_id());
        assert_eq!(
            Some(encoding.input_ids[range.len() + 1]),
            tokenizer.sep_token_id()
        );
        let special = encoding.sequence_ids.iter().filter(|id| id.is_none());
        assert_eq!(special.count(), 2);
    }
    assert_eq!(tokenizer.capacity(10).expect("room"), 8);
    for max_length in [0, 1, 2] {
        assert!(tokenizer.capacity(max_length).is_err(), "{max_length}");
    }
}
