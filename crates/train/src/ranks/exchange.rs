use std::collections::VecDeque;

use bert_tasks::{Communicator, ExchangeError, PendingSum};
use burn::module::Module;
use burn::optim::GradientsParams;
use serde::Serialize;

use super::SingleProcess;
use super::gradients::{Flat, put_back, take_out};

/// Values of one bucket: 25 MiB, as in PyTorch's `DistributedDataParallel`.
const BUCKET_VALUES: usize = (25 << 20) / size_of::<f32>();
/// Buckets that are under way at once, so that memory holds no second copy of all gradients.
const BUCKETS_UNDER_WAY: usize = 3;
/// A matrix with so many rows may be a table of embeddings, of which a batch reads a few rows.
const TABLE_ROWS: usize = 1024;

/// What one rank has handed over to be added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Bytes.
    pub bytes: u64,
    /// Calls of the communicator.
    pub messages: u64,
}

/// Adds up the gradients of all ranks, and counts.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) ranks: &'a dyn Communicator,
    /// Sums of gradients so far.
    pub(crate) steps: usize,
    pub(crate) traffic: Traffic,
}

impl Default for Exchange<'_> {
    fn default() -> Self {
        Self::among(&SingleProcess)
    }
}

impl<'a> Exchange<'a> {
    pub(crate) fn among(ranks: &'a dyn Communicator) -> Self {
        Self {
            ranks,
            steps: 0,
            traffic: Traffic::default(),
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.ranks.size() > 1
    }

    /// The sums of some numbers over all ranks.
    pub(crate) fn sum<const N: usize>(
        &mut self,
        values: [f64; N],
    ) -> Result<[f64; N], ExchangeError> {
        if !self.is_shared() {
            return Ok(values);
        }
        self.count(N * size_of::<f64>());
        let sums = self.ranks.sum(&values)?;
        sums.try_into().map_err(|sums: Vec<f64>| {
            ExchangeError(format!("{N} numbers were asked for, {} came", sums.len()))
        })
    }

    /// The sums of all ranks in the place of this rank's gradients. A gradient that no rank has stays away.
    ///
    /// What the backward pass computes last goes last; while buckets are under way the next ones are filled.
    pub(crate) fn sum_gradients<M: Module>(
        &mut self,
        model: &M,
        gradients: GradientsParams,
    ) -> Result<GradientsParams, ExchangeError> {
        if !self.is_shared() {
            return Ok(gradients);
        }
        self.steps += 1;
        let (mut flat, places) = take_out(model, gradients);
        self.leave_out_untouched_rows(&mut flat)?;
        let ranks = self.ranks;
        let mut under_way: VecDeque<(Vec<Piece>, Box<dyn PendingSum + '_>)> = VecDeque::new();
        for pieces in buckets(&flat) {
            let mut values = Vec::with_capacity(pieces.iter().map(|piece| piece.range.len()).sum());
            for piece in &pieces {
                flat[piece.gradient].read(piece.range.clone(), &mut values);
                under_way.iter_mut().for_each(|(_, sum)| sum.advance());
            }
            self.count(size_of_val(values.as_slice()));
            under_way.push_back((pieces, ranks.begin_sum(values)?));
            if under_way.len() == BUCKETS_UNDER_WAY
                && let Some((pieces, sum)) = under_way.pop_front()
            {
                write(&mut flat, pieces, &sum.wait()?);
            }
        }
        for (pieces, sum) in under_way {
            write(&mut flat, pieces, &sum.wait()?);
        }
        Ok(put_back(model, (flat, places)))
    }

    /// Of tables that are read in a few places, only the rows are exchanged that some rank has read.
    fn leave_out_untouched_rows(&mut self, flat: &mut [Flat]) -> Result<(), ExchangeError> {
        let is_table = |gradient: &&mut Flat| gradient.rows() >= TABLE_ROWS;
        let mut bits: Vec<u8> = Vec::new();
        for table in flat.iter_mut().filter(is_table) {
            bits.extend(table.touched_rows());
        }
        if bits.is_empty() {
            return Ok(());
        }
        self.count(bits.len());
        let mut union = vec![0; bits.len()];
        for other in self.ranks.all_gather(bits)? {
            union
                .iter_mut()
                .zip(other)
                .for_each(|(all, one)| *all |= one);
        }
        let mut rest = union.as_slice();
        for table in flat.iter_mut().filter(is_table) {
            let (own, others) = rest.split_at(table.rows().div_ceil(8));
            table.exchange_only(own);
            rest = others;
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) {
        self.traffic.bytes += bytes as u64;
        self.traffic.messages += 1;
    }
}

/// A part of a gradient, in values that are exchanged.
struct Piece {
    gradient: usize,
    range: std::ops::Range<usize>,
}

/// What goes into each bucket: the last gradients first, in pieces where one is larger than a bucket.
fn buckets(flat: &[Flat]) -> Vec<Vec<Piece>> {
    let mut buckets: Vec<Vec<Piece>> = Vec::new();
    let mut room = 0;
    for (gradient, one) in flat.iter().enumerate().rev() {
        let mut start = 0;
        while start < one.exchanged() {
            if room == 0 {
                buckets.push(Vec::new());
                room = BUCKET_VALUES;
            }
            let end = one.exchanged().min(start + room);
            room -= end - start;
            if let Some(bucket) = buckets.last_mut() {
                bucket.push(Piece {
                    gradient,
                    range: start..end,
                });
            }
            start = end;
        }
    }
    buckets
}

fn write(flat: &mut [Flat], pieces: Vec<Piece>, mut sums: &[f32]) {
    for Piece { gradient, range } in pieces {
        let (own, others) = sums.split_at(range.len());
        flat[gradient].write(range, own);
        sums = others;
    }
}
