//! From sub-tokens to entities, without a model.

use bert_token_classification::aggregation::{Aggregation, Entity, SubToken, entities};

const BIO: [&str; 5] = ["O", "B-x", "I-x", "B-y", "I-y"];
const IOBES: [&str; 5] = ["O", "B-x", "I-x", "E-x", "S-x"];

fn token(word: &str, start: usize, best: usize, is_subword: bool) -> SubToken {
    let mut scores = vec![0.1; 5];
    scores[best] = 0.6;
    SubToken {
        word: word.to_owned(),
        scores,
        start,
        end: start + word.trim_start_matches("##").len(),
        index: start + 1,
        is_subword,
    }
}

fn aggregated(tokens: Vec<SubToken>, labels: &[&str], aggregation: Aggregation) -> Vec<Entity> {
    let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
    let join = |tokens: &[&str]| tokens.join(" ").replace(" ##", "");
    entities(tokens, &labels, aggregation, None, &join)
}

#[test]
fn a_word_with_two_opinions_is_whole_unless_the_strategy_is_simple() {
    let tokens = || vec![token("micro", 0, 1, false), token("##soft", 5, 3, true)];
    let simple = aggregated(tokens(), &BIO, Aggregation::Simple);
    let groups: Vec<&str> = simple
        .iter()
        .filter_map(|entity| entity.entity_group.as_deref())
        .collect();
    assert_eq!(groups, ["x", "y"]);
    let first = aggregated(tokens(), &BIO, Aggregation::First);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].word, "microsoft");
    assert_eq!((first[0].start, first[0].end), (0, 9));
    assert_eq!(first[0].entity_group.as_deref(), Some("x"));
}

#[test]
fn labels_of_iobes_are_grouped_as_the_entities_they_mean() {
    let tokens = vec![
        token("new", 0, 1, false),
        token("york", 4, 3, false),
        token("paris", 9, 4, false),
        token("and", 15, 0, false),
    ];
    let found = aggregated(tokens, &IOBES, Aggregation::Simple);
    let words: Vec<&str> = found.iter().map(|entity| entity.word.as_str()).collect();
    assert_eq!(words, ["new york", "paris"]);
}

#[test]
fn a_text_without_tokens_has_no_entities() {
    for aggregation in [Aggregation::None, Aggregation::First, Aggregation::Average] {
        assert!(aggregated(Vec::new(), &BIO, aggregation).is_empty());
    }
}

/// Two sub-tokens of one word, the second with the higher score.
fn a_word_of_two_opinions() -> Vec<SubToken> {
    let mut tokens = vec![token("micro", 0, 1, false), token("##soft", 5, 3, true)];
    tokens[1].scores = vec![0.0, 0.0, 0.0, 1.0, 0.0];
    tokens
}

#[test]
fn the_average_and_the_highest_score_decide_what_the_first_sub_token_alone_does_not() {
    for (aggregation, group, score) in [
        (Aggregation::First, "x", 0.6),
        (Aggregation::Average, "y", 0.55),
        (Aggregation::Max, "y", 1.0),
    ] {
        let found = aggregated(a_word_of_two_opinions(), &BIO, aggregation);
        assert_eq!(found.len(), 1, "{aggregation:?}");
        assert_eq!(found[0].entity_group.as_deref(), Some(group));
        assert_eq!(found[0].score, score, "{aggregation:?}");
    }
}

#[test]
fn of_equally_sure_sub_tokens_the_first_decides() {
    let tokens = vec![token("micro", 0, 1, false), token("##soft", 5, 3, true)];
    let found = aggregated(tokens, &BIO, Aggregation::Max);
    assert_eq!(found[0].entity_group.as_deref(), Some("x"));
}

#[test]
fn a_surer_first_sub_token_decides() {
    let mut tokens = a_word_of_two_opinions();
    tokens[0].scores = vec![0.0, 2.0, 0.0, 0.0, 0.0];
    let found = aggregated(tokens, &BIO, Aggregation::Max);
    assert_eq!(
        (found[0].entity_group.as_deref(), found[0].score),
        (Some("x"), 2.0)
    );
}

#[test]
fn a_group_has_the_extent_of_its_tokens_and_the_mean_of_their_scores() {
    let mut tokens = vec![token("new", 3, 1, false), token("york", 7, 2, false)];
    tokens[1].scores[2] = 0.9;
    let found = aggregated(tokens, &BIO, Aggregation::Simple);
    let expected = Entity {
        entity: None,
        entity_group: Some("x".to_owned()),
        score: 0.75,
        index: None,
        word: "new york".to_owned(),
        start: 3,
        end: 11,
    };
    assert_eq!(found, [expected]);
}

#[test]
fn without_aggregation_every_sub_token_that_is_not_o_stands_alone() {
    let tokens = vec![
        token("in", 0, 0, false),
        token("new", 3, 1, false),
        token("york", 7, 2, false),
    ];
    let alone = |label: &str, word: &str, start: usize| Entity {
        entity: Some(label.to_owned()),
        entity_group: None,
        score: 0.6,
        index: Some(start + 1),
        word: word.to_owned(),
        start,
        end: start + word.len(),
    };
    assert_eq!(
        aggregated(tokens, &BIO, Aggregation::None),
        [alone("B-x", "new", 3), alone("I-x", "york", 7)]
    );
}

#[test]
fn a_label_without_a_type_continues_its_like_as_in_the_pipeline() {
    let tokens = || vec![token("new", 0, 1, false), token("york", 4, 1, false)];
    let groups = |labels: &[&str]| {
        let found = aggregated(tokens(), labels, Aggregation::Simple);
        found
            .into_iter()
            .map(|entity| entity.word)
            .collect::<Vec<_>>()
    };
    assert_eq!(groups(&["O", "B", "I", "E", "S"]), ["new york"]);
    assert_eq!(groups(&BIO), ["new", "york"]);
}
