//! Fine-tunes a BERT to find named entities: `cargo run --release --bin token-classification -- --train FILE --eval FILE`,
//! with files of a word and its tag a line. It does *not* fetch a data set; `bert fetch wnut17` gets one that fits.

use std::path::PathBuf;

use anyhow::Context;
use bert_device::DeviceSpec;
use bert_examples::Console;
use bert_hub::{FetchOptions, Fetcher, Manifest};
use bert_tasks::token_classification::TokenClassifier;
use bert_tasks::token_classification::head::aggregation::Aggregation;
use bert_tasks::token_classification::head::transitions::Transitions;
use bert_tasks::{DropoutOverride, RunOptions};
use bert_text::{Alignment, TagColumns, TaggedDataset, TokensInput};
use bert_train::{Observers, TrainOptions, TrainingData, TrainingLog, prepare_output, train};
use clap::Parser;

const WANTED: &str = "give --train FILE, in CoNLL's columns: a word and its tag a line, sentences apart by blank lines. One \
                      that fits is wnut17train.conll of the data set wnut17 (`bert fetch wnut17`), with --eval \
                      emerging.dev.conll";

#[derive(Parser)]
struct Args {
    /// Tagged words to learn from
    #[arg(long)]
    train: Option<PathBuf>,
    /// Tagged words to score the model on after each epoch
    #[arg(long)]
    eval: Option<PathBuf>,
    /// Where to compute: flex, ndarray, wgpu, vulkan, metal or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    device: DeviceSpec,
    /// Directory for the trained model; an earlier one in it is replaced
    #[arg(long, default_value = "runs/named-entities")]
    output: PathBuf,
    /// Train on this many sentences only
    #[arg(long)]
    limit: Option<usize>,
}

fn main() -> anyhow::Result<()> {
    bert_device::keep_allocator_memory();
    let args = Args::parse();
    prepare_output(&args.output, true)?;

    // 1. Data and a checkpoint.
    let read = |path: &PathBuf| TaggedDataset::read(path, &TagColumns::default());
    let mut training = read(args.train.as_ref().context(WANTED)?)?;
    training
        .sentences
        .truncate(args.limit.unwrap_or(usize::MAX));
    let held_out = args.eval.as_ref().map(read).transpose()?;
    let mut console = Console::new();
    let fetcher = Fetcher::new(FetchOptions::from_env()?);
    let entry = Manifest::builtin()?;
    let checkpoint = fetcher.fetch(entry.entry("all-MiniLM-L6-v2")?, &mut console)?;

    // 2. What the tags are, and the weights. Sentences longer than 128 tokens are cut into windows.
    let (dir, dropout) = (&checkpoint.dir, DropoutOverride::default());
    let (classifier, head) =
        TokenClassifier::for_training(dir, &training, Alignment::First, 128, dropout)?;
    let device = args.device.open()?.autodiff();
    let options = TrainOptions::default();
    device.seed(options.seed);
    let (model, _) = classifier.load(head, &device)?;
    let train_split = classifier.encode(&training)?;
    let eval_split = held_out.map(|data| classifier.encode(&data)).transpose()?;
    let data = TrainingData {
        train: &train_split,
        eval: eval_split.as_ref(),
    };

    // 3. Training; the model that scores best is saved as a directory that transformers opens, too.
    let output = args.output.as_path();
    let mut log = TrainingLog::new(output);
    let mut told = Observers(vec![&mut log, &mut console]);
    let trained = train(
        &classifier,
        model,
        data,
        &options,
        &device,
        Some(output),
        &mut told,
    )?;
    println!("saved: {}", output.display());

    // 4. Using it: no entity goes on that has not begun.
    let text = "Empire State Building was lit for Angela Merkel last night";
    let inputs = [TokensInput::Text(text.to_owned())];
    let cpu = device.inner();
    let transitions = Transitions::of(classifier.labels.names());
    let predictions =
        classifier.predict(&trained.model, &inputs, RunOptions::new(&cpu, &mut |_| {}))?;
    for prediction in predictions {
        for found in classifier.entities(&prediction, Aggregation::First, Some(&transitions)) {
            let kind = found.entity_group.unwrap_or_default();
            println!("{kind:>14} {:.3}  {}", found.score, found.word);
        }
    }
    Ok(())
}
