use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

use bert_tasks::{Communicator, Evaluation, Position, RunOptions, Task};
use bert_text::{BatchOrder, epoch_batches};

use crate::checkpoint::{Place, Saver, trained_paths};
use crate::epoch_rows::EpochRows;
use crate::frozen::freeze;
use crate::ranks::{Agreed, own_rows};
use crate::rates::layers_of;
use crate::tune::freeze_embeddings;
use crate::unreported::Unreported;
use crate::{
    AdamW, Batching, Checkpoint, Checkpointing, EvaluationReport, FeatureStore, Observer, Plan,
    Schedule, Selection, SingleProcess, Stepper, TrainError, TrainOptions,
};

/// The result of a run.
#[derive(Debug)]
pub struct Trained<M> {
    /// The best model in evaluation mode; the last one when nothing was evaluated.
    pub model: M,
    /// The best evaluation.
    pub best: Option<Evaluation>,
    /// Tokens that were trained on, padding not counted.
    pub tokens: usize,
    /// Wall time of the optimiser steps alone.
    pub training_seconds: f64,
}

/// What a run learns from, and what its model is scored on.
#[derive(Debug)]
pub struct TrainingData<'a, S> {
    /// The training examples.
    pub train: &'a S,
    /// The examples that decide which model is best; without them the last model is kept.
    pub eval: Option<&'a S>,
}

/// Fine-tunes `model` on `data`.
///
/// The model is evaluated at the end of every epoch and every `evaluate_every` steps. Whenever it scores higher than
/// before, it is kept, and saved to `output` if there is one. After `patience` evaluations that were no better the run ends.
/// Without evaluation data the last model is kept and saved.
/// `device` must have autodiff, and the model must be on it.
///
/// # Errors
///
/// An option is impossible, the data does not fit the model, training diverges, or something cannot be written.
pub fn train<T: Task>(
    task: &T,
    model: T::Model,
    data: TrainingData<'_, T::Split>,
    options: &TrainOptions,
    device: &Device,
    output: Option<&Path>,
    observer: &mut dyn Observer,
) -> Result<Trained<T::Model>, TrainError> {
    let training = Training {
        task,
        data,
        options,
        device,
        output,
        checkpoints: None,
        ranks: &SingleProcess,
        features: None,
    };
    training.run(model, observer)
}

/// A run of [`train()`] with checkpoints.
#[derive(Debug)]
pub struct Training<'a, T: Task> {
    /// The task.
    pub task: &'a T,
    /// The data.
    pub data: TrainingData<'a, T::Split>,
    /// The numbers of the run.
    pub options: &'a TrainOptions,
    /// A device with autodiff.
    pub device: &'a Device,
    /// Where models are saved, and checkpoints in [`CHECKPOINTS_DIR`](crate::CHECKPOINTS_DIR).
    pub output: Option<&'a Path>,
    /// How checkpoints are saved, if there are any. They need `output`.
    pub checkpoints: Option<Checkpointing<'a>>,
    /// The processes of the run. Every rank gets the same of everything else, but `output`: one rank writes.
    pub ranks: &'a dyn Communicator,
    /// What the frozen part of the model has computed in other runs, and will compute in this one. Without it a run keeps
    /// that for itself, where it pays.
    pub features: Option<Arc<FeatureStore>>,
}

impl<T: Task> Training<'_, T> {
    /// Fine-tunes `model`, or goes on from a checkpoint. `model` is then as it was before the first step of the run that
    /// is gone on with.
    ///
    /// # Errors
    ///
    /// As [`train()`]; the run was asked to stop ([`TrainError::Stopped`]); the checkpoint is not one of this model.
    pub fn run(
        mut self,
        model: T::Model,
        observer: &mut dyn Observer,
    ) -> Result<Trained<T::Model>, TrainError> {
        let options = self.options;
        options.validate()?;
        options.check_device(self.device)?;
        let lengths = self.task.lengths(self.data.train);
        let examples = lengths.len();
        if examples == 0 {
            return Err(TrainError::NoExamples);
        }
        check_selection(self.task, &self.data, options)?;
        let rows = EpochRows::new(options.sampler, self.task, self.data.train)?;
        let model = options.tune.apply(model, self.task.encoder_layers())?;
        let mut model = match options.freeze_embeddings {
            true => freeze_embeddings(model),
            false => model,
        };
        self.task
            .encoder_mut(&mut model)
            .set_precision(options.precision);
        let trained = trained_paths(&model);
        let features = (self.features.take(), self.output);
        let keeps_features = freeze(self.task, &mut model, &trained, options, features);
        let schedule = options.schedule(examples);
        let resume = self.checkpoints.as_ref().and_then(|one| one.resume.clone());
        let plan = Plan {
            options,
            schedule,
            steps_done: resume.as_ref().map_or(0, Checkpoint::step),
            steps_per_epoch: options.steps_per_epoch(examples),
            examples,
            trainable_parameters: trainable_parameters(&model),
            parameters: model.num_params(),
            keeps_features,
        };
        match &resume {
            Some(checkpoint) => observer.resumed(&plan, &checkpoint.state.observers)?,
            None => observer.started(&plan)?,
        }
        let stop = self.checkpoints.as_ref().and_then(|one| one.stop);
        let saver = match (self.output, self.checkpoints.take()) {
            (Some(output), Some(settings)) => Some(Saver::begin(output, settings, trained)?),
            _ => None,
        };
        let rates = options.part_rates(layers_of(&model));
        let optimizer = AdamW::new(options.weight_decay).with_rates(rates);
        let mut run = Run {
            task: self.task,
            data: self.data,
            lengths,
            rows,
            options,
            schedule,
            device: self.device,
            output: self.output,
            observer,
            stepper: Stepper::new(optimizer, options.max_grad_norm, options.seed).among(self.ranks),
            place: Place::start_of(0),
            selection: Selection::default(),
            best: None,
            best_step: None,
            tokens: 0,
            training_seconds: 0.0,
            unreported: Vec::new(),
            saver,
            stop,
            agreed: Agreed::default(),
        };
        let model = match resume {
            Some(checkpoint) => run.resume(model, &checkpoint)?,
            None => model,
        };
        run.compare_weights(&model)?;
        run.complete(model)
    }
}

