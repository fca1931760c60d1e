//! Constrained decoding: the best sequence of labels in which no entity is malformed.

use std::collections::HashSet;

use crate::tags::{parse, plain};

/// Which label may follow which, may come first, and may come last.
///
/// `I-x` and `E-x` continue a `B-x` or `I-x`; where the labels have `E-x` and `S-x`, a `B-x` or `I-x` has to be continued.
/// A type without a `B-` label (IOB1) may begin with `I-`. Labels that are no entity tags may stand anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transitions {
    /// Row-major `[label before, label]`.
    follows: Vec<bool>,
    first: Vec<bool>,
    last: Vec<bool>,
}

impl Transitions {
    /// The transitions between labels, given in id order.
    pub fn of<S: AsRef<str>>(labels: &[S]) -> Self {
        let names: HashSet<&str> = labels.iter().map(AsRef::as_ref).collect();
        let states: Vec<State<'_>> = labels
            .iter()
            .map(|label| State::of(label.as_ref(), &names))
            .collect();
        let pairs = states
            .iter()
            .flat_map(|before| states.iter().map(|state| before.may_precede(state)));
        Self {
            follows: pairs.collect(),
            first: states.iter().map(|state| !state.continues).collect(),
            last: states.iter().map(|state| !state.unfinished).collect(),
        }
    }

    /// The allowed sequence with the highest product of scores: Viterbi's algorithm. `scores` has a row of C probabilities
    /// for each token. Where no sequence is allowed at all, the best label of each token.
    pub fn decode<R: AsRef<[f32]>>(&self, scores: &[R]) -> Vec<usize> {
        let Some((head, tail)) = scores.split_first() else {
            return Vec::new();
        };
        let allowed = |is_allowed: bool, value: f64| match is_allowed {
            true => value,
            false => f64::NEG_INFINITY,
        };
        let labels = self.first.len();
        let mut best: Vec<f64> = logarithms(head.as_ref())
            .zip(&self.first)
            .map(|(score, &first)| allowed(first, score))
            .collect();
        let mut origins: Vec<Vec<usize>> = Vec::with_capacity(tail.len());
        for row in tail {
            let (next, origin) = logarithms(row.as_ref())
                .enumerate()
                .map(|(label, score)| {
                    let before = (0..labels)
                        .map(|before| allowed(self.follows[before * labels + label], best[before]));
                    let (origin, value) = highest(before);
                    (value + score, origin)
                })
                .unzip();
            best = next;
            origins.push(origin);
        }
        let ends = best.iter().zip(&self.last);
        let (mut label, value) = highest(ends.map(|(&value, &last)| allowed(last, value)));
        if value == f64::NEG_INFINITY {
            return scores.iter().map(|row| best_label(row.as_ref())).collect();
        }
        let mut path = vec![label];
        for origin in origins.iter().rev() {
            label = origin[label];
            path.push(label);
        }
        path.reverse();
        path
    }
}

/// The first of the highest scores.
pub fn best_label(scores: &[f32]) -> usize {
    highest(scores.iter().map(|&score| f64::from(score))).0
}

/// What a label asks of its neighbours.
struct State<'a> {
    /// The type whose entity is open after this label.
    open: Option<&'a str>,
    kind: &'a str,
    /// An entity of `kind` has to be open before it.
    continues: bool,
    /// The entity has to go on after it.
    unfinished: bool,
    inside: bool,
}

impl<'a> State<'a> {
    fn of(label: &'a str, names: &HashSet<&str>) -> Self {
        let Some((prefix, kind)) = parse(label) else {
            return Self {
                open: None,
                kind: "",
                continues: false,
                unfinished: false,
                inside: false,
            };
        };
        let has = |letters: [char; 2]| {
            letters.iter().any(|letter| match kind {
                "" => names.contains(letter.to_string().as_str()),
                _ => names.contains(format!("{letter}-{kind}").as_str()),
            })
        };
        let inside = matches!(plain(prefix), 'I' | 'E');
        let opens = matches!(prefix, 'B' | 'I');
        Self {
            open: opens.then_some(kind),
            kind,
            continues: inside && has(['B', 'B']),
            unfinished: opens && has(['E', 'L']) && has(['S', 'U']),
            inside,
        }
    }

    fn may_precede(&self, next: &Self) -> bool {
        let goes_on = next.inside && self.open == Some(next.kind);
        goes_on || !(next.continues || self.unfinished)
    }
}

/// A probability of zero stays possible: it is less than any other, but not forbidden.
fn logarithms(scores: &[f32]) -> impl Iterator<Item = f64> {
    scores
        .iter()
        .map(|&score| f64::from(score).max(f64::MIN_POSITIVE).ln())
}

fn highest(values: impl Iterator<Item = f64>) -> (usize, f64) {
    values
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (index, value)| {
            if value > best.1 { (index, value) } else { best }
        })
}
