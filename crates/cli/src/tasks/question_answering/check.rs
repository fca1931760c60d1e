//! `bert check question-answering`

use anyhow::Result;
use bert_tasks::DropoutOverride;
use bert_tasks::question_answering::QuestionAnswerer;
use bert_text::check::{
    AnswerFault, Portion, WindowSummary, faulty_answers, is_cut_apart, repeats,
};
use bert_text::{GoldAnswer, SquadDataset};
use clap::Args;

use super::DEFAULT_MAX_LENGTH;
use crate::flags::integer;
use crate::format::{count, counted};
use crate::runner::check::report::{Finding, Report, Severity};
use crate::runner::check::rows::{self, Nouns, Rows};
use crate::runner::check::{CheckFlags, print_warnings, tokens};

/// Answers that are not where the file says, ids and questions that occur twice, answers that windows cut apart, lengths
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    flags: CheckFlags,
    /// Tokens that neighbouring windows of a long context share; by default 128 as in `bert train`, or half of
    /// --max-length where that is less
    #[arg(long, value_name = "TOKENS", value_parser = integer, help_heading = "Answers")]
    stride: Option<usize>,
}

/// The quick checks, which `bert train` makes as well: questions that both files have become warnings. Training refuses two
/// questions with one id itself, and reports misplaced answers when it makes the windows.
pub(crate) fn warn(train: &SquadDataset, eval: Option<&SquadDataset>) {
    print_warnings(shared_questions(train, eval));
}

impl CheckArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let datasets = self
            .flags
            .read(|files| Ok(SquadDataset::read_files_any_ids(files)?))?;
        let answerer = self.answerer()?;
        let mut report = Report::default();
        for (name, data) in datasets.named() {
            describe(name, data, &mut report);
            rows::check_texts(&questions(data), &mut report);
            report.findings(repeated_ids(data));
            report.findings(faults(data));
            match &answerer {
                Some(answerer) => check_tokens(name, data, answerer, &mut report)?,
                None => tokens::lengths_in_words(name, &questions(data), &mut report),
            }
        }
        report.findings(shared_questions(&datasets.data, datasets.eval.as_ref()));
        report.print(self.flags.json)
    }

    /// The model that makes windows of the questions, if one was named.
    fn answerer(&self) -> Result<Option<QuestionAnswerer>> {
        let Some(directory) = self.flags.directory()? else {
            return Ok(None);
        };
        let (answerer, _) = QuestionAnswerer::for_training(
            &directory,
            self.flags.max_length(DEFAULT_MAX_LENGTH),
            self.stride,
            DropoutOverride::default(),
        )?;
        Ok(Some(answerer))
    }
}

/// One row a question, with its context as the second text and its answers as labels.
fn questions(data: &SquadDataset) -> Rows<'_> {
    let questions = &data.questions;
    let answers = questions.iter().map(|one| {
        let texts = one.answers.iter().map(|answer| answer.text.as_str().into());
        texts.collect()
    });
    Rows {
        path: &data.path,
        nouns: Nouns {
            row: "question",
            label: Some("answer"),
        },
        texts: questions
            .iter()
            .map(|one| (one.question.as_str(), Some(data.context(one))))
            .collect(),
        labels: answers.collect(),
        places: questions
            .iter()
            .map(|one| format!("{:?}", one.id))
            .collect(),
    }
}

fn shared_questions(train: &SquadDataset, eval: Option<&SquadDataset>) -> Option<Finding> {
    rows::shared_rows(&questions(train), &questions(eval?))
}

/// What the file holds, and how long its answers are.
fn describe(name: &str, data: &SquadDataset, report: &mut Report) {
    let further = [("article", data.articles), ("context", data.contexts.len())];
    rows::title(name, &questions(data), &further, report);
    let without = data.questions.iter().filter(|one| one.answers.is_empty());
    let without = Portion::of(without.count(), data.questions.len());
    let line = format!(
        "{} ({:.1} %) without an answer",
        counted(without.rows, "question"),
        100.0 * without.share
    );
    report.figures(name, "unanswerable", without, vec![line, String::new()]);
    let answers = data.questions.iter().filter_map(|one| one.answers.first());
    let words = answers.map(|answer| answer.text.split_whitespace().count());
    let unit = ["words of the first answer", "question"];
    let lengths: Vec<usize> = words.collect();
    tokens::histogram(name, "answer_length_in_words", unit, &lengths, report);
}

