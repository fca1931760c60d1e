use super::*;

/// Five tokens, `[CLS] question [SEP] a b [SEP]`: the context "a b" has tokens 3 and 4.
const OFFSETS: [(usize, usize); 6] = [(0, 0), (0, 8), (0, 0), (0, 1), (2, 3), (0, 0)];

fn window<'a>(start_logits: &'a [f32], end_logits: &'a [f32]) -> Window<'a> {
    Window {
        context: 0,
        context_tokens: 3..5,
        offsets: &OFFSETS,
        start_logits,
        end_logits,
    }
}

fn spans_of(decoded: &Decoded) -> Vec<Option<(usize, usize)>> {
    let spans = decoded.candidates.iter().map(|one| one.span);
    spans
        .map(|span| span.map(|span| (span.start, span.end)))
        .collect()
}

const STARTS: [f32; 6] = [9.0, 8.0, 7.0, 2.0, 1.0, 6.0];
const ENDS: [f32; 6] = [9.0, 8.0, 7.0, 0.5, 3.0, 6.0];

#[test]
fn only_spans_of_the_context_in_reading_order_are_candidates() {
    let decoded = decode(&[window(&STARTS, &ENDS)], &DecodeOptions::default());
    assert_eq!(
        spans_of(&decoded),
        [Some((0, 3)), Some((2, 3)), Some((0, 1))]
    );
    let total: f32 = decoded.candidates.iter().map(|one| one.probability).sum();
    assert!((total - 1.0).abs() < 1e-6);
    assert_eq!(decoded.null_score, Some(18.0));
}

#[test]
fn answers_of_more_tokens_than_allowed_are_refused() {
    let options = DecodeOptions {
        max_answer_length: 1,
        ..DecodeOptions::default()
    };
    let decoded = decode(&[window(&STARTS, &ENDS)], &options);
    assert_eq!(spans_of(&decoded), [Some((2, 3)), Some((0, 1))]);
}

#[test]
fn the_null_score_is_the_lowest_of_the_windows() {
    let options = DecodeOptions {
        with_null: true,
        ..DecodeOptions::default()
    };
    let low = [-4.0, 8.0, 7.0, 0.0, 0.0, 6.0];
    let decoded = decode(&[window(&STARTS, &ENDS), window(&low, &low)], &options);
    assert_eq!(decoded.null_score, Some(-8.0));
    assert_eq!(decoded.null_difference(), -13.0);
    assert_eq!(decoded.answer(0.0), decoded.best_span());
    assert_eq!(decoded.answer(-13.0), decoded.best_span());
    assert_eq!(decoded.answer(-13.5).and_then(|one| one.span), None);
    assert!(decoded.answer(-13.5).is_some());
}

#[test]
fn of_windows_with_equal_null_scores_the_first_counts() {
    let options = DecodeOptions {
        with_null: true,
        ..DecodeOptions::default()
    };
    let (low, high) = ([1.0; 6], [3.0; 6]);
    let decoded = decode(&[window(&low, &high), window(&high, &low)], &options);
    let null = decoded.candidates.iter().find(|one| one.span.is_none());
    let logits = null.map(|null| (null.start_logit, null.end_logit));
    assert_eq!(logits, Some((1.0, 3.0)));
}

#[test]
fn a_span_without_a_character_is_no_answer() {
    let offsets = [(0, 0), (0, 8), (0, 0), (2, 2), (2, 3), (0, 0)];
    let window = Window {
        offsets: &offsets,
        ..window(&STARTS, &STARTS)
    };
    let decoded = decode(&[window], &DecodeOptions::default());
    assert_eq!(spans_of(&decoded)[0], Some((2, 2)));
    let best = decoded.best_span().and_then(|best| best.span);
    assert_eq!(best.map(|span| (span.start, span.end)), Some((2, 3)));
}

#[test]
fn both_zeros_are_equal_logits_of_which_the_later_token_comes_first() {
    assert_eq!(highest(&[0.0, -0.0, -1.0], 2), [1, 0]);
}

#[test]
fn no_answer_stays_a_candidate_beyond_the_n_best() {
    let options = DecodeOptions {
        n_best: 6,
        with_null: true,
        ..DecodeOptions::default()
    };
    let starts = [-9.0, 8.0, 7.0, 2.0, 1.0, 6.0];
    let decoded = decode(
        &[window(&starts, &starts), window(&STARTS, &ENDS)],
        &options,
    );
    assert_eq!(decoded.candidates.len(), 7);
    assert_eq!(spans_of(&decoded)[6], None);
}

#[test]
fn a_span_of_two_windows_counts_once_when_asked_for() {
    let twice = [window(&STARTS, &ENDS), window(&STARTS, &ENDS)];
    let repeated = decode(&twice, &DecodeOptions::default());
    assert_eq!(repeated.candidates.len(), 6);
    let options = DecodeOptions {
        distinct: true,
        ..DecodeOptions::default()
    };
    assert_eq!(
        decode(&twice, &options),
        decode(&twice[..1], &DecodeOptions::default())
    );
}

#[test]
fn the_best_of_several_contexts_is_named_by_its_context() {
    let other = Window {
        context: 1,
        ..window(&STARTS, &ENDS)
    };
    let weak = [0.0; 6];
    let decoded = decode(&[window(&weak, &weak), other], &DecodeOptions::default());
    let best = decoded.best_span().and_then(|best| best.span);
    assert_eq!(best.map(|span| span.context), Some(1));
}

#[test]
fn without_a_token_of_the_context_there_is_no_answer() {
    let empty = Window {
        context_tokens: 0..0,
        ..window(&STARTS, &ENDS)
    };
    let decoded = decode(std::slice::from_ref(&empty), &DecodeOptions::default());
    assert_eq!(decoded.answer(0.0), None);
    assert_eq!(decoded.null_difference(), f32::MAX);
    let options = DecodeOptions {
        with_null: true,
        ..DecodeOptions::default()
    };
    let decoded = decode(&[empty], &options);
    let answer = decoded.answer(0.0).map(|one| (one.span, one.probability));
    assert_eq!(answer, Some((None, 1.0)));
    assert_eq!(decode(&[], &options), Decoded::default());
}

#[test]
fn logits_that_are_no_numbers_do_no_harm() {
    let broken = [f32::NAN; 6];
    let decoded = decode(&[window(&broken, &broken)], &DecodeOptions::default());
    assert_eq!(decoded.candidates.len(), 3);
}
