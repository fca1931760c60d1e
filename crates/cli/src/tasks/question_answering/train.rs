//! `bert train question-answering`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_report::UsedFor;
use bert_tasks::question_answering::{QuestionAnswerer, Split};
use bert_tasks::{HeadOrigin, TaskError};
use bert_text::{ArticleRange, SquadDataset};
use clap::Args;

use super::check::warn;
use super::flags::SpanFlags;
use super::model::misplaced;
use super::{DEFAULT_MAX_LENGTH, encode, read};
use crate::failure::WrongUsage;
use crate::flags::{data_files, integer};
use crate::runner::repeats::{FoldRows, Folds};
use crate::runner::train::{self, FineTune, FineTuneFlags, Role, Splits};

/// Questions to the piece of a context that answers them, or to none. Data: SQuAD's JSON, version 1.1 or 2.0,
/// compressed or not; or its rows as JSON Lines, Parquet or Arrow
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
    /// To split one file, give it as --train and as --eval, each with articles of its own
    #[arg(long, value_name = "A..B")]
    train_articles: Option<ArticleRange>,
    /// Score on some articles of --eval only; by default on all
    #[arg(long, value_name = "A..B", requires = "eval")]
    eval_articles: Option<ArticleRange>,
    /// Score on some articles of --test only; by default on all
    #[arg(long, value_name = "A..B", requires = "test")]
    test_articles: Option<ArticleRange>,
    /// Learn from the first N questions only; by default from all
    #[arg(long, value_name = "N", value_parser = integer)]
    limit: Option<usize>,
}

impl TrainArgs {
    pub(crate) fn run(&self) -> Result<()> {
        train::run(self, &self.flags)
    }
}

impl FineTune for TrainArgs {
    const USED_FOR: UsedFor = UsedFor {
        task: "question-answering",
        pipeline_tag: Some("question-answering"),
        input_line: r#"{"question": "Who came?", "context": "Nobody came but Ada."}"#,
        python: r#"from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("MODEL")
model = AutoModelForQuestionAnswering.from_pretrained("MODEL")
inputs = tokenizer("Who came?", "Nobody came but Ada.", return_tensors="pt")
outputs = model(**inputs)
start, end = outputs.start_logits.argmax(), outputs.end_logits.argmax()
print(tokenizer.decode(inputs["input_ids"][0, start : end + 1]))"#,
    };
    type Model = QuestionAnswerer;
    type Data = SquadDataset;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<SquadDataset>> {
        let wanted = &self.data;
        let scored = |words: &[PathBuf], articles| match words {
            [] => Ok(None),
            words => read(&data_files(words)?, articles, None).map(Some),
        };
        let train = data_files(&flags.train)?;
        let splits = Splits {
            train: read(&train, wanted.train_articles, wanted.limit)?,
            eval: scored(&flags.eval, wanted.eval_articles)?,
            test: scored(&flags.test, wanted.test_articles)?,
        };
        warn(&splits.train, splits.eval.as_ref());
        Ok(splits)
    }

    fn folds(&self) -> Option<&dyn Folds<SquadDataset>> {
        Some(self)
    }

    fn open(
        &self,
        flags: &FineTuneFlags,
        _data: &Splits<SquadDataset>,
        checkpoint: &Path,
    ) -> Result<(QuestionAnswerer, HeadOrigin), TaskError> {
        let (mut answerer, head) = QuestionAnswerer::for_training(
            checkpoint,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            self.spans.stride,
            flags.training.dropout(),
        )?;
        answerer.evaluation = self.spans.evaluation(false);
        Ok((answerer, head))
    }

    fn encode(
        &self,
        answerer: &QuestionAnswerer,
        data: SquadDataset,
        role: Role,
        _seed: u64,
    ) -> Result<Split> {
        let split = encode(answerer, &data)?;
        if let Some(misplaced) = misplaced(&split) {
            say!("note    {misplaced}");
        }
        Ok(match role {
            Role::Training => split.learnable()?,
            Role::Scoring => split,
        })
    }
}

/// Questions about one paragraph stay together: they give each other's answers away.
impl Folds<SquadDataset> for TrainArgs {
    fn rows(&self, flags: &FineTuneFlags, data: &SquadDataset) -> Result<FoldRows> {
        if flags.repeats.group_column.is_some() {
            let message = "--group-column: SQuAD files have no columns; the questions about one paragraph stay together anyway";
            return Err(WrongUsage(message.to_owned()).into());
        }
        let questions = data.questions.iter();
        Ok(FoldRows {
            groups: Some(
                questions
                    .map(|question| question.context.to_string())
                    .collect(),
            ),
            ..FoldRows::alike(data.questions.len())
        })
    }

    fn subset(&self, data: &SquadDataset, rows: &[usize]) -> SquadDataset {
        data.subset(rows)
    }
}