pub(crate) struct Run<'a, T: Task> {
    pub(crate) task: &'a T,
    pub(crate) data: TrainingData<'a, T::Split>,
    /// Tokens of each training example.
    pub(crate) lengths: Vec<usize>,
    pub(crate) rows: EpochRows,
    pub(crate) options: &'a TrainOptions,
    pub(crate) schedule: Schedule,
    pub(crate) device: &'a Device,
    pub(crate) output: Option<&'a Path>,
    pub(crate) observer: &'a mut dyn Observer,
    pub(crate) stepper: Stepper<'a>,
    pub(crate) place: Place,
    pub(crate) selection: Selection,
    pub(crate) best: Option<(Evaluation, T::Model)>,
    /// The optimiser step that the best evaluation came after.
    pub(crate) best_step: Option<usize>,
    pub(crate) tokens: usize,
    pub(crate) training_seconds: f64,
    /// Steps since the last report.
    pub(crate) unreported: Vec<Unreported>,
    pub(crate) saver: Option<Saver<'a>>,
    /// Becomes true when the run is asked to stop.
    pub(crate) stop: Option<&'a AtomicBool>,
    /// What the ranks decided after the last step.
    pub(crate) agreed: Agreed,
}

impl<T: Task> Run<'_, T> {
    fn complete(mut self, mut model: T::Model) -> Result<Trained<T::Model>, TrainError> {
        while !self.is_done() || self.place.steps > 0 {
            model = self.epoch(model)?;
        }
        if self.is_out_of_patience() {
            let evaluations = self.selection.evaluations_since_best;
            self.observer
                .stopped_early(self.stepper.steps(), evaluations)?;
        }
        self.report_steps()?;
        self.report_exchange()?;
        self.observer.finished();
        let (best, model) = match self.best {
            Some((evaluation, model)) => (Some(evaluation), model),
            None => {
                self.stepper.compare_weights(&model)?;
                let model = model.valid();
                save(self.task, &model, self.output, self.observer)?;
                (None, model)
            }
        };
        if let Some(saver) = &self.saver {
            saver.finish(self.best_step)?;
        }
        Ok(Trained {
            model,
            best,
            tokens: self.tokens,
            training_seconds: self.training_seconds,
        })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.stepper.steps() >= self.schedule.total_steps || self.is_out_of_patience()
    }

    fn is_out_of_patience(&self) -> bool {
        self.selection.is_out_of_patience(self.options.patience)
    }

    /// One pass over the training data, or what is left of it or of the run.
    fn epoch(&mut self, mut model: T::Model) -> Result<T::Model, TrainError> {
        let epoch = self.place.epoch;
        let batches = self.batches(epoch)?;
        let position = Position {
            seed: self.options.seed,
            epoch,
        };
        self.evaluate_if_due(&model)?;
        let steps = batches.chunks(self.options.accumulation_steps);
        for micro_batches in steps.skip(self.place.steps) {
            if self.is_done() {
                break;
            }
            model = self.step(model, micro_batches, position)?;
            self.stop_if_asked(&model)?;
            self.evaluate_if_due(&model)?;
            self.checkpoint_if_due(&model)?;
        }
        self.evaluate(&model)?;
        self.place = Place::start_of(epoch + 1);
        self.keep_best(&model)?;
        if !self.is_done() {
            self.stop_if_asked(&model)?;
        }
        Ok(model)
    }

    /// The evaluation between the steps of an epoch, unless it has been done.
    fn evaluate_if_due(&mut self, model: &T::Model) -> Result<(), TrainError> {
        let due = |every: usize| self.stepper.steps().is_multiple_of(every);
        if !self.place.evaluated && !self.is_done() && self.options.evaluate_every.is_some_and(due)
        {
            self.evaluate(model)?;
        }
        self.place.evaluated = true;
        Ok(())
    }

    fn batches(&self, epoch: u64) -> Result<Vec<Vec<usize>>, TrainError> {
        let order = match self.options.batching {
            Batching::Bucketed => BatchOrder::LengthBucketed,
            Batching::Shuffled => BatchOrder::Shuffled,
        };
        let batch_size = self
            .options
            .batch_size
            .try_into()
            .map_err(|_| TrainError::Option {
                name: "batch_size",
                value: "0".into(),
                expected: "at least 1",
            })?;
        let seed = self.options.seed;
        let batches = |lengths: &[usize]| epoch_batches(lengths, batch_size, seed, epoch, order);
        Ok(self.rows.batches(&self.lengths, seed, epoch, batches))
    }

    fn step(
        &mut self,
        model: T::Model,
        micro_batches: &[Vec<usize>],
        position: Position,
    ) -> Result<T::Model, TrainError> {
        let clock = Instant::now();
        let learning_rate = self.schedule.learning_rate(self.stepper.steps());
        let (task, train, device) = (self.task, self.data.train, self.device);
        let ranks = self.stepper.exchange.ranks;
        let weighed: Vec<(Vec<usize>, f64)> = micro_batches
            .iter()
            .map(|rows| {
                let rows = own_rows(rows, &self.lengths, ranks.as_peers());
                let weight = task.label_weight(train, &rows, position);
                (rows, weight)
            })
            .collect();
        let loss =
            |model: &T::Model, rows: &Vec<usize>| task.loss(model, train, rows, position, device);
        let model = self
            .stepper
            .step_unread(model, &weighed, learning_rate, device, loss)?;
        self.place.steps += 1;
        self.place.evaluated = false;
        self.unreported.push(Unreported {
            step: self.stepper.steps(),
            epoch: self.epochs_done(),
            learning_rate,
            seconds: clock.elapsed().as_secs_f64(),
        });
        if self.stepper.must_read() {
            self.report_steps()?;
        }
        self.agree(&model)?;
        Ok(model)
    }

    fn epochs_done(&self) -> f64 {
        let steps_per_epoch = self.options.steps_per_epoch(self.lengths.len());
        self.stepper.steps() as f64 / steps_per_epoch as f64
    }

    fn evaluate(&mut self, model: &T::Model) -> Result<(), TrainError> {
        let Some(split) = self.data.eval else {
            return Ok(());
        };
        // The end of an epoch can be one of every so many steps.
        if self.selection.evaluated_at == Some(self.stepper.steps()) {
            return Ok(());
        }
        self.report_steps()?;
        let clock = Instant::now();
        self.compare_weights(model)?;
        let model = model.valid();
        let device = self.device.clone().inner();
        let mut progress = |share| self.observer.evaluating(share);
        let mut run = RunOptions::new(&device, &mut progress);
        run.peers = Some(self.stepper.exchange.ranks.as_peers());
        let mut evaluation = self.task.score(&model, split, run)?;
        if let Some(figure) = &self.options.select {
            evaluation = evaluation.selected_by(figure)?;
        }
        let is_best = self.selection.judge(&evaluation, self.stepper.steps());
        self.observer.evaluated(&EvaluationReport {
            step: self.stepper.steps(),
            epoch: self.epochs_done(),
            evaluation: &evaluation,
            is_best,
            seconds: clock.elapsed().as_secs_f64(),
        })?;
        if is_best {
            save(self.task, &model, self.output, self.observer)?;
            self.best = Some((evaluation, model));
            self.best_step = Some(self.stepper.steps());
        }
        Ok(())
    }
}

/// Finds out before the first step whether evaluations can be selected by.
fn check_selection<T: Task>(
    task: &T,
    data: &TrainingData<'_, T::Split>,
    options: &TrainOptions,
) -> Result<(), TrainError> {
    let asked = [
        ("select", options.select.is_some()),
        ("patience", options.patience.is_some()),
    ];
    let Some(split) = data.eval else {
        return match asked.into_iter().find(|(_, is_asked)| *is_asked) {
            Some((name, _)) => Err(TrainError::NoEvaluationData { name }),
            None => Ok(()),
        };
    };
    if let (Some(figure), Some(example)) = (&options.select, task.example_figures(split)?) {
        example.selected_by(figure)?;
    }
    Ok(())
}

pub(crate) fn save<T: Task>(
    task: &T,
    model: &T::Model,
    output: Option<&Path>,
    observer: &mut dyn Observer,
) -> Result<(), TrainError> {
    if let Some(dir) = output {
        task.save(model, dir)?;
        observer.saved(dir);
    }
    Ok(())
}

fn trainable_parameters<M: Module>(model: &M) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0 += param.lazy_shape().num_elements();
            }
        }
    }
    let mut count = Count(0);
    model.visit(&mut count);
    count.0
}
