//! Teaches a BERT the words of film reviews, with no file but what it fetches: `cargo run --release --bin masked-lm`, and
//! saves an encoder that every other task can start from. It does *not* take text of yours; `bert train masked-lm` does.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bert_device::DeviceSpec;
use bert_examples::{Console, movie_reviews, sentence_count};
use bert_hub::{FetchOptions, Fetcher, Manifest};
use bert_tasks::pretraining::Pretraining;
use bert_tasks::pretraining::head::ModelForMaskedLM;
use bert_tasks::{DropoutOverride, RunOptions};
use bert_text::{Dataset, MaskingOptions, TextLayout, TextPieces};
use bert_train::{Observers, TrainOptions, TrainingData, TrainingLog, prepare_output, train};
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Where to compute: flex, ndarray, wgpu, vulkan, metal or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    device: DeviceSpec,
    /// Directory for the trained model; an earlier one in it is replaced
    #[arg(long, default_value = "runs/masked-lm")]
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

    // 1. A checkpoint and a text, fetched once and verified by their hashes.
    let manifest = Manifest::builtin()?;
    let fetcher = Fetcher::new(FetchOptions::from_env()?);
    let checkpoint = fetcher.fetch(manifest.entry("all-MiniLM-L6-v2")?, &mut console)?;
    let reviews = fetcher.fetch(manifest.entry("movie-review-snippets")?, &mut console)?;
    let (mut training, held_out) = movie_reviews(&reviews.dir)?;
    training.examples.truncate(args.limit.unwrap_or(usize::MAX));

    // 2. What is masked, and the weights. The checkpoint has no head for masked tokens, so that one is new.
    let (masking, dropout) = (MaskingOptions::default(), DropoutOverride::default());
    let setup =
        Pretraining::<ModelForMaskedLM>::for_training(&checkpoint.dir, 128, masking, dropout)?;
    let hardware = args.device.open_described()?;
    let device = hardware.device.autodiff();
    let options = TrainOptions::default();
    device.seed(options.seed);
    let (model, _) = setup.load_for_training(&device)?;
    let rows = |data: &Dataset| {
        let texts: Vec<&str> = data.texts().into_iter().map(|(text, _)| text).collect();
        let lines = texts.join("\n");
        setup.encode_text(
            TextPieces::new(lines.as_bytes(), &data.path),
            TextLayout::Grouped,
        )
    };
    let (train_rows, eval_rows) = (rows(&training)?, rows(&held_out)?);
    let data = TrainingData {
        train: &train_rows,
        eval: Some(&eval_rows),
    };

    // 3. Training; the model that scores best is saved as a directory that transformers opens, too.
    let sentences = sentence_count(&training);
    eprintln!("training on {sentences}, {}", hardware.description);
    let dir = args.output.as_path();
    let mut log = TrainingLog::new(dir);
    let mut told = Observers(vec![&mut log, &mut console]);
    let trained = train(&setup, model, data, &options, &device, Some(dir), &mut told)?;
    if let Some(best) = trained.best {
        let (sentences, perplexity) = (sentence_count(&held_out), (-best.score).exp());
        println!("perplexity on {sentences} never trained on: {perplexity:.1}");
    }
    println!("saved: {}", dir.display());

    // 4. Using it.
    let text = "a warm , funny and quietly [MASK] film";
    let texts = setup.encode_masked(&[(text, None)])?;
    let five = NonZeroUsize::new(5).unwrap_or(NonZeroUsize::MIN);
    let cpu = device.inner();
    let filled = setup.fill_mask(
        &trained.model,
        &texts,
        five,
        RunOptions::new(&cpu, &mut |_| {}),
    )?;
    for proposal in filled.iter().flat_map(|text| &text.masks).flatten() {
        println!(
            "{:>12} {:.3}  {}",
            proposal.token_str, proposal.score, proposal.sequence
        );
    }
    Ok(())
}