fn repeated_ids(data: &SquadDataset) -> Option<Finding> {
    let ids: Vec<(&str, Option<&str>)> = data
        .questions
        .iter()
        .map(|one| (one.id.as_str(), None))
        .collect();
    let repeated: Vec<String> = repeats(&ids)
        .iter()
        .map(|pair| format!("{:?}", ids[pair.second].0))
        .collect();
    Finding::at(Severity::Problem, &repeated, || {
        let (path, number) = (data.path.display(), counted(repeated.len(), "question"));
        format!("{path}: {number} with the id of another; training refuses the file")
    })
}

/// Answers that are not where the file says.
fn faults(data: &SquadDataset) -> Vec<Finding> {
    let faulty = faulty_answers(data);
    let finding = |fault: AnswerFault, what: &str| {
        let of_kind = faulty.iter().filter(|one| one.fault == fault);
        let places: Vec<String> = of_kind
            .map(|one| {
                let question = &data.questions[one.question];
                let start: String = question.answers[one.answer].text.chars().take(40).collect();
                format!("{start:?} of {:?}", question.id)
            })
            .collect();
        Finding::at(Severity::Problem, &places, || {
            let (path, number) = (data.path.display(), counted(places.len(), "answer"));
            format!("{path}: {number} {what}")
        })
    };
    let misplaced = finding(
        AnswerFault::Misplaced,
        "not at answer_start (in characters of the context, from 0) but elsewhere in it",
    );
    let missing = finding(AnswerFault::Missing, "nowhere in the context");
    misplaced.into_iter().chain(missing).collect()
}

/// The windows that the questions of a file become.
#[derive(Default)]
struct Windowed {
    /// How many windows each question has.
    windows: Vec<usize>,
    /// Ids of the questions whose answer no window holds.
    cut: Vec<String>,
    /// Ids of the questions that leave the context no room.
    too_long: Vec<String>,
}

impl Windowed {
    fn of(data: &SquadDataset, answerer: &QuestionAnswerer) -> Self {
        let texts: Vec<(&str, &str)> = data
            .questions
            .iter()
            .map(|one| (one.question.trim_start(), data.context(one)))
            .collect();
        let (max_length, stride) = (answerer.pretrained.max_length, answerer.stride);
        let tokenizer = &answerer.pretrained.tokenizer;
        let encoded = tokenizer.encode_windows_batch(&texts, max_length, stride);
        let mut found = Self::default();
        for (question, encoded) in data.questions.iter().zip(encoded) {
            let id = format!("{:?}", question.id);
            let Ok(encoded) = encoded else {
                found.too_long.push(id);
                continue;
            };
            found.windows.push(encoded.len());
            if let GoldAnswer::At(answer) = data.gold(question)
                && is_cut_apart(&encoded, &answer)
            {
                found.cut.push(id);
            }
        }
        found
    }
}

/// Lengths in tokens, unknown tokens, and windows.
fn check_tokens(
    name: &str,
    data: &SquadDataset,
    answerer: &QuestionAnswerer,
    report: &mut Report,
) -> Result<()> {
    tokens::check_whole(name, &questions(data), &answerer.pretrained, report)?;
    let found = Windowed::of(data, answerer);
    let summary = WindowSummary::of(&found.windows);
    let line = format!(
        "windows of {} tokens that share {}: {}, {:.2} a question, at most {}; {} ({:.1} %) in several",
        answerer.pretrained.max_length,
        answerer.stride,
        count(summary.windows),
        summary.mean,
        summary.max,
        counted(summary.in_several.rows, "question"),
        100.0 * summary.in_several.share
    );
    report.figures(name, "windows", &summary, vec![line, String::new()]);
    report.figures(name, "answers_cut_apart", found.cut.len(), Vec::new());
    let finding = |ids: &[String], severity, what: &str| {
        Finding::at(severity, ids, || {
            let (path, number) = (data.path.display(), counted(ids.len(), "question"));
            format!("{path}: {number} {what}")
        })
    };
    report.findings(finding(
        &found.cut,
        Severity::Warning,
        "whose answer no window holds as a whole: training takes them for unanswerable; a larger --stride helps",
    ));
    report.findings(finding(
        &found.too_long,
        Severity::Problem,
        "too long: a window has no room for the context, so training refuses them",
    ));
    Ok(())
}
