//! A run of several ranks is that of one process.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread;

use bert_doctor::classifier;
use bert_tasks::text_classification::TextClassifier;
use bert_tasks::token_classification::TokenClassifier;
use bert_tasks::{Communicator, DropoutOverride, Evaluation, HeadOrigin, Peers, RunOptions, Task};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, assert_close_number, where_kernels_are,
};
use bert_tests::reviews::{reviews, write_checkpoint};
use bert_text::{Alignment, Dataset, TagColumns, TaggedDataset};
use bert_text_classification::ProblemType;
use bert_train::{
    Checkpoint, Checkpointing, ExchangeReport, Observer, SaveEvery, SingleProcess, StepReport,
    ThreadRank, TrainError, TrainOptions, Trained, Training, TrainingData, checkpoints_in,
    thread_ranks,
};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

where_kernels_are!(
    text_classifiers_are_those_of_one_process,
    token_classifiers_are_those_of_one_process,
    an_evaluation_is_that_of_one_process_bit_for_bit,
    ranks_with_different_weights_end_the_run,
    a_run_that_one_rank_is_asked_to_stop_goes_on_with_other_ranks,
);

/// Batches of 5 with accumulation, so that weights differ between micro-batches, and a last batch that has fewer rows than
/// there are ranks. The learning rate is small, because AdamW makes steps of one size of gradients of any size.
fn options() -> TrainOptions {
    TrainOptions {
        epochs: 2.0,
        batch_size: 5,
        accumulation_steps: 2,
        learning_rate: 1e-4,
        ..TrainOptions::default()
    }
}

fn text_classifiers_are_those_of_one_process(device: &TestDevice) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut data = reviews();
    data.examples.truncate(22);
    let (classifier, model) = text_classifier(dir.path(), &data, device)?;
    let split = classifier.encode(&data)?;
    assert_same_runs(device, &classifier, &model, &split)
}

fn token_classifiers_are_those_of_one_process(device: &TestDevice) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    write_checkpoint(dir.path(), device.plain())?;
    let file = dir.path().join("tags.conll");
    let sentences = [
        "New\tB-place\nYork\tI-place\nis\tO\ngood\tO\n\n",
        "the\tO\ncafe\tB-place\n\n",
        "the\tO\nfilm\tO\nis\tO\nnot\tO\nbad\tO\nand\tO\nnot\tO\ngreat\tO\n\n",
    ];
    let text: String = (0..21).map(|row| sentences[row % 3]).collect();
    std::fs::write(&file, text)?;
    let data = TaggedDataset::read(&file, &TagColumns::default())?;
    let dropout = DropoutOverride::default();
    let (classifier, _) =
        TokenClassifier::for_training(dir.path(), &data, Alignment::First, 16, dropout)?;
    let (mut model, _) = classifier.load(HeadOrigin::New, &device.autodiff())?;
    model.classifier = classifier::randomise(model.classifier, 2);
    let split = classifier.encode(&data)?;
    assert_same_runs(device, &classifier, &model, &split)
}

fn text_classifier(
    dir: &Path,
    data: &Dataset,
    device: &TestDevice,
) -> anyhow::Result<(TextClassifier, <TextClassifier as Task>::Model)> {
    write_checkpoint(dir, device.plain())?;
    let problem_type = ProblemType::SingleLabelClassification;
    let dropout = DropoutOverride::default();
    let (classifier, _) = TextClassifier::for_training(dir, data, problem_type, 16, dropout)?;
    let (mut model, _) = classifier.load(HeadOrigin::New, &device.autodiff())?;
    model.classifier = classifier::randomise(model.classifier, 2);
    Ok((classifier, model))
}

/// What a run has computed.
#[derive(Default)]
struct Followed {
    losses: Vec<f64>,
    tokens: usize,
    evaluations: Vec<f64>,
    exchange: Option<ExchangeReport>,
    parameters: Vec<(String, Values)>,
}

