//! Fine-tunes a BERT to tell whether a sentence follows from another, with no file but what it fetches (SICK, whose licence
//! is non-commercial), and lets it sort texts under labels it has never seen:
//! `cargo run --release --bin natural-language-inference`. It does *not* take data of yours; `bert train` does.

use std::path::PathBuf;

use bert_device::DeviceSpec;
use bert_examples::{Console, sick_pairs};
use bert_hub::{FetchOptions, Fetcher, Manifest};
use bert_tasks::natural_language_inference::head::zero_shot::{
    DEFAULT_TEMPLATE, HypothesisTemplate,
};
use bert_tasks::natural_language_inference::{
    NliClassifier, NliData, ZeroShotClassifier, ZeroShotQuestion,
};
use bert_tasks::{DropoutOverride, HeadOrigin, RunOptions};
use bert_train::{TrainOptions, TrainingData, prepare_output, train};
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Where to compute: flex, ndarray, wgpu, vulkan, metal or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    device: DeviceSpec,
    /// Directory for the trained model; an earlier one in it is replaced
    #[arg(long, default_value = "runs/sick")]
    output: PathBuf,
    /// Train on this many pairs only
    #[arg(long)]
    limit: Option<usize>,
}

fn main() -> anyhow::Result<()> {
    bert_device::keep_allocator_memory();
    let args = Args::parse();
    prepare_output(&args.output, true)?;
    let mut console = Console::new();

    // 1. A checkpoint and a data set of which one column says which rows are for training.
    let manifest = Manifest::builtin()?;
    let fetcher = Fetcher::new(FetchOptions::from_env()?);
    let checkpoint = fetcher.fetch(manifest.entry("all-MiniLM-L6-v2")?, &mut console)?;
    let sick = fetcher.fetch(manifest.entry("sick")?, &mut console)?;
    let sick = sick.dir.join("SICK.txt");
    let mut training = sick_pairs(&sick, "TRAIN")?;
    training.examples.truncate(args.limit.unwrap_or(usize::MAX));
    let training = NliData::new(training)?;
    let trial = NliData::new(sick_pairs(&sick, "TRIAL")?)?;

    // 2. What the labels mean, the head, the weights; then training.
    let dropout = DropoutOverride::default();
    let (nli, head) = NliClassifier::for_training(&checkpoint.dir, &training, 128, dropout)?;
    let device = args.device.open()?.autodiff();
    let options = TrainOptions::default();
    device.seed(options.seed);
    let (model, _) = nli.classifier.load(head, &device)?;
    let (train_split, eval_split) = (nli.encode(&training)?, nli.encode(&trial)?);
    let data = TrainingData {
        train: &train_split,
        eval: Some(&eval_split),
    };
    let dir = args.output.as_path();
    eprintln!("training on {} pairs", training.roles.len());
    let trained = train(
        &nli,
        model,
        data,
        &options,
        &device,
        Some(dir),
        &mut console,
    )?;
    if let Some(best) = trained.best {
        let (pairs, percent) = (trial.roles.len(), 100.0 * best.score);
        println!("accuracy on {pairs} pairs never trained on: {percent:.1} %");
    }

    // 3. Zero-shot classification: each label becomes a hypothesis about the text.
    let cpu = device.inner();
    let zero_shot = ZeroShotClassifier::open(dir, None)?;
    let (model, _) = zero_shot.classifier.load(HeadOrigin::Checkpoint, &cpu)?;
    let question = ZeroShotQuestion {
        labels: ["sport", "music", "cooking"].map(str::to_owned).to_vec(),
        template: HypothesisTemplate::parse(DEFAULT_TEMPLATE)?,
        multi_label: false,
    };
    let texts = [
        "A man is playing a guitar on a stage",
        "Two boys are kicking a ball",
        "A woman is slicing an onion",
    ];
    let answers = zero_shot.predict(
        &model,
        &texts,
        &question,
        RunOptions::new(&cpu, &mut |_| {}),
    )?;
    for (text, answer) in texts.iter().zip(answers) {
        let label = &question.labels[answer.order[0]];
        println!("{label:>8} {:.3}  {text}", answer.scores[0]);
    }
    Ok(())
}
