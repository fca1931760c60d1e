//! `bert train question-answering`

use std::path::Path;

use anyhow::Result;
use bert_tasks::DropoutOverride;
use bert_tasks::question_answering::{QuestionAnswerer, QuestionAnsweringTask};
use bert_text::{ArticleRange, SquadDataset};
use bert_train::TrainOptions;
use burn::tensor::Device;
use clap::Args;

use super::flags::SpanFlags;
use super::{DEFAULT_MAX_LENGTH, words};
use crate::commands::check::question_answering::warn;
use crate::commands::fine_tune::{self, FineTune, FineTuneFlags, Prepared, Splits};
use crate::describe;
use crate::flags::whole_number;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    #[command(flatten)]
    spans: SpanFlags,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Data files")]
struct DataFlags {
    /// Learn from some articles of --train only, by number from 0: 0..38 (without 38), 38.. or ..38; by default from all.
    /// A file without a partner is split by giving it as --train and as --eval with articles of their own
    #[arg(long, value_name = "A..B")]
    train_articles: Option<ArticleRange>,
    /// Score on some articles of --eval only; by default on all
    #[arg(long, value_name = "A..B", requires = "eval")]
    eval_articles: Option<ArticleRange>,
    /// Score on some articles of --test only; by default on all
    #[arg(long, value_name = "A..B", requires = "test")]
    test_articles: Option<ArticleRange>,
    /// Learn from the first N questions only; by default from all
    #[arg(long, value_name = "N", value_parser = whole_number)]
    limit: Option<usize>,
}

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    fine_tune::run(args, &args.flags)
}

/// Reads a file and keeps what is wanted of it.
pub(super) fn read(
    path: &Path,
    articles: Option<ArticleRange>,
    limit: Option<usize>,
) -> Result<SquadDataset> {
    let mut data = SquadDataset::read(path)?;
    if let Some(articles) = articles {
        data.select_articles(articles)?;
    }
    data.truncate(limit.unwrap_or(usize::MAX));
    Ok(data)
}

impl FineTune for TrainArgs {
    type Data = Splits<SquadDataset>;
    type Task = QuestionAnsweringTask;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<SquadDataset>> {
        let wanted = &self.data;
        let scored = |path: &Option<_>, articles| {
            let path: Option<&std::path::PathBuf> = path.as_ref();
            path.map(|path| read(path, articles, None)).transpose()
        };
        let splits = Splits {
            train: read(&flags.train, wanted.train_articles, wanted.limit)?,
            eval: scored(&flags.eval, wanted.eval_articles)?,
            test: scored(&flags.test, wanted.test_articles)?,
        };
        warn(&splits.train, splits.eval.as_ref());
        Ok(splits)
    }

    fn prepare(
        &self,
        flags: &FineTuneFlags,
        data: Splits<SquadDataset>,
        checkpoint: &Path,
        _options: &TrainOptions,
        device: &Device,
    ) -> Result<Prepared<QuestionAnsweringTask>> {
        let (answerer, head) = QuestionAnswerer::for_training(
            checkpoint,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            self.spans.stride,
            DropoutOverride::both(flags.training.dropout),
        )?;
        eprintln!("model   {}: {}", flags.model, words::model(&answerer));
        eprintln!("head    {}", words::head(head));
        let splits = data.try_map(|data| {
            let split = answerer.encode(data)?;
            eprintln!("data    {}", words::data(&split));
            if let Some(misplaced) = words::misplaced(&split) {
                eprintln!("note    {misplaced}");
            }
            Ok(split)
        })?;
        let train = splits.train.learnable()?;
        let (model, report) = answerer.load(head, device)?;
        eprintln!("load    {}", describe::load(&report));
        Ok(Prepared {
            task: QuestionAnsweringTask {
                answerer,
                train,
                eval: splits.eval,
                options: self.spans.evaluation(false),
            },
            test: splits.test,
            model,
        })
    }
}
