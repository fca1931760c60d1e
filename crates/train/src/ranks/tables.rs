//! Tables of embeddings, of which a batch reads a few rows.

use bert_tasks::{Communicator, ExchangeError};

use super::Traffic;
use super::gradients::Flat;

/// Of the tables only the rows are exchanged that some rank has read.
pub(super) fn leave_out_untouched_rows(
    flat: &mut [Flat],
    ranks: &dyn Communicator,
    traffic: &mut Traffic,
) -> Result<(), ExchangeError> {
    let mut bits: Vec<u8> = Vec::new();
    for table in flat.iter().filter(|flat| flat.is_table()) {
        bits.extend(table.touched_rows());
    }
    if bits.is_empty() {
        return Ok(());
    }
    traffic.count(bits.len());
    let mut union = vec![0; bits.len()];
    for other in ranks.all_gather(bits)? {
        union
            .iter_mut()
            .zip(other)
            .for_each(|(all, one)| *all |= one);
    }
    let mut rest = union.as_slice();
    for table in flat.iter_mut().filter(|flat| flat.is_table()) {
        let (own, others) = rest.split_at(table.rows().div_ceil(8));
        table.exchange_only(own);
        rest = others;
    }
    Ok(())
}
