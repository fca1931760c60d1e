use std::fmt;

use bert_parity::invariance;
use bert_pretraining::{ModelForMaskedLM, ModelForNextSentencePrediction, ModelForPreTraining};
use bert_question_answering::ModelForQuestionAnswering;
use bert_text_classification::ModelForSequenceClassification;
use bert_token_classification::ModelForTokenClassification;
use serde::{Deserialize, Serialize};

use crate::heads::Model;
use crate::{
    Check, DoctorError, adapters, autocast, families, frozen, operations, shapes, training,
};

/// What a check belongs to; a setting is unsafe when one of its group fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// A family with a head.
    Model,
    /// Steps of the optimiser.
    Training,
    /// A part is trained.
    FrozenParts,
    /// LoRA and DoRA.
    Adapter,
    /// Training in bfloat16.
    Bf16,
    /// A kernel and its composed body.
    Kernel,
    /// Padding, rows alone, short and long sequences.
    Shape,
}

impl Group {
    /// All of them, in the order in which they are checked.
    pub const ALL: [Self; 7] = [
        Self::Model,
        Self::Training,
        Self::FrozenParts,
        Self::Adapter,
        Self::Bf16,
        Self::Kernel,
        Self::Shape,
    ];

    /// The word for it on the command line and in every output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Training => "training",
            Self::FrozenParts => "frozen-parts",
            Self::Adapter => "adapter",
            Self::Bf16 => "bf16",
            Self::Kernel => "kernel",
            Self::Shape => "shape",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

type Run = Box<dyn Fn(&mut Check) -> Result<(), DoctorError>>;

/// One check.
pub struct Item {
    /// What it belongs to.
    pub group: Group,
    /// What it checks.
    pub name: String,
    run: Run,
}

impl Item {
    fn new(
        group: Group,
        name: impl Into<String>,
        run: impl Fn(&mut Check) -> Result<(), DoctorError> + 'static,
    ) -> Self {
        Self {
            group,
            name: name.into(),
            run: Box::new(run),
        }
    }

    /// Whether it checks what flex and ndarray alone have.
    pub fn needs_a_cpu(&self) -> bool {
        self.group == Group::Bf16
    }

    /// Makes the check.
    ///
    /// # Errors
    /// A golden file is missing, or the device fails.
    pub fn run(&self, check: &mut Check) -> Result<(), DoctorError> {
        (self.run)(check)
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.group, self.name)
    }
}

/// Every check.
pub fn suite() -> Vec<Item> {
    let mut items = Vec::new();
    berts(&mut items);
    family::<ModelForSequenceClassification>(&mut items);
    family::<ModelForTokenClassification>(&mut items);
    family::<ModelForQuestionAnswering>(&mut items);
    family::<ModelForMaskedLM>(&mut items);
    for case in training::CASES {
        let run = move |check: &mut Check| training::check(check, case);
        items.push(Item::new(Group::Training, case.replace('_', " "), run));
    }
    for part in frozen::parts() {
        let name = format!("--tune {part}");
        let run = move |check: &mut Check| {
            frozen::gradients(check, &part)?;
            frozen::steps(check, &part)
        };
        items.push(Item::new(Group::FrozenParts, name, run));
    }
    for case in adapters::CASES {
        let run = move |check: &mut Check| adapters::check(check, case);
        items.push(Item::new(Group::Adapter, case, run));
    }
    items.push(Item::new(Group::Bf16, "one pass", autocast::one_pass));
    items.push(Item::new(
        Group::Bf16,
        "twenty steps",
        autocast::twenty_steps,
    ));
    for operation in operations::OPERATIONS {
        let name = operation.name;
        let run = move |check: &mut Check| {
            operations::check(check, &operation);
            Ok(())
        };
        items.push(Item::new(Group::Kernel, name, run));
    }
    let adamw = |check: &mut Check| {
        operations::adamw(check);
        Ok(())
    };
    items.push(Item::new(Group::Kernel, "adamw_update", adamw));
    of_shapes(&mut items);
    items
}

/// BERT's own cases, one for each head and kind of labels.
fn berts(items: &mut Vec<Item>) {
    bert::<ModelForSequenceClassification>(items, "single_label");
    bert::<ModelForSequenceClassification>(items, "multi_label");
    bert::<ModelForSequenceClassification>(items, "regression");
    bert::<ModelForTokenClassification>(items, "token_classification");
    bert::<ModelForQuestionAnswering>(items, "question_answering");
    bert::<ModelForMaskedLM>(items, "masked_lm");
    bert::<ModelForNextSentencePrediction>(items, "next_sentence");
    bert::<ModelForPreTraining>(items, "pretraining");
}

fn bert<M: Model + 'static>(items: &mut Vec<Item>, case: &'static str) {
    let name = format!("bert {}, {}", M::HEAD, case.replace('_', " "));
    let run = move |check: &mut Check| {
        let golden = check.golden(case)?;
        families::check::<M>(check, &golden)
    };
    items.push(Item::new(Group::Model, name, run));
}

fn family<M: Model + 'static>(items: &mut Vec<Item>) {
    let cases = families::cases::<M>().into_iter();
    for (case, _) in cases.chain(families::settings_of_deberta::<M>()) {
        let run = move |check: &mut Check| {
            let golden = families::case::<M>(check, case)?;
            families::check::<M>(check, &golden)
        };
        let name = format!("{case} {}", M::HEAD);
        items.push(Item::new(Group::Model, name, run));
    }
}

fn of_shapes(items: &mut Vec<Item>) {
    let invariances: [(&str, shapes::Invariance); 3] = [
        ("more padding", invariance::padding),
        ("rows alone", invariance::rows_alone),
        ("without padding", invariance::without_padding),
    ];
    for (name, invariance) in invariances {
        let run = move |check: &mut Check| shapes::invariant(check, invariance);
        items.push(Item::new(Group::Shape, name, run));
    }
    for shape @ [rows, tokens] in shapes::SHAPES {
        let run = move |check: &mut Check| shapes::of_shape(check, shape);
        let name = format!("{rows} row(s) of {tokens} token(s)");
        items.push(Item::new(Group::Shape, name, run));
    }
}
