//! What single predictions of a token classifier tell.

use bert_kernels::cross_entropy;
use bert_report::{Examination, Reliability, WorstExample, worst};
use bert_token_classification::transitions::best_label;

use super::evaluate::WordLogits;
use super::split::{Sentence, Split};
use crate::examine::{confidence, place};

/// The tag of a word that is of no entity.
const OUTSIDE: &str = "O";

/// Examines the logits of every word of every sentence. `predictions` are what is shown as the model's answer.
pub(super) fn examination(
    names: &[String],
    logits: &[WordLogits],
    predictions: &[Vec<usize>],
    split: &Split,
) -> Examination {
    let losses: Vec<f64> = logits
        .iter()
        .zip(&split.sentences)
        .map(|(words, sentence)| sentence_loss(words, sentence))
        .collect();
    let words = logits
        .iter()
        .zip(&split.sentences)
        .flat_map(|(words, sentence)| {
            let labelled = words.iter().zip(&sentence.labels);
            labelled.filter_map(|(word, &label)| Some((word.as_deref()?, label)))
        });
    let sure = words.map(|(word, label)| (confidence(word), best_label(word) == label));
    Examination {
        reliability: Reliability::of("word", sure),
        worst: worst(&losses, |index| {
            let sentence = &split.sentences[index];
            WorstExample {
                place: place(&split.path, "sentence", index + 1),
                text: sentence.words.join(" "),
                reference: tagged(names, sentence, &sentence.labels),
                prediction: tagged(names, sentence, &predictions[index]),
                ..WorstExample::default()
            }
        }),
        ..Examination::default()
    }
}

/// The mean over the words that have a token.
fn sentence_loss(words: &[Option<Vec<f32>>], sentence: &Sentence) -> f64 {
    let labelled = words.iter().zip(&sentence.labels);
    let losses: Vec<f64> = labelled
        .filter_map(|(word, &label)| Some(cross_entropy(word.as_deref()?, label)))
        .collect();
    losses.iter().sum::<f64>() / losses.len().max(1) as f64
}

/// The words with a tag of something, each with its tag.
fn tagged(names: &[String], sentence: &Sentence, labels: &[usize]) -> String {
    let words = sentence.words.iter().zip(labels);
    let shown: Vec<String> = words
        .map(|(word, &label)| (word, names[label].as_str()))
        .filter(|(_, tag)| *tag != OUTSIDE)
        .map(|(word, tag)| format!("{word}/{tag}"))
        .collect();
    match shown.is_empty() {
        true => "(nothing)".to_owned(),
        false => shown.join(" "),
    }
}
