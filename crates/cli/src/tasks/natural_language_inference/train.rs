//! `bert train natural-language-inference`

use std::path::Path;

use anyhow::Result;
use bert_report::UsedFor;
use bert_tasks::natural_language_inference::head::{Role as NliRole, Roles};
use bert_tasks::natural_language_inference::{NliClassifier, NliData};
use bert_tasks::text_classification::Split;
use bert_tasks::{HeadOrigin, TaskError};
use bert_text::LabelSet;
use clap::Args;

use super::{agreed, encode};
use crate::flags::{Classes, LongTextFlags, LossFlags, print_notes};
use crate::runner::repeats::{FoldRows, Folds};
use crate::runner::row_files::RowFlags;
use crate::runner::train::{self, FineTune, FineTuneFlags, Role, Splits};
use crate::tasks::text_classification::warn;

/// Premise and hypothesis to entailment, neutral or contradiction, or to entailment or not. Data: TSV, CSV, JSON Lines,
/// Parquet or Arrow of SNLI, MNLI, RTE, SICK or your own; the reader recognises labels by their names
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    #[command(flatten)]
    long_text: LongTextFlags,
    #[command(flatten)]
    rows: RowFlags,
}

/// Pairs of sentences fit, and attention costs the square of it.
const DEFAULT_MAX_LENGTH: usize = 128;

impl TrainArgs {
    pub(crate) fn run(&self) -> Result<()> {
        self.long_text.check()?;
        train::run(self, &self.flags)
    }
}

impl FineTune for TrainArgs {
    const USED_FOR: UsedFor = UsedFor {
        task: "natural-language-inference",
        pipeline_tag: Some("text-classification"),
        input_line: r#"{"premise": "A man plays a guitar", "hypothesis": "Nobody makes music"}"#,
        python: r#"from transformers import pipeline

infer = pipeline("text-classification", model="MODEL")
print(infer({"text": "A man plays a guitar", "text_pair": "Nobody makes music"}))"#,
    };
    type Model = NliClassifier;
    type Data = NliData;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<NliData>> {
        let splits = self
            .rows
            .read(flags, &self.rows.options())?
            .try_map(|data, _| agreed(data))?;
        for data in splits.all() {
            print_notes(&data.dataset.notes);
        }
        let scheme = splits.train.scheme()?;
        for data in splits.all() {
            data.check_scheme(scheme)?;
        }
        let eval = splits.eval.as_ref().map(|eval| &eval.dataset);
        warn(&splits.train.dataset, eval, true);
        Ok(splits)
    }

    fn classes(&self, data: &Splits<NliData>) -> Result<Classes> {
        let roles = Roles::new(data.train.scheme()?);
        Ok(Classes::OneARow(role_names(&roles)?))
    }

    fn label_name(word: &str) -> String {
        NliRole::of(word)
            .map_or(word, |role| role.name())
            .to_owned()
    }

    fn set_loss(&self, loss: &LossFlags, nli: &mut NliClassifier, train: &Split) -> Result<()> {
        let balanced = || nli.classifier.balanced_class_weights(train);
        let options = loss.options(&role_names(&nli.roles)?, Self::label_name, balanced)?;
        Ok(nli.classifier.set_loss(options)?)
    }

    fn folds(&self) -> Option<&dyn Folds<NliData>> {
        Some(self)
    }

    fn open(
        &self,
        flags: &FineTuneFlags,
        data: &Splits<NliData>,
        checkpoint: &Path,
    ) -> Result<(NliClassifier, HeadOrigin), TaskError> {
        let (mut nli, head) = NliClassifier::for_training(
            checkpoint,
            &data.train,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            flags.training.dropout(),
        )?;
        nli.classifier.long_text = self.long_text.long_text().unwrap_or_default();
        Ok((nli, head))
    }

    fn encode(&self, nli: &NliClassifier, data: NliData, _role: Role, _seed: u64) -> Result<Split> {
        encode(nli, &data)
    }
}

impl Folds<NliData> for TrainArgs {
    fn rows(&self, flags: &FineTuneFlags, data: &NliData) -> Result<FoldRows> {
        let roles = Roles::new(data.scheme()?);
        let ids = data
            .roles
            .iter()
            .filter_map(|&role| roles.id(role))
            .collect();
        let names = role_names(&roles)?.names().to_vec();
        self.rows
            .fold_rows(flags, &self.rows.options(), &data.dataset, ids, names)
    }

    fn subset(&self, data: &NliData, rows: &[usize]) -> NliData {
        data.subset(rows)
    }
}

/// The names of roles in id order, whatever a checkpoint calls its labels.
fn role_names(roles: &Roles) -> Result<LabelSet> {
    let names = roles.by_id().iter().map(|role| role.name().to_owned());
    Ok(LabelSet::new(names.collect())?)
}
