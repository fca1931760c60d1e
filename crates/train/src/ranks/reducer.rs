//! Sums of gradients, bucket by bucket: the `Reducer` of PyTorch's `DistributedDataParallel`.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use bert_tasks::{Communicator, ExchangeError, PendingSum};
use burn::tensor::TensorData;

use super::Traffic;
use super::gradients::Flat;
use super::tables::leave_out_untouched_rows;

/// Values of one bucket: 25 MiB, as in PyTorch's `DistributedDataParallel`.
const BUCKET_VALUES: usize = (25 << 20) / size_of::<f32>();
/// Buckets that are under way at once, so that memory holds no second copy of all gradients.
const BUCKETS_UNDER_WAY: usize = 3;

/// Adds up the gradients of all ranks. Each bucket has the same place in the order of every rank: the last gradients go
/// first, in pieces where one is larger than a bucket.
pub(super) struct Reducer<'r> {
    ranks: &'r dyn Communicator,
    flat: Vec<Flat>,
    /// The gradients from this one on have their place in a bucket.
    next: usize,
    /// No gradient from this one on is that of a table, so that their places are known before all gradients are.
    behind_tables: usize,
    filling: Bucket,
    filled: VecDeque<Bucket>,
    under_way: VecDeque<(Bucket, Box<dyn PendingSum + 'r>)>,
    traffic: Traffic,
}

/// Parts of gradients.
#[derive(Default)]
struct Bucket {
    pieces: Vec<Piece>,
    length: usize,
}

/// A part of a gradient, in values that are exchanged.
struct Piece {
    gradient: usize,
    range: Range<usize>,
}

impl<'r> Reducer<'r> {
    pub(super) fn new(ranks: &'r dyn Communicator, flat: Vec<Flat>, traffic: Traffic) -> Self {
        Self {
            ranks,
            next: flat.len(),
            behind_tables: flat
                .iter()
                .rposition(Flat::is_table)
                .map_or(0, |last| last + 1),
            flat,
            filling: Bucket::default(),
            filled: VecDeque::new(),
            under_way: VecDeque::new(),
            traffic,
        }
    }

    /// How many gradients there may be.
    pub(super) fn len(&self) -> usize {
        self.flat.len()
    }

    /// Takes a gradient during the backward pass, the last one first. One that is passed over does not exist. Begins to add
    /// up buckets that are full, and lets others go on.
    pub(super) fn receive(
        &mut self,
        gradient: usize,
        values: TensorData,
    ) -> Result<(), ExchangeError> {
        self.flat[gradient].set(values);
        self.fill_down_to(gradient.max(self.behind_tables));
        self.advance()
    }

    /// Counts what is under way as overlapped with the backward pass, which is over.
    pub(super) fn backward_has_ended(&mut self, bytes_before: u64) {
        self.traffic.overlapped_bytes += self.traffic.bytes - bytes_before;
    }

    /// The sums of all gradients, and what was exchanged.
    pub(super) fn finish(mut self) -> Result<(Vec<Flat>, Traffic), ExchangeError> {
        self.fill_down_to(self.behind_tables);
        self.begin_filled()?;
        self.flat.iter_mut().for_each(Flat::settle);
        leave_out_untouched_rows(&mut self.flat, self.ranks, &mut self.traffic)?;
        self.fill_down_to(0);
        self.close_bucket();
        self.begin_filled()?;
        while !self.under_way.is_empty() {
            self.wait_for_oldest()?;
        }
        Ok((self.flat, self.traffic))
    }

    /// Gives the gradients from this one on their places.
    fn fill_down_to(&mut self, gradient: usize) {
        while self.next > gradient {
            self.next -= 1;
            self.flat[self.next].settle();
            self.cut(self.next);
        }
    }

    /// Cuts one gradient into pieces of buckets.
    fn cut(&mut self, gradient: usize) {
        let exchanged = self.flat[gradient].exchanged();
        let mut start = 0;
        while start < exchanged {
            let end = exchanged.min(start + BUCKET_VALUES - self.filling.length);
            let range = start..end;
            self.filling.length += range.len();
            self.filling.pieces.push(Piece { gradient, range });
            if self.filling.length == BUCKET_VALUES {
                self.close_bucket();
            }
            start = end;
        }
    }

    fn close_bucket(&mut self) {
        if self.filling.length > 0 {
            self.filled.push_back(mem::take(&mut self.filling));
        }
    }

    /// Lets sums go on, and begins others, without waiting for other ranks.
    fn advance(&mut self) -> Result<(), ExchangeError> {
        self.advance_sums();
        while let Some((_, oldest)) = self.under_way.front_mut()
            && oldest.advance()
        {
            self.wait_for_oldest()?;
        }
        while self.under_way.len() < BUCKETS_UNDER_WAY
            && let Some(bucket) = self.filled.pop_front()
        {
            self.begin(bucket)?;
        }
        Ok(())
    }

    fn advance_sums(&mut self) {
        for (_, sum) in &mut self.under_way {
            sum.advance();
        }
    }

    /// Begins all buckets that are full; waits for others where too many are under way.
    fn begin_filled(&mut self) -> Result<(), ExchangeError> {
        while let Some(bucket) = self.filled.pop_front() {
            if self.under_way.len() == BUCKETS_UNDER_WAY {
                self.wait_for_oldest()?;
            }
            self.begin(bucket)?;
        }
        Ok(())
    }

    fn begin(&mut self, bucket: Bucket) -> Result<(), ExchangeError> {
        let mut values = Vec::with_capacity(bucket.length);
        for Piece { gradient, range } in &bucket.pieces {
            self.flat[*gradient].read(range.clone(), &mut values);
            self.advance_sums();
        }
        self.traffic.count(size_of_val(values.as_slice()));
        let sum = self.ranks.begin_sum(values)?;
        self.under_way.push_back((bucket, sum));
        Ok(())
    }

    /// Puts the sums of the oldest bucket in the place of what was added up.
    fn wait_for_oldest(&mut self) -> Result<(), ExchangeError> {
        let Some((bucket, sum)) = self.under_way.pop_front() else {
            return Ok(());
        };
        let sums = sum.wait()?;
        let mut sums = sums.as_slice();
        for Piece { gradient, range } in bucket.pieces {
            let (own, others) = sums.split_at(range.len());
            self.flat[gradient].write(range, own);
            sums = others;
        }
        Ok(())
    }
}
