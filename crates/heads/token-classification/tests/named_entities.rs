//! Tags, constrained decoding and metrics, without a model.

use bert_token_classification::metrics::{MetricsError, evaluate, strict_entities};
use bert_token_classification::tags::{
    self, Scheme, Span, begun_inside, convert, unfinished, without_prefix,
};
use bert_token_classification::transitions::{Transitions, best_label};

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn found(text: &str) -> Vec<(String, usize, usize)> {
    let tags = words(text);
    let spans = tags::entities(&tags);
    spans
        .iter()
        .map(|span| (span.entity_type.to_owned(), span.start, span.end))
        .collect()
}

#[test]
fn an_inside_tag_without_a_beginning_begins_an_entity() {
    let person = |start, end| ("person".to_owned(), start, end);
    assert_eq!(found("I-person I-person O"), [person(0, 2)]);
    assert_eq!(found("O I-person B-person"), [person(1, 2), person(2, 3)]);
    let place = ("place".to_owned(), 1, 2);
    assert_eq!(found("B-person I-place"), [person(0, 1), place]);
    assert_eq!(begun_inside(&words("I-x I-x O B-x I-y O E-z")), [0, 4, 6]);
    assert!(begun_inside(&words("B-x I-x O S-x B-x E-x")).is_empty());
    assert!(unfinished(&words("B-x I-x E-x S-x B-x E-x")).is_empty());
    assert_eq!(unfinished(&words("B-x O I-x I-x S-y B-y")), [0, 3, 5]);
}

#[test]
fn an_entity_at_the_end_of_a_sentence_is_complete() {
    assert_eq!(found("O B-creative-work I-creative-work").len(), 1);
    assert_eq!(
        found("O B-creative-work I-creative-work")[0],
        ("creative-work".to_owned(), 1, 3)
    );
    assert!(found("").is_empty());
}

#[test]
fn every_scheme_is_read_and_written_with_the_same_entities() {
    let iob1 = "I-x I-x B-x O I-y I-x B-x B-x O";
    let bio = "B-x I-x B-x O B-y B-x B-x B-x O";
    let iobes = "B-x E-x S-x O S-y S-x S-x S-x O";
    let bilou = "B-x L-x U-x O U-y U-x U-x U-x O";
    for from in [iob1, bio, iobes, bilou] {
        let to = |scheme| convert(&words(from), scheme).unwrap().join(" ");
        assert_eq!(to(Scheme::Iob1), iob1, "from {from}");
        assert_eq!(to(Scheme::Iob2), bio, "from {from}");
        assert_eq!(to(Scheme::Iobes), iobes, "from {from}");
    }
    assert_eq!(
        convert(&words("B I I O B"), Scheme::Iobes).unwrap(),
        words("B I E O S")
    );
}

#[test]
fn a_part_of_speech_cannot_be_converted_and_is_named() {
    let error = convert(&words("O B-x NOUN"), Scheme::Iob2).unwrap_err();
    assert_eq!((error.index, error.tag.as_str()), (2, "NOUN"));
    assert_eq!(Scheme::of(&["NOUN", "VERB"]), None);
}

#[test]
fn a_name_without_a_prefix_is_odd_where_others_have_one() {
    let odd = |tags: &'static str| without_prefix(words(tags)).into_iter().collect::<Vec<_>>();
    assert_eq!(odd("B-ORG O ORG I-ORG PER ORG"), ["ORG", "PER"]);
    assert!(odd("NOUN O VERB").is_empty());
    assert!(odd("B I NOUN").is_empty());
}

#[test]
fn an_entity_after_a_tag_without_meaning_begins_where_that_of_seqeval_does() {
    // `get_entities` keeps the place where the last entity began: at `B-y`.
    let stale = ("_".to_owned(), 0, 3);
    assert_eq!(
        found("B-y O X B-z"),
        [("y".to_owned(), 0, 1), stale, ("z".to_owned(), 3, 4)]
    );
}

#[test]
fn the_scheme_of_labels_is_told_by_their_first_letters() {
    assert_eq!(Scheme::of(&["B-x", "I-x", "O"]), Some(Scheme::Iob2));
    assert_eq!(Scheme::of(&["I-x", "O"]), Some(Scheme::Iob1));
    assert_eq!(Scheme::of(&["B-x", "S-x", "O"]), Some(Scheme::Iobes));
    assert_eq!(
        Scheme::of(&["B-x", "U-x", "O"]),
        None,
        "seqeval's IOBES has no U-"
    );
}

#[test]
fn strict_entities_are_well_formed_alone() {
    let span = |start, end| Span {
        entity_type: "x",
        start,
        end,
    };
    let strict = |text: &'static str, scheme| {
        let tags: &'static [&'static str] = words(text).leak();
        strict_entities(tags, scheme)
    };
    let bio = strict("I-x O B-x I-x I-x O", Scheme::Iob2);
    assert_eq!(bio, Ok(vec![span(2, 5)]));
    let iobes = strict("B-x I-x O B-x E-x S-x B-x", Scheme::Iobes);
    assert_eq!(iobes, Ok(vec![span(3, 5), span(5, 6)]));
    let wrong = strict("O S-x", Scheme::Iob2).unwrap_err();
    let MetricsError::NotOfScheme { index, tag, .. } = &wrong else {
        panic!("{wrong}");
    };
    assert_eq!((*index, tag.as_str()), (1, "S-x"));
}

