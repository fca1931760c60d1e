//! From the logits of a question's windows to its best spans, as `postprocess_qa_predictions` of transformers has it.

use std::ops::Range;

use bert_kernels::softmax;

/// The logits of one window, and where its tokens stand in the context.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    /// Which of the question's contexts the window is of.
    pub context: usize,
    /// The tokens of the window that belong to the context.
    pub context_tokens: Range<usize>,
    /// Of every token of the window, first and past-the-last character in its text.
    pub offsets: &'a [(usize, usize)],
    /// One logit a token.
    pub start_logits: &'a [f32],
    /// One logit a token.
    pub end_logits: &'a [f32],
}

/// How spans are chosen; the default is that of transformers for SQuAD 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Starts and ends that are tried in a window, and spans that are kept in the end; 20.
    pub n_best: usize,
    /// Longest answer in tokens; 30.
    pub max_answer_length: usize,
    /// Whether "no answer" is a candidate, as for SQuAD 2.0.
    pub with_null: bool,
    /// Whether a span that several windows share is kept once, where it scores highest. transformers keeps it as often as
    /// it is found, which shares out its probability.
    pub distinct: bool,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            n_best: 20,
            max_answer_length: 30,
            with_null: false,
            distinct: false,
        }
    }
}

/// A piece of a context, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Which of the question's contexts it is of.
    pub context: usize,
    /// Its first character.
    pub start: usize,
    /// The character after its last.
    pub end: usize,
}

/// A possible answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Where it stands; `None` is "no answer".
    pub span: Option<Span>,
    /// The logit of its first token; of "no answer", that of `[CLS]`.
    pub start_logit: f32,
    /// The logit of its last token; of "no answer", that of `[CLS]`.
    pub end_logit: f32,
    /// The sum of both.
    pub score: f32,
    /// Softmax of the scores over the candidates kept.
    pub probability: f32,
}

/// The possible answers to one question, best first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoded {
    /// At most `n_best`, and "no answer" beyond these where it is a candidate.
    pub candidates: Vec<Candidate>,
    /// The lowest score of `[CLS]` over the windows; `None` without a window.
    pub null_score: Option<f32>,
}

impl Decoded {
    /// The best candidate that has text.
    pub fn best_span(&self) -> Option<&Candidate> {
        let has_text =
            |candidate: &&Candidate| candidate.span.is_some_and(|span| span.start < span.end);
        self.candidates.iter().find(has_text)
    }

    /// How much better "no answer" scores than the best span: the lower, the surer there is an answer. `f32::MAX` where
    /// there is no span.
    pub fn null_difference(&self) -> f32 {
        match (self.null_score, self.best_span()) {
            (Some(null), Some(best)) => null - best.start_logit - best.end_logit,
            _ => f32::MAX,
        }
    }

    /// The answer: the best span, or "no answer" when that scores better by more than `null_threshold`. `None` when
    /// there is no candidate: no context has a token.
    ///
    /// transformers invents the answer `empty` where there is no span; here the answer is "no answer" then.
    pub fn answer(&self, null_threshold: f32) -> Option<&Candidate> {
        let null = self.candidates.iter().find(|one| one.span.is_none());
        match null {
            Some(null) if self.null_difference() > null_threshold => Some(null),
            _ => self.best_span(),
        }
    }
}

/// The best spans over all windows of one question.
///
/// In each window the `n_best` highest starts meet the `n_best` highest ends; a pair is refused when a token is not of
/// the context, the end is before the start, or there are more than `max_answer_length` tokens. Where logits or scores
/// are equal, the later token and the earlier window come first.
pub fn decode(windows: &[Window<'_>], options: &DecodeOptions) -> Decoded {
    let mut found = Vec::new();
    let mut null: Option<Candidate> = None;
    for window in windows {
        if let (Some(&start), Some(&end)) = (window.start_logits.first(), window.end_logits.first())
        {
            let of_window = candidate(None, start, end);
            if null.is_none_or(|lowest| lowest.score > of_window.score) {
                null = Some(of_window);
            }
        }
        spans(window, options, &mut found);
    }
    let null_score = null.map(|null| null.score);
    let null = null.filter(|_| options.with_null);
    found.extend(null);
    found.sort_by(|one, other| ordered(other.score).total_cmp(&ordered(one.score)));
    if options.distinct {
        found = first_of_each(found);
    }
    found.truncate(options.n_best);
    if let Some(null) = null
        && found.iter().all(|one| one.span.is_some())
    {
        found.push(null);
    }
    let scores: Vec<f32> = found.iter().map(|one| one.score).collect();
    for (one, probability) in found.iter_mut().zip(softmax(&scores)) {
        one.probability = probability;
    }
    Decoded {
        candidates: found,
        null_score,
    }
}

fn candidate(span: Option<Span>, start_logit: f32, end_logit: f32) -> Candidate {
    Candidate {
        span,
        start_logit,
        end_logit,
        score: start_logit + end_logit,
        probability: 0.0,
    }
}

/// Adds every admissible pair of the window's best starts and ends.
fn spans(window: &Window<'_>, options: &DecodeOptions, found: &mut Vec<Candidate>) {
    let ends = highest(window.end_logits, options.n_best);
    for start in highest(window.start_logits, options.n_best) {
        for &end in &ends {
            let of_context =
                window.context_tokens.contains(&start) && window.context_tokens.contains(&end);
            if !of_context || end < start || end - start + 1 > options.max_answer_length {
                continue;
            }
            let (Some(first), Some(last)) = (window.offsets.get(start), window.offsets.get(end))
            else {
                continue;
            };
            let span = Span {
                context: window.context,
                start: first.0,
                end: last.1,
            };
            let (start_logit, end_logit) = (window.start_logits[start], window.end_logits[end]);
            found.push(candidate(Some(span), start_logit, end_logit));
        }
    }
}

/// The positions of the highest values, highest first.
fn highest(logits: &[f32], count: usize) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..logits.len()).rev().collect();
    positions.sort_by(|&one, &other| ordered(logits[other]).total_cmp(&ordered(logits[one])));
    positions.truncate(count);
    positions
}

/// Both zeros alike.
pub(crate) fn ordered(value: f32) -> f32 {
    value + 0.0
}

/// Each span once, the first of equals.
fn first_of_each(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::new();
    for one in candidates {
        if kept.iter().all(|earlier| earlier.span != one.span) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
