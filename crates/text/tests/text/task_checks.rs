//! What is said about sentences of tagged words and about questions before training.

use std::path::PathBuf;

use bert_text::check::{
    AnswerFault, FaultyAnswer, Portion, UnknownSummary, WindowSummary, faulty_answers,
    is_cut_apart, vanished_words,
};
use bert_text::{Encoding, Pieces, SquadAnswer, SquadDataset, SquadQuestion};

fn pieces(word_ids: &[Option<u32>], is_unknown: &[bool]) -> Pieces {
    Pieces {
        word_ids: word_ids.to_vec(),
        is_unknown: is_unknown.to_vec(),
        ..Pieces::default()
    }
}

#[test]
fn words_without_a_piece_have_vanished() {
    let some = pieces(&[Some(1), Some(1), None, Some(3)], &[]);
    assert_eq!(vanished_words(5, &some), [0, 2, 4]);
    assert_eq!(vanished_words(0, &pieces(&[], &[])), [0_usize; 0]);
}

#[test]
fn unknown_sub_tokens_are_counted_over_all_sentences() {
    let sentences = [
        pieces(&[Some(0), Some(1)], &[true, true]),
        pieces(&[Some(0), Some(1)], &[false, false]),
    ];
    let unknown = UnknownSummary::of_pieces(&sentences);
    assert_eq!((unknown.tokens, unknown.share, unknown.rows), (2, 0.5, 1));
}

#[test]
fn a_right_answer_is_where_the_file_says_elsewhere_or_nowhere() {
    let answer = |text: &str, start| SquadAnswer {
        text: text.to_owned(),
        start,
    };
    let question = |answers: Vec<SquadAnswer>| SquadQuestion {
        id: "q".to_owned(),
        question: "what?".to_owned(),
        context: 0,
        article: 0,
        answers,
    };
    let data = SquadDataset {
        path: PathBuf::from("squad.json"),
        articles: 1,
        contexts: vec!["é🎬 the film".to_owned()],
        questions: vec![
            question(vec![answer("film", 7), answer("film", 11)]),
            question(Vec::new()),
            question(vec![answer("cast", 7), answer("", 3)]),
        ],
    };
    let faulty = |question, answer, fault| FaultyAnswer {
        question,
        answer,
        fault,
    };
    let expected = [
        faulty(0, 1, AnswerFault::Misplaced),
        faulty(2, 0, AnswerFault::Missing),
        faulty(2, 1, AnswerFault::Missing),
    ];
    assert_eq!(faulty_answers(&data), expected);
}

#[test]
fn windows_are_counted_by_row() {
    let summary = WindowSummary::of(&[1, 3, 2]);
    assert_eq!((summary.windows, summary.mean, summary.max), (6, 2.0, 3));
    let in_several = Portion {
        rows: 2,
        share: 2.0 / 3.0,
    };
    assert_eq!(summary.in_several, in_several);
    let none = WindowSummary::of(&[]);
    assert_eq!((none.windows, none.mean, none.max), (0, 0.0, 0));
}

#[test]
fn an_answer_is_cut_apart_when_no_window_holds_all_of_it() {
    let window = |offsets: &[(usize, usize)]| Encoding {
        offsets: offsets.to_vec(),
        sequence_ids: vec![Some(1); offsets.len()],
        ..Encoding::default()
    };
    let windows = [window(&[(0, 3), (4, 8)]), window(&[(4, 8), (9, 12)])];
    assert!(!is_cut_apart(&windows, &(4..12)));
    assert!(is_cut_apart(&windows, &(0..12)));
    assert!(is_cut_apart(&[], &(0..1)));
}
