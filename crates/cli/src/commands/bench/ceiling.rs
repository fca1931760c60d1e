//! How fast the matrix products of a workload run when there is nothing else to do.

use std::num::NonZeroUsize;

use anyhow::{Context, Result};
use bert_kernels::{PackedProduct, WeightFormat};
use gemm::Parallelism;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::operands::Operands;
use super::timing::median_ms;
use super::workload::{Product, Spread, Workload};

/// Billions of operations a second in the products alone, on all threads, into buffers that are there already.
///
/// Products of single precision are those of the `gemm` crate, which burn-flex multiplies with. Products in bfloat16 and int8
/// are those of bert-kernels with both factors packed beforehand, for which there is no other library here. The layers
/// share one set of buffers, so their weights are warmer in the caches than those of a real model: a ceiling may be high, never
/// low.
pub(crate) fn gflops(workload: &Workload, format: WeightFormat, runs: NonZeroUsize) -> Result<f64> {
    let prepared = |products: Vec<Product>| -> Result<Vec<Prepared>> {
        let products = products.into_iter();
        products
            .map(|product| Prepared::new(product, workload.format_of(&product, format)))
            .collect()
    };
    let mut layer = prepared(workload.layer_products())?;
    let mut last = prepared(workload.last_layer_products())?;
    let milliseconds = median_ms(runs, (), |()| {
        for _ in 0..workload.whole_layers() {
            layer.iter_mut().for_each(Prepared::multiply);
        }
        last.iter_mut().for_each(Prepared::multiply);
        Ok(())
    })?;
    Ok(workload.flop() / milliseconds / 1e6)
}

/// Products of one shape with their factors, a set for every thread that works on its own.
struct Prepared {
    product: Product,
    factors: Factors,
}

enum Factors {
    F32(Vec<Operands>),
    Packed(Vec<PackedProduct>),
}

impl Prepared {
    fn new(product: Product, format: WeightFormat) -> Result<Self> {
        let sets = match product.spread {
            Spread::Within => 1,
            Spread::Across => rayon::current_num_threads(),
        };
        let factors = match format {
            WeightFormat::F32 => Factors::F32((0..sets).map(|_| Operands::of(&product)).collect()),
            _ => {
                let packed: Option<Vec<PackedProduct>> = (0..sets)
                    .map(|_| Operands::packed(&product, format))
                    .collect();
                Factors::Packed(packed.context("no backend of the CPU is compiled in")?)
            }
        };
        Ok(Self { product, factors })
    }

    fn multiply(&mut self) {
        let product = &self.product;
        match &mut self.factors {
            // 0: as many threads as there are.
            Factors::F32(sets) => shared(product, sets, |set, is_alone| {
                let parallelism = match is_alone {
                    true => Parallelism::Rayon(0),
                    false => Parallelism::None,
                };
                set.multiply(product, parallelism);
            }),
            Factors::Packed(sets) => shared(product, sets, |set, is_alone| match is_alone {
                true => set.multiply(),
                false => set.multiply_on_one_thread(),
            }),
        }
    }
}

/// All products of a shape: one after the other on all threads, or each on a thread of its own. `multiply` is told whether it is
/// the only one.
fn shared<F: Send>(product: &Product, sets: &mut [F], multiply: impl Fn(&mut F, bool) + Sync) {
    let count = sets.len();
    let share = |set: usize| (set..product.count).step_by(count);
    match product.spread {
        Spread::Within => share(0).for_each(|_| multiply(&mut sets[0], true)),
        Spread::Across => sets.par_iter_mut().enumerate().for_each(|(set, factors)| {
            share(set).for_each(|_| multiply(factors, false));
        }),
    }
}
