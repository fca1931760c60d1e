//! `bert evaluate question-answering`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::question_answering::head::ModelForQuestionAnswering;
use bert_tasks::question_answering::head::metrics::SquadVersion;
use bert_tasks::question_answering::{EvaluationOptions, QuestionAnswerer, Scored, Split};
use bert_tasks::{Metrics, RunOptions, TaskError};
use bert_text::{ArticleRange, SquadDataset};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::flags::SpanFlags;
use super::record::{ById, n_best};
use super::{encode, open, read};
use crate::failure::WrongUsage;
use crate::flags::integer;
use crate::runner::bootstrap::{FiguresOf, Units};
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, begin};
use crate::whole_file::WholeFile;

/// Exact match and F1 as SQuAD's official scripts compute them, in percent
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    #[command(flatten)]
    spans: SpanFlags,
    /// Choose the --null-threshold that makes F1 on --data highest
    #[arg(long, conflicts_with = "null_threshold", help_heading = "Answers")]
    tune_null_threshold: bool,
    /// Score on some articles only, by number from 0: 0..38 (without 38), 38.. or ..38; by default on all
    #[arg(long, value_name = "A..B", help_heading = "Data files")]
    articles: Option<ArticleRange>,
    /// Score on the first N questions only; by default on all
    #[arg(long, value_name = "N", value_parser = integer, help_heading = "Data files")]
    limit: Option<usize>,
    /// Also write the n best answers to each question, in the form of transformers' nbest_predictions.json
    #[arg(long, value_name = "FILE", help_heading = "Answers")]
    nbest: Option<PathBuf>,
    /// Also write by how much "no answer" scores higher than the best answer, the --na-prob-file of SQuAD 2.0's script; only
    /// for data where questions may have no answer
    #[arg(long, value_name = "FILE", help_heading = "Answers")]
    null_odds: Option<PathBuf>,
}

impl EvaluateArgs {
    fn options(&self) -> EvaluationOptions {
        self.spans.evaluation(self.tune_null_threshold)
    }

    pub(crate) fn run(&self) -> Result<()> {
        let command = Command {
            args: self,
            nbest: begin(self.nbest.as_deref())?,
            null_odds: begin(self.null_odds.as_deref())?,
        };
        evaluate::run(command, &self.flags)
    }
}

/// The command and the files that it writes beside its figures.
struct Command<'a> {
    args: &'a EvaluateArgs,
    nbest: Option<WholeFile>,
    null_odds: Option<WholeFile>,
}

impl Evaluate for Command<'_> {
    type Model = QuestionAnswerer;
    type Data = SquadDataset;
    type Scored = Scored;

    fn read(&self, files: &[PathBuf]) -> Result<SquadDataset> {
        let args = self.args;
        let data = read(files, args.articles, args.limit)?;
        let version_2 = args.options().version_2;
        let version_2 = version_2.unwrap_or_else(|| data.has_unanswerable());
        if !version_2 && (self.null_odds.is_some() || args.tune_null_threshold) {
            return Err(WrongUsage(format!(
                "{}: every question has an answer, so there are no null odds and no threshold to tune; give --version-2 if \
                 questions may have no answer",
                data.path.display()
            ))
            .into());
        }
        Ok(data)
    }

    fn open(
        &self,
        directory: &Path,
        max_length: Option<usize>,
    ) -> Result<QuestionAnswerer, TaskError> {
        let mut answerer = open(directory, max_length, self.args.spans.stride)?;
        answerer.evaluation = self.args.options();
        Ok(answerer)
    }

    fn encode(&self, answerer: &QuestionAnswerer, data: &SquadDataset) -> Result<Split> {
        encode(answerer, data)
    }

    fn score(
        &self,
        answerer: &QuestionAnswerer,
        network: &ModelForQuestionAnswering,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        answerer.evaluate(network, split, run)
    }

    fn units(split: &Split) -> Option<Units> {
        Some(Units {
            noun: "question",
            count: split.data.questions.len(),
        })
    }

    fn figures_of<'a>(
        _answerer: &'a QuestionAnswerer,
        split: &'a Split,
        scored: &'a Scored,
    ) -> Result<FiguresOf<'a>> {
        let scores = scored.by_question(&split.data)?;
        let exact = match scored.version {
            SquadVersion::V1 => "exact_match",
            SquadVersion::V2 => "exact",
        };
        Ok(Box::new(move |questions| {
            let mean = |which: usize| {
                let sum: f64 = questions.iter().map(|&one| scores[one][which]).sum();
                json!(sum / questions.len().max(1) as f64)
            };
            Ok(Metrics::from_iter([
                (exact.to_owned(), mean(0)),
                ("f1".to_owned(), mean(1)),
            ]))
        }))
    }

    /// Each file is one JSON object of all questions by their ids, as the official scripts read it.
    fn finish(
        self,
        _answerer: &QuestionAnswerer,
        split: &Split,
        scored: Scored,
        predictions: Option<WholeFile>,
    ) -> Result<Metrics> {
        let questions = || split.data.questions.iter().zip(&scored.answers);
        write_object(predictions, || {
            questions().map(|(question, one)| (&question.id, &one.answer))
        })?;
        write_object(self.nbest, || {
            questions().map(|(question, one)| (&question.id, n_best(&split.data, question, one)))
        })?;
        if scored.version == SquadVersion::V2 {
            // In double precision, as the figures print the thresholds.
            write_object(self.null_odds, || {
                questions()
                    .map(|(question, one)| (&question.id, f64::from(one.decoded.null_difference())))
            })?;
        }
        Ok(scored.evaluation.metrics)
    }
}

/// Writes the pairs as one JSON object, if the file was asked for.
fn write_object<'a, I, V>(file: Option<WholeFile>, pairs: impl Fn() -> I) -> Result<()>
where
    I: Iterator<Item = (&'a String, V)>,
    V: Serialize,
{
    let Some(mut file) = file else {
        return Ok(());
    };
    file.json_line(&ById(pairs))?;
    file.commit()
}
