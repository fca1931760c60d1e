//! `bert evaluate question-answering`

use std::path::PathBuf;

use anyhow::Result;
use bert_question_answering::metrics::SquadVersion;
use bert_tasks::question_answering::{Scored, Split};
use bert_text::ArticleRange;
use clap::Args;

use super::flags::SpanFlags;
use super::record::{ById, n_best};
use super::train::read;
use super::{load, open, words};
use crate::commands::scoring::{EvaluateFlags, print_metrics};
use crate::failure::WrongUsage;
use crate::flags::whole_number;
use crate::progress::ShareBar;
use crate::whole_file::WholeFile;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    #[command(flatten)]
    spans: SpanFlags,
    /// Take the threshold that makes F1 on --data highest instead of a given one
    #[arg(long, conflicts_with = "null_threshold", help_heading = "Answers")]
    tune_null_threshold: bool,
    /// Score on some articles only, by number from 0: 0..38 (without 38), 38.. or ..38; by default on all
    #[arg(long, value_name = "A..B", help_heading = "Data files")]
    articles: Option<ArticleRange>,
    /// Score on the first N questions only; by default on all
    #[arg(long, value_name = "N", value_parser = whole_number, help_heading = "Data files")]
    limit: Option<usize>,
    /// Also write the n best answers to each question, in the form of transformers' nbest_predictions.json
    #[arg(long, value_name = "FILE")]
    nbest: Option<PathBuf>,
    /// Also write how much better no answer scores than the best one, the --na-prob-file of SQuAD 2.0's script; only for
    /// data where questions may have no answer
    #[arg(long, value_name = "FILE")]
    null_odds: Option<PathBuf>,
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    let flags = &args.flags;
    let files = Files {
        predictions: flags.begin_predictions()?,
        nbest: args.nbest.as_deref().map(WholeFile::begin).transpose()?,
        null_odds: args
            .null_odds
            .as_deref()
            .map(WholeFile::begin)
            .transpose()?,
    };
    let data = read(&flags.data, args.articles, args.limit)?;
    let options = args.spans.evaluation(args.tune_null_threshold);
    let version_2 = options.version_2.unwrap_or_else(|| data.has_unanswerable());
    if !version_2 && (args.null_odds.is_some() || args.tune_null_threshold) {
        return Err(WrongUsage(format!(
            "{}: every question has an answer, so there are no null odds and no threshold to tune; give --version-2 if \
             questions may have none",
            flags.data.display()
        ))
        .into());
    }
    let device = flags.runtime.open()?;
    let mut answerer = open(&flags.model, flags.max_length, args.spans.stride)?;
    answerer.pretrained.weights = flags.weights.format();
    let split = answerer.encode(&data)?;
    eprintln!("data    {}", words::data(&split));
    let model = load(&answerer, &device)?;
    let bar = ShareBar::new("evaluating");
    let mut tick = |share| bar.set(share);
    let batch_size = flags.batch_size;
    let scored = answerer.evaluate(&model, &split, &options, batch_size, &device, &mut tick)?;
    drop(bar);
    files.write(&split, &scored)?;
    print_metrics(&scored.evaluation.metrics)
}

/// What was asked for beside the figures.
struct Files {
    predictions: Option<WholeFile>,
    nbest: Option<WholeFile>,
    null_odds: Option<WholeFile>,
}

impl Files {
    /// Each file is one JSON object of all questions by their ids, as the official scripts read it.
    fn write(self, split: &Split, scored: &Scored) -> Result<()> {
        let questions = || split.data.questions.iter().zip(&scored.answers);
        if let Some(mut file) = self.predictions {
            file.json_line(&ById(|| {
                questions().map(|(question, one)| (&question.id, &one.answer))
            }))?;
            file.commit()?;
        }
        if let Some(mut file) = self.nbest {
            file.json_line(&ById(|| {
                questions()
                    .map(|(question, one)| (&question.id, n_best(&split.data, question, one)))
            }))?;
            file.commit()?;
        }
        if let (Some(mut file), SquadVersion::V2) = (self.null_odds, scored.version) {
            // In double precision, as the figures print the thresholds.
            file.json_line(&ById(|| {
                questions()
                    .map(|(question, one)| (&question.id, f64::from(one.decoded.null_difference())))
            }))?;
            file.commit()?;
        }
        Ok(())
    }
}