impl Observer for Followed {
    fn stepped(&mut self, report: &StepReport) -> Result<(), TrainError> {
        self.losses.push(report.loss);
        self.tokens += report.tokens;
        Ok(())
    }

    fn evaluated(&mut self, report: &bert_train::EvaluationReport<'_>) -> Result<(), TrainError> {
        let loss = &report.evaluation.metrics["loss"];
        self.evaluations.extend(loss.as_f64());
        Ok(())
    }

    fn exchanged(&mut self, report: &ExchangeReport) -> Result<(), TrainError> {
        self.exchange = Some(*report);
        Ok(())
    }
}

/// Trains on a split, and scores on it.
fn followed<T: Task>(
    device: &Device,
    task: &T,
    model: T::Model,
    split: &T::Split,
    ranks: &dyn Communicator,
) -> Result<Followed, TrainError> {
    let training = Training {
        task,
        data: scored_on_itself(split),
        options: &options(),
        device,
        output: None,
        checkpoints: None,
        ranks,
        features: None,
    };
    let mut followed = Followed::default();
    let trained = training.run(model, &mut followed)?;
    followed.parameters = parameters(&trained);
    Ok(followed)
}

fn scored_on_itself<S>(split: &S) -> TrainingData<'_, S> {
    TrainingData {
        train: split,
        eval: Some(split),
    }
}

/// Runs on so many ranks at once; the results are in their order.
pub(crate) fn on_ranks<M: Clone + Send, R: Send>(
    size: usize,
    model: &M,
    run: impl Fn(ThreadRank, M) -> R + Sync,
) -> Vec<R> {
    let run = &run;
    thread::scope(|scope| {
        let threads: Vec<_> = thread_ranks(size)
            .into_iter()
            .map(|rank| (rank, model.clone()))
            .map(|(rank, model)| scope.spawn(move || run(rank, model)))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results.map(|result| result.expect("no panic")).collect()
    })
}

fn assert_same_runs<T>(
    device: &TestDevice,
    task: &T,
    model: &T::Model,
    split: &T::Split,
) -> anyhow::Result<()>
where
    T: Task + Sync,
    T::Split: Sync,
    T::Model: Send,
{
    let on = &device.autodiff();
    let one = followed(on, task, model.clone(), split, &SingleProcess)?;
    assert!(one.exchange.is_none());
    for size in [2, 3] {
        let runs = on_ranks(size, model, |rank, model| {
            followed(on, task, model, split, &rank)
        });
        for run in runs {
            assert_same(device, size, &run?, &one);
        }
    }
    Ok(())
}

fn assert_same(device: &TestDevice, size: usize, run: &Followed, one: &Followed) {
    let quantity = Quantity::SeveralRanks;
    assert_eq!(run.tokens, one.tokens);
    for (found, expected) in [
        (&run.losses, &one.losses),
        (&run.evaluations, &one.evaluations),
    ] {
        assert_eq!(found.len(), expected.len());
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            let name = format!("loss {step} on {size} ranks");
            assert_close_number(device, quantity, &name, *found, *expected);
        }
    }
    assert_eq!(run.parameters.len(), one.parameters.len());
    for ((name, found), (_, expected)) in run.parameters.iter().zip(&one.parameters) {
        assert_close(
            device,
            quantity,
            &format!("{name} on {size} ranks"),
            found,
            expected,
        );
    }
    let exchange = run.exchange.expect("a report");
    assert_eq!(
        (exchange.processes, exchange.steps),
        (size, one.losses.len())
    );
    assert!(exchange.traffic.bytes > 0 && exchange.messages_per_step() >= 4.0);
}

/// Every parameter, without key biases: their gradients are rounding, of which AdamW makes whole steps.
fn parameters<M: Module>(trained: &Trained<M>) -> Vec<(String, Values)> {
    #[derive(Default)]
    struct Collect {
        path: Vec<String>,
        found: Vec<(String, Values)>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let path = self.path.join(".");
            if !path.ends_with("key.bias") {
                self.found.push((path, Values::of(param.val())));
            }
        }
    }
    let mut collect = Collect::default();
    trained.model.visit(&mut collect);
    collect.found
}

