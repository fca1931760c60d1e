use std::num::NonZeroUsize;

use bert_text::{BatchOrder, epoch_batches};
use proptest::prelude::*;

const ORDERS: [BatchOrder; 3] = [
    BatchOrder::SortedByLength,
    BatchOrder::Shuffled,
    BatchOrder::LengthBucketed,
];

fn size(batch_size: usize) -> NonZeroUsize {
    NonZeroUsize::new(batch_size).expect("not zero")
}

/// Lengths without a pattern that a sampler could profit from.
fn lengths(count: usize) -> Vec<usize> {
    (0..count).map(|n| 3 + n * 7919 % 61).collect()
}

/// Tokens that a batch takes when all its rows are as long as the longest.
fn padded_tokens(batches: &[Vec<usize>], lengths: &[usize]) -> usize {
    let longest = |batch: &Vec<usize>| batch.iter().map(|&i| lengths[i]).max().unwrap_or(0);
    batches
        .iter()
        .map(|batch| batch.len() * longest(batch))
        .sum()
}

#[test]
fn every_epoch_and_every_seed_has_an_order_of_its_own() {
    let lengths = lengths(1000);
    for order in [BatchOrder::Shuffled, BatchOrder::LengthBucketed] {
        let batches = |seed, epoch| epoch_batches(&lengths, size(8), seed, epoch, order);
        assert_eq!(batches(42, 3), batches(42, 3));
        assert_ne!(batches(42, 3), batches(42, 4));
        assert_ne!(batches(42, 3), batches(43, 3));
        assert_ne!(batches(1, 2), batches(2, 1));
    }
}

#[test]
fn order_of_a_seed_is_the_same_in_every_build() {
    let batches = epoch_batches(&[5; 8], size(3), 42, 1, BatchOrder::Shuffled);
    assert_eq!(batches, [vec![1, 0, 6], vec![3, 5, 7], vec![2, 4]]);
}

#[test]
fn sorted_batches_run_from_long_to_short_and_ignore_the_seed() {
    let lengths = [4, 9, 4, 7, 9];
    let batches = epoch_batches(&lengths, size(2), 0, 0, BatchOrder::SortedByLength);
    assert_eq!(batches, [vec![1, 4], vec![3, 0], vec![2]]);
    let other = epoch_batches(&lengths, size(2), 7, 3, BatchOrder::SortedByLength);
    assert_eq!(batches, other);
}

#[test]
fn length_bucketing_pads_far_less_than_plain_shuffling() {
    let lengths = lengths(4000);
    let real: usize = lengths.iter().sum();
    let padding = |order| {
        let batches = epoch_batches(&lengths, size(16), 1, 1, order);
        padded_tokens(&batches, &lengths) - real
    };
    assert!(padding(BatchOrder::LengthBucketed) * 10 < padding(BatchOrder::Shuffled));
    assert!(padding(BatchOrder::SortedByLength) <= padding(BatchOrder::LengthBucketed));
}

#[test]
fn bucketed_batches_do_not_come_in_order_of_length() {
    let lengths = lengths(3200);
    let batches = epoch_batches(&lengths, size(16), 5, 0, BatchOrder::LengthBucketed);
    let longest: Vec<usize> = batches.iter().map(|batch| lengths[batch[0]]).collect();
    let falls = longest.windows(2).filter(|pair| pair[0] > pair[1]).count();
    let share = falls as f64 / longest.len() as f64;
    assert!((0.3..0.7).contains(&share), "{share}");
}

proptest! {
    #[test]
    fn every_epoch_visits_every_row_once(
        lengths in proptest::collection::vec(1_usize..200, 0..600),
        batch_size in 1_usize..70,
        seed: u64,
        epoch: u64,
    ) {
        for order in ORDERS {
            let batches = epoch_batches(&lengths, size(batch_size), seed, epoch, order);
            let mut visited = batches.concat();
            visited.sort_unstable();
            prop_assert_eq!(visited, (0..lengths.len()).collect::<Vec<_>>());
            prop_assert_eq!(batches.len(), lengths.len().div_ceil(batch_size));
            let short = batches.iter().filter(|batch| batch.len() != batch_size).count();
            prop_assert!(short <= 1);
            prop_assert!(batches.iter().all(|batch| !batch.is_empty()));
        }
    }
}
