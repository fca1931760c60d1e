//! The work itself, as `bert train` and `bert predict` do it.

use std::num::NonZeroUsize;

use anyhow::{Result, anyhow};
use bert_device::DeviceSpec;
use bert_encoder::{EncoderInput, WeightFormat};
use bert_tasks::BatchLoss;
use bert_tasks::adapters::adapt;
use bert_tasks::text_classification::head::{
    Labels, ModelForSequenceClassification, SequenceClassificationConfig, loss,
};
use bert_train::{AdamW, Stepper, TrainOptions, Tune};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::timing::{Counting, Taken, take};
use super::workload::Workload;

const NUM_LABELS: usize = 2;
/// The smallest that BERT's paper recommends; any other costs as much time.
const LEARNING_RATE: f64 = 2e-5;
/// Spread the ids over the vocabulary, so that looking them up touches as much memory as real text.
const ID_STRIDE: usize = 7919;
const ID_RANGE: usize = 30_000;

/// How a work is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runs {
    pub(crate) number: NonZeroUsize,
    /// The device whose work is counted, if it is.
    pub(crate) counted: Option<DeviceSpec>,
}

impl Runs {
    /// Takes `work` so often; each run uploads tensors of so many bytes.
    fn take<S>(
        self,
        tensor_bytes: usize,
        state: S,
        work: impl FnMut(S) -> Result<S>,
    ) -> Result<Taken> {
        let counting = self.counted.map(|device| Counting {
            device,
            tensor_bytes,
        });
        take(self.number, counting, state, work)
    }
}

/// Forward, loss, backward, clipping by the global norm and AdamW, by the trainer's own [`Stepper`].
pub(crate) fn train_step(
    workload: &Workload,
    dropout: f64,
    options: &TrainOptions,
    runs: Runs,
    device: Device,
) -> Result<Taken> {
    let device = device.autodiff();
    options.check_device(&device)?;
    let mut model = model(workload, dropout, &device)?;
    if let Tune::Lora(lora) = &options.tune {
        adapt(&mut model.encoder, workload.family, lora, &device)?;
    }
    let layers = workload.config_with(dropout).layers_with_weights();
    let mut model = options.tune.apply(model, layers)?;
    model.encoder.set_precision(options.precision);
    let optimizer = AdamW::new(options.weight_decay);
    let mut stepper = Stepper::new(optimizer, options.max_grad_norm, options.seed);
    let batch = [((), workload.batch as f64)];
    let loss = |model: &ModelForSequenceClassification, (): &()| {
        let logits = model.forward(input(workload, &device))?;
        Ok(BatchLoss {
            loss: loss(logits, labels(workload, &device)),
            tokens: workload.tokens(),
        })
    };
    let uploaded = workload.tokens() + workload.batch;
    runs.take(uploaded * size_of::<i32>(), model, |model| {
        let model = stepper.step_unread(model, &batch, LEARNING_RATE, &device, loss)?;
        if stepper.must_read() {
            stepper.read()?;
        }
        finish(&device)?;
        Ok(model)
    })
}

/// Forward without autodiff, to logits on the host.
pub(crate) fn inference(
    workload: &Workload,
    dropout: f64,
    weights: WeightFormat,
    runs: Runs,
    device: &Device,
) -> Result<Taken> {
    let mut model = model(workload, dropout, device)?;
    model.encoder.pack_weights(weights);
    let uploaded = workload.tokens() * size_of::<i32>();
    runs.take(uploaded, (), |()| {
        model.forward(input(workload, device))?.into_data();
        Ok(())
    })
}

fn model(
    workload: &Workload,
    dropout: f64,
    device: &Device,
) -> Result<ModelForSequenceClassification> {
    let config = SequenceClassificationConfig {
        encoder: workload.config_with(dropout),
        num_labels: NUM_LABELS,
    };
    device.seed(TrainOptions::default().seed);
    Ok(config.init(device)?)
}

/// What the trainer makes of rows that are all of one length: no mask, no second segment.
fn input(workload: &Workload, device: &Device) -> EncoderInput {
    let ids: Vec<i32> = (0..workload.tokens())
        .map(|place| (place * ID_STRIDE % ID_RANGE) as i32)
        .collect();
    let data = TensorData::new(ids, [workload.batch, workload.sequence]);
    EncoderInput::new(Tensor::<2, Int>::from_data(data, device))
}

fn labels(workload: &Workload, device: &Device) -> Labels {
    let classes: Vec<i32> = (0..workload.batch)
        .map(|row| (row % NUM_LABELS) as i32)
        .collect();
    let data = TensorData::new(classes, [workload.batch]);
    Labels::Classes(Tensor::<1, Int>::from_data(data, device))
}

/// Waits for what a GPU still has to do.
fn finish(device: &Device) -> Result<()> {
    let finished = device.sync();
    finished.map_err(|error| anyhow!("the device did not finish the step: {error}"))
}
