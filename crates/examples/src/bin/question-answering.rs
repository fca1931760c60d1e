//! Fine-tunes a BERT to find the answers to questions in paragraphs of Wikipedia, with no file but what it fetches:
//! `cargo run --release --bin question-answering`. It does *not* take data of yours; `bert train question-answering` does.

use std::path::PathBuf;

use anyhow::{Context, Error};
use bert_device::DeviceSpec;
use bert_examples::Console;
use bert_hub::{FetchOptions, Fetcher, Manifest};
use bert_tasks::question_answering::{PredictOptions, QuestionAnswerer};
use bert_tasks::{DropoutOverride, RunOptions};
use bert_text::{Contexts, QuestionInput, SquadDataset};
use bert_train::{Observers, TrainOptions, TrainingData, TrainingLog, prepare_output, train};
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Where to compute: flex, ndarray, wgpu, vulkan, metal or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    device: DeviceSpec,
    /// Directory for the trained model; an earlier one in it is replaced
    #[arg(long, default_value = "runs/squad")]
    output: PathBuf,
    /// Train on this many questions only
    #[arg(long)]
    limit: Option<usize>,
}

fn main() -> anyhow::Result<()> {
    bert_device::keep_allocator_memory();
    let args = Args::parse();
    prepare_output(&args.output, true)?;
    let mut console = Console::new();

    // 1. A checkpoint and a data set, fetched once. SQuAD's dev set is split by article, so that no paragraph is in both.
    let manifest = Manifest::builtin()?;
    let fetcher = Fetcher::new(FetchOptions::from_env()?);
    let checkpoint = fetcher.fetch(manifest.entry("all-MiniLM-L6-v2")?, &mut console)?;
    let squad = fetcher.fetch(manifest.entry("squad-v1.1-dev")?, &mut console)?;
    let mut training = SquadDataset::read(&squad.dir.join("dev-v1.1.json"))?;
    let mut held_out = training.clone();
    training.select_articles("..38".parse().map_err(Error::msg)?)?;
    held_out.select_articles("38..".parse().map_err(Error::msg)?)?;
    training.truncate(args.limit.unwrap_or(usize::MAX));

    // 2. Windows of 384 tokens that share 128, a new head, and the weights.
    let dropout = DropoutOverride::default();
    let (answerer, head) =
        QuestionAnswerer::for_training(&checkpoint.dir, 384, Some(128), dropout)?;
    let hardware = args.device.open_described()?;
    let device = hardware.device.autodiff();
    let mut options = TrainOptions::default();
    (options.epochs, options.batch_size) = (2.0, 12);
    device.seed(options.seed);
    let (model, _) = answerer.load(head, &device)?;
    let train_split = answerer.encode(&training)?.learnable()?;
    let eval_split = answerer.encode(&held_out)?;
    let data = TrainingData {
        train: &train_split,
        eval: Some(&eval_split),
    };

    // 3. Training; the model that scores best is saved as a directory that transformers opens, too.
    let questions = train_split.len();
    eprintln!(
        "training on {questions} questions, {}",
        hardware.description
    );
    let dir = args.output.as_path();
    let mut log = TrainingLog::new(dir);
    let mut told = Observers(vec![&mut log, &mut console]);
    let trained = train(
        &answerer,
        model,
        data,
        &options,
        &device,
        Some(dir),
        &mut told,
    )?;
    let best = trained.best.context("there is data to score on")?;
    println!("F1 on ten articles never trained on: {:.1} %", best.score);
    println!("saved: {}", dir.display());

    // 4. Using it.
    let context =
        "The bridge was opened in 1932 by the mayor, who had paid for its two towers himself.";
    let (cpu, choice) = (device.inner(), PredictOptions::default());
    for question in ["When was the bridge opened?", "Who paid for the towers?"] {
        let input = QuestionInput {
            question: question.into(),
            context: Contexts::One(context.into()),
        };
        let asked = vec![(&input, answerer.windows_of(&input)?)];
        let model = &trained.model;
        let answers =
            answerer.predict(model, asked, &choice, RunOptions::new(&cpu, &mut |_| {}))?;
        for answer in answers {
            let best = answer.best;
            println!("{question} {} ({:.3})", best.answer, best.score);
        }
    }
    Ok(())
}
