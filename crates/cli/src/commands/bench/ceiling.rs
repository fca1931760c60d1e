//! How fast the matrix products of a workload run when there is nothing else to do.

use std::num::NonZeroUsize;

use anyhow::Result;
use gemm::Parallelism;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::operands::Operands;
use super::timing::median_ms;
use super::workload::{Product, Spread, Workload};

/// Billions of operations a second in the products alone, by the `gemm` crate, which burn-flex multiplies with, on all
/// threads, into buffers that are there already. The layers share one set of buffers, so their weights are warmer in the
/// caches than those of a real model: a ceiling may be high, never low.
pub(crate) fn gflops(workload: &Workload, runs: NonZeroUsize) -> Result<f64> {
    let prepared = |products: Vec<Product>| products.into_iter().map(Prepared::new).collect();
    let mut layer: Vec<Prepared> = prepared(workload.layer_products());
    let mut last: Vec<Prepared> = prepared(workload.last_layer_products());
    let milliseconds = median_ms(runs, (), |()| {
        for _ in 0..workload.whole_layers() {
            layer.iter_mut().for_each(Prepared::multiply);
        }
        last.iter_mut().for_each(Prepared::multiply);
        Ok(())
    })?;
    Ok(workload.flop() / milliseconds / 1e6)
}

/// Products of one shape with their operands, a set for every thread that works on its own.
struct Prepared {
    product: Product,
    operands: Vec<Operands>,
}

impl Prepared {
    fn new(product: Product) -> Self {
        let sets = match product.spread {
            Spread::Within => 1,
            Spread::Across => rayon::current_num_threads(),
        };
        Self {
            operands: (0..sets).map(|_| Operands::of(&product)).collect(),
            product,
        }
    }

    fn multiply(&mut self) {
        let product = &self.product;
        let sets = self.operands.len();
        let share = |set: usize| (set..product.count).step_by(sets);
        match product.spread {
            // 0: as many threads as there are.
            Spread::Within => {
                share(0).for_each(|_| self.operands[0].multiply(product, Parallelism::Rayon(0)))
            }
            Spread::Across => {
                self.operands
                    .par_iter_mut()
                    .enumerate()
                    .for_each(|(set, operands)| {
                        share(set).for_each(|_| operands.multiply(product, Parallelism::None));
                    });
            }
        }
    }
}
