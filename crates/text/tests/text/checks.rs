//! What is said about data before training.

use bert_text::Encoding;
use bert_text::check::{
    CutSummary, LengthSummary, RowPair, UnknownSummary, duplicates_between, label_counts, repeats,
};

fn pair(first: usize, second: usize) -> RowPair {
    RowPair { first, second }
}

#[test]
fn evaluation_rows_that_training_has_seen_are_found_with_their_first_row() {
    let train = [("a", None), ("b", None), ("a", None), ("c", Some("d"))];
    let eval = [
        ("x", None),
        (" a ", None),
        ("c", Some("d")),
        ("c", None),
        ("c", Some("e")),
    ];
    assert_eq!(duplicates_between(&train, &eval), [pair(0, 1), pair(3, 2)]);
    assert_eq!(duplicates_between(&[], &eval), []);
}

#[test]
fn a_text_that_comes_again_is_paired_with_its_first_row() {
    let texts = [
        ("a", None),
        ("b", None),
        ("a ", None),
        ("a", Some("b")),
        ("a", None),
    ];
    assert_eq!(repeats(&texts), [pair(0, 2), pair(0, 4)]);
}

#[test]
fn labels_are_counted_most_frequent_first() {
    let counts = label_counts(["b", "c", "a", "b"]);
    let told: Vec<(&str, usize, f64)> = counts
        .iter()
        .map(|one| (one.label.as_str(), one.count, one.share))
        .collect();
    assert_eq!(told, [("b", 2, 0.5), ("a", 1, 0.25), ("c", 1, 0.25)]);
}

#[test]
fn every_row_is_in_one_bucket_and_percentiles_are_lengths_of_rows() {
    let lengths: Vec<usize> = (1..=200).rev().collect();
    let summary = LengthSummary::of(&lengths).expect("rows");
    assert_eq!((summary.min, summary.max, summary.mean), (1, 200, 100.5));
    assert_eq!((summary.median, summary.p90, summary.p99), (100, 180, 198));
    let rows: usize = summary.histogram.iter().map(|bucket| bucket.rows).sum();
    assert_eq!(rows, 200);
    assert!(summary.histogram.len() <= 11, "{:?}", summary.histogram);
    for buckets in summary.histogram.windows(2) {
        assert_eq!(buckets[0].to + 1, buckets[1].from);
    }
    let one = LengthSummary::of(&[7]).expect("a row");
    assert_eq!((one.median, one.p99, one.histogram.len()), (7, 7, 1));
    assert_eq!(LengthSummary::of(&[]), None);
}

fn encoding(ids: &[u32], truncated_tokens: usize) -> Encoding {
    let last = ids.len() - 1;
    let of = |index| (index != 0 && index != last).then_some(0);
    Encoding {
        input_ids: ids.to_vec(),
        sequence_ids: (0..ids.len()).map(of).collect(),
        truncated_tokens,
        ..Encoding::default()
    }
}

#[test]
fn what_is_cut_and_what_is_unknown_is_counted_without_special_tokens() {
    let encodings = [encoding(&[2, 1, 5, 3], 4), encoding(&[1, 6, 7, 1], 0)];
    let cut = CutSummary::of(&encodings);
    assert_eq!((cut.rows, cut.share_of_rows), (1, 0.5));
    assert_eq!((cut.tokens, cut.share_of_tokens), (4, 4.0 / 12.0));
    let unknown = UnknownSummary::of(&encodings, Some(1));
    assert_eq!((unknown.tokens, unknown.share, unknown.rows), (1, 0.25, 1));
    assert_eq!(UnknownSummary::of(&[], Some(1)).share, 0.0);
    assert_eq!(UnknownSummary::of(&encodings, None).tokens, 0);
}
