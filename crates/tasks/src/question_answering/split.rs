use bert_text::{Encoding, GoldAnswer, SquadDataset, answer_tokens};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::Windows;
use crate::TaskError;

/// The position of `[CLS]`, which stands for "no answer in this window".
const CLS: usize = 0;

/// A data set ready for the model.
#[derive(Debug, Clone)]
pub struct Split {
    /// The questions, with their contexts and answers.
    pub data: SquadDataset,
    /// Their windows.
    pub windows: Windows,
    /// First and last token of the answer in each window; both are `[CLS]` where the window does not hold the whole answer.
    /// `None` for the windows of a question whose answer is misplaced: the loss ignores them.
    pub positions: Vec<Option<(usize, usize)>>,
    /// Indices of the questions whose first answer is not where the file says.
    pub misplaced: Vec<usize>,
}

impl Split {
    pub(super) fn new(data: &SquadDataset, windows: Windows) -> Self {
        let mut positions = Vec::with_capacity(windows.encodings.len());
        let mut misplaced = Vec::new();
        for (index, (question, rows)) in data.questions.iter().zip(&windows.questions).enumerate() {
            let gold = data.gold(question);
            if gold == GoldAnswer::Misplaced {
                misplaced.push(index);
            }
            let position = |window: &Encoding| match &gold {
                GoldAnswer::At(answer) => Some(answer_tokens(window, answer).unwrap_or((CLS, CLS))),
                GoldAnswer::None => Some((CLS, CLS)),
                GoldAnswer::Misplaced => None,
            };
            positions.extend(windows.encodings[rows.clone()].iter().map(position));
        }
        Self {
            data: data.clone(),
            windows,
            positions,
            misplaced,
        }
    }

    /// The questions that a model can learn from: those whose answer is not misplaced.
    ///
    /// # Errors
    ///
    /// None is left.
    pub fn learnable(self) -> Result<Self, TaskError> {
        if self.misplaced.is_empty() {
            return Ok(self);
        }
        if self.misplaced.len() == self.data.questions.len() {
            return Err(TaskError::Labels {
                path: self.data.path,
                reason: format!(
                    "none of the {} questions can be learned from: no answer is where `answer_start` says (in characters \
                     of the context, from 0)",
                    self.misplaced.len()
                ),
            });
        }
        let Self {
            mut data,
            windows: old,
            misplaced,
            ..
        } = self;
        let mut windows = Windows::default();
        let mut rows = old.contexts.into_iter().zip(old.encodings);
        for (index, range) in old.questions.iter().enumerate() {
            let of_question: Vec<_> = rows.by_ref().take(range.len()).collect();
            if misplaced.binary_search(&index).is_err() {
                windows.push(of_question);
            }
        }
        let mut index = 0..;
        data.questions.retain(|_| {
            let index = index.next().unwrap_or_default();
            misplaced.binary_search(&index).is_err()
        });
        Ok(Self::new(&data, windows))
    }

    /// Number of questions.
    pub fn len(&self) -> usize {
        self.data.questions.len()
    }

    /// Whether there are no questions.
    pub fn is_empty(&self) -> bool {
        self.data.questions.is_empty()
    }

    /// How many of some windows have a label.
    pub(super) fn labelled(&self, rows: &[usize]) -> usize {
        let has_label = |row: &&usize| self.positions[**row].is_some();
        rows.iter().filter(has_label).count()
    }

    /// Start and end positions of some windows as tensors `[B]`. A window without a label is at `sequence_length`, which the
    /// loss ignores.
    pub(super) fn targets(
        &self,
        rows: &[usize],
        sequence_length: usize,
        device: &Device,
    ) -> [Tensor<1, Int>; 2] {
        let ignored = (sequence_length, sequence_length);
        let tensor = |side: fn((usize, usize)) -> usize| {
            let positions = rows
                .iter()
                .map(|&row| side(self.positions[row].unwrap_or(ignored)) as i32);
            let data = TensorData::new(positions.collect::<Vec<i32>>(), [rows.len()]);
            Tensor::from_data(data, device)
        };
        [tensor(|(start, _)| start), tensor(|(_, end)| end)]
    }
}
