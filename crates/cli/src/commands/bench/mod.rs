//! `bert bench`: the time of a training step or a forward pass, and its share of the speed of matrix products alone.

mod ceiling;
mod count;
mod kernels;
mod memory;
mod network;
mod operands;
mod report;
mod timing;
mod workload;

use std::num::NonZeroUsize;

use anyhow::Result;
use bert_device::{Backend, LaunchCount};
use bert_encoder::{ModelType, WeightFormat};
use bert_train::{TrainOptions, Tune};
use burn::tensor::Device;
use clap::{Args, Subcommand};

use self::kernels::Kernels;
use self::network::Runs;
use self::report::{Measured, Report};
use self::workload::{Size, Work, Workload};
use crate::failure::WrongUsage;
use crate::flags::{PrecisionWord, RuntimeFlags, Weights, at_least_one, dropout, one_to};
use crate::results::Results;

/// Rows of BERT's position table.
const LONGEST_SEQUENCE: usize = 512;
/// More rows fit into no machine's memory.
const LARGEST_BATCH: usize = 4096;

#[derive(Debug, Subcommand)]
pub(crate) enum BenchWork {
    /// Forward, loss, backward, clipping by the global norm and AdamW of a text classifier with two labels, as `bert train`
    /// does them
    TrainStep(BenchArgs),
    /// The forward pass of a text classifier with two labels to its logits, as `bert predict` does it
    Inference(BenchArgs),
}

impl BenchWork {
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::TrainStep(args) => run(args, Work::TrainStep),
            Self::Inference(args) => run(args, Work::Inference),
        }
    }
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct BenchArgs {
    /// Family of the model, by its `model_type` in config.json; bert: the one that the README's figures are of
    #[arg(long, value_name = "MODEL_TYPE", default_value = "bert", value_parser = family)]
    family: ModelType,
    /// Layers, hidden width and heads of the model, whose weights are random: tiny 2/128/2, mini 4/256/4, minilm 6/384/12,
    /// base 12/768/12; minilm: the size of all-MiniLM-L6-v2, which the README trains
    #[arg(long, value_enum, default_value_t = Size::Minilm)]
    size: Size,
    /// Rows of a batch, at most 4096; 16: a batch that two cores train well
    #[arg(long, value_name = "N", default_value = "16", value_parser = one_to::<LARGEST_BATCH>)]
    batch: NonZeroUsize,
    /// Tokens of each row, at most 512, none of them padding; 128: the length that BERT's speed is usually given for
    #[arg(long, value_name = "TOKENS", default_value = "128", value_parser = one_to::<LONGEST_SEQUENCE>)]
    seq: NonZeroUsize,
    /// Dropout on hidden states and on attention while training; 0.1: BERT's own, inference has none
    #[arg(long, value_name = "PROBABILITY", default_value = "0.1", value_parser = dropout)]
    dropout: f64,
    /// Of train-step: the numbers in which it multiplies, as in `bert train`; f32: the figures of the book are of that
    #[arg(long, value_enum, default_value_t = PrecisionWord::F32)]
    precision: PrecisionWord,
    /// Of train-step: what it trains, as in `bert train`; all: the figures of the book are of that
    #[arg(long, value_name = "PART", default_value_t = Tune::All)]
    tune: Tune,
    /// Timed runs, of which the median is given, after two that are not timed; 7: an odd number that evens out
    /// interruptions
    #[arg(long, value_name = "N", default_value = "7", value_parser = at_least_one)]
    runs: NonZeroUsize,
    /// Of inference: the precision in which it multiplies the layers on flex and ndarray, as in `bert predict`; f32: as the
    /// weights are
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    weights: Weights,
    /// Whether the device computes with the kernels of bert-kernels or with Burn's own operations; on: as in every other
    /// command
    #[arg(long, value_enum, default_value_t = Kernels::On)]
    kernels: Kernels,
    /// Count what a run asks of the device, in as many further runs: kernel launches, transfers in either direction and times
    /// that the host waits for numbers. Of wgpu, vulkan, metal and cuda; flex and ndarray launch no kernels
    #[arg(long)]
    count: bool,
    /// Print one JSON object on a line instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    runtime: RuntimeFlags,
}

impl BenchArgs {
    fn workload(&self, work: Work) -> Workload {
        Workload {
            work,
            family: self.family,
            size: self.size,
            batch: self.batch.get(),
            sequence: self.seq.get(),
        }
    }

    fn refuse_what_has_no_effect(&self, work: Work) -> Result<(), WrongUsage> {
        let is_training = work == Work::TrainStep;
        let refusal = if is_training && self.weights != Weights::F32 {
            "--weights is of `bert bench inference`; a training step takes --precision"
        } else if !is_training && self.precision != PrecisionWord::F32 {
            "--precision is of `bert bench train-step`; inference takes --weights"
        } else if !is_training && self.tune != Tune::All {
            "--tune is of `bert bench train-step`; inference trains nothing"
        } else {
            return Ok(());
        };
        Err(WrongUsage(refusal.to_owned()))
    }

    /// The numbers in which the linear layers are multiplied.
    fn format_of_maps(&self, work: Work) -> WeightFormat {
        match (work, self.precision) {
            _ if self.kernels == Kernels::Off => WeightFormat::F32,
            (Work::Inference, _) => self.weights.format(),
            (Work::TrainStep, PrecisionWord::F32) => WeightFormat::F32,
            (Work::TrainStep, PrecisionWord::Bf16) => WeightFormat::Bf16,
        }
    }
}

