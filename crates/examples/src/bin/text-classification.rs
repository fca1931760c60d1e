//! Fine-tunes a BERT to tell good film reviews from bad ones, with no file but what it fetches:
//! `cargo run --release --bin text-classification`. It does *not* take data of yours; `bert train text-classification` does.

use std::path::PathBuf;

use bert_device::DeviceSpec;
use bert_examples::{Console, keep_evenly, movie_reviews, sentence_count};
use bert_hub::{FetchOptions, Fetcher, Manifest};
use bert_tasks::text_classification::TextClassifier;
use bert_tasks::text_classification::head::ProblemType;
use bert_tasks::{DropoutOverride, RunOptions};
use bert_train::{Observers, TrainOptions, TrainingData, TrainingLog, prepare_output, train};
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Where to compute: flex, ndarray, wgpu, vulkan, metal or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    device: DeviceSpec,
    /// Directory for the trained model; an earlier one in it is replaced
    #[arg(long, default_value = "runs/movie-reviews")]
    output: PathBuf,
    /// Train on this many sentences only
    #[arg(long)]
    limit: Option<usize>,
}

fn main() -> anyhow::Result<()> {
    bert_device::keep_allocator_memory();
    let args = Args::parse();
    prepare_output(&args.output, true)?;
    let mut console = Console::new();

    // 1. A checkpoint and a data set, fetched once and verified by their hashes.
    let manifest = Manifest::builtin()?;
    let fetcher = Fetcher::new(FetchOptions::from_env()?);
    let checkpoint = fetcher.fetch(manifest.entry("all-MiniLM-L6-v2")?, &mut console)?;
    let reviews = fetcher.fetch(manifest.entry("movie-review-snippets")?, &mut console)?;
    let (mut training, held_out) = movie_reviews(&reviews.dir)?;
    keep_evenly(&mut training.examples, args.limit.unwrap_or(usize::MAX));

    // 2. What the labels are, what the head is, and the weights.
    let single = ProblemType::SingleLabelClassification;
    let dropout = DropoutOverride::default();
    let (classifier, head) =
        TextClassifier::for_training(&checkpoint.dir, &training, single, 128, dropout)?;
    let hardware = args.device.open_described()?;
    let device = hardware.device.autodiff();
    let options = TrainOptions {
        epochs: 1.0,
        ..TrainOptions::default()
    };
    device.seed(options.seed);
    let (model, _) = classifier.load(head, &device)?;
    let (train_split, eval_split) = (classifier.encode(&training)?, classifier.encode(&held_out)?);
    let data = TrainingData {
        train: &train_split,
        eval: Some(&eval_split),
    };

    // 3. Training; the model that scores best is saved as a directory that transformers opens, too.
    let sentences = sentence_count(&training);
    eprintln!("training on {sentences}, {}", hardware.description);
    let dir = args.output.as_path();
    let mut log = TrainingLog::new(dir);
    let mut told = Observers(vec![&mut log, &mut console]);
    let trained = train(
        &classifier,
        model,
        data,
        &options,
        &device,
        Some(dir),
        &mut told,
    )?;
    if let Some(best) = trained.best {
        let (sentences, percent) = (sentence_count(&held_out), 100.0 * best.score);
        println!("accuracy on {sentences} never trained on: {percent:.1} %");
    }
    println!("saved: {}", dir.display());

    // 4. Using it.
    let texts = [
        "a warm , funny and quietly devastating film",
        "two hours of noise in search of a plot",
        "not as bad as the first one , which is not saying much",
    ];
    let inputs = texts.map(|text| (text, None));
    let cpu = device.inner();
    let predictions =
        classifier.predict(&trained.model, &inputs, RunOptions::new(&cpu, &mut |_| {}))?;
    for (text, prediction) in texts.iter().zip(predictions) {
        let best = prediction.best();
        let label = &classifier.labels.names()[best.id];
        println!("{label:>8} {:.3}  {text}", best.score);
    }
    Ok(())
}