#[test]
fn unpaired_sentences_and_nothing_to_score_are_errors() {
    let one = || vec![words("O B-x")];
    assert_eq!(
        evaluate(&[], &one(), None),
        Err(MetricsError::SentenceCount {
            predictions: 0,
            references: 1
        })
    );
    assert_eq!(
        evaluate(&[words("O")], &one(), None),
        Err(MetricsError::TokenCount {
            sentence: 0,
            predictions: 1,
            references: 2
        })
    );
    assert_eq!(
        evaluate::<&str>(&[vec![]], &[vec![]], None),
        Err(MetricsError::Empty)
    );
}

#[test]
fn without_an_entity_anywhere_every_score_is_zero_and_none_is_nan() {
    let metrics = evaluate(&[words("O O")], &[words("O O")], Some(Scheme::Iob2)).unwrap();
    assert_eq!(metrics.accuracy, 1.0);
    assert_eq!((metrics.default.f1, metrics.default.f1_macro), (0.0, 0.0));
    assert!(metrics.default.per_type.is_empty());
}

const BIO: [&str; 5] = ["O", "B-x", "I-x", "B-y", "I-y"];
const IOBES: [&str; 5] = ["O", "B-x", "I-x", "E-x", "S-x"];

fn decoded(labels: &[&'static str], scores: &[[f32; 5]]) -> Vec<&'static str> {
    let ids = Transitions::of(labels).decode(scores);
    ids.into_iter().map(|id| labels[id]).collect()
}

#[test]
fn constrained_decoding_never_continues_what_has_not_begun() {
    let inside = [0.1, 0.2, 0.6, 0.05, 0.05];
    let outside = [0.9, 0.025, 0.025, 0.025, 0.025];
    assert_eq!(decoded(&BIO, &[outside, inside]), ["O", "B-x"]);
    assert_eq!(decoded(&BIO, &[inside, inside]), ["B-x", "I-x"]);
    let other = [0.05, 0.05, 0.05, 0.05, 0.8];
    assert_eq!(decoded(&BIO, &[inside, other]), ["B-y", "I-y"]);
}

#[test]
fn constrained_decoding_finishes_what_has_begun() {
    let begin = [0.05, 0.7, 0.05, 0.05, 0.15];
    let outside = [0.9, 0.025, 0.025, 0.025, 0.025];
    assert_eq!(decoded(&IOBES, &[begin]), ["S-x"]);
    assert_eq!(decoded(&IOBES, &[begin, outside]), ["S-x", "O"]);
    let end = [0.1, 0.1, 0.1, 0.6, 0.1];
    assert_eq!(decoded(&IOBES, &[begin, end]), ["B-x", "E-x"]);
}

/// By trying every sequence.
fn best_by_force(labels: &[&'static str], scores: &[[f32; 5]], legal: fn(&[&str]) -> bool) -> f64 {
    let sequences = (0..5_usize.pow(scores.len() as u32)).map(|code| {
        let ids = (0..scores.len()).map(|place| code / 5_usize.pow(place as u32) % 5);
        ids.collect::<Vec<usize>>()
    });
    sequences
        .filter(|ids| legal(&ids.iter().map(|&id| labels[id]).collect::<Vec<_>>()))
        .map(|ids| likelihood(&ids, scores))
        .fold(f64::NEG_INFINITY, f64::max)
}

fn likelihood(ids: &[usize], scores: &[[f32; 5]]) -> f64 {
    let pairs = ids.iter().zip(scores);
    pairs.map(|(&id, row)| f64::from(row[id]).ln()).sum()
}

#[test]
fn constrained_decoding_finds_the_best_of_all_well_formed_sequences() {
    // Numbers without a pattern, from the digits of a linear congruential generator.
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((state >> 40) as f32 + 1.0) / 16_777_217.0
    };
    for _ in 0..40 {
        let scores: Vec<[f32; 5]> = (0..5).map(|_| std::array::from_fn(|_| random())).collect();
        let ids = Transitions::of(&BIO).decode(&scores);
        let tags: Vec<&str> = ids.iter().map(|&id| BIO[id]).collect();
        let well_formed = |tags: &[&str]| begun_inside(tags).is_empty();
        assert!(well_formed(&tags), "{tags:?}");
        let best = best_by_force(&BIO, &scores, well_formed);
        assert!((likelihood(&ids, &scores) - best).abs() < 1e-9);
    }
}

#[test]
fn tags_without_a_type_are_constrained_as_those_with_one() {
    let labels = ["O", "B", "I", "NOUN", "VERB"];
    let inside = [0.1, 0.2, 0.6, 0.05, 0.05];
    assert_eq!(decoded(&labels, &[inside, inside]), ["B", "I"]);
}

#[test]
fn of_equal_scores_the_first_label_is_taken() {
    assert_eq!(best_label(&[0.1, 0.4, 0.1, 0.4]), 1);
}

#[test]
fn labels_that_are_no_entity_tags_are_not_constrained() {
    let labels = ["NOUN", "VERB", "B", "X-y", "O"];
    let scores = [[0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.6, 0.1]];
    assert_eq!(decoded(&labels, &scores), ["VERB", "X-y"]);
    assert!(Transitions::of(&BIO).decode::<[f32; 5]>(&[]).is_empty());
}
