//! The exchange during the backward pass gives the bits of the exchange after it.

use bert_tasks::{BatchLoss, Communicator, ExchangeError, Peers, PendingSum, TaskError};
use bert_testing::{TestDevice, Values, assert_equal_bits, where_kernels_are};
use bert_train::{AdamW, Stepper, TrainError};
use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};

use super::several_ranks::on_ranks;

where_kernels_are!(
    gradients_exchanged_during_the_backward_pass_have_the_same_bits,
    a_failure_during_the_backward_pass_is_an_error_after_it,
);

const RANKS: usize = 3;
const STEPS: usize = 2;

/// More values than a bucket has, behind a table of which a batch reads a few rows.
#[derive(Module, Debug)]
struct Wide {
    table: Embedding,
    /// Used twice.
    inner: Linear,
    /// Used by one rank alone.
    rare: Linear,
    wide: Linear,
    last: Linear,
}

impl Wide {
    fn new(device: &Device) -> Self {
        Self {
            table: EmbeddingConfig::new(2000, 8).init(device),
            inner: LinearConfig::new(8, 8).init(device),
            rare: LinearConfig::new(8, 8).init(device),
            wide: LinearConfig::new(8, 800_000).init(device),
            last: LinearConfig::new(800_000, 1).init(device),
        }
    }

    fn loss(&self, batch: &Batch) -> Tensor<1> {
        let x = self.table.forward(batch.ids.clone()).reshape([-1, 8]);
        let x = self.inner.forward(self.inner.forward(x).tanh());
        let x = if batch.is_rare {
            x.clone() + self.rare.forward(x)
        } else {
            x
        };
        self.last
            .forward(self.wide.forward(x).tanh())
            .square()
            .mean()
    }
}

#[derive(Clone)]
struct Batch {
    ids: Tensor<2, Int>,
    is_rare: bool,
}

/// The rows of a rank, and how many labels they have. The last rank has none.
fn batch_of(rank: usize, device: &Device) -> (Batch, f64) {
    let first = 7 * rank as i32;
    let batch = Batch {
        ids: Tensor::from_data([[first, first + 3, 5]], device),
        is_rare: rank == 1,
    };
    (batch, if rank + 1 == RANKS { 0.0 } else { 3.0 })
}

fn batch_loss(model: &Wide, batch: &Batch) -> Result<BatchLoss, TaskError> {
    Ok(BatchLoss {
        loss: model.loss(batch),
        tokens: 3,
    })
}

/// Several micro-batches are exchanged after the last backward pass; one without labels has none.
fn gradients_exchanged_during_the_backward_pass_have_the_same_bits(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let on = &device.autodiff();
    let model = Wide::new(on);
    let run = |is_overlapped: bool| {
        on_ranks(RANKS, &model, |rank, mut model| {
            let batch = batch_of(rank.rank(), on);
            let mut batches = vec![batch.clone()];
            if !is_overlapped {
                batches.push((batch.0, 0.0));
            }
            let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 0).among(&rank);
            for _ in 0..STEPS {
                (model, _) = stepper.step(model, &batches, 1e-3, on, batch_loss)?;
            }
            Ok::<_, TrainError>((parameters(&model), stepper.traffic()))
        })
    };
    let [overlapped, after] = [true, false].map(run);
    for (rank, (overlapped, after)) in overlapped.into_iter().zip(after).enumerate() {
        let ((found, overlapped), (expected, after)) = (overlapped?, after?);
        for (found, expected) in found.iter().zip(&expected) {
            assert_equal_bits(device, &format!("rank {rank}"), found, expected);
        }
        assert_eq!(
            (overlapped.bytes, overlapped.messages),
            (after.bytes, after.messages)
        );
        assert_eq!(after.overlapped_bytes, 0);
        let has_backward_pass = rank + 1 < RANKS;
        assert_eq!(overlapped.overlapped_bytes > 0, has_backward_pass);
    }
    Ok(())
}

fn parameters(model: &Wide) -> Vec<Values> {
    struct Collect(Vec<Values>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(Values::of(param.val()));
        }
    }
    let mut collect = Collect(Vec::new());
    model.visit(&mut collect);
    collect.0
}

/// A rank that cannot reach the other one any more.
#[derive(Debug)]
struct Alone;

impl Peers for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        2
    }

    fn all_gather(&self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, ExchangeError> {
        Ok(vec![bytes.clone(), bytes])
    }
}

impl Communicator for Alone {
    fn begin_sum(&self, _values: Vec<f32>) -> Result<Box<dyn PendingSum + '_>, ExchangeError> {
        Err(ExchangeError("rank 1 is gone".to_owned()))
    }

    fn sum(&self, values: &[f64]) -> Result<Vec<f64>, ExchangeError> {
        Ok(values.to_vec())
    }

    fn as_peers(&self) -> &dyn Peers {
        self
    }
}

fn a_failure_during_the_backward_pass_is_an_error_after_it(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let on = &device.autodiff();
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 0).among(&Alone);
    let end = stepper.step(Wide::new(on), &[batch_of(0, on)], 1e-3, on, batch_loss);
    match end {
        Err(TrainError::Exchange(error)) => {
            assert!(error.to_string().contains("rank 1 is gone"));
            Ok(())
        }
        other => anyhow::bail!("{other:?}"),
    }
}