/// A family by its `model_type`.
fn family(word: &str) -> Result<ModelType, String> {
    ModelType::from_name(word).ok_or_else(|| {
        let known: Vec<&str> = ModelType::ALL.map(ModelType::name).to_vec();
        format!("no such family; known are {}", known.join(", "))
    })
}

fn run(args: &BenchArgs, work: Work) -> Result<()> {
    args.refuse_what_has_no_effect(work)?;
    let workload = args.workload(work);
    let runs = Runs {
        number: args.runs,
        counted: args.count.then_some(args.runtime.device()),
    };
    if let Some(device) = runs.counted {
        // Found out before the work.
        LaunchCount::start(device)?;
    }
    let device = args.runtime.open()?;
    let taken = args.kernels.during(|| match work {
        Work::TrainStep => {
            let options = TrainOptions {
                precision: args.precision.precision(),
                tune: args.tune.clone(),
                ..TrainOptions::default()
            };
            network::train_step(&workload, args.dropout, &options, runs, device)
        }
        Work::Inference => {
            let weights = args.weights.format();
            network::inference(&workload, args.dropout, weights, runs, &device)
        }
    })?;
    // Before the ceiling takes memory of its own.
    let peak_rss_mib = memory::peak_rss_mib();
    let is_cpu = matches!(
        args.runtime.device().backend(),
        Backend::Flex | Backend::NdArray
    );
    let gemm_ceiling_gflops = is_cpu
        .then(|| ceiling::gflops(&workload, args.format_of_maps(work), args.runs))
        .transpose()?;
    let measured = Measured {
        taken,
        peak_rss_mib,
        gemm_ceiling_gflops,
    };
    let report = Report::new(args, &workload, measured);
    let mut results = Results::new();
    if args.json {
        results.json_line(&report)?;
    } else {
        for line in report.table()?.lines() {
            results.line(&line)?;
        }
    }
    results.flush()
}

/// A training step of the smallest size.
pub(crate) struct TinyStep {
    pub(crate) ms: f64,
    pub(crate) tokens: usize,
}

/// The median of three training steps of the smallest size, after two that are not timed: a rough speed in a second.
pub(crate) fn tiny_step(device: Device) -> Result<TinyStep> {
    const RUNS: NonZeroUsize = NonZeroUsize::new(3).expect("three is not zero");
    let workload = Workload {
        work: Work::TrainStep,
        family: ModelType::Bert,
        size: Size::Tiny,
        batch: 4,
        sequence: 32,
    };
    let options = TrainOptions::default();
    let runs = network::Runs {
        number: RUNS,
        counted: None,
    };
    Ok(TinyStep {
        ms: network::train_step(&workload, 0.1, &options, runs, device)?.median_ms,
        tokens: workload.tokens(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        bench: BenchArgs,
    }

    fn parsed(line: &str) -> Result<BenchArgs, String> {
        let words = std::iter::once("test").chain(line.split_whitespace());
        let flags = Flags::try_parse_from(words);
        flags
            .map(|flags| flags.bench)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_flag_reaches_the_workload() {
        let args =
            parsed("--size base --batch 4 --seq 512 --dropout 0 --runs 3 --kernels off --precision bf16 --json")
                .unwrap();
        let expected = Workload {
            work: Work::TrainStep,
            family: ModelType::Bert,
            size: Size::Base,
            batch: 4,
            sequence: 512,
        };
        assert_eq!(args.workload(Work::TrainStep), expected);
        assert_eq!((args.dropout, args.runs.get(), args.json), (0.0, 3, true));
        assert_eq!(args.kernels, Kernels::Off);
        assert_eq!(args.precision, PrecisionWord::Bf16);
    }

    #[test]
    fn without_flags_it_is_minilm_on_sixteen_rows_of_128_tokens() {
        let args = parsed("").unwrap();
        let expected = Workload {
            work: Work::Inference,
            family: ModelType::Bert,
            size: Size::Minilm,
            batch: 16,
            sequence: 128,
        };
        assert_eq!(args.workload(Work::Inference), expected);
        assert_eq!((args.dropout, args.runs.get(), args.json), (0.1, 7, false));
        assert_eq!(args.kernels, Kernels::On);
        assert_eq!(args.precision, PrecisionWord::F32);
    }

    #[test]
    fn numbers_that_no_benchmark_can_have_are_refused_with_their_range() {
        for (line, words) in [
            ("--seq 513", ["--seq", "integer from 1 to 512"]),
            ("--seq -1", ["--seq", "integer from 1 to 512"]),
            ("--seq 0", ["--seq", "integer from 1 to 512"]),
            ("--batch 0", ["--batch", "integer from 1 to 4096"]),
            ("--batch 9999999", ["--batch", "integer from 1 to 4096"]),
            ("--batch many", ["--batch", "integer from 1 to 4096"]),
            ("--runs 0", ["--runs", "at least 1"]),
            ("--dropout 1", ["--dropout", "below 1"]),
            ("--dropout nan", ["--dropout", "below 1"]),
            ("--size huge", ["--size", "minilm"]),
        ] {
            let message = parsed(line).unwrap_err();
            for word in words {
                assert!(message.contains(word), "no {word:?} in {message}");
            }
        }
    }
}
