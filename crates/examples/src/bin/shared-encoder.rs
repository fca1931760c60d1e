//! Two heads on one encoder: film reviews are told good from bad and long from short by one forward pass, the encoder's
//! weights in memory once: `cargo run --release --bin shared-encoder`. It does *not* train the encoder, so both heads can
//! share it.

use std::path::{Path, PathBuf};

use bert_device::DeviceSpec;
use bert_examples::{Console, keep_evenly, movie_reviews};
use bert_hub::{FetchOptions, Fetcher, Manifest};
use bert_tasks::heads::{HeadInput, HeadPredictions, Heads, TextReader};
use bert_tasks::text_classification::TextClassifier;
use bert_tasks::text_classification::head::ProblemType;
use bert_tasks::{DropoutOverride, RunOptions};
use bert_text::{Dataset, Label, TokensInput};
use bert_train::{TrainOptions, TrainingData, Tune, prepare_output, train};
use burn::tensor::Device;
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Where to compute: flex, ndarray, wgpu, vulkan, metal or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    device: DeviceSpec,
    /// Directory for the two trained models; earlier ones in it are replaced
    #[arg(long, default_value = "runs/shared-encoder")]
    output: PathBuf,
    /// Train each head on this many sentences
    #[arg(long, default_value_t = 1600)]
    limit: usize,
}

fn main() -> anyhow::Result<()> {
    bert_device::keep_allocator_memory();
    let args = Args::parse();
    let mut console = Console::new();
    let manifest = Manifest::builtin()?;
    let fetcher = Fetcher::new(FetchOptions::from_env()?);
    let base = fetcher.fetch(manifest.entry("all-MiniLM-L6-v2")?, &mut console)?;
    let reviews = fetcher.fetch(manifest.entry("movie-review-snippets")?, &mut console)?;
    let (mut opinion, _) = movie_reviews(&reviews.dir)?;
    keep_evenly(&mut opinion.examples, args.limit);
    let mut length = opinion.clone();
    for row in &mut length.examples {
        let is_long = row.text.len() > 100;
        row.label = Some(Label::Name(if is_long { "long" } else { "short" }.into()));
    }

    // 1. Two heads, each trained on the frozen encoder of one checkpoint and saved as a checkpoint of its own.
    let device = args.device.open()?;
    let dirs = ["opinion", "length"].map(|name| args.output.join(name));
    train_head(&base.dir, &opinion, &dirs[0], &device)?;
    train_head(&base.dir, &length, &dirs[1], &device)?;

    // 2. The first is loaded whole, of the second the head alone: its encoder is the same bytes.
    let open = |dir: &Path| TextReader::open(dir, Some(128));
    let mut heads = Heads::load(open(&dirs[0])?, &device)?;
    heads.add(open(&dirs[1])?, &device)?;

    // 3. One forward pass for both.
    let texts = [
        "a warm , funny and quietly devastating film",
        "two hours of noise in search of a plot , with a cast that waits for somebody to tell it when it may go home",
    ];
    let inputs = texts.map(|text| HeadInput::from(&TokensInput::Text(text.into())));
    let predictions = heads.predict(&inputs, RunOptions::new(&device, &mut |_| {}))?;
    for (row, text) in texts.iter().enumerate() {
        for (classifier, predictions) in predictions.iter().filter_map(HeadPredictions::as_text) {
            let best = predictions[row].best();
            let label = &classifier.labels.names()[best.id];
            print!("{label:>6} {:.3}  ", best.score);
        }
        println!("{text}");
    }
    Ok(())
}

fn train_head(base: &Path, data: &Dataset, dir: &Path, device: &Device) -> anyhow::Result<()> {
    let single = ProblemType::SingleLabelClassification;
    let dropout = DropoutOverride::default();
    let (classifier, head) = TextClassifier::for_training(base, data, single, 128, dropout)?;
    let options = TrainOptions {
        epochs: 1.0,
        learning_rate: 1e-3,
        tune: Tune::Head,
        ..TrainOptions::default()
    };
    let device = device.clone().autodiff();
    device.seed(options.seed);
    let (model, _) = classifier.load(head, &device)?;
    let split = classifier.encode(data)?;
    let data = TrainingData {
        train: &split,
        eval: None,
    };
    prepare_output(dir, true)?;
    let mut console = Console::new();
    train(
        &classifier,
        model,
        data,
        &options,
        &device,
        Some(dir),
        &mut console,
    )?;
    Ok(())
}