fn an_evaluation_is_that_of_one_process_bit_for_bit(device: &TestDevice) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let data = reviews();
    let (classifier, model) = text_classifier(dir.path(), &data, device)?;
    let model = model.valid();
    let split = classifier.encode(&data)?;
    let (classifier, split) = (&classifier, &split);
    let batch_size = 5.try_into()?;
    let on = device.plain();
    let score = |ranks: &dyn Communicator, model: &_| -> Evaluation {
        let mut progress = |_| {};
        let mut run = RunOptions::new(on, &mut progress);
        run.batch_size = batch_size;
        run.peers = Some(ranks.as_peers());
        classifier.score(model, split, run).expect("figures")
    };
    let one = score(&SingleProcess, &model);
    for evaluation in on_ranks(3, &model, |rank, model| score(&rank, &model)) {
        assert_eq!(evaluation, one);
    }
    Ok(())
}

fn ranks_with_different_weights_end_the_run(device: &TestDevice) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let data = reviews();
    let (classifier, model) = text_classifier(dir.path(), &data, device)?;
    let split = classifier.encode(&data)?;
    let (classifier, split) = (&classifier, &split);
    let on = &device.autodiff();
    let ends = on_ranks(3, &model, |rank, mut model| {
        if rank.rank() == 1 {
            model.classifier = classifier::randomise(model.classifier, 3);
        }
        followed(on, classifier, model, split, &rank).err()
    });
    for end in ends {
        let Some(TrainError::RanksDiffer { step: 0, ranks }) = &end else {
            anyhow::bail!("{end:?}");
        };
        assert_eq!(ranks, &[1]);
    }
    Ok(())
}

/// The signal reaches the last rank alone; the first one writes.
fn a_run_that_one_rank_is_asked_to_stop_goes_on_with_other_ranks(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let output = dir.path().join("output");
    std::fs::create_dir(&output)?;
    let data = reviews();
    let (classifier, model) = text_classifier(dir.path(), &data, device)?;
    let split = classifier.encode(&data)?;
    let on = &device.autodiff();
    let one = followed(on, &classifier, model.clone(), &split, &SingleProcess)?;
    let (classifier, split, output) = (&classifier, &split, output.as_path());
    let run = |rank: ThreadRank, model, stop: bool, resume: Option<Checkpoint>| {
        let stop = AtomicBool::new(stop);
        let training = Training {
            task: classifier,
            data: scored_on_itself(split),
            options: &options(),
            device: on,
            output: (rank.rank() == 0).then_some(output),
            checkpoints: Some(Checkpointing {
                every: SaveEvery::Steps(100),
                resume,
                stop: Some(&stop),
                ..Checkpointing::default()
            }),
            ranks: &rank,
            features: None,
        };
        let trained = training.run(model, &mut Followed::default())?;
        Ok(parameters(&trained))
    };
    let stopped: Vec<Result<_, TrainError>> = on_ranks(2, &model, |rank, model| {
        let stop = rank.rank() == 1;
        run(rank, model, stop, None)
    });
    for end in stopped {
        let Err(TrainError::Stopped(stopped)) = end else {
            anyhow::bail!("the run was not stopped");
        };
        assert_eq!(stopped.step, 1);
        assert!(stopped.checkpoint.starts_with(output));
    }
    let checkpoints = checkpoints_in(output)?;
    let checkpoint = Checkpoint::open(&checkpoints[0])?;
    let resumed: Vec<Result<_, TrainError>> = on_ranks(3, &model, |rank, model| {
        run(rank, model, false, Some(checkpoint.clone()))
    });
    for parameters in resumed {
        for ((name, found), (_, expected)) in parameters?.iter().zip(&one.parameters) {
            assert_close(device, Quantity::SeveralRanks, name, found, expected);
        }
    }
    Ok(())
}
